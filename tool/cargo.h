/* SPDX-License-Identifier: MIT
 *
 * Cargo: who runs us as its runner, and what the package says in
 * [package.metadata.bootimage], with the meanings that the bootimage crate gave to
 * it.
 */
#ifndef MKBOOTIMG_CARGO_H
#define MKBOOTIMG_CARGO_H

#include <jansson.h>
#include <stdbool.h>

#include "error.h"

/* Has cargo started us?  It tells the programs that it runs where the package is. */
bool cargo_is_parent(void);

/* Is an executable a test?  Cargo puts these into a directory "deps", rustdoc into
 * one of its own. */
bool cargo_is_test(const char *executable);

/* What the package says for this run; arrays are NULL-terminated, NULL if the key
 * is not there.  Of run-args and test-args it is the one that counts. */
struct cargo_settings {
	char **command;
	char **args;
	double timeout;		/* seconds, 0 for none: only tests have one */
	int success_code;	/* of a test; -1: not said */
	bool reboots;		/* a reset does not end a test */
};

/* Ask cargo for the settings of the package that is being run.  The caller frees
 * with cargo_settings_free(), also after a failure. */
int cargo_read(struct cargo_settings *settings, bool is_test, struct error *err);
void cargo_settings_free(struct cargo_settings *settings);

/* The same from a table, NULL if there is none; manifest is for messages. */
int cargo_parse(struct cargo_settings *settings, const json_t *table, bool is_test,
		const char *manifest, struct error *err);

#endif
