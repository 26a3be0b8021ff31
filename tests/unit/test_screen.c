/* SPDX-License-Identifier: MIT
 *
 * What the text screen says: characters, sizes, and what is left out.
 */
#include "run/screen.h"

#include <iconv.h>
#include <stdlib.h>

#include "unit.h"

/* Registers of mode 3 as a BIOS sets it. */
static const uint8_t mode3[SCREEN_CRTC_COUNT] = {
	0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x00, 0x4f,
	0x0d, 0x0e, 0x00, 0x00, 0x00, 0x00, 0x9c, 0x8e, 0x8f, 0x28,
};
#define MODE3_GRAPHICS6 0x0e

static struct screen screen;

/* An empty screen of 80x25. */
static void start(void)
{
	memset(&screen, 0, sizeof(screen));
	screen_measure(&screen, MODE3_GRAPHICS6, mode3);
	for (size_t i = 0; i < SCREEN_CELLS; i++)
		screen.cells[i] = 0x0720;
}

static void put(size_t cell, const char *text)
{
	while (*text != '\0')
		screen.cells[cell++] = (uint16_t)(0x0700 | (uint8_t)*text++);
}

static void check_text(const char *says)
{
	char *text = screen_text(&screen);

	assert_string_equal(text, says);
	free(text);
}

/* ---- Characters ---------------------------------------------------------- */

TEST(letters_are_themselves)
{
	for (uint32_t c = 32; c < 127; c++)
		assert_int_equal(screen_unicode((uint8_t)c), c);
}

/* As iconv has them, which knows the upper half. */
TEST(upper_half_is_code_page_437)
{
	iconv_t converter = iconv_open("UTF-32LE", "CP437");

	if (converter == (iconv_t)-1)
		skip();
	for (unsigned int c = 128; c < 255; c++) {
		char byte = (char)c, *in = &byte;
		uint32_t wanted = 0;
		char *out = (char *)&wanted;
		size_t in_left = 1, out_left = sizeof(wanted);

		assert_int_equal(iconv(converter, &in, &in_left, &out, &out_left), 0);
		CHECK(screen_unicode((uint8_t)c) == wanted, "0x%02x: U+%04x, not U+%04x", c,
		      screen_unicode((uint8_t)c), wanted);
	}
	iconv_close(converter);
}

TEST(control_characters_have_pictures)
{
	assert_int_equal(screen_unicode(1), 0x263a);
	assert_int_equal(screen_unicode(3), 0x2665);
	assert_int_equal(screen_unicode(10), 0x25d9);
	assert_int_equal(screen_unicode(16), 0x25ba);
	assert_int_equal(screen_unicode(21), 0x00a7);
	assert_int_equal(screen_unicode(31), 0x25bc);
	assert_int_equal(screen_unicode(127), 0x2302);
}

/* None twice, but the three that show nothing; none that a terminal obeys. */
TEST(all_characters_differ)
{
	for (unsigned int a = 0; a < 256; a++) {
		uint32_t c = screen_unicode((uint8_t)a);

		CHECK(c >= 32 && c != 127 && !(c >= 0x80 && c < 0xa0), "0x%02x controls", a);
		for (unsigned int b = a + 1; b < 256 && c != ' '; b++)
			CHECK(c != screen_unicode((uint8_t)b), "0x%02x and 0x%02x", a, b);
	}
	assert_int_equal(screen_unicode(0), ' ');
	assert_int_equal(screen_unicode(255), ' ');
}

TEST(utf8_of_one_two_and_three_bytes)
{
	start();
	put(0, "A\x81\xb0");
	check_text("A\xc3\xbc\xe2\x96\x91\n");
}

/* ---- Sizes --------------------------------------------------------------- */

TEST(mode_3)
{
	start();
	assert_int_equal(screen.columns, 80);
	assert_int_equal(screen.lines, 25);
	assert_int_equal(screen.pitch, 80);
	assert_int_equal(screen.first, 0);
}

static void check_size(uint8_t index, uint8_t value, unsigned int columns, unsigned int lines)
{
	uint8_t crtc[SCREEN_CRTC_COUNT];

	memcpy(crtc, mode3, sizeof(crtc));
	crtc[index] = value;
	screen_measure(&screen, MODE3_GRAPHICS6, crtc);
	CHECK(screen.columns == columns && screen.lines == lines, "CRTC %u = 0x%02x: %ux%u", index, value,
	      screen.columns, screen.lines);
}

TEST(other_sizes)
{
	check_size(9, 0x47, 80, 50);
	check_size(9, 0x4d, 80, 28);
	check_size(1, 0x27, 40, 25);
	check_size(1, 0x83, 132, 25);
	check_size(7, 0x5f, 80, 57);	/* 912 lines of pixels */
	/* 400 lines of 80: more than there is memory for. */
	check_size(9, 0, 0, 0);
}

TEST(nonsense_sizes)
{
	uint8_t crtc[SCREEN_CRTC_COUNT];

	memset(crtc, 0xff, sizeof(crtc));
	crtc[9] = 0;
	screen_measure(&screen, MODE3_GRAPHICS6, crtc);
	assert_int_equal(screen.lines, 0);
	memset(crtc, 0, sizeof(crtc));
	screen_measure(&screen, MODE3_GRAPHICS6, crtc);
	assert_int_equal(screen.columns * screen.lines, 1);
}

TEST(not_in_text_mode)
{
	/* Graphics, the windows at 0xa0000 and 0xb0000, and no VGA. */
	static const uint8_t others[] = { 0x05, 0x0f, 0x00, 0x04, 0x08, 0xff };

	for (size_t i = 0; i < COUNT(others); i++) {
		screen_measure(&screen, others[i], mode3);
		CHECK(screen.lines == 0 && screen.columns == 0, "0x%02x", others[i]);
		check_text("");
	}
}

/* ---- Dumps --------------------------------------------------------------- */

TEST(dumps_of_memory)
{
	uint16_t cells[6];

	assert_int_equal(screen_parse("00000000000b8000: 0x07650753 0x07420761 \r\n"
				      "00000000000b8008: 0xffff0000\r\n", cells, 6), 6);
	assert_int_equal(cells[0], 0x0753);
	assert_int_equal(cells[1], 0x0765);
	assert_int_equal(cells[3], 0x0742);
	assert_int_equal(cells[4], 0);
	assert_int_equal(cells[5], 0xffff);
}

TEST(dumps_that_are_none)
{
	uint16_t cells[3] = { 0, 0, 0x1234 };

	assert_int_equal(screen_parse("", cells, 3), 0);
	assert_int_equal(screen_parse("Cannot access memory\r\n", cells, 3), 0);
	assert_int_equal(screen_parse("b8000: 0x", cells, 2), 2);
	assert_int_equal(screen_parse("b8000: 0x00010002 0x00030004", cells, 1), 1);
	assert_int_equal(cells[2], 0x1234);
}

/* ---- Text ---------------------------------------------------------------- */

TEST(blanks_are_trimmed)
{
	start();
	check_text("");
	put(0, " a b  ");
	put(2 * 80 + 79, "z");
	put(3 * 80, "\xff   ");
	screen.cells[4 * 80] = 0;
	check_text(" a b\n\n                                                                      "
		   "         z\n");
}

TEST(last_cell)
{
	start();
	put(80 * 25 - 1, "!");
	put(80 * 25, "not on the screen");
	char *text = screen_text(&screen);
	assert_int_equal(strlen(text), 24 + 80 + 1);
	free(text);
}

TEST(same_colours_show_nothing)
{
	start();
	put(0, "abc");
	screen.cells[1] = 0x1100 | 'b';
	screen.cells[2] = 'c';
	check_text("a\n");
}

/* The first cell anywhere, and around the end of the memory. */
TEST(scrolled)
{
	start();
	screen.first = SCREEN_CELLS - 80;
	put(SCREEN_CELLS - 80, "top");
	put(0, "second");
	check_text("top\nsecond\n");
}

TEST(pitch_is_not_the_width)
{
	start();
	screen.columns = 3;
	put(0, "abcd");
	put(80, "efgh");
	check_text("abc\nefg\n");
}

TEST(shows_new)
{
	static uint16_t before[SCREEN_FIRST_CELLS];

	start();
	put(0, "SeaBIOS");
	memcpy(before, screen.cells, sizeof(before));
	assert_false(screen_shows_new(&screen, before, SCREEN_FIRST_CELLS));
	/* Less than before is nothing new, nor is another colour. */
	put(3, "    ");
	screen.cells[0] = 0x1f00 | 'S';
	assert_false(screen_shows_new(&screen, before, SCREEN_FIRST_CELLS));
	put(1, "E");
	assert_true(screen_shows_new(&screen, before, SCREEN_FIRST_CELLS));

	start();
	screen.lines = 50;
	put(49 * 80, "below");
	assert_true(screen_shows_new(&screen, before, SCREEN_FIRST_CELLS));
	screen.lines = 49;
	assert_false(screen_shows_new(&screen, before, SCREEN_FIRST_CELLS));
}

TEST(erasing_an_attribute)
{
	start();
	put(0, "ab");
	screen.cells[1] = SCREEN_FAULT_ATTRIBUTE << 8 | 'b';
	screen_erase(&screen, SCREEN_FAULT_ATTRIBUTE);
	check_text("a\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(letters_are_themselves),
		cmocka_unit_test(upper_half_is_code_page_437),
		cmocka_unit_test(control_characters_have_pictures),
		cmocka_unit_test(all_characters_differ),
		cmocka_unit_test(utf8_of_one_two_and_three_bytes),
		cmocka_unit_test(mode_3),
		cmocka_unit_test(other_sizes),
		cmocka_unit_test(nonsense_sizes),
		cmocka_unit_test(not_in_text_mode),
		cmocka_unit_test(dumps_of_memory),
		cmocka_unit_test(dumps_that_are_none),
		cmocka_unit_test(blanks_are_trimmed),
		cmocka_unit_test(last_cell),
		cmocka_unit_test(same_colours_show_nothing),
		cmocka_unit_test(scrolled),
		cmocka_unit_test(pitch_is_not_the_width),
		cmocka_unit_test(shows_new),
		cmocka_unit_test(erasing_an_attribute),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
