/* SPDX-License-Identifier: MIT
 *
 * QEMU's control socket (QEMU Machine Protocol): one JSON object a line.
 * Commands wait for their answer; events that come meanwhile are noted.
 */
#ifndef MKBOOTIMG_QMP_H
#define MKBOOTIMG_QMP_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* For QEMU to answer a command, in milliseconds. */
#define QMP_ANSWER_MS 5000

struct qmp {
	int fd;			/* -1 once QEMU has closed it */
	char *buffer;		/* what came and is not a whole line yet */
	size_t used;
	size_t size;
	int interrupt;		/* readable: stop waiting for an answer */
	int last_id;		/* of the commands so far */
	bool mute;		/* a command was not answered in time: no more are sent */
	bool stopped;		/* a STOP event came; its reader clears it */
	char shutdown[32];	/* reason of the SHUTDOWN event, "" while there was none */
	char refusal[256];	/* QEMU's words, if it refused the last command, or "" */
};

/* Take over a connected socket. */
void qmp_init(struct qmp *qmp, int fd);
void qmp_free(struct qmp *qmp);

/* Read what has come, for as long as there is something, and note events. */
void qmp_poll(struct qmp *qmp);

/* Run a command; arguments (a reference is taken over) may be NULL.  Returns
 * the answer's "return" (the caller releases it), or NULL if QEMU refused, said
 * nothing for timeout_ms, or is gone. */
json_t *qmp_execute(struct qmp *qmp, const char *command, json_t *arguments, int timeout_ms);

/* Have a command run, without waiting for its answer, which is passed over.  Returns
 * whether it could be sent. */
bool qmp_tell(struct qmp *qmp, const char *command, json_t *arguments);

/* Run a command of the human monitor.  The caller frees; NULL as above. */
char *qmp_monitor(struct qmp *qmp, const char *command_line, int timeout_ms);
/* Likewise, as qmp_tell(). */
bool qmp_monitor_tell(struct qmp *qmp, const char *command_line);

#endif
