/* SPDX-License-Identifier: MIT
 *
 * Where the time of a run went; see times.h.
 */
#include "run/times.h"

#include <inttypes.h>

#include "base/bytes.h"

static const char *const part_names[TIME_COUNT] = {
	[TIME_FIRMWARE] = "firmware", [TIME_START] = "start", [TIME_READ] = "read", [TIME_COPY] = "copy",
	[TIME_UNPACK] = "unpack",     [TIME_CLEAR] = "clear", [TIME_SCREEN] = "screen", [TIME_TABLES] = "tables",
};

bool times_take(struct times_message *message, unsigned char byte)
{
	if (message->begun && message->length < sizeof(message->bytes)) {
		message->bytes[message->length++] = byte;
		return true;
	}
	if (byte != RUNNER_TIMES)
		return false;
	*message = (struct times_message){ .begun = true };
	return true;
}

bool times_complete(const struct times_message *message)
{
	return message->length == sizeof(message->bytes);
}

/* ---- Printing ---------------------------------------------------------------- */

static void print_row(FILE *out, int indent, const char *name, double ns)
{
	fprintf(out, "%*s%-*s %9.2f ms", indent, "", 14 - indent, name, ns / 1e6);
}

/* A row of what lies between two moments, if there were both. */
static void print_span(FILE *out, const char *name, int64_t from, int64_t to)
{
	if (from == 0 || to == 0)
		return;
	print_row(out, 2, name, (double)(to - from));
	fputc('\n', out);
}

/* A row of ticks, of which there were so many in so many ns. */
static void print_ticks(FILE *out, int indent, const char *name, uint64_t ticks, double ns_per_tick, int shift)
{
	print_row(out, indent, name, (double)ticks * ns_per_tick);
	if (shift >= 0)
		fprintf(out, " %13" PRIu64 " instructions", ticks >> shift);
	fputc('\n', out);
}

/* Firmware and loader: the counter's share of the time that passed here.  How fast it
 * counts nobody says. */
static void print_boot(FILE *out, const struct run_times *times, int shift)
{
	uint64_t ticks[TIME_COUNT], loader = 0;

	for (size_t i = 0; i < TIME_COUNT; i++)
		ticks[i] = get_le64(times->message.bytes + 8 * i);
	for (size_t i = TIME_START; i < TIME_COUNT; i++)
		loader += ticks[i];
	double all = (double)ticks[TIME_FIRMWARE] + (double)loader;
	double scale = all > 0 ? (double)(times->told - times->running) / all : 0;
	print_ticks(out, 2, part_names[TIME_FIRMWARE], ticks[TIME_FIRMWARE], scale, shift);
	print_ticks(out, 2, "loader", loader, scale, shift);
	for (size_t i = TIME_START; i < TIME_COUNT; i++)
		print_ticks(out, 4, part_names[i], ticks[i], scale, shift);
}

void times_print(FILE *out, const struct run_times *times, int64_t build, int icount_shift)
{
	fputs("mkbootimg: run: where the time went:\n", out);
	if (build != 0)
		print_span(out, "build", times->started - build, times->started);
	print_span(out, "QEMU start", times->started, times->running);
	if (times->told != 0) {
		print_boot(out, times, icount_shift);
		print_span(out, "hand-off", times->told, times->entered);
		print_span(out, "kernel", times->entered, times->ended);
	} else {
		print_span(out, "machine", times->running, times->ended);
	}
	print_span(out, "end", times->ended, times->gone);
	print_span(out, "all", times->started - build, times->gone);
}
