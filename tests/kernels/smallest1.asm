; SPDX-License-Identifier: MIT
;
; The smallest Multiboot 1 kernel: a header, a line on the debug console, and
; the machine is switched off (port 0x604 of QEMU's pc and q35).  Linked at 8 MiB.

bits 32

section .text
		dd 0x1badb002, 0, -0x1badb002

global _start
_start:		cld
		mov esi, text
.next:		lodsb
		out 0xe9, al
		cmp al, 10
		jne .next
		mov dx, 0x604
		mov ax, 0x2000
		out dx, ax
		hlt

text:		db "Hello from 8 MiB", 10

section .note.GNU-stack noalloc noexec nowrite progbits
