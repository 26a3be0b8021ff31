#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Kernels whose headers, or whose place in memory, no 32-bit protocol can honour,
# and the options that choose a protocol.
. "$(dirname "$0")/../lib.sh"

# flat NAME [DEFINE...]: a flat binary with a Multiboot 1 header; what is special
# about it is defined.
cat >flat.asm <<'END'
%ifndef PAD
  %define PAD 0
%endif
%ifndef FLAGS
  %define FLAGS 0x10000
%endif
%ifndef WRONG
  %define WRONG 0
%endif
%ifndef BASE
  %define BASE 0x100000
%endif
%ifndef LOAD
  %define LOAD start
%endif
%ifndef ENTRY
  %define ENTRY code
%endif
%ifndef FINISH
  %define FINISH 0
%endif
%ifndef BSS
  %define BSS 0
%endif
	org BASE
start:	times PAD db 0
header:	dd 0x1badb002, FLAGS, -(0x1badb002 + FLAGS) + WRONG
	dd header, LOAD, FINISH, BSS, ENTRY
	dd 0, 0, 0, 0
code:	jmp $
END
flat() {
	local name=$1
	shift
	nasm -f bin -o "$name" "${@/#/-D}" flat.asm
}

flat good.bin
try "a flat binary" 0 "$MKBOOTIMG" build -v -o k.img good.bin
has "a flat binary: why" out "multiboot1 because it has a Multiboot 1 header at file offset 0x0"
flat bad.bin WRONG=1
refuses "checksum" "'bad.bin' has a Multiboot 1 header at file offset 0x0 whose checksum is wrong (0xe4514fff, should be 0xe4514ffe)" bad.bin
flat bad.bin PAD=9000
refuses "beyond the window" "'bad.bin' has a Multiboot 1 header that lies at file offset 0x2328, beyond the first 8 KiB, where loaders look for it" bad.bin
flat bad.bin FLAGS=0x10020
refuses "flags" "'bad.bin': Multiboot 1 header at file offset 0x0: it asks for feature bit 5, which the Multiboot 1 specification does not define" bad.bin
flat bad.bin LOAD=0x100004
refuses "load_addr" "'bad.bin': Multiboot 1 header at file offset 0x0: load_addr 0x100004 is above header_addr 0x100000" bad.bin
flat bad.bin ENTRY=0x200000
refuses "entry_addr" "'bad.bin': Multiboot 1 header at file offset 0x0: entry_addr 0x200000 is outside of what the header loads, 0x100000-0x100032" bad.bin
flat bad.bin FLAGS=0
refuses "nowhere to go" "'bad.bin' is not an ELF file, and its Multiboot header does not say where it goes" bad.bin
flat bad.bin BASE=0x500
refuses "first page" "'bad.bin': the image (by its Multiboot header at 0x500-0x532) lies in the first page, which holds the firmware's interrupt vectors" bad.bin
flat bad.bin BASE=0x7fff0
refuses "over the stack" "'bad.bin': the image (by its Multiboot header at 0x7fff0-0x80022) reaches over 0x80000, where stack, GDT and boot information lie" bad.bin
flat bad.bin BASE=0xb8000
refuses "video memory" "'bad.bin': the image (by its Multiboot header at 0xb8000-0xb8032) covers 0xa0000-0xfffff, where a PC has video memory and firmware" bad.bin
REFUSAL=2 refuses "a kernel base" "'good.bin' goes where its Multiboot header says, not to --kernel-base" good.bin --kernel-base 0x300000

# ELF files, linked to where they cannot be.
cat >k.asm <<'END'
	bits 32
	global _start
	section .text
%ifdef MB2
	align 8
header:	dd 0xe85250d6, 0, header.end - header, -(0xe85250d6 + (header.end - header))
  %ifdef TAG
	dw TAG, 0
	dd 8
  %endif
  %ifdef REQUEST
	dw 1, 0
	dd 12, REQUEST, 0
  %endif
	dw 0, 0
	dd 8
.end:
%elifndef PLAIN
	dd 0x1badb002, 0, -0x1badb002
%endif
_start:	jmp $
	section .data
	dd 1
END
# elf NAME LD-OPTION... [-- DEFINE...]
elf() {
	local name=$1 options=() machine=${MACHINE:-elf_i386} format=${FORMAT:-elf32}
	shift
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	nasm -f "$format" -o k.o "${@/#/-D}" k.asm
	ld -m "$machine" -nostdlib -z noseparate-code "${options[@]}" -o "$name" k.o
}

elf good.elf -Ttext=0x100000
try "ELF headers where nothing can be" 0 "$MKBOOTIMG" inspect good.elf
has "ELF headers where nothing can be: left out" out "at 0x100000"
has "ELF headers where nothing can be: the segment" out "segment 0 (.text, 0xff000-0x10000e)"
MACHINE=elf_x86_64 FORMAT=elf64 elf bad.elf -Ttext=0x140000000
refuses "above 4 GiB" "'bad.elf': segment 0 (.text, at physical address 0x13ffff000-0x14000000e) lies above 4 GiB, where a 32-bit protocol does not reach" bad.elf
elf bad.elf -Ttext=0x9f000 -Tdata=0x100000
refuses "a segment over the stack" "'bad.elf': segment 0 (.text, at physical address 0x9e000-0x9f00e) reaches over 0x80000, where stack, GDT and boot information lie" bad.elf
cat >overlap.ld <<'END'
PHDRS { a PT_LOAD; b PT_LOAD; }
SECTIONS {
	. = 0x100000; .text : AT(0x100000) { *(.text) } :a
	. = 0x200000; .data : AT(0x100008) { *(.data) } :b
}
END
elf bad.elf -T overlap.ld --no-check-sections
refuses "overlapping by p_paddr" "'bad.elf': segment 0 (.text, at physical address 0x100000-0x10000e) overlaps segment 1 (.data, at physical address 0x100008-0x10000c)" bad.elf
elf bad.elf -Ttext=0x100000 -e 0x300000
refuses "entry point" "'bad.elf': the entry point 0x300000 lies in no segment" bad.elf
REFUSAL=2 refuses "a stack too large" "--stack-size: a 32-bit kernel's stack lies below 640 KiB, with room for 64 KiB" good.elf --stack-size 65537
elf bad.elf -Ttext=0x100000 -- MB2 TAG=99
refuses "a required tag" "'bad.elf': Multiboot 2 header at file offset 0x1000: it requires tag type 99 at its offset 0x10, which mkbootimg does not know" bad.elf
elf bad.elf -Ttext=0x100000 -- MB2 REQUEST=10
refuses "required information" "'bad.elf': Multiboot 2 header at file offset 0x1000: it requires information of type 10 (APM table), which mkbootimg cannot give" bad.elf

# Choosing.
elf plain.elf -Ttext=0x100000 -- PLAIN
try "no header" 0 "$MKBOOTIMG" build -v -o k.img plain.elf
has "no header: why" out "multiboot1 because it is an ELF32 file without the header or note of another protocol"
refuses "no Multiboot 2 header" "'plain.elf' cannot be booted by multiboot2: it does not have a Multiboot 2 header in its first 32 KiB" plain.elf --protocol multiboot2
refuses "no note" "'plain.elf' cannot be booted by pvh: it does not have a Xen PHYS32_ENTRY note (PVH)" plain.elf --protocol pvh
refuses "no 64-bit code" "'plain.elf' cannot be booted by native: it is not an x86-64 ELF64 file" plain.elf --protocol native
try "plain, by name" 0 "$MKBOOTIMG" build -o k.img --protocol multiboot1 plain.elf
all=$KERNELS/state32-all-64.elf
for protocol in multiboot2 multiboot1 pvh native; do
	try "one of several: $protocol" 0 "$MKBOOTIMG" inspect --protocol $protocol "$all"
	has "one of several: $protocol: says so" out "protocol $protocol, "
done
try "the first of several" 0 "$MKBOOTIMG" inspect "$all"
has "the first of several: which" out "multiboot2 because it has a Multiboot 2 header"
has "the first of several: and others" out "it also offers multiboot1, pvh (--protocol)"
try "the first of several, JSON" 0 "$MKBOOTIMG" inspect --json "$all"
has "the first of several, JSON: others" out '"also_offers": "multiboot1, pvh"'
try "unknown protocol" 2 "$MKBOOTIMG" build --protocol grub "$all"
has "unknown protocol: those there are" err "none of auto, native, multiboot1, multiboot2, pvh"

# Modules, video, base: what cannot be.
refuses "a module that is not there" "module: cannot open 'nowhere': No such file or directory" good.elf -m nowhere=x
refuses "a module that is a directory" "module: '.' is a directory, not a file" good.elf -m .
head -c 5000 /dev/zero >module
cp module k.mod
try "the output is a module" 2 "$MKBOOTIMG" build -o k.mod -m k.mod good.elf
has "the output is a module: why" err "the output 'k.mod' is a module itself"
check "the output is a module: it is intact" cmp k.mod module
many=()
for i in $(seq 1100); do many+=(-m "module=$i"); done
refuses "too many modules" "'good.elf' and its modules are 1102 separate pieces; the loader has room for 1024" good.elf "${many[@]}"
long=$(head -c 3000 /dev/zero | tr '\0' a)
many=()
for i in $(seq 20); do many+=(-m "module=$long"); done
refuses "too much to tell" "what 'good.elf' is to be told (modules, sections, command line) takes $(
	"$MKBOOTIMG" build -o x.img good.elf "${many[@]}" 2>&1 | sed -n 's/.*takes \([0-9]*\) bytes.*/\1/p'
) bytes; the loader has room for 49152" good.elf "${many[@]}"
for video in 1024 x768 1024x 0x0 1024x768x12 1024x768x32x 1024x768x 70000x1 text1; do
	try "--video $video" 2 "$MKBOOTIMG" build --video "$video" good.elf
	has "--video $video: why" err "is neither text nor a mode like"
done
try "--kernel-base: not an address" 2 "$MKBOOTIMG" build --kernel-base 0x1001 good.elf
REFUSAL=2 refuses "--kernel-base: a fixed kernel" "'good.elf' is linked at fixed addresses: it cannot be moved to --kernel-base 0x300000" good.elf --kernel-base 0x300000
pie=$KERNELS/pie-rela.elf
cp "$pie" pie.elf
refuses "--kernel-base: not canonical" "'pie.elf': segment 0 $("$MKBOOTIMG" build -o x.img --kernel-base 0x900000000000 pie.elf 2>&1 |
	sed -n '1s/.*segment 0 \(([^)]*)\).*/\1/p') is not at canonical addresses" pie.elf --kernel-base 0x900000000000
refuses "--kernel-base: where video memory is" "'pie.elf': segment 0 $("$MKBOOTIMG" build -o x.img --kernel-base 0xb8000 pie.elf 2>&1 |
	sed -n '1s/.*segment 0 \(([^)]*)\).*/\1/p') covers 0xa0000-0xfffff, where a PC has video memory and firmware" pie.elf --kernel-base 0xb8000

done_testing
