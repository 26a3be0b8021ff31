# SPDX-License-Identifier: MIT
"""The kernels of the benchmark: one file that every contender boots."""

import functools
import hashlib
import pathlib
import struct
import subprocess

KIB, MIB = 1024, 1024 * 1024
PAGE = 4096
LOAD = 2 * MIB

PT_LOAD, PT_GNU_STACK = 1, 0x6474E551
READ_EXECUTE, READ_WRITE = 5, 6
ELF_X86_64, EXECUTABLE = 62, 2

# Where there is code that somebody's compiler made.
CODE_DIRECTORIES = ("/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib", "/usr/bin")


class Kernel:
    """What a kernel is like: SIZE bytes in the file, of which the code is the first few, a payload
    ("random" or "code"), and BSS bytes to be cleared."""

    def __init__(self, size, payload="random", bss=0):
        self.size, self.payload, self.bss = size, payload, bss

    @property
    def name(self):
        size = f"{self.size // MIB}M" if self.size >= MIB else f"{self.size // KIB}K"
        bss = f"+{self.bss // MIB}M-bss" if self.bss else ""
        return f"{size}{bss}-{self.payload}"

    @property
    def title(self):
        size = f"{self.size // MIB} MiB" if self.size >= MIB else f"{self.size // KIB} KiB"
        bss = f" + {self.bss // MIB} MiB of .bss" if self.bss else ""
        return f"{size}{bss}" + (", code" if self.payload == "code" else "")

    def write(self, directory):
        """Write it into a directory unless it is there; its path."""
        path = directory / f"{self.name}.elf"
        if not path.exists():
            start = self._start(directory)
            payload = PAYLOADS[self.payload](self.size - len(start))
            temporary = path.with_suffix(".new")
            temporary.write_bytes(self._headers() + start + payload)
            temporary.rename(path)
        return path

    def _start(self, directory):
        binary = directory / f"{self.name}.bin"
        here = pathlib.Path(__file__).parent
        subprocess.run(
            ["nasm", "-w+all", "-f", "bin", f"-I{here}/", f"-DLOAD={LOAD}", f"-DLOAD_BYTES={self.size}",
             f"-DBSS_BYTES={self.bss}", "-o", binary, here / "kernel.asm"], check=True)
        try:
            return binary.read_bytes()
        finally:
            binary.unlink()

    def _headers(self):
        """ELF header and program headers, filled up to a page."""
        segments = [(PT_GNU_STACK, READ_WRITE, 0, 0, 0, 0), (PT_LOAD, READ_EXECUTE, PAGE, LOAD, self.size, self.size)]
        if self.bss:
            segments.append((PT_LOAD, READ_WRITE, 0, LOAD + self.size, 0, self.bss))
        entry = LOAD + 32  # behind the Multiboot header
        header = b"\x7fELF\x02\x01\x01".ljust(16, b"\0") + struct.pack(
            "<HHIQQQIHHHHHH", EXECUTABLE, ELF_X86_64, 1, entry, 64, 0, 0, 64, 56, len(segments), 64, 0, 0)
        table = b"".join(
            struct.pack("<IIQQQQQQ", kind, flags, offset, address, address, in_file, in_memory, PAGE)
            for kind, flags, offset, address, in_file, in_memory in segments)
        return (header + table).ljust(PAGE, b"\0")


def random_bytes(count):
    """What no compressor makes smaller, always the same."""
    return hashlib.shake_128(b"mkbootimg").digest(count)


def code_bytes(count):
    """Code as compilers make it: .text of this machine's programs and libraries, one after the other.
    If they are not enough, they are repeated, which no window of LZ4's notices."""
    text = all_code()
    return (text * -(-count // len(text)))[:count]


PAYLOADS = {"random": random_bytes, "code": code_bytes}


@functools.cache
def all_code(enough=128 * MIB):
    pieces, total = [], 0
    for directory in CODE_DIRECTORIES:
        for path in sorted(pathlib.Path(directory).glob("*")):
            if total >= enough:
                break
            if path.is_file() and not path.is_symlink():
                piece = text_section(path.read_bytes())
                pieces.append(piece)
                total += len(piece)
    if not total:
        raise SystemExit("bench: no program or library of this machine has a .text section")
    return b"".join(pieces)


def text_section(elf):
    """.text of a 64-bit ELF file; nothing of any other."""
    if elf[:6] != b"\x7fELF\x02\x01":
        return b""
    table, = struct.unpack_from("<Q", elf, 40)
    entry_size, count, names = struct.unpack_from("<HHH", elf, 58)
    sections = [struct.unpack_from("<IIQQQQ", elf, table + i * entry_size) for i in range(count)]
    for name, _, _, _, offset, size in sections:
        start = sections[names][4] + name
        if elf[start:start + 6] == b".text\0":
            return elf[offset:offset + size]
    return b""
