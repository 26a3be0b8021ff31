/* SPDX-License-Identifier: MIT
 *
 * mkbootimg help: what --help says, by another way.
 */
#include <argp.h>
#include <stddef.h>

#include "command/arguments.h"
#include "command/command.h"
#include "command/table.h"

static const char doc[] = "Say more about COMMAND, as 'mkbootimg COMMAND --help' does, or list the commands.\v"
			  "'man mkbootimg' says it all.";

static error_t parse(int key, char *arg, struct argp_state *state)
{
	const char **name = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		if (*name != NULL)
			argp_error(state, "more than one command: '%s' and '%s'", *name, arg);
		*name = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp help_command_argp = { .parser = parse, .args_doc = "[COMMAND]", .doc = doc };

int command_help(int argc, char **argv, struct error *err)
{
	static char program[] = "mkbootimg", help[] = "--help";
	char *words[] = { program, help, NULL };
	const char *name = NULL;
	int index;

	if (command_parse(argc, argv, &name, err) != 0)
		return STATUS_USAGE;
	if (name == NULL) {
		if (arguments_parse(&main_argp, 2, words, ARGP_IN_ORDER, &index, err) != 0)
			return STATUS_USAGE;
		return STATUS_OK;
	}
	const struct command *command = command_find(name, err);
	if (command == NULL) {
		error_wrap(err, "'%s'", name);
		return STATUS_USAGE;
	}
	return command_start(command, 2, words, err);
}
