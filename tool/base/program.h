/* SPDX-License-Identifier: MIT
 *
 * Another program that does a piece of our work: started directly, without a shell,
 * from PATH; waited for; and if it fails, its own words become the error's.
 */
#ifndef MKBOOTIMG_PROGRAM_H
#define MKBOOTIMG_PROGRAM_H

#include <signal.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

struct program {
	const char *name;
	const char *package;	/* of Debian, where it is in */
	const char *complaint;	/* what is before the words that say why it failed; NULL: the last line's start */
	const sigset_t *mask;	/* its signal mask, NULL: ours */
	/* While it runs. */
	pid_t pid;
	int words;		/* what it says, in memory */
};

/* Start it with these arguments, the first of which is its name.  It gets the
 * descriptors in inherit.  After success the caller ends with program_wait(). */
int program_start(struct program *program, const char *const *arguments, const int *inherit,
		  size_t inherit_count, struct error *err);

/* Wait until it ends.  If it fails, the error is its words. */
int program_wait(struct program *program, struct error *err);

/* Both. */
int program_run(struct program *program, const char *const *arguments, const int *inherit,
		size_t inherit_count, struct error *err);

#endif
