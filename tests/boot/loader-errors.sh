#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# What the loader says when it cannot go on: code and sentence on COM1, the
# screen and port 0xe9, and run ends at once with status 126.
. "$(dirname "$0")/../lib.sh"

SECTOR=512
BASE=$((2048 * SECTOR))		# the partition
"$MKBOOTIMG" build -q -c success -o good.img "$KERNELS/ends.elf" || exit 1
le32() { od -An -tu4 -j "$1" -N 4 good.img | tr -d ' '; }
TABLE=$((BASE + $(le32 $((BASE + 4))) * SECTOR))

# says NAME CODE [RUN-ARG...]: booting bad.img ends with the code.
says() {
	local name=$1 code=$2
	shift 2
	try "$name: status" 126 "$MKBOOTIMG" run --headless --timeout 30 "$@"
	has "$name: the loader's words" err "mkbootimg $code: "
	has "$name: on COM1" out "mkbootimg $code: "
}

# poke OFFSET: change the byte there.
poke() {
	cp --sparse=always good.img bad.img
	local old
	old=$(od -An -tu1 -j "$1" -N 1 good.img | tr -d ' ')
	printf "\\x$(printf %x $((old ^ ${2:-1})))" | dd of=bad.img bs=1 seek="$1" conv=notrunc status=none
}

boots "the good image boots" good.img

poke $((BASE + 700))
says "stage 2 damaged" E02 bad.img
# add OFFSET N: add to the 32-bit number there.
add() {
	local sum byte
	sum=$((($(od -An -tu4 -j "$1" -N 4 bad.img) + $2) & 0xffffffff))
	for byte in 0 1 2 3; do
		printf "\\x$(printf %x $((sum >> 8 * byte & 255)))"
	done | dd of=bad.img bs=1 seek="$1" conv=notrunc status=none
}
cp --sparse=always good.img bad.img
add $((BASE + 6000)) 1
add $((BASE + 6004)) -101
says "stage 2 damaged so that its sum is right" E21 bad.img
poke $((TABLE + 3))
says "no boot table" E09 bad.img
poke $((TABLE + 8))
says "boot table of another version" E10 bad.img
poke $((TABLE + 12))
says "boot table of another length" E11 bad.img
poke $((TABLE + 40))
says "boot table damaged" E12 bad.img
extent=$(od -An -tu8 -j $((TABLE + $(le32 $((TABLE + 40))) + 24)) -N 8 good.img | tr -d ' ')
poke $((BASE + extent * SECTOR + 0x123)) 0x80
says "kernel data damaged" E14 bad.img
has "kernel data damaged: which sector" err "from sector"

# A truncated image: reads beyond its end fail.
head -c $((BASE + 1024)) good.img >bad.img
says "truncated in stage 2" E01 bad.img
head -c $TABLE good.img >bad.img
truncate -s $((((TABLE / 512) / 1008 + 1) * 1008 * 512)) bad.img
says "truncated before the table" E09 bad.img

says "a CPU without long mode" E03 good.img -cpu qemu64,-lm
says "a CPU without SSE2" E04 good.img -cpu qemu64,-sse2
says "too little memory" E13 "$KERNELS/data.elf" -m 64
says "no memory where the kernel must lie" E18 --protocol multiboot1 "$KERNELS/unordered-mb1.elf" -m 16
has "no memory there: which" err "must lie at 0x100000 to 0x"
has "no memory there: and what is" err " to 0x1000000 is not free"
says "no such video mode" E19 --video 801x600 "$KERNELS/smallest.elf"
has "no such video mode: asked for" err "no mode 801x600 as asked for"
has "no such video mode: those there are" err " 800x600x32 "
says "no video" E19 --video 800x600 "$KERNELS/smallest.elf" -vga none

# On the screen too, and, in an emulator that we do not run, on port 0xe9.
poke $((TABLE + 40))
monitor_until "mkbootimg E12" | timeout 60 qemu-system-x86_64 -drive file=bad.img,format=raw -display none \
	-net none -debugcon file:e9 -serial file:com1 -monitor stdio >/dev/null 2>err
has "on the screen" screen "mkbootimg E12: the boot table is damaged"
has "on port 0xe9" e9 "mkbootimg E12: the boot table is damaged"
has "on COM1" com1 "mkbootimg E12: the boot table is damaged"

# Nothing to boot: the firmware's reset is not taken for the kernel's.
poke 510 0xff
try "not bootable: refused" 126 "$MKBOOTIMG" run --headless --timeout 30 bad.img
has "not bootable: why" err "neither an ELF kernel nor a bootable disk image"
head -c 512 good.img >short.img
try "an image of one sector" 126 "$MKBOOTIMG" run --headless --timeout 30 short.img

done_testing
