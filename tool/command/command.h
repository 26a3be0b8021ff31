/* SPDX-License-Identifier: MIT
 *
 * Subcommands.  Adding one:
 *
 *	its file cmd_NAME.c, which defines command_NAME() and NAME_command_argp;
 *	their declarations below;
 *	its row in the table in table.c, and if mkbootimg.conf is to have a section for
 *	it, a row for that in command.c;
 *	its section in man/mkbootimg.1 and the README;
 *	its tests in tests/cli/.
 *
 * A command parses its own arguments with command_parse() into a structure of its
 * own, which its parser must not clear, since options of mkbootimg.conf are there
 * already.  An error that it returns is printed by main().
 */
#ifndef MKBOOTIMG_COMMAND_H
#define MKBOOTIMG_COMMAND_H

#include <argp.h>
#include <stdbool.h>

#include "base/error.h"

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
	const struct argp *argp;	/* its options, and its arguments' names */
	int failure;		/* exit status when it could not be done */
	/* The sections of mkbootimg.conf that count for it, in order; may be none.
	 * Keys that are no options of the command are passed over. */
	const char *sections[3];
	bool passes_on;		/* what comes behind its first argument, to QEMU */
};

/* What was said before the command, and the command. */
extern struct command_context {
	const struct command *command;
	const char *config_path;	/* NULL: mkbootimg.conf is looked for */
	bool no_config;
} command_context;

/* argp_parse() for commands: first the options of mkbootimg.conf, then argv.  -1,
 * and an error, if that file is wrong or there is no such option. */
int command_parse(int argc, char **argv, void *input, struct error *err);

/* The mkbootimg.conf that was read, as it was found; NULL: none. */
const char *command_config_path(void);

/* Tell someone who looks on what to do next: "run 'COMMAND' to boot it". */
void command_next_step(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A word as a shell takes it.  The caller frees. */
char *command_quote(const char *word);

/* End by a signal, as we were asked to. */
int command_die(int number);

/* Release what command_parse() gave. */
void command_end(void);

extern const struct argp build_command_argp;
extern const struct argp run_command_argp;
extern const struct argp test_command_argp;
extern const struct argp debug_command_argp;
extern const struct argp inspect_command_argp;
extern const struct argp flash_command_argp;
extern const struct argp new_command_argp;
extern const struct argp help_command_argp;
extern const struct argp complete_command_argp;

int command_build(int argc, char **argv, struct error *err);
int command_run(int argc, char **argv, struct error *err);
int command_test(int argc, char **argv, struct error *err);
int command_debug(int argc, char **argv, struct error *err);
int command_inspect(int argc, char **argv, struct error *err);
int command_flash(int argc, char **argv, struct error *err);
int command_new(int argc, char **argv, struct error *err);
int command_help(int argc, char **argv, struct error *err);
int command_complete(int argc, char **argv, struct error *err);

/* The options of run alone that test has, too. */
extern const struct argp_option run_test_options[];

#endif
