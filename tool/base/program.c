/* SPDX-License-Identifier: MIT
 *
 * Another program that does a piece of our work; see program.h.
 */
#include "base/program.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fileio.h"
#include "base/process.h"

int program_start(struct program *program, const char *const *arguments, const int *inherit,
		  size_t inherit_count, struct error *err)
{
	program->words = memfd_create("words", MFD_CLOEXEC);
	if (program->words < 0)
		return error_set(err, ERROR_SYSTEM, errno, "cannot run '%s'", program->name);
	const struct process_options how = {
		.mask = program->mask,
		.death_signal = SIGKILL,
		.no_input = true,
		.words = program->words,
		.inherit = inherit,
		.inherit_count = inherit_count,
	};
	program->pid = process_start((char *const *)(uintptr_t)arguments, &how);
	if (program->pid > 0)
		return 0;
	int errnum = errno;
	close(program->words);
	error_set(err, ERROR_SYSTEM, errnum, "cannot run '%s'", program->name);
	if (errnum == ENOENT)
		error_hint(err, "install it (Debian and Ubuntu: apt install %s)", program->package);
	return -1;
}

/* The line of its words that says why, in the words themselves. */
static const char *find_complaint(const struct program *program, char *words)
{
	char *line = NULL;

	/* The last one: what comes before it is often a consequence already. */
	for (char *next = words; program->complaint != NULL && (next = strstr(next, program->complaint)) != NULL;) {
		next += strlen(program->complaint);
		line = next;
	}
	if (line != NULL) {
		line[strcspn(line, "\n")] = '\0';
		return line;
	}
	size_t length = strlen(words);
	while (length > 0 && words[length - 1] == '\n')
		words[--length] = '\0';
	line = strrchr(words, '\n');
	line = line != NULL ? line + 1 : words;
	return *line != '\0' ? line : "it does not say why";
}

int program_wait(struct program *program, struct error *err)
{
	CLEANUP_CLOSE int words_fd = program->words;
	char words[4096];
	int status;

	if (TEMP_FAILURE_RETRY(waitpid(program->pid, &status, 0)) < 0)
		return error_set(err, ERROR_SYSTEM, errno, "cannot wait for '%s'", program->name);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFSIGNALED(status))
		return error_set(err, ERROR_SYSTEM, 0, "'%s' was killed by signal %d (%s)", program->name,
				 WTERMSIG(status), strsignal(WTERMSIG(status)));
	ssize_t got = file_read_at(words_fd, words, sizeof(words) - 1, 0);
	words[got > 0 ? got : 0] = '\0';
	return error_set(err, ERROR_SYSTEM, 0, "%s says: %s", program->name, find_complaint(program, words));
}

int program_run(struct program *program, const char *const *arguments, const int *inherit,
		size_t inherit_count, struct error *err)
{
	if (program_start(program, arguments, inherit, inherit_count, err) != 0)
		return -1;
	return program_wait(program, err);
}
