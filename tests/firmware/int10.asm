; SPDX-License-Identifier: MIT
;
; An option ROM that makes the firmware's video service (INT 10h) a bad one.  The
; faults:
;
;   NO_VBE		AH = 4F is not known
;   EMPTY		the list of modes is empty
;   WILD		it lies in the firmware's code, and there is a mode for each word
;   ENDLESS		it has no end, and mode 0 only, of which nothing is known
;   NO_INFO		no mode is known (AX = 4F01)
;   NO_SET		no mode can be set (AX = 4F02)
;   ONLY=n		only mode n can be
;   TRASH		every call changes every register that it does not return
;			something in (but DS, SS), and DF, and IF
;   CLOSE_A20		setting a mode closes the A20 gate
;
; Everything else goes on to the firmware.

%include "rom.inc"

		rom_header 0x10, video

video:
%ifdef TRASH
		struck
		cmp ah, 0x0f
		je .returns_bh
		cmp ax, 0x1130
		je .font
		cmp ah, 0x4f
		je .returns_ax
		call_firmware video
		mov ax, 0xdead
.returns_ax_only:
		mov ebx, 0xdeadbeef
.returns_bh_only:
		mov ecx, 0xdeadbeef
		mov edx, ecx
		mov esi, ecx
		mov edi, ecx
		mov ebp, ecx
		mov es, cx
		mov fs, cx
		mov gs, cx
		push bp
		mov bp, sp
		and word [ss:bp + 6], ~0x200
		or word [ss:bp + 6], 0x400
		pop bp
		iret
.returns_bh:	call_firmware video
		jmp .returns_bh_only
.returns_ax:	call_firmware video
		jmp .returns_ax_only
.font:		goto_firmware video
%endif
		cmp ah, 0x4f
		je vbe
		goto_firmware video

vbe:		struck
%ifdef NO_VBE
		mov ax, 0x0100
		iret
%endif
%ifdef EMPTY
		cmp al, 0
		jne .not_info
		call_firmware video
		mov word [es:di + 14], no_modes
		mov [es:di + 16], cs
		iret
.not_info:
%endif
%ifdef WILD
%define LIST 0xf0000000
%elifdef ENDLESS
%define LIST 0x60000000			; nobody has written there
%endif
%ifdef LIST
		cmp al, 1
		je .wild
%endif
%ifdef NO_INFO
		cmp al, 1
		je .fail
%endif
%ifdef NO_SET
		cmp al, 2
		je .fail
%endif
%ifdef ONLY
		cmp al, 2
		jne .any
		push bx
		and bh, 1
		cmp bx, ONLY
		pop bx
		jne .fail
.any:
%endif
%ifdef LIST
		cmp al, 0
		jne .other
		call_firmware video
		mov dword [es:di + 14], LIST
		iret
.other:
%endif
%ifdef CLOSE_A20
		cmp al, 2
		jne .leave
		call_firmware video
		push ax
		in al, 0x92
		and al, ~3
		out 0x92, al
		pop ax
		iret
.leave:
%endif
		goto_firmware video
.fail:		mov ax, 0x014f
		iret
.wild:		push di
		push cx
		mov al, cl
		mov cx, 256
		cld
		rep stosb
		pop cx
		pop di
		mov word [es:di], 0xff	; it can all that can be asked for
		mov byte [es:di + 0x1b], 6
		mov ax, 0x004f
		iret
no_modes:	dw 0xffff

		rom_end
