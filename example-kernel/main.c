/* SPDX-License-Identifier: MIT
 *
 * The example kernel: prints Hello World on the screen and on the first serial
 * port, shows what it was given, and stops.  With the word "exit" on its
 * command line it ends the machine, with success.
 */
#include <mkbootimg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void kernel_main(const struct mkbootimg_info *info);

/* ---- Ports --------------------------------------------------------------- */

static void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static uint8_t in8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

/* ---- Serial port (COM1) -------------------------------------------------- */

#define COM1 0x3f8

static void serial_setup(void)
{
	out8(COM1 + 1, 0x00);	/* no interrupts */
	out8(COM1 + 3, 0x80);	/* the next two bytes are the divisor */
	out8(COM1 + 0, 0x01);	/* 115,200 baud */
	out8(COM1 + 1, 0x00);
	out8(COM1 + 3, 0x03);	/* 8 bits, no parity, 1 stop bit */
	out8(COM1 + 2, 0x07);	/* empty the buffers */
}

static void serial_put(char c)
{
	/* Wait until the port can take a byte, but not for ever: there may be
	 * no port. */
	for (int i = 0; i < 100000 && !(in8(COM1 + 5) & 0x20); i++)
		;
	out8(COM1, (uint8_t)c);
}

/* ---- Screen (VGA text) --------------------------------------------------- */

#define SCREEN_COLUMNS 80
#define SCREEN_ROWS 25
#define COLOUR 0x0f00	/* white on black */

static volatile uint16_t *const screen = (volatile uint16_t *)0xb8000;
static size_t row, column;

static void screen_clear(void)
{
	for (size_t i = 0; i < SCREEN_ROWS * SCREEN_COLUMNS; i++)
		screen[i] = COLOUR | ' ';
}

static void screen_scroll(void)
{
	for (size_t i = 0; i < (SCREEN_ROWS - 1) * SCREEN_COLUMNS; i++)
		screen[i] = screen[i + SCREEN_COLUMNS];
	for (size_t i = 0; i < SCREEN_COLUMNS; i++)
		screen[(SCREEN_ROWS - 1) * SCREEN_COLUMNS + i] = COLOUR | ' ';
}

static void screen_put(char c)
{
	if (c != '\n')
		screen[row * SCREEN_COLUMNS + column++] = (uint16_t)(COLOUR | (uint8_t)c);
	if (c != '\n' && column < SCREEN_COLUMNS)
		return;
	column = 0;
	if (row == SCREEN_ROWS - 1)
		screen_scroll();
	else
		row++;
}

/* ---- Printing ------------------------------------------------------------ */

static void put(char c)
{
	if (c == '\n')
		serial_put('\r');
	serial_put(c);
	screen_put(c);
}

static void print(const char *text)
{
	while (*text != '\0')
		put(*text++);
}

static void print_hex(uint64_t value)
{
	print("0x");
	for (int shift = 60; shift >= 0; shift -= 4)
		put("0123456789abcdef"[value >> shift & 15]);
}

static void print_memory_map(const struct mkbootimg_info *info)
{
	static const char *const kinds[] = {
		[MKBOOTIMG_MEMORY_USABLE] = "usable",
		[MKBOOTIMG_MEMORY_LOADER_RECLAIMABLE] = "loader, reclaimable",
		[MKBOOTIMG_MEMORY_KERNEL] = "kernel",
		[MKBOOTIMG_MEMORY_MODULES] = "modules",
		[MKBOOTIMG_MEMORY_FRAMEBUFFER] = "framebuffer",
		[MKBOOTIMG_MEMORY_ACPI_RECLAIMABLE] = "ACPI, reclaimable",
		[MKBOOTIMG_MEMORY_ACPI_NVS] = "ACPI NVS",
		[MKBOOTIMG_MEMORY_RESERVED] = "reserved",
		[MKBOOTIMG_MEMORY_BAD] = "bad",
	};

	print("Memory:\n");
	for (uint64_t i = 0; i < info->memory_map_count; i++) {
		const struct mkbootimg_memory_region *region = &info->memory_map[i];

		print("  ");
		print_hex(region->start);
		print(" - ");
		print_hex(region->start + region->size);
		print("  ");
		print(region->kind < sizeof(kinds) / sizeof(kinds[0]) ? kinds[region->kind] : "unknown");
		print("\n");
	}
}

/* ---- The kernel ---------------------------------------------------------- */

/* Is this word on the command line? */
static bool has_word(const char *line, const char *word)
{
	while (*line != '\0') {
		const char *w = word;

		while (*w != '\0' && *line == *w) {
			line++;
			w++;
		}
		if (*w == '\0' && (*line == '\0' || *line == ' '))
			return true;
		while (*line != '\0' && *line != ' ')
			line++;
		while (*line == ' ')
			line++;
	}
	return false;
}

void kernel_main(const struct mkbootimg_info *info)
{
	serial_setup();
	screen_clear();
	print("Hello World!\n\n");

	if (info->magic != MKBOOTIMG_INFO_MAGIC) {
		print("This is not mkbootimg's boot information.\n");
	} else {
		print("Command line: ");
		print(info->command_line);
		print("\n");
		print_memory_map(info);
		/* QEMU's isa-debug-exit device: 0x10 means success. */
		if (has_word(info->command_line, "exit"))
			out8(0xf4, 0x10);
	}
	for (;;)
		__asm__ volatile("hlt");
}
