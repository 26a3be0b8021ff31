#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The loader gets along with firmware that is not as it should be: its disk
# service (firmware/int13.asm), its memory map (firmware/e820.asm); or says that
# it cannot.
. "$(dirname "$0")/../lib.sh"

# A kernel of some 300 KiB: several reads, most of them long.
for disk in ahci ide; do
	while read -r name options; do
		# shellcheck disable=SC2086
		rom int13 "$name" $options
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

rom int13 every-read-fails -DFAIL_EVERY=1
try "every read fails" 126 "$MKBOOTIMG" run --headless --timeout 30 -c success "$KERNELS/ends.elf" \
	-option-rom every-read-fails.rom

# Memory maps.  The kernel checks what became of them, and that what is called
# usable is.
while read -r name options; do
	# shellcheck disable=SC2086
	rom e820 "$name" $options
	boots "$name: entry state" "$KERNELS/state-high.elf" -- -option-rom "$name.rom"
	boots "$name: usable memory" "$KERNELS/memory.elf" -- -option-rom "$name.rom"
	for protocol in mb1 mb2 pvh; do
		boots "$name: entry state, $protocol" "$KERNELS/state32-$protocol.elf" -c full -- -option-rom "$name.rom"
	done
done <<-'EOF'
answers-passed-on
attribute-always-clear -DNO_ATTRIBUTE
messy -DMESSY
registers-trashed -DTRASH
ends-with-carry -DCARRY_END
EOF
rom e820 many -DMANY
boots "600 more answers" "$KERNELS/ends.elf" -c success -- -option-rom many.rom
for protocol in mb1 mb2 pvh; do
	boots "600 more answers, $protocol" "$KERNELS/state32-$protocol.elf" -c full -- -option-rom many.rom
done
rom e820 far -DFAR
boots "memory beyond the CPU's addresses" "$KERNELS/ends.elf" -c success -- -option-rom far.rom
rom e820 endless -DENDLESS
try "endless" 126 "$MKBOOTIMG" run --headless --timeout 30 -c success "$KERNELS/ends.elf" -option-rom endless.rom
has "endless: says what is missing" err "mkbootimg E13: "
rom e820 none -DNONE
try "no memory map" 126 "$MKBOOTIMG" run --headless --timeout 30 -c success "$KERNELS/ends.elf" -option-rom none.rom
has "no memory map: says so" err "mkbootimg E07: "

# Other hardware.
boots "no keyboard controller" "$KERNELS/state-high.elf" -- -M q35,i8042=off
boots "no serial port" "$KERNELS/ends.elf" -c success -- -serial none
boots "no screen" "$KERNELS/ends.elf" -c success -- -vga none

done_testing
