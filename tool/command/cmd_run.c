/* SPDX-License-Identifier: MIT
 *
 * mkbootimg run: boot a kernel or an image in QEMU and say how it ended.
 */
#include <argp.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bootabi.h"
#include "base/clock.h"
#include "command/build.h"
#include "config/cargo.h"
#include "command/command.h"
#include "config/config.h"
#include "config/dependency.h"
#include "image/image.h"
#include "run/kvm.h"
#include "command/plain.h"
#include "plan/report.h"
#include "run/runner.h"
#include "command/target.h"
#include "command/values.h"

#define SUCCESS_CODE_DEFAULT 33		/* the guest wrote 0x10 */

enum {
	OPT_TIMEOUT = 2000,
	OPT_SUCCESS_CODE,
	OPT_ACCEL,
	OPT_SCREEN,
	OPT_SCREENSHOT,
	OPT_RUN_JSON,
	OPT_DRY_RUN,
};

static const char doc[] =
	"Boot KERNEL, an ELF file, or IMAGE, a disk image, in QEMU, and say how it ended.  "
	"Everything after KERNEL or IMAGE goes to QEMU.\v"
	"Exit status: 0 success (the guest wrote 0x10 to port 0xf4, switched the machine off, or, "
	"without --timeout, the window was closed); odd: the guest wrote another value v, and this is 2v+1; 2 usage; 120 halted "
	"for good (judged with --timeout); 122 crashed; 124 timed out; 126 it could not be done.";

/* What test has, too. */
const struct argp_option run_test_options[] = {
	{ "timeout", OPT_TIMEOUT, "SECONDS", 0, "End the machine after SECONDS, such as 0.5", 0 },
	{ "success-code", OPT_SUCCESS_CODE, "N", 0, "QEMU's exit status for success (default 33)", 0 },
	{ "accel", OPT_ACCEL, "NAME", 0, "How QEMU runs the machine: auto (default), tcg, kvm", 0 },
	{ 0 },
};

static const struct argp_option options_list[] = {
	{ "screen", OPT_SCREEN, NULL, 0, "Print the text screen at the end, whatever is on it", 0 },
	{ "screenshot", OPT_SCREENSHOT, "FILE", 0, "Write a picture of the screen at the end to FILE (PNG)", 0 },
	{ "json", OPT_RUN_JSON, NULL, 0, "Tell how it ended as JSON, on standard error", 0 },
	{ "dry-run", OPT_DRY_RUN, NULL, OPTION_NOT_IN_FILE, "Build the image, print the QEMU command, do not run it", 0 },
	{ 0 },
};

struct arguments {
	struct build_options build;
	struct machine_options machine;
	const char *target;	/* kernel or image */
	char **user;		/* for QEMU */
	struct cargo_settings cargo;
	bool is_test;		/* cargo's: judged as tests are */
	bool has_code;		/* success_code is not our default */
	bool dry_run;
	double timeout;
	int success_code;
	bool json;
	int64_t build_time;	/* ns that building took, 0 if nothing was built */
	const char *accel;
	struct kvm_question *kvm;	/* for --accel auto */
	bool screen;
	const char *screenshot;	/* NULL: none */
};

static double parse_seconds(const char *text)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || *end != '\0' || !isfinite(seconds) || seconds <= 0 || seconds > 1e9)
		return -1;
	return seconds;
}

static int parse_code(const char *text)
{
	char *end;
	long code = strtol(text, &end, 0);

	return end == text || *end != '\0' || code < 0 || code > 255 ? -1 : (int)code;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &arguments->build;
		state->child_inputs[1] = arguments;
		state->child_inputs[2] = &arguments->machine;
		state->child_inputs[3] = &arguments->machine;
		return 0;
	case OPT_TIMEOUT:
		arguments->timeout = parse_seconds(arg);
		if (arguments->timeout < 0)
			argp_error(state, "--timeout: '%s' is not a positive number of seconds", arg);
		return 0;
	case OPT_SUCCESS_CODE:
		arguments->success_code = parse_code(arg);
		arguments->has_code = true;
		if (arguments->success_code < 0)
			argp_error(state, "--success-code: '%s' is not a number from 0 to 255", arg);
		return 0;
	case OPT_ACCEL:
		if (strcmp(arg, "auto") != 0 && strcmp(arg, "tcg") != 0 && strcmp(arg, "kvm") != 0)
			values_refuse(state, "accel", arg, INT_MAX);
		arguments->accel = arg;
		return 0;
	case OPT_SCREEN:
		arguments->screen = true;
		return 0;
	case OPT_SCREENSHOT:
		arguments->screenshot = arg;
		return 0;
	case OPT_RUN_JSON:
		arguments->json = true;
		return 0;
	case OPT_DRY_RUN:
		arguments->dry_run = true;
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

/* ---- What cargo and the package say -------------------------------------- */

/* Is a program a QEMU, by its name? */
static bool is_qemu(const char *program)
{
	const char *name = path_name(program);

	return strncmp(name, "qemu-system-", strlen("qemu-system-")) == 0 || strcmp(name, "qemu-kvm") == 0 ||
	       strcmp(name, "kvm") == 0;
}

/* Does the package have a command of its own, of a program that we do not know? */
static bool runs_plainly(const struct arguments *arguments)
{
	return arguments->cargo.command != NULL && arguments->machine.qemu == NULL &&
	       !is_qemu(arguments->cargo.command[0]);
}

/* Replace each {} in text by path.  The caller frees. */
static char *insert_path(const char *text, const char *path)
{
	char *whole = format_string("%s", "");
	const char *braces;

	for (; (braces = strstr(text, "{}")) != NULL; text = braces + 2) {
		char *longer = format_string("%s%.*s%s", whole, (int)(braces - text), text, path);

		free(whole);
		whole = longer;
	}
	char *result = format_string("%s%s", whole, text);
	free(whole);
	return result;
}

static void add_word(char ***words, size_t *count, char *word)
{
	*plan_append(*words, *count) = word;
}

/* A list of words, which are copies: those of the package's command from the first
 * on, with the image's path, if there is a command; the package's further arguments;
 * and the user's.  The caller frees with qemu_free(). */
static char **gather_words(const struct arguments *arguments, size_t first, const char *path)
{
	char **command = arguments->cargo.command, **words = NULL;
	size_t count = 0;

	for (size_t i = first; command != NULL && command[i] != NULL; i++) {
		/* With --disk the image is ours to attach: "-drive file={}" goes. */
		if (arguments->machine.disk == NULL || first == 0 || strstr(command[i], "{}") == NULL)
			add_word(&words, &count, insert_path(command[i], path));
		else if (count > 0 && words[count - 1][0] == '-')
			free(words[--count]);
	}
	for (char **arg = arguments->cargo.args; arg != NULL && *arg != NULL; arg++)
		add_word(&words, &count, format_string("%s", *arg));
	for (char **arg = arguments->user; *arg != NULL; arg++)
		add_word(&words, &count, format_string("%s", *arg));
	add_word(&words, &count, NULL);
	return words;
}

/* Does the package's command attach the image? */
static bool command_attaches(const struct arguments *arguments)
{
	for (char **word = arguments->cargo.command; word != NULL && *word != NULL; word++) {
		if (strstr(*word, "{}") != NULL)
			return true;
	}
	return false;
}

/* What bootimage runs if it is told nothing is our own way to do it. */
static bool is_default(char *const *command)
{
	static const char *const words[] = { "qemu-system-x86_64", "-drive", "format=raw,file={}" };

	for (size_t i = 0; i < 3; i++) {
		if (command[i] == NULL || strcmp(command[i], words[i]) != 0)
			return false;
	}
	return command[3] == NULL;
}

/* What the package has for this run, and for its kernel. */
static int read_package(struct arguments *arguments, struct error *err)
{
	struct cargo_package package = {0};
	unsigned int wanted = CARGO_SETTINGS;
	int status = 0;

	if (dependency_matters(&arguments->build))
		wanted |= CARGO_DEPENDENCIES;
	if (!command_context.no_config)
		status = cargo_ask(&package, wanted, err);
	if (status == 0)
		status = cargo_read(&arguments->cargo, &package, arguments->is_test, err);
	if (status == 0)
		status = dependency_use(&arguments->build, &package, err);
	cargo_close(&package);
	return status;
}

/* Ask cargo, if it has started us.  What was given to us counts more. */
static int ask_cargo(struct arguments *arguments, struct error *err)
{
	struct cargo_settings *cargo = &arguments->cargo;

	*cargo = (struct cargo_settings){ .success_code = -1 };
	if (!cargo_is_parent())
		return 0;
	arguments->is_test = cargo_is_test(arguments->target);
	/* Nobody looks on. */
	arguments->machine.headless |= arguments->is_test;
	if (read_package(arguments, err) != 0)
		return -1;
	if (cargo->command != NULL && is_default(cargo->command)) {
		qemu_free(cargo->command);
		cargo->command = NULL;
	}
	if (arguments->timeout == 0)
		arguments->timeout = cargo->timeout;
	if (!arguments->has_code && cargo->success_code >= 0) {
		arguments->has_code = true;
		arguments->success_code = cargo->success_code;
	}
	return 0;
}

/* ---- How it ended -------------------------------------------------------- */

/* Has the user put an option of ours behind the kernel? */
static bool has_option(const struct argp_option *options, char *const *user)
{
	for (const struct argp_option *option = options; option->name != NULL; option++) {
		size_t length = strlen(option->name);

		for (char *const *arg = user; *arg != NULL; arg++) {
			if (strncmp(*arg, "--", 2) == 0 && strncmp(*arg + 2, option->name, length) == 0 &&
			    ((*arg)[2 + length] == '\0' || (*arg)[2 + length] == '='))
				return true;
		}
	}
	return false;
}

static bool has_our_option(char *const *user)
{
	return has_option(options_list, user) || has_option(run_test_options, user) ||
	       has_option(machine_options_list, user) || has_option(console_options_list, user);
}

/* Do they ask QEMU something that it answers instead of running? */
static bool asks_qemu(char *const *user)
{
	static const char *const questions[] = { "-version", "-help", "-h", "help", "?" };

	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
		if (qemu_user_has(user, questions[i]))
			return true;
	}
	return false;
}

/* What kind of end it was, before anything is known of the cause. */
static const char *crash_title(const struct run_outcome *outcome)
{
	const struct crash *crash = outcome->crash;

	if (outcome->panicked)
		return "the kernel crashed: it said so itself (pvpanic)";
	if (crash == NULL || !crash->logged)
		return "the kernel crashed: triple fault or reset";
	return crash->exceptions.triple_fault ? "the kernel crashed" : "the kernel reset the machine";
}

/* A test that has a status for success must end by it: QEMU's status is 0 then. */
static bool off_is_failure(const struct arguments *arguments)
{
	return arguments->is_test && arguments->has_code && arguments->success_code != 0;
}

static const char *plural(double count)
{
	return count == 1 ? "" : "s";
}

/* A sentence for how it ended; "" if all is well.  The caller frees. */
static char *describe(const struct arguments *arguments, const struct run_outcome *outcome)
{
	const struct crash *crash = outcome->crash;
	struct crash_words cause = { "" };
	CLEANUP_FREE char *title = NULL;

	switch (outcome->verdict) {
	case VERDICT_GUEST_CODE:
		if (outcome->code == arguments->success_code)
			return format_string("%s", "");
		return format_string("the kernel ended with status %d (it wrote 0x%02x to port 0xf4%s)",
				     outcome->code, outcome->code >> 1,
				     outcome->code == 1 ? ", or QEMU failed and said why" : "");
	case VERDICT_POWERED_OFF:
		return format_string("%s", off_is_failure(arguments) ?
						   "the kernel switched the machine off, which is not how this test succeeds" :
						   "");
	case VERDICT_HALTED:
		title = format_string("the kernel halted for good (interrupts off)");
		break;
	case VERDICT_CRASHED:
		title = format_string("%s", crash_title(outcome));
		break;
	case VERDICT_FAULT:
		/* The log tells more, but knows interrupts by numbers only. */
		if (crash == NULL || crash->exceptions.count == 0 || crash->exceptions.chain[0].hardware)
			return format_string("the kernel crashed: %s", outcome->text);
		title = format_string("the kernel crashed");
		break;
	case VERDICT_TIMEOUT:
		title = format_string("timed out after %g second%s%s", arguments->timeout, plural(arguments->timeout),
				      outcome->before_entry ? ", before the kernel was entered" : "");
		break;
	default:
		return format_string("%s", "");
	}
	if (crash != NULL)
		cause = crash_cause(crash);
	if (cause.text[0] != '\0')
		return format_string("%s: %s", title, cause.text);
	/* Where it is, the report says. */
	if (crash != NULL && crash->frame_count > 0)
		return format_string("%s", title);
	return format_string("%s%s%s", title, outcome->text[0] != '\0' ? " at " : "", outcome->text);
}

/* What we could not do, as an error. */
static int cannot(const struct arguments *arguments, const struct run_outcome *outcome,
		  struct error *err)
{
	const char *at = outcome->text[0] != '\0' ? " at " : "";

	switch (outcome->verdict) {
	case VERDICT_CLOSED:
		error_set(err, ERROR_INPUT, 0, "QEMU was closed before the kernel had ended");
		break;
	case VERDICT_REFUSED:
		error_set(err, ERROR_INPUT, 0, "QEMU refused to start (status %d); its own words are above",
			  outcome->code);
		if (has_our_option(arguments->user))
			error_hint(err, "what comes after the kernel goes to QEMU: give mkbootimg's options before it");
		break;
	case VERDICT_LOADER:
		error_set(err, ERROR_INPUT, 0, "the loader failed: %s", outcome->text);
		break;
	default:
		error_set(err, ERROR_INPUT, 0, "the machine %s before the kernel was entered%s%s",
			  outcome->before_entry ? "halted" : "was reset", at, outcome->text);
		error_hint(err, "the firmware found nothing to boot, or the loader on the image is damaged");
		break;
	}
	return STATUS_CANNOT;
}

/* The exit status. */
static int judge(const struct arguments *arguments, const struct run_outcome *outcome,
		 struct error *err)
{
	switch (outcome->verdict) {
	case VERDICT_GUEST_CODE:
		return outcome->code == arguments->success_code ? STATUS_OK : outcome->code;
	case VERDICT_POWERED_OFF:
		return off_is_failure(arguments) ? STATUS_FAILURE : STATUS_OK;
	case VERDICT_CLOSED:
		return arguments->timeout == 0 ? STATUS_OK : cannot(arguments, outcome, err);
	case VERDICT_REFUSED:
		if (outcome->code == 0 && asks_qemu(arguments->user))
			return STATUS_OK;
		return cannot(arguments, outcome, err);
	case VERDICT_HALTED:
		return STATUS_HALTED;
	case VERDICT_CRASHED:
	case VERDICT_FAULT:
		return STATUS_CRASHED;
	case VERDICT_TIMEOUT:
		return STATUS_TIMEOUT;
	case VERDICT_LOADER:
	case VERDICT_NOT_ENTERED:
		return cannot(arguments, outcome, err);
	case VERDICT_SIGNAL:
		return command_die(outcome->code);
	case VERDICT_PIPE:
		return command_die(SIGPIPE);
	}
	return STATUS_CANNOT;
}

/* Names of verdicts, for programs. */
static const char *const verdict_names[] = {
	[VERDICT_GUEST_CODE] = "ended by itself",
	[VERDICT_POWERED_OFF] = "switched off",
	[VERDICT_CLOSED] = "closed",
	[VERDICT_HALTED] = "halted",
	[VERDICT_CRASHED] = "crashed",
	[VERDICT_FAULT] = "crashed",
	[VERDICT_TIMEOUT] = "timed out",
	[VERDICT_LOADER] = "loader failed",
	[VERDICT_REFUSED] = "QEMU refused",
	[VERDICT_NOT_ENTERED] = "not entered",
	[VERDICT_SIGNAL] = "interrupted",
	[VERDICT_PIPE] = "interrupted",
};

/* The same as data, on standard error: standard output is the guest's. */
static void print_json(const struct run_outcome *outcome, int status, const char *sentence,
		       struct error *err)
{
	json_t *object = json_pack("{s:s, s:i, s:o, s:o, s:o}", "verdict", verdict_names[outcome->verdict],
				   "status", status, "message",
				   report_text(err->class != ERROR_NONE ? err->text : sentence), "screen",
				   outcome->screen != NULL ? report_text(outcome->screen) : json_null(), "crash",
				   outcome->crash != NULL ? crash_json(outcome->crash) : json_null());

	json_dumpf(object, stderr, JSON_INDENT(2));
	fputc('\n', stderr);
	json_decref(object);
	err->class = ERROR_NONE;	/* it is told */
}

/* Say how it ended; returns the exit status. */
static int report(const struct arguments *arguments, const struct run_outcome *outcome,
		  struct error *err)
{
	CLEANUP_FREE char *sentence = describe(arguments, outcome);
	int status = judge(arguments, outcome, err);

	if (arguments->json) {
		print_json(outcome, status, sentence, err);
		return status;
	}
	if (sentence[0] != '\0')
		fprintf(stderr, "mkbootimg: run: %s\n", sentence);
	if (outcome->crash != NULL)
		crash_print(stderr, outcome->crash);
	return status;
}

/* KVM, or none said: QEMU's own default is TCG. */
static int choose_accel(const struct arguments *arguments, struct qemu_machine *machine,
			struct error *err)
{
	if (qemu_user_accelerates(arguments->user))
		return 0;
	if (strcmp(arguments->accel, "auto") != 0) {
		machine->accel = arguments->accel;
		return strcmp(arguments->accel, "kvm") == 0 && !arguments->dry_run ? kvm_check(err) : 0;
	}
	if (kvm_is_fast(arguments->kvm)) {
		machine->accel = "kvm";
		machine->accel_else = "tcg";	/* this QEMU may have been built without */
	}
	return 0;
}

/* A file for the picture, which appears when it is complete. */
static int begin_picture(const struct arguments *arguments, struct output *picture,
			 struct run_options *options, struct error *err)
{
	*picture = (struct output){ .fd = -1 };
	if (arguments->screenshot == NULL || arguments->dry_run)
		return 0;
	if (output_begin(picture, arguments->screenshot, err) != 0) {
		err->hint[0] = '\0';
		return -1;
	}
	options->picture = picture->fd;
	return 0;
}

static void end_picture(const struct arguments *arguments, const struct run_outcome *outcome,
			struct output *picture)
{
	struct error err = outcome->picture;

	if (picture->fd < 0 || outcome->verdict == VERDICT_REFUSED)
		return;
	if (err.class == ERROR_NONE && output_commit(picture, &err) == 0)
		return;
	error_wrap(&err, "no screenshot in '%s'", arguments->screenshot);
	error_print(&err, "run");
}

static void print_screen(const struct arguments *arguments, const struct run_outcome *outcome)
{
	if (outcome->verdict == VERDICT_REFUSED || arguments->json)
		return;
	if (outcome->screen != NULL && outcome->screen[0] != '\0')
		fprintf(stderr, "mkbootimg: run: on the screen:\n%s", outcome->screen);
	else if (outcome->screen != NULL)
		fputs("mkbootimg: run: the screen is empty\n", stderr);
	else if (arguments->screen && outcome->no_screen != NULL)
		fprintf(stderr, "mkbootimg: run: the screen cannot be printed: %s\n", outcome->no_screen);
}

/* Run the machine; where the window that we chose cannot be opened, without. */
static int run_machine(const struct arguments *arguments, struct qemu_machine *machine,
		       struct run_options *options, struct run_outcome *outcome, struct error *err)
{
	bool shown = strcmp(machine->display, "none") != 0 || qemu_user_shows(arguments->user);

	options->tell_screen = !shown && !arguments->build.quiet;
	int status = runner_run(machine, options, outcome, err);

	if (status != 0 || outcome->verdict != VERDICT_REFUSED || outcome->code == 0 ||
	    strcmp(machine->display, "none") == 0)
		return status;
	if (!arguments->build.quiet)
		fputs("mkbootimg: run: QEMU did not start with a window: trying as with --headless\n", stderr);
	machine->display = "none";
	options->tell_screen = !arguments->build.quiet;
	return runner_run(machine, options, outcome, err);
}

static int run_and_report(const struct arguments *arguments, struct qemu_machine *machine,
			  struct run_options *options, struct error *err)
{
	struct output picture;
	struct run_outcome outcome;
	int status = STATUS_CANNOT;

	if (begin_picture(arguments, &picture, options, err) != 0)
		return STATUS_CANNOT;
	if (run_machine(arguments, machine, options, &outcome, err) == 0) {
		print_screen(arguments, &outcome);
		end_picture(arguments, &outcome, &picture);
		output_end(&picture);	/* we may die of a signal next */
		if (arguments->build.verbose && !arguments->json && outcome.verdict != VERDICT_REFUSED)
			times_print(stderr, &outcome.times, arguments->build_time,
				    qemu_user_icount(arguments->user));
		status = report(arguments, &outcome, err);
	}
	if (status == STATUS_CRASHED && !arguments->json && machine->accel != NULL && strcmp(machine->accel, "kvm") == 0)
		fputs("mkbootimg: run: under KVM little is known of a crash: --accel tcg tells more\n", stderr);
	output_end(&picture);
	free(outcome.crash);
	free(outcome.screen);
	return status;
}

static int run_target(const struct arguments *arguments, const struct target *target,
		      struct error *err)
{
	CLEANUP_FREE char *debug_console = target_console();
	struct qemu_machine machine = {
		.program = arguments->machine.qemu,
		.image = target->path,
		.format = target->format->driver,
		.own_copy = target->own_copy,
		.disk = arguments->machine.disk,
		.reboots = arguments->cargo.reboots,
		.display = target_display(&arguments->machine, arguments->user, "run", arguments->build.quiet),
		.qmp_fd = -1,
		.runner_fd = -1,
		.debug_console = debug_console,
		.cpus = arguments->machine.cpus,
		.serial = arguments->machine.serial,
		.user = arguments->user,
	};
	struct run_options options = { .timeout = arguments->timeout,
				       .reboots = arguments->cargo.reboots,
				       .own_image = target->own_image,
				       .want_screen = arguments->screen };

	if (target_check_disk(target, &arguments->machine, err) != 0)
		return STATUS_USAGE;
	if (target_memory(target, &arguments->machine, &machine.memory, err) != 0 ||
	    choose_accel(arguments, &machine, err) != 0 ||
	    (!arguments->dry_run && target_check_serial(&arguments->machine, err) != 0))
		return STATUS_CANNOT;
	if (arguments->dry_run) {
		char **command = qemu_arguments(&machine);
		CLEANUP_FREE char *line = qemu_quote(command);

		puts(line);
		qemu_free(command);
		return STATUS_OK;
	}
	struct file_view symbols;
	if (origin_open(&symbols, arguments->machine.symbols, target->name, &target->facts, err) != 0)
		return STATUS_CANNOT;
	options.kernel = origin_kernel(&symbols, arguments->machine.symbols != NULL, &target->facts);
	int status = run_and_report(arguments, &machine, &options, err);
	file_close(&symbols);
	return status;
}

/* Run a program that is no QEMU, and judge by its exit status, as bootimage does. */
static int run_plainly(const struct arguments *arguments, const struct target *target,
		       struct error *err)
{
	char **command = gather_words(arguments, 0, target->path);
	int status = STATUS_OK;

	if (arguments->dry_run) {
		CLEANUP_FREE char *line = qemu_quote(command);

		puts(line);
	} else {
		status = plain_run(command, arguments->timeout, err);
	}
	qemu_free(command);
	if (arguments->dry_run)
		return status;
	if (status == -2) {
		fprintf(stderr, "mkbootimg: run: timed out after %g second%s\n", arguments->timeout,
			plural(arguments->timeout));
		return STATUS_TIMEOUT;
	}
	if (status < 0)
		return STATUS_CANNOT;
	if (arguments->has_code && status == arguments->success_code)
		return STATUS_OK;
	return status == 0 && off_is_failure(arguments) ? STATUS_FAILURE : status;
}

/* Run QEMU, with what the package has for it. */
static int run_qemu(const struct arguments *arguments, const struct target *target, struct error *err)
{
	struct arguments complete = *arguments;
	const char *program = arguments->cargo.command != NULL ? arguments->cargo.command[0] : QEMU_DEFAULT;

	complete.user = gather_words(arguments, 1, target->path);
	if (complete.machine.qemu == NULL)
		complete.machine.qemu = program;
	if (complete.machine.disk == NULL && !command_attaches(arguments))
		complete.machine.disk = DISK_DEFAULT;
	int status = run_target(&complete, target, err);
	qemu_free(complete.user);
	return status;
}

static int run(struct arguments *arguments, struct error *err)
{
	struct target target;
	int status = STATUS_CANNOT;

	if (qemu_user_has(arguments->user, "-daemonize")) {
		error_set(err, ERROR_USAGE, 0, "QEMU's -daemonize is not for run, which waits for the machine to end");
		return STATUS_USAGE;
	}
	/* Answered while the image is built. */
	if (strcmp(arguments->accel, "auto") == 0 && !qemu_user_accelerates(arguments->user))
		*arguments->kvm = kvm_ask();
	/* Somebody is to see the image. */
	bool named = arguments->dry_run || runs_plainly(arguments);
	int64_t started = clock_ns();
	bool ready = target_open(&target, arguments->target, &arguments->build, named, err) == 0;
	if (target.is_kernel)
		arguments->build_time = clock_ns() - started;
	if (ready)
		status = runs_plainly(arguments) ? run_plainly(arguments, &target, err) :
						   run_qemu(arguments, &target, err);
	else if (err->class == ERROR_USAGE)
		status = STATUS_USAGE;
	target_close(&target);
	kvm_forget(arguments->kvm);
	return status;
}

/* Only options: arguments and what argp itself says are for parse(). */
static error_t parse_test(int key, char *arg, struct argp_state *state)
{
	for (const struct argp_option *option = run_test_options; option->name != NULL; option++) {
		if (option->key == key)
			return parse(key, arg, state);
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp test_argp = { .options = run_test_options, .parser = parse_test };
static const struct argp_child children[] = { { &build_argp, 0, "Building:", 2 },
					      { .argp = &test_argp },
					      { .argp = &machine_argp },
					      { .argp = &console_argp },
					      { 0 } };
const struct argp run_command_argp = { .options = options_list,
				       .parser = parse,
				       .args_doc = "KERNEL|IMAGE [QEMU-ARG...]",
				       .doc = doc,
				       .children = children };

int command_run(int argc, char **argv, struct error *err)
{
	struct kvm_question kvm = { 0 };
	struct arguments arguments = {
		.build = BUILD_OPTIONS_DEFAULT,
		.success_code = SUCCESS_CODE_DEFAULT,
		.accel = "auto",
		.kvm = &kvm,
	};

	if (command_parse(argc, argv, &arguments, err) != 0)
		return STATUS_USAGE;
	/* Standard output is for the command then. */
	if (arguments.dry_run)
		arguments.build.verbose = false;
	int status = ask_cargo(&arguments, err) == 0 ? run(&arguments, err) :
		     err->class == ERROR_USAGE	     ? STATUS_USAGE :
						       STATUS_CANNOT;
	cargo_settings_free(&arguments.cargo);
	build_options_free(&arguments.build);
	return status;
}
