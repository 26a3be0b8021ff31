# SPDX-License-Identifier: MIT
"""Who makes images, and how."""

import os
import pathlib
import shutil
import subprocess

HERE = pathlib.Path(__file__).parent
MKBOOTIMG = HERE.parent / os.environ.get("OUT", "build") / "mkbootimg"


class Contender:
    """A way from a kernel to an image: a command that is given both.  Where it is not there, `missing`
    says what is."""

    def __init__(self, name, command, missing=None):
        self.name, self._command, self.missing = name, command, missing

    def command(self, kernel, image):
        return [str(word) for word in self._command(kernel, image)]


def script(name, *needed):
    """A contender by a script in images/, which needs these programs and files."""
    missing = next((path for path in needed if not shutil.which(path) and not os.path.exists(path)), None)
    return lambda kernel, image: [HERE / "images" / name, kernel, image], missing


def ours(*options):
    return lambda kernel, image: [MKBOOTIMG, "build", "-q", "--protocol", "native", *options, "-o", image, kernel]


def has_compression():
    usage = subprocess.run([MKBOOTIMG, "build", "--help"], capture_output=True, text=True, check=True).stdout
    return "--compress" in usage


OURS, OURS_AUTO = "mkbootimg", "mkbootimg auto"
GRUB_DISK, GRUB_ISO, SYSLINUX, LIMINE, BOOTIMAGE = "GRUB disk", "GRUB ISO", "syslinux", "Limine", "bootimage"
COPY = "cp"


def ourselves():
    """This project, without compression and with it."""
    if not has_compression():
        return [Contender(OURS, ours())]
    return [Contender(OURS, ours("--compress", "none")), Contender(OURS_AUTO, ours("--compress", "auto"))]


def peers():
    """The others, as far as they are installed or pointed to."""
    grub = os.environ.get("GRUB", "/usr/lib/grub/i386-pc")
    syslinux = os.environ.get("SYSLINUX", "/usr/lib/syslinux")
    tools = ["mformat", "sfdisk"]
    found = [
        Contender(GRUB_DISK, *script("grub-disk", "grub-mkimage", f"{grub}/boot.img", *tools)),
        Contender(GRUB_ISO, *script("grub-iso", "grub-mkrescue", "xorriso", f"{grub}/boot.img", *tools)),
        Contender(SYSLINUX, *script("syslinux", "syslinux", f"{syslinux}/modules/bios/mboot.c32", *tools)),
    ]
    limine = os.environ.get("LIMINE")
    if limine:
        found.append(Contender(LIMINE, *script("limine", f"{limine}/limine", f"{limine}/limine-bios.sys", *tools)))
    return found


def copying():
    """What a build is measured by: cp, and the file on the disk, as build has it."""
    return Contender(COPY, lambda kernel, image: [
        "sh", "-c", 'cp --reflink=never "$0" "$1" && sync "$1"', kernel, image])


# ---- The limits ------------------------------------------------------------

LIMIT_READ, LIMIT_COPY, LIMIT_SUM = "read", "read + copy", "read + copy + sum"
LIMITS = {LIMIT_READ: "READ", LIMIT_COPY: "COPY", LIMIT_SUM: "SUM"}
LIMIT_SECTORS = 8
SMALLEST_IMAGE = 3 * 16 * 63 * 512  # smaller disks are not booted from AHCI, virtio and NVMe


def write_limit(image, sectors, method="READ"):
    """The image of a bare loop (limit.asm) that loads sectors, or, of none, of a clock."""
    include = MKBOOTIMG.parent / "share/mkbootimg/bootloader"
    subprocess.run(
        ["nasm", "-w+all", "-f", "bin", f"-I{HERE}/", f"-I{include}/", f"-D{method}", f"-DSECTORS={sectors}",
         f"-DLIMIT_SECTORS={LIMIT_SECTORS}", "-o", image, HERE / "limit.asm"], check=True)
    os.truncate(image, max(SMALLEST_IMAGE, (LIMIT_SECTORS + sectors) * 512))

# ---- What runs kernels -----------------------------------------------------

RUN_IMAGE, RUN_KERNEL, QEMU_KERNEL = "mkbootimg run IMAGE", "mkbootimg run KERNEL", "qemu -kernel"
