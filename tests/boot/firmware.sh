#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The loader reads all it needs through a disk service that is a bad one
# (firmware/int13.asm), and says so when it cannot.
. "$(dirname "$0")/../lib.sh"

# rom NAME NASM-OPTION...: make ./NAME.rom; its bytes must add up to 0.
rom() {
	local name=$1
	shift
	nasm -w+all -f bin "$@" -o "$name.rom" "$ROOT/tests/firmware/int13.asm" || return
	local sum
	sum=$(od -An -v -tu1 "$name.rom" | awk '{ for (i = 1; i <= NF; i++) s += $i } END { print (256 - s % 256) % 256 }')
	printf '%b' "\\0$(printf %o "$sum")" | dd of="$name.rom" bs=1 seek=511 conv=notrunc status=none
}

# A kernel of some 300 KiB: several reads, most of them long.
for disk in ahci ide; do
	while read -r name options; do
		# shellcheck disable=SC2086
		rom "$name" $options
		boots "$name, $disk" "$KERNELS/segments.elf" --disk $disk -- -option-rom "$name.rom"
	done <<-'EOF'
	none
	no-EDD -DNO_EDD
	EDD-without-packets -DNO_PACKETS
	every-4th-read-fails -DFAIL_EVERY=4
	every-2nd-read-fails -DFAIL_EVERY=2
	at-most-63-sectors -DMOST=63
	at-most-32-sectors -DMOST=32
	at-most-16-sectors -DMOST=16
	at-most-8-sectors -DMOST=8
	at-most-1-sector -DMOST=1
	registers-trashed -DTRASH
	registers-trashed-no-EDD -DTRASH -DNO_EDD
	short-reads -DSHORT
	AL-cleared -DCLEAR_AL
	EOF
done

rom every-read-fails -DFAIL_EVERY=1
try "every read fails" 126 "$MKBOOTIMG" run --headless --timeout 30 -c success "$KERNELS/ends.elf" \
	-option-rom every-read-fails.rom

done_testing
