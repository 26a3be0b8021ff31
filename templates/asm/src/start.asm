; The first code that runs, of the kernel and of each test.  mkbootimg enters in 64-bit
; long mode, with a stack, and the address of what it tells in RDI.

%include "machine.inc"
%include "mkbootimg.inc"

bits 64
default rel

global _start
extern console_setup, kernel_main, print

section .text
_start:		push rdi
		call console_setup
		mov rdi, [rsp]
		mov rax, MKBOOTIMG_INFO_MAGIC
		cmp [rdi + mkbootimg_info.magic], rax
		jne .unknown
		call kernel_main	; with the stack aligned as C functions want it
		halt

.unknown:	lea rsi, [unknown]
		call print
		finish FAILURE

section .rodata
unknown:	db "This is not mkbootimg's information.", 10, 0

section .note.GNU-stack noalloc noexec nowrite progbits
