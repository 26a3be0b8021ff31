; SPDX-License-Identifier: MIT
;
; An option ROM that boots the disk itself (INT 19h), and enters its first sector
; with the machine in another state than is usual:
;
;   DRIVE=n		DL
;   SEGMENT		CS:IP = 07c0:0000
;   TRASH		general registers, DS, ES, FS and GS are what they happen
;			to be
;   STACK_SEGMENT=n, STACK=n	SS, SP
;   DOWN		DF is set
;   NO_INTERRUPTS	IF is clear
;   CONTROL		CR0: CD, NW, NE, TS, EM set, MP clear; CR4: DE, PSE, MCE, PGE set
;   PARAMETERS		the BIOS parameter block, time stamp, disk signature and
;			partition table in the sector are not what the disk holds
;   CLOSE_A20=port	the A20 gate is closed, by port 0x92, or by 0x64
;   BDA=address, BDA_WORD=n	a word of the BIOS data area
;   MODE=n		the screen is in another mode

%include "rom.inc"

		rom_header 0x19, boot

boot:		xor ax, ax
		mov ds, ax
		mov es, ax
		mov ss, ax
		mov sp, 0x7000
		sti
		mov bx, 0x7c00
		mov cx, 1
		mov dx, 0x80
		mov ax, 0x0201
		int 0x13
		jc .cannot
		cmp word [0x7dfe], 0xaa55
		je .loaded
.cannot:	give_up
.loaded:
%ifdef BDA
		mov word [BDA], BDA_WORD
%endif
%ifdef PARAMETERS
		cld
		mov al, 0xff
		mov di, 0x7c0b
		mov cx, 0x25 - 0x0b
		rep stosb
		mov di, 0x7cda
		mov cx, 6
		rep stosb
		mov di, 0x7db8
		mov cx, 4
		rep stosb
		mov di, 0x7dbe
		mov cx, 64
		rep stosb
%endif
%ifdef MODE
		mov ax, MODE
		int 0x10
%endif
%ifdef CLOSE_A20
		cli
  %if CLOSE_A20 == 0x92
		in al, 0x92
		and al, ~3
		out 0x92, al
  %else
		mov al, 0xd1		; the controller's output port
		out 0x64, al
		mov al, 0xdd
		out 0x60, al
		mov al, 0xff		; and a command that does nothing
		out 0x64, al
  %endif
		; Is it?
		mov ax, 0xffff
		mov es, ax
		mov word [0x500], 0x1234
		mov word [es:0x510], 0x4321
		cmp word [0x500], 0x4321
		jne .cannot
		sti
%endif
%ifdef CONTROL
		mov eax, cr0
		or eax, 0x6000002c
		and eax, ~2
		mov cr0, eax
		mov eax, 0xd8
		mov cr4, eax
%endif
		struck
%ifdef NO_INTERRUPTS
		cli
%endif
%ifdef DOWN
		std
%endif
%ifdef TRASH
		mov eax, 0xdeadbeef
		mov ebx, eax
		mov ecx, eax
		mov edx, eax
		mov esi, eax
		mov edi, eax
		mov ebp, eax
		mov ds, ax
		mov es, ax
		mov fs, ax
		mov gs, ax
%endif
%ifdef STACK
		mov ax, STACK_SEGMENT
		mov ss, ax
		mov sp, STACK
%endif
%ifdef DRIVE
		mov dl, DRIVE
%else
		mov dl, 0x80
%endif
%ifdef SEGMENT
		jmp 0x07c0:0
%else
		jmp 0:0x7c00
%endif

		rom_end
