/* SPDX-License-Identifier: MIT
 *
 * QEMU's control socket, with a QEMU played here: what it says is sent before the
 * question, so nothing waits but where silence is the point.
 */
#include "run/qmp.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit.h"

#define LONG_MS 5000	/* never waited for, if all is well */
#define LONGEST (4 << 20)	/* bytes of a line */

struct talk {
	struct qmp qmp;
	int qemu;	/* its end of the socket */
};

static void begin(struct talk *talk)
{
	int ends[2], room = 1 << 20;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
	setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	qmp_init(&talk->qmp, ends[0]);
	talk->qemu = ends[1];
}

static void end(struct talk *talk)
{
	qmp_free(&talk->qmp);
	close(talk->qemu);
}

static void say(struct talk *talk, const char *text)
{
	assert_int_equal(send(talk->qemu, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Say a line with a text of so many letters in the middle. */
static void say_long(struct talk *talk, const char *before, size_t length, const char *after)
{
	char *letters = malloc(length + 1);

	assert_non_null(letters);
	memset(letters, 'x', length);
	letters[length] = '\0';
	say(talk, before);
	say(talk, letters);
	say(talk, after);
	free(letters);
}

/* Ask something; the answer is the number that is returned, -1 if there is none. */
static int ask(struct talk *talk)
{
	json_t *answer = qmp_execute(&talk->qmp, "query-something", NULL, LONG_MS);
	int number = json_is_integer(answer) ? (int)json_integer_value(answer) : -1;

	json_decref(answer);
	return number;
}

/* ---- Commands and answers ------------------------------------------------ */

TEST(commands_are_sent_with_their_arguments)
{
	struct talk talk;
	char sent[200];

	begin(&talk);
	say(&talk, "{\"return\": {}, \"id\": 1}\n");
	json_decref(qmp_execute(&talk.qmp, "stop", json_pack("{s:i}", "now", 3), LONG_MS));
	ssize_t size = recv(talk.qemu, sent, sizeof(sent), 0);
	assert_true(size > 0);
	json_t *json = json_loadb(sent, (size_t)size, 0, NULL), *wanted = json_pack(
		"{s:s, s:i, s:{s:i}}", "execute", "stop", "id", 1, "arguments", "now", 3);
	assert_true(json_equal(json, wanted));
	json_decref(json);
	json_decref(wanted);
	end(&talk);
}

TEST(each_answer_is_to_its_command)
{
	struct talk talk;

	begin(&talk);
	say(&talk, "{\"QMP\": {}}\n{\"return\": 7, \"id\": 1}\n{\"return\": 8, \"id\": 1}\n{\"return\": 9}\n"
		   "{\"return\": 10, \"id\": 2}\n");
	assert_int_equal(ask(&talk), 7);
	assert_int_equal(ask(&talk), 10);
	end(&talk);
}

TEST(refusals_are_kept)
{
	struct talk talk;

	begin(&talk);
	say(&talk, "{\"error\": {\"class\": \"C\", \"desc\": \"no such thing\"}, \"id\": 1}\n{\"return\": 3, \"id\": 2}\n");
	assert_int_equal(ask(&talk), -1);
	assert_string_equal(talk.qmp.refusal, "no such thing");
	assert_int_equal(ask(&talk), 3);
	assert_string_equal(talk.qmp.refusal, "");
	say_long(&talk, "{\"error\": {\"desc\": \"", 5000, "\"}, \"id\": 3}\n");
	assert_int_equal(ask(&talk), -1);
	assert_int_equal(strlen(talk.qmp.refusal), sizeof(talk.qmp.refusal) - 1);
	say(&talk, "{\"error\": {}, \"id\": 4}\n");
	assert_int_equal(ask(&talk), -1);
	assert_string_equal(talk.qmp.refusal, "");
	end(&talk);
}

TEST(the_monitor_answers_in_words)
{
	struct talk talk;

	begin(&talk);
	say(&talk, "{\"return\": \"RAX=1\\r\\n\", \"id\": 1}\n{\"return\": 5, \"id\": 2}\n");
	char *text = qmp_monitor(&talk.qmp, "info registers", LONG_MS);
	assert_string_equal(text, "RAX=1\r\n");
	free(text);
	assert_null(qmp_monitor(&talk.qmp, "info registers", LONG_MS));
	end(&talk);
}

/* ---- Events -------------------------------------------------------------- */

static void check_shutdown(const char *said, const char *reason)
{
	struct talk talk;

	begin(&talk);
	say(&talk, said);
	qmp_poll(&talk.qmp);
	assert_string_equal(talk.qmp.shutdown, reason);
	end(&talk);
}

#define SHUTDOWN(reason) "{\"event\": \"SHUTDOWN\", \"data\": {\"reason\": \"" reason "\"}}\n"

TEST(the_first_reason_counts)
{
	check_shutdown("", "");
	check_shutdown(SHUTDOWN("guest-reset"), "guest-reset");
	check_shutdown(SHUTDOWN("guest-reset") SHUTDOWN("host-qmp-quit"), "guest-reset");
	check_shutdown("{\"event\": \"GUEST_PANICKED\"}\n" SHUTDOWN("guest-shutdown"), "guest-panic");
	check_shutdown(SHUTDOWN("guest-shutdown") "{\"event\": \"GUEST_PANICKED\"}\n", "guest-shutdown");
	check_shutdown("{\"event\": \"SHUTDOWN\"}\n", "unknown");
	check_shutdown("{\"event\": \"SHUTDOWN\", \"data\": {\"reason\": 1}}\n", "unknown");
	check_shutdown("{\"return\": 1}\n{\"return\": 2}\n{\"return\": 3}\n" SHUTDOWN("guest-reset"), "guest-reset");
	check_shutdown("{\"event\": \"RESUME\"}\n{\"event\": 1}\nno JSON\n\n", "");
}

TEST(long_reasons_are_cut)
{
	struct talk talk;

	begin(&talk);
	say_long(&talk, "{\"event\": \"SHUTDOWN\", \"data\": {\"reason\": \"", 5000, "\"}}\n");
	qmp_poll(&talk.qmp);
	assert_int_equal(strlen(talk.qmp.shutdown), sizeof(talk.qmp.shutdown) - 1);
	end(&talk);
}

TEST(events_come_between_answers)
{
	struct talk talk;

	begin(&talk);
	say(&talk, "{\"event\": \"STOP\"}\n{\"return\": 1, \"id\": 1}\n" SHUTDOWN("guest-reset"));
	assert_false(talk.qmp.stopped);
	assert_int_equal(ask(&talk), 1);
	assert_true(talk.qmp.stopped);
	assert_string_equal(talk.qmp.shutdown, "");
	qmp_poll(&talk.qmp);
	assert_string_equal(talk.qmp.shutdown, "guest-reset");
	end(&talk);
}

/* ---- How it comes -------------------------------------------------------- */

TEST(lines_come_in_pieces)
{
	struct talk talk;

	begin(&talk);
	for (const char *c = SHUTDOWN("guest-reset"); *c != '\0'; c++) {
		assert_string_equal(talk.qmp.shutdown, "");
		say(&talk, (const char[]){ *c, '\0' });
		qmp_poll(&talk.qmp);
	}
	assert_string_equal(talk.qmp.shutdown, "guest-reset");
	end(&talk);
}

/* Around what is read at once, and what is made room for. */
TEST(lines_of_any_length)
{
	for (size_t length = 60000; length < 140000; length += 2027) {
		struct talk talk;

		begin(&talk);
		say_long(&talk, "{\"event\": \"", 5000, "\"}\n");
		say_long(&talk, "{\"return\": \"", length, "\", \"id\": 1}\n{\"return\": 4, \"id\": 2}\n");
		char *text = qmp_monitor(&talk.qmp, "x", LONG_MS);
		assert_non_null(text);
		assert_int_equal(strlen(text), length);
		free(text);
		assert_int_equal(ask(&talk), 4);
		end(&talk);
	}
}

TEST(a_line_without_an_end_is_the_end)
{
	char letters[65536];
	struct talk talk;
	size_t said = 0;

	memset(letters, 'x', sizeof(letters));
	begin(&talk);
	while (talk.qmp.fd >= 0) {
		ssize_t n = send(talk.qemu, letters, sizeof(letters), MSG_NOSIGNAL);

		said += n > 0 ? (size_t)n : 0;
		assert_true(said <= 2 * LONGEST);
		qmp_poll(&talk.qmp);
	}
	assert_true(said >= LONGEST);
	assert_int_equal(ask(&talk), -1);
	end(&talk);
}

TEST(hanging_up_ends_it_at_once)
{
	struct talk talk;

	begin(&talk);
	say(&talk, "{\"return\": 1, \"id\": 1}\n" SHUTDOWN("host-signal") "{\"return");
	assert_int_equal(ask(&talk), 1);
	/* There is no more yet.  That this was the last cause in errno must not matter. */
	qmp_poll(&talk.qmp);
	shutdown(talk.qemu, SHUT_WR);
	assert_int_equal(ask(&talk), -1);
	assert_int_equal(talk.qmp.fd, -1);
	assert_false(talk.qmp.mute);
	assert_string_equal(talk.qmp.shutdown, "host-signal");
	end(&talk);
}

TEST(silence_is_noticed_once)
{
	struct talk talk;
	char sent[200];

	begin(&talk);
	assert_null(qmp_execute(&talk.qmp, "x", NULL, 1));
	assert_true(talk.qmp.mute);
	assert_true(recv(talk.qemu, sent, sizeof(sent), 0) > 0);
	/* It is not asked, and waited for, again. */
	assert_int_equal(ask(&talk), -1);
	assert_int_equal(recv(talk.qemu, sent, sizeof(sent), 0), -1);
	end(&talk);
}

TEST(an_interruption_is_no_silence)
{
	struct talk talk;
	int ends[2];

	begin(&talk);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "x", 1), 1);
	talk.qmp.interrupt = ends[0];
	assert_int_equal(ask(&talk), -1);
	assert_false(talk.qmp.mute);
	close(ends[0]);
	close(ends[1]);
	end(&talk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_are_sent_with_their_arguments),
		cmocka_unit_test(each_answer_is_to_its_command),
		cmocka_unit_test(refusals_are_kept),
		cmocka_unit_test(the_monitor_answers_in_words),
		cmocka_unit_test(the_first_reason_counts),
		cmocka_unit_test(long_reasons_are_cut),
		cmocka_unit_test(events_come_between_answers),
		cmocka_unit_test(lines_come_in_pieces),
		cmocka_unit_test(lines_of_any_length),
		cmocka_unit_test(a_line_without_an_end_is_the_end),
		cmocka_unit_test(hanging_up_ends_it_at_once),
		cmocka_unit_test(silence_is_noticed_once),
		cmocka_unit_test(an_interruption_is_no_silence),
	};

	alarm(300);	/* what is wrong here may wait for ever */
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
