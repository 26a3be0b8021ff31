/* SPDX-License-Identifier: MIT
 *
 * Relocations of a position-independent kernel (ET_DYN, a static PIE), done on
 * the host, so that neither the kernel nor the loader has to.  Numbers out; no
 * byte is changed here, and where the kernel goes is the caller's affair.
 *
 * What only a dynamic loader could do (shared libraries, thread-local storage,
 * functions chosen at run time) is refused.  Nothing in the file is trusted.
 */
#ifndef MKBOOTIMG_RELOCATE_H
#define MKBOOTIMG_RELOCATE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "kernel/kernel.h"

/* A number to write where the relocations of a file say. */
struct relocation {
	uint64_t address;	/* link-time virtual address, all of it in one segment's file bytes */
	uint64_t value;		/* what to write there, width bytes, little-endian */
	uint32_t width;		/* 4 or 8 */
};

/* Relocate an ET_DYN kernel by slide (0 too: the linker may have left the
 * numbers to us).  name is the file's, for messages.  *list is sorted by
 * address, one per address, none overlapping; the caller frees.  It is NULL
 * after a failure and if there is nothing to relocate.
 *
 * The slide counts modulo the size of an address, so it may lead downwards too;
 * that the slid segments are within it is for the caller to see to. */
int relocate(const struct kernel *kernel, uint64_t slide, const char *name,
	     struct relocation **list, size_t *count, struct error *err);

#endif
