/* SPDX-License-Identifier: MIT
 *
 * A machine under GDB; see debugger.h.
 *
 * While the loader works, GDB is not there yet: breakpoints that it sets then
 * would be overwritten, and what it reads of the kernel would not be there.
 * Instead the loader says when it is done, as it does to the runner (runner.h),
 * and waits; the machine is stopped, and GDB comes.
 */
#include "debug/debugger.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bootabi.h"
#include "base/clock.h"
#include "base/fileio.h"
#include "image/loader.h"
#include "base/process.h"
#include "run/qmp.h"
#include "run/times.h"

#define START_MS 60000		/* for QEMU to start */
#define MESSAGE_PAUSE_MS 300	/* silence that ends a loader message */

#define STAGE1 0x7c00		/* where the firmware puts sector 0 */

/* A socket's address has room for 107 characters. */
#define DIRECTORY_MAX 80
#define SOCKET_NAME "gdb"
#define LOADER_NAME "loader.o"

struct session {
	const struct debugger_options *options;
	char directory[DIRECTORY_MAX + 40];
	char *connection;	/* for GDB */
	char *listen;		/* for QEMU */
	pid_t qemu, gdb;	/* 0: not running */
	int qemu_status, gdb_status;
	int signals;		/* signalfd */
	int messages;		/* from the loader, -1: none */
	struct qmp qmp;
	char message[512];	/* what the loader says */
	size_t length;
	int64_t said;		/* when it said the last of it */
	struct times_message times;	/* which is not for us */
	bool entered;		/* it is done */
	sigset_t mask;		/* for those that we start */
};

/* ---- Files -------------------------------------------------------------------- */

static int make_directory(struct session *s, struct error *err)
{
	const char *parent = getenv("TMPDIR");

	/* GDB takes what has a colon for a host and a port. */
	if (parent == NULL || parent[0] != '/' || strlen(parent) > DIRECTORY_MAX || strchr(parent, ':') != NULL)
		parent = "/tmp";
	snprintf(s->directory, sizeof(s->directory), "%s/mkbootimg-debug.XXXXXX", parent);
	if (mkdtemp(s->directory) == NULL) {
		int errnum = errno;

		s->directory[0] = '\0';
		return error_set(err, ERROR_SYSTEM, errnum, "cannot make a directory in '%s'", parent);
	}
	return 0;
}

static void remove_directory(const struct session *s)
{
	static const char *const names[] = { SOCKET_NAME, LOADER_NAME, GDB_SCRIPT, GDB_BITS16, GDB_BITS32 };

	if (s->directory[0] == '\0')
		return;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		CLEANUP_FREE char *path = format_string("%s/%s", s->directory, names[i]);

		unlink(path);
	}
	rmdir(s->directory);
}

static FILE *create(const struct session *s, const char *name, struct error *err)
{
	CLEANUP_FREE char *path = format_string("%s/%s", s->directory, name);
	FILE *file = fopen(path, "wxe");

	if (file == NULL)
		error_set(err, ERROR_SYSTEM, errno, "cannot write '%s'", path);
	return file;
}

static int finish(FILE *file, const struct session *s, struct error *err)
{
	bool good = !ferror(file);

	if (fclose(file) != 0 || !good)
		return error_set(err, ERROR_SYSTEM, errno, "cannot write into '%s'", s->directory);
	return 0;
}

static int write_description(const struct session *s, const char *name, int bits, struct error *err)
{
	FILE *file = create(s, name, err);

	if (file == NULL)
		return -1;
	gdb_write_description(file, bits);
	return finish(file, s, err);
}

/* ---- What GDB is told ----------------------------------------------------------- */

/* The segment that holds the entry point. */
static const struct segment *entry_segment(const struct kernel *kernel)
{
	for (size_t i = 0; i < kernel->segment_count; i++) {
		if (kernel->entry - kernel->segments[i].vaddr < kernel->segments[i].memsz ||
		    kernel->entry - kernel->segments[i].paddr < kernel->segments[i].memsz)
			return &kernel->segments[i];
	}
	return NULL;
}

void debugger_place(struct gdb_setup *setup, const struct kernel *kernel,
		    const struct origin_facts *facts, uint64_t entry)
{
	const struct segment *segment = entry_segment(kernel);
	uint64_t lowest = UINT64_MAX;

	setup->kernel_is_64 = kernel->is_64;
	setup->slide = facts->slide;
	if (segment == NULL || facts->long_mode)
		return;
	for (size_t i = 0; i < kernel->segment_count; i++) {
		if (kernel->segments[i].paddr < lowest)
			lowest = kernel->segments[i].paddr;
	}
	/* Without paging it runs where it lies. */
	uint64_t physical = facts->slide + segment->paddr - segment->vaddr;
	if (facts->moves) {
		setup->slide = physical + (entry - facts->entry) - (lowest - lowest % PAGE_SIZE + facts->slide);
	} else if (physical != facts->slide) {
		setup->has_physical = true;
		setup->physical_slide = physical;
	}
}

static int place_kernel(struct session *s, struct gdb_setup *setup, uint64_t entry, struct error *err)
{
	struct file_view file;
	struct kernel kernel;

	if (s->options->kernel == NULL)
		return 0;
	if (file_open(&file, s->options->kernel, err) != 0)
		return -1;
	int status = kernel_parse(&kernel, file.bytes, file.size, s->options->kernel, err);
	if (status == 0) {
		debugger_place(setup, &kernel, &s->options->facts, entry);
		setup->kernel = s->options->kernel;
		kernel_free(&kernel);
	}
	file_close(&file);
	return status;
}

static int write_files(struct session *s, struct gdb_setup *setup, struct error *err)
{
	if (write_description(s, GDB_BITS16, 16, err) != 0 || write_description(s, GDB_BITS32, 32, err) != 0)
		return -1;
	FILE *file = create(s, GDB_SCRIPT, err);
	if (file == NULL)
		return -1;
	gdb_write_script(file, setup);
	return finish(file, s, err);
}

/* The value of EDX, where the loader keeps the entry point of a 32-bit kernel. */
static bool read_entry(struct session *s, uint64_t *entry)
{
	CLEANUP_FREE char *dump = qmp_monitor(&s->qmp, "info registers", QMP_ANSWER_MS);
	const char *found = dump != NULL ? strstr(dump, "EDX=") : NULL;

	return found != NULL && sscanf(found, "EDX=%" SCNx64, entry) == 1;
}

/* Write what GDB reads. */
static int prepare(struct session *s, struct error *err)
{
	const struct debugger_options *options = s->options;
	CLEANUP_FREE char *loader = format_string("%s/" LOADER_NAME, s->directory);
	bool long_mode = options->facts.long_mode;
	struct gdb_setup setup = {
		.directory = s->directory,
		.connection = s->connection,
		.bits = !s->entered ? 16 : long_mode ? 64 : 32,
		.changes = !s->entered || !long_mode,
		.has_stop = true,
		.stop = options->facts.entry,
	};

	if (!s->entered) {
		setup.stop = STAGE1;
	} else if (!long_mode && !read_entry(s, &setup.stop)) {
		return error_set(err, ERROR_SYSTEM, 0, "QEMU does not say where the kernel is");
	}
	if (options->loader_option != NULL) {
		setup.loader = loader;
		setup.loader_address = STAGE1;
		if (loader_symbols(options->loader_sources, options->loader_option, loader, err) != 0)
			return -1;
	}
	if (place_kernel(s, &setup, setup.stop, err) != 0)
		return -1;
	return write_files(s, &setup, err);
}

/* ---- Processes ------------------------------------------------------------------ */

static int start_qemu(struct session *s, const struct qemu_machine *machine, struct error *err)
{
	const int inherit[] = { machine->qmp_fd, machine->runner_fd };
	/* Ctrl-C is GDB's, and so is the terminal. */
	const struct process_options how = { .mask = &s->mask, .death_signal = SIGKILL, .no_input = true,
					     .own_group = true, .inherit = inherit, .inherit_count = 2 };
	char **arguments = qemu_arguments(machine);
	pid_t pid = process_start(arguments, &how);
	int errnum = errno;

	qemu_free(arguments);
	if (pid > 0) {
		s->qemu = pid;
		return 0;
	}
	error_set(err, ERROR_SYSTEM, errnum, "cannot run '%s'", machine->program);
	if (errnum == ENOENT)
		error_hint(err, "install QEMU (Debian and Ubuntu: apt install qemu-system-x86), or name it with --qemu");
	return -1;
}

static int start_gdb(struct session *s, struct error *err)
{
	const struct process_options how = { .mask = &s->mask, .death_signal = SIGHUP };
	char **arguments = gdb_arguments(s->options->gdb, s->directory);
	pid_t pid = process_start(arguments, &how);
	int errnum = errno;

	qemu_free(arguments);
	if (pid > 0) {
		s->gdb = pid;
		return 0;
	}
	error_set(err, ERROR_SYSTEM, errnum, "cannot run '%s'", s->options->gdb);
	if (errnum == ENOENT)
		error_hint(err, "install GDB (Debian and Ubuntu: apt install gdb), or name it with --gdb");
	return -1;
}

/* Take note of those that have ended. */
static void reap(struct session *s)
{
	if (s->qemu != 0 && waitpid(s->qemu, &s->qemu_status, WNOHANG) == s->qemu)
		s->qemu = 0;
	if (s->gdb != 0 && waitpid(s->gdb, &s->gdb_status, WNOHANG) == s->gdb)
		s->gdb = 0;
}

static void end_qemu(struct session *s)
{
	if (s->qemu == 0)
		return;
	kill(s->qemu, SIGKILL);
	waitpid(s->qemu, &s->qemu_status, 0);
	s->qemu = 0;
}

static void end_gdb(struct session *s)
{
	if (s->gdb == 0)
		return;
	/* It tidies up the terminal. */
	kill(s->gdb, SIGHUP);
	for (int i = 0; i < 200 && s->gdb != 0; i++) {
		poll(NULL, 0, 10);
		reap(s);
	}
	if (s->gdb == 0)
		return;
	kill(s->gdb, SIGKILL);
	waitpid(s->gdb, NULL, 0);
	s->gdb = 0;
}

/* ---- Until the kernel is entered ------------------------------------------------ */

/* A signal for us: its number, or 0. */
static int read_signal(const struct session *s)
{
	struct signalfd_siginfo info;

	while (read(s->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo != SIGCHLD)
			return (int)info.ssi_signo;
	}
	return 0;
}

/* Read what the loader, or its fault handler, says. */
static void read_messages(struct session *s)
{
	char bytes[256];
	ssize_t n = s->messages >= 0 ? read(s->messages, bytes, sizeof(bytes)) : 0;

	if (n == 0) {
		cleanup_close(&s->messages);
		s->messages = -1;
	}
	for (ssize_t i = 0; i < n && !s->entered; i++) {
		if (times_take(&s->times, (unsigned char)bytes[i]))
			continue;
		if (bytes[i] == RUNNER_HANDOFF)
			s->entered = true;
		else if (bytes[i] != '\r' && bytes[i] != '\n' && s->length < sizeof(s->message) - 1)
			s->message[s->length++] = bytes[i];
	}
	s->said = clock_ms();
}

static int qemu_ended(const struct session *s, struct error *err)
{
	if (WIFEXITED(s->qemu_status))
		return error_set(err, ERROR_INPUT, 0, "QEMU ended with status %d before the kernel was entered",
				 WEXITSTATUS(s->qemu_status));
	return error_set(err, ERROR_SYSTEM, 0, "QEMU was killed by signal %d", WTERMSIG(s->qemu_status));
}

/* Let the loader work.  Returns 1 and the number if a signal came first. */
static int await_entry(struct session *s, int *signal_number, struct error *err)
{
	json_decref(qmp_execute(&s->qmp, "cont", NULL, QMP_ANSWER_MS));
	while (!s->entered) {
		struct pollfd fds[] = { { .fd = s->signals, .events = POLLIN },
					{ .fd = s->messages, .events = POLLIN },
					{ .fd = s->qmp.fd, .events = POLLIN } };

		poll(fds, 3, s->length > 0 ? 50 : -1);
		*signal_number = fds[0].revents != 0 ? read_signal(s) : 0;
		if (*signal_number != 0)
			return 1;
		if (fds[1].revents != 0)
			read_messages(s);
		qmp_poll(&s->qmp);
		reap(s);
		if (s->entered)
			break;
		if (s->length > 0 && clock_ms() - s->said >= MESSAGE_PAUSE_MS)
			return error_set(err, ERROR_INPUT, 0, "the loader failed: %s", s->message);
		if (s->qemu == 0)
			return qemu_ended(s, err);
		if (s->qmp.shutdown[0] != '\0' && s->length == 0)
			return error_set(err, ERROR_INPUT, 0, "the machine was reset before the kernel was entered");
	}
	/* It goes on once GDB lets the machine go on. */
	char ready[32];
	snprintf(ready, sizeof(ready), "o/b 0x%x 0x%x", PORT_READY, RUNNER_READY);
	json_decref(qmp_execute(&s->qmp, "stop", NULL, QMP_ANSWER_MS));
	free(qmp_monitor(&s->qmp, ready, QMP_ANSWER_MS));
	return 0;
}

/* ---- Under GDB ------------------------------------------------------------------ */

static void print_instructions(const struct session *s)
{
	char **arguments = gdb_arguments(GDB_DEFAULT, s->directory);
	CLEANUP_FREE char *line = qemu_quote(arguments);

	qemu_free(arguments);
	printf("The machine waits for GDB.  In another terminal:\n\n    %s\n\n"
	       "(In a GDB that runs already: source %s/" GDB_SCRIPT ";\n"
	       "other debuggers connect to %s.)\n"
	       "Ctrl-C here ends the machine.\n",
	       line, s->directory, s->connection);
	fflush(stdout);
}

/* Wait for the end.  Returns the number of the signal that was it, or 0. */
static int await_end(struct session *s)
{
	for (;;) {
		struct pollfd fds[] = { { .fd = s->signals, .events = POLLIN },
					{ .fd = s->messages, .events = POLLIN },
					{ .fd = s->qmp.fd, .events = POLLIN } };

		poll(fds, 3, -1);
		int number = fds[0].revents != 0 ? read_signal(s) : 0;
		reap(s);
		/* Keys are GDB's. */
		if (number != 0 && (s->options->gdb == NULL || (number != SIGINT && number != SIGQUIT)))
			return number;
		if (fds[1].revents != 0)
			read_messages(s);
		qmp_poll(&s->qmp);
		/* After a triple fault there is a lot to look at; switched off, nothing. */
		if (s->qemu != 0 && (strcmp(s->qmp.shutdown, "guest-shutdown") == 0 ||
				     strncmp(s->qmp.shutdown, "host-", 5) == 0))
			json_decref(qmp_execute(&s->qmp, "quit", NULL, QMP_ANSWER_MS));
		if (s->options->gdb != NULL ? s->gdb == 0 : s->qemu == 0)
			return 0;
	}
}

static int debug(struct session *s, int *status, int *signal_number, struct error *err)
{
	int waited = 0;
	json_t *answer = qmp_execute(&s->qmp, "qmp_capabilities", NULL, START_MS);

	if (answer == NULL) {
		*signal_number = read_signal(s);
		if (*signal_number != 0)
			return 0;
		return error_set(err, ERROR_INPUT, 0, "QEMU refused to start; its own words are above");
	}
	json_decref(answer);
	if (s->messages >= 0)
		waited = await_entry(s, signal_number, err);
	if (waited != 0)
		return waited > 0 ? 0 : -1;
	if (prepare(s, err) != 0)
		return -1;
	if (s->options->gdb == NULL)
		print_instructions(s);
	else if (start_gdb(s, err) != 0)
		return -1;
	*signal_number = await_end(s);
	if (s->options->gdb != NULL && *signal_number == 0)
		*status = WIFEXITED(s->gdb_status) ? WEXITSTATUS(s->gdb_status) : 128 + WTERMSIG(s->gdb_status);
	return 0;
}

/* ---- All together --------------------------------------------------------------- */

/* Get signals as something to read. */
static void take_signals(struct session *s, sigset_t *old)
{
	static const int numbers[] = { SIGCHLD, SIGINT, SIGQUIT, SIGTERM, SIGHUP };
	sigset_t ours;

	sigemptyset(&ours);
	sigprocmask(SIG_SETMASK, NULL, &s->mask);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		sigaddset(&ours, numbers[i]);
	sigprocmask(SIG_BLOCK, &ours, old);
	s->signals = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
	s->qmp.interrupt = s->signals;
}

static int open_sockets(struct session *s, struct qemu_machine *machine, struct error *err)
{
	int control[2], messages[2] = { -1, -1 };
	/* Nobody answers the loader that is debugged itself. */
	bool listen = s->options->own_image && s->options->loader_option == NULL;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, control) != 0)
		return error_set(err, ERROR_SYSTEM, errno, "cannot start QEMU");
	qmp_init(&s->qmp, control[0]);
	machine->qmp_fd = control[1];
	machine->runner_fd = -1;
	if (listen && process_message_pipe(messages) != 0)
		return error_set(err, ERROR_SYSTEM, errno, "cannot start QEMU");
	s->messages = messages[0];
	machine->runner_fd = messages[1];
	if (s->options->port != 0) {
		s->connection = format_string("localhost:%u", s->options->port);
		s->listen = format_string("tcp:127.0.0.1:%u", s->options->port);
	} else {
		s->connection = format_string("%s/" SOCKET_NAME, s->directory);
		/* QEMU takes a single comma for the end of the path. */
		CLEANUP_FREE char *path = qemu_escape(s->connection);
		s->listen = format_string("unix:%s,server=on,wait=off", path);
	}
	machine->gdb = s->listen;
	return 0;
}

static void close_all(struct session *s)
{
	end_gdb(s);
	end_qemu(s);
	qmp_free(&s->qmp);
	cleanup_close(&s->messages);
	remove_directory(s);
	free(s->connection);
	free(s->listen);
}

int debugger_run(struct qemu_machine *machine, const struct debugger_options *options, int *status,
		 int *signal_number, struct error *err)
{
	struct session s = { .options = options, .signals = -1, .messages = -1 };
	sigset_t old;
	int result;

	*status = *signal_number = 0;
	qmp_init(&s.qmp, -1);
	machine->qmp_fd = machine->runner_fd = -1;
	machine->no_input = true;
	result = make_directory(&s, err);
	if (result == 0)
		result = open_sockets(&s, machine, err);
	fflush(NULL);
	take_signals(&s, &old);
	if (result == 0)
		result = start_qemu(&s, machine, err);
	cleanup_close(&machine->qmp_fd);
	cleanup_close(&machine->runner_fd);
	if (result == 0)
		result = debug(&s, status, signal_number, err);
	close_all(&s);
	close(s.signals);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return result;
}
