/* SPDX-License-Identifier: MIT
 *
 * The guest's screen: what it says in VGA text mode, and pictures of it.
 */
#ifndef MKBOOTIMG_SCREEN_H
#define MKBOOTIMG_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "run/qmp.h"

#define SCREEN_MEMORY 0xb8000u
#define SCREEN_CELLS 16384u	/* of the 32 KiB from there on */
#define SCREEN_FIRST_CELLS 2000u	/* of a screen as the firmware sets it up, 80x25 */
#define SCREEN_CRTC_COUNT 0x14u	/* registers that matter of the CRT controller */

/* Attributes are in a cell's upper byte. */
#define SCREEN_ATTRIBUTE(cell) ((uint8_t)((cell) >> 8))
#define SCREEN_FAULT_ATTRIBUTE 0x4f	/* of the loader's fault report: white on red */

struct screen {
	unsigned int columns, lines;	/* 0: not in text mode, or no screen */
	unsigned int first;		/* cell of the upper left corner */
	unsigned int pitch;		/* cells from one line to the next */
	uint16_t cells[SCREEN_CELLS];
};

/* ---- Pure ---------------------------------------------------------------- */

/* Code page 437 as Unicode; what shows nothing (0, 255) is a space. */
uint32_t screen_unicode(uint8_t character);

/* Set columns, lines, first and pitch from VGA registers: the graphics
 * controller's number 6, and the CRT controller's. */
void screen_measure(struct screen *screen, uint8_t graphics6, const uint8_t crtc[SCREEN_CRTC_COUNT]);

/* Read cells from a dump of memory by QEMU's monitor ("xp" in words of 32 bits).
 * Returns how many there were. */
size_t screen_parse(const char *dump, uint16_t *cells, size_t count);

/* What it says, in UTF-8, without the blanks at the ends of lines and without the
 * empty lines at its end; each line ends with a newline, an empty screen is "".
 * The caller frees. */
char *screen_text(const struct screen *screen);

/* Does it show a character that was not there before? */
bool screen_shows_new(const struct screen *screen, const uint16_t *before, size_t before_count);

/* Make cells with an attribute blank. */
void screen_erase(struct screen *screen, uint8_t attribute);

/* ---- Through QEMU's control socket ----------------------------------------- */

/* Read it.  False if QEMU does not answer. */
bool screen_read(struct screen *screen, struct qmp *qmp);

/* Read the first cells only, which a waiting guest does not notice.  Returns how
 * many there are, at most SCREEN_FIRST_CELLS. */
size_t screen_read_first(uint16_t *cells, struct qmp *qmp);

/* Have QEMU write a picture, as PNG, to a file that it inherited. */
int screen_picture(struct qmp *qmp, int fd, struct error *err);

#endif
