#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# What a person sees: pictures of the real screen, taken through QEMU's monitor.
. "$(dirname "$0")/../lib.sh"

# screen KERNEL SECONDS [RUN-OPTION...]: what the screen shows after some time:
# a picture in ./screen.ppm, and its text in ./screen.
screen() {
	local kernel=$1 seconds=$2
	shift 2
	{
		sleep "$seconds"
		printf 'pmemsave 0xb8000 4000 "vga.bin"\nscreendump "screen.ppm"\nquit\n'
		sleep 2
	} | timeout 60 "$MKBOOTIMG" run --headless "$@" "$kernel" -monitor stdio >out 2>err
	# Every other byte is a character.
	od -An -v -tu1 -w2 vga.bin | awk '{ printf "%c", $1; if (NR % 80 == 0) print "" }' >screen
}

screen "$KERNELS/smallest.elf" 3
has "void _start(void) writes to 0xb8000" screen "Hello World!"
check "the picture is not empty" test -s screen.ppm

screen "$ROOT/example-kernel/kernel.elf" 3 -c "some words"
has "the example kernel says Hello World" screen "Hello World!"
has "it shows its command line" screen "Command line: some words"
has "it shows the memory map" screen "usable"

done_testing
