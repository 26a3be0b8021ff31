; SPDX-License-Identifier: MIT
;
; Test kernel "kludge": an ELF64 file whose boot header holds addresses and an
; entry point of its own (-D MB1: the a.out kludge, -D MB2: address and entry
; tags), and whose ELF headers are wrong about both: the entry point is code that
; says failure, the physical address another one (kludge.ld).  As a flat binary
; it is a kernel too.

section .text
bits 64
		times 20 nop			; the header is not at the start
load:
global _start
_start:		mov al, 0x21			; by the ELF headers: wrong
		out 0xf4, al
		jmp _start

bits 32
align 8
%ifdef MB1
FLAGS		equ 0x10003
header:		dd 0x1badb002, FLAGS, -(0x1badb002 + FLAGS)
		dd header, load, load_end, bss_end, entry
MAGIC		equ 0x2badb002
%else
header:		dd 0xe85250d6, 0, header_end - header
		dd 0x100000000 - (0xe85250d6 + header_end - header)
		dw 2, 0				; addresses
		dd 24, header, load, load_end, bss_end
		dw 3, 0				; entry point
		dd 12, entry
		align 8
		dw 0, 0
		dd 8
header_end:
MAGIC		equ 0x36d76289
%endif

entry:		mov esp, stack
		cmp eax, MAGIC
		jne .failed
		call .here
.here:		pop esi
		cmp esi, .here			; it lies where the header says
		jne .failed
		; Where its memory goes on, zeros, though the file goes on too.
		mov esi, load_end
.clear:		cmp byte [esi], 0
		jne .failed
		inc esi
		cmp esi, bss_end
		jne .clear
		mov esi, text
		mov dx, 0x3f8
.next:		mov al, [esi]
		out dx, al
		inc esi
		cmp al, 10
		jne .next
		mov al, 0x10
		jmp .end
.failed:	mov al, 0x20
.end:		out 0xf4, al
		jmp .end
text:		db "by its own addresses", 10
		times 64 db 0
stack:
load_end:	times 1000 db 0xee		; in the file, but not to be loaded
bss_end		equ load_end + 100000

section .note.GNU-stack noalloc noexec nowrite progbits
