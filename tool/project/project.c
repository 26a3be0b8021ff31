/* SPDX-License-Identifier: MIT
 *
 * A new project; see project.h.
 */
#include "project/project.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fileio.h"

char *project_name(const char *directory, struct error *err)
{
	CLEANUP_FREE char *path = format_string("%s", directory);

	for (size_t length = strlen(path); length > 1 && path[length - 1] == '/'; length--)
		path[length - 1] = '\0';
	const char *name = path_name(path);
	if (name[0] != '\0' && strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
		return format_string("%s", name);

	CLEANUP_FREE char *real = realpath(directory, NULL);
	if (real != NULL && real[1] != '\0')
		return format_string("%s", path_name(real));
	error_set(err, ERROR_USAGE, real == NULL ? errno : 0, "'%s' is no name for a project", directory);
	error_hint(err, "name a directory");
	return NULL;
}

/* ---- What is in the way ---------------------------------------------------- */

static int refuse(const char *path, struct error *err)
{
	error_set(err, ERROR_INPUT, 0, "'%s' exists already", path);
	return error_hint(err, "nothing was written: name another directory, or move it away");
}

/* path is to be a file, and what is before its slashes directories. */
static int check_path(char *path, struct error *err)
{
	struct stat st;

	for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		int result = 0;

		*slash = '\0';
		if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
			result = refuse(path, err);
		*slash = '/';
		if (result != 0)
			return -1;
	}
	return lstat(path, &st) == 0 ? refuse(path, err) : 0;
}

/* ---- Writing, and taking back ---------------------------------------------- */

/* What was made, in order. */
struct journal {
	char **paths;
	size_t count;
};

static void journal_add(struct journal *journal, const char *path)
{
	journal->paths = reallocarray(journal->paths, journal->count + 1, sizeof(char *));
	if (journal->paths == NULL)
		abort();
	journal->paths[journal->count++] = format_string("%s", path);
}

static void journal_undo(const struct journal *journal)
{
	for (size_t i = journal->count; i > 0; i--)
		remove(journal->paths[i - 1]);
}

static void journal_free(struct journal *journal)
{
	for (size_t i = 0; i < journal->count; i++)
		free(journal->paths[i]);
	free(journal->paths);
}

static int make_directory(const char *path, struct journal *journal, struct error *err)
{
	struct stat st;

	if (mkdir(path, 0777) == 0) {
		journal_add(journal, path);
		return 0;
	}
	int errnum = errno;
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return 0;
	return error_set(err, ERROR_SYSTEM, errnum, "cannot make the directory '%s'", path);
}

static int make_parents(char *path, struct journal *journal, struct error *err)
{
	for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		int result = make_directory(path, journal, err);
		*slash = '/';
		if (result != 0)
			return -1;
	}
	return 0;
}

static int write_file(const char *path, const struct template_file *file, struct journal *journal,
		      struct error *err)
{
	int fd = (int)TEMP_FAILURE_RETRY(open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));

	if (fd < 0 && errno == EEXIST)
		return refuse(path, err);
	if (fd < 0)
		return error_set(err, ERROR_SYSTEM, errno, "cannot write '%s'", path);
	journal_add(journal, path);
	int result = file_write_at(fd, file->bytes, file->size, 0, path, err);
	/* Over a network, a disk that is full may be found out as late as here. */
	if (close(fd) != 0 && errno != EINTR && result == 0)
		result = error_set(err, ERROR_SYSTEM, errno, "cannot write '%s'", path);
	return result;
}

/* What ends the program, unless it is ignored. */
static void block_signals(sigset_t *before)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGQUIT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, before);
}

static bool signal_came(void)
{
	sigset_t pending;

	sigpending(&pending);
	return sigismember(&pending, SIGHUP) == 1 || sigismember(&pending, SIGINT) == 1 ||
	       sigismember(&pending, SIGQUIT) == 1 || sigismember(&pending, SIGTERM) == 1;
}

static char *path_in(const char *directory, const struct template_file *file)
{
	return format_string("%s/%s", directory, file->path);
}

int project_write(const char *directory, const struct template *template, struct error *err)
{
	struct journal journal = { 0 };
	sigset_t signals;
	int result = 0;

	for (size_t i = 0; i < template->count; i++) {
		CLEANUP_FREE char *path = path_in(directory, &template->files[i]);

		if (check_path(path, err) != 0)
			return -1;
	}

	block_signals(&signals);
	for (size_t i = 0; result == 0 && i < template->count; i++) {
		CLEANUP_FREE char *path = path_in(directory, &template->files[i]);

		if (make_parents(path, &journal, err) != 0 ||
		    write_file(path, &template->files[i], &journal, err) != 0)
			result = -1;
		else if (signal_came())
			result = error_set(err, ERROR_SYSTEM, EINTR, "cannot write '%s'", path);
	}
	if (result != 0)
		journal_undo(&journal);
	journal_free(&journal);
	/* It is here that a signal that came has its effect. */
	sigprocmask(SIG_SETMASK, &signals, NULL);
	return result;
}
