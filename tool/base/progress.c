/* SPDX-License-Identifier: MIT
 *
 * Progress; see progress.h.
 */
#include "base/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

#define QUIET_MS 500		/* what is over by then, needs no line */
#define INTERVAL_MS 100
#define BAR_WIDTH 24

struct size_words size_words(uint64_t bytes)
{
	static const char units[] = "KMGTPE";
	struct size_words words;
	double value = (double)bytes;
	int unit = -1;

	/* What would be rounded to 1024.0 is 1.0 of the next unit. */
	for (; value >= 1023.95; unit++)
		value /= 1024;
	if (unit < 0)
		snprintf(words.text, sizeof(words.text), "%" PRIu64 " bytes", bytes);
	else
		snprintf(words.text, sizeof(words.text), "%.1f %ciB", value, units[unit]);
	return words;
}

void progress_line(char *line, size_t size, const char *what, uint64_t done, uint64_t total,
		   int64_t elapsed_ms)
{
	double part = total > 0 ? (double)done / (double)total : 1;
	double rate = elapsed_ms > 0 ? (double)done * 1000 / (double)elapsed_ms : 0;
	uint64_t left = rate > 0 ? (uint64_t)((double)(total - done) / rate + 0.5) : 0;
	char bar[BAR_WIDTH + 1];

	for (int i = 0; i < BAR_WIDTH; i++)
		bar[i] = i < (int)(part * BAR_WIDTH) ? '#' : '.';
	bar[BAR_WIDTH] = '\0';
	snprintf(line, size, "%s [%s] %3d%% of %s, %s/s, %" PRIu64 ":%02" PRIu64 " left", what, bar,
		 (int)(part * 100), size_words(total).text, size_words((uint64_t)rate).text, left / 60, left % 60);
}

void progress_begin(struct progress *progress, const char *what, uint64_t total, bool quiet)
{
	int64_t now = clock_ms();

	*progress = (struct progress){
		.what = what, .total = total, .possible = !quiet && isatty(STDERR_FILENO), .start = now, .last = now
	};
}

void progress_update(struct progress *progress, uint64_t done)
{
	int64_t now = clock_ms();
	char line[160];

	if (!progress->possible || now - progress->start < QUIET_MS || now - progress->last < INTERVAL_MS)
		return;
	progress_line(line, sizeof(line), progress->what, done, progress->total, now - progress->start);
	fprintf(stderr, "\r%s\033[K", line);
	progress->shown = true;
	progress->last = now;
}

void progress_end(struct progress *progress)
{
	if (progress->shown)
		fputs("\r\033[K", stderr);
	progress->shown = false;
}
