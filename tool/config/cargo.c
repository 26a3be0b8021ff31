/* SPDX-License-Identifier: MIT
 *
 * Cargo; see cargo.h.
 */
#include "config/cargo.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fileio.h"

#define TEST_TIMEOUT 300	/* seconds: what bootimage has */

#define ANSWER_MAX (64 * 1024 * 1024)	/* bytes of "cargo metadata" */
#define ANSWER_MS 60000
#define WORDS_MAX 4096			/* bytes of what it says of an error */

extern char **environ;

bool cargo_is_parent(void)
{
	return getenv("CARGO") != NULL && getenv("CARGO_MANIFEST_DIR") != NULL;
}

bool cargo_is_test(const char *executable)
{
	static const char doctest[] = "rustdoctest";
	CLEANUP_FREE char *path = realpath(executable, NULL);
	char *name = path != NULL ? strrchr(path, '/') : NULL;

	if (name == NULL)
		return false;
	*name++ = '\0';
	const char *directory = path_name(path);

	return strcmp(directory, "deps") == 0 || strncmp(directory, doctest, sizeof(doctest) - 1) == 0 ||
	       strncmp(name, doctest, sizeof(doctest) - 1) == 0;
}

/* ---- Asking cargo -------------------------------------------------------- */

/* What came from a pipe. */
struct stream {
	int fd;		/* -1 at its end */
	char *text;
	size_t used;
	size_t most;	/* further bytes are dropped */
	bool cut;
};

static void stream_read(struct stream *stream)
{
	char bytes[65536];
	ssize_t n = read(stream->fd, bytes, sizeof(bytes));

	if (n < 0 && errno == EINTR)
		return;
	if (n <= 0) {
		close(stream->fd);
		stream->fd = -1;
		return;
	}
	size_t room = stream->most - stream->used, take = (size_t)n < room ? (size_t)n : room;
	char *larger = realloc(stream->text, stream->used + take + 1);

	stream->cut |= take < (size_t)n || larger == NULL;
	if (larger == NULL)
		return;
	memcpy(larger + stream->used, bytes, take);
	larger[stream->used + take] = '\0';
	stream->text = larger;
	stream->used += take;
}

/* Read both to their ends; false if that takes too long. */
static bool read_both(struct stream *out, struct stream *words)
{
	int64_t deadline = clock_ms() + ANSWER_MS;

	while ((out->fd >= 0 || words->fd >= 0) && !out->cut) {
		struct pollfd fds[] = { { .fd = out->fd, .events = POLLIN },
					{ .fd = words->fd, .events = POLLIN } };
		int64_t left = deadline - clock_ms();

		if (left <= 0)
			return false;
		if (poll(fds, 2, (int)left) < 0 && errno != EINTR)
			return false;
		if (fds[0].revents != 0)
			stream_read(out);
		if (fds[1].revents != 0)
			stream_read(words);
	}
	return true;
}

static int spawn(pid_t *pid, const char *const *words, int out, int err)
{
	posix_spawn_file_actions_t actions;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
	int errnum = posix_spawnp(pid, words[0], &actions, NULL, (char *const *)(uintptr_t)words, environ);
	posix_spawn_file_actions_destroy(&actions);
	return errnum;
}

/* Cargo's own word for what is wrong: the line with "error: ". */
static const char *find_reason(char *words)
{
	char *reason = words != NULL ? strstr(words, "error: ") : NULL;

	reason = reason != NULL ? reason + strlen("error: ") : words;
	if (reason == NULL || reason[0] == '\0')
		return "it does not say why";
	reason[strcspn(reason, "\n")] = '\0';
	return reason;
}

/* How it ended, once both streams have: 1 if it is cargo that failed. */
static int judge(const struct stream *out, const struct stream *words, int status, struct error *err)
{
	if (out->cut)
		return error_set(err, ERROR_SYSTEM, 0, "'cargo metadata' has no end");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	error_set(err, ERROR_SYSTEM, 0, "'cargo metadata' failed: %s", find_reason(words->text));
	return 1;
}

static int ask(const char *const *words, struct stream *out, struct error *err)
{
	struct stream errors = { .fd = -1, .most = WORDS_MAX };
	int out_ends[2], err_ends[2], status = 0;
	pid_t pid;

	if (pipe2(out_ends, O_CLOEXEC) != 0)
		return error_set(err, ERROR_SYSTEM, errno, "cannot run '%s'", words[0]);
	if (pipe2(err_ends, O_CLOEXEC) != 0) {
		error_set(err, ERROR_SYSTEM, errno, "cannot run '%s'", words[0]);
		close(out_ends[0]);
		close(out_ends[1]);
		return -1;
	}
	out->fd = out_ends[0];
	errors.fd = err_ends[0];
	int errnum = spawn(&pid, words, out_ends[1], err_ends[1]);
	close(out_ends[1]);
	close(err_ends[1]);
	if (errnum != 0) {
		error_set(err, ERROR_SYSTEM, errnum, "cannot run '%s', which CARGO names", words[0]);
		status = -1;
	} else {
		bool ended = read_both(out, &errors);
		if (!ended || out->cut)
			kill(pid, SIGKILL);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		status = ended ? judge(out, &errors, status, err) :
				 error_set(err, ERROR_SYSTEM, 0, "'cargo metadata' gives no answer");
	}
	cleanup_close(&out->fd);
	cleanup_close(&errors.fd);
	free(errors.text);
	return status;
}

/* The package of that manifest. */
static const json_t *find_package(const json_t *metadata, const char *manifest)
{
	const json_t *packages = json_object_get(metadata, "packages"), *package;
	CLEANUP_FREE char *wanted = realpath(manifest, NULL);
	size_t i;

	json_array_foreach(packages, i, package) {
		const char *path = json_string_value(json_object_get(package, "manifest_path"));
		CLEANUP_FREE char *real = path != NULL ? realpath(path, NULL) : NULL;

		if (real != NULL && wanted != NULL && strcmp(real, wanted) == 0)
			return package;
	}
	return NULL;
}

/* Most packages have nothing for us, and asking takes a while.  If the manifest
 * cannot be read, cargo will say why. */
static unsigned int find_wanted(const char *manifest, unsigned int wanted)
{
	CLEANUP_FREE unsigned char *bytes = NULL;
	size_t size;
	struct error ignored;

	if (file_read(manifest, &bytes, &size, &ignored) != 0)
		return wanted;
	if (memmem(bytes, size, "bootimage", strlen("bootimage")) == NULL)
		wanted &= ~CARGO_SETTINGS;
	if (memmem(bytes, size, "bootloader", strlen("bootloader")) == NULL)
		wanted &= ~CARGO_DEPENDENCIES;
	return wanted;
}

/* Dependencies are known where they are resolved, for which all of them must have
 * been downloaded.  Those for other platforms are not, so the next question is for a
 * platform that is as bare as a kernel's.  No question may change Cargo.lock. */
static const char *const questions[][4] = {
	{ "--frozen" },
	{ "--frozen", "--filter-platform", "x86_64-unknown-none" },
	{ "--no-deps" },
};
#define QUESTION_COUNT (sizeof(questions) / sizeof(questions[0]))

/* 1 if cargo fails. */
static int query(json_t **metadata, const char *const question[4], const char *manifest, struct error *err)
{
	const char *words[] = { getenv("CARGO"), "metadata", "--format-version", "1", "--color", "never",
				"--manifest-path", manifest, question[0], question[1], question[2], NULL };
	struct stream out = { .fd = -1, .most = ANSWER_MAX };
	int status = ask(words, &out, err);

	if (status == 0)
		*metadata = json_loadb(out.text != NULL ? out.text : "", out.used, 0, NULL);
	free(out.text);
	return status;
}

int cargo_ask(struct cargo_package *package, unsigned int wanted, struct error *err)
{
	char *manifest = format_string("%s/Cargo.toml", getenv("CARGO_MANIFEST_DIR"));
	struct error failure = { .class = ERROR_NONE };
	int status = 1;

	*package = (struct cargo_package){ .manifest = manifest };
	wanted = find_wanted(manifest, wanted);
	if (wanted == 0)
		return 0;
	size_t first = (wanted & CARGO_DEPENDENCIES) != 0 ? 0 : QUESTION_COUNT - 1;
	for (size_t i = first; status == 1 && i < QUESTION_COUNT; i++) {
		status = query(&package->metadata, questions[i], manifest, &failure);
		/* The first question is what a user would ask. */
		if (i == first)
			package->refusal = failure;
	}
	if (status != 0) {
		*err = failure;
		return -1;
	}
	package->package = find_package(package->metadata, manifest);
	if (package->package == NULL)
		return error_set(err, ERROR_SYSTEM, 0, "'cargo metadata' does not know '%s'", manifest);
	return 0;
}

void cargo_close(struct cargo_package *package)
{
	json_decref(package->metadata);
	free(package->manifest);
	*package = (struct cargo_package){0};
}

/* ---- Tables -------------------------------------------------------------- */

static const char *const kind_names[] = {
	[CARGO_WORDS] = "a list of strings",
	[CARGO_NUMBER] = "a whole number",
	[CARGO_SWITCH] = "true or false",
	[CARGO_STRING] = "a string",
};

static bool is_string(const json_t *value)
{
	return json_is_string(value) && strlen(json_string_value(value)) == json_string_length(value);
}

static bool is_words(const json_t *value)
{
	const json_t *word;
	size_t i;

	json_array_foreach(value, i, word) {
		if (!is_string(word))
			return false;
	}
	return json_is_array(value);
}

static bool is_of_kind(const json_t *value, enum cargo_kind kind)
{
	switch (kind) {
	case CARGO_WORDS:
		return is_words(value);
	case CARGO_NUMBER:
		return json_is_integer(value);
	case CARGO_STRING:
		return is_string(value);
	default:
		return json_is_boolean(value);
	}
}

int cargo_refuse(const char *manifest, const struct cargo_table *table, const char *key,
		 const char *what, struct error *err)
{
	return error_set(err, ERROR_USAGE, 0, "'%s': [package.metadata.%s]: '%s' %s", manifest, table->name,
			 key, what);
}

static int refuse_key(const char *manifest, const struct cargo_table *table, const char *key,
		      struct error *err)
{
	char *list = format_string("%s", "");

	for (size_t i = 0; i < table->key_count; i++) {
		char *longer = format_string("%s%s%s", list, i > 0 ? ", " : "", table->keys[i].name);

		free(list);
		list = longer;
	}
	cargo_refuse(manifest, table, key, "is none of its keys", err);
	error_hint(err, "they are %s", list);
	free(list);
	return -1;
}

static int check_key(const char *manifest, const struct cargo_table *table, const char *key,
		     const json_t *value, struct error *err)
{
	for (size_t i = 0; i < table->key_count; i++) {
		if (strcmp(table->keys[i].name, key) != 0)
			continue;
		if (is_of_kind(value, table->keys[i].kind))
			return 0;
		CLEANUP_FREE char *what = format_string("is not %s", kind_names[table->keys[i].kind]);
		cargo_refuse(manifest, table, key, what, err);
		/* The only strings are addresses. */
		if (table->keys[i].kind == CARGO_STRING && json_integer_value(value) > 0)
			error_hint(err, "write \"0x%llx\"", (unsigned long long)json_integer_value(value));
		return -1;
	}
	return refuse_key(manifest, table, key, err);
}

const json_t *cargo_values(const struct cargo_package *package, const char *table)
{
	return json_object_get(json_object_get(package->package, "metadata"), table);
}

int cargo_check(const json_t *values, const struct cargo_table *table, const char *manifest, struct error *err)
{
	const char *key;
	json_t *value;

	if (values != NULL && !json_is_object(values))
		return error_set(err, ERROR_USAGE, 0, "'%s': package.metadata.%s is not a table", manifest,
				 table->name);
	json_object_foreach((json_t *)(uintptr_t)values, key, value) {
		if (check_key(manifest, table, key, value, err) != 0)
			return -1;
	}
	return 0;
}

/* ---- The settings -------------------------------------------------------- */

static const struct cargo_key keys[] = {
	/* For "cargo bootimage", whose work cargo has done already. */
	{ "build-command", CARGO_WORDS },
	{ "run-command", CARGO_WORDS },
	{ "run-args", CARGO_WORDS },
	{ "test-args", CARGO_WORDS },
	{ "test-timeout", CARGO_NUMBER },
	{ "test-success-exit-code", CARGO_NUMBER },
	{ "test-no-reboot", CARGO_SWITCH },
};
static const struct cargo_table bootimage = { "bootimage", keys, sizeof(keys) / sizeof(keys[0]) };

/* An array of strings; NULL if there is none. */
static char **copy_words(const json_t *array)
{
	size_t count = json_array_size(array);
	char **words = array != NULL ? calloc(count + 1, sizeof(*words)) : NULL;

	for (size_t i = 0; words != NULL && i < count; i++)
		words[i] = format_string("%s", json_string_value(json_array_get(array, i)));
	return words;
}

static int read_numbers(struct cargo_settings *settings, const json_t *table, const char *manifest,
			struct error *err)
{
	const json_t *timeout = json_object_get(table, "test-timeout");
	const json_t *code = json_object_get(table, "test-success-exit-code");

	if (timeout != NULL && (json_integer_value(timeout) < 1 || json_integer_value(timeout) > 1000000000))
		return cargo_refuse(manifest, &bootimage, "test-timeout", "is not a positive number of seconds", err);
	if (code != NULL && (json_integer_value(code) < 0 || json_integer_value(code) > 255))
		return cargo_refuse(manifest, &bootimage, "test-success-exit-code", "is not a number from 0 to 255", err);
	settings->timeout = timeout != NULL ? (double)json_integer_value(timeout) : TEST_TIMEOUT;
	settings->success_code = code != NULL ? (int)json_integer_value(code) : -1;
	return 0;
}

int cargo_parse(struct cargo_settings *settings, const json_t *table, bool is_test,
		const char *manifest, struct error *err)
{
	struct cargo_settings for_tests = { .success_code = -1 };

	*settings = (struct cargo_settings){ .success_code = -1 };
	if (cargo_check(table, &bootimage, manifest, err) != 0)
		return -1;
	if (read_numbers(&for_tests, table, manifest, err) != 0)
		return -1;
	if (is_test)
		*settings = for_tests;
	settings->reboots = is_test && json_is_false(json_object_get(table, "test-no-reboot"));
	settings->args = copy_words(json_object_get(table, is_test ? "test-args" : "run-args"));
	settings->command = copy_words(json_object_get(table, "run-command"));
	if (settings->command != NULL && settings->command[0] == NULL)
		return cargo_refuse(manifest, &bootimage, "run-command", "is empty: it begins with the program", err);
	return 0;
}

int cargo_read(struct cargo_settings *settings, const struct cargo_package *package, bool is_test,
	       struct error *err)
{
	return cargo_parse(settings, cargo_values(package, bootimage.name), is_test, package->manifest, err);
}

static void free_words(char **words)
{
	for (size_t i = 0; words != NULL && words[i] != NULL; i++)
		free(words[i]);
	free(words);
}

void cargo_settings_free(struct cargo_settings *settings)
{
	free_words(settings->command);
	free_words(settings->args);
	*settings = (struct cargo_settings){ .success_code = -1 };
}
