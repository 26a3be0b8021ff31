/* SPDX-License-Identifier: MIT
 *
 * Running another program than QEMU; see plain.h.
 */
#include "command/plain.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "base/clock.h"
#include "base/process.h"

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
	const struct process_options how = { .mask = &old, .death_signal = SIGKILL };
	int status = 0;

	fflush(NULL);
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, &old);
	pid_t pid = process_start(command, &how);
	if (pid < 0)
		error_set(err, ERROR_SYSTEM, errno, "cannot run '%s'", command[0]);
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
