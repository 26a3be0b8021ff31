/* SPDX-License-Identifier: MIT
 *
 * Cargo: who runs us as its runner, what it knows of the package, and what the
 * package says in [package.metadata.bootimage], with the meanings that the bootimage
 * crate gave to it.
 */
#ifndef MKBOOTIMG_CARGO_H
#define MKBOOTIMG_CARGO_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"

/* Has cargo started us?  It tells the programs that it runs where the package is. */
bool cargo_is_parent(void);

/* Is an executable a test?  Cargo puts these into a directory "deps", rustdoc into
 * one of its own. */
bool cargo_is_test(const char *executable);

/* The package that is being run. */
struct cargo_package {
	char *manifest;			/* its Cargo.toml */
	json_t *metadata;		/* cargo's answer; NULL: it was not asked */
	const json_t *package;		/* in metadata */
	struct error refusal;		/* why the answer has no "resolve" */
};

/* What may be wanted of it. */
#define CARGO_SETTINGS 1u	/* [package.metadata.bootimage] */
#define CARGO_DEPENDENCIES 2u	/* that on bootloader, and [package.metadata.bootloader] */

/* Ask cargo for it, if there is something of what is wanted: dependencies resolved,
 * if that can be done without the network.  The caller ends with cargo_close(), also
 * after a failure. */
int cargo_ask(struct cargo_package *package, unsigned int wanted, struct error *err);
void cargo_close(struct cargo_package *package);

/* A table [package.metadata.NAME], and which keys it may have. */
enum cargo_kind { CARGO_WORDS, CARGO_NUMBER, CARGO_SWITCH, CARGO_STRING };
struct cargo_key {
	const char *name;
	enum cargo_kind kind;
};
struct cargo_table {
	const char *name;
	const struct cargo_key *keys;
	size_t key_count;
};

/* What the package has under that name; NULL if nothing. */
const json_t *cargo_values(const struct cargo_package *package, const char *table);

/* Are these its keys and their kinds?  No values are none. */
int cargo_check(const json_t *values, const struct cargo_table *table, const char *manifest,
		struct error *err);

/* "'MANIFEST': [package.metadata.NAME]: 'KEY' WHAT".  Returns -1. */
int cargo_refuse(const char *manifest, const struct cargo_table *table, const char *key,
		 const char *what, struct error *err);

/* What the package says for this run; arrays are NULL-terminated, NULL if the key
 * is not there.  Of run-args and test-args it is the one that counts. */
struct cargo_settings {
	char **command;
	char **args;
	double timeout;		/* seconds, 0 for none: only tests have one */
	int success_code;	/* of a test; -1: not said */
	bool reboots;		/* a reset does not end a test */
};

/* Read them.  The caller frees with cargo_settings_free(), also after a failure. */
int cargo_read(struct cargo_settings *settings, const struct cargo_package *package, bool is_test,
	       struct error *err);
void cargo_settings_free(struct cargo_settings *settings);

/* The same from the table's values, NULL if there are none; manifest is for messages. */
int cargo_parse(struct cargo_settings *settings, const json_t *table, bool is_test,
		const char *manifest, struct error *err);

#endif
