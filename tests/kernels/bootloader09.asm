; SPDX-License-Identifier: MIT
;
; The part of the test kernel "bootloader09" that is not C: its entry, which notes
; every register before anything else changes it; what is done to see whether it
; faults; and page tables of its own.

bits 64
default rel

section .text
global _start
extern check_bootloader09, unexpected_fault

_start:		pushfq
		pop qword [registers.flags]
		mov [registers.rax], rax
		mov [registers.rbx], rbx
		mov [registers.rcx], rcx
		mov [registers.rdx], rdx
		mov [registers.rsi], rsi
		mov [registers.rdi], rdi
		mov [registers.rbp], rbp
		mov [registers.rsp], rsp
%assign i 8
%rep 8
		mov [registers.r %+ i], r %+ i
%assign i i + 1
%endrep
		mov [registers.cs], cs
		mov [registers.ds], ds
		mov [registers.es], es
		mov [registers.ss], ss
		mov [registers.fs], fs
		mov [registers.gs], gs
		sgdt [registers.gdt]
		sidt [registers.idt]
		mov rax, cr0
		mov [registers.cr0], rax
		mov rax, cr3
		mov [registers.cr3], rax
		mov rax, cr4
		mov [registers.cr4], rax
		mov ecx, 0xc0000080
		rdmsr
		mov [registers.efer], eax
		mov [registers.efer + 4], edx
		; CS and SS from the GDT that we were given: by an iretq, by a retf.
		mov rcx, rsp
		mov eax, ss
		push rax
		push rcx
		push 2
		push 8
		lea rax, [.returned]
		push rax
		iretq
.returned:	push 8
		lea rax, [.far]
		push rax
		o64 retf
.far:		mov eax, 0x10
		mov ds, eax
		mov es, eax

		mov rdi, [registers.rdi]
		lea rsi, [registers]
		sub rsp, 8
		call check_bootloader09
		add rsp, 8
		ret			; where the loader wants it

; with_tables(CR3, STACK, FUNCTION): call a function in other page tables, on
; another stack.
global with_tables
with_tables:	push rbp
		push rbx
		mov rbp, rsp
		mov rbx, cr3
		mov rsp, rsi
		mov cr3, rdi
		call rdx
		mov cr3, rbx
		mov rsp, rbp
		pop rbx
		pop rbp
		ret

; try_WHAT(ADDRESS): RAX <- the vector of the exception that it raised, or -1.
%macro try 2+
global try_%1
try_%1:		lea rax, [.done]
		mov [fault.resume], rax
		mov [fault.rsp], rsp
		or qword [fault.vector], -1
		%2
.done:		mov qword [fault.resume], 0
		mov rax, [fault.vector]
		ret
%endmacro

		try read, mov al, [rdi]
		try write, or byte [rdi], 0
		try call, call rdi
		try sse, xorps xmm0, xmm0

; One stub for each exception, 16 bytes apart.
		align 16
global fault_stubs
fault_stubs:
%assign i 0
%rep 32
%if i != 8 && (i < 10 || i > 14) && i != 17 && i != 21
		push 0			; the CPU pushes no error code
%endif
		push i
		jmp near fault_common
		align 16
%assign i i + 1
%endrep
fault_common:	push rax
		push rdx
		mov rdx, [fault.resume]
		test rdx, rdx
		jz .unexpected
		mov rax, [rsp + 16]
		mov [fault.vector], rax
		mov rax, [rsp + 24]
		mov [fault.error], rax
		mov rax, [fault.rsp]
		mov [rsp + 56], rax
		mov [rsp + 32], rdx
		pop rdx
		pop rax
		add rsp, 16
		iretq
.unexpected:	mov rdi, [rsp + 16]
		mov rsi, [rsp + 32]
		mov rdx, cr2
		and rsp, -16
		call unexpected_fault

; Segments of other kinds: executable only, and both writable and executable.
section .hidden progbits alloc exec nowrite align=16
global hidden_code
hidden_code:	ret

section .open progbits alloc exec write align=16
global open_code
open_code:	ret

%ifdef TLS
; What each thread's own data begins as.
section .tdata progbits alloc noexec write tls align=8
		dq 0x1111, 0x2222, 0x3333
section .tbss nobits alloc noexec write tls align=8
		resb 13
%endif

section .bss align=16
global fault
fault:
.vector:	resq 1
.error:		resq 1
.resume:	resq 1			; 0: nothing is being tried
.rsp:		resq 1

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
%assign i 8
%rep 8
.r %+ i:	resq 1
%assign i i + 1
%endrep
.flags:		resq 1
.cr0:		resq 1
.cr3:		resq 1
.cr4:		resq 1
.efer:		resq 1
.cs:		resw 1
.ds:		resw 1
.es:		resw 1
.ss:		resw 1
.fs:		resw 1
.gs:		resw 1
.gdt:		resb 10
.idt:		resb 10

section .note.GNU-stack noalloc noexec nowrite progbits
