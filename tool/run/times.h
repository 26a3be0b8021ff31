/* SPDX-License-Identifier: MIT
 *
 * Where the time of a run went: moments that the runner notes, and, between two of
 * them, what the loader has measured by the processor's time stamp counter.
 */
#ifndef MKBOOTIMG_TIMES_H
#define MKBOOTIMG_TIMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "bootabi.h"

/* What the loader says of it at PORT_RUNNER (RUNNER_TIMES), as it comes. */
struct times_message {
	unsigned char bytes[8 * TIME_COUNT];
	size_t length;		/* of those that have come */
	bool begun;
};

/* Take a byte from that port, if it belongs to such a message. */
bool times_take(struct times_message *message, unsigned char byte);
/* Have all come? */
bool times_complete(const struct times_message *message);

/* Moments as of clock_ns(); 0: it did not come to that. */
struct run_times {
	int64_t started;	/* QEMU was */
	int64_t running;	/* the machine was let go */
	int64_t told;		/* the loader told its times: it is at its end */
	int64_t entered;	/* the kernel was let go */
	int64_t ended;		/* there was a verdict */
	int64_t gone;		/* and QEMU was gone */
	struct times_message message;
};

/* Print a line for each part.  build: how long that took, in ns; 0: nothing was built.
 * icount_shift: the counter counts instructions times two to the power of that, which
 * are told, too; -1: it does not. */
void times_print(FILE *out, const struct run_times *times, int64_t build, int icount_shift);

#endif
