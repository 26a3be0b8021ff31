; SPDX-License-Identifier: MIT
;
; What the test kernel "packed" holds, made by makepacked.c.  For either width.

section .data
global packed, packed_end
		db 0			; its start is not aligned
packed:		incbin "packed.bin"
packed_end:

section .note.GNU-stack noalloc noexec nowrite progbits
