/* SPDX-License-Identifier: MIT
 *
 * What the commands share: how they parse their arguments; see command.h.
 */
#include "command/command.h"

#include <signal.h>
#include <stdlib.h>

#include "config/config.h"
#include "base/fileio.h"

/* A file is checked as a whole, whichever command reads it. */
static const struct config_section sections[] = {
	{ "build", &build_command_argp },
	{ "run", &run_command_argp },
	{ "test", &test_command_argp },
};

struct command_context command_context;

/* What the strings that a command was given are part of. */
static struct config config;

/* Read mkbootimg.conf, if there is one, and parse what it has for the command. */
static int parse_config(const struct argp *argp, void *input, struct error *err)
{
	CLEANUP_FREE char *found = NULL;
	const char *path = command_context.config_path;

	if (command_context.no_config || command_context.command->sections[0] == NULL)
		return 0;
	if (path == NULL) {
		if (config_find(&found, err) != 0)
			return -1;
		path = found;
	}
	if (path == NULL)
		return 0;
	if (config_read(&config, path, sections, sizeof(sections) / sizeof(sections[0]), err) != 0)
		return -1;
	return config_apply(&config, command_context.command->sections, argp, input, err);
}

int command_parse(const struct argp *argp, int argc, char **argv, unsigned int flags, void *input,
		  struct error *err)
{
	/* A bad file must not keep --help from answering, so that comes next. */
	int status = parse_config(argp, input, err);

	argp_parse(argp, argc, argv, flags, NULL, input);
	return status;
}

int command_die(int number)
{
	signal(number, SIG_DFL);
	raise(number);
	return 128 + number;
}

void command_end(void)
{
	config_free(&config);
}
