# SPDX-License-Identifier: MIT
"""The figures as Markdown, and as a plot."""

import shutil
import subprocess

import acceptance
from contenders import COPY, HERE, LIMITS, LIMIT_SUM, OURS, QEMU_KERNEL, RUN_IMAGE, RUN_KERNEL
from kernels import KIB, MIB
from machine import ATTACHMENTS

USUAL = acceptance.USUAL


def number(value, unit=1, suffix=""):
    """Three digits, or as many as there are before the point."""
    if value is None:
        return "-"
    value /= unit
    digits = 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:,.{digits}f}{suffix}"


def table(head, rows, labels=1):
    """A Markdown table; rows and columns without any figure are left out, whose first ones are labels."""
    rows = [row for row in rows if any(cell != "-" for cell in row[labels:])]
    kept = [i for i in range(len(head)) if i < labels or any(row[i] != "-" for row in rows)]
    head, rows = [head[i] for i in kept], [[row[i] for i in kept] for row in rows]
    if not rows:
        return ""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def markdown(results, kernels, contenders, lines):
    """All tables, and what is to be.  Kernels and contenders: all there are, in order."""
    wanted = "".join(f"    {line}\n" for line in lines if line.value is not None)
    sections = [
        ("From the first sector to the kernel, from an AHCI disk: million guest instructions, and ms of the whole "
         "run", _by_kernel(results, kernels, contenders)),
        ("The same from other disks, 32 MiB", _by_attachment(results, contenders)),
        ("Instructions over those of the bare loop that reads, copies and sums", _over_limit(results, kernels)),
        ("Compression: --compress auto over none, time to the kernel", _compression(results, kernels)),
        ("The whole command, a kernel of 64 KiB that ends at once", _run(results)),
        ("Making the image", _build(results, kernels, contenders)),
        ("What is to be", wanted),
    ]
    return "\n".join(f"{title}:\n\n{text}" for title, text in sections if text)


def _instructions_and_wall(results, kernel, attachment, contender):
    instructions = results.get("boot instructions", kernel.name, attachment, contender)
    wall = results.get("boot wall", kernel.name, attachment, contender)
    return f"{number(instructions, 1e6)} / {number(wall, 0.001)}" if instructions or wall else "-"


def _columns(contenders):
    return [*contenders, QEMU_KERNEL, *LIMITS]


def _by_kernel(results, kernels, contenders):
    names = _columns(contenders)
    return table(["kernel", *names], [
        [kernel.title, *(_instructions_and_wall(results, kernel, USUAL, name) for name in names)]
        for kernel in kernels if kernel.payload != "code"])


def _by_attachment(results, contenders):
    names = _columns(contenders)
    return table(["disk", *names], [
        [attachment, *(_instructions_and_wall(results, acceptance.LARGE, attachment, name) for name in names)]
        for attachment in ATTACHMENTS])


def _over_limit(results, kernels):
    return table(["kernel", *ATTACHMENTS], [
        [kernel.title, *(number(results.ratio("boot instructions", kernel.name, attachment, OURS, LIMIT_SUM))
                         for attachment in ATTACHMENTS)] for kernel in kernels])


def _compression(results, kernels):
    return table(["kernel", *ATTACHMENTS], [
        [kernel.title, *(number(results.ratio("load ticks", kernel.name, attachment, acceptance.OURS_AUTO, OURS))
                         for attachment in ATTACHMENTS)] for kernel in kernels])


def _run(results):
    kernel = acceptance.SMALL.name
    return table(["", "ms", f"over {QEMU_KERNEL}"], [
        [name, number(results.get("run wall", kernel, "", name), 0.001),
         number(results.ratio("run wall", kernel, "", name, QEMU_KERNEL))]
        for name in (QEMU_KERNEL, RUN_IMAGE, RUN_KERNEL)])


def _build(results, kernels, contenders):
    head = ["", "kernel", "ms", "ms of CPU", "MiB of memory", "image, KiB", "of that allocated"]
    rows = []
    for kernel in kernels:
        for name in [*contenders, COPY]:
            def figure(metric, unit):
                return number(results.get(metric, kernel.name, "", name), unit)
            rows.append([name, kernel.title, figure("build wall", 0.001), figure("build CPU", 0.001),
                         figure("build peak memory", MIB), figure("image size", KIB), figure("image blocks", KIB)])
    return table(head, rows, labels=2)


def plot(results, kernels, contenders, directory):
    """boot.svg: instructions by size, from the usual disk."""
    if not shutil.which("gnuplot"):
        return "no plot: there is no gnuplot"
    names = [name for name in [*contenders, *LIMITS]
             if results.get("boot instructions", acceptance.SMALL.name, USUAL, name)]
    if not names:
        return None
    data = directory / "boot.dat"
    with data.open("w", encoding="utf-8") as file:
        print("MiB", *(f'"{name}"' for name in names), file=file)
        for kernel in kernels:
            if kernel.payload == "random" and not kernel.bss:
                figures = (results.get("boot instructions", kernel.name, USUAL, name) for name in names)
                print(kernel.size / MIB, *(figure / 1e6 if figure else "?" for figure in figures), file=file)
    image = directory / "boot.svg"
    subprocess.run(["gnuplot", "-c", HERE / "boot.gp", data, image, str(len(names) - len(LIMITS)), str(len(names))],
                   check=True)
    return f"plot: {image}"
