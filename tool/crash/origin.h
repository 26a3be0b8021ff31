/* SPDX-License-Identifier: MIT
 *
 * The kernel file that an image was made from: its symbols explain a crash.
 */
#ifndef MKBOOTIMG_ORIGIN_H
#define MKBOOTIMG_ORIGIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/fileio.h"
#include "plan/plan.h"
#include "run/runner.h"

/* What a plan says of the kernel that runs. */
struct origin_facts {
	uint32_t protocol;	/* BT_PROTOCOL_*; 0: nothing is known */
	uint32_t kernel_crc;
	bool fresh;		/* made a moment ago from the file that is booted */
	uint64_t slide;
	bool moves;		/* the loader chooses where it lies; if not, */
	uint64_t entry;		/* its entry point; if so, from where it lies */
	bool long_mode;		/* its addresses are virtual */
	uint64_t guard;		/* page below the stack, 0: not known */
	uint64_t stack_size;
};

struct origin_facts origin_facts(const struct plan *plan);

/* Open the kernel file: wanted, if it is not NULL (--symbols), or else what was
 * given to be booted if that is the kernel, or the one beside an image ("k.img",
 * "k.iso": "k.elf", "k") with the same bytes in its segments.  file stays closed
 * (fd -1) if there is none; only a wanted one must be there. */
int origin_open(struct file_view *file, const char *wanted, const char *booted,
		const struct origin_facts *facts, struct error *err);

/* What the runner needs of it; sure: it was named by the user. */
struct run_kernel origin_kernel(const struct file_view *file, bool sure,
				const struct origin_facts *facts);

/* Read it whole, when it is needed: by then it may have been built anew.  False if
 * there is none that fits.  The caller frees. */
bool origin_read(const struct run_kernel *kernel, unsigned char **bytes, size_t *size);

#endif
