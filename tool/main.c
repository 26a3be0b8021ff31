/* SPDX-License-Identifier: MIT
 *
 * The program: from its arguments to its exit status.
 */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/shrunk.h"
#include "command/arguments.h"
#include "command/command.h"
#include "command/table.h"

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
	int index = 0;	/* of the command, in argv */
	struct error err = { .class = ERROR_NONE };
	static char program[] = "mkbootimg";

	repair_environment();
	argp_err_exit_status = STATUS_USAGE;
	if (argc > 0)
		argv[0] = program;
	if (arguments_parse(&main_argp, argc, argv, ARGP_IN_ORDER, &index, &err) != 0) {
		error_print(&err, NULL);
		return STATUS_USAGE;
	}

	const char *name = argv[index];
	const struct command *command = command_find(name, &err);
	if (command == NULL) {
		error_print(&err, name);
		return STATUS_USAGE;
	}

	shrunk_watch(command->name, command->failure);

	int status = command_start(command, argc - index, argv + index, &err);
	status = close_stdout(command, status, &err);
	if (err.class != ERROR_NONE)
		error_print(&err, command->name);
	return status;
}
