/* SPDX-License-Identifier: MIT
 *
 * Test kernel "faults": has no IDT of its own, and does what its command line
 * names: each is an exception.
 */
#include "guest.h"

void _start(const struct mkbootimg_info *info);

static volatile uint64_t deepest = UINT64_MAX;

/* What is done behind the call keeps it from being a loop. */
static __attribute__((noinline)) uint64_t recurse(uint64_t depth)
{
	volatile uint8_t frame[256];

	frame[depth % 256] = (uint8_t)depth;
	return depth == deepest ? 0 : recurse(depth + 1) + frame[depth % 128];
}

void _start(const struct mkbootimg_info *info)
{
	const char *what = info->command_line;

	print("fault: ");
	print(what);
	print("\n");
	if (same_text(what, "invalid opcode"))
		__asm__ volatile("ud2");
	if (same_text(what, "breakpoint"))
		__asm__ volatile("int3");
	if (same_text(what, "divide"))
		__asm__ volatile("div %0" : : "r"(0u), "a"(1), "d"(0));
	if (same_text(what, "page fault"))
		*(volatile char *)0x123456789abc = 1;
	if (same_text(what, "general protection"))
		*(volatile char *)0x8000000000000000 = 1;
	if (same_text(what, "stack overflow"))
		(void)recurse(0);
	if (same_text(what, "timer"))
		/* With a value in each register that the report must show. */
		__asm__ volatile("mov $0xa1, %%rax\n mov $0xb2, %%rbx\n mov $0xf5, %%r15\n sti\n"
				 "1: hlt\n jmp 1b" : : : "rax", "rbx", "r15");
	if (same_text(what, "serial interrupt")) {
		out8(0x3f9, 2);		/* when the transmitter is empty */
		out8(0x3fc, 8);		/* to the interrupt controller */
		out8(0x21, 0xef);	/* and nothing but IRQ 4 */
		__asm__ volatile("sti\n1: hlt\n jmp 1b");
	}
	if (same_text(what, "software interrupt"))
		__asm__ volatile("int $0x80");
	if (same_text(what, "no screen")) {
		uint64_t *top;

		/* Take the identity map away: page tables lie in the physical map. */
		__asm__ volatile("mov %%cr3, %0" : "=r"(top));
		top = (uint64_t *)((char *)top + info->physical_memory_offset);
		top[0] = 0;
		__asm__ volatile("mov %0, %%cr3\n ud2" : : "r"((char *)top - info->physical_memory_offset)
				 : "memory");
	}
	if (same_text(what, "no code"))
		((void (*)(void))0x123456789000)();
	print("no fault\n");
	finish(GUEST_FAIL);
}
