; SPDX-License-Identifier: MIT
;
; Test kernel "reloc": a Multiboot 2 kernel that may be loaded anywhere from
; 16 MiB to 48 MiB, at a multiple of 2 MiB.  PREFERENCE is 0: none, 1: lowest,
; 2: highest.  No address in it is absolute.

bits 32

LOWEST		equ 16 << 20
HIGHEST		equ 48 << 20
STEP		equ 2 << 20
LINKED		equ 2 << 20			; -Ttext: not where it may be loaded

section .text
header:		dd 0xe85250d6, 0, header_end - header
		dd 0x100000000 - (0xe85250d6 + header_end - header)
		dw 10, 0			; relocatable
		dd 24, LOWEST, HIGHEST, STEP, PREFERENCE
		dw 0, 0
		dd 8
header_end:

global _start
_start:		call .here			; the loader's stack will do
.here:		pop ebp
		sub ebp, .here - LINKED		; EBP: where it was loaded
		lea esp, [ebp + stack - LINKED]
		cmp eax, 0x36d76289
		jne .failed

		lea esi, [ebp + text - LINKED]
		call print
		mov eax, ebp
		call print_hex

		; As asked?
		mov ecx, ebp
		and ecx, STEP - 1
		jnz .failed
		cmp ebp, LOWEST
		jb .failed
		lea ecx, [ebp + end - LINKED]
		cmp ecx, HIGHEST
		ja .failed
%if PREFERENCE = 1
		cmp ebp, LOWEST
		jne .failed
%elif PREFERENCE = 2
		cmp ebp, HIGHEST - STEP
		jne .failed
%endif
		; .bss is clear.
		lea esi, [ebp + bss - LINKED]
		mov ecx, end - bss
.clear:		cmp byte [esi + ecx - 1], 0
		jne .failed
		loop .clear

		; The load base tag says the same.
		add ebx, 8
.tag:		mov eax, [ebx]
		test eax, eax
		jz .failed
		cmp eax, 21
		je .found
		add ebx, [ebx + 4]
		add ebx, 7
		and ebx, ~7
		jmp .tag
.found:		cmp dword [ebx + 4], 12
		jne .failed
		cmp [ebx + 8], ebp
		jne .failed
		mov al, 0x10
		jmp .end
.failed:	mov al, 0x20
.end:		out 0xf4, al
		jmp .end

; print: ESI is a text, NUL after it.
print:		mov dx, 0x3f8
.next:		mov al, [esi]
		inc esi
		test al, al
		jz .end
		out dx, al
		jmp .next
.end:		ret

; print_hex: EAX in 8 digits, and a newline.
print_hex:	mov ecx, 8
		mov dx, 0x3f8
		mov esi, eax
.next:		rol esi, 4
		mov eax, esi
		and al, 15
		cmp al, 10
		sbb al, 0x69			; a digit from a nibble
		das
		or al, 0x20
		out dx, al
		loop .next
		mov al, 10
		out dx, al
		ret

text:		db "loaded at 0x", 0

section .data
		times 128 db 0
stack:		dd 0x12345678

section .bss
bss:		resb 10000
end:

section .note.GNU-stack noalloc noexec nowrite progbits
