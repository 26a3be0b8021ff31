; SPDX-License-Identifier: MIT
;
; An option ROM that gives the memory map of the firmware, or of e820.asm, in
; another way (INT 15h AX = E820).  The faults:
;
;   NO_ATTRIBUTE	24 bytes, attribute bit 0 always clear
;   ONLY_20		who asks for more than 20 bytes gets carry
;   HIGH		continuation numbers are multiples of 65536
;   TRASH		EDX, ESI, EDI, EBP, DS, ES, IF and DF change
;   CARRY_END		the end is told by carry, with an answer that is none
;   ENDLESS_FIRST	the first answer comes for ever,
;   ENDLESS_LAST	or the last one,
;   ENDLESS_ALL		or all of them, again and again
;   NONE		carry at the first call
;   NO_SIGNATURE	EAX is not "SMAP"
;
; Who does not ask as documented gets carry.  Everything else goes on to the firmware.

%include "rom.inc"

		rom_header 0x15, system

system:		cmp ax, 0xe820
		je map
		goto_firmware system

map:		struck
		cmp edx, 0x534d4150	; "SMAP"
		jne fail
		cmp ecx, 20
		jb fail
%ifdef NONE
		jmp fail
%endif
%ifdef ONLY_20
		cmp ecx, 20
		ja fail
%endif
%ifdef HIGH
		shr ebx, 16
%endif
%ifdef CARRY_END
		cmp ebx, -1
		je carry_end
%endif
%ifdef ENDLESS_ALL
		cmp ebx, -1
		jne .again
		xor ebx, ebx
.again:
%endif
%ifdef ENDLESS_FIRST
		xor ebx, ebx
%endif
		push ebx
		push ecx
		call_firmware system
		pop eax			; EAX <- bytes asked for
		jc .failed
%ifdef NO_ATTRIBUTE
		cmp eax, 24
		jb .short
		mov dword [es:di + 20], 0
		mov ecx, 24
.short:
%endif
		pop eax			; EAX <- number asked for
		test ebx, ebx
		jnz .more
%ifdef CARRY_END
		dec ebx
%elifdef ENDLESS_ALL
		dec ebx
%elifdef ENDLESS_LAST
		mov ebx, eax
%endif
		jmp .last
.more:
%ifdef HIGH
		shl ebx, 16
%endif
.last:		mov eax, 0x534d4150
%ifdef NO_SIGNATURE
		mov eax, 0xe820
%endif
%ifdef TRASH
		mov edx, 0xdeadbeef
		trash_rest
%else
		clc
		return_carry
%endif
.failed:	add sp, 4
fail:		mov ah, 0x86
		stc
		return_carry
%ifdef CARRY_END
carry_end:	xor eax, eax
		mov dword [es:di], 0x60000000
		mov [es:di + 4], eax
		mov dword [es:di + 8], 0x100000
		mov [es:di + 12], eax
		inc ax
		mov [es:di + 16], eax
		mov eax, 0x534d4150
		mov ecx, 20
		stc
		return_carry
%endif

		rom_end
