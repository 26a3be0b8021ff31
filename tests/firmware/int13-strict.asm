; SPDX-License-Identifier: MIT
;
; An option ROM that hangs when the firmware's disk service (INT 13h) is asked for
; anything but what it is documented to do for the disk that was booted from, or
; is not left the machine as it needs it: other drives, writes, 64 KiB boundaries,
; packets of another form, interrupts off or the timer's masked.

%include "rom.inc"

		rom_header 0x13, disk

disk:		struck
		pushad
		push ds
		mov bp, sp		; 34: IP, CS, flags
		; Interrupts on, direction up.
		test word [bp + 38], 0x200
		jz .wrong
		test word [bp + 38], 0x400
		jnz .wrong
		in al, 0x21
		test al, 1
		jnz .wrong
		cmp dl, 0x80
		jne .wrong
		mov ax, [bp + 30]
		cmp ah, 0x00
		je .right
		cmp ah, 0x08
		je .geometry
		cmp ah, 0x41
		je .check
		cmp ah, 0x02
		je .read
		cmp ah, 0x42
		jne .wrong
		; The packet: its size, 0, 1 to 127 sectors, 0, the buffer.
		cmp word [si], 16
		jne .wrong
		mov cx, [si + 2]
		les bx, [si + 4]
		cmp dword [si + 12], 0
		jne .wrong
		jmp .buffer
.read:		mov ch, 0
		test cl, 63
		jz .wrong
		mov cl, al
		; CX sectors, to ES:BX
.buffer:	cmp cx, 1
		jb .wrong
		cmp cx, 127
		ja .wrong
		mov ax, es
		shl ax, 4
		add bx, ax
		dec cx			; the last byte counts
		shl cx, 9
		add cx, 511
		add bx, cx
		jc .wrong
.right:		pop ds
		popad
		goto_firmware disk
.geometry:	mov ax, es
		or ax, di
		jz .right
.wrong:		hang
.check:		cmp bx, 0x55aa
		jne .wrong
		jmp .right

		rom_end
