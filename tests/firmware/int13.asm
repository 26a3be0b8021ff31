; SPDX-License-Identifier: MIT
;
; An option ROM that makes the firmware's disk service (INT 13h) refuse what it
; should do.  The faults, chosen when it is assembled; several may be:
;
;   NO_EDD		no extensions: AH = 41 and AH = 42 fail
;   NO_PACKETS		AH = 41 succeeds with bit 0 of CX clear, AH = 42 hangs
;   PACKETS=n		the nth AH = 42 and all that come later fail
;   NO_CHS		AH = 08 and AH = 02 fail
;   FAIL_EVERY=n	every nth read fails
;   FAIL_FROM=n		the nth read and all that come later fail
;   ONCE		a read fails, unless it begins where the one before did
;   ONCE_EXACT		a read fails, unless it is the one before again
;   NEEDS_RESET		once a read has failed, all do, until AH = 00
;   MOST=n		reads of more than n sectors fail
;
; Reads are AH = 02 and AH = 42.  Everything else goes on to the firmware.

%include "rom.inc"

; Notes, from 0x400 on:
%define COUNTED		0xf0		; reads (since the last one that failed)
%define BROKEN		0xf1		; one has failed, and there was no reset
%define LENGTH		0xf2		; of the last read: sectors, AH
%define START		0xf4		; and where it began

		rom_header 0x13, disk

disk:		pass_sector_0 disk
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
		struck
		clc
		return_carry
.not_check:	cmp ah, 0x42
		jne .not_packet
		hang
.not_packet:
%endif
%ifdef PACKETS
		cmp ah, 0x42
		jne .no_packet
		push ds
		push word 0x40
		pop ds
		inc byte [COUNTED]
		cmp byte [COUNTED], PACKETS
		jb .enough
		mov byte [COUNTED], PACKETS
		pop ds
		jmp refuse
.enough:	pop ds
.no_packet:
%endif
%ifdef NO_CHS
		cmp ah, 0x08
		je refuse
		cmp ah, 0x02
		je refuse
%endif
		push ds
		push word 0x40
		pop ds
%ifdef NEEDS_RESET
		cmp ah, 0
		jne .not_reset
		mov byte [BROKEN], 0
.not_reset:
%endif
		cmp ah, 0x02
		je read
		cmp ah, 0x42
		je read
accept:		pop ds
		goto_firmware disk

read:
%ifdef NEEDS_RESET
		cmp byte [BROKEN], 0
		jne refuse_timeout
%endif
%ifdef FAIL_EVERY
		inc byte [COUNTED]
		cmp byte [COUNTED], FAIL_EVERY
		jae fail
%endif
%ifdef FAIL_FROM
		inc byte [COUNTED]
		cmp byte [COUNTED], FAIL_FROM
		jb .early
		mov byte [COUNTED], FAIL_FROM
		jmp refuse_timeout
.early:
%endif
		; EBX <- where it begins, DX <- sectors, AH
		push ebx
		push edx
		mov bx, dx		; head, drive
		shl ebx, 16
		mov bx, cx		; cylinder, sector
		mov dx, ax
		cmp ah, 0x42
		jne .known
		push ds
		push bp
		mov bp, sp
		mov ds, [ss:bp + 12]	; the caller's DS
		mov ebx, [si + 8]
		mov dl, [si + 2]
		pop bp
		pop ds
.known:
%ifdef MOST
		cmp dl, MOST
		ja unknown
%endif
%ifdef ONCE
		cmp ebx, [START]
		mov [START], ebx
		jne unknown
%endif
%ifdef ONCE_EXACT
		cmp ebx, [START]
		mov [START], ebx
		jne .other
		cmp dx, [LENGTH]
.other:		mov [LENGTH], dx
		jne unknown
%endif
		pop edx
		pop ebx
		jmp accept

unknown:	pop edx
		pop ebx
fail:		mov byte [COUNTED], 0
		mov byte [BROKEN], 1
refuse_timeout:	pop ds
		struck
		mov ah, 0x80
		stc
		return_carry
refuse:		struck
		mov ah, 1
		stc
		return_carry

		rom_end
