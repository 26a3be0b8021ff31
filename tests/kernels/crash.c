/* SPDX-License-Identifier: MIT
 *
 * Test kernel "crash": dies of what its command line names, three calls deep:
 * first(), second(), which is inlined into it, third().  As a native kernel it
 * may have an IDT of its own ("empty idt": one without entries), or leave that
 * to the loader.  As a 32-bit kernel the same, without paging.
 */
#include "boot.h"

static const uint32_t table[4] = { 1, 2, 3, 4 };
static uint32_t counter = 0xf4f4f4f4;
static void (*volatile no_function)(void);
static struct {
	volatile uint64_t first, second;
} *volatile null;
static volatile int zero;
static volatile uint64_t deepest = UINT64_MAX;

struct __attribute__((packed)) descriptor_pointer {
	uint16_t limit;
	uintptr_t base;
};

static __attribute__((noinline)) uint64_t recurse(uint64_t depth)
{
	volatile uint8_t frame[256];

	frame[depth % 256] = (uint8_t)depth;
	return depth == deepest ? 0 : recurse(depth + 1) + frame[depth % 128];
}

static void sse_without_osfxsr(void)
{
#ifdef __x86_64__
	uint64_t cr4;

	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	__asm__ volatile("mov %0, %%cr4" : : "r"(cr4 & ~(1ul << 9)));
	__asm__ volatile("pxor %xmm0, %xmm0");
#endif
}

static __attribute__((noinline)) void third(const char *what)
{
	if (find_word(what, "pointer"))
		*(volatile uint32_t *)(uintptr_t)0x12345678000ull = 1;
	if (find_word(what, "division"))
		counter = (uint32_t)(7 / zero);
	if (find_word(what, "data"))
		((void (*)(void))(uintptr_t)&counter)();
	if (find_word(what, "stack"))
		(void)recurse(0);
	if (find_word(what, "opcode"))
		__asm__ volatile("ud2");
	if (find_word(what, "sse"))
		sse_without_osfxsr();
	if (find_word(what, "read-only"))
		*(volatile uint32_t *)(uintptr_t)&table[2] = 1;
	if (find_word(what, "call"))
		no_function();
	if (find_word(what, "null"))
		null->second = 1;
	if (find_word(what, "reset"))
		out8(0x64, 0xfe);
	if (find_word(what, "halt"))
		__asm__ volatile("cli; hlt");
	if (find_word(what, "loop"))
		while (zero == 0)
			;
	counter++;	/* so that no call is the last thing */
}

static inline __attribute__((always_inline)) void second(const char *what)
{
	third(what);
	counter++;
}

static __attribute__((noinline)) void first(const char *what)
{
	second(what);
	counter++;
}

void kernel(const struct boot *boot)
{
	static const struct descriptor_pointer none;

	print("crash: ");
	print(boot->command_line);
	print("\n");
	if (find_word(boot->command_line, "empty"))
		__asm__ volatile("lidt %0" : : "m"(none));
	first(boot->command_line);
	print("no crash\n");
	finish(GUEST_FAIL);
}
