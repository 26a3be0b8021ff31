/* SPDX-License-Identifier: MIT
 *
 * What went wrong, as a value: made where it happens, given context on the way
 * up, printed once, in main().  It owns no memory, so there is nothing to free.
 *
 * A function that can fail takes "struct error *" last and returns 0 or -1;
 * error_set() returns -1, so that failing is one line:
 *
 *	return error_set(err, ERROR_SYSTEM, errno, "cannot open '%s'", path);
 */
#ifndef MKBOOTIMG_ERROR_H
#define MKBOOTIMG_ERROR_H

#include <stdio.h>

/* Who has to do something about it.  Internal; exit statuses are the
 * commands' (command.h). */
enum error_class {
	ERROR_NONE = 0,
	ERROR_USAGE,	/* the command line */
	ERROR_INPUT,	/* the kernel or image */
	ERROR_SYSTEM,	/* a system call or another program */
};

struct error {
	enum error_class class;
	char text[1024];	/* one sentence, no full stop, no newline */
	char hint[512];		/* what to do, "" if the sentence says it */
};

/* Set the error.  errnum, if not 0, adds ": " and its meaning.  Returns -1. */
int error_set(struct error *err, enum error_class class, int errnum, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Put "CONTEXT: " in front.  Returns -1. */
int error_wrap(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Say what to do about it.  Returns -1. */
int error_hint(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Print "mkbootimg: COMMAND: TEXT" and the hint to stderr, escaped.  command may be
 * NULL: there is none yet. */
void error_print(const struct error *err, const char *command);

/* Print "mkbootimg: COMMAND: warning: 'SUBJECT': TEXT" to stderr, escaped
 * likewise. */
void warning_print(const char *command, const char *subject, const char *text);

/* Print a text that a file or its name brought in: control characters, which could
 * tell a terminal things, and what is not UTF-8, as \xNN. */
void print_escaped(FILE *out, const char *text);

#endif
