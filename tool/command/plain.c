/* SPDX-License-Identifier: MIT
 *
 * Running another program than QEMU; see plain.h.
 */
#include "command/plain.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

/* In the child: it must not outlive us. */
static void child(char *const *command, pid_t parent, const sigset_t *mask, int report)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(command[0], command);
	int errnum = errno;
	if (write(report, &errnum, sizeof(errnum)) != sizeof(errnum))
		_exit(126);
	_exit(127);
}

/* Start it.  Returns its process, or -1. */
static pid_t start(char *const *command, const sigset_t *mask, struct error *err)
{
	int report[2], errnum = 0;
	pid_t parent = getpid();

	if (pipe2(report, O_CLOEXEC) != 0)
		return error_set(err, ERROR_SYSTEM, errno, "cannot run '%s'", command[0]);
	pid_t pid = fork();
	if (pid == 0)
		child(command, parent, mask, report[1]);
	if (pid < 0)
		errnum = errno;
	close(report[1]);
	/* Nothing comes if it runs. */
	if (pid > 0 && read(report[0], &errnum, sizeof(errnum)) == sizeof(errnum)) {
		waitpid(pid, NULL, 0);
		pid = -1;
	}
	close(report[0]);
	if (pid < 0)
		error_set(err, ERROR_SYSTEM, errnum, "cannot run '%s'", command[0]);
	return pid;
}

/* Wait for a child's end, with SIGCHLD blocked.  Returns whether it came in time. */
static bool await(pid_t pid, double timeout, const sigset_t *chld, int *status)
{
	int64_t deadline = clock_ms() + (int64_t)(timeout * 1000);

	while (waitpid(pid, status, timeout > 0 ? WNOHANG : 0) != pid) {
		int64_t left = deadline - clock_ms();
		struct timespec pause = { left / 1000, left % 1000 * 1000000 };

		if (timeout > 0 && left <= 0)
			return false;
		if (timeout > 0)
			sigtimedwait(chld, NULL, &pause);
	}
	return true;
}

int plain_run(char *const *command, double timeout, struct error *err)
{
	sigset_t chld, old;
	int status = 0;

	fflush(NULL);
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, &old);
	pid_t pid = start(command, &old, err);
	bool ended = pid < 0 || await(pid, timeout, &chld, &status);
	if (!ended) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (pid < 0)
		return -1;
	if (!ended)
		return -2;
	if (WIFSIGNALED(status))
		return error_set(err, ERROR_SYSTEM, 0, "'%s' was killed by signal %d (%s)", command[0],
				 WTERMSIG(status), strsignal(WTERMSIG(status)));
	return WEXITSTATUS(status);
}
