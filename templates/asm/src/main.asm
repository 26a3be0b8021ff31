; The kernel.

%include "machine.inc"
%include "mkbootimg.inc"

bits 64
default rel

global kernel_main
extern print, print_number

section .text

; In: RDI = the mkbootimg_info
kernel_main:	push rdi
		lea rsi, [hello]
		call print
		mov rdi, [rsp]
		call usable_memory
		shr rax, 10
		call print_number
		lea rsi, [free]
		call print
		pop rdi

		; "make run" asks for this where there is no window to close.
		mov rdi, [rdi + mkbootimg_info.command_line]
		lea rsi, [exit]
		mov ecx, exit_end - exit
		repe cmpsb
		jne .end
		finish SUCCESS
.end:		ret

; In: RDI = the mkbootimg_info
; Out: RAX = bytes of usable memory
; Clobbers: RCX, RDX
usable_memory:	xor eax, eax
		mov rdx, [rdi + mkbootimg_info.memory_map]
		mov rcx, [rdi + mkbootimg_info.memory_map_count]
.next:		cmp dword [rdx + mkbootimg_memory_region.kind], MKBOOTIMG_MEMORY_USABLE
		jne .other
		add rax, [rdx + mkbootimg_memory_region.size]
.other:		add rdx, mkbootimg_memory_region_size
		dec rcx
		jnz .next
		ret

section .rodata
hello:		db "Hello World!", 10, 0
free:		db " KiB of memory are free.", 10, 0
exit:		db "exit", 0
exit_end:

section .note.GNU-stack noalloc noexec nowrite progbits
