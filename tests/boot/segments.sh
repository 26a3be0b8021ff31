#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Segments of every shape arrive where and as they should.
. "$(dirname "$0")/../lib.sh"

boots "sharing pages, unaligned, in descending order, one empty" "$KERNELS/shared.elf"
boots "120 segments in no order" "$KERNELS/segments.elf" --memory 64M
has "120 segments: says so" out "all segments are there"

for protocol in mb1 mb2 pvh; do
	boots "$protocol: in descending order, sharing pages, 32 MiB of .bss" "$KERNELS/unordered-$protocol.elf" --memory 64M
	has "$protocol: says so" out "all segments are there"
done

# A machine's memory is all zeros in an emulator and not on a desk: fill it.
dirty() {
	boots "$1, in dirty memory" "$2" -- -m 128 -M pc,memory-backend=dirty \
		-object memory-backend-file,id=dirty,size=128M,mem-path=dirty.mem,share=off
}
head -c $((128 << 20)) /dev/zero | tr '\0' '\314' >dirty.mem
dirty "what must be clear is" "$KERNELS/state-high.elf"
dirty "low-linked too" "$KERNELS/state-low.elf"
dirty "between segments too" "$KERNELS/shared.elf"
dirty "behind many segments too" "$KERNELS/segments.elf"
for kernel in unordered-mb1 unordered-mb2 unordered-pvh kludge-mb1 kludge-mb2 high-mb1 high-pvh reloc-1 \
	reloc-2 low-mb1 lowest-mb1 lowest-pvh lowest-native; do
	dirty "$kernel" "$KERNELS/$kernel.elf"
done
rm -f dirty.mem

# .bss is cleared, not stored: 48 MiB of data and 64 MiB of .bss.
try "data and .bss: builds" 0 "$MKBOOTIMG" build -v -o data.img "$KERNELS/data.elf"
blocks=$(stat -c %b data.img)
check ".bss is not in the image" test "$blocks" -lt $((49 * 2048))
rm -f data.img

done_testing
