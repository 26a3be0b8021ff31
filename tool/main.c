/* SPDX-License-Identifier: MIT
 *
 * The program: global options, the table of commands, exit statuses.
 */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command/command.h"
#include "config/config.h"
#include "base/fileio.h"
#include "base/shrunk.h"

static const struct command commands[] = {
	{ "build", "write a bootable disk image of a kernel", command_build, STATUS_FAILURE, { "build" } },
	{ "run", "boot a kernel or an image in QEMU", command_run, STATUS_CANNOT, { "build", "run" } },
	{ "test", "boot kernels, judge each, print TAP", command_test, STATUS_CANNOT, { "build", "test" } },
	{ "debug", "boot a kernel or an image under GDB", command_debug, STATUS_CANNOT, { "build" } },
	{ "inspect", "show the plan for a kernel, or what an image holds", command_inspect, STATUS_FAILURE,
	  { "build" } },
	{ "flash", "write an image to a USB stick, and compare", command_flash, STATUS_FAILURE, { NULL } },
	{ "new", "start a kernel project that builds and boots", command_new, STATUS_FAILURE, { NULL } },
};
#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

enum {
	OPT_CONFIG = 500,
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

	switch (key) {
	case OPT_CONFIG:
		command_context.config_path = arg;
		command_context.no_config = false;
		return 0;
	case OPT_NO_CONFIG:
		command_context.no_config = true;
		return 0;
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
static int close_stdout(const struct command *command, int status, struct error *err)
{
	if ((fflush(stdout) == 0 && !ferror(stdout)) || status != STATUS_OK)
		return status;
	if (errno != EPIPE)
		error_set(err, ERROR_SYSTEM, errno, "cannot write to standard output");
	return command->failure;
}

/* A file of ours must not become descriptor 0, 1 or 2, or a warning is written
 * into an image; and a child's end must be ours to see. */
static void repair_environment(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
	signal(SIGCHLD, SIG_DFL);
}

int main(int argc, char **argv)
{
	static const struct argp argp = { .options = options_list,
					  .parser = parse_global,
					  .args_doc = "COMMAND [ARG...]",
					  .doc = doc,
					  .help_filter = filter_help };
	struct global global = { 0 };
	struct error err = { .class = ERROR_NONE };
	static char program[] = "mkbootimg";

	repair_environment();
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

	command_context.command = command;
	shrunk_watch(command->name, command->failure);

	/* So that usage and messages of argp read "mkbootimg build". */
	char *full_name = format_string("mkbootimg %s", name);
	argv[global.command_index] = full_name;
	int status = command->run(argc - global.command_index, argv + global.command_index, &err);
	status = close_stdout(command, status, &err);
	if (err.class != ERROR_NONE)
		error_print(&err, command->name);
	free(full_name);
	command_end();
	return status;
}
