; SPDX-License-Identifier: MIT
;
; An option ROM that makes the firmware's disk service (INT 13h) a bad one.
; One fault each, chosen when it is assembled:
;
;   NO_EDD		no extensions: AH = 41 and AH = 42 fail
;   NO_PACKETS		AH = 41 succeeds with bit 0 of CX clear, AH = 42 fails
;   FAIL_EVERY=n	every nth read fails
;   MOST=n		reads of more than n sectors fail
;   TRASH		every call changes every register that it does not return
;			something in, and DF, and IF
;   SHORT		packet reads of more than one sector read one less, and say so
;   CLEAR_AL		AL is 0 after a read
;
; Reads are AH = 02 and AH = 42.  Everything else goes on to the firmware, whose
; handler moves to INT 60h.

%include "rom.inc"

		rom_header 0x13

handler:
%ifdef NO_EDD
		cmp ah, 0x41
		je refuse
		cmp ah, 0x42
		je refuse
%endif
%ifdef NO_PACKETS
		cmp ah, 0x41
		jne .not_check
		mov bx, 0xaa55
		mov cx, 6
		mov ah, 0x21
		jmp accept
.not_check:	cmp ah, 0x42
		je refuse
%endif
		cmp ah, 0x02
		je read
		cmp ah, 0x42
		je read
		; Not a read: the firmware's, as if we were not here.
%ifdef TRASH
		cmp ah, 0x41
		je .check
		cmp ah, 0x08
		jne .other
		int 0x60		; returns CX, DX
		jmp trash_rest
.check:		int 0x60		; returns AH, BX, CX
		mov dx, 0xdead
		jmp trash_rest
.other:
%endif
		int 0x60
		jmp finish

read:
%ifdef FAIL_EVERY
		; The count lies in the intra-application area, which nobody uses.
		push ds
		push word 0x40
		pop ds
		inc byte [0xf0]
		cmp byte [0xf0], FAIL_EVERY
		jb .no_failure
		mov byte [0xf0], 0
		pop ds
		jmp refuse_timeout
.no_failure:	pop ds
%endif
%ifdef MOST
		cmp ah, 0x42
		je .packet
		cmp al, MOST
		ja refuse
		jmp .allowed
.packet:	cmp word [si + 2], MOST
		ja refuse
.allowed:
%endif
%ifdef SHORT
		cmp ah, 0x42
		jne .whole
		cmp word [si + 2], 1
		jbe .whole
		dec word [si + 2]
.whole:
%endif
		int 0x60
%ifdef CLEAR_AL
		mov al, 0
%endif
%ifdef TRASH
		jc finish
		mov ebx, 0xdeadbeef
		mov ecx, 0xdeadbeef
		mov edx, 0xdeadbeef
trash_rest:	jc finish
		mov esi, 0xdeadbeef
		mov edi, 0xdeadbeef
		mov ebp, 0xdeadbeef
		push word 0xdead
		pop ds
		push word 0xbeef
		pop es
		; The caller's flags: interrupts off, direction down, carry clear.
		push bp
		mov bp, sp
		and word [ss:bp + 6], ~0x201
		or word [ss:bp + 6], 0x400
		pop bp
		iret
%endif

finish:		return_carry

accept:		clc
		jmp finish
refuse:		mov ah, 1
		stc
		jmp finish
refuse_timeout:	mov ah, 0x80
		stc
		jmp finish

		rom_end
