/* SPDX-License-Identifier: MIT
 *
 * What the loader makes of a plan: memory, with the kernel in it, and the info
 * as the kernel sees it.  It follows include/bootabi.h, not the tool's code, so
 * that tests can look at the result with a kernel's eyes.
 */
#ifndef MKBOOTIMG_FAKE_LOADER_H
#define MKBOOTIMG_FAKE_LOADER_H

#include <stddef.h>
#include <stdint.h>

#include "plan/plan.h"

/* What memory holds that nobody wrote. */
#define FAKE_DIRT 0xdb

struct fake_file {
	const unsigned char *bytes;
	size_t size;
};

struct fake_piece {
	uint64_t start;		/* address */
	uint64_t size;
	unsigned char *bytes;
};

struct fake_machine {
	struct fake_piece *pieces;	/* by block; behind them the info */
	size_t count;
	uint64_t info;			/* its address */
	uint64_t entry;
};

/* Place, load and clear the blocks, and write the info to an address.  files are
 * the kernel's, then the modules'.  Blocks that may lie anywhere get the first
 * place there is, or the last.  Fails the running test if there is none, or if
 * the plan reaches out of a block, a file or the info.  The caller frees. */
void fake_load(struct fake_machine *machine, const struct plan *plan,
	       const struct fake_file *files, size_t file_count, uint64_t info);
void fake_free(struct fake_machine *machine);

/* Memory at an address; fails the test if it is not all there. */
const unsigned char *fake_at(const struct fake_machine *machine, uint64_t address, uint64_t size);
uint32_t fake_u32(const struct fake_machine *machine, uint64_t address);
uint64_t fake_u64(const struct fake_machine *machine, uint64_t address);
/* A string, which must end in the info. */
const char *fake_string(const struct fake_machine *machine, uint64_t address);

#endif
