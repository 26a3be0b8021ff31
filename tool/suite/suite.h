/* SPDX-License-Identifier: MIT
 *
 * A suite of kernels, each booted by a "mkbootimg run" of its own, some at a
 * time, and judged.  What a kernel does, and what QEMU does, cannot harm the
 * others.
 */
#ifndef MKBOOTIMG_SUITE_H
#define MKBOOTIMG_SUITE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* How all of them are run, and when one has passed. */
struct suite_options {
	char **run_arguments;	/* for each "run", NULL at the end */
	size_t jobs;		/* at a time, > 0 */
	const char *expect;	/* passed when this was written or shown; NULL: by its end */
	int expect_crash;	/* passed when this exception killed it; -1: none may */
	bool power_off_passes;	/* switching the machine off is success */
	/* Called in order, once a test and all before it are done. */
	void (*done)(void *context, size_t index);
	/* Called now and then: how far it is.  May be NULL. */
	void (*progress)(void *context);
	void *context;
};

struct suite_test {
	const char *kernel;	/* file; the caller's */
	char *name;		/* what it is called; the suite frees */
	/* From here on: filled in by suite_run(). */
	char *log;		/* file with what it wrote to COM1 */
	bool running;
	bool finished;
	bool passed;
	bool broken;		/* not passed because it could not be run */
	int status;		/* exit status of "run", 128 + n for signal n */
	char *message;		/* why not, in words; "" if passed */
	json_t *facts;		/* what "run --json" said, or NULL */
	char *tail;		/* the end of what it wrote */
	double seconds;
};

/* Run all tests.  Fails (-1) only if none can be run any more; a signal that ends
 * us ends them first, and is returned in *signal (0: none). */
int suite_run(struct suite_test *tests, size_t count, const struct suite_options *options,
	      int *signal, struct error *err);
void suite_free(struct suite_test *tests, size_t count);

#endif
