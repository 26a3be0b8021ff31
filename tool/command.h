/* SPDX-License-Identifier: MIT
 *
 * Subcommands.  Adding one:
 *
 *	its file cmd_NAME.c, which defines command_NAME();
 *	its prototype below;
 *	its row in the table in main.c;
 *	its section in man/mkbootimg.1 and the README;
 *	its tests in tests/cli/.
 *
 * A command parses its own arguments with argp into a structure of its own.  An
 * error that it returns is printed by main().
 */
#ifndef MKBOOTIMG_COMMAND_H
#define MKBOOTIMG_COMMAND_H

#include "error.h"

/* Exit statuses.  The guest's own codes are always odd, so these are even
 * (but for build's, which runs no guest). */
enum {
	STATUS_OK = 0,
	STATUS_FAILURE = 1,	/* build: it could not be done */
	STATUS_USAGE = 2,
	STATUS_HALTED = 120,	/* run: every CPU halted for good */
	STATUS_CRASHED = 122,	/* run: triple fault or reset */
	STATUS_TIMEOUT = 124,
	STATUS_CANNOT = 126,	/* run, debug: it could not be done */
};

struct command {
	const char *name;
	const char *summary;	/* for --help */
	/* argv[0] is "mkbootimg NAME".  Returns the exit status; if *err is set
	 * (class not ERROR_NONE), main() prints it. */
	int (*run)(int argc, char **argv, struct error *err);
	int failure;		/* exit status when it could not be done */
};

int command_build(int argc, char **argv, struct error *err);
int command_run(int argc, char **argv, struct error *err);
int command_debug(int argc, char **argv, struct error *err);
int command_inspect(int argc, char **argv, struct error *err);

#endif
