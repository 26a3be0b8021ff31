; SPDX-License-Identifier: MIT
;
; An option ROM with a memory map of its own (INT 15h AX = E820), for a machine of
; 128 MiB.  Before the firmware's own answers come these:
;
;   FAR		a page of ACPI memory at 2^52
;   HUGE	1 TiB that is reserved, at 1 TiB
;   TERA	a page of usable memory at 1 TiB, and two reserved ones behind it
;   TERA_RESERVED	the reserved ones only
;   AROUND	64 KiB reserved before the end of all addresses, and as many after it
;   MANY=n	n reserved pages, every 128 KiB from 16 MiB on
;   MANY_ACPI=n	likewise, but every other one is of ACPI memory
;   MESSY	unsorted, overlapping, unknown types, no length, wrapping
;
; and instead of them these:
;
;   PLAIN	much as the firmware's
;   UNSORTED	from the top down, usable memory in two halves
;   OVERLAPPING	all of memory usable, and parts of it something else as well
;   EMPTY	regions without a length
;   UNKNOWN	types that ACPI does not know
;   PARTS	regions that end in mid-page
;   PIECES	usable memory in pieces of 256 KiB
;   HOLE	15 to 16 MiB are reserved
;   LITTLE_LOW	below 1 MiB nothing is usable but 64 KiB
;   DISABLED	24 bytes each; those with attribute bit 0 clear do not count
;
; Everything else goes on to the firmware.

%include "rom.inc"

		rom_header 0x15, system

; entry START, LENGTH, TYPE [, ATTRIBUTES]
%macro entry 3-4 1
		dq %1, %2
		dd %3, %4
%endmacro
%macro low 0
		entry 0, 0x9fc00, 1
		entry 0x9fc00, 0x400, 2
		entry 0xf0000, 0x10000, 2
%endmacro
%macro top 0
		entry 0x7fe0000, 0x20000, 2
		entry 0xfffc0000, 0x40000, 2
%endmacro

%define MADE 0
table:
%ifdef FAR
		entry 1 << 52, 0x1000, 3
%elifdef HUGE
		entry 1 << 40, 1 << 40, 2
%elifdef TERA
		entry 1 << 40, 0x1000, 1
		entry (1 << 40) + 0x1000, 0x2000, 2
%elifdef TERA_RESERVED
		entry (1 << 40) + 0x1000, 0x2000, 2
%elifdef AROUND
		entry 0xffffffffffff0000, 0x20000, 2
%elifdef MANY_ACPI
%define MADE MANY_ACPI
%define MADE_START 0x1000000
%define MADE_SHIFT 17
%define MADE_LENGTH 0x1000
%define MADE_TYPE 2
%elifdef MANY
%define MADE MANY
%define MADE_START 0x1000000
%define MADE_SHIFT 17
%define MADE_LENGTH 0x1000
%define MADE_TYPE 2
%elifdef MESSY
		entry 0x3000000, 0x1000000, 1	; usable again, out of order
		entry 0x2000000, 0x1234, 77	; a type nobody knows, in mid-page
		entry 0x1800000, 0, 2		; nothing
		entry 0x2800800, 0x100, 5	; bad, within a page
		entry 0xfffffffffffff000, 0x2000, 2	; around the end
		entry 0x100000, 0x7e00000, 1	; all of memory, usable twice
		entry 0x2400000, 0x100000, 4
		entry 0x40000800, 0x1000, 1	; usable, but no whole page
%else
%define OWN
%ifdef PLAIN
		low
		entry 0x100000, 0x7ee0000, 1
		top
%elifdef UNSORTED
		entry 0xfffc0000, 0x40000, 2
		entry 0x7fe0000, 0x20000, 2
		entry 0x3000000, 0x4fe0000, 1
		entry 0x100000, 0x2f00000, 1
		entry 0xf0000, 0x10000, 2
		entry 0x9fc00, 0x400, 2
		entry 0, 0x9fc00, 1
%elifdef OVERLAPPING
		low
		entry 0x3000000, 0x20000, 2	; before what it lies in
		entry 0x100000, 0x7f00000, 1
		entry 0x2800000, 0x1000000, 1
		entry 0x3010000, 0x20000, 3	; half of it reserved
		entry 0x3028000, 0x10000, 4	; some of it reclaimable
		entry 0x5000000, 0x3000, 5
		entry 0x4fff000, 0x4000, 1	; behind what lies in it
		top
%elifdef EMPTY
		entry 0x2000000, 0, 2
		entry 0x60000000, 0, 1
		low
		entry 0, 0, 0
		entry 0x100000, 0x7ee0000, 1
		entry 0x3000000, 0, 2
		top
		entry 0x4000000, 0, 5
%elifdef UNKNOWN
		low
		entry 0x100000, 0x7ee0000, 1
		entry 0x4000000, 0x100000, 0
		entry 0x4200000, 0x100000, 6
		entry 0x4400000, 0x100000, 7
		entry 0x4600000, 0x100000, 12
		entry 0x4800000, 0x100000, 0xffffffff
		entry 0x60000000, 0x1000000, 14
		top
%elifdef PARTS
		low
		entry 0x100000, 0x2f00801, 1
		entry 0x3001001, 0xffe3ff, 1
		entry 0x4000800, 0x3fdf800, 1
		entry 0x5000fff, 2, 2
		entry 0x7ff0000, 0xffff, 1
		top
		entry 0x60000001, 0x1000, 1	; nowhere a whole page
%elifdef PIECES
		low
		entry 0x7fc0000, 0x20000, 1
		top
%define MADE 507
%define MADE_START 0x100000
%define MADE_SHIFT 18
%define MADE_LENGTH 0x40000
%define MADE_TYPE 1
%elifdef HOLE
		low
		entry 0x100000, 0xe00000, 1
		entry 0xf00000, 0x100000, 2
		entry 0x1000000, 0x6fe0000, 1
		top
%elifdef LITTLE_LOW
		entry 0, 0x10000, 1
		entry 0x10000, 0xf0000, 2
		entry 0x100000, 0x7ee0000, 1
		top
%elifdef DISABLED
		low
		entry 0x100000, 0x7ee0000, 1
		entry 0x60000000, 0x1000000, 1, 0
		entry 0x3000000, 0x100000, 2, 0
		entry 0x4000000, 0x100000, 2, 3
		top
%else
%error no map was chosen
%endif
%endif
table_count	equ ($ - table) / 24

system:		cmp ax, 0xe820
		je map
		goto_firmware system

; Answer EBX: table[EBX], then those that are made up, then, from 0x8000 up, the
; firmware's own.
map:		struck
		cmp ebx, 0x8000
		jae firmware
		cmp ebx, table_count
		jae made
		push esi
		push edi
		push ecx
		imul si, bx, 24
		add si, table
		mov cx, 10
%ifdef DISABLED
		mov cx, 12
%endif
.copy:		cs lodsw
		stosw
		loop .copy
		pop ecx
		pop edi
		pop esi
next:		inc ebx
%ifdef OWN
		cmp ebx, table_count + MADE
		jne answer
		xor ebx, ebx
%endif
answer:		mov eax, 0x534d4150
		mov ecx, 20
%ifdef DISABLED
		mov ecx, 24
%endif
		clc
		return_carry

made:
%if MADE
		cmp ebx, table_count + MADE
		jae firmware
		mov eax, ebx
		sub eax, table_count
		shl eax, MADE_SHIFT
		add eax, MADE_START
		mov [es:di], eax
		xor eax, eax
		mov [es:di + 4], eax
		mov dword [es:di + 8], MADE_LENGTH
		mov [es:di + 12], eax
		mov dword [es:di + 16], MADE_TYPE
%ifdef MANY_ACPI
		mov al, bl
		and al, 1
		add [es:di + 16], al	; reserved 2, ACPI 3
%endif
		jmp next
%endif
firmware:	cmp ebx, 0x8000
		jae .next
		mov ebx, 0x8000
.next:		sub ebx, 0x8000
		mov eax, 0xe820
		mov ecx, 20
		call_firmware system
		jc .end
		test ebx, ebx
		jz answer
		add ebx, 0x8000
		jmp answer
.end:		return_carry

		rom_end
