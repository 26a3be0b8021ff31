#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The example kernel, through its own Makefile, as a user's copy of it.
. "$(dirname "$0")/../lib.sh"

cp "$ROOT"/example-kernel/{Makefile,main.c,start.asm,kernel.ld} .
make_here() { make MKBOOTIMG="$MKBOOTIMG" MKBOOTIMG_INCLUDE="$ROOT/include" "$@"; }

try "make" 0 make_here
empty "without a warning" err
check "builds kernel.elf" test -s kernel.elf
try "make run" 0 make_here run CMDLINE="one two exit" RUN_OPTIONS="--headless"
has "says Hello World" out "Hello World!"
has "shows the command line" out "Command line: one two exit"
has "shows the memory map" out "usable"
try "make kernel.img" 0 make_here kernel.img CMDLINE=exit
boots "which boots" kernel.img
try "without exit it stops for good" 120 "$MKBOOTIMG" run --headless --timeout 30 kernel.elf
try "'exiting' is not exit" 120 "$MKBOOTIMG" run --headless --timeout 30 -c "exiting noexit" kernel.elf
try "make clean" 0 make_here clean
check "leaves the sources" test "$(ls | tr '\n' ' ')" = "Makefile check.out err kernel.ld main.c out start.asm "

done_testing
