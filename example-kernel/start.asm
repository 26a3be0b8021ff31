; SPDX-License-Identifier: MIT
;
; The first instructions of the kernel.  mkbootimg enters here in 64-bit long
; mode with the stack set up and RDI pointing to the boot information, which is
; just how a C function expects its first argument: so there is next to nothing
; to do, and a kernel may as well begin in C.

bits 64
section .text

global _start
extern kernel_main

_start:		call kernel_main
.stop:		hlt			; kernel_main never returns
		jmp .stop

section .note.GNU-stack noalloc noexec nowrite progbits
