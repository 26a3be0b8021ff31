; SPDX-License-Identifier: MIT
;
; Test kernel "shared": segments that begin and end in mid-page, share pages,
; come in descending order, and one of no size (shared.ld).  Entered with RSP
; and the segments only; ends with success when every byte is right.

bits 64

section .text
global _start
_start:		lea rsi, [rel first]
		cmp dword [rsi], "ONE."
		jne .failed
		lea rsi, [rel second]
		cmp dword [rsi], "TWO."
		jne .failed
		; Its .bss ends in the page where the third begins.
		lea rsi, [rel second_bss]
		mov ecx, 3000
.bss:		cmp byte [rsi + rcx - 1], 0
		jne .failed
		loop .bss
		lea rsi, [rel third]
		cmp dword [rsi], "III."
		jne .failed
		; The shared page has the rights of both: the second is writable.
		mov dword [rel second], "2222"
		mov byte [rel second_bss + 2999], 1
		cmp dword [rel third], "III."
		jne .failed
		mov al, 0x10
		jmp .end
.failed:	mov al, 0x20
.end:		out 0xf4, al
		jmp .end

section .first progbits alloc noexec nowrite
first:		db "ONE."
		times 5000 db 0x11
section .second progbits alloc noexec write
second:		db "TWO."
		times 100 db 0x22
section .secondbss nobits alloc noexec write
second_bss:	resb 3000
section .third progbits alloc noexec nowrite
third:		db "III."
section .note.GNU-stack noalloc noexec nowrite progbits
