; SPDX-License-Identifier: MIT
;
; An option ROM that makes the disk one without packets (INT 13h AH = 41 fails)
; and with a geometry of its own:
;
;   HEADS=n, SECTORS=n	1 to 256, 0 to 63
;   WANTS_ZERO		AH = 08 fails unless ES:DI is 0
;   CARRY		AH = 08 returns what it should, AH = 0, and carry
;
; AH = 08 changes BL and ES:DI, as it does for some disks.  A read across the end
; of a track succeeds, and has read up to there.  Everything else goes on to the
; firmware.

%include "rom.inc"

		rom_header 0x13, disk

disk:		pass_sector_0 disk
		cmp ah, 0x41
		je refuse
		cmp ah, 0x42
		je refuse
		cmp ah, 0x08
		je geometry
		cmp ah, 0x02
		je read
		goto_firmware disk

geometry:	struck
%ifdef WANTS_ZERO
		mov ax, es
		or ax, di
		jnz refuse
%endif
		mov cx, 0xffc0 | SECTORS	; 1024 cylinders
		mov dx, (HEADS - 1) << 8 | 1
		mov bl, 0
		mov di, 0xefc7
		mov es, di
		mov ax, 0
%ifdef CARRY
		stc
%else
		clc
%endif
		return_carry

		; Make a packet of it, on the stack.
read:		pushad
		push ds
		mov bp, sp
		movzx eax, ch
		mov bl, cl
		and bx, 0xc0
		shl bx, 2
		or ax, bx		; EAX <- cylinder
		imul eax, eax, HEADS
		movzx edx, dh
		add eax, edx		; EAX <- track
		imul eax, eax, SECTORS
		and ecx, 63
		dec ecx			; ECX <- sector in it, from 0
		js .bad
		add eax, ecx		; EAX <- sector of the disk
		movzx dx, byte [bp + 30]	; DX <- sectors
		sub cx, SECTORS
		neg cx			; CX <- sectors up to the end of the track
		jle .bad
		cmp dx, cx
		jbe .in_track
		mov dx, cx
.in_track:
		push dword 0
		push eax
		push es
		push word [bp + 18]	; BX
		push dx
		push word 16
		mov dl, 0x80
		mov si, sp
		mov ax, ss
		mov ds, ax
		mov ah, 0x42
		call_firmware disk
		jmp .done
.bad:		stc
.done:		mov sp, bp
		pop ds
		popad
		mov ah, 0
		jnc .finish
		mov ah, 4
.finish:	return_carry

refuse:		struck
		mov ah, 1
		stc
		return_carry

		rom_end
