; The memory map is sorted, and there is memory to work with.

%include "check.inc"

kernel_main:	mov rsi, [rdi + mkbootimg_info.memory_map]
		mov rcx, [rdi + mkbootimg_info.memory_map_count]
		xor eax, eax		; where the last region ended
		xor edx, edx		; usable memory so far
.next:		cmp [rsi + mkbootimg_memory_region.start], rax
		check ae, "regions are sorted"
		mov rax, [rsi + mkbootimg_memory_region.size]
		cmp dword [rsi + mkbootimg_memory_region.kind], MKBOOTIMG_MEMORY_USABLE
		jne .other
		add rdx, rax
.other:		add rax, [rsi + mkbootimg_memory_region.start]
		add rsi, mkbootimg_memory_region_size
		dec rcx
		jnz .next

		cmp rdx, 1024 * 1024
		check ae, "a megabyte is usable"
		finish SUCCESS
