/* SPDX-License-Identifier: MIT
 *
 * What the fuzz targets share; see fuzz.h.
 */
#include "fuzz.h"

#include <jansson.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bootabi.h"
#include "command/command.h"
#include "command/table.h"
#include "crash/origin.h"
#include "plan_check.h"
#include "plan/report.h"
#include "unit.h"

#define FILE_FD 100	/* so that the file's name is the same in every run */

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct error err;

	(void)argc;
	(void)argv;
	/* There is no test that a failed check could end. */
	setenv("CMOCKA_TEST_ABORT", "1", 1);
	command_context.command = command_find("inspect", &err);
	command_context.no_config = true;
	return 0;
}

/* ---- What is printed ----------------------------------------------------- */

void capture_begin(struct capture *capture, FILE **stream)
{
	*capture = (struct capture){ .stream = stream, .saved = *stream };
	*stream = open_memstream(&capture->text, &capture->size);
	if (*stream == NULL)
		abort();
}

char *capture_end(struct capture *capture)
{
	fclose(*capture->stream);
	*capture->stream = capture->saved;
	for (size_t i = 0; i < capture->size; i++) {
		unsigned char c = (unsigned char)capture->text[i];

		CHECK(c == '\n' || c >= 0x20, "byte 0x%02x is printed: %s", c, capture->text);
	}
	return capture->text;
}

void fuzz_check_error(const struct error *err)
{
	struct capture capture;

	CHECK(err->class != ERROR_NONE && err->text[0] != '\0', "an error without a word");
	CHECK(memchr(err->text, '\0', sizeof(err->text)) != NULL, "a sentence has no end");
	CHECK(memchr(err->hint, '\0', sizeof(err->hint)) != NULL, "a hint has no end");
	capture_begin(&capture, &stderr);
	error_print(err, "build");
	free(capture_end(&capture));
}

/* ---- Plans --------------------------------------------------------------- */

static bool in_block(const struct plan *plan, uint32_t block, uint64_t offset, uint64_t length)
{
	return block < plan->block_count && offset <= plan->blocks[block].size &&
	       length <= plan->blocks[block].size - offset;
}

static void check_report(const struct plan *plan, const struct extent_place *places)
{
	struct capture capture;
	FILE *out;

	capture_begin(&capture, &out);
	report_plan(out, plan, places);
	free(capture_end(&capture));
	json_t *json = report_plan_json(plan, places);
	CHECK(json != NULL, "there is no JSON");
	json_decref(json);
}

void fuzz_check_plan(const struct plan *plan, const struct extent_place *places)
{
	for (size_t i = 0; i < plan->block_count; i++) {
		const struct plan_block *block = &plan->blocks[i];

		CHECK(block->phys == BLOCK_ANYWHERE || block->phys <= UINT64_MAX - block->size, "block %zu", i);
		CHECK(block->lowest <= UINT64_MAX - block->size, "block %zu: lowest", i);
		CHECK(plan_memory(plan) >= block->size, "block %zu is not counted", i);
	}
	CHECK(plan->recursive < 512, "there is no such entry of a page table");
	for (size_t i = 0; i < plan->extent_count; i++)
		CHECK(in_block(plan, plan->extents[i].block, plan->extents[i].offset, plan->extents[i].length),
		      "extent %zu", i);
	for (size_t i = 0; i < plan->zero_count; i++)
		CHECK(in_block(plan, plan->zeros[i].block, plan->zeros[i].offset, plan->zeros[i].length),
		      "zero %zu", i);
	for (size_t i = 0; i < plan->map_count; i++)
		CHECK(in_block(plan, plan->maps[i].block, plan->maps[i].offset, plan->maps[i].length), "map %zu", i);
	for (size_t i = 0; i < plan->fixup_count; i++) {
		const struct plan_fixup *fixup = &plan->fixups[i];

		CHECK(fixup->offset <= plan->info_size && fixup->width <= plan->info_size - fixup->offset,
		      "fixup %zu", i);
		CHECK(fixup->width == 4 || fixup->width == 8, "fixup %zu: width", i);
		CHECK(fixup->block == BLOCK_NONE || fixup->block < plan->block_count, "fixup %zu: block", i);
	}
	CHECK(plan->entry_block == BLOCK_NONE || in_block(plan, plan->entry_block, plan->entry_offset, 1),
	      "entry point");
	CHECK(plan->info_block == BLOCK_NONE || in_block(plan, plan->info_block, 0, plan->info_size), "info");
	CHECK(plan->cmdline_offset < plan->info_size &&
		      strlen(plan->cmdline) < plan->info_size - plan->cmdline_offset &&
		      strcmp((const char *)plan->info + plan->cmdline_offset, plan->cmdline) == 0,
	      "command line");
	check_report(plan, places);
	origin_facts(plan);
}

void fuzz_check_table(const struct plan *plan, const struct extent_place *places)
{
	size_t size = boottable_size(plan);
	unsigned char *bytes = malloc(size), *again = malloc(size);
	struct extent_place *read_places;
	struct error err = { 0 };
	struct plan read;

	if (bytes == NULL || again == NULL)
		abort();
	boottable_encode(plan, places, bytes);
	CHECK(boottable_decode(bytes, size, &read, &read_places, &err) == 0, "%s", err.text);
	fuzz_check_plan(&read, read_places);
	CHECK(boottable_size(&read) == size, "the table's size");
	boottable_encode(&read, read_places, again);
	CHECK(memcmp(bytes, again, size) == 0, "the table is another one when it is read and written");
	plan_free(&read);
	free(read_places);
	free(bytes);
	free(again);
}

/* ---- Files and commands -------------------------------------------------- */

const char *fuzz_file(const uint8_t *data, size_t size)
{
	static char path[40];

	if (path[0] == '\0') {
		int fd = memfd_create("fuzz", MFD_CLOEXEC);

		if (fd < 0 || dup2(fd, FILE_FD) < 0)
			abort();
		close(fd);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", FILE_FD);
	}
	if (ftruncate(FILE_FD, 0) != 0 || pwrite(FILE_FD, data, size, 0) != (ssize_t)size)
		abort();
	return path;
}

static void inspect(const char *path, bool json)
{
	static char name[] = "mkbootimg inspect", option[] = "--json";
	CLEANUP_FREE char *file = format_string("%s", path);
	char *words[] = { name, file, json ? option : NULL, NULL };
	struct error err = { .class = ERROR_NONE };
	struct capture capture;

	capture_begin(&capture, &stdout);
	int status = command_inspect(json ? 3 : 2, words, &err);
	char *text = capture_end(&capture);
	if (status != STATUS_OK)
		fuzz_check_error(&err);
	CHECK(status != STATUS_OK || text[0] != '\0', "nothing is printed");
	if (json && text[0] != '\0') {
		json_t *value = json_loads(text, 0, NULL);

		CHECK(value != NULL, "this is not JSON: %s", text);
		json_decref(value);
	}
	free(text);
}

void fuzz_inspect(const uint8_t *data, size_t size)
{
	const char *path = fuzz_file(data, size);

	inspect(path, false);
	inspect(path, true);
}
