/* SPDX-License-Identifier: MIT
 *
 * The guest's screen; see screen.h.
 */
#include "run/screen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fileio.h"

#define PICTURE_MS 30000	/* a large screen is compressed first */

/* Ports: index registers, whose data register is the next port. */
#define VGA_GRAPHICS 0x3ce
#define VGA_CRTC 0x3d4

#define MODE_GRAPHICS 0x01u	/* in graphics register 6 */
#define MODE_WINDOW 0x0cu	/* which addresses lead to it */
#define MODE_WINDOW_TEXT 0x0cu	/* 0xb8000 to 0xbffff */

/* Characters 0 to 31, and 127 to 255. */
static const uint16_t low_characters[32] = {
	0x0020, 0x263a, 0x263b, 0x2665, 0x2666, 0x2663, 0x2660, 0x2022,
	0x25d8, 0x25cb, 0x25d9, 0x2642, 0x2640, 0x266a, 0x266b, 0x263c,
	0x25ba, 0x25c4, 0x2195, 0x203c, 0x00b6, 0x00a7, 0x25ac, 0x21a8,
	0x2191, 0x2193, 0x2192, 0x2190, 0x221f, 0x2194, 0x25b2, 0x25bc,
};
static const uint16_t high_characters[129] = {
	0x2302,
	0x00c7, 0x00fc, 0x00e9, 0x00e2, 0x00e4, 0x00e0, 0x00e5, 0x00e7,
	0x00ea, 0x00eb, 0x00e8, 0x00ef, 0x00ee, 0x00ec, 0x00c4, 0x00c5,
	0x00c9, 0x00e6, 0x00c6, 0x00f4, 0x00f6, 0x00f2, 0x00fb, 0x00f9,
	0x00ff, 0x00d6, 0x00dc, 0x00a2, 0x00a3, 0x00a5, 0x20a7, 0x0192,
	0x00e1, 0x00ed, 0x00f3, 0x00fa, 0x00f1, 0x00d1, 0x00aa, 0x00ba,
	0x00bf, 0x2310, 0x00ac, 0x00bd, 0x00bc, 0x00a1, 0x00ab, 0x00bb,
	0x2591, 0x2592, 0x2593, 0x2502, 0x2524, 0x2561, 0x2562, 0x2556,
	0x2555, 0x2563, 0x2551, 0x2557, 0x255d, 0x255c, 0x255b, 0x2510,
	0x2514, 0x2534, 0x252c, 0x251c, 0x2500, 0x253c, 0x255e, 0x255f,
	0x255a, 0x2554, 0x2569, 0x2566, 0x2560, 0x2550, 0x256c, 0x2567,
	0x2568, 0x2564, 0x2565, 0x2559, 0x2558, 0x2552, 0x2553, 0x256b,
	0x256a, 0x2518, 0x250c, 0x2588, 0x2584, 0x258c, 0x2590, 0x2580,
	0x03b1, 0x00df, 0x0393, 0x03c0, 0x03a3, 0x03c3, 0x00b5, 0x03c4,
	0x03a6, 0x0398, 0x03a9, 0x03b4, 0x221e, 0x03c6, 0x03b5, 0x2229,
	0x2261, 0x00b1, 0x2265, 0x2264, 0x2320, 0x2321, 0x00f7, 0x2248,
	0x00b0, 0x2219, 0x00b7, 0x221a, 0x207f, 0x00b2, 0x25a0, 0x0020,
};

uint32_t screen_unicode(uint8_t character)
{
	if (character < 32)
		return low_characters[character];
	return character < 127 ? character : high_characters[character - 127];
}

void screen_measure(struct screen *screen, uint8_t graphics6, const uint8_t crtc[SCREEN_CRTC_COUNT])
{
	unsigned int height = (crtc[9] & 0x1fu) + 1;	/* of a character */
	unsigned int rows = (crtc[0x12] | (crtc[7] & 0x02u) << 7 | (crtc[7] & 0x40u) << 3) + 1;

	screen->columns = screen->lines = 0;
	/* Without a VGA all bits are set. */
	if (graphics6 & MODE_GRAPHICS || (graphics6 & MODE_WINDOW) != MODE_WINDOW_TEXT)
		return;
	screen->first = (unsigned int)(crtc[0x0c] << 8 | crtc[0x0d]) % SCREEN_CELLS;
	screen->pitch = crtc[0x13] * 2u;
	screen->columns = crtc[1] + 1u;
	screen->lines = rows / height;
	/* Nonsense of a kernel that was about to change it. */
	if (screen->columns * screen->lines > SCREEN_CELLS)
		screen->columns = screen->lines = 0;
}

size_t screen_parse(const char *dump, uint16_t *cells, size_t count)
{
	size_t found = 0;

	/* "00000000000b8000: 0x07650753 0x07420761 0x074f0749 0x07200753" */
	for (const char *next = dump; found < count && (next = strstr(next, " 0x")) != NULL;) {
		char *end;
		unsigned long word = strtoul(next + 3, &end, 16);

		cells[found++] = (uint16_t)word;
		if (found < count)
			cells[found++] = (uint16_t)(word >> 16);
		next = end;
	}
	return found;
}

static size_t cell_index(const struct screen *screen, unsigned int line, unsigned int column)
{
	return (screen->first + line * screen->pitch + column) % SCREEN_CELLS;
}

/* A character in the colour of its background shows nothing. */
static uint32_t visible(uint16_t cell)
{
	uint8_t attribute = SCREEN_ATTRIBUTE(cell);

	return (attribute & 0x0f) == attribute >> 4 ? ' ' : screen_unicode((uint8_t)cell);
}

static void put_utf8(FILE *out, uint32_t c)
{
	if (c < 0x80) {
		putc((int)c, out);
		return;
	}
	if (c < 0x800) {
		putc((int)(0xc0 | c >> 6), out);
	} else {
		putc((int)(0xe0 | c >> 12), out);
		putc((int)(0x80 | (c >> 6 & 0x3f)), out);
	}
	putc((int)(0x80 | (c & 0x3f)), out);
}

/* Columns up to the last that is not blank. */
static unsigned int line_length(const struct screen *screen, unsigned int line)
{
	unsigned int length = screen->columns;

	while (length > 0 && visible(screen->cells[cell_index(screen, line, length - 1)]) == ' ')
		length--;
	return length;
}

char *screen_text(const struct screen *screen)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	unsigned int lines = screen->lines;

	if (out == NULL)
		abort();
	while (lines > 0 && line_length(screen, lines - 1) == 0)
		lines--;
	for (unsigned int line = 0; line < lines; line++) {
		unsigned int length = line_length(screen, line);

		for (unsigned int column = 0; column < length; column++)
			put_utf8(out, visible(screen->cells[cell_index(screen, line, column)]));
		putc('\n', out);
	}
	if (fclose(out) != 0)
		abort();
	return text;
}

bool screen_shows_new(const struct screen *screen, const uint16_t *before, size_t before_count)
{
	for (unsigned int line = 0; line < screen->lines; line++) {
		for (unsigned int column = 0; column < screen->columns; column++) {
			size_t index = cell_index(screen, line, column);
			uint16_t cell = screen->cells[index];
			uint16_t old = index < before_count ? before[index] : 0;

			if (visible(cell) != ' ' && visible(cell) != visible(old))
				return true;
		}
	}
	return false;
}

void screen_erase(struct screen *screen, uint8_t attribute)
{
	for (size_t i = 0; i < SCREEN_CELLS; i++) {
		if (SCREEN_ATTRIBUTE(screen->cells[i]) == attribute)
			screen->cells[i] = 0;
	}
}

/* ---- Through QEMU's control socket ----------------------------------------- */

static size_t read_cells(uint16_t *cells, size_t count, struct qmp *qmp)
{
	CLEANUP_FREE char *command = format_string("xp/%zuxw 0x%x", count / 2, SCREEN_MEMORY);
	CLEANUP_FREE char *dump = qmp_monitor(qmp, command, QMP_ANSWER_MS);

	return dump != NULL ? screen_parse(dump, cells, count) : 0;
}

/* A VGA register, by its index.  Reading it leaves the index changed: only for a
 * guest that will not go on. */
static bool read_register(uint8_t *value, unsigned int port, unsigned int index, struct qmp *qmp)
{
	CLEANUP_FREE char *command = format_string("i/b 0x%x .%u", port, index);
	CLEANUP_FREE char *answer = qmp_monitor(qmp, command, QMP_ANSWER_MS);
	const char *equals = answer != NULL ? strchr(answer, '=') : NULL;

	if (equals == NULL)
		return false;
	*value = (uint8_t)strtoul(equals + 1, NULL, 16);
	return true;
}

bool screen_read(struct screen *screen, struct qmp *qmp)
{
	static const uint8_t wanted[] = { 1, 7, 9, 0x0c, 0x0d, 0x12, 0x13 };
	uint8_t graphics6, crtc[SCREEN_CRTC_COUNT] = { 0 };

	if (!read_register(&graphics6, VGA_GRAPHICS, 6, qmp))
		return false;
	for (size_t i = 0; i < sizeof(wanted); i++) {
		if (!read_register(&crtc[wanted[i]], VGA_CRTC, wanted[i], qmp))
			return false;
	}
	screen_measure(screen, graphics6, crtc);
	return screen->lines == 0 || read_cells(screen->cells, SCREEN_CELLS, qmp) == SCREEN_CELLS;
}

size_t screen_read_first(uint16_t *cells, struct qmp *qmp)
{
	return read_cells(cells, SCREEN_FIRST_CELLS, qmp);
}

int screen_picture(struct qmp *qmp, int fd, struct error *err)
{
	CLEANUP_FREE char *path = format_string("/dev/fd/%d", fd);
	json_t *answer = qmp_execute(qmp, "screendump",
				     json_pack("{s:s, s:s}", "filename", path, "format", "png"), PICTURE_MS);
	struct stat st;

	if (answer != NULL) {
		json_decref(answer);
		if (fstat(fd, &st) == 0 && st.st_size > 0)
			return 0;
		return error_set(err, ERROR_SYSTEM, 0, "QEMU wrote nothing");
	}
	if (qmp->refusal[0] != '\0')
		return error_set(err, ERROR_SYSTEM, 0, "QEMU says: %s", qmp->refusal);
	return error_set(err, ERROR_SYSTEM, 0, "%s",
			 qmp->fd < 0 ? "the machine ended with QEMU" : "QEMU does not answer");
}
