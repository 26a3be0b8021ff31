; SPDX-License-Identifier: MIT
;
; limit.asm: the least that loading can cost: a boot sector that reads SECTORS sectors
; and checks nothing.  It ends where a kernel would be entered.
;
; Defined from outside: SECTORS, 0 for a sector that only reads the clock, and one of
;   READ	read them, as many a call as firmware takes, into a buffer
;   COPY	and copy them, 16 bytes at a time, to DESTINATION
;   SUM		and make the loader's own sum of them on the way
;
; On the disk, what is assembled here takes LIMIT_SECTORS sectors; what is to be read
; lies behind it.

%include "bootabi.inc"

%define BOUNCE		0x10000	; 64 KiB aligned: a transfer must not cross such a boundary
%define TABLES		0x50000	; page tables, three pages
%define STACK_TOP	0x7c00
%define DESTINATION	0x400000
%define MAX_TRANSFER	127

%define SEL_CODE	0x08
%define SEL_DATA	0x10
%define SEL_CODE16	0x18
%define SEL_DATA16	0x20
%define MSR_EFER	0xc0000080
%define EFER_LME	(1 << 8)
%define CR0_PE		(1 << 0)
%define CR0_PG		(1 << 31)
%define CR4_PAE		(1 << 5)
%define CR4_OSFXSR	(1 << 9)
%define PAGE_TABLE	0x03	; present, writable
%define PAGE_LARGE	0x83	; likewise, 2 MiB

cpu x64
bits 16
org 0x7c00

%if SECTORS == 0
%include "report.inc"
		times 510 - ($ - $$) db 0
		dw 0xaa55
%else
		cld
		xor ax, ax
		mov ds, ax
		mov ss, ax
		mov esp, STACK_TOP
		mov [drive], dl
		call read		; the sectors behind this one
		mov dword [packet.buffer], BOUNCE << 12	; as segment and offset
%ifndef READ
		; The first GiB, one to one.
		push TABLES >> 4
		pop es
		mov dword [es:0], TABLES + 0x1000 + PAGE_TABLE
		mov dword [es:4], 0
		mov dword [es:0x1000], TABLES + 0x2000 + PAGE_TABLE
		mov dword [es:0x1004], 0
		mov di, 0x2000
		mov eax, PAGE_LARGE
.map:		stosd
		mov dword [es:di], 0
		add di, 4
		add eax, 1 << 21
		test eax, 1 << 30
		jz .map
		mov eax, TABLES
		mov cr3, eax
%endif

chunk:		mov eax, MAX_TRANSFER
		cmp [left], eax
		jae .size
		mov eax, [left]
.size:		mov [packet.count], ax
		call read
%ifndef READ
		jmp to_long
to_real:
%endif
		movzx eax, word [packet.count]
		sub [left], eax
		jnz chunk
%include "report.inc"

; read: what the packet says; then LBA is behind it.
; In:	    packet, drive
; Out:	    none
; Clobbers: EAX, DL, SI
read:		mov si, packet
		mov dl, [drive]
		mov ah, 0x42
		int 0x13
		jc $
		movzx eax, word [packet.count]
		add [packet.lba], eax
		ret

left:		dd SECTORS
drive:		db 0
		align 4, db 0
packet:		dw 16
.count:		dw LIMIT_SECTORS - 1
.buffer:	dd 0x7e00
.lba:		dq 1

		times 510 - ($ - $$) db 0
		dw 0xaa55

%ifndef READ
		align 16, db 0
extent_sum:	times 4 dq 0
destination:	dq DESTINATION
gdt:		dq 0
		dq 0x00af9b000000ffff	; SEL_CODE
		dq 0x00cf93000000ffff	; SEL_DATA
		dq 0x00009b000000ffff	; SEL_CODE16
		dq 0x000093000000ffff	; SEL_DATA16
.pointer:	dw $ - gdt - 1
		dd gdt
real_mode:	dd back
		dw SEL_CODE16

to_long:	cli
		lgdt [gdt.pointer]
		mov eax, CR4_PAE | CR4_OSFXSR
		mov cr4, eax
		mov ecx, MSR_EFER
		rdmsr
		or eax, EFER_LME
		wrmsr
		mov eax, cr0
		or eax, CR0_PE | CR0_PG
		mov cr0, eax
		jmp SEL_CODE:.long
bits 64
.long:		mov eax, SEL_DATA
		mov ds, eax
		mov es, eax
		mov ss, eax
		mov esi, BOUNCE
		mov rdi, [destination]
		movzx edx, word [packet.count]
%ifdef COPY
.sector:
  %assign i 0
  %rep SECTOR_SIZE / 16
		movdqa xmm0, [rsi + i]
		movdqu [rdi + i], xmm0
    %assign i i + 16
  %endrep
		add rsi, SECTOR_SIZE
		add rdi, SECTOR_SIZE
		dec edx
		jnz .sector
%else
		shl edx, 9
		call sectors_copy
%endif
		mov [destination], rdi
		jmp far dword [real_mode]

bits 16
back:		mov ax, SEL_DATA16
		mov ds, ax
		mov es, ax
		mov ss, ax
		mov eax, cr0
		and eax, ~CR0_PG
		mov cr0, eax
		mov ecx, MSR_EFER
		rdmsr
		and eax, ~EFER_LME
		wrmsr
		xor eax, eax
		mov cr4, eax
		mov eax, cr0
		and eax, ~CR0_PE
		mov cr0, eax
		jmp 0:.real
.real:		xor ax, ax
		mov ds, ax
		mov ss, ax
		sti
		jmp to_real
  %ifdef SUM
    %include "sum.inc"
  %endif
%endif
		times LIMIT_SECTORS * SECTOR_SIZE - ($ - $$) db 0
%endif
