/* SPDX-License-Identifier: MIT
 *
 * Test kernel "ends": ends in the way that its command line names.
 */
#include "guest.h"

void _start(const struct mkbootimg_info *info);

static bool asked(const struct mkbootimg_info *info, const char *word)
{
	return same_text(info->command_line, word);
}

void _start(const struct mkbootimg_info *info)
{
	struct __attribute__((packed)) {
		uint16_t limit;
		uint64_t base;
	} no_idt = { 0, 0 };

	print("ending by: ");
	print(info->command_line);
	print("\n");
	if (asked(info, "success"))
		out8(0xf4, 0x10);
	if (asked(info, "code 11"))
		out8(0xf4, 0x11);
	if (asked(info, "code 0"))
		out8(0xf4, 0);
	if (asked(info, "power off")) {
		out16(0x604, 0x2000);		/* pc */
	}
	if (asked(info, "triple fault"))
		__asm__ volatile("lidt %0; ud2" : : "m"(no_idt));
	if (asked(info, "keyboard reset"))
		out8(0x64, 0xfe);
	if (asked(info, "reset port"))
		out8(0xcf9, 0x06);
	if (asked(info, "panic"))
		out8(0x505, 1);			/* QEMU's pvpanic device */
	if (asked(info, "halt"))
		__asm__ volatile("cli; hlt");
	if (asked(info, "guard page"))
		*(volatile char *)(info->stack_virtual_start - 1) = 1;
	if (asked(info, "null"))
		__asm__ volatile("movb $1, 8");
	if (asked(info, "write text"))
		*(volatile char *)(uintptr_t)_start = 1;
	if (asked(info, "run data")) {
		static char code[1] = { (char)0xc3 };

		((void (*)(void))(uintptr_t)code)();
	}
	if (asked(info, "debug console")) {
		/* Both consoles, by turns: their order must be kept. */
		for (char c = 'a'; c <= 'z'; c++) {
			put(c);
			out8(0xe9, (uint8_t)(c - 'a' + 'A'));
		}
		put('\n');
		out8(0xf4, 0x10);
	}
	for (;;)
		__asm__ volatile("pause");
}
