/* SPDX-License-Identifier: MIT
 *
 * A kernel's segments at the addresses where they go: as linked, or, if the
 * file is position independent, moved and relocated.
 */
#ifndef MKBOOTIMG_PLACED_H
#define MKBOOTIMG_PLACED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "kernel/kernel.h"
#include "plan/plan.h"
#include "kernel/relocate.h"

struct placed {
	struct segment *segments;	/* the kernel's, moved by slide, in its order */
	size_t segment_count;
	uint64_t entry;			/* moved too */
	uint64_t slide;			/* added to each linked address, virtual and physical */
	struct relocation *relocations;	/* sorted by address, as linked */
	size_t relocation_count;
};

/* Decide where a kernel goes.  Where the addresses that count, virtual or
 * physical, begin in the first page or in video memory and firmware with
 * nothing but ELF headers, those are left out.  name is for messages.  On
 * success the caller frees with placed_free(). */
int placed_make(struct placed *placed, const struct kernel *kernel,
		const struct plan_options *options, bool physical, const char *name,
		struct error *err);
void placed_free(struct placed *placed);

/* Load a segment's file bytes, relocated, at an offset of a block. */
void placed_load(const struct placed *placed, const struct segment *segment, struct plan *plan,
		 uint32_t block, uint64_t offset);

#endif
