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

#include "base/error.h"
#include "kernel/kernel.h"
#include "plan/plan.h"

/* "has a Multiboot 2 header at file offset 0x1000" */
struct protocol_reason {
	char text[160];
};

struct protocol {
	const char *name;		/* as --protocol has it */
	uint32_t number;		/* BT_PROTOCOL_* */
	const char *loader_option;	/* what the loader is assembled with */
	const char *asked_for;		/* what a file must have that asks for it, NULL: nothing */
	bool by_name;			/* nothing in a file tells: only if it is named */
	/* Is this a kernel for it?  1 and the reason in why, to be read after "because
	 * it"; 0 if not; -1 if it is meant to be one, but wrong.  name is the
	 * file's, for messages. */
	int (*detect)(const struct kernel *kernel, const char *name, struct protocol_reason *why,
		      struct error *err);
	/* Make the plan, or refuse with a sentence.  On success the caller frees
	 * with plan_free(). */
	int (*plan)(const struct kernel *kernel, const struct plan_options *options,
		    const char *name, struct plan *plan, struct error *err);
};

struct protocol_choice {
	const struct protocol *protocol;
	struct protocol_reason reason;
	bool forced;			/* the user named it */
	char others[80];		/* names of others that the file offers, or "" */
	struct error problem;		/* with a header that was passed over */
};

/* Choose the protocol for a kernel: the one that the user wants, or, if that is
 * NULL, the first in the table that detects it. */
const struct protocol *protocol_find(const struct kernel *kernel, const char *wanted,
				     const char *name, struct protocol_choice *choice,
				     struct error *err);

/* Does the file have a header of some protocol, be it a wrong one? */
bool protocol_asked_for(const struct kernel *kernel);

/* Is there a protocol of that name?  And the names, for messages. */
#define PROTOCOL_NAMES "native, multiboot1, multiboot2, pvh, bootloader-0.9"
bool protocol_exists(const char *wanted);

/* The protocol of a plan; NULL if there is none of that number. */
const struct protocol *protocol_by_number(uint32_t number);

/* native.c, bootloader09.c, multiboot1.c, multiboot2.c, pvh.c: the table's functions. */
#define PROTOCOL(name)                                                                          \
	int name##_detect(const struct kernel *kernel, const char *file,                        \
			  struct protocol_reason *why, struct error *err);                      \
	int name##_plan(const struct kernel *kernel, const struct plan_options *options,        \
			const char *file, struct plan *plan, struct error *err)
PROTOCOL(native);
PROTOCOL(multiboot1);
PROTOCOL(multiboot2);
PROTOCOL(pvh);
PROTOCOL(bootloader09);
#undef PROTOCOL
int plain32_detect(const struct kernel *kernel, const char *name, struct protocol_reason *why,
		   struct error *err);

#endif
