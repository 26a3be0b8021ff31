# SPDX-License-Identifier: MIT
"""The machine to boot on, and what commands take."""

import dataclasses
import os
import re
import subprocess
import tempfile
import time

QEMU = "qemu-system-x86_64"
SUCCESS = 33  # QEMU's exit status after report.inc
SECONDS_MAX = 120

# The same for all: no KVM, no device that is not needed.
MACHINE = [QEMU, "-accel", "tcg", "-m", "512M", "-nodefaults", "-vga", "std", "-display", "none", "-no-reboot",
           "-boot", "strict=on,reboot-timeout=100", "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04",
           "-debugcon", "stdio"]

ATTACHMENTS = {
    "ahci": ["-device", "ahci,id=bus", "-device", "ide-hd,bus=bus.0,drive=disk"],
    "ide": ["-device", "ide-hd,drive=disk"],
    "virtio": ["-device", "virtio-blk-pci,drive=disk"],
    "nvme": ["-device", "nvme,serial=boot,drive=disk"],
    "usb": ["-device", "qemu-xhci,id=bus", "-device", "usb-storage,bus=bus.0,drive=disk"],
}

# The TSC starts at 0 and ticks once an instruction.
COUNTING = ["-icount", "shift=0,sleep=off"]


class Failed(Exception):
    """One sentence that says what could not be measured."""


def boot(image, attachment, *options):
    """Boot an image: the TSC at the kernel's first instruction, and the seconds of QEMU's whole run."""
    disk = ["-drive", f"file={image},format=raw,if=none,id=disk,cache=unsafe", *ATTACHMENTS[attachment]]
    command = [*MACHINE, *disk, *options]
    start = time.perf_counter()
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS_MAX, check=False)
    except subprocess.TimeoutExpired:
        raise Failed(f"no kernel within {SECONDS_MAX} s") from None
    seconds = time.perf_counter() - start
    said = re.search(rb"@([0-9a-f]{16})\n", done.stdout)
    if done.returncode != SUCCESS or not said:
        why = done.stderr.decode(errors="replace").strip()
        raise Failed(why or f"QEMU ended with status {done.returncode} before the kernel did")
    return int(said[1], 16), seconds


@dataclasses.dataclass
class Usage:
    """What a command took."""

    seconds: float
    cpu_seconds: float


def use(command, status=0):
    """Run a command, which must end with a status; its Usage."""
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        child = os.posix_spawnp(command[0], command, os.environ, file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, output.fileno(), 1), (os.POSIX_SPAWN_DUP2, output.fileno(), 2)])
        _, wait_status, usage = os.wait4(child, 0)
        seconds = time.perf_counter() - start
        if os.waitstatus_to_exitcode(wait_status) != status:
            output.seek(0)
            raise Failed(f"{' '.join(command)}: {output.read().decode(errors='replace').strip()}")
    return Usage(seconds, usage.ru_utime + usage.ru_stime)


def peak_memory(command):
    """The most memory, in bytes, that a command has at a time.  It is asked of time(1), since a child of
    ours would have begun with the memory of ours."""
    with tempfile.NamedTemporaryFile(mode="r") as report:
        use(["time", "-f", "%M", "-o", report.name, *command])
        return int(report.read()) * 1024
