; SPDX-License-Identifier: MIT
;
; An option ROM that makes the firmware's disk service (INT 13h) do what it
; should, and then more, or answer wrongly.  The faults:
;
;   TRASH		every call changes every register that it does not return
;			something in, and DF, and IF
;   RETURN_AX=n		AX after a read that succeeded
;   SHORT		packet reads of more than one sector read one less, and say so
;   SHORT_FAIL		likewise, and fail
;   COUNT=n		packet reads say that they read n sectors
;   CHECK_ES		AH = 41 changes ES
;   RESET_FAILS		AH = 00 fails
;   CLOSE_A20		reads close the A20 gate
;   CORRUPT=n		the nth read and all that come later read a wrong bit
;
; Everything else goes on to the firmware.

%include "rom.inc"

%define COUNTED		0x4f8		; reads

		rom_header 0x13, disk

disk:		pass_sector_0 disk
		cmp ah, 0x02
		je read
		cmp ah, 0x42
		je read
%ifdef RESET_FAILS
		cmp ah, 0
		je refuse
%endif
%ifdef CHECK_ES
		cmp ah, 0x41
		jne .not_check
		struck
		call_firmware disk
		push word 0x1234
		pop es
		return_carry
.not_check:
%endif
%ifdef TRASH
		cmp ah, 0x41
		je .check
		cmp ah, 0x08
		je .geometry
		goto_firmware disk
.check:		call_firmware disk	; returns AH, BX, CX
		mov dx, 0xdead
		jmp trash
.geometry:	call_firmware disk	; returns CX, DX
trash:		jc finish
		trash_rest
%else
		goto_firmware disk
%endif

read:		struck
%ifdef SHORT
%define LESS
%endif
%ifdef SHORT_FAIL
%define LESS
%endif
%ifdef LESS
		cmp ah, 0x42
		jne .whole
		cmp word [si + 2], 1
		jbe .whole
		dec word [si + 2]
		call_firmware disk
%ifdef SHORT_FAIL
		jmp refuse
%else
		jmp finish
%endif
.whole:
%endif
		push ax
		call_firmware disk
		jc failed
%ifdef CORRUPT
		; The packet's buffer, or ES:BX.
		push bp
		mov bp, sp
		push ds
		push es
		push si
		push bx
		cmp byte [ss:bp + 3], 0x42
		jne .buffer
		les bx, [si + 4]
.buffer:	xor si, si
		mov ds, si
		inc byte [COUNTED]
		cmp byte [COUNTED], CORRUPT
		jb .right
		mov byte [COUNTED], CORRUPT
		xor byte [es:bx + 0x123], 4
.right:		pop bx
		pop si
		pop es
		pop ds
		pop bp
%endif
%ifdef COUNT
		push bp
		mov bp, sp
		cmp byte [ss:bp + 3], 0x42
		pop bp
		jne .no_count
		mov word [si + 2], COUNT
.no_count:
%endif
		add sp, 2
%ifdef RETURN_AX
		mov ax, RETURN_AX
%endif
%ifdef CLOSE_A20
		push ax
		in al, 0x92
		and al, ~3
		out 0x92, al
		pop ax
%endif
%ifdef TRASH
		mov ebx, 0xdeadbeef
		mov ecx, ebx
		mov edx, ebx
		clc
		jmp trash
%else
		clc
		jmp finish
%endif

failed:		add sp, 2
		stc
finish:		return_carry
refuse:		struck
		mov ah, 4		; sector not found
		stc
		return_carry

		rom_end
