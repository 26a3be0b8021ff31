/* SPDX-License-Identifier: MIT
 *
 * Exceptions; see exceptions.h.
 */
#include "crash/exceptions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const vectors[32] = {
	[0] = "divide error",
	[1] = "debug exception",
	[2] = "non-maskable interrupt",
	[3] = "breakpoint",
	[4] = "overflow",
	[5] = "bound range exceeded",
	[6] = "invalid opcode",
	[7] = "device not available",
	[8] = "double fault",
	[10] = "invalid TSS",
	[11] = "segment not present",
	[12] = "stack fault",
	[13] = "general protection",
	[14] = "page fault",
	[16] = "x87 floating-point error",
	[17] = "alignment check",
	[18] = "machine check",
	[19] = "SIMD floating-point exception",
	[20] = "virtualization exception",
	[21] = "control protection",
};

const char *exception_name(unsigned int vector)
{
	return vector < 32 && vectors[vector] != NULL ? vectors[vector] : "interrupt";
}

/* Intel SDM volume 3, 4.7 and 6.13. */
struct exception_words exception_error(unsigned int vector, uint32_t error)
{
	struct exception_words words = { "" };

	if (vector == 14) {
		const char *what = error & 16 ? "instruction fetch" : error & 2 ? "write" : "read";

		snprintf(words.text, sizeof(words.text), "%s%s, %s%s", error & 4 ? "user " : "", what,
			 error & 1 ? "page is mapped but does not allow it" : "page not present",
			 error & 8 ? ", reserved bit set in the page tables" : "");
	} else if (vector >= 10 && vector <= 13 && error != 0) {
		const char *event = error & 1 ? ", while delivering an event" : "";

		/* Of an IDT entry QEMU and CPUs give different numbers in long mode. */
		if (error & 2)
			snprintf(words.text, sizeof(words.text), "an IDT entry%s", event);
		else
			snprintf(words.text, sizeof(words.text), "%s entry %u%s", error & 4 ? "LDT" : "GDT",
				 error >> 3 & 0x1fff, event);
	}
	return words;
}

/* A line "     0: v=0e e=0002 i=0 cpl=0 IP=0008:..." and the registers below it. */
static bool parse_entry(const char *line, struct exception *exception)
{
	size_t blanks = strspn(line, " "), digits = strspn(line + blanks, "0123456789");
	const char *vector = line + blanks + digits, *error;

	if (digits == 0 || strncmp(vector, ": v=", 4) != 0)
		return false;
	exception->vector = (unsigned int)strtoul(vector + 4, NULL, 16);
	const char *end_of_line = vector + strcspn(vector, "\n"), *software = strstr(vector, " i=1");
	error = strstr(vector, " e=");
	exception->error = error != NULL && error < end_of_line ? (uint32_t)strtoul(error + 3, NULL, 16) : 0;
	exception->software = software != NULL && software < end_of_line;

	/* The dump reaches to the next line that is none of registers. */
	const char *dump = strchr(line, '\n');
	if (dump == NULL)
		return false;
	const char *end = strstr(dump, "\nEFER=");
	if (end == NULL)
		return false;
	end += 1 + strcspn(end + 1, "\n");
	char *copy = strndup(dump, (size_t)(end - dump));
	bool good = copy != NULL && cpu_parse(&exception->cpu, copy);
	free(copy);
	return good;
}

bool exception_is(const struct exception *exception)
{
	/* int3 and into are exceptions by their own instructions. */
	return !exception->hardware && !(exception->software && exception->vector > 4);
}

struct exception_label exception_label(const struct exception *exception)
{
	struct exception_words error = exception_error(exception->vector, exception->error);
	struct exception_label words;

	if (exception->hardware)
		snprintf(words.text, sizeof(words.text), "hardware interrupt (vector %u)", exception->vector);
	else if (!exception_is(exception))
		snprintf(words.text, sizeof(words.text), "the instruction int 0x%x", exception->vector);
	else
		snprintf(words.text, sizeof(words.text), "%s (vector %u%s%s)",
			 exception_name(exception->vector), exception->vector,
			 error.text[0] != '\0' ? ": " : "", error.text);
	return words;
}

/* Does an exception while this one is delivered become a double fault? */
static bool is_contributory(const struct exception *e)
{
	return exception_is(e) && (e->vector == 0 || e->vector == 8 || (e->vector >= 10 && e->vector <= 14));
}

static void add(struct exceptions *exceptions, const struct exception *exception, bool fresh)
{
	const struct exception *last =
		exceptions->count > 0 ? &exceptions->chain[exceptions->count - 1] : NULL;

	/* What happened elsewhere was handled. */
	if (last != NULL && (exception->hardware || (fresh && is_contributory(last)) ||
			     last->cpu.ip != exception->cpu.ip ||
			     last->cpu.gpr[CPU_RSP] != exception->cpu.gpr[CPU_RSP]))
		exceptions->count = 0;
	if (exceptions->count == EXCEPTIONS_MOST) {
		memmove(exceptions->chain, exceptions->chain + 1,
			(EXCEPTIONS_MOST - 1) * sizeof(exceptions->chain[0]));
		exceptions->count--;
	}
	exceptions->chain[exceptions->count++] = *exception;
}

static bool begins(const char *line, const char *text)
{
	return strncmp(line, text, strlen(text)) == 0;
}

void exceptions_parse(struct exceptions *exceptions, const char *log)
{
	bool hardware = false, fresh = false;
	bool told = false;	/* the last event has an entry */

	*exceptions = (struct exceptions){0};
	for (const char *line = log; *line != '\0'; line += strcspn(line, "\n"), line += *line == '\n') {
		struct exception exception = { 0 };

		if (begins(line, "Triple fault")) {
			exceptions->triple_fault = true;
			/* It has no entries of its own: other exceptions were handled. */
			if (!told)
				exceptions->count = 0;
		} else if (begins(line, "Servicing hardware INT")) {
			hardware = true;
		} else if (parse_entry(line, &exception)) {
			exception.hardware = hardware;
			exceptions->triple_fault = false;
			add(exceptions, &exception, fresh);
			told = true;
			hardware = fresh = false;
		} else if (begins(line, "check_exception old: ")) {
			fresh = begins(line, "check_exception old: 0xffffffff ");
			told &= !fresh;
			hardware = false;
		} else {
			hardware = false;
		}
	}
}
