/* SPDX-License-Identifier: MIT
 *
 * How far some work has come, as one line that changes: on standard error, if that is
 * a terminal and the work lasts.  And sizes for people.
 */
#ifndef MKBOOTIMG_PROGRESS_H
#define MKBOOTIMG_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
	const char *what;	/* "writing" */
	uint64_t total;		/* bytes */
	bool possible;		/* somebody looks on */
	bool shown;
	int64_t start;		/* clock_ms() */
	int64_t last;		/* when it was printed */
};

void progress_begin(struct progress *progress, const char *what, uint64_t total, bool quiet);
void progress_update(struct progress *progress, uint64_t done);
/* Take the line away. */
void progress_end(struct progress *progress);

/* The line: what, a bar, bytes, rate, time left.  Pure. */
void progress_line(char *line, size_t size, const char *what, uint64_t done, uint64_t total,
		   int64_t elapsed_ms);

/* "14.9 GiB" */
struct size_words {
	char text[24];
};
struct size_words size_words(uint64_t bytes);

#endif
