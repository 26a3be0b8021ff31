/* SPDX-License-Identifier: MIT
 *
 * Errors as values; see error.h.
 */
#include "error.h"

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

void print_escaped(FILE *out, const char *text)
{
	for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
		if (*c < 0x20 || *c == 0x7f)
			fprintf(out, "\\x%02x", *c);
		else
			putc(*c, out);
	}
}

static void print_line(const char *command, const char *text)
{
	fprintf(stderr, "mkbootimg: %s: ", command);
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
