/* SPDX-License-Identifier: MIT
 *
 * mkbootimg test: boot many kernels, some at a time, and judge each.
 */
#include <argp.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command/build.h"
#include "base/clock.h"
#include "command/command.h"
#include "base/fileio.h"
#include "plan/plan.h"
#include "suite/suite.h"
#include "suite/suite_report.h"
#include "command/target.h"

#define JOBS_MAX 1024
#define TIMEOUT_DEFAULT "60"
#define PROGRESS_AFTER_MS 500

enum {
	OPT_EXPECT = 4000,
	OPT_EXPECT_CRASH,
	OPT_JUNIT,
	OPT_LOGS,
	OPT_REPEAT,
	OPT_SHARD,
};

static const char doc[] =
	"Boot each KERNEL without a window and judge it: the guest must write 0x10 to port 0xf4, or what "
	"--expect or --expect-crash say.  Results go to standard output as TAP.\v"
	"Options of run and build are for all kernels.\n\n"
	"Exit status: 0 all passed; 1 not all; 2 usage; 126 they could not be run.";

static const struct argp_option own_options[] = {
	{ "jobs", 'j', "N", 0, "Boot N at a time (default: one for each processor)", 1 },
	{ "expect", OPT_EXPECT, "TEXT", 0, "Passed when TEXT is written to COM1 or stands on the screen", 1 },
	{ "expect-crash", OPT_EXPECT_CRASH, "VECTOR", 0, "Passed when exception VECTOR killed it", 1 },
	{ "junit", OPT_JUNIT, "FILE", 0, "Also write the results to FILE, as JUnit does", 1 },
	{ "logs", OPT_LOGS, "DIR", 0, "Keep what each writes in DIR (default: a temporary one, kept if a test fails)", 1 },
	{ "repeat", OPT_REPEAT, "N", 0, "Boot each kernel N times", 1 },
	{ "shard", OPT_SHARD, "I/N", 0, "Of all tests, run only the I-th of N parts", 1 },
	{ 0 },
};

struct arguments {
	char **run_arguments;	/* for each "run" */
	size_t run_argument_count;
	const char **kernels;
	size_t kernel_count;
	unsigned long jobs;	/* 0: as many as processors */
	unsigned long repeat;
	unsigned long shard;	/* from 1 */
	unsigned long shards;
	const char *expect;
	int expect_crash;
	const char *junit;
	const char *logs;
	bool has_timeout;
	bool power_off_passes;
};

/* ---- Arguments ------------------------------------------------------------------ */

static void pass_on(struct arguments *arguments, const char *name, const char *value)
{
	*plan_append(arguments->run_arguments, arguments->run_argument_count) =
		value != NULL ? format_string("--%s=%s", name, value) : format_string("--%s", name);
}

static const struct argp_option *find_option(const struct argp_option *options, int key)
{
	for (; options->name != NULL; options++) {
		if (options->key == key)
			return options;
	}
	return NULL;
}

/* An option of run or build: for each run. */
static error_t parse_passed(int key, char *arg, struct argp_state *state,
			    const struct argp_option *options)
{
	struct arguments *arguments = state->input;
	const struct argp_option *option = find_option(options, key);

	if (option == NULL)
		return ARGP_ERR_UNKNOWN;
	arguments->has_timeout |= strcmp(option->name, "timeout") == 0;
	if (strcmp(option->name, "success-code") == 0)
		arguments->power_off_passes = strcmp(arg, "0") == 0;
	pass_on(arguments, option->name, arg);
	return 0;
}

static error_t parse_plan(int key, char *arg, struct argp_state *state)
{
	return parse_passed(key, arg, state, plan_options_list);
}

static error_t parse_run(int key, char *arg, struct argp_state *state)
{
	if (key == ARGP_KEY_INIT) {
		state->child_inputs[0] = state->input;
		return 0;
	}
	return parse_passed(key, arg, state, run_test_options);
}

static error_t parse_machine(int key, char *arg, struct argp_state *state)
{
	return parse_passed(key, arg, state, machine_options_list);
}

static bool parse_count(const char *text, unsigned long most, unsigned long *count)
{
	char *end;

	errno = 0;
	*count = strtoul(text, &end, 10);
	return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0 && *count >= 1 && *count <= most;
}

static bool parse_shard(const char *text, struct arguments *arguments)
{
	const char *slash = strchr(text, '/');

	if (slash == NULL)
		return false;
	CLEANUP_FREE char *first = format_string("%.*s", (int)(slash - text), text);
	return parse_count(slash + 1, 1000000, &arguments->shards) &&
	       parse_count(first, arguments->shards, &arguments->shard);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *arguments = state->input;
	unsigned long number;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = arguments;
		state->child_inputs[1] = arguments;
		return 0;
	case 'j':
		if (!parse_count(arg, JOBS_MAX, &arguments->jobs))
			argp_error(state, "--jobs: '%s' is not a number from 1 to %d", arg, JOBS_MAX);
		return 0;
	case OPT_EXPECT:
		if (*arg == '\0')
			argp_error(state, "--expect: the text is empty");
		arguments->expect = arg;
		return 0;
	case OPT_EXPECT_CRASH:
		if (strcmp(arg, "0") != 0 && !parse_count(arg, 31, &number))
			argp_error(state, "--expect-crash: '%s' is not the number of an exception, 0 to 31", arg);
		arguments->expect_crash = atoi(arg);
		return 0;
	case OPT_JUNIT:
		arguments->junit = arg;
		return 0;
	case OPT_LOGS:
		arguments->logs = arg;
		return 0;
	case OPT_REPEAT:
		if (!parse_count(arg, 1000000, &arguments->repeat))
			argp_error(state, "--repeat: '%s' is not a number from 1 on", arg);
		return 0;
	case OPT_SHARD:
		if (!parse_shard(arg, arguments))
			argp_error(state, "--shard: '%s' is not I/N, with I from 1 to N", arg);
		return 0;
	case ARGP_KEY_ARG:
		*plan_append(arguments->kernels, arguments->kernel_count) = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "no kernel given");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* ---- Running ---------------------------------------------------------------------- */

struct session {
	const struct arguments *arguments;
	struct suite_test *tests;
	size_t count;
	size_t done;
	size_t failed;
	int64_t started;
	bool bar;		/* there is a terminal for a progress bar */
	bool drawn;
};

/* All tests, and of these our shard's.  What they are called is their file's name,
 * with the directories, and which repetition it is. */
static void make_tests(struct session *session, const char *logs)
{
	const struct arguments *arguments = session->arguments;
	size_t number = 0;

	for (unsigned long r = 0; r < arguments->repeat; r++) {
		for (size_t i = 0; i < arguments->kernel_count; i++, number++) {
			const char *kernel = arguments->kernels[i];

			if (number % arguments->shards != arguments->shard - 1)
				continue;
			struct suite_test *test = plan_append(session->tests, session->count);
			test->kernel = kernel;
			test->name = arguments->repeat == 1 ?
					     format_string("%s", kernel) :
					     format_string("%s (%lu of %lu)", kernel, r + 1, arguments->repeat);
			test->log = format_string("%s/%04zu-%s.log", logs, number + 1, path_name(kernel));
		}
	}
}

static void clear_bar(struct session *session)
{
	if (session->drawn)
		fputs("\r\033[K", stderr);
	session->drawn = false;
}

static void progress(void *context)
{
	struct session *session = context;
	const char *running = "";

	if (!session->bar || clock_ms() - session->started < PROGRESS_AFTER_MS)
		return;
	for (size_t i = 0; i < session->count; i++) {
		if (session->tests[i].running)
			running = path_name(session->tests[i].kernel);
	}
	clear_bar(session);
	fprintf(stderr, "\r%zu of %zu, %zu failed  %.40s", session->done, session->count, session->failed,
		running);
	session->drawn = true;
}

static void done(void *context, size_t index)
{
	struct session *session = context;

	clear_bar(session);
	session->done++;
	session->failed += !session->tests[index].passed;
	tap_test(stdout, index + 1, &session->tests[index]);
}

static size_t processors(void)
{
	cpu_set_t set;
	int count = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;

	return count > 0 ? (size_t)count : 1;
}

/* A directory for the logs: the user's, or one of our own. */
static char *make_logs(const char *wanted, struct error *err)
{
	if (wanted != NULL) {
		if (mkdir(wanted, 0777) == 0 || errno == EEXIST)
			return format_string("%s", wanted);
		error_set(err, ERROR_SYSTEM, errno, "cannot make the directory '%s'", wanted);
		return NULL;
	}
	const char *temporary = getenv("TMPDIR");
	char *path = format_string("%s/mkbootimg-logs.XXXXXX",
				   temporary != NULL && *temporary != '\0' ? temporary : "/tmp");
	if (mkdtemp(path) != NULL)
		return path;
	error_set(err, ERROR_SYSTEM, errno, "cannot make the directory '%s'", path);
	free(path);
	return NULL;
}

/* Our own directory is of no use when all is well. */
static void end_logs(const struct session *session, const char *logs)
{
	if (session->arguments->logs != NULL)
		return;
	if (session->failed > 0) {
		printf("# what they wrote is in %s\n", logs);
		return;
	}
	for (size_t i = 0; i < session->count; i++)
		unlink(session->tests[i].log);
	rmdir(logs);
}

static int run_session(struct session *session, struct error *err)
{
	const struct arguments *arguments = session->arguments;
	struct suite_options options = {
		.run_arguments = arguments->run_arguments,
		.jobs = arguments->jobs != 0 ? arguments->jobs : processors(),
		.expect = arguments->expect,
		.expect_crash = arguments->expect_crash,
		.power_off_passes = arguments->power_off_passes,
		.done = done,
		.progress = progress,
		.context = session,
	};
	int number;
	CLEANUP_FREE char *logs = make_logs(arguments->logs, err);

	if (logs == NULL)
		return STATUS_CANNOT;
	make_tests(session, logs);
	tap_begin(stdout, session->count);
	int status = suite_run(session->tests, session->count, &options, &number, err);
	clear_bar(session);
	if (status == 0 && number == 0 && arguments->junit != NULL)
		status = junit_write(arguments->junit, session->tests, session->count, err);
	if (status != 0 || number != 0)
		printf("Bail out!  %s\n", number != 0 ? strsignal(number) : err->text);
	end_logs(session, logs);
	fflush(stdout);
	if (number != 0) {
		signal(number, SIG_DFL);
		raise(number);
	}
	if (status != 0)
		return STATUS_CANNOT;
	return session->failed == 0 ? STATUS_OK : STATUS_FAILURE;
}

static const struct argp plan_passed_argp = { .options = plan_options_list, .parser = parse_plan };
static const struct argp machine_passed_argp = { .options = machine_options_list,
						 .parser = parse_machine };
static const struct argp_child run_children[] = { { .argp = &machine_passed_argp }, { 0 } };
static const struct argp run_passed_argp = { .options = run_test_options,
					     .parser = parse_run,
					     .children = run_children };
static const struct argp_child children[] = { { &run_passed_argp, 0, "Running, as with run:", 2 },
					      { &plan_passed_argp, 0, "Building, as with build:", 3 },
					      { 0 } };
const struct argp test_command_argp = { .options = own_options,
					.parser = parse,
					.args_doc = "KERNEL...",
					.doc = doc,
					.children = children };

static void free_arguments(struct arguments *arguments)
{
	for (size_t i = 0; i < arguments->run_argument_count; i++)
		free(arguments->run_arguments[i]);
	free(arguments->run_arguments);
	free(arguments->kernels);
}

int command_test(int argc, char **argv, struct error *err)
{
	struct arguments arguments = { .repeat = 1, .shard = 1, .shards = 1, .expect_crash = -1 };

	if (command_parse(argc, argv, &arguments, err) != 0) {
		free_arguments(&arguments);
		return STATUS_USAGE;
	}
	if (!arguments.has_timeout)
		pass_on(&arguments, "timeout", TIMEOUT_DEFAULT);
	*plan_append(arguments.run_arguments, arguments.run_argument_count) = NULL;

	struct session session = { .arguments = &arguments,
				   .started = clock_ms(),
				   .bar = isatty(STDERR_FILENO) };
	int status = run_session(&session, err);
	suite_free(session.tests, session.count);
	free_arguments(&arguments);
	return status;
}
