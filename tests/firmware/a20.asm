; SPDX-License-Identifier: MIT
;
; An option ROM that takes ways to open the A20 gate away, when the first of them,
; INT 15h AX = 2401, is tried (int19.asm closes the gate):
;
;   NO_2401		it is not known
;   LIES_2401		it says that it did
;   TRASH		it changes ESI, EDI, EBP, DS, ES, IF and DF
;   NO_92		ports 0x90-0x97 lead elsewhere,
;   NO_8042		or 0x60-0x67, where the controller is never ready
;
; For the ports the machine needs devices that cover them: "-device
; pci-serial,addr=0x10" (0x90) and "pci-serial,addr=0x11" (0x60).  PCI devices come
; before those on the board.

%include "rom.inc"

		rom_header 0x15, system

system:		cmp ax, 0x2401
		je .open
		goto_firmware system
.open:		struck
%ifdef NO_92
		mov eax, 0x80000000 | 0x10 << 11
		mov ecx, 0x90
		call cover
%endif
%ifdef NO_8042
		mov eax, 0x80000000 | 0x11 << 11
		mov ecx, 0x60
		call cover
		mov al, 2		; never ready to take a byte
		out 0x64, al
%endif
%ifdef NO_2401
		mov ah, 0x86
		stc
%elifdef LIES_2401
		mov ah, 0
		clc
%else
		call_firmware system
%endif
%ifdef TRASH
		trash_rest
%else
		return_carry
%endif

; EAX = a device's configuration space, ECX = port: let its first range lie there.
cover:		push eax
		mov al, 0x10		; range 0
		mov dx, 0xcf8
		out dx, eax
		mov eax, ecx
		mov dx, 0xcfc
		out dx, eax
		pop eax
		mov al, 0x04		; command: I/O on
		mov dx, 0xcf8
		out dx, eax
		mov eax, 1
		mov dx, 0xcfc
		out dx, eax
		ret

		rom_end
