#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measure mkbootimg beside others.  `make bench` is how to call it; README.md here says what it does."""

import argparse
import dataclasses
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True

import acceptance  # noqa: E402
import report  # noqa: E402
from contenders import (BOOTIMAGE, LIMITS, MKBOOTIMG, OURS, OURS_AUTO, QEMU_KERNEL, RUN_IMAGE,  # noqa: E402
                        RUN_KERNEL, copying, ourselves, peers, write_limit)
from kernels import KIB, MIB, Kernel  # noqa: E402
from machine import ATTACHMENTS, COUNTING, QEMU, SUCCESS, Failed, boot, peak_memory, use  # noqa: E402
from results import Results  # noqa: E402

PARTS = ("boot", "build", "run")

RANDOM = [Kernel(64 * KIB), Kernel(MIB), Kernel(8 * MIB), Kernel(32 * MIB), Kernel(128 * MIB)]
BSS = Kernel(64 * KIB, bss=64 * MIB)
CODE = [Kernel(kernel.size, "code") for kernel in RANDOM]
MOST, TOLERANCE = 8, 0.0002  # when counting instructions
QUICK = [RANDOM[0], RANDOM[1], RANDOM[3], CODE[3]]
QUICK_ON_IDE = [RANDOM[1], CODE[3]]
USUAL = acceptance.USUAL


@dataclasses.dataclass
class Given:
    """A kernel that we know only the name of."""

    name: str
    payload: str = "given"
    size: int = 0
    bss: int = 0

    @property
    def title(self):
        return self.name


def instructions(image, attachment, most):
    """Samples of the TSC at a kernel's first instruction, until the three least agree: waiting for the disk adds
    some where the machine is busy with something else."""
    samples = []
    while len(samples) < most and not (len(samples) > 2 and sorted(samples)[2] <= min(samples) * (1 + TOLERANCE)):
        samples.append(boot(image, attachment, *COUNTING)[0])
    return samples


class Bench:
    def __init__(self, work, quick, attachments):
        self.work, self.quick = work, quick
        self.attachments = attachments
        self.results = Results()
        self.ours = ourselves()
        self.contenders = [*self.ours, *self._present(peers())]
        self.columns = [contender.name for contender in self.contenders]
        self.kernels = [*QUICK] if quick else [*RANDOM, BSS, *CODE]

    def _present(self, contenders):
        for contender in contenders:
            if contender.missing:
                print(f"bench: without {contender.name}: there is no {contender.missing}", file=sys.stderr)
        return [contender for contender in contenders if not contender.missing]

    def say(self, text):
        print(f"bench: {text}", file=sys.stderr, flush=True)

    def attempt(self, what, function, *arguments):
        """What one contender cannot do must not end the others' measurements."""
        try:
            return function(*arguments)
        except (Failed, subprocess.CalledProcessError) as error:
            self.say(f"{what}: {error}")
            return None

    # ---- Booting -----------------------------------------------------------

    def boot(self):
        clock = self.work / "clock.img"
        write_limit(clock, 0)
        starts = {attachment: min(instructions(clock, attachment, MOST)) for attachment in self.attachments}
        for kernel in self.kernels:
            images = self.images(kernel)
            for attachment in self.attachments:
                if self.quick and attachment != USUAL and (attachment != "ide" or kernel not in QUICK_ON_IDE):
                    continue
                self.say(f"boot: {kernel.title}, {attachment}")
                self.count(kernel, attachment, images, starts[attachment])
                self.time(kernel, attachment, images, clock)
            for image in images.values():
                image.unlink()
        if "BOOTIMAGE" in os.environ:
            self.boot_given(pathlib.Path(os.environ["BOOTIMAGE"]), starts, clock)

    def boot_given(self, image, starts, clock):
        """An image of bootimage's, and one of ours of the kernel that lies beside it, as bootimage has it.  That
        kernel must begin and end as report.inc does."""
        given = Given(image.stem.removeprefix("bootimage-"))
        images = {BOOTIMAGE: image}
        self.kernels.append(given)
        self.columns.append(BOOTIMAGE)
        kernel = image.with_name(given.name)
        if kernel.exists():
            images[OURS] = self.work / "given.img"
            use([str(MKBOOTIMG), "build", "-q", "--protocol", "bootloader-0.9", "-o", str(images[OURS]), str(kernel)])
        for attachment in self.attachments:
            self.say(f"boot: {given.title}, {attachment}")
            self.count(given, attachment, images, starts[attachment])
            self.time(given, attachment, images, clock)

    def images(self, kernel):
        """Images of a kernel: contender -> path.  The peers do not care what is in it, so they get only the
        random ones; the limits likewise."""
        path = kernel.write(self.work)
        images = {}
        for contender in self.contenders if kernel.payload == "random" else self.ours:
            image = self.work / f"{contender.name}.img"
            if self.attempt(f"{contender.name}, {kernel.title}", use, contender.command(path, image)):
                images[contender.name] = image
        if kernel.payload == "random" and not kernel.bss:
            for name, method in LIMITS.items():
                images[name] = self.work / f"{name}.img"
                write_limit(images[name], kernel.size // 512, method)
        return images

    def count(self, kernel, attachment, images, start):
        for name, image in images.items():
            samples = self.attempt(f"{name}, {kernel.title}, {attachment}", instructions, image, attachment,
                                   self.count_most(kernel, attachment, name))
            for sample in samples or ():
                self.results.add("boot instructions", kernel.name, attachment, name, sample - start)

    def count_most(self, kernel, attachment, name):
        """How often at most: the others' figures need not be exact, and an IDE disk's large ones cannot be much off."""
        if name not in (OURS, OURS_AUTO, *LIMITS):
            return 1 if kernel.size > 8 * MIB else 2
        return 1 if kernel.size > 8 * MIB and attachment == "ide" else MOST

    def time(self, kernel, attachment, images, clock):
        """Wall time: one contender after the other, then all again."""
        path = kernel.write(self.work) if kernel.payload == "random" else None
        for _ in range(self.time_rounds(kernel, attachment)):
            start = boot(clock, attachment)[0]
            for name, image in images.items():
                booted = self.attempt(f"{name}, {kernel.title}, {attachment}", boot, image, attachment)
                if booted:
                    self.results.add("load ticks", kernel.name, attachment, name, booted[0] - start)
                    self.results.add("boot wall", kernel.name, attachment, name, booted[1])
            if path:
                booted = self.attempt(QEMU_KERNEL, boot, clock, attachment, "-kernel", path)
                if booted:
                    self.results.add("boot wall", kernel.name, attachment, QEMU_KERNEL, booted[1])

    def time_rounds(self, kernel, attachment):
        """Not what takes minutes and tells nothing new."""
        if attachment == USUAL:
            return 5 if not self.quick and kernel.size <= 32 * MIB else 3
        if kernel.payload == "code" and kernel.size == 32 * MIB:
            return 1 if attachment == "ide" else 5
        if kernel.size > 32 * MIB:
            return 0
        return 1 if attachment == "ide" and kernel.size > 8 * MIB else 3

    # ---- Building ----------------------------------------------------------

    def build(self):
        for kernel in (RANDOM[0], RANDOM[3]) if self.quick else (RANDOM[0], RANDOM[4]):
            self.say(f"build: {kernel.title}")
            path = kernel.write(self.work)
            makers = {contender.name: (contender.command(path, image), image)
                      for contender in [*self.contenders, copying()]
                      for image in [self.work / f"{contender.name}.img"]}
            for _ in range(5):
                for name, (command, image) in makers.items():
                    usage = self.attempt(name, use, command)
                    if usage:
                        self.results.add("build wall", kernel.name, "", name, usage.seconds)
                        self.results.add("build CPU", kernel.name, "", name, usage.cpu_seconds)
                        # So that none has to make room for its next one first.
                        image.unlink()
            for name, (command, image) in makers.items():
                peak = self.attempt(name, peak_memory, command)
                if peak:
                    self.results.add("build peak memory", kernel.name, "", name, peak)
                    self.results.add("image size", kernel.name, "", name, image.stat().st_size)
                    self.results.add("image blocks", kernel.name, "", name, image.stat().st_blocks * 512)
                    image.unlink()
        # Its last four bytes are its checksum.
        loader = MKBOOTIMG.parent / "share/mkbootimg/bootloader/PROTOCOL_NATIVE.bin"
        self.results.add("loader size", RANDOM[0].name, "", OURS, loader.stat().st_size - 4)

    # ---- Running -----------------------------------------------------------

    def run(self):
        self.say("run")
        kernel = RANDOM[0].write(self.work)
        image = self.work / "run.img"
        use(self.ours[0].command(kernel, image))
        run = [str(MKBOOTIMG), "run", "--headless", "--accel", "tcg"]
        dry = subprocess.run([*run, "--dry-run", image], capture_output=True, text=True, check=True).stdout
        # The same machine, disk included, but the kernel comes first.
        machine = [word.replace("bootindex=0", "bootindex=1") for word in shlex.split(dry)]
        commands = {
            QEMU_KERNEL: ([*machine, "-kernel", str(kernel)], SUCCESS),
            RUN_IMAGE: ([*run, str(image)], 0),
            RUN_KERNEL: ([*run, "--protocol", "native", str(kernel)], 0),
        }
        for _ in range(9 if self.quick else 31):
            for name, (command, status) in commands.items():
                usage = self.attempt(name, use, command, status)
                if usage:
                    self.results.add("run wall", RANDOM[0].name, "", name, usage.seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=pathlib.Path, required=True, help="directory for what is found")
    parser.add_argument("--quick", action="store_true", help="fewer kernels, disks and rounds")
    parser.add_argument("--disk", action="append", choices=ATTACHMENTS, help="only this disk; may be repeated")
    parser.add_argument("part", nargs="*", help="what to measure: boot, build, run (default: all)")
    arguments = parser.parse_args()
    for part in arguments.part:
        if part not in PARTS:
            parser.error(f"'{part}' is none of {', '.join(PARTS)}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    for program in (QEMU, "nasm", "time"):
        if not shutil.which(program):
            sys.exit(f"bench: there is no {program}; scripts/deps bench installs it")
    output = arguments.output
    output.mkdir(parents=True, exist_ok=True)
    os.environ["XDG_CACHE_HOME"] = str(output.resolve() / "cache")
    with tempfile.TemporaryDirectory(dir=output, prefix="work.") as work:
        bench = Bench(pathlib.Path(work).resolve(), arguments.quick, arguments.disk or list(ATTACHMENTS))
        try:
            for part in arguments.part or PARTS:
                getattr(bench, part)()
        except KeyboardInterrupt:
            bench.say("stopped; this is what was measured")
    bench.results.write_csv(output / "results.csv")
    lines = list(acceptance.lines(bench.results, bench.kernels))
    text = report.markdown(bench.results, bench.kernels, bench.columns, lines)
    (output / "table.md").write_text(text, encoding="utf-8")
    print(text)
    plotted = report.plot(bench.results, bench.kernels, bench.columns, output)
    print(f"figures: {output}/results.csv, {output}/table.md" + (f"; {plotted}" if plotted else ""))
    if any(line.exact and line.value is not None and not line.met for line in lines):
        sys.exit(1)


if __name__ == "__main__":
    main()
