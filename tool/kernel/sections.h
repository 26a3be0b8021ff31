/* SPDX-License-Identifier: MIT
 *
 * A kernel's section header table and symbols, for protocols that hand them to
 * the kernel (MB1 3.3, "syms"; MB2 3.6.7).
 */
#ifndef MKBOOTIMG_SECTIONS_H
#define MKBOOTIMG_SECTIONS_H

#include <stdint.h>

#include "kernel/kernel.h"
#include "plan/plan.h"

struct sections {
	uint32_t offset;	/* of the section header table in the plan's info */
	uint32_t count;		/* 0: there is none to give */
	uint32_t entry_size;	/* bytes of a header */
	uint32_t strings;	/* index of the section with the sections' names */
};

/* Bytes that sections_plan() will add to the info; 0 if the file has no sections
 * that could be given. */
uint64_t sections_size(const struct kernel *kernel);

/* Put the table into the info, at a multiple of align, and symbol and string
 * tables into a block not below an address; what is loaded has sh_addr point to
 * it.  Debug information is not loaded. */
void sections_plan(struct plan *plan, const struct kernel *kernel, uint64_t lowest, size_t align,
		   struct sections *sections);

#endif
