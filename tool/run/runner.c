/* SPDX-License-Identifier: MIT
 *
 * The runner; see runner.h.
 */
#include "run/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "bootabi.h"
#include "base/clock.h"
#include "base/fileio.h"
#include "run/guest.h"
#include "crash/origin.h"
#include "run/qmp.h"
#include "run/screen.h"
#include "base/process.h"

#define HURRY_MS 500		/* and when the user wants us to end */
#define START_MS 60000		/* for QEMU to start */
#define FLAG_IF 0x200		/* in a CPU's flags: interrupts are on */
#define HALT_POLL_MS 250	/* between two looks at the CPUs */
#define LOG_TAIL (64 * 1024)	/* bytes of QEMU's log that count */
#define LOG_TRIM_MS 1000	/* between two looks at its size */
#define MESSAGE_PAUSE_MS 300	/* silence that ends a loader message */

struct runner {
	const struct run_options *options;
	pid_t pid;			/* of QEMU, 0 once it was waited for */
	int status;			/* its wait status, once pid is 0 */
	int signals;			/* signalfd */
	int messages;			/* from the loader, -1 when closed */
	int exits;			/* what the guest writes to port 0xf4, -1: ends QEMU */
	bool looked;			/* at the screen */
	size_t first_count;		/* cells of the screen when the kernel was entered */
	uint16_t first_cells[SCREEN_FIRST_CELLS];
	int log;			/* a file in memory: what QEMU logs of exceptions */
	bool logging;			/* it does */
	int memory;			/* a file in memory: what QEMU shows of the guest's */
	struct qmp qmp;
	struct run_times *times;	/* the outcome's */
	bool entered;			/* the loader handed over to the kernel */
	bool faulting;			/* its fault handler is reporting an exception */
	bool faulted;			/* and has done so */
	bool watch_output;		/* stdout is a pipe */
	mode_t output_mode;		/* what stdout is */
	char message[sizeof(((struct run_outcome *)0)->text)];
	size_t message_length;
	int64_t message_time;		/* of its last byte */
	int halts;			/* times in a row that all CPUs were found halted */
};

/* ---- Starting and ending QEMU -------------------------------------------- */

static int start(struct runner *r, char **arguments, const sigset_t *mask, int qmp_fd,
		 int runner_fd, int exit_fd, struct error *err)
{
	const int inherit[] = { qmp_fd, runner_fd, exit_fd, r->options->picture, r->log, r->memory };
	const struct process_options how = {
		.mask = mask,
		.death_signal = SIGKILL,
		/* In the background a terminal's input would stop QEMU. */
		.no_input = isatty(STDIN_FILENO) && tcgetpgrp(STDIN_FILENO) != getpgrp(),
		.inherit = inherit,
		.inherit_count = sizeof(inherit) / sizeof(inherit[0]),
	};
	pid_t pid = process_start(arguments, &how);

	if (pid > 0) {
		r->pid = pid;
		return 0;
	}
	int errnum = errno;
	error_set(err, ERROR_SYSTEM, errnum, "cannot run '%s'", arguments[0]);
	if (errnum == ENOENT)
		error_hint(err, "install QEMU (Debian and Ubuntu: apt install qemu-system-x86), or name it with --qemu");
	return -1;
}

/* Wait for QEMU to end, for at most some time.  Returns whether it has. */
static bool reap(struct runner *r, int timeout_ms)
{
	int64_t deadline = clock_ms() + timeout_ms;

	while (r->pid != 0) {
		struct pollfd child_ended = { .fd = r->signals, .events = POLLIN };
		pid_t ended = waitpid(r->pid, &r->status, WNOHANG);
		int64_t left = deadline - clock_ms();

		if (ended == r->pid || (ended < 0 && errno != EINTR)) {
			r->pid = 0;
		} else if (left <= 0) {
			return false;
		} else if (poll(&child_ended, 1, left < 20 ? (int)left : 20) > 0) {
			/* Another signal may lie before SIGCHLD: look again soon. */
			struct timespec pause = { .tv_nsec = 1000000 };
			nanosleep(&pause, NULL);
		}
	}
	return true;
}

static void end(struct runner *r)
{
	if (r->pid != 0) {
		kill(r->pid, SIGKILL);
		reap(r, 10000);
	}
}

/* Ask QEMU to quit; it tidies up the terminal. */
static void quit(struct runner *r)
{
	json_decref(qmp_execute(&r->qmp, "quit", NULL, 1000));
	if (r->qmp.mute || !reap(r, 2000))
		end(r);
}

/* ---- Looking at the guest ------------------------------------------------ */

/* KVM handles exceptions without QEMU, which has nothing to log then. */
static bool under_kvm(struct runner *r)
{
	json_t *answer = qmp_execute(&r->qmp, "query-kvm", NULL, QMP_ANSWER_MS);
	bool enabled = json_is_true(json_object_get(answer, "enabled"));

	json_decref(answer);
	return enabled;
}

/* The end of QEMU's log, NUL-terminated, or NULL where it does not log; the caller
 * frees. */
static char *read_log(struct runner *r)
{
	struct stat st;
	char *text = malloc(LOG_TAIL + 1);

	if (text == NULL || !r->logging || fstat(r->log, &st) != 0) {
		free(text);
		return NULL;
	}
	off_t start = st.st_size > LOG_TAIL ? st.st_size - LOG_TAIL : 0;
	ssize_t n = pread(r->log, text, LOG_TAIL, start);
	text[n > 0 ? n : 0] = '\0';
	if (n > 0 || !under_kvm(r))
		return text;
	free(text);
	return NULL;
}

/* A kernel may take exceptions for hours: give back what nobody will read. */
static void trim_log(const struct runner *r)
{
	struct stat st;

	if (r->log >= 0 && fstat(r->log, &st) == 0 && st.st_size > 2 * LOG_TAIL)
		fallocate(r->log, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, st.st_size - LOG_TAIL);
}

/* The kernel's symbols, if its file is still what it was. */
static struct symbols *open_symbols(const struct run_kernel *kernel)
{
	CLEANUP_FREE unsigned char *bytes = NULL;
	size_t size;

	if (!origin_read(kernel, &bytes, &size))
		return NULL;
	struct symbols *symbols = symbols_open(bytes, size, kernel->slide);
	if (symbols != NULL && kernel->physical)
		symbols_allow_physical(symbols);
	return symbols;
}

/* Find out what there is to find out; with_log if it died of an exception. */
static void examine(struct runner *r, bool with_log, struct run_outcome *outcome)
{
	json_decref(qmp_execute(&r->qmp, "stop", NULL, QMP_ANSWER_MS));
	CLEANUP_FREE char *log = with_log ? read_log(r) : NULL;
	struct guest guest;
	struct crash_evidence evidence = { .log = log,
					   .reported = r->faulted,
					   .stack = r->options->kernel.stack };
	struct symbols *symbols = open_symbols(&r->options->kernel);

	outcome->crash = calloc(1, sizeof(*outcome->crash));
	if (outcome->crash == NULL)
		return;
	guest_init(&guest, &r->qmp, r->memory);
	evidence.memory = guest_memory(&guest);
	evidence.has_cpu = guest_cpu(&guest, &evidence.cpu);
	evidence.symbols = symbols;
	crash_examine(outcome->crash, &evidence);
	symbols_close(symbols);
	guest_free(&guest);
}

/* Does anybody want to know what is on the screen when it ends? */
static bool screen_matters(const struct run_options *options)
{
	return options->want_screen || options->picture != 0;
}

/* So it is unless we get to look. */
static void expect_look(const struct run_options *options, struct run_outcome *outcome)
{
	static const char gone[] = "the machine ended with QEMU";

	if (options->want_screen)
		outcome->no_screen = gone;
	if (options->picture != 0)
		error_set(&outcome->picture, ERROR_SYSTEM, 0, "%s", gone);
}

static void take_picture(struct runner *r, struct run_outcome *outcome)
{
	outcome->picture.class = ERROR_NONE;
	screen_picture(&r->qmp, r->options->picture, &outcome->picture);
}

static void read_screen(struct runner *r, struct run_outcome *outcome)
{
	struct screen screen;

	if (!screen_read(&screen, &r->qmp))
		return;
	outcome->no_screen = NULL;
	/* The loader's report has been told. */
	if (!r->options->want_screen && outcome->verdict == VERDICT_FAULT)
		screen_erase(&screen, SCREEN_FAULT_ATTRIBUTE);
	if (screen.lines == 0)
		outcome->no_screen = "it is not in text mode";
	else if (r->options->want_screen ||
		 (r->first_count > 0 &&
		  screen_shows_new(&screen, r->first_cells, r->first_count)))
		outcome->screen = screen_text(&screen);
}

/* The machine is about to go: what was wanted of its screen? */
static void look(struct runner *r, struct run_outcome *outcome)
{
	bool told = r->options->want_screen || (r->options->tell_screen && r->first_count > 0);

	if (r->looked || outcome->verdict == VERDICT_CLOSED || outcome->verdict == VERDICT_PIPE)
		return;
	/* Who presses Ctrl-C does not wait for an answer that may not come. */
	int patience = outcome->verdict == VERDICT_SIGNAL ? HURRY_MS : QMP_ANSWER_MS;
	r->looked = true;
	if (told || r->options->picture != 0)
		json_decref(qmp_execute(&r->qmp, "stop", NULL, patience));
	if (r->options->picture != 0)
		take_picture(r, outcome);
	if (told)
		read_screen(r, outcome);
}

/* Where the (first) CPU is. */
static void locate(struct runner *r, char *text, size_t size)
{
	CLEANUP_FREE char *dump = qmp_monitor(&r->qmp, "info registers", QMP_ANSWER_MS);
	struct cpu cpu;

	text[0] = '\0';
	if (dump != NULL && cpu_parse(&cpu, dump))
		snprintf(text, size, "%s=0x%0*" PRIx64 " CR2=0x%0*" PRIx64, cpu.is_64 ? "RIP" : "EIP",
			 cpu.is_64 ? 16 : 8, cpu.ip, cpu.is_64 ? 16 : 8, cpu.cr2);
}

/* Is every CPU in a register dump halted, with interrupts off? */
static bool all_halted(const char *dump)
{
	bool any = false;

	for (; (dump = strstr(dump, "CPU#")) != NULL; dump++) {
		struct cpu cpu;

		if (!cpu_parse(&cpu, dump) || !cpu.halted || cpu.flags & FLAG_IF)
			return false;
		any = true;
	}
	return any;
}

/* Is firmware or our loader still at work, or stuck? */
static bool before_entry(const struct runner *r)
{
	return r->options->own_image && !r->entered;
}

/* Twice in a row: a CPU that is about to be started looks halted too. */
static bool check_halt(struct runner *r)
{
	char *dump = qmp_monitor(&r->qmp, "info registers -a", QMP_ANSWER_MS);

	r->halts = dump != NULL && all_halted(dump) ? r->halts + 1 : 0;
	free(dump);
	return r->halts >= 2;
}

/* The kernel is entered next: have QEMU log exceptions from here on, and let the
 * loader go on. */
static void handed_off(struct runner *r)
{
	char ready[32];

	r->entered = true;
	r->message_length = 0;
	if (r->options->tell_screen)
		r->first_count = screen_read_first(r->first_cells, &r->qmp);
	/* QEMU does the one before the other, and nobody waits for its answers. */
	if (r->log >= 0)
		r->logging = qmp_monitor_tell(&r->qmp, "log int,cpu_reset");
	snprintf(ready, sizeof(ready), "o/b 0x%x 0x%x", PORT_READY, RUNNER_READY);
	qmp_monitor_tell(&r->qmp, ready);
	r->times->entered = clock_ns();
}

/* A byte from the loader, which is a message, or from its fault handler, whose
 * first line is one; and the bytes that say which. */
static void take_byte(struct runner *r, char byte)
{
	if ((!r->entered || r->options->reboots) && times_take(&r->times->message, (unsigned char)byte)) {
		if (times_complete(&r->times->message))
			r->times->told = clock_ns();
	} else if (byte == RUNNER_HANDOFF && (!r->entered || r->options->reboots)) {
		handed_off(r);
	} else if (byte == RUNNER_FAULT && r->entered) {
		r->faulted |= r->faulting;
		r->faulting = !r->faulted;
	} else if (byte == '\r' || (byte == '\n' && (!r->faulting || r->message_length == 0))) {
		/* Of a report the first line counts; an empty one comes before it. */
	} else if ((!r->entered || r->faulting) && r->message_length < sizeof(r->message) - 1) {
		r->message[r->message_length++] = byte;
	}
}

/* What came from the loader: a message, or that the kernel is entered. */
static void read_messages(struct runner *r)
{
	char bytes[256];
	ssize_t n = read(r->messages, bytes, sizeof(bytes));

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		close(r->messages);
		r->messages = -1;
	}
	/* What others' images write there is not meant for us. */
	for (ssize_t i = 0; i < n && r->options->own_image; i++)
		take_byte(r, bytes[i]);
	r->message_time = clock_ms();
}

static bool message_complete(const struct runner *r)
{
	return !r->entered && r->message_length > 0 &&
	       clock_ms() - r->message_time >= MESSAGE_PAUSE_MS;
}

static int set_verdict(struct run_outcome *outcome, enum verdict verdict, int code)
{
	outcome->verdict = verdict;
	outcome->code = code;
	return 0;
}

static int judge_message(const struct runner *r, struct run_outcome *outcome)
{
	memcpy(outcome->text, r->message, r->message_length + 1);
	return set_verdict(outcome, VERDICT_LOADER, 0);
}

static int judge_fault(struct runner *r, struct run_outcome *outcome)
{
	examine(r, true, outcome);
	memcpy(outcome->text, r->message, r->message_length + 1);
	outcome->text[strcspn(outcome->text, "\n")] = '\0';
	return set_verdict(outcome, VERDICT_FAULT, 0);
}

/* The guest wrote to port 0xf4, and then perhaps went on: the first byte counts. */
static bool judge_code(struct runner *r, struct run_outcome *outcome)
{
	uint8_t value;

	if (recv(r->exits, &value, 1, MSG_DONTWAIT) != 1) {
		close(r->exits);
		r->exits = -1;
		return false;
	}
	set_verdict(outcome, VERDICT_GUEST_CODE, (value << 1 | 1) & 0xff);
	return true;
}

/* QEMU has ended by itself. */
static int judge_exit(const struct runner *r, struct run_outcome *outcome, struct error *err)
{
	if (WIFSIGNALED(r->status))
		return error_set(err, ERROR_SYSTEM, 0, "QEMU was killed by signal %d (%s)",
				 WTERMSIG(r->status), strsignal(WTERMSIG(r->status)));
	if (WEXITSTATUS(r->status) % 2 == 0)
		return error_set(err, ERROR_SYSTEM, 0, "QEMU ended by itself with status %d",
				 WEXITSTATUS(r->status));
	outcome->verdict = VERDICT_GUEST_CODE;
	outcome->code = WEXITSTATUS(r->status);
	return 0;
}

/* The machine has stopped by itself. */
static int judge_shutdown(struct runner *r, struct run_outcome *outcome, struct error *err)
{
	const char *reason = r->qmp.shutdown;

	if (strcmp(reason, "guest-reset") == 0 || strcmp(reason, "guest-panic") == 0) {
		bool early = before_entry(r);

		if (early && r->message_length > 0)
			return judge_message(r, outcome);
		outcome->verdict = early ? VERDICT_NOT_ENTERED : VERDICT_CRASHED;
		outcome->panicked = strcmp(reason, "guest-panic") == 0;
		locate(r, outcome->text, sizeof(outcome->text));
		if (!early)
			examine(r, true, outcome);
	} else if (strcmp(reason, "guest-shutdown") == 0) {
		/* From QEMU 9.1 on isa-debug-exit is a shutdown too, and its
		 * code QEMU's status once it is let go. */
		look(r, outcome);
		quit(r);
		if (WIFEXITED(r->status) && WEXITSTATUS(r->status) != 0)
			return judge_exit(r, outcome, err);
		outcome->verdict = VERDICT_POWERED_OFF;
	} else if (strcmp(reason, "host-ui") == 0 || strcmp(reason, "host-qmp-quit") == 0) {
		outcome->verdict = VERDICT_CLOSED;
	} else {
		return error_set(err, ERROR_SYSTEM, 0, "QEMU ended the machine: %s", reason);
	}
	return 0;
}

/* A signal for us.  Returns its number, 0 for SIGCHLD. */
static int read_signal(struct runner *r)
{
	struct signalfd_siginfo info;

	if (read(r->signals, &info, sizeof(info)) != sizeof(info) || info.ssi_signo == SIGCHLD)
		return 0;
	return (int)info.ssi_signo;
}

/* The earlier of two moments, 0 for none. */
static int64_t earlier(int64_t a, int64_t b)
{
	if (a == 0 || b == 0)
		return a + b;
	return a < b ? a : b;
}

/* The machine stands still.  Because somebody stopped it, or for good? */
static int check_stopped(struct runner *r, struct error *err)
{
	json_t *answer = qmp_execute(&r->qmp, "query-status", NULL, QMP_ANSWER_MS);
	const char *status = json_string_value(json_object_get(answer, "status"));
	int result = 0;

	r->qmp.stopped = false;
	if (status != NULL && (strcmp(status, "internal-error") == 0 || strcmp(status, "io-error") == 0))
		result = error_set(err, ERROR_SYSTEM, 0, "QEMU stopped the machine: %s", status);
	json_decref(answer);
	return result;
}

/* Watch until there is a verdict. */
static int watch(struct runner *r, struct run_outcome *outcome, struct error *err)
{
	int64_t started = clock_ms();
	int64_t allowed = (int64_t)(r->options->timeout * 1000 + 0.5);
	int64_t deadline = allowed > 0 ? started + allowed : 0;
	bool entered = false;
	int64_t next_look = r->options->timeout > 0 ? started + HALT_POLL_MS : 0;
	int64_t next_trim = started + LOG_TRIM_MS;

	for (;;) {
		struct pollfd fds[] = {
			{ .fd = r->signals, .events = POLLIN },
			{ .fd = r->qmp.fd, .events = POLLIN },
			{ .fd = r->messages, .events = POLLIN },
			{ .fd = r->watch_output ? STDOUT_FILENO : -1 },
			{ .fd = r->exits, .events = POLLIN },
		};
		int64_t wake = earlier(earlier(deadline, next_look), next_trim), now = clock_ms();

		if (!r->entered && r->message_length > 0)
			wake = earlier(wake, r->message_time + MESSAGE_PAUSE_MS);
		/* Events first, then messages: what was said before an event is
		 * there when we judge by it. */
		qmp_poll(&r->qmp);
		if (r->qmp.stopped && r->qmp.shutdown[0] == '\0' && check_stopped(r, err) != 0)
			return -1;
		bool ended = r->qmp.shutdown[0] != '\0' || r->qmp.fd < 0;
		int left = ended ? 0 : wake == 0 ? -1 : wake > now ? (int)(wake - now < 60000 ? wake - now : 60000) : 0;
		if (poll(fds, sizeof(fds) / sizeof(fds[0]), left) < 0 && errno != EINTR)
			return error_set(err, ERROR_SYSTEM, errno, "cannot wait for QEMU");

		int number = fds[0].revents != 0 ? read_signal(r) : 0;
		if (number != 0)
			return set_verdict(outcome, VERDICT_SIGNAL, number);
		if (fds[3].revents & (POLLERR | POLLHUP))
			return set_verdict(outcome, VERDICT_PIPE, 0);
		/* Before anything that happened behind it. */
		if (fds[4].revents != 0 && judge_code(r, outcome))
			return 0;
		if (fds[2].revents != 0)
			read_messages(r);
		if (ended && r->qmp.shutdown[0] != '\0')
			return judge_shutdown(r, outcome, err);
		if (ended) {
			if (!reap(r, 5000))
				return error_set(err, ERROR_SYSTEM, 0, "QEMU closed its control socket");
			return judge_exit(r, outcome, err);
		}
		if (message_complete(r))
			return judge_message(r, outcome);
		if (r->faulted)
			return judge_fault(r, outcome);
		now = clock_ms();
		/* The kernel's time is its own; firmware and loader had the same. */
		if (r->entered && !entered && deadline != 0)
			deadline = now + allowed;
		entered = r->entered;
		if (now >= next_trim) {
			trim_log(r);
			next_trim = now + LOG_TRIM_MS;
		}
		if (deadline != 0 && now >= deadline) {
			locate(r, outcome->text, sizeof(outcome->text));
			examine(r, false, outcome);
			outcome->before_entry = before_entry(r);
			return set_verdict(outcome, VERDICT_TIMEOUT, 0);
		}
		if (next_look != 0 && now >= next_look) {
			if (check_halt(r)) {
				locate(r, outcome->text, sizeof(outcome->text));
				examine(r, false, outcome);
				outcome->before_entry = before_entry(r);
				return set_verdict(outcome, outcome->before_entry ? VERDICT_NOT_ENTERED : VERDICT_HALTED, 0);
			}
			next_look = clock_ms() + HALT_POLL_MS;
		}
	}
}

/* ---- All together -------------------------------------------------------- */

/* Wait until QEMU listens, then let the machine go.  Returns 1 if there is a
 * verdict already. */
static int begin(struct runner *r, bool stay_stopped, struct run_outcome *outcome,
		 struct error *err)
{
	double timeout = r->options->timeout;
	bool limited = timeout > 0 && timeout * 1000 < START_MS;
	json_t *answer = qmp_execute(&r->qmp, "qmp_capabilities", NULL,
				     limited ? (int)(timeout * 1000) : START_MS);

	if (answer == NULL) {
		int number = read_signal(r);

		if (number != 0) {
			set_verdict(outcome, VERDICT_SIGNAL, number);
			return 1;
		}
		if (reap(r, r->qmp.fd < 0 ? 5000 : 0) && WIFEXITED(r->status)) {
			set_verdict(outcome, VERDICT_REFUSED, WEXITSTATUS(r->status));
			return 1;
		}
		if (limited && r->qmp.fd >= 0) {
			set_verdict(outcome, VERDICT_TIMEOUT, 0);
			return 1;
		}
		return error_set(err, ERROR_SYSTEM, 0, "QEMU did not start");
	}
	json_decref(answer);
	r->times->running = clock_ns();
	if (!stay_stopped)
		qmp_tell(&r->qmp, "cont", NULL);
	return 0;
}

/* Both consoles write to standard output; into a file each must append. */
static void prepare_output(struct runner *r)
{
	struct stat st;

	if (fstat(STDOUT_FILENO, &st) != 0)
		return;
	r->output_mode = st.st_mode;
	r->watch_output = S_ISFIFO(st.st_mode);
	if (S_ISREG(st.st_mode)) {
		int flags = fcntl(STDOUT_FILENO, F_GETFL);

		fcntl(STDOUT_FILENO, F_SETFL, flags | O_APPEND);
	}
}

/* Get the signals that end us, and a child's end, as something to read. */
static void take_signals(struct runner *r, sigset_t *old, sigset_t *child_mask)
{
	static const int deadly[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	sigset_t ours;

	sigemptyset(&ours);
	sigaddset(&ours, SIGCHLD);
	/* Only its end matters, not that somebody stopped it for a while. */
	sigaction(SIGCHLD, &(struct sigaction){ .sa_handler = SIG_DFL, .sa_flags = SA_NOCLDSTOP }, NULL);
	sigprocmask(SIG_SETMASK, NULL, child_mask);
	for (size_t i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++) {
		struct sigaction action;

		/* nohup: ignored by us, and kept from QEMU, which sets handlers. */
		sigaction(deadly[i], NULL, &action);
		sigaddset(action.sa_handler == SIG_IGN ? child_mask : &ours, deadly[i]);
	}
	/* Ctrl-C is for us: QEMU would be gone before we have looked at it. */
	sigaddset(child_mask, SIGINT);
	sigprocmask(SIG_BLOCK, &ours, old);
	r->signals = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
	r->qmp.interrupt = r->signals;
}

/* Leave terminal and descriptors as they were: QEMU does not. */
static void restore_output(const struct runner *r, const int flags[2],
			   const struct termios *terminal)
{
	/* What others write comes behind what QEMU wrote. */
	if (S_ISREG(r->output_mode))
		lseek(STDOUT_FILENO, 0, SEEK_END);
	for (int fd = STDIN_FILENO; fd <= STDOUT_FILENO; fd++) {
		if (flags[fd] >= 0)
			fcntl(fd, F_SETFL, flags[fd]);
	}
	if (terminal != NULL && tcgetpgrp(STDIN_FILENO) == getpgrp())
		tcsetattr(STDIN_FILENO, TCSANOW, terminal);
}

int runner_run(struct qemu_machine *machine, const struct run_options *options,
	       struct run_outcome *outcome, struct error *err)
{
	struct runner r = { .options = options, .signals = -1, .messages = -1, .exits = -1,
			    .times = &outcome->times };
	int qmp_pair[2], message_pair[2], exit_pair[2] = { -1, -1 };
	struct termios terminal;
	bool has_terminal = tcgetattr(STDIN_FILENO, &terminal) == 0;
	int flags[2] = { fcntl(STDIN_FILENO, F_GETFL), fcntl(STDOUT_FILENO, F_GETFL) };
	sigset_t old, child_mask;

	*outcome = (struct run_outcome){0};
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, qmp_pair) != 0)
		return error_set(err, ERROR_SYSTEM, errno, "cannot start QEMU");
	if (process_message_pipe(message_pair) != 0) {
		close(qmp_pair[0]);
		close(qmp_pair[1]);
		return error_set(err, ERROR_SYSTEM, errno, "cannot start QEMU");
	}
	qmp_init(&r.qmp, qmp_pair[0]);
	r.messages = message_pair[0];
	machine->qmp_fd = qmp_pair[1];
	machine->runner_fd = message_pair[1];
	expect_look(options, outcome);
	if (screen_matters(options) && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, exit_pair) == 0)
		r.exits = exit_pair[0];
	machine->exit_fd = r.exits >= 0 ? exit_pair[1] : 0;
	/* Without these there is no crash report, which is no reason to fail. */
	r.log = memfd_create("log", MFD_CLOEXEC);
	r.memory = memfd_create("memory", MFD_CLOEXEC);
	if (qemu_user_has(machine->user, "-d") || qemu_user_has(machine->user, "-D"))
		cleanup_close(&r.log), r.log = -1;	/* the log is the user's */
	machine->log_fd = r.log;

	take_signals(&r, &old, &child_mask);
	prepare_output(&r);

	char **arguments = qemu_arguments(machine);
	fflush(NULL);
	outcome->times.started = clock_ns();
	int status = start(&r, arguments, &child_mask, machine->qmp_fd, machine->runner_fd, exit_pair[1],
			   err);
	close(machine->qmp_fd);
	close(machine->runner_fd);
	cleanup_close(&exit_pair[1]);
	qemu_free(arguments);
	if (status == 0)
		status = begin(&r, qemu_user_has(machine->user, "-S"), outcome, err);
	if (status > 0)
		status = 0;	/* there is a verdict already */
	else if (status == 0)
		status = watch(&r, outcome, err);
	outcome->times.ended = clock_ns();
	if (status == 0)
		look(&r, outcome);
	if (r.pid != 0)
		quit(&r);
	outcome->times.gone = clock_ns();

	restore_output(&r, flags, has_terminal ? &terminal : NULL);
	qmp_free(&r.qmp);
	if (r.messages >= 0)
		close(r.messages);
	cleanup_close(&r.exits);
	cleanup_close(&r.log);
	cleanup_close(&r.memory);
	close(r.signals);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return status;
}

const char *runner_find_display(const char *program)
{
	static const char *const windows[] = { "gtk", "sdl" };
	int ends[2];
	char text[4096];
	size_t used = 0;
	ssize_t n;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return "none";
	pid_t pid = fork();
	if (pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		dup2(ends[1], STDERR_FILENO);
		execlp(program, program, "-display", "help", (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	while (used < sizeof(text) - 1 && (n = read(ends[0], text + used, sizeof(text) - 1 - used)) > 0)
		used += (size_t)n;
	text[used] = '\0';
	close(ends[0]);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++) {
		CLEANUP_FREE char *line = format_string("\n%s\n", windows[i]);

		if (strstr(text, line) != NULL)
			return windows[i];
	}
	return "none";
}
