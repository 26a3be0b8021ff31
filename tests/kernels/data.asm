; SPDX-License-Identifier: MIT
;
; 48 MiB of data for the test kernel "data", made by makedata.c.

section .data
global payload, payload_end
payload:	incbin "data.bin"
payload_end:

section .bss
global bss, bss_end
bss:		resb 64 * 1024 * 1024
bss_end:

section .note.GNU-stack noalloc noexec nowrite progbits
