/* SPDX-License-Identifier: MIT
 *
 * mkbootimg debug: boot a kernel or an image in QEMU, under GDB.
 */
#include <argp.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command/build.h"
#include "command/command.h"
#include "debug/debugger.h"
#include "config/dependency.h"
#include "protocol/protocol.h"
#include "command/target.h"

enum {
	OPT_GDB = 2000,
	OPT_LOADER,
	OPT_PORT,
	OPT_WAIT,
};

static const char doc[] =
	"Boot KERNEL, an ELF file, or IMAGE, a disk image, in QEMU, under GDB: with the kernel's symbols, "
	"stopped at its first instruction.  Everything after KERNEL or IMAGE goes to QEMU.\v"
	"Exit status: GDB's; with --wait 0 when the machine has ended; 2 usage; 126 it could not be done.";

static const struct argp_option options_list[] = {
	{ "gdb", OPT_GDB, "PROGRAM", 0, "The GDB to run (default " GDB_DEFAULT ")", 1 },
	{ "loader", OPT_LOADER, NULL, 0, "Debug the loader: stop at its first instruction, with its symbols", 1 },
	{ "port", OPT_PORT, "N", 0, "Have GDB connect to port N of localhost (default: a private socket)", 1 },
	{ "wait", OPT_WAIT, NULL, 0, "Run no GDB, but print how to, and wait", 1 },
	{ 0 },
};

struct arguments {
	struct build_options build;
	struct machine_options machine;
	const char *target;
	char **user;		/* for QEMU */
	const char *gdb;
	bool loader;
	bool wait;
	unsigned int port;	/* 0: none */
};

static bool parse_port(const char *text, unsigned int *port)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	*port = (unsigned int)number;
	return text[0] >= '0' && text[0] <= '9' && *end == '\0' && number >= 1 && number <= 65535;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &arguments->build;
		state->child_inputs[1] = &arguments->machine;
		state->child_inputs[2] = &arguments->machine;
		return 0;
	case OPT_GDB:
		arguments->gdb = arg;
		return 0;
	case OPT_LOADER:
		arguments->loader = true;
		return 0;
	case OPT_PORT:
		if (!parse_port(arg, &arguments->port))
			argp_error(state, "--port: '%s' is not a number from 1 to 65535", arg);
		return 0;
	case OPT_WAIT:
		arguments->wait = true;
		return 0;
	case ARGP_KEY_ARG:
		arguments->target = arg;
		arguments->user = state->argv + state->next;
		state->next = state->argc;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "no kernel or image given");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* The path of the kernel's file for GDB, which may run elsewhere; of one that was
 * unpacked, as long as we run and have it open.  The caller frees; NULL if there is none. */
static char *kernel_path(const struct file_view *file)
{
	CLEANUP_FREE char *link = format_string("/proc/%ld/fd/%d", (long)getpid(), file->fd);

	if (file->fd < 0 || !kernel_is_elf(file->bytes, file->size))
		return NULL;
	return file->packed_size > 0 ? format_string("%s", link) : realpath(link, NULL);
}

/* What QEMU writes and what GDB writes must not overwrite each other. */
static void append_output(void)
{
	struct stat st;

	if (fstat(STDOUT_FILENO, &st) == 0 && S_ISREG(st.st_mode))
		fcntl(STDOUT_FILENO, F_SETFL, fcntl(STDOUT_FILENO, F_GETFL) | O_APPEND);
}

static int debug_target(const struct arguments *arguments, const struct target *target,
			int *signal_number, struct error *err)
{
	const struct protocol *protocol = protocol_by_number(target->facts.protocol);
	CLEANUP_FREE char *console = target_console();
	struct qemu_machine machine = {
		.program = arguments->machine.qemu,
		.image = target->path,
		.format = target->format->driver,
		.own_copy = target->own_copy,
		.disk = arguments->machine.disk,
		.display = target_display(&arguments->machine, arguments->user, "debug", arguments->build.quiet),
		.debug_console = console,
		.cpus = arguments->machine.cpus,
		/* Under TCG breakpoints are not written into memory. */
		.accel = "tcg",
		.serial = arguments->machine.serial,
		.user = arguments->user,
	};
	struct debugger_options options = {
		.gdb = arguments->wait ? NULL : arguments->gdb,
		.port = arguments->port,
		.own_image = target->own_image,
		.facts = target->facts,
		.loader_sources = arguments->build.bootloader,
		.loader_option = arguments->loader && protocol != NULL ? protocol->loader_option : NULL,
	};
	int status = STATUS_CANNOT;
	struct file_view file;

	if (origin_open(&file, arguments->machine.symbols, target->name, &target->facts, err) != 0)
		return STATUS_CANNOT;
	CLEANUP_FREE char *kernel = kernel_path(&file);
	options.kernel = kernel;
	if (target_check_disk(target, &arguments->machine, err) == 0 &&
	    target_memory(target, &arguments->machine, &machine.memory, err) == 0 &&
	    target_check_serial(&arguments->machine, err) == 0) {
		append_output();
		if (debugger_run(&machine, &options, &status, signal_number, err) != 0)
			status = STATUS_CANNOT;
	}
	file_close(&file);
	return status;
}

/* What would take the machine from us. */
static int check_user(const struct arguments *arguments, struct error *err)
{
	static const char *const ours[] = { "-S", "-s", "-gdb", "-daemonize" };

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		if (!qemu_user_has(arguments->user, ours[i]))
			continue;
		error_set(err, ERROR_USAGE, 0, "QEMU's %s is not for debug, which starts and stops the machine itself",
			  ours[i]);
		return error_hint(err, "--wait waits for a GDB of yours, --port N chooses the port");
	}
	return 0;
}

/* If cargo has started us, the package says how its kernel is booted. */
static int ask_cargo(struct arguments *arguments, struct error *err)
{
	struct cargo_package package;

	if (!cargo_is_parent() || command_context.no_config || !dependency_matters(&arguments->build))
		return 0;
	int status = cargo_ask(&package, CARGO_DEPENDENCIES, err);
	if (status == 0)
		status = dependency_use(&arguments->build, &package, err);
	cargo_close(&package);
	return status;
}

static int debug(const struct arguments *arguments, struct error *err)
{
	struct target target;
	int status = STATUS_CANNOT, signal_number = 0;

	if (check_user(arguments, err) != 0)
		return STATUS_USAGE;
	int opened = target_open(&target, arguments->target, &arguments->build, false, err);
	if (opened == 0 && arguments->loader && !target.is_kernel) {
		error_set(err, ERROR_USAGE, 0, "'%s' is an image: the symbols of its loader are not known",
			  arguments->target);
		error_hint(err, "give --loader the kernel");
	} else if (opened == 0) {
		status = debug_target(arguments, &target, &signal_number, err);
	}
	target_close(&target);
	if (signal_number != 0)
		return command_die(signal_number);
	return err->class == ERROR_USAGE ? STATUS_USAGE : status;
}

static const struct argp_child children[] = { { &build_argp, 0, "Building:", 2 },
					       { .argp = &machine_argp },
					       { .argp = &console_argp },
					       { 0 } };
const struct argp debug_command_argp = { .options = options_list,
					  .parser = parse,
					  .args_doc = "KERNEL|IMAGE [QEMU-ARG...]",
					  .doc = doc,
					  .children = children };

int command_debug(int argc, char **argv, struct error *err)
{
	struct arguments arguments = { .build = BUILD_OPTIONS_DEFAULT,
				       .machine = MACHINE_OPTIONS_DEFAULT,
				       .gdb = GDB_DEFAULT };

	if (command_parse(argc, argv, &arguments, err) != 0)
		return STATUS_USAGE;
	int status = ask_cargo(&arguments, err) == 0 ? debug(&arguments, err) :
		     err->class == ERROR_USAGE	     ? STATUS_USAGE :
						       STATUS_CANNOT;
	build_options_free(&arguments.build);
	return status;
}
