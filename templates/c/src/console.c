#include "console.h"

#include "machine.h"

/* ---- Serial port ----------------------------------------------------------- */

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
	/* Wait until it can take a byte, but not for ever: there may be no port. */
	for (int i = 0; i < 100000 && !(in8(COM1 + 5) & 0x20); i++)
		;
	out8(COM1, (uint8_t)c);
}

/* ---- Screen ---------------------------------------------------------------- */

#define COLUMNS 80
#define ROWS 25
#define COLOUR 0x0f00	/* white on black */

static volatile uint16_t *const screen = (volatile uint16_t *)0xb8000;
static unsigned int row, column;

static void screen_clear(void)
{
	for (unsigned int i = 0; i < ROWS * COLUMNS; i++)
		screen[i] = COLOUR | ' ';
}

static void screen_scroll(void)
{
	for (unsigned int i = 0; i < (ROWS - 1) * COLUMNS; i++)
		screen[i] = screen[i + COLUMNS];
	for (unsigned int i = 0; i < COLUMNS; i++)
		screen[(ROWS - 1) * COLUMNS + i] = COLOUR | ' ';
}

static void screen_put(char c)
{
	if (c != '\n')
		screen[row * COLUMNS + column++] = (uint16_t)(COLOUR | (uint8_t)c);
	if (c != '\n' && column < COLUMNS)
		return;
	column = 0;
	if (row == ROWS - 1)
		screen_scroll();
	else
		row++;
}

/* ---- Both ------------------------------------------------------------------ */

static void put(char c)
{
	if (c == '\n')
		serial_put('\r');
	serial_put(c);
	screen_put(c);
}

void console_setup(void)
{
	serial_setup();
	screen_clear();
}

void print(const char *text)
{
	while (*text != '\0')
		put(*text++);
}

void print_number(uint64_t number)
{
	char digits[21];
	char *first = &digits[20];

	*first = '\0';
	do {
		*--first = (char)('0' + number % 10);
		number /= 10;
	} while (number != 0);
	print(first);
}
