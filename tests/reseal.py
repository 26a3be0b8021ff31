#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Change bytes of an image's extent and set the checksums right: what the loader says of
data that are as they were written, and wrong.

usage: reseal.py IMAGE EXTENT OFFSET BYTES

OFFSET counts from the extent's first byte on the disk, BYTES are hexadecimal.  The sums
are those of include/bootabi.h.
"""

import struct
import sys
import zlib

BASE = 2048 * 512
FACTOR = 0x9E3779B1
MASK = (1 << 64) - 1


def extent_sum(sectors):
    """The extent sum of bytes in whole sectors: four integers."""
    t, u = [FACTOR] * 2, [FACTOR] * 2
    for at in range(0, len(sectors), 512):
        words = struct.unpack_from("<64Q", sectors, at)
        for i in range(32):
            state = u if i & 1 else t
            for lane in range(2):
                word = words[2 * i + lane]
                state[lane] = state[lane] ^ word if i & 2 else state[lane] + word & MASK
        for lane in range(2):
            u[lane] = u[lane] + (t[lane] & 0xFFFFFFFF) * FACTOR & MASK
        whole = t[0] | t[1] << 64
        whole = whole >> 32 | (whole & 0xFFFFFFFF) << 96
        t = [(whole & MASK) + u[0] & MASK, (whole >> 64) + u[1] & MASK]
    return t + u


def main():
    path, extent, offset, change = sys.argv[1:5]
    with open(path, "r+b") as file:
        image = bytearray(file.read())
    table_lba, table_bytes = struct.unpack_from("<II", image, BASE + 4)
    table = BASE + table_lba * 512
    record = table + struct.unpack_from("<I", image, table + 40)[0] + int(extent) * 80
    lba, stored = struct.unpack_from("<QQ", image, record + 24)
    start, end = BASE + lba * 512, BASE + lba * 512 + (stored + 511) // 512 * 512
    before = struct.unpack_from("<4Q", image, record + 48)
    if list(before) != extent_sum(image[start:end]):
        sys.exit("the sum was wrong before")
    change = bytes.fromhex(change)
    image[start + int(offset):start + int(offset) + len(change)] = change
    struct.pack_into("<4Q", image, record + 48, *extent_sum(image[start:end]))
    struct.pack_into("<I", image, table + 16, 0)
    struct.pack_into("<I", image, table + 16, zlib.crc32(image[table:table + table_bytes]))
    with open(path, "r+b") as file:
        for at, size in (start, end - start), (table, table_bytes):
            file.seek(at)
            file.write(image[at:at + size])


main()
