; SPDX-License-Identifier: MIT
;
; An option ROM that puts its own answers before or after those of the
; firmware's memory map (INT 15h AX = E820).  One fault each, chosen when it is
; assembled; the machine must have 128 MiB or more:
;
;   NO_ATTRIBUTE	24-byte answers whose attribute bit 0 is clear
;   FAR		a page of ACPI memory at 2^52
;   MESSY		unsorted, overlapping, unknown types, no length, wrapping
;   ENDLESS		an answer that repeats for ever
;   MANY		600 more answers, or COUNT; with ACPI every other one is of ACPI memory
;   TERA		a page of usable memory at 1 TiB, and two reserved behind it
;   TERA_RESERVED	the reserved ones only
;   NONE		carry at the first call
;   CARRY_END		the last answer comes again, with carry
;   TRASH		EDX, ESI, EDI, EBP, DS and ES change
;
; Everything else goes on to the firmware, whose handler moves to INT 60h.

%include "rom.inc"

%ifndef COUNT
%define COUNT 600
%endif

		rom_header 0x15

handler:	cmp ax, 0xe820
		je map
		jmp far_on

; Every answer of ours is table[EBX]; 0x8000 and up are numbers of the firmware's
; own, less 0x8000.
map:
%ifdef NONE
		jmp fail
%endif
		cmp ebx, 0x8000
		jae firmware
		cmp ebx, table_count
		jae .first_of_firmware
%ifdef MANY
		; A reserved page every 128 KiB, from 16 MiB on.
		mov eax, ebx
		shl eax, 17
		add eax, 0x1000000
		mov [es:di], eax
		mov dword [es:di + 4], 0
		mov dword [es:di + 8], 0x1000
		mov dword [es:di + 12], 0
		mov dword [es:di + 16], 2
%ifdef ACPI
		test bl, 1
		jz .even
		mov byte [es:di + 16], 3
.even:
%endif
		mov ecx, 20
		inc ebx
		jmp answer
%endif
		push esi
		push edi
		mov si, bx
		imul si, si, 20
		add si, table
		mov cx, 10
.copy:		cs lodsw
		stosw
		loop .copy
		pop edi
		pop esi
		mov ecx, 20
%ifndef ENDLESS
		inc ebx
%endif
		jmp answer
.first_of_firmware:
		xor ebx, ebx
		jmp call_firmware
firmware:	sub ebx, 0x8000
call_firmware:	mov eax, 0xe820
		push ecx
		int 0x60
		pop ecx
		jc fail
%ifdef NO_ATTRIBUTE
		cmp ecx, 24
		mov ecx, 20
		jb .short
		mov dword [es:di + 20], 0
		mov ecx, 24
.short:
%else
		mov ecx, 20
%endif
		test ebx, ebx
		jz .last
		add ebx, 0x8000
		jmp answer
.last:
%ifdef CARRY_END
		mov ebx, 0xffff
%endif
answer:		mov eax, 0x534d4150
%ifdef CARRY_END
		cmp ebx, 0xffff + 0x8000
		je fail
%endif
%ifdef TRASH
		mov edx, 0xdeadbeef
		mov esi, edx
		mov edi, edx
		mov ebp, edx
		push dx
		pop ds
		push dx
		pop es
%endif
		clc
		return_carry
fail:		mov ah, 0x86
		stc
		return_carry

far_on:		int 0x60
		return_carry

; entry START, LENGTH, TYPE
%macro entry 3
		dq %1, %2
		dd %3
%endmacro
table:
%ifdef FAR
		entry 1 << 52, 0x1000, 3
%endif
%ifdef TERA
		entry 1 << 40, 0x1000, 1
%define TERA_RESERVED
%endif
%ifdef TERA_RESERVED
		entry (1 << 40) + 0x1000, 0x2000, 2
%endif
%ifdef MESSY
		entry 0x3000000, 0x1000000, 1	; usable again, out of order
		entry 0x2000000, 0x1234, 77	; a type nobody knows, in mid-page
		entry 0x1800000, 0, 2		; nothing
		entry 0x2800800, 0x100, 5	; bad, within a page
		entry 0xfffffffffffff000, 0x2000, 2	; around the end
		entry 0x100000, 0x7e00000, 1	; all of memory, usable twice
		entry 0x2400000, 0x100000, 4
		entry 0x40000800, 0x1000, 1	; usable, but no whole page
%endif
%ifdef ENDLESS
		entry 0x2000000, 0x1000, 2
%endif
%ifdef MANY
table_count	equ COUNT
%else
table_count	equ ($ - table) / 20
%endif

		rom_end
