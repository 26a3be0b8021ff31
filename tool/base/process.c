/* SPDX-License-Identifier: MIT
 *
 * Starting a program; see process.h.
 */
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void child(char *const *arguments, const struct process_options *how, pid_t parent, int report)
{
	prctl(PR_SET_PDEATHSIG, how->death_signal);
	if (getppid() != parent)
		_exit(127);
	for (size_t i = 0; i < how->inherit_count; i++) {
		if (how->inherit[i] > 0)
			fcntl(how->inherit[i], F_SETFD, 0);
	}
	if (how->own_group)
		setpgid(0, 0);
	if (how->no_input) {
		int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

		dup2(null, STDIN_FILENO);
	}
	if (how->words > 0) {
		dup2(how->words, STDOUT_FILENO);
		dup2(how->words, STDERR_FILENO);
	}
	if (how->mask != NULL)
		sigprocmask(SIG_SETMASK, how->mask, NULL);
	execvp(arguments[0], arguments);
	int errnum = errno;
	if (write(report, &errnum, sizeof(errnum)) != sizeof(errnum))
		_exit(126);
	_exit(127);
}

pid_t process_start(char *const *arguments, const struct process_options *how)
{
	int report[2], errnum = 0;
	pid_t parent = getpid();

	if (pipe2(report, O_CLOEXEC) != 0)
		return -1;
	pid_t pid = fork();
	if (pid == 0)
		child(arguments, how, parent, report[1]);
	errnum = pid < 0 ? errno : 0;
	close(report[1]);
	if (pid > 0 && read(report[0], &errnum, sizeof(errnum)) == sizeof(errnum)) {
		waitpid(pid, NULL, 0);
		pid = -1;
	}
	close(report[0]);
	errno = errnum;
	return pid;
}

int process_message_pipe(int ends[2])
{
	if (pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	return 0;
}
