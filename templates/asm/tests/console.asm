; What is printed is to be seen on the screen.

%include "check.inc"

SCREEN		equ 0xb8000

kernel_main:	lea rsi, [text]
		call print
		mov edi, SCREEN		; every other byte is a character
		lea rsi, [text]
.next:		lodsb
		test al, al
		jz .scroll
		cmp al, [rdi]
		check e, "the text is on the screen"
		add rdi, 2
		jmp .next

.scroll:	lea rsi, [lines]
		call print
		cmp byte [abs SCREEN], ' '
		check e, "the screen has scrolled"
		finish SUCCESS

section .rodata
text:		db "Is anybody there?", 0
lines:		times 30 db 10
		db 0
