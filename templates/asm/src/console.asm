; Text on the screen (VGA, 80 columns, 25 rows) and on the first serial port.

bits 64
default rel

global console_setup, print, print_number

SCREEN		equ 0xb8000
COLUMNS		equ 80
ROWS		equ 25
COLOUR		equ 0x0f		; white on black
COM1		equ 0x3f8

section .text

; Make the serial port ready, and clear the screen.
; Clobbers: RAX, RCX, RDX, RDI
console_setup:	mov ecx, serial_end - serial
		lea rdi, [serial]
.next:		movzx edx, byte [rdi]
		add edx, COM1
		mov al, [rdi + 1]
		out dx, al
		add rdi, 2
		sub ecx, 2
		jnz .next

		mov edi, SCREEN
		mov ecx, ROWS * COLUMNS
		mov ax, COLOUR << 8 | ' '
		rep stosw
		ret

; Print a text.
; In: RSI = its address; it ends with a 0
; Clobbers: RAX, RCX, RDX, RSI, RDI
print:		lodsb
		test al, al
		jz .end
		call put
		jmp print
.end:		ret

; Print a number, decimal.
; In: RAX = the number
; Clobbers: RAX, RCX, RDX, RSI, RDI
print_number:	sub rsp, 24		; room for 20 digits
		lea rsi, [rsp + 23]
		mov byte [rsi], 0
		mov ecx, 10
.next:		xor edx, edx
		div rcx
		add dl, '0'
		dec rsi
		mov [rsi], dl
		test rax, rax
		jnz .next
		call print
		add rsp, 24
		ret

; Print a character on both.
; In: AL = the character
; Clobbers: RAX, RCX, RDX, RDI
put:		cmp al, 10
		jne .put
		mov al, 13
		call serial_put
		mov al, 10
.put:		call serial_put
		jmp screen_put

; In: AL = the character, which it keeps
; Clobbers: RCX, RDX
serial_put:	mov ah, al
		mov ecx, 100000		; not for ever: there may be no port
		mov edx, COM1 + 5
.wait:		in al, dx
		test al, 0x20		; can it take a byte?
		loopz .wait
		mov al, ah
		mov edx, COM1
		out dx, al
		ret

; In: AL = the character
; Clobbers: RAX, RCX, RDX, RDI
screen_put:	mov ecx, [position]	; of the next character
		cmp al, 10
		je .line
		lea edi, [ecx * 2 + SCREEN]
		mov ah, COLOUR
		mov [rdi], ax
		inc ecx
		jmp .room
.line:		mov eax, ecx		; the next line's beginning
		xor edx, edx
		mov edi, COLUMNS
		div edi
		sub ecx, edx
		add ecx, COLUMNS
.room:		cmp ecx, ROWS * COLUMNS
		jb .end

		push rsi		; all lines move up by one
		mov edi, SCREEN
		mov esi, SCREEN + 2 * COLUMNS
		mov ecx, (ROWS - 1) * COLUMNS
		rep movsw
		mov ecx, COLUMNS
		mov ax, COLOUR << 8 | ' '
		rep stosw
		pop rsi
		mov ecx, (ROWS - 1) * COLUMNS
.end:		mov [position], ecx
		ret

section .rodata
; Registers of the port, and values.
serial:		db 1, 0x00		; no interrupts
		db 3, 0x80		; the next two are the divisor
		db 0, 0x01		; 115,200 baud
		db 1, 0x00
		db 3, 0x03		; 8 bits, no parity, 1 stop bit
		db 2, 0x07		; empty the buffers
serial_end:

section .bss
position:	resd 1			; on the screen, in characters

section .note.GNU-stack noalloc noexec nowrite progbits
