; SPDX-License-Identifier: MIT
;
; Entry of the test kernel "state": notes every register before anything else
; changes it, then goes on in C.

bits 64

section .text
global _start
extern check_state

_start:		pushfq
		pop qword [rel registers.flags]
		mov [rel registers.rax], rax
		mov [rel registers.rbx], rbx
		mov [rel registers.rcx], rcx
		mov [rel registers.rdx], rdx
		mov [rel registers.rsi], rsi
		mov [rel registers.rdi], rdi
		mov [rel registers.rbp], rbp
		mov [rel registers.rsp], rsp
		mov [rel registers.r8], r8
		mov [rel registers.r9], r9
		mov [rel registers.r10], r10
		mov [rel registers.r11], r11
		mov [rel registers.r12], r12
		mov [rel registers.r13], r13
		mov [rel registers.r14], r14
		mov [rel registers.r15], r15
		mov ax, cs
		mov [rel registers.cs], ax
		mov ax, ds
		mov [rel registers.ds], ax
		mov ax, es
		mov [rel registers.es], ax
		mov ax, ss
		mov [rel registers.ss], ax
		mov ax, fs
		mov [rel registers.fs], ax
		mov ax, gs
		mov [rel registers.gs], ax
		stmxcsr [rel registers.mxcsr]
		fnstcw [rel registers.fcw]
%assign i 0
%rep 16
		movups [rel registers.xmm + i * 16], xmm %+ i
%assign i i + 1
%endrep
		; x87 as a compiler would use it.
		fld1
		fistp qword [rel registers.one]
		; An iretq, which loads CS and SS from the GDT that we were given.
		mov rcx, rsp
		mov eax, ss
		push rax
		push rcx
		pushfq
		mov eax, cs
		push rax
		lea rax, [rel .returned]
		push rax
		iretq
.returned:	mov rdi, [rel registers.rdi]
		lea rsi, [rel registers]
		jmp check_state

section .bss align=16
global registers
registers:
.rax:		resq 1
.rbx:		resq 1
.rcx:		resq 1
.rdx:		resq 1
.rsi:		resq 1
.rdi:		resq 1
.rbp:		resq 1
.rsp:		resq 1
.r8:		resq 1
.r9:		resq 1
.r10:		resq 1
.r11:		resq 1
.r12:		resq 1
.r13:		resq 1
.r14:		resq 1
.r15:		resq 1
.flags:		resq 1
.one:		resq 1
.xmm:		resq 32
.cs:		resw 1
.ds:		resw 1
.es:		resw 1
.ss:		resw 1
.fs:		resw 1
.gs:		resw 1
.fcw:		resw 1
		resw 1
.mxcsr:		resd 1

section .note.GNU-stack noalloc noexec nowrite progbits
