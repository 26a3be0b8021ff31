# SPDX-License-Identifier: MIT
"""What the figures are to be.  Each line is met or missed, with the numbers."""

import dataclasses

from contenders import (COPY, GRUB_DISK, GRUB_ISO, LIMINE, LIMIT_COPY, LIMIT_SUM, OURS, OURS_AUTO, QEMU_KERNEL,
                        RUN_IMAGE, RUN_KERNEL, SYSLINUX)
from kernels import KIB, MIB, Kernel
from machine import ATTACHMENTS

CONSTANT = 150_000  # instructions that a boot may take whatever the kernel's size
FAST = [name for name in ATTACHMENTS if name != "ide"]
USUAL = "ahci"
SMALL, LARGE, LARGEST = Kernel(64 * KIB), Kernel(32 * MIB), Kernel(128 * MIB)
LARGE_CODE = Kernel(32 * MIB, "code")


@dataclasses.dataclass
class Line:
    """A requirement: VALUE is at most (or, if AT_LEAST, at least) LIMIT.  EXACT: what is measured does not
    depend on what else the machine does, so a miss is a mistake."""

    text: str
    value: float | None
    limit: float
    at_least: bool = False
    exact: bool = True
    digits: int = 2

    @property
    def met(self):
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def __str__(self):
        if self.value is None:
            return f"-       {self.text}: not measured"
        sign = "≥" if self.at_least else "≤"
        return (f"{'met   ' if self.met else 'missed'}  {self.text}: {self.value:,.{self.digits}f}"
                f" ({sign} {self.limit:,.{self.digits}f})")


def lines(results, kernels):
    """All of them, for kernels of these sizes."""
    yield from _limits(results, kernels)
    yield from _peers(results)
    yield from _run(results)
    yield from _build(results)
    yield from _compression(results)


def _instructions(results, kernel, attachment, contender):
    return results.get("boot instructions", kernel.name, attachment, contender)


def _limits(results, kernels):
    for attachment in ATTACHMENTS:
        for kernel in kernels:
            ours = _instructions(results, kernel, attachment, OURS)
            for limit, factor in ((LIMIT_SUM, 1.10), (LIMIT_COPY, 1.5)):
                bare = _instructions(results, kernel, attachment, limit)
                if kernel.size < MIB or not ours or not bare:
                    continue
                yield Line(f"{kernel.title}, {attachment}: {CONSTANT:,} instructions less, over {limit}",
                           (ours - CONSTANT) / bare, factor)


def _peers(results):
    for kernel, factors in ((SMALL, {GRUB_DISK: 100, GRUB_ISO: 100, LIMINE: 100, SYSLINUX: 20}),
                            (LARGE, {GRUB_DISK: 30, GRUB_ISO: 30, LIMINE: 30, SYSLINUX: 5})):
        for peer, factor in factors.items():
            yield Line(f"{kernel.title}, {USUAL}: instructions of {peer} over ours",
                       results.ratio("boot instructions", kernel.name, USUAL, peer, OURS), factor, at_least=True, digits=0)


def _run(results):
    for contender, limit in ((RUN_IMAGE, 1.25), (RUN_KERNEL, 1.35)):
        yield Line(f"{contender} over {QEMU_KERNEL}, {SMALL.title}",
                   results.ratio("run wall", SMALL.name, "", contender, QEMU_KERNEL), limit, exact=False)


def _build(results):
    def ours(metric, kernel):
        return results.get(metric, kernel.name, "", OURS)

    def scaled(value, unit):
        return None if value is None else value / unit

    yield Line(f"build of {LARGEST.title} over {COPY}, both with fsync",
               results.ratio("build wall", LARGEST.name, "", OURS, COPY), 1.3, exact=False)
    yield Line(f"build of {LARGEST.title}: peak memory in MiB",
               scaled(ours("build peak memory", LARGEST), MIB), 16, digits=1)
    yield Line(f"build of {SMALL.title}: ms of CPU", scaled(ours("build CPU", SMALL), 0.001), 5, exact=False, digits=1)
    yield Line(f"image of {SMALL.title}: KiB of blocks", scaled(ours("image blocks", SMALL), KIB), 96, digits=0)
    yield Line("loader of the native protocol: KiB", scaled(ours("loader size", SMALL), KIB), 12, digits=1)


def _compression(results):
    for attachment in ATTACHMENTS:
        yield Line(f"{LARGE_CODE.title}, {attachment}: time to the kernel, --compress auto over none",
                   results.ratio("load ticks", LARGE_CODE.name, attachment, OURS_AUTO, OURS),
                   1.05 if attachment in FAST else 0.6, exact=False)
    for attachment in ATTACHMENTS:
        yield Line(f"{LARGE.title}, {attachment}: instructions to the kernel, --compress auto over none",
                   results.ratio("boot instructions", LARGE.name, attachment, OURS_AUTO, OURS), 1.02)
