/* SPDX-License-Identifier: MIT
 *
 * TAP and JUnit; see suite_report.h.
 */
#include "suite/suite_report.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fileio.h"
#include "base/xml.h"
#include "plan/report.h"

#define FRAMES_MOST 16		/* of a backtrace that a report quotes */

/* ---- TAP ------------------------------------------------------------------- */

void tap_begin(FILE *out, size_t count)
{
	/* Nothing here needs version 14, and older harnesses refuse that number. */
	fprintf(out, "TAP version 13\n1..%zu\n", count);
	fflush(out);
}

/* A test's name must not look like a directive or end the line. */
static void print_name(FILE *out, const char *name)
{
	for (; *name != '\0'; name++) {
		if (*name == '#' || *name == '\\')
			putc('\\', out);
		putc((unsigned char)*name < 0x20 ? '?' : *name, out);
	}
}

/* JSON's strings are YAML's. */
static void print_string(FILE *out, const char *text)
{
	json_t *string = report_text(text);
	char *quoted = json_dumps(string, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);

	fputs(quoted != NULL ? quoted : "\"\"", out);
	free(quoted);
	json_decref(string);
}

/* Text as a literal block, which every reader of TAP understands. */
static void print_lines(FILE *out, const char *name, const char *text)
{
	/* The first line's indentation is the block's. */
	while (text != NULL && (*text == ' ' || *text == '\t' || *text == '\n' || *text == '\r'))
		text++;
	if (text == NULL || *text == '\0')
		return;
	/* What is not UTF-8 becomes "?". */
	json_t *clean = report_text(text);
	text = json_string_value(clean);
	fprintf(out, "  %s: |\n    ", name);
	for (; *text != '\0'; text++) {
		if (*text == '\n' && text[1] != '\0')
			fputs("\n    ", out);
		else if ((unsigned char)*text >= 0x20 && *text != 0x7f)
			putc(*text, out);
		else if (*text != '\r' && *text != '\n')
			putc('?', out);
	}
	fputc('\n', out);
	json_decref(clean);
}

/* "third+0x1c (kernel.c:12)" */
static char *frame_words(const json_t *frame)
{
	const char *function = json_string_value(json_object_get(frame, "function"));
	const char *file = json_string_value(json_object_get(frame, "file"));
	const char *address = json_string_value(json_object_get(frame, "address"));
	long long offset = json_integer_value(json_object_get(frame, "offset"));
	long long line = json_integer_value(json_object_get(frame, "line"));

	if (function == NULL || *function == '\0')
		return format_string("%s", address != NULL ? address : "");
	if (file == NULL || *file == '\0')
		return format_string("%s+0x%llx", function, offset);
	return format_string("%s+0x%llx (%s:%lld)", function, offset, file, line);
}

static char *backtrace(const struct suite_test *test)
{
	const json_t *frames = json_object_get(json_object_get(test->facts, "crash"), "backtrace");
	char *text = format_string("%s", "");

	for (size_t i = 0; i < json_array_size(frames) && i < FRAMES_MOST; i++) {
		CLEANUP_FREE char *frame = frame_words(json_array_get(frames, i));
		char *longer = format_string("%s%s\n", text, frame);

		free(text);
		text = longer;
	}
	return text;
}

static const char *crash_fact(const struct suite_test *test, const char *name)
{
	const char *text = json_string_value(json_object_get(json_object_get(test->facts, "crash"), name));

	return text != NULL ? text : "";
}

static void print_diagnostics(FILE *out, const struct suite_test *test)
{
	const char *verdict = json_string_value(json_object_get(test->facts, "verdict"));
	const char *screen = json_string_value(json_object_get(test->facts, "screen"));
	CLEANUP_FREE char *frames = backtrace(test);

	fputs("  ---\n  message: ", out);
	print_string(out, test->message);
	fputs("\n  verdict: ", out);
	print_string(out, verdict != NULL ? verdict : "could not be run");
	fprintf(out, "\n  status: %d\n  duration_ms: %.0f\n  log: ", test->status, test->seconds * 1000);
	print_string(out, test->log);
	fputc('\n', out);
	if (crash_fact(test, "reason")[0] != '\0') {
		fputs("  likely: ", out);
		print_string(out, crash_fact(test, "reason"));
		fputc('\n', out);
	}
	print_lines(out, "backtrace", frames);
	print_lines(out, "screen", screen);
	print_lines(out, "output", test->tail);
	fputs("  ...\n", out);
}

void tap_test(FILE *out, size_t number, const struct suite_test *test)
{
	fprintf(out, "%s %zu - ", test->passed ? "ok" : "not ok", number);
	print_name(out, test->name);
	fputc('\n', out);
	if (!test->passed)
		print_diagnostics(out, test);
	fflush(out);
}

/* ---- JUnit ------------------------------------------------------------------------ */

static void print_case(FILE *out, const struct suite_test *test)
{
	const char *kind = test->broken ? "error" : "failure";
	const char *verdict = json_string_value(json_object_get(test->facts, "verdict"));

	fputs("    <testcase name=\"", out);
	print_xml(out, test->name);
	fprintf(out, "\" classname=\"mkbootimg\" time=\"%.3f\"", test->seconds);
	if (test->passed) {
		fputs("/>\n", out);
		return;
	}
	CLEANUP_FREE char *frames = backtrace(test);
	fprintf(out, ">\n      <%s message=\"", kind);
	print_xml(out, test->message);
	fputs("\" type=\"", out);
	print_xml(out, verdict != NULL ? verdict : "could not be run");
	fputs("\">", out);
	print_xml(out, frames);
	print_xml(out, crash_fact(test, "reason"));
	fputs("&#10;", out);
	print_xml(out, test->tail);
	fprintf(out, "</%s>\n    </testcase>\n", kind);
}

static void print_suite(FILE *out, const struct suite_test *tests, size_t count)
{
	size_t failures = 0, errors = 0;
	double seconds = 0;
	char when[32];
	time_t now = time(NULL);
	struct tm parts;

	for (size_t i = 0; i < count; i++) {
		errors += !tests[i].passed && tests[i].broken;
		failures += !tests[i].passed && !tests[i].broken;
		seconds += tests[i].seconds;
	}
	gmtime_r(&now, &parts);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &parts);
	fprintf(out,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n"
		"  <testsuite name=\"mkbootimg\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" time=\"%.3f\" "
		"timestamp=\"%s\" hostname=\"localhost\" id=\"0\" package=\"mkbootimg\">\n    <properties/>\n",
		count, failures, errors, seconds, when);
	for (size_t i = 0; i < count; i++)
		print_case(out, &tests[i]);
	fputs("    <system-out/>\n    <system-err/>\n  </testsuite>\n</testsuites>\n", out);
}

int junit_write(const char *path, const struct suite_test *tests, size_t count,
		struct error *err)
{
	CLEANUP_FREE char *text = NULL;
	size_t size;
	FILE *memory = open_memstream(&text, &size);

	if (memory == NULL)
		return error_set(err, ERROR_SYSTEM, 0, "out of memory");
	print_suite(memory, tests, count);
	if (fclose(memory) != 0)
		return error_set(err, ERROR_SYSTEM, 0, "out of memory");
	return output_text(path, text, size, err);
}
