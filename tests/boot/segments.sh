#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Segments of every shape arrive where and as they should.
. "$(dirname "$0")/../lib.sh"

boots "sharing pages, unaligned, in descending order, one empty" "$KERNELS/shared.elf"
boots "120 segments in no order" "$KERNELS/segments.elf" --memory 64M
has "120 segments: says so" out "all segments are there"

# .bss is cleared, not stored: 48 MiB of data and 64 MiB of .bss.
try "data and .bss: builds" 0 "$MKBOOTIMG" build -v -o data.img "$KERNELS/data.elf"
blocks=$(stat -c %b data.img)
check ".bss is not in the image" test "$blocks" -lt $((49 * 2048))
rm -f data.img

done_testing
