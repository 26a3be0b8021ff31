/* SPDX-License-Identifier: MIT
 *
 * What symbols.c knows of a kernel's file, for debuginfo.c and unwind.c.
 * Addresses here are as linked.
 */
#ifndef MKBOOTIMG_SYMBOLS_FILE_H
#define MKBOOTIMG_SYMBOLS_FILE_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crash/symbols.h"

struct symbols_section {
	uint64_t addr;
	uint64_t size;			/* 0 if it is not loaded */
	const char *name;
	const unsigned char *text;	/* what strings of debug information may lie in */
	size_t text_size;
};

struct symbols {
	unsigned char *bytes;		/* the whole file */
	size_t size;
	uint64_t slide;
	bool allow_physical;
	bool is_64;			/* the file's class */
	Elf *elf;			/* NULL if it is not one */
	Dwarf *dwarf;			/* NULL if there is no debug information */
	int64_t *time_taken;		/* by looking up debug information, in nanoseconds */
	Dwarf_CFI *eh_frame;		/* NULL if there is none */
	Dwarf_CFI *debug_frame;		/* likewise; it is dwarf's */
	struct symbols_segment *segments;
	size_t segment_count;
	struct symbols_section *sections;	/* by their numbers in the file */
	size_t section_count;
	struct symbols_name *names;
	size_t name_count;
};

/* The address as linked; false if it is not in the kernel. */
bool symbols_linked(const struct symbols *symbols, uint64_t address, uint64_t *linked);

/* Where the function, or what may be one, that an address lies in begins and
 * ends. */
bool symbols_function(const struct symbols *symbols, uint64_t linked, uint64_t *start,
		      uint64_t *end);

/* Bytes of the kernel as its file has them.  Returns how many of size there are
 * in the segment. */
size_t symbols_code(const struct symbols *symbols, uint64_t linked, unsigned char *code,
		    size_t size);

/* Fill in frames from debug information: at least one, be it empty. */
size_t symbols_find_debug(const struct symbols *symbols, uint64_t linked,
			  struct symbol_frame *frames, size_t most);

/* Take a function's name: linkage is the symbol's, plain the source's; either
 * may be NULL. */
void symbols_put_name(char *text, size_t size, const char *linkage, const char *plain);

/* Copy length bytes, or as many as there is room for. */
void symbols_copy(char *text, size_t size, const char *from, size_t length);

#endif
