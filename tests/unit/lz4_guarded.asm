; SPDX-License-Identifier: MIT
;
; lz4_guarded.asm: the loader's decoder for C to call (lz4_guarded.h).

		section .note.GNU-stack noalloc noexec nowrite progbits
		section .text
		global lz4_call
		global lz4_code_bytes

; lz4_call: int lz4_call(const void *block, size_t size, void *output, size_t bytes)
; Out:	    EAX		0: decoded, 1: damaged
lz4_call:	xchg rdi, rsi
		xchg rcx, rdi
		xchg rdx, rdi
		call lz4_decode
		sbb eax, eax
		neg eax
		ret

%include "lz4.inc"
lz4_code_end:

		section .rodata
lz4_code_bytes:	dd lz4_code_end - lz4_decode
