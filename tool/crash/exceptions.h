/* SPDX-License-Identifier: MIT
 *
 * The exceptions a kernel died of: from QEMU's log ("-d int,cpu_reset", only with
 * TCG), the last ones, which happened at one place.
 */
#ifndef MKBOOTIMG_EXCEPTIONS_H
#define MKBOOTIMG_EXCEPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crash/cpu.h"

#define EXCEPTIONS_MOST 4

struct exception {
	unsigned int vector;
	uint32_t error;		/* 0 if the vector has none */
	bool hardware;		/* an interrupt of a device, not an exception */
	bool software;		/* an "int" instruction */
	struct cpu cpu;		/* when it happened */
};

struct exceptions {
	struct exception chain[EXCEPTIONS_MOST];	/* in the order in which they happened */
	size_t count;
	bool triple_fault;	/* the log ends with one */
};

/* Read the end of a log, NUL-terminated. */
void exceptions_parse(struct exceptions *exceptions, const char *log);

/* "page fault"; "interrupt" for what is no exception. */
const char *exception_name(unsigned int vector);

/* An error code in words: "write, page not present"; "IDT entry 14"; "" for 0. */
struct exception_words {
	char text[128];
};
struct exception_words exception_error(unsigned int vector, uint32_t error);

/* Is it an exception, or an interrupt that came by its number? */
bool exception_is(const struct exception *exception);

/* "page fault (vector 14: write, page not present)" */
struct exception_label {
	char text[192];
};
struct exception_label exception_label(const struct exception *exception);

#endif
