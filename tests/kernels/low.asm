; SPDX-License-Identifier: MIT
;
; The part of the test kernel "low" that lies below 1 MiB: DATA bytes that say
; where they are, CLEAR bytes of .bss.  For either width.

section .low progbits alloc noexec write align=4
global low_data, low_data_end
low_data:
%assign i 0
%rep DATA / 4
		dd 0x10c00000 + i
%assign i i + 1
%endrep
low_data_end:

section .lowbss nobits alloc noexec write align=4
global low_clear, low_clear_end
low_clear:	resb CLEAR
low_clear_end:

section .note.GNU-stack noalloc noexec nowrite progbits
