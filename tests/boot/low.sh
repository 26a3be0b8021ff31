#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Segments below 1 MiB, over what the firmware uses: each byte arrives, and the
# kernel may write to all of it.
. "$(dirname "$0")/../lib.sh"

for protocol in mb1 mb2 pvh plain native; do
	boots "$protocol: some KiB at 0x8000" "$KERNELS/low-$protocol.elf"
	has "$protocol: at 0x8000: says so" out "the low segment is there"
	boots "$protocol: 0x1000 to 0x7ffff" "$KERNELS/lowest-$protocol.elf"
	has "$protocol: 0x1000 to 0x7ffff: says so" out "the low segment is there"
done
boots "with modules" "$KERNELS/lowest-mb1.elf" -m "$KERNELS/lowest-mb1.elf" -m "$KERNELS/low-mb1.elf"
boots "with little memory" "$KERNELS/lowest-mb2.elf" --memory 32M
for disk in ahci ide; do
	boots "from $disk" "$KERNELS/lowest-pvh.elf" --disk $disk
done

# Linked on the command line, a kernel has its ELF headers below its text, where
# nothing can be: they are left out, and it boots.
printf 'global _start\n_start: mov al, 0x10\nout 0xf4, al\njmp $\n' >text.asm
nasm -f elf32 -o text.o text.asm
ld -m elf_i386 -nostdlib -o text.elf text.o
boots "as a linker puts it, above 128 MiB: the machine is made large enough" text.elf
for address in 0x1000 0x100000; do
	nasm -f elf32 -o text.o text.asm
	ld -m elf_i386 -nostdlib -Ttext=$address -o text.elf text.o
	boots "-Ttext=$address, 32-bit" text.elf
	ld -m elf_i386 -nostdlib -z noseparate-code -Ttext=$address -o text.elf text.o
	boots "-Ttext=$address, 32-bit, headers and text in one segment" text.elf
	nasm -f elf64 -o text.o text.asm
	ld -nostdlib -Ttext=$address -o text.elf text.o
	boots "-Ttext=$address, 64-bit" text.elf
done

done_testing
