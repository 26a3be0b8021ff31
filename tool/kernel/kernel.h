/* SPDX-License-Identifier: MIT
 *
 * A kernel file, read from bytes (libelf) into what planning needs.  No I/O, no
 * printing, no opinion on protocols or placement.
 *
 * Nothing in the file is trusted.  After kernel_parse() each segment's file
 * range lies in the file and its address range does not wrap around.
 */
#ifndef MKBOOTIMG_KERNEL_H
#define MKBOOTIMG_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* A PT_LOAD program header with something to load. */
struct segment {
	unsigned int index;	/* its number as readelf -l counts program headers */
	uint64_t offset;	/* in the file */
	uint64_t vaddr;
	uint64_t paddr;
	uint64_t filesz;	/* <= memsz */
	uint64_t memsz;		/* > 0 */
	uint64_t align;		/* p_align: a power of two, or 0 or 1 for none */
	uint32_t flags;		/* PF_R, PF_W, PF_X */
	char sections[64];	/* names of the sections in it, as many as fit; may be "" */
};

/* Bytes of the file. */
struct kernel_range {
	uint64_t offset;
	uint64_t size;
	uint64_t align;
};

/* PT_TLS: what each thread's own data begins as. */
struct kernel_tls {
	unsigned int count;	/* of such program headers; what follows is the last one's */
	uint64_t vaddr;
	uint64_t filesz;
	uint64_t memsz;
};

struct kernel {
	const unsigned char *bytes;	/* the whole file, the caller's */
	size_t size;
	bool is_elf;		/* if not, all below is empty: a flat binary */
	bool is_64;		/* ELFCLASS64 */
	uint16_t machine;	/* EM_X86_64 or EM_386 */
	uint16_t type;		/* ET_EXEC or ET_DYN */
	uint64_t entry;
	struct segment *segments;	/* sorted by vaddr, not overlapping */
	size_t segment_count;	/* > 0 in an ELF file */
	char entry_symbol[64];	/* the symbol at the entry point, "" if there is none */
	bool has_gnu_stack;	/* there is a PT_GNU_STACK */
	bool executable_stack;	/* and it asks for an executable stack */
	uint64_t header_size;	/* of ELF header and program headers at the file's start */
	struct kernel_range dynamic;	/* PT_DYNAMIC, in the file; size 0 if there is none */
	struct kernel_range *notes;	/* PT_NOTEs, those that lie in the file */
	size_t note_count;
	struct kernel_tls tls;
	bool has_bootloader_config;	/* there is a section .bootloader-config */
	char debug_section[64];	/* a section of debug information that is loaded, or "" */
};

/* Do these bytes begin like an ELF file? */
bool kernel_is_elf(const unsigned char *bytes, size_t size);

/* Read a kernel.  name is for messages.  On success the caller frees with
 * kernel_free() before bytes go away. */
int kernel_parse(struct kernel *kernel, const unsigned char *bytes, size_t size, const char *name,
		 struct error *err);
void kernel_free(struct kernel *kernel);

/* Are the first bytes of a segment nothing but the ELF header, the program
 * headers and zeros?  Linkers load those along, where nobody asked for them. */
bool kernel_only_headers(const struct kernel *kernel, const struct segment *segment,
			 uint64_t bytes);

/* What to call a segment: "segment 3 (.data .bss, 0x200000-0x201000)". */
struct segment_label {
	char text[160];
};
struct segment_label segment_label(const struct segment *segment);

#endif
