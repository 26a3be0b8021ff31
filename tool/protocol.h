/* SPDX-License-Identifier: MIT
 *
 * Boot protocols: who is entered, how, and with what.
 *
 * Adding one: its file with detect and plan, its row in protocol.c, its
 * BT_PROTOCOL_ number in include/bootabi.h, its hand-off in bootloader/ chosen
 * by loader_option, its section in the manual, its test kernels.
 */
#ifndef MKBOOTIMG_PROTOCOL_H
#define MKBOOTIMG_PROTOCOL_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "kernel.h"
#include "plan.h"

/* What the user asked for, as far as it concerns planning. */
struct plan_options {
	const char *cmdline;	/* "" for none */
	uint64_t stack_size;	/* bytes, > 0 */
};

struct protocol {
	const char *name;
	uint32_t number;		/* BT_PROTOCOL_* */
	const char *reason;		/* what a kernel for it is, after "because it is " */
	const char *loader_option;	/* what the loader is assembled with */
	/* Is this a kernel for it? */
	bool (*detect)(const struct kernel *kernel);
	/* Make the plan, or refuse with a sentence.  name is the file's, for
	 * messages.  On success the caller frees with plan_free(). */
	int (*plan)(const struct kernel *kernel, const struct plan_options *options,
		    const char *name, struct plan *plan, struct error *err);
};

/* The protocol for a kernel: the first in the table that detects it. */
const struct protocol *protocol_find(const struct kernel *kernel, const char *name,
				     struct error *err);

/* The protocol of a plan; NULL if there is none of that number. */
const struct protocol *protocol_by_number(uint32_t number);

/* native.c */
bool native_detect(const struct kernel *kernel);
int native_plan(const struct kernel *kernel, const struct plan_options *options, const char *name,
		struct plan *plan, struct error *err);

#endif
