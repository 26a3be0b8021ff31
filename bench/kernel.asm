; SPDX-License-Identifier: MIT
;
; kernel.asm: how a kernel of the benchmark begins; kernels.py puts an ELF header
; before it and a payload behind it.  It has a Multiboot 1 header with addresses,
; which GRUB, syslinux and QEMU obey in whatever file it lies, and is entered at
; the same place in 32-bit code by them and in 64-bit code by us.
;
; Defined from outside: LOAD, its address; LOAD_BYTES, what there is in the file;
; BSS_BYTES, what is cleared behind that.

%define MULTIBOOT_MAGIC	0x1badb002
%define HAS_ADDRESSES	(1 << 16)

bits 32
org LOAD

header:		dd MULTIBOOT_MAGIC
		dd HAS_ADDRESSES
		dd -(MULTIBOOT_MAGIC + HAS_ADDRESSES)
		dd header			; where this header is
		dd LOAD				; from where on to load
		dd LOAD + LOAD_BYTES		; to where
		dd LOAD + LOAD_BYTES + BSS_BYTES	; to where to clear
		dd report			; entry

%include "report.inc"
