/* SPDX-License-Identifier: MIT
 *
 * Test kernel "video": checks the linear framebuffer, draws in it, and reads
 * that back.  Words of its command line:
 *	none		there is no linear framebuffer
 *	size=WxHxD	it is of this size
 *	wait		stay, for a picture to be taken
 */
#include "boot.h"

static void check_size(const struct framebuffer *screen, const char *size)
{
	CHECK(read_number(size, &size) == screen->width, screen->width);
	CHECK(*size == 'x' && read_number(size + 1, &size) == screen->height, screen->height);
	CHECK(*size == 'x' && read_number(size + 1, &size) == screen->depth, screen->depth);
}

/* 8:8:8, blue lowest: as every PC has it. */
static void check_format(const struct framebuffer *screen)
{
	CHECK(screen->depth == 32 || screen->depth == 24, screen->depth);
	CHECK(screen->red_position == 16 && screen->red_size == 8, screen->red_position);
	CHECK(screen->green_position == 8 && screen->green_size == 8, screen->green_position);
	CHECK(screen->blue_position == 0 && screen->blue_size == 8, screen->blue_position);
	CHECK(screen->pitch >= screen->width * screen->depth / 8, screen->pitch);
	CHECK(screen->address != 0, 0);
	CHECK((screen->address + (uint64_t)screen->pitch * screen->height) >> 32 == 0, screen->address);
}

static void check_place(const struct boot *boot)
{
	const struct framebuffer *screen = &boot->framebuffer;
	uint64_t end = screen->address + (uint64_t)screen->pitch * screen->height;

	for (size_t i = 0; i < boot->region_count; i++) {
		const struct region *region = &boot->regions[i];

		CHECK(region->kind != KIND_RAM || end <= region->start ||
			      screen->address >= region->start + region->size,
		      region->start);
	}
}

static volatile uint8_t *pixel(const struct framebuffer *screen, uint32_t x, uint32_t y)
{
	return (volatile uint8_t *)(uintptr_t)screen->address + y * screen->pitch + x * screen->depth / 8;
}

/* Red grows to the right, green downwards, blue to the left; no two neighbours
 * are alike. */
static uint8_t colour(const struct framebuffer *screen, uint32_t x, uint32_t y, uint32_t byte)
{
	switch (byte) {
	case 0:
		return (uint8_t)(screen->width - 1 - x);
	case 1:
		return (uint8_t)y;
	case 2:
		return (uint8_t)x;
	}
	return 0;
}

static void draw(const struct framebuffer *screen)
{
	for (uint32_t y = 0; y < screen->height; y++)
		for (uint32_t x = 0; x < screen->width; x++)
			for (uint32_t byte = 0; byte < screen->depth / 8; byte++)
				pixel(screen, x, y)[byte] = colour(screen, x, y, byte);
	for (uint32_t y = 0; y < screen->height; y++)
		for (uint32_t x = 0; x < screen->width; x++)
			for (uint32_t byte = 0; byte < screen->depth / 8; byte++)
				CHECK(pixel(screen, x, y)[byte] == colour(screen, x, y, byte),
				      (uintptr_t)pixel(screen, x, y));
}

void kernel(const struct boot *boot)
{
	const struct framebuffer *screen = &boot->framebuffer;
	const char *size = find_word(boot->command_line, "size=");

	if (find_word(boot->command_line, "none") != NULL) {
		CHECK(screen->depth == 0, screen->depth);
		finish_as_told(boot);
	}
	CHECK(screen->depth != 0, screen->depth);
	print_decimal(screen->width);
	print("x");
	print_decimal(screen->height);
	print("x");
	print_decimal(screen->depth);
	print("\n");
	if (size != NULL)
		check_size(screen, size);
	check_format(screen);
	check_place(boot);
	draw(screen);
	print("drawn\n");
	while (find_word(boot->command_line, "wait") != NULL)
		__asm__ volatile("pause");
	finish_as_told(boot);
}
