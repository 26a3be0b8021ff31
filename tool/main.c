/* SPDX-License-Identifier: MIT
 *
 * The program: global options, the table of commands, exit statuses.
 */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "fileio.h"

static const struct command commands[] = {
	{ "build", "write a bootable disk image of a kernel", command_build },
	{ "run", "boot a kernel or an image in QEMU", command_run },
	{ "inspect", "show the plan for a kernel, or what an image holds", command_inspect },
};
#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

const char *argp_program_version = "mkbootimg " MKBOOTIMG_VERSION;

static const char doc[] =
	"Make a kernel ELF file a disk image that boots, and boot it.\v"
	"'mkbootimg COMMAND --help' says more about a command.";

/* The list of commands in --help comes from the table. */
static char *filter_help(int key, const char *text, void *input)
{
	(void)input;
	if (key != ARGP_KEY_HELP_POST_DOC)
		return (char *)(size_t)text;

	char *list = format_string("Commands:\n");
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		char *longer = format_string("%s  %-8s %s\n", list, commands[i].name, commands[i].summary);

		free(list);
		list = longer;
	}
	char *whole = format_string("%s\n%s", list, text);
	free(list);
	return whole;
}

struct global {
	int command_index;	/* in argv; 0 while there is none */
};

static error_t parse_global(int key, char *arg, struct argp_state *state)
{
	struct global *global = state->input;

	(void)arg;
	switch (key) {
	case ARGP_KEY_ARG:
		global->command_index = state->next - 1;
		state->next = state->argc;	/* the rest is the command's */
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "no command given");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	return NULL;
}

/* What was printed must have arrived: a full disk behind stdout is an error. */
static int close_stdout(int status, struct error *err)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	if (errno != EPIPE)
		error_set(err, ERROR_SYSTEM, errno, "cannot write to standard output");
	return status == STATUS_OK ? STATUS_FAILURE : status;
}

int main(int argc, char **argv)
{
	static const struct argp argp = { .parser = parse_global,
					  .args_doc = "COMMAND [ARG...]",
					  .doc = doc,
					  .help_filter = filter_help };
	struct global global = { 0 };
	struct error err = { .class = ERROR_NONE };
	static char program[] = "mkbootimg";

	argp_err_exit_status = STATUS_USAGE;
	if (argc > 0)
		argv[0] = program;
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &global);

	const char *name = argv[global.command_index];
	const struct command *command = find_command(name);
	if (command == NULL) {
		error_set(&err, ERROR_USAGE, 0, "there is no such command");
		error_hint(&err, "'mkbootimg --help' lists them");
		error_print(&err, name);
		return STATUS_USAGE;
	}

	/* So that usage and messages of argp read "mkbootimg build". */
	char *full_name = format_string("mkbootimg %s", name);
	argv[global.command_index] = full_name;
	int status = command->run(argc - global.command_index, argv + global.command_index, &err);
	status = close_stdout(status, &err);
	if (err.class != ERROR_NONE)
		error_print(&err, command->name);
	free(full_name);
	return status;
}
