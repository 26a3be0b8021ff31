#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Compressed kernels and modules: in memory they are what they were, whatever they are
# like, wherever they go; and what cannot be unpacked is said.
. "$(dirname "$0")/../lib.sh"

# ---- The same in memory --------------------------------------------------------

# Each kernel checks what it holds, and prints a checksum of all of itself.
for protocol in mb1 mb2 pvh plain native; do
	for method in none lz4 auto; do
		boots "$protocol, $method" "$KERNELS/packed-$protocol.elf" --compress $method
		mv out $method.out
	done
	check "$protocol: the same with lz4" cmp none.out lz4.out
	check "$protocol: the same with auto" cmp none.out auto.out
done
for disk in ide virtio nvme usb; do
	boots "from $disk" "$KERNELS/packed-mb2.elf" --compress lz4 --disk $disk
done

# Of every size that matters to chunks; of bytes that shrink to nothing, or not at all.
chunk=$((127 * 512 - 8))
cat "$OUT"/share/mkbootimg/bootloader/* "$KERNELS"/packed-*.elf >code
for size in 1 511 512 513 $((chunk - 1)) $chunk $((chunk + 1)) $((2 * chunk)) 300000 3000001; do
	head -c $size code >code-$size
	head -c $size /dev/zero >zeros-$size
	head -c $size /dev/urandom >random-$size
done
head -c 20000000 /dev/zero >zeros
cat code zeros-300000 random-300000 code-300000 >mixed
modules=()
for file in code-* zeros* random-* mixed; do modules+=(-m "$file"); done
cksum code-* zeros* random-* mixed >wanted
for protocol in mb1 mb2 pvh plain native; do
	boots "$protocol: modules of all sizes" "$KERNELS/modules-$protocol.elf" --compress lz4 "${modules[@]}"
	check "$protocol: are what they were" cmp <(grep -v ^verdict: out) wanted
done
rm -f -- *-* zeros mixed code

# Kernels that check each byte of theirs: 48 MiB, many segments, in memory that the
# loader itself needs until the last call of the firmware, relocated, and so on.
for kernel in data segments shared state-high state-low lowest-mb1 lowest-mb2 lowest-pvh lowest-plain \
	lowest-native low-native unordered-mb1 unordered-pvh high-mb2 reloc-2 kludge-mb1 pie-relr; do
	boots "$kernel" "$KERNELS/$kernel.elf" --compress lz4
done
boots "bootloader-0.9" "$KERNELS/bl09-mr.elf" --compress lz4 --protocol bootloader-0.9 --features "$(features mr)"

# ---- Images that are wrong -------------------------------------------------------

"$MKBOOTIMG" build -q --compress lz4 -o good.img "$KERNELS/packed-native.elf" || exit 1
boots "the good image boots" good.img
bits=50
[ -z "${LONG:-}" ] || bits=1000
if timeout -s KILL 3000 python3 "$ROOT/tests/flip.py" "$MKBOOTIMG" good.img kernel $bits >flips 2>&1; then
	pass "flipped bits"
	sed 's/^/# /' flips
else
	fail "flipped bits" flips
fi
check "flipped bits: the sum tells" grep -qE "^[0-9]+ bits of kernel: E14 [0-9]+$" flips

# wrong NAME OFFSET BYTE...: with these bytes in the first extent (in hexadecimal), and
# sums that are right, it does not unpack.
wrong() {
	local name=$1
	shift
	cp good.img bad.img
	check "$name: sealed" "$OUT/tests/reseal" bad.img 0 "$@"
	try "$name" 126 "$MKBOOTIMG" run --headless --timeout 30 bad.img
	has "$name: says so" err "mkbootimg E22: compressed data that cannot be unpacked: "
}
at=$("$MKBOOTIMG" inspect --json good.img |
	python3 -c 'import json, sys; print(json.load(sys.stdin)["plan"]["extents"][0]["image_offset"])')
length=$(od -An -tu4 -j "$at" -N 4 good.img | tr -d ' ')
second=$((127 * 512))
hex() { printf %x "$1"; }
wrong "an offset of 0 in the first sequence" 8 f0 ff 00 00
wrong "a chunk that holds more than there is room for" 0 ff ff ff 7f
wrong "a chunk that holds one byte more" 0 "$(hex $((length + 1 & 255)))" "$(hex $((length + 1 >> 8 & 255)))"
wrong "a chunk that holds nothing" "$(hex $second)" 00 00 00 00
wrong "a block that is longer than its chunk" "$(hex $((second + 4)))" f9 fd 00 00
read -ra bytes <<<"$(printf 'ff %.0s' {1..300})"
wrong "lengths without an end" "$(hex $((second + 8)))" "${bytes[@]}"
cp good.img same.img
check "nothing changed: sealed" "$OUT/tests/reseal" same.img 0 0
check "nothing changed: the same image" cmp good.img same.img

done_testing
