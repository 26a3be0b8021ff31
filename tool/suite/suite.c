/* SPDX-License-Identifier: MIT
 *
 * Suites; see suite.h.
 */
#include "suite/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "command/command.h"
#include "base/fileio.h"

#define TAIL 2048		/* bytes of output that a report quotes */
#define WORDS_MOST (256 * 1024)	/* bytes of standard error that are kept */
#define PROGRESS_MS 100

/* A kernel that runs. */
struct job {
	struct suite_test *test;	/* NULL: this place is free */
	pid_t pid;
	int output;			/* its standard output, -1 when it has ended */
	int words;			/* its standard error, likewise */
	int log;
	int64_t started;
	char *error_text;		/* what came from standard error */
	size_t error_size;
	char tail[TAIL + 1];		/* the end of its output */
	size_t tail_size;
	char *seen;			/* the last bytes, where the expected text may begin */
	size_t seen_size;
	bool expected;			/* the expected text was there */
};

struct suite {
	struct suite_test *tests;
	size_t count;
	const struct suite_options *options;
	struct job *jobs;
	size_t next;			/* test to start */
	size_t told;			/* tests that were reported */
	int signals;			/* signalfd */
};

/* ---- Starting ---------------------------------------------------------------- */

static char **child_arguments(const struct suite *suite, const struct suite_test *test)
{
	/* Its options are ours: a file's too. */
	static const char *const fixed[] = { "mkbootimg", "--no-config", "run", "--headless", "--json" };
	enum { FIXED = sizeof(fixed) / sizeof(fixed[0]) };
	size_t count = 0, used = 0;

	while (suite->options->run_arguments[count] != NULL)
		count++;
	const char **arguments = calloc(FIXED + count + 2, sizeof(arguments[0]));
	if (arguments == NULL)
		abort();
	for (size_t i = 0; i < FIXED; i++)
		arguments[used++] = fixed[i];
	for (size_t i = 0; i < count; i++)
		arguments[used++] = suite->options->run_arguments[i];
	arguments[used] = test->kernel;
	return (char **)arguments;
}

/* In the child. */
static void run_child(char **arguments, pid_t parent, int output, int words)
{
	sigset_t none;
	int null = open("/dev/null", O_RDONLY);

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(127);
	/* Ctrl-C is ours: we end them. */
	setpgid(0, 0);
	dup2(null, STDIN_FILENO);
	dup2(output, STDOUT_FILENO);
	dup2(words, STDERR_FILENO);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execv("/proc/self/exe", arguments);
	_exit(127);
}

static int start(const struct suite *suite, struct job *job, struct suite_test *test,
		 struct error *err)
{
	int output[2], words[2];
	pid_t parent = getpid();

	*job = (struct job){ .output = -1, .words = -1, .log = -1 };
	job->log = open(test->log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (job->log < 0)
		return error_set(err, ERROR_SYSTEM, errno, "cannot write '%s'", test->log);
	if (pipe2(output, O_CLOEXEC) != 0) {
		cleanup_close(&job->log);
		return error_set(err, ERROR_SYSTEM, errno, "cannot start a test");
	}
	if (pipe2(words, O_CLOEXEC) != 0) {
		close(output[0]);
		close(output[1]);
		cleanup_close(&job->log);
		return error_set(err, ERROR_SYSTEM, errno, "cannot start a test");
	}
	char **arguments = child_arguments(suite, test);
	job->started = clock_ms();
	job->pid = fork();
	if (job->pid == 0)
		run_child(arguments, parent, output[1], words[1]);
	free(arguments);
	close(output[1]);
	close(words[1]);
	job->output = output[0];
	job->words = words[0];
	if (job->pid < 0) {
		close(output[0]);
		close(words[0]);
		cleanup_close(&job->log);
		return error_set(err, ERROR_SYSTEM, errno, "cannot start a test");
	}
	fcntl(job->output, F_SETFL, O_NONBLOCK);
	fcntl(job->words, F_SETFL, O_NONBLOCK);
	if (suite->options->expect != NULL)
		job->seen = calloc(1, strlen(suite->options->expect) + 65536);
	job->test = test;
	test->running = true;
	return 0;
}

/* ---- Listening ----------------------------------------------------------------- */

static void keep_tail(struct job *job, const char *bytes, size_t size)
{
	if (size >= TAIL) {
		memcpy(job->tail, bytes + size - TAIL, TAIL);
		job->tail_size = TAIL;
		return;
	}
	size_t keep = job->tail_size + size > TAIL ? TAIL - size : job->tail_size;
	memmove(job->tail, job->tail + job->tail_size - keep, keep);
	memcpy(job->tail + keep, bytes, size);
	job->tail_size = keep + size;
}

/* Look for the expected text, also where it lies across two reads. */
static void look_for(struct job *job, const char *expect, const char *bytes, size_t size)
{
	size_t length = strlen(expect), keep;

	if (job->seen == NULL || job->expected || length == 0)
		return;
	memcpy(job->seen + job->seen_size, bytes, size);
	job->seen_size += size;
	job->expected = memmem(job->seen, job->seen_size, expect, length) != NULL;
	keep = job->seen_size < length - 1 ? job->seen_size : length - 1;
	memmove(job->seen, job->seen + job->seen_size - keep, keep);
	job->seen_size = keep;
}

static void hear_output(const struct suite *suite, struct job *job)
{
	char bytes[65536];
	ssize_t n = read(job->output, bytes, sizeof(bytes));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		cleanup_close(&job->output);
		job->output = -1;
		return;
	}
	/* A full disk must not change a verdict. */
	ssize_t ignored = write(job->log, bytes, (size_t)n);
	(void)ignored;
	keep_tail(job, bytes, (size_t)n);
	if (suite->options->expect == NULL)
		return;
	look_for(job, suite->options->expect, bytes, (size_t)n);
	if (job->expected)
		kill(job->pid, SIGTERM);
}

static void hear_words(struct job *job)
{
	char bytes[4096];
	ssize_t n = read(job->words, bytes, sizeof(bytes));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		cleanup_close(&job->words);
		job->words = -1;
		return;
	}
	if (job->error_size + (size_t)n > WORDS_MOST)
		return;
	char *grown = realloc(job->error_text, job->error_size + (size_t)n + 1);
	if (grown == NULL)
		return;
	job->error_text = grown;
	memcpy(grown + job->error_size, bytes, (size_t)n);
	job->error_size += (size_t)n;
	grown[job->error_size] = '\0';
}

/* ---- Judging --------------------------------------------------------------------- */

/* The JSON object at the end of what "run" said; others' words may come before. */
static json_t *find_facts(const char *text)
{
	const char *last = NULL;

	for (const char *line = text; line != NULL && *line != '\0';) {
		if (strncmp(line, "{\n", 2) == 0)
			last = line;
		line = strchr(line, '\n');
		line = line != NULL ? line + 1 : NULL;
	}
	return last != NULL ? json_loads(last, JSON_DISABLE_EOF_CHECK, NULL) : NULL;
}

static const char *fact(const json_t *facts, const char *name)
{
	const char *text = json_string_value(json_object_get(facts, name));

	return text != NULL ? text : "";
}

/* The vector of the exception that killed it, -1 if none did. */
static int crash_vector(const json_t *facts)
{
	const json_t *chain = json_object_get(json_object_get(facts, "crash"), "exceptions");
	const json_t *vector = json_object_get(json_array_get(chain, 0), "vector");

	return json_is_integer(vector) ? (int)json_integer_value(vector) : -1;
}

/* What it said itself, if it could not even begin. */
static char *first_words(const char *text)
{
	const char *words = text != NULL ? text : "";

	if (strncmp(words, "mkbootimg: run: ", 16) == 0)
		words += 16;
	return format_string("%.*s", (int)strcspn(words, "\n"), words);
}

static void fail(struct suite_test *test, char *message)
{
	test->passed = false;
	test->message = message;
}

static void judge(const struct suite *suite, const struct job *job)
{
	const struct suite_options *options = suite->options;
	struct suite_test *test = job->test;
	const char *verdict = fact(test->facts, "verdict"), *message = fact(test->facts, "message");
	bool shown = options->expect != NULL && strstr(fact(test->facts, "screen"), options->expect) != NULL;
	int vector = crash_vector(test->facts);

	test->passed = true;
	if (job->expected || shown) {
		test->message = format_string("%s", "");
	} else if (test->facts == NULL) {
		test->broken = true;
		fail(test, job->error_size > 0 ? first_words(job->error_text) :
						 format_string("ended with status %d, without a word", test->status));
	} else if (options->expect_crash >= 0) {
		if (vector == options->expect_crash)
			test->message = format_string("%s", "");
		else if (vector >= 0)
			fail(test, format_string("exception %d was expected: %s", options->expect_crash, message));
		else
			fail(test, format_string("exception %d was expected, but: %s", options->expect_crash,
						 message[0] != '\0' ? message : verdict));
	} else if (options->expect != NULL) {
		fail(test, format_string("'%s' was not written, and then: %s", options->expect,
					 message[0] != '\0' ? message : verdict));
	} else if (test->status == STATUS_OK &&
		   (options->power_off_passes || strcmp(verdict, "switched off") != 0)) {
		test->message = format_string("%s", "");
	} else if (test->status == STATUS_OK) {
		fail(test, format_string("the machine was switched off, which does not say success (--success-code 0 lets it)"));
	} else {
		test->broken = test->status == STATUS_CANNOT;
		fail(test, format_string("%s", message));
	}
}

/* It has ended, and all that it said is here. */
static void finish(struct suite *suite, struct job *job, int wait_status)
{
	struct suite_test *test = job->test;

	test->status = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
	test->seconds = (double)(clock_ms() - job->started) / 1000;
	job->tail[job->tail_size] = '\0';
	test->tail = format_string("%s", job->tail);
	test->facts = job->error_text != NULL ? find_facts(job->error_text) : NULL;
	judge(suite, job);
	test->running = false;
	test->finished = true;
	cleanup_close(&job->log);
	free(job->error_text);
	free(job->seen);
	job->test = NULL;
	while (suite->told < suite->count && suite->tests[suite->told].finished)
		suite->options->done(suite->options->context, suite->told++);
}

/* ---- All together -------------------------------------------------------------------- */

static bool any_running(const struct suite *suite)
{
	for (size_t i = 0; i < suite->options->jobs; i++) {
		if (suite->jobs[i].test != NULL)
			return true;
	}
	return false;
}

/* Fill free places.  Only if nothing runs either, failing to start is the end. */
static int start_jobs(struct suite *suite, struct error *err)
{
	for (size_t i = 0; i < suite->options->jobs && suite->next < suite->count; i++) {
		if (suite->jobs[i].test != NULL)
			continue;
		if (start(suite, &suite->jobs[i], &suite->tests[suite->next], err) == 0) {
			suite->next++;
			continue;
		}
		if (!any_running(suite))
			return -1;
		*err = (struct error){ .class = ERROR_NONE };
		return 0;
	}
	return 0;
}

/* Wait for anything, and take it in. */
static void listen(struct suite *suite, struct pollfd *fds)
{
	size_t jobs = suite->options->jobs;
	nfds_t used = 0;

	/* Of those that run alone: poll() takes no more than may be open. */
	for (size_t i = 0; i < jobs; i++) {
		if (suite->jobs[i].test == NULL)
			continue;
		fds[used++] = (struct pollfd){ .fd = suite->jobs[i].output, .events = POLLIN };
		fds[used++] = (struct pollfd){ .fd = suite->jobs[i].words, .events = POLLIN };
	}
	fds[used++] = (struct pollfd){ .fd = suite->signals, .events = POLLIN };
	poll(fds, used, PROGRESS_MS);
	for (size_t i = 0; i < jobs; i++) {
		struct job *job = &suite->jobs[i];
		int status;

		if (job->test == NULL)
			continue;
		if ((fds++)->revents != 0)
			hear_output(suite, job);
		if ((fds++)->revents != 0)
			hear_words(job);
		if (job->output < 0 && job->words < 0 && waitpid(job->pid, &status, 0) == job->pid)
			finish(suite, job, status);
	}
}

/* A signal that ends us: its number. */
static int read_signal(const struct suite *suite)
{
	struct signalfd_siginfo info;

	return read(suite->signals, &info, sizeof(info)) == sizeof(info) ? (int)info.ssi_signo : 0;
}

static void end_all(struct suite *suite)
{
	for (size_t i = 0; i < suite->options->jobs; i++) {
		if (suite->jobs[i].test != NULL)
			kill(suite->jobs[i].pid, SIGTERM);
	}
	for (size_t i = 0; i < suite->options->jobs; i++) {
		struct job *job = &suite->jobs[i];

		if (job->test == NULL)
			continue;
		waitpid(job->pid, NULL, 0);
		cleanup_close(&job->output);
		cleanup_close(&job->words);
		cleanup_close(&job->log);
		free(job->error_text);
		free(job->seen);
	}
}

int suite_run(struct suite_test *tests, size_t count, const struct suite_options *options,
	      int *signal, struct error *err)
{
	struct suite suite = { .tests = tests, .count = count, .options = options };
	sigset_t ours, old;
	int status = 0;

	*signal = 0;
	sigemptyset(&ours);
	sigaddset(&ours, SIGINT);
	sigaddset(&ours, SIGTERM);
	sigaddset(&ours, SIGHUP);
	sigprocmask(SIG_BLOCK, &ours, &old);
	suite.signals = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
	suite.jobs = calloc(options->jobs, sizeof(suite.jobs[0]));
	struct pollfd *fds = calloc(2 * options->jobs + 1, sizeof(fds[0]));
	if (suite.jobs == NULL || fds == NULL)
		status = error_set(err, ERROR_SYSTEM, 0, "out of memory");
	while (status == 0 && *signal == 0 && suite.told < count) {
		status = start_jobs(&suite, err);
		if (status != 0)
			break;
		listen(&suite, fds);
		*signal = read_signal(&suite);
		if (options->progress != NULL)
			options->progress(options->context);
	}
	if (suite.jobs != NULL)
		end_all(&suite);
	free(suite.jobs);
	free(fds);
	close(suite.signals);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return status;
}

void suite_free(struct suite_test *tests, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(tests[i].name);
		free(tests[i].log);
		free(tests[i].message);
		free(tests[i].tail);
		json_decref(tests[i].facts);
	}
	free(tests);
}
