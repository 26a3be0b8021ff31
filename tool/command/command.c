/* SPDX-License-Identifier: MIT
 *
 * What the commands share: how they parse their arguments; see command.h.
 */
#include "command/command.h"

#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "command/arguments.h"
#include "config/config.h"
#include "base/fileio.h"
#include "run/qemu.h"

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
static int parse_config(void *input, struct error *err)
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
	return config_apply(&config, command_context.command->sections, command_context.command->argp, input, err);
}

int command_parse(int argc, char **argv, void *input, struct error *err)
{
	const struct command *command = command_context.command;
	unsigned int flags = command->passes_on ? ARGP_IN_ORDER : 0;
	/* A bad file must not keep --help from answering, so that comes next. */
	int status = parse_config(input, err);

	if (arguments_parse(command->argp, argc, argv, flags, input, err) != 0)
		return -1;
	return status;
}

const char *command_config_path(void)
{
	return config.path;
}

void command_next_step(const char *format, ...)
{
	char text[2 * PATH_MAX];
	va_list args;

	if (!isatty(STDERR_FILENO))
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fprintf(stderr, "mkbootimg: %s: run '", command_context.command->name);
	print_escaped(stderr, text);
	fputs("' to boot it\n", stderr);
}

char *command_quote(const char *word)
{
	char *words[] = { (char *)(size_t)word, NULL };

	return qemu_quote(words);
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
