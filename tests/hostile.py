#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write kernels that lie about themselves into the current directory.

usage: hostile.py

Prints a line for each: its file, a tab, and what mkbootimg must say of it (a part of
the sentence), "boots" if it is to be taken, or "-" if it may be either.
"""

import struct

PT_LOAD, PT_NOTE, PT_TLS = 1, 4, 7
PN_XNUM = 0xFFFF
BASE = 0x200000
CODE = b"\xb0\x10\xe6\xf4\xeb\xfe"  # out 0xf4, 0x10: success
ESCAPE = b"\x1b[31m\x9b2J\xc2\x9bred\x07"


def segment(kind=PT_LOAD, flags=5, offset=0x1000, vaddr=BASE, filesz=0x1000, memsz=0x1000, align=0x1000):
    return struct.pack("<IIQQQQQQ", kind, flags, offset, vaddr, vaddr, filesz, memsz, align)


def section(name=0, kind=1, flags=0, addr=0, offset=0, size=0, link=0, info=0, entsize=0):
    return struct.pack("<IIQQQQIIQQ", name, kind, flags, addr, offset, size, link, info, 1, entsize)


STACK = segment(0x6474E551, 6, 0, 0, 0, 0, 16)


def elf(segments, sections=(), tail=b"", entry=BASE, names=0, **fields):
    """An ELF64 file: its program headers end before 0x1000, or lie behind the tail; one page of
    code from there; the tail from 0x2000 on; the sections behind that."""
    headers = b"".join(segments)
    code = CODE.ljust(0x1000, b"\x90")
    phoff = 64 if len(headers) <= 0xFC0 else 0x2000 + len(tail)
    early, late = (headers, b"") if phoff == 64 else (b"", headers)
    header = {
        "phoff": phoff,
        "shoff": 0x2000 + len(tail) + len(late) if sections else 0,
        "ehsize": 64,
        "phentsize": 56,
        "phnum": len(segments),
        "shentsize": 64,
        "shnum": len(sections),
        "shstrndx": names,
    }
    header.update(fields)
    start = b"\x7fELF\x02\x01\x01".ljust(16, b"\0") + struct.pack(
        "<HHIQQQIHHHHHH", 2, 62, 1, entry, header["phoff"], header["shoff"], 0, header["ehsize"],
        header["phentsize"], header["phnum"], header["shentsize"], header["shnum"], header["shstrndx"])
    return (start + early).ljust(0x1000, b"\0") + code + tail + late + b"".join(sections)


def note(namesz, descsz, kind=18):
    return struct.pack("<III", namesz, descsz, kind) + b"Xen\0" + struct.pack("<I", BASE)


def with_note(namesz, descsz, filesz=20):
    return elf([segment(), STACK, segment(PT_NOTE, 4, 0x2000, 0, filesz, filesz, 4)], tail=note(namesz, descsz))


def named(name, flags, symbol):
    """One section with that name, and a symbol at the entry point."""
    strings = b"\0" + name + b"\0" + symbol + b"\0"
    symbols = bytes(24) + struct.pack("<IBBHQQ", 2 + len(name), 2, 0, 1, BASE, 6)
    return elf([segment(flags=flags), STACK], [
        section(kind=0),
        section(1, 1, 6, BASE, 0x1000, 0x1000),
        section(0, 3, 0, 0, 0x2000, len(strings)),
        section(0, 2, 0, 0, 0x2000 + len(strings), len(symbols), 2, 1, 24),
    ], tail=strings + symbols, names=2)


def many_sections():
    """As many sections as there may be, whose names run through a table without an end."""
    table = b"\0" + b"x" * (1 << 20)
    return elf([segment(), STACK], [section(kind=0), section(0, 3, 0, 0, 0x2000, len(table))] +
               [section(1 + i, 1, 2, BASE, 0x1000, 0x1000) for i in range(60000)], tail=table, names=1)


def many_symbols(name):
    """A million symbols at the entry point, of such names."""
    table = b"\0" + b"x" * (1 << 20)
    symbols = bytes(24) + struct.pack("<IBBHQQ", name, 0, 0, 1, BASE, 0) * 1000000
    return elf([segment(), STACK], [
        section(kind=0),
        section(0, 3, 0, 0, 0x2000, len(table)),
        section(0, 2, 0, 0, 0x2000 + len(table), len(symbols), 1, 1, 24),
    ], tail=table + symbols, names=1)


def pages(count):
    return [segment(vaddr=BASE + 0x1000 * i) for i in range(count)]


HUGE = 1 << 63
KERNELS = {
    # How many program headers there are.
    "no-headers": (elf([]), "no segment to load"),
    "no-load": (elf([STACK]), "no segment to load"),
    "65534-empty": (elf([segment(filesz=0, memsz=0)] * 65534), "no segment to load"),
    "65534-same": (elf([segment()] * 65534), "overlaps"),
    "65534-loads": (elf(pages(65534)), ""),
    "65535-loads": (elf(pages(65535), [section(kind=0, info=65535)], phnum=PN_XNUM), ""),
    "65534-notes": (elf([segment(), STACK] + [segment(PT_NOTE)] * 65532), "overlapping notes"),
    "65533-tls": (elf([segment(), STACK] + [segment(PT_TLS)] * 65532), "boots"),
    "xnum-no-sections": (elf([segment()], phnum=PN_XNUM), "program headers lie beyond its end"),
    "xnum-0": (elf([segment()], [section(kind=0)], phnum=PN_XNUM), ""),
    "xnum-huge": (elf([segment()], [section(kind=0, info=0xFFFFFFFF)], phnum=PN_XNUM), "'xnum-huge' is truncated"),
    "phnum-beyond": (elf([segment()], phnum=60000), "program headers lie beyond its end"),
    "phoff-huge": (elf([segment()], phoff=HUGE), "program headers lie beyond its end"),
    "phoff-max": (elf([segment()], phoff=(1 << 64) - 8), "program headers lie beyond its end"),
    "phoff-odd": (elf([segment()], phoff=65), ""),
    "phentsize-0": (elf([segment(), STACK], phentsize=0), ""),
    "phentsize-max": (elf([segment(), STACK], phentsize=0xFFFF), ""),
    "ehsize-max": (elf([segment(), STACK], ehsize=0xFFFF), ""),
    # What they say.
    "align-0": (elf([segment(align=0), STACK]), "boots"),
    "align-3": (elf([segment(align=3), STACK]), ""),
    "align-huge": (elf([segment(align=HUGE), STACK]), ""),
    "align-max": (elf([segment(align=(1 << 64) - 1), STACK]), ""),
    "filesz-huge": (elf([segment(filesz=HUGE)]), "larger in the file"),
    "memsz-huge": (elf([segment(memsz=HUGE)]), "segment 0"),
    "memsz-max": (elf([segment(memsz=(1 << 64) - 1)]), "wraps around"),
    "sizes-huge": (elf([segment(filesz=HUGE, memsz=HUGE)]), "is truncated"),
    "offset-huge": (elf([segment(offset=HUGE)]), "is truncated"),
    "offset-wraps": (elf([segment(offset=(1 << 64) - 0x800)]), "is truncated"),
    "file-overlaps": (elf([segment(), segment(flags=6, vaddr=BASE + 0x1000), STACK]), "boots"),
    "memory-overlaps": (elf([segment(), segment(vaddr=BASE + 0x800)]), "overlaps"),
    "tls-huge": (elf([segment(), STACK, segment(PT_TLS, memsz=HUGE, filesz=HUGE)]), ""),
    "dynamic-beyond": (elf([segment(), segment(2, offset=HUGE)]), "dynamic section"),
    # Notes.
    "note-good": (with_note(4, 4), ""),
    "note-name-max": (with_note(0xFFFFFFFF, 4), ""),
    "note-name-wraps": (with_note(0xFFFFFFFD, 4), ""),
    "note-desc-max": (with_note(4, 0xFFFFFFFF), ""),
    "note-both-max": (with_note(0xFFFFFFFF, 0xFFFFFFFF), ""),
    "note-short": (with_note(4, 4, 11), ""),
    "note-beyond": (with_note(4, 4, HUGE), ""),
    # Sections.
    "shoff-huge": (elf([segment(), STACK], shoff=HUGE, shnum=5), "boots"),
    "shoff-max": (elf([segment(), STACK], shoff=(1 << 64) - 64, shnum=1), "boots"),
    "shnum-max": (elf([segment(), STACK], [section(kind=0)], shnum=0xFEFF), "boots"),
    "shnum-0": (elf([segment(), STACK], [section(kind=0, size=HUGE)], shnum=0), ""),
    "shstrndx-beyond": (elf([segment(), STACK], [section(kind=0)], names=77), "boots"),
    "shstrndx-max": (elf([segment(), STACK], [section(kind=0, link=0xFFFFFFFF)], names=0xFFFF), "boots"),
    "section-huge": (elf([segment(), STACK], [section(kind=0), section(0, 3, 0, 0, 64, HUGE),
                                              section(5, 2, 2, BASE, HUGE, HUGE, 9, 9, 1)], names=1), "boots"),
    "many-sections": (many_sections(), "boots"),
    "many-symbols": (many_symbols(1), "boots"),
    "many-nameless": (many_symbols(0), "boots"),
    # Names.
    "name-boots": (named(ESCAPE, 5, ESCAPE), "boots"),
    "name-warned": (named(ESCAPE, 7, ESCAPE), "boots"),
    "name-refused": (named(ESCAPE, 4, ESCAPE), "not executable"),
    "name-long": (named(b"n" * 100000, 4, b"s" * 100000), "not executable"),
}

for file, (content, said) in KERNELS.items():
    with open(file, "wb") as out:
        out.write(content)
    print(file, said or "-", sep="\t")
