/* SPDX-License-Identifier: MIT
 *
 * QEMU's control socket: bytes that a QEMU might send, before and after commands.
 */
#include "run/qmp.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"
#include "unit.h"

#define WAIT_MS 1000	/* never waited for: the other side hangs up */

/* A socket on which these bytes have come, and then its end. */
static int feed(const uint8_t *data, size_t size, int *other)
{
	int ends[2], room = 4 << 20;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		abort();
	setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	/* What does not fit never came. */
	while (size > 0) {
		ssize_t sent = send(ends[1], data, size, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent <= 0)
			break;
		data += sent;
		size -= (size_t)sent;
	}
	shutdown(ends[1], SHUT_WR);
	*other = ends[1];
	return ends[0];
}

/* All is read before the first command, or by it. */
static void talk(const uint8_t *data, size_t size, bool polled)
{
	struct qmp qmp;
	int other;

	qmp_init(&qmp, feed(data, size, &other));
	if (polled)
		qmp_poll(&qmp);
	json_decref(qmp_execute(&qmp, "query-status", NULL, WAIT_MS));
	assert_true(strlen(qmp.refusal) < sizeof(qmp.refusal));
	free(qmp_monitor(&qmp, "info registers", WAIT_MS));
	json_decref(qmp_execute(&qmp, "quit", json_pack("{s:b}", "now", 1), WAIT_MS));
	qmp_poll(&qmp);
	assert_true(qmp.used <= qmp.size);
	assert_true(strlen(qmp.shutdown) < sizeof(qmp.shutdown));
	assert_false(qmp.mute);
	qmp_free(&qmp);
	close(other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	talk(data, size, false);
	talk(data, size, true);
	return 0;
}
