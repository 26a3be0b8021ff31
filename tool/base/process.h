/* SPDX-License-Identifier: MIT
 *
 * Starting a program that does not outlive us.
 */
#ifndef MKBOOTIMG_PROCESS_H
#define MKBOOTIMG_PROCESS_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct process_options {
	const sigset_t *mask;	/* its signal mask, NULL: ours */
	int death_signal;	/* what it gets when we die */
	bool no_input;		/* its standard input is /dev/null; */
	int words;		/* its standard output and error, 0: ours */
	bool own_group;		/* what the terminal's keys send is not for it */
	const int *inherit;	/* descriptors that it gets, those below 1 are none */
	size_t inherit_count;
};

/* Start the program arguments[0], found in PATH.  Returns its process, or -1 and
 * errno if it could not be executed. */
pid_t process_start(char *const *arguments, const struct process_options *how);

/* A pipe for what a program says byte by byte: ends[0] does not block.  A socket has
 * room for some 250 bytes that come one by one, and who writes the next one waits
 * for us, even if we wait for its answer elsewhere. */
int process_message_pipe(int ends[2]);

#endif
