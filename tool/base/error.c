/* SPDX-License-Identifier: MIT
 *
 * Errors as values; see error.h.
 */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int error_set(struct error *err, enum error_class class, int errnum, const char *format, ...)
{
	va_list args;

	err->class = class;
	err->hint[0] = '\0';
	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	if (errnum != 0) {
		size_t used = strlen(err->text);

		snprintf(err->text + used, sizeof(err->text) - used, ": %s", strerror(errnum));
	}
	return -1;
}

int error_wrap(struct error *err, const char *format, ...)
{
	char old[sizeof(err->text)];
	va_list args;

	memcpy(old, err->text, sizeof(old));
	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	size_t used = strlen(err->text);
	snprintf(err->text + used, sizeof(err->text) - used, ": %s", old);
	return -1;
}

int error_hint(struct error *err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(err->hint, sizeof(err->hint), format, args);
	va_end(args);
	return -1;
}

/* The bytes of the UTF-8 character that a text begins with; 0 if it is none, or one
 * that controls a terminal (U+0080 to U+009F). */
static int character_size(const unsigned char *c)
{
	int size = *c < 0x80 ? 1 : *c < 0xc2 ? 0 : *c < 0xe0 ? 2 : *c < 0xf0 ? 3 : *c < 0xf5 ? 4 : 0;

	if (*c < 0x20 || *c == 0x7f || (*c == 0xc2 && c[1] < 0xa0))
		return 0;
	/* Longer than need be: it might stand for one of these. */
	if ((*c == 0xe0 && c[1] < 0xa0) || (*c == 0xf0 && c[1] < 0x90))
		return 0;
	for (int i = 1; i < size; i++) {
		if ((c[i] & 0xc0) != 0x80)
			return 0;
	}
	return size;
}

void print_escaped(FILE *out, const char *text)
{
	const unsigned char *c = (const unsigned char *)text;

	while (*c != '\0') {
		const unsigned char *start = c;

		/* Standard error writes at each call, so as much as may be in one. */
		for (int size; (size = character_size(c)) > 0 && *c != '\0'; c += size)
			;
		if (c != start)
			fwrite(start, 1, (size_t)(c - start), out);
		if (*c != '\0')
			fprintf(out, "\\x%02x", *c++);
	}
}

static void print_line(const char *command, const char *text)
{
	fputs("mkbootimg: ", stderr);
	if (command != NULL)
		fprintf(stderr, "%s: ", command);
	print_escaped(stderr, text);
	putc('\n', stderr);
}

void error_print(const struct error *err, const char *command)
{
	print_line(command, err->text);
	if (err->hint[0] != '\0')
		print_line(command, err->hint);
}

void warning_print(const char *command, const char *subject, const char *text)
{
	fprintf(stderr, "mkbootimg: %s: warning: '", command);
	print_escaped(stderr, subject);
	fputs("': ", stderr);
	print_escaped(stderr, text);
	putc('\n', stderr);
}
