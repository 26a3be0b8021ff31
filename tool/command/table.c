/* SPDX-License-Identifier: MIT
 *
 * The commands and the options before them; see table.h.
 */
#include "command/table.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/fileio.h"
#include "base/words.h"
#include "config/config.h"

/* One that mkbootimg.conf may have options for has sections. */
#define ROW(word, status) \
	.name = #word, .run = command_##word, .argp = &word##_command_argp, .failure = (status)

const struct command command_table[] = {
	{ ROW(build, STATUS_FAILURE), .summary = "write a bootable disk image of a kernel", .sections = { "build" } },
	{ ROW(run, STATUS_CANNOT), .summary = "boot a kernel or an image in QEMU", .sections = { "build", "run" },
	  .passes_on = true },
	{ ROW(test, STATUS_CANNOT), .summary = "boot kernels, judge each, print TAP", .sections = { "build", "test" } },
	{ ROW(debug, STATUS_CANNOT), .summary = "boot a kernel or an image under GDB", .sections = { "build" },
	  .passes_on = true },
	{ ROW(inspect, STATUS_FAILURE), .summary = "show the plan for a kernel, or what an image holds", .sections = { "build" } },
	{ ROW(flash, STATUS_FAILURE), .summary = "write an image to a USB stick, and compare" },
	{ ROW(new, STATUS_FAILURE), .summary = "start a kernel project that builds and boots" },
	{ ROW(help, STATUS_FAILURE), .summary = "say more about a command" },
	{ ROW(complete, STATUS_FAILURE), .summary = "say how a command line may go on, for shells" },
	{ .name = NULL },
};

enum {
	OPT_CONFIG = 600,
	OPT_NO_CONFIG,
};

static const struct argp_option options_list[] = {
	{ "config", OPT_CONFIG, "FILE", 0, "Read FILE instead of looking for " CONFIG_NAME, 0 },
	{ "no-config", OPT_NO_CONFIG, NULL, 0, "Read no " CONFIG_NAME, 0 },
	{ 0 },
};

const char *argp_program_version = "mkbootimg " MKBOOTIMG_VERSION;

static const char doc[] =
	"Make a kernel ELF file a disk image that boots, and boot it.\v"
	"'mkbootimg help COMMAND' says more about a command.";

/* The list of commands in --help comes from the table. */
static char *filter_help(int key, const char *text, void *input)
{
	(void)input;
	if (key != ARGP_KEY_HELP_POST_DOC)
		return (char *)(size_t)text;

	char *list = format_string("Commands:\n");
	for (const struct command *command = command_table; command->name != NULL; command++) {
		char *longer = format_string("%s  %-8s %s\n", list, command->name, command->summary);

		free(list);
		list = longer;
	}
	char *whole = format_string("%s\n%s", list, text);
	free(list);
	return whole;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	int *command_index = state->input;

	switch (key) {
	case OPT_CONFIG:
		command_context.config_path = arg;
		command_context.no_config = false;
		return 0;
	case OPT_NO_CONFIG:
		command_context.no_config = true;
		return 0;
	case ARGP_KEY_ARG:
		*command_index = state->next - 1;
		state->next = state->argc;	/* the rest is the command's */
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "no command given");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp main_argp = { .options = options_list,
				   .parser = parse,
				   .args_doc = "COMMAND [ARG...]",
				   .doc = doc,
				   .help_filter = filter_help };

const struct command *command_find(const char *name, struct error *err)
{
	const char *nearest = NULL;
	size_t best = SIZE_MAX;

	for (const struct command *command = command_table; command->name != NULL; command++) {
		size_t distance = words_distance(name, command->name);

		if (distance == 0)
			return command;
		if (distance < best && words_alike(name, command->name)) {
			best = distance;
			nearest = command->name;
		}
	}
	error_set(err, ERROR_USAGE, 0, "there is no such command");
	if (nearest != NULL)
		error_hint(err, "did you mean 'mkbootimg %s'?", nearest);
	else
		error_hint(err, "'mkbootimg --help' lists them");
	return NULL;
}

int command_start(const struct command *command, int argc, char **argv, struct error *err)
{
	/* So that usage and messages of argp read "mkbootimg build". */
	CLEANUP_FREE char *full_name = format_string("mkbootimg %s", command->name);

	command_context.command = command;
	argv[0] = full_name;
	int status = command->run(argc, argv, err);
	command_end();
	return status;
}
