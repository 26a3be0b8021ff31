/* SPDX-License-Identifier: MIT
 *
 * QEMU's control socket; see qmp.h.
 */
#include "run/qmp.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

/* No answer of a QEMU in its right mind is longer. */
#define LONGEST_LINE (4 * 1024 * 1024)

void qmp_init(struct qmp *qmp, int fd)
{
	*qmp = (struct qmp){ .fd = fd, .interrupt = -1 };
}

static void hang_up(struct qmp *qmp)
{
	if (qmp->fd >= 0)
		close(qmp->fd);
	qmp->fd = -1;
}

void qmp_free(struct qmp *qmp)
{
	hang_up(qmp);
	free(qmp->buffer);
	qmp->buffer = NULL;
}

/* Read once, without waiting.  Returns whether something came. */
static bool fill(struct qmp *qmp)
{
	if (qmp->fd < 0)
		return false;
	if (qmp->size - qmp->used < 4096) {
		char *larger = qmp->size < LONGEST_LINE ? realloc(qmp->buffer, qmp->size + 65536) : NULL;

		if (larger == NULL) {
			hang_up(qmp);
			return false;
		}
		qmp->buffer = larger;
		qmp->size += 65536;
	}
	ssize_t n = recv(qmp->fd, qmp->buffer + qmp->used, qmp->size - qmp->used, MSG_DONTWAIT);
	if (n > 0) {
		qmp->used += (size_t)n;
		return true;
	}
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		hang_up(qmp);
	return false;
}

static void note_event(struct qmp *qmp, const char *event, const json_t *message)
{
	const char *reason;

	if (strcmp(event, "STOP") == 0)
		qmp->stopped = true;
	/* With -no-shutdown a panic only pauses. */
	if (strcmp(event, "GUEST_PANICKED") == 0 && qmp->shutdown[0] == '\0')
		snprintf(qmp->shutdown, sizeof(qmp->shutdown), "guest-panic");
	/* The first one counts: the others follow from it. */
	if (strcmp(event, "SHUTDOWN") != 0 || qmp->shutdown[0] != '\0')
		return;
	reason = json_string_value(json_object_get(json_object_get(message, "data"), "reason"));
	snprintf(qmp->shutdown, sizeof(qmp->shutdown), "%s", reason != NULL ? reason : "unknown");
}

/* Take the next whole line that is an answer; events are noted on the way. */
static json_t *next_answer(struct qmp *qmp)
{
	char *end;

	while (qmp->used > 0 && (end = memchr(qmp->buffer, '\n', qmp->used)) != NULL) {
		size_t length = (size_t)(end - qmp->buffer);
		json_t *message = json_loadb(qmp->buffer, length, 0, NULL);

		qmp->used -= length + 1;
		memmove(qmp->buffer, end + 1, qmp->used);
		const char *event = json_string_value(json_object_get(message, "event"));
		if (event != NULL)
			note_event(qmp, event, message);
		else if (json_object_get(message, "return") != NULL ||
			 json_object_get(message, "error") != NULL)
			return message;
		json_decref(message);
	}
	return NULL;
}

void qmp_poll(struct qmp *qmp)
{
	json_t *answer;

	do {
		while ((answer = next_answer(qmp)) != NULL)
			json_decref(answer);
	} while (fill(qmp));
}

static json_t *wait_answer(struct qmp *qmp, int timeout_ms)
{
	int64_t deadline = clock_ms() + timeout_ms;

	for (;;) {
		json_t *answer = next_answer(qmp);
		int64_t left = deadline - clock_ms();
		int ready_count;
		struct pollfd ready[] = {
			{ .fd = qmp->fd, .events = POLLIN },
			{ .fd = qmp->interrupt, .events = POLLIN },
		};

		/* The answer to a command that was given up is not ours. */
		if (answer != NULL && json_integer_value(json_object_get(answer, "id")) != qmp->last_id) {
			json_decref(answer);
			continue;
		}
		if (answer != NULL || qmp->fd < 0)
			return answer;
		ready_count = poll(ready, 2, left > 0 ? (int)left : 0);
		if (ready_count == 0 || (ready_count < 0 && errno != EINTR)) {
			qmp->mute = true;
			return NULL;
		}
		if (ready_count < 0)
			continue;
		if (ready[0].revents != 0)
			fill(qmp);
		else if (ready[1].revents != 0)
			return NULL;
	}
}

bool qmp_tell(struct qmp *qmp, const char *command, json_t *arguments)
{
	json_t *request = arguments != NULL ?
				  json_pack("{s:s, s:i, s:o}", "execute", command, "id", ++qmp->last_id,
					    "arguments", arguments) :
				  json_pack("{s:s, s:i}", "execute", command, "id", ++qmp->last_id);
	char *text = json_dumps(request, JSON_COMPACT);

	json_decref(request);
	bool sent = text != NULL && qmp->fd >= 0 && !qmp->mute &&
		    send(qmp->fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text);
	free(text);
	return sent;
}

json_t *qmp_execute(struct qmp *qmp, const char *command, json_t *arguments, int timeout_ms)
{
	json_t *result = NULL;

	qmp->refusal[0] = '\0';
	if (qmp_tell(qmp, command, arguments)) {
		json_t *answer = wait_answer(qmp, timeout_ms);
		const json_t *error = json_object_get(answer, "error");
		const char *refusal = json_string_value(json_object_get(error, "desc"));

		result = json_incref(json_object_get(answer, "return"));
		snprintf(qmp->refusal, sizeof(qmp->refusal), "%s", refusal != NULL ? refusal : "");
		json_decref(answer);
	}
	return result;
}

static const char monitor_command[] = "human-monitor-command";

bool qmp_monitor_tell(struct qmp *qmp, const char *command_line)
{
	return qmp_tell(qmp, monitor_command, json_pack("{s:s}", "command-line", command_line));
}

char *qmp_monitor(struct qmp *qmp, const char *command_line, int timeout_ms)
{
	json_t *answer = qmp_execute(qmp, monitor_command, json_pack("{s:s}", "command-line", command_line),
				     timeout_ms);
	const char *text = json_string_value(answer);
	char *copy = text != NULL ? strdup(text) : NULL;

	json_decref(answer);
	return copy;
}
