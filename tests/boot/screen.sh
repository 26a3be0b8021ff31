#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# What a person sees: pictures of the real screen, taken through QEMU's monitor.
. "$(dirname "$0")/../lib.sh"

# screen TEXT KERNEL [RUN-OPTION...]
screen() {
	local text=$1 kernel=$2
	shift 2
	monitor_until "$text" | timeout 60 "$MKBOOTIMG" run --headless "$@" "$kernel" -monitor stdio >out 2>err
}

screen "Hello World!" "$KERNELS/smallest.elf"
has "void _start(void) writes to 0xb8000" screen "Hello World!"
check "the picture is not empty" test -s screen.ppm

rm -f vga.bin
screen "loader, reclaimable" "$ROOT/example-kernel/kernel.elf" -c "some words"
has "the example kernel says Hello World" screen "Hello World!"
has "it shows its command line" screen "Command line: some words"
has "it shows the memory map" screen "usable"

done_testing
