; SPDX-License-Identifier: MIT
;
; Headers and entry of the 32-bit test kernels.  Notes every register before
; anything else changes it, then goes on in C on a stack of its own.
;
; Assembled with -D of the headers wanted: MB1, MB2, PVH; none makes a plain
; kernel.  VIDEO asks for 800x600x32, TEXT to be told of the text screen.  WIDE
; makes the note's address 8 bytes.

bits 32

section .boot progbits alloc exec nowrite align=8

%ifdef MB1
%ifdef VIDEO
MB1_FLAGS	equ 7			; align modules, tell memory, video
%elifdef TEXT
MB1_FLAGS	equ 7
%else
MB1_FLAGS	equ 3
%endif
		dd 0x1badb002, MB1_FLAGS, -(0x1badb002 + MB1_FLAGS)
		dd 0, 0, 0, 0, 0	; no addresses: the ELF headers say
%ifdef TEXT
		dd 1, 80, 25, 0
%else
		dd 0, 800, 600, 32
%endif
%endif

%ifdef MB2
		align 8
mb2_header:	dd 0xe85250d6, 0, mb2_end - mb2_header
		dd 0x100000000 - (0xe85250d6 + mb2_end - mb2_header)
mb2_request:	dw 1, 0			; information request
		dd .end - mb2_request
		dd 1, 2, 3, 4, 5, 6, 9, 14
.end:		align 8
		dw 6, 0			; align modules
		dd 8
%ifdef VIDEO
		dw 5, 0			; framebuffer
		dd 20, 800, 600, 32
		align 8
%endif
%ifdef TEXT
		dw 4, 0			; console: EGA text will do
		dd 12, 2
		align 8
%endif
		dw 0, 0			; end
		dd 8
mb2_end:
%endif

section .text
global _start, entered
extern boot32

%ifdef PVH
pvh_start:	mov dword [entered.pvh], 1
%endif
_start:		mov [entered.eax], eax
		mov [entered.ebx], ebx
		mov [entered.ecx], ecx
		mov [entered.edx], edx
		mov [entered.esi], esi
		mov [entered.edi], edi
		mov [entered.ebp], ebp
		mov [entered.esp], esp
		mov esp, stack.top
		pushfd
		pop dword [entered.eflags]
		mov eax, cr0
		mov [entered.cr0], eax
		mov eax, cr4
		mov [entered.cr4], eax
		mov [entered.cs], cs
		mov [entered.ds], ds
		mov [entered.es], es
		mov [entered.ss], ss
		mov [entered.fs], fs
		mov [entered.gs], gs
		str [entered.tr]
		sgdt [entered.gdt]
		; What may be undefined must not matter.
		push dword 0
		popfd
		call boot32
		ud2

section .data align=4
entered:			; struct entered in boot32.h
.eax:		dd 0
.ebx:		dd 0
.ecx:		dd 0
.edx:		dd 0
.esi:		dd 0
.edi:		dd 0
.ebp:		dd 0
.esp:		dd 0
.eflags:	dd 0
.cr0:		dd 0
.cr4:		dd 0
.pvh:		dd 0
.cs:		dw 0
.ds:		dw 0
.es:		dw 0
.ss:		dw 0
.fs:		dw 0
.gs:		dw 0
.tr:		dw 0
.gdt:		dw 0		; limit
		dd 0		; and base

section .bss align=16
stack:		resb 32768
.top:

%ifdef PVH
section .note.Xen note alloc noexec nowrite align=4
		dd 4
%ifdef WIDE
		dd 8
%else
		dd 4
%endif
		dd 18			; XEN_ELFNOTE_PHYS32_ENTRY
		db "Xen", 0
		dd pvh_start
%ifdef WIDE
		dd 0
%endif
%endif

section .note.GNU-stack noalloc noexec nowrite progbits
