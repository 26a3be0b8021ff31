#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# What "make bench" measures with: its kernel boots by each way that needs no other
# loader, its bare loops load and end.  What it measures is no test's business.
. "$(dirname "$0")/../lib.sh"

# make_all: a kernel, the clock, and each loop.
make_all() {
	OUT=$OUT python3 -B - "$PWD" <<-END
		import pathlib, sys
		sys.path.insert(0, "$ROOT/bench")
		from contenders import LIMITS, write_limit
		from kernels import KIB, MIB, Kernel
		directory = pathlib.Path(sys.argv[1])
		Kernel(64 * KIB, "code", bss=MIB).write(directory)
		write_limit("clock.img", 0)
		for method in LIMITS.values():
		    write_limit(method.lower() + ".img", 300, method)
	END
}
# ended: QEMU ended with success, and a time was said.
ended() {
	try "$1" 33 timeout -s KILL "$SECONDS_MAX" qemu-system-x86_64 -accel tcg -m 64M -nodefaults -display none -no-reboot \
		-debugcon stdio -device isa-debug-exit,iobase=0xf4,iosize=0x04 "${@:2}"
	check "$1: when" grep -qE '^@[0-9a-f]{16}$' out
}

try "kernel and loops" 0 make_all
kernel=64K+1M-bss-code.elf
try "the kernel is a native one" 0 "$MKBOOTIMG" build -q --protocol native -o native.img "$kernel"
empty "without a warning" err
ended "native" -drive file=native.img,format=raw
try "and a Multiboot one" 0 "$MKBOOTIMG" build -q -o multiboot.img "$kernel"
ended "Multiboot" -drive file=multiboot.img,format=raw
ended "qemu -kernel" -kernel "$kernel"
for loop in clock read copy sum; do
	ended "$loop" -drive "file=$loop.img,format=raw"
done

try "a part that there is not" 2 "$ROOT/bench/bench.py" --output . boots
has "why" err "'boots' is none of boot, build, run"

done_testing
