/* SPDX-License-Identifier: MIT
 *
 * What a kernel died of, found out and told: which exceptions, where in the
 * kernel's source, what the page tables say, and what is likely behind it.
 */
#ifndef MKBOOTIMG_CRASH_H
#define MKBOOTIMG_CRASH_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "crash/cpu.h"
#include "crash/exceptions.h"
#include "crash/symbols.h"

#define CRASH_FRAMES 64
#define CRASH_CODE 16

/* Where the loader put the stack that it gives a kernel in long mode, behind a guard
 * page. */
struct crash_stack {
	uint64_t guard;		/* 0: not known */
	uint64_t size;
	bool has_idt;		/* the loader's IDT lies in the same 512 GiB */
};

/* What there is to look at. */
struct crash_evidence {
	struct cpu cpu;			/* as QEMU shows it now */
	bool has_cpu;
	struct memory memory;
	const char *log;		/* the end of QEMU's log; NULL: there is none */
	bool reported;			/* the loader's handlers reported an exception */
	const struct symbols *symbols;	/* NULL: no kernel file */
	struct crash_stack stack;
};

struct crash_frame {
	uint64_t address;
	bool inlined;			/* into the next */
	struct symbol_frame symbol;	/* function "" if unknown */
};

struct crash {
	bool has_cpu;
	struct cpu cpu;			/* at the first exception, or now */
	bool lost;			/* the registers are those after a reset */
	bool logged;			/* exceptions come from a log; else they are not known */
	struct exceptions exceptions;
	bool has_walk;
	struct walk walk;		/* of CR2, after a page fault */
	char object[128];		/* what lies there: "table+0x10" */
	unsigned char code[CRASH_CODE];
	size_t code_size;		/* bytes at the instruction that could be read */
	struct crash_frame frames[CRASH_FRAMES];
	size_t frame_count;
	bool has_symbols;
	bool elsewhere;			/* a triple fault, of which the log does not tell */
	bool early;			/* the IDT was the loader's still */
	char reason[256];		/* what is likely behind it, "" if nothing is */
};

void crash_examine(struct crash *crash, const struct crash_evidence *evidence);

/* "page fault (write, page not present) at 0x1234", or "" if nothing is known. */
struct crash_words {
	char text[512];
};
struct crash_words crash_cause(const struct crash *crash);

/* All of it, indented, a few lines. */
void crash_print(FILE *out, const struct crash *crash);
json_t *crash_json(const struct crash *crash);

#endif
