; SPDX-License-Identifier: MIT
;
; Test kernel "high": linked at 0xc0100000 for when it will have paging, loaded
; at 1 MiB, which only its physical addresses say (high.ld).  -D of its header:
; MB1, MB2, PVH.

bits 32
OFFSET		equ 0xc0000000

section .text
%ifdef MB1
		dd 0x1badb002, 2, -(0x1badb002 + 2)
%elifdef MB2
header:		dd 0xe85250d6, 0, header_end - header
		dd 0x100000000 - (0xe85250d6 + header_end - header)
		dw 0, 0
		dd 8
header_end:
%endif

global _start
extern start_physical		; where that is without paging
_start:		mov esp, stack - OFFSET
		call .here
.here:		pop esi
		cmp esi, .here - OFFSET
		jne .failed
		cmp dword [data - OFFSET], "data"
		jne .failed
		mov ecx, bss - OFFSET
.clear:		cmp byte [ecx], 0
		jne .failed
		inc ecx
		cmp ecx, bss_end - OFFSET
		jne .clear
		mov esi, text - OFFSET
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

text:		db "where the physical addresses say", 10

section .data
data:		db "data"
		times 64 db 0
stack:

section .bss
bss:		resb 10000
bss_end:

%ifdef PVH
section .note.Xen note alloc noexec nowrite align=4
		dd 4, 4, 18
		db "Xen", 0
		dd start_physical
%endif

section .note.GNU-stack noalloc noexec nowrite progbits
