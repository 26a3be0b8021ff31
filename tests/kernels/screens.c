/* SPDX-License-Identifier: MIT
 *
 * Test kernel "screens": what its command line asks for, on the text screen or
 * about the machine; then it stops, or ends as asked.
 */
#include "guest.h"

#define CELL(line, column) ((volatile uint16_t *)0xb8000)[(line) * 80 + (column)]

void _start(const struct mkbootimg_info *info);

static void write(int line, const char *text)
{
	for (int i = 0; text[i] != '\0'; i++)
		CELL(line, i) = (uint16_t)(0x0700 | (uint8_t)text[i]);
}

static void clear(void)
{
	for (int i = 0; i < 16384; i++)
		CELL(0, i) = 0x0720;
}

static void set_crtc(uint8_t index, uint8_t value)
{
	out8(0x3d4, index);
	out8(0x3d5, value);
}

static void out32(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

/* As QEMU's firmware configuration device tells it. */
static uint32_t cpus(void)
{
	out16(0x510, 5);
	uint32_t low = in8(0x511);
	return low | (uint32_t)in8(0x511) << 8;
}

void _start(const struct mkbootimg_info *info)
{
	const char *asked = info->command_line;
	bool wide = same_text(asked, "exit 32"), narrow = same_text(asked, "exit 8");

	if (same_text(asked, "cpus")) {
		print("processors: ");
		print_decimal(cpus());
		print("\n");
		finish(GUEST_PASS);
	}
	if (same_text(asked, "nothing"))
		clear();
	if (same_text(asked, "text") || wide || narrow) {
		clear();
		write(0, "first line   ");
		write(2, "\xc9\xcd\xbb 50 \xf8" "C \xe3");
		write(24, "last line");
	}
	if (same_text(asked, "hidden")) {
		clear();
		for (int i = 0; i < 10; i++)
			CELL(5, i) = 'x';	/* black on black */
	}
	if (same_text(asked, "50 lines")) {
		clear();
		set_crtc(9, 7);			/* characters of 8 pixels */
		write(49, "line fifty");
	}
	if (same_text(asked, "scrolled")) {
		clear();
		write(0, "scrolled away");
		write(1, "now at the top");
		set_crtc(0x0c, 0);
		set_crtc(0x0d, 80);
	}
	if (same_text(asked, "fault")) {
		clear();
		write(20, "before the fault");
		__asm__ volatile("ud2");
	}
	if (wide) {
		out32(0xf4, 0x11);
		out32(0xf4, 0x12);
	} else if (narrow) {
		out8(0xf4, 0x11);
		out8(0xf4, 0x12);
	}
	for (;;)
		__asm__ volatile("cli; hlt");
}
