; SPDX-License-Identifier: MIT
;
; loader.asm: the BIOS loader, one flat binary: sector 0 (stage 1) and, right
; behind it in memory, stage 2.  On the disk stage 2 begins at the partition.
;
; The loader reads a boot table (include/bootabi.h) that the host tool wrote
; and does what it says; it knows no file format and takes no decision that
; the host could take.  The way through it is the order of the files below.
;
; Defined by whoever assembles it (tool/image/loader.c):
;   PROTOCOL_NATIVE, PROTOCOL_MULTIBOOT1, PROTOCOL_MULTIBOOT2, PROTOCOL_PVH or
;   PROTOCOL_BOOTLOADER_09
;			how to enter the kernel, see mkbootimg-protocol(7)
;
; Assembled with: nasm -f bin -I DIRECTORY/ -D PROTOCOL_NATIVE loader.asm

%include "bootabi.inc"
%include "layout.inc"
%include "macros.inc"

; The protocol's number, what EAX is at entry (PVH does not say), and its file.
%ifdef PROTOCOL_NATIVE
%define PROTOCOL_NUMBER	BT_PROTOCOL_NATIVE
%define PROTOCOL_FILE	"native.inc"
%elifdef PROTOCOL_MULTIBOOT1
%define PROTOCOL_NUMBER	BT_PROTOCOL_MULTIBOOT1
%define PROTOCOL_FILE	"multiboot1.inc"
%define BOOT_MAGIC	MB1_BOOT_MAGIC
%elifdef PROTOCOL_MULTIBOOT2
%define PROTOCOL_NUMBER	BT_PROTOCOL_MULTIBOOT2
%define PROTOCOL_FILE	"multiboot2.inc"
%define BOOT_MAGIC	MB2_BOOT_MAGIC
%elifdef PROTOCOL_PVH
%define PROTOCOL_NUMBER	BT_PROTOCOL_PVH
%define PROTOCOL_FILE	"pvh.inc"
%define BOOT_MAGIC	0
%elifdef PROTOCOL_BOOTLOADER_09
%define PROTOCOL_NUMBER	BT_PROTOCOL_BOOTLOADER_09
%define PROTOCOL_FILE	"bootloader09.inc"
%else
%error no protocol was chosen
%endif

cpu x64
section .text
; A debugger's copy is an ELF object, which has no address yet.
%ifidn __OUTPUT_FORMAT__, bin
org STAGE1
%endif

%include "stage1.inc"		; sector 0: reads stage 2
%include "stage2.inc"		; real mode: checks the machine, enters long mode
%include "console.inc"		; real mode: screen, COM1, debug ports; error exit
%include "a20.inc"		; real mode: opens the A20 gate
%include "e820.inc"		; real mode: asks the firmware for its memory map
%include "disk.inc"		; real mode: reads sectors, retries, falls back
%include "modes.inc"		; real mode <-> long mode
%include "main.inc"		; long mode: the steps, in order
%include "times.inc"		; long mode: where the time goes
%include "memmap.inc"		; long mode: memory map, places blocks
%include "table.inc"		; long mode: reads and checks the boot table
%include "load.inc"		; long mode: extents into memory, zeros
%include "progress.inc"	; long mode, real mode: says how far loading is
%include "sum.inc"		; long mode: the extent sum
%include "lz4.inc"		; long mode: unpacks what is compressed
%include "video.inc"		; real mode: a graphics mode
%include "info.inc"		; long mode: what the kernel is told
%ifdef BOOT_MAGIC
%include "flat.inc"		; long mode: hand-off to 32-bit code
%else
%include "paging.inc"		; long mode: the kernel's page tables
%endif
%include PROTOCOL_FILE		; long mode: what the kernel is told, hand-off
%include "errors.inc"		; the sentences

; Stage 2 is read in whole sectors.
		align SECTOR_SIZE, db 0
stage2_end:
%assign stage2_left S1_MAX_SECTORS * SECTOR_SIZE - ($ - stage2)
%if stage2_left < 0
%assign stage2_over -stage2_left
%error stage 2 is stage2_over bytes too long
%endif
