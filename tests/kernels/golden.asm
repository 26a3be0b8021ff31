; SPDX-License-Identifier: MIT
;
; A kernel that is the same bytes whatever compiler and linker there are: its
; ELF file is written by hand.  Text, data with .bss, both with true physical
; addresses; it ends with success if its .bss is clear.

bits 64
org 0
%define VIRT 0xffffffff80100000
%define PHYS 0x100000

		db 0x7f, "ELF", 2, 1, 1
		times 9 db 0
		dw 2, 62		; ET_EXEC, EM_X86_64
		dd 1
		dq VIRT + start
		dq headers, 0
		dd 0
		dw 64, 56, 3, 0, 0, 0
headers:	dd 1, 5			; PT_LOAD, r-x
		dq 0, VIRT, PHYS, text_end, text_end, 0x1000
		dd 1, 6			; PT_LOAD, rw-
		dq data, VIRT + 0x2000 + (data - 0x1000), PHYS + 0x2000 + (data - 0x1000)
		dq data_end - data, data_end - data + 0x1800, 0x1000
		dd 0x6474e551, 6	; PT_GNU_STACK, rw-
		dq 0, 0, 0, 0, 0, 16

start:		mov rsi, VIRT + 0x2000 + (data - 0x1000)
		mov al, 0x20
		cmp dword [rsi], "data"
		jne .end
		mov ecx, 0x1800
.next:		cmp byte [rsi + rcx + data_end - data - 1], 0
		jne .end
		loop .next
		mov al, 0x10
.end:		out 0xf4, al
		jmp .end
text_end:
		times 0x1010 - ($ - $$) db 0xee
data:		db "data"
		times 40 db 0x55
data_end:
