/* SPDX-License-Identifier: MIT
 *
 * Where the time went: the loader's message among others, and the lines that are
 * printed.
 */
#include "run/times.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "unit.h"

#define MS INT64_C(1000000)

/* Take a whole message with these ticks. */
static void take_message(struct times_message *message, const uint64_t ticks[TIME_COUNT])
{
	unsigned char bytes[8 * TIME_COUNT];

	for (size_t i = 0; i < TIME_COUNT; i++)
		put_le64(bytes + 8 * i, ticks[i]);
	assert_true(times_take(message, RUNNER_TIMES));
	for (size_t i = 0; i < sizeof(bytes); i++) {
		assert_false(times_complete(message));
		assert_true(times_take(message, bytes[i]));
	}
	assert_true(times_complete(message));
}

/* Whatever the bytes in it are, they are not taken for others; those around it are. */
TEST(message_among_others)
{
	struct times_message message = { 0 };
	uint64_t ticks[TIME_COUNT];

	for (size_t i = 0; i < TIME_COUNT; i++)
		ticks[i] = UINT64_C(0x0101010101010101) * (i % 2 ? RUNNER_HANDOFF : RUNNER_TIMES);
	assert_false(times_take(&message, 'E'));
	assert_false(times_take(&message, RUNNER_HANDOFF));
	assert_false(times_complete(&message));
	take_message(&message, ticks);
	assert_int_equal(get_le64(message.bytes + 8), ticks[1]);
	assert_false(times_take(&message, RUNNER_HANDOFF));
	assert_false(times_take(&message, 'x'));
	/* The machine was reset, and boots again. */
	memset(ticks, 0, sizeof(ticks));
	take_message(&message, ticks);
	assert_int_equal(get_le64(message.bytes + 8), 0);
}

static void check_print(const struct run_times *times, int64_t build, int shift, const char *wanted)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	times_print(out, times, build, shift);
	fclose(out);
	assert_string_equal(text, wanted);
	free(text);
}

/* Ticks are scaled to the time in which the loader got to its end. */
TEST(all_parts)
{
	static const uint64_t ticks[TIME_COUNT] = { 8000, 100, 1000, 500, 0, 200, 0, 200 };
	struct run_times times = { .started = 1000 * MS, .running = 1040 * MS, .told = 1090 * MS,
				   .entered = 1091 * MS, .ended = 1100 * MS, .gone = 1102500 * MS / 1000 };

	take_message(&times.message, ticks);
	check_print(&times, 2 * MS, -1,
		    "mkbootimg: run: where the time went:\n"
		    "  build             2.00 ms\n"
		    "  QEMU start       40.00 ms\n"
		    "  firmware         40.00 ms\n"
		    "  loader           10.00 ms\n"
		    "    start           0.50 ms\n"
		    "    read            5.00 ms\n"
		    "    copy            2.50 ms\n"
		    "    unpack          0.00 ms\n"
		    "    clear           1.00 ms\n"
		    "    screen          0.00 ms\n"
		    "    tables          1.00 ms\n"
		    "  hand-off          1.00 ms\n"
		    "  kernel            9.00 ms\n"
		    "  end               2.50 ms\n"
		    "  all             104.50 ms\n");
}

/* An image was not built; the counter counts instructions, times four. */
TEST(instructions)
{
	static const uint64_t ticks[TIME_COUNT] = { 32000000, 4, 8, 0, 0, 0, 0, 20 };
	struct run_times times = { .started = 1 * MS, .running = 2 * MS, .told = 3 * MS,
				   .entered = 4 * MS, .ended = 5 * MS, .gone = 6 * MS };

	take_message(&times.message, ticks);
	check_print(&times, 0, 2,
		    "mkbootimg: run: where the time went:\n"
		    "  QEMU start        1.00 ms\n"
		    "  firmware          1.00 ms       8000000 instructions\n"
		    "  loader            0.00 ms             8 instructions\n"
		    "    start           0.00 ms             1 instructions\n"
		    "    read            0.00 ms             2 instructions\n"
		    "    copy            0.00 ms             0 instructions\n"
		    "    unpack          0.00 ms             0 instructions\n"
		    "    clear           0.00 ms             0 instructions\n"
		    "    screen          0.00 ms             0 instructions\n"
		    "    tables          0.00 ms             5 instructions\n"
		    "  hand-off          1.00 ms\n"
		    "  kernel            1.00 ms\n"
		    "  end               1.00 ms\n"
		    "  all               5.00 ms\n");
}

/* Another's loader tells nothing; nor does one that fails. */
TEST(nothing_was_told)
{
	struct run_times times = { .started = 10 * MS, .running = 20 * MS, .ended = 40 * MS, .gone = 80 * MS };

	check_print(&times, 0, 0,
		    "mkbootimg: run: where the time went:\n"
		    "  QEMU start       10.00 ms\n"
		    "  machine          20.00 ms\n"
		    "  end              40.00 ms\n"
		    "  all              70.00 ms\n");
}

/* A machine without a counter, or one that was set back. */
TEST(no_ticks)
{
	static const uint64_t ticks[TIME_COUNT] = { 0 };
	struct run_times times = { .started = 1 * MS, .running = 2 * MS, .told = 3 * MS, .ended = 4 * MS,
				   .gone = 5 * MS };

	take_message(&times.message, ticks);
	check_print(&times, 0, -1,
		    "mkbootimg: run: where the time went:\n"
		    "  QEMU start        1.00 ms\n"
		    "  firmware          0.00 ms\n"
		    "  loader            0.00 ms\n"
		    "    start           0.00 ms\n"
		    "    read            0.00 ms\n"
		    "    copy            0.00 ms\n"
		    "    unpack          0.00 ms\n"
		    "    clear           0.00 ms\n"
		    "    screen          0.00 ms\n"
		    "    tables          0.00 ms\n"
		    "  end               1.00 ms\n"
		    "  all               4.00 ms\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(message_among_others),
		cmocka_unit_test(all_parts),
		cmocka_unit_test(instructions),
		cmocka_unit_test(nothing_was_told),
		cmocka_unit_test(no_ticks),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
