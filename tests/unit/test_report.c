/* SPDX-License-Identifier: MIT
 *
 * What is told of plans, as text and as JSON: where a bootloader-0.9 kernel finds
 * things, and that a native one does not have them.
 */
#include "plan/report.h"

#include <stdlib.h>

#include "bootabi.h"
#include "plan/boottable.h"
#include "kernel_maker.h"
#include "protocol/protocol.h"
#include "unit.h"

#define NAME "k.elf"
#define LARGE UINT64_C(0x200000)
#define PAGE ((uint64_t)PAGE_SIZE)

#define ALL (CRATE_MAP_PHYSICAL_MEMORY | CRATE_RECURSIVE_PAGE_TABLE | CRATE_SSE | CRATE_VGA_320X200)

/* A plan of a kernel of two pages, half of them in the file. */
static struct plan make_plan(const char *protocol, const struct crate_options *crate)
{
	struct segment segments[] = { SEGMENT(LARGE, LARGE, PAGE, 2 * PAGE, RX) };
	struct kernel kernel = kernel_make(segments, COUNT(segments));
	const struct plan_options options = { .cmdline = "", .crate = *crate };
	struct protocol_choice choice;
	struct error err = { 0 };
	struct plan plan;
	const struct protocol *found = protocol_find(&kernel, protocol, NAME, &choice, &err);

	assert_non_null(found);
	assert_accepted(found->plan(&kernel, &options, NAME, &plan, &err), &err, protocol);
	return plan;
}

/* As text; the caller frees. */
static char *tell(const struct plan *plan, const struct extent_place *places)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	report_plan(out, plan, places);
	fclose(out);
	return text;
}

static void check_text(const char *protocol, const struct crate_options *crate, const char *wanted)
{
	struct plan plan = make_plan(protocol, crate);
	char *text = tell(&plan, NULL);

	assert_string_equal(text, wanted);
	free(text);
	plan_free(&plan);
}

TEST(text_of_a_native_kernel)
{
	check_text("native", &(struct crate_options){ 0 },
		   "protocol native, entry point 0x200000, stack 64 KiB\n"
		   "command line \"\"\n"
		   "screen: text, told to the kernel\n"
		   "placed:\n"
		   "  block 0: 8 KiB, kernel, at 0x200000 if that is free\n"
		   "mapped:\n"
		   "  0x0000000000200000 + 0x2000      r-x  at 0x200000 if that is free\n"
		   "loaded:\n"
		   "  extent 0: 4096 bytes to block 0 + 0x0\n"
		   "cleared:\n"
		   "  4096 bytes of block 0 + 0x1000\n"
		   "told to the kernel: 257 bytes, 3 addresses in them\n"
		   "physical memory mapped at 0xffff800000000000\n"
		   "hand-off area at 0xfffffe0000000000\n"
		   "needs 84 KiB of memory\n");
}

#define BEGIN(size)                                                                             \
	"protocol bootloader-0.9, entry point 0x200000, stack " size " KiB\n"                   \
	"command line \"\"\n"
#define BLOCKS(size)                                                                            \
	"placed:\n"                                                                             \
	"  block 0: 8 KiB, kernel, at 0x200000 if that is free\n"                               \
	"  block 1: 4 KiB, BootInfo, anywhere in physical memory\n"                             \
	"  block 2: " size " KiB, stack, anywhere in physical memory\n"
#define LOADED                                                                                  \
	"loaded:\n"                                                                             \
	"  extent 0: 4096 bytes to block 0 + 0x0\n"                                             \
	"cleared:\n"                                                                            \
	"  4096 bytes of block 0 + 0x1000\n"                                                    \
	"  4096 bytes of block 1 + 0x0\n"

TEST(text_of_a_bootloader_09_kernel)
{
	check_text("bootloader-0.9", &(struct crate_options){ 0 },
		   BEGIN("2048") "screen: mode 0x03, the firmware's\n" BLOCKS("2048")
		   "mapped:\n"
		   "  0x0000000000200000 + 0x2000      r-x  at 0x200000 if that is free\n"
		   "  0x0000010000000000 + 0x1000      rwx  anywhere in physical memory\n"
		   "  0x0000010000002000 + 0x200000    rwx  anywhere in physical memory\n" LOADED
		   "told to the kernel: 1577 bytes, 0 addresses in them\n"
		   "stack 0x10000002000-0x10000201fff, guard page at 0x10000001000\n"
		   "BootInfo at 0x10000000000\n"
		   "needs 2088 KiB of memory\n");
	check_text("bootloader-0.9", &(struct crate_options){ .features = ALL },
		   BEGIN("2048") "screen: mode 0x13, the firmware's\n" BLOCKS("2048")
		   "mapped:\n"
		   "  0x0000000000200000 + 0x2000      r-x  at 0x200000 if that is free\n"
		   "  0x0000010000000000 + 0x1000      rwx  anywhere in physical memory\n"
		   "  0x0000010000002000 + 0x200000    rwx  anywhere in physical memory\n" LOADED
		   "told to the kernel: 1593 bytes, 0 addresses in them\n"
		   "physical memory mapped at 0x18000000000\n"
		   "stack 0x10000002000-0x10000201fff, guard page at 0x10000001000\n"
		   "BootInfo at 0x10000000000\n"
		   "page tables mapped at entry 1 of level 4\n"
		   "SSE switched on\n"
		   "needs 2088 KiB of memory\n");
}

/* A string of an object; wanted may be NULL, for none. */
static void check_string(json_t *object, const char *key, const char *wanted)
{
	const char *found = json_string_value(json_object_get(object, key));

	if (wanted == NULL)
		CHECK(json_object_get(object, key) == NULL, "%s is there", key);
	else
		CHECK(found != NULL && strcmp(found, wanted) == 0, "%s is %s, not %s", key,
		      found != NULL ? found : "no string", wanted);
}

/* A command line that an image holds is somebody else's. */
TEST(text_is_fit_for_a_terminal)
{
	static const struct crate_options none;
	static char hostile[] = "a\033[2J\r\nneeds\177";
	struct plan plan = make_plan("native", &none);

	free(plan.cmdline);
	plan.cmdline = hostile;
	char *text = tell(&plan, NULL);
	CHECK(strstr(text, "command line \"a\\x1b[2J\\x0d\\x0aneeds\\x7f\"\n") != NULL, "%s", text);
	free(text);
	plan.cmdline = NULL;
	plan_free(&plan);
}

TEST(json_of_plans)
{
	static const struct {
		const char *protocol;
		struct crate_options crate;
		const char *physical_map;
		const char *hand_off_area;
		const char *stack_top;
		const char *boot_info;
		int recursive;		/* -1: is not there */
		int sse;
		int number;
		const char *video;
	} cases[] = {
		{ "native", { 0 }, "0xffff800000000000", "0xfffffe0000000000", NULL, NULL, -1, -1, -1,
		  "text, told to the kernel" },
		{ "bootloader-0.9", { 0 }, NULL, NULL, "0x10000202000", "0x10000000000", -1, 0, 3,
		  "the firmware's" },
		{ "bootloader-0.9", { .features = ALL }, "0x18000000000", NULL, "0x10000202000",
		  "0x10000000000", 1, 1, 0x13, "the firmware's" },
		/* Up to the end of the address space. */
		{ "bootloader-0.9", { .stack_address = 0 - 513 * PAGE }, NULL, NULL, "0x0", "0x10000000000",
		  -1, 0, 3, "the firmware's" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct plan plan = make_plan(cases[i].protocol, &cases[i].crate);
		json_t *object = report_plan_json(&plan, NULL), *video = json_object_get(object, "video");
		json_t *blocks = json_object_get(object, "blocks"), *number = json_object_get(video, "number");
		json_t *recursive = json_object_get(object, "recursive_entry");
		json_t *sse = json_object_get(object, "sse");

		assert_non_null(object);
		check_string(object, "protocol", cases[i].protocol);
		check_string(object, "physical_map", cases[i].physical_map);
		check_string(object, "hand_off_area", cases[i].hand_off_area);
		check_string(object, "stack_top", cases[i].stack_top);
		check_string(object, "boot_info", cases[i].boot_info);
		check_string(video, "mode", cases[i].video);
		assert_int_equal(recursive == NULL ? -1 : json_integer_value(recursive), cases[i].recursive);
		assert_int_equal(sse == NULL ? -1 : json_is_true(sse), cases[i].sse);
		/* A mode's number is no width. */
		assert_int_equal(number == NULL ? -1 : json_integer_value(number), cases[i].number);
		assert_int_equal(json_integer_value(json_object_get(video, "width")), 0);
		assert_int_equal(json_array_size(blocks), cases[i].number < 0 ? 1 : 3);
		check_string(json_array_get(blocks, 0), "kind", "kernel");
		check_string(json_array_get(blocks, 1), "kind", cases[i].number < 0 ? NULL : "BootInfo");
		check_string(json_array_get(blocks, 2), "kind", cases[i].number < 0 ? NULL : "stack");
		json_decref(object);
		plan_free(&plan);
	}
}

/* An image says the same as the kernel that it was made from. */
TEST(plans_of_images)
{
	static const struct {
		const char *protocol;
		struct crate_options crate;
	} cases[] = {
		{ "native", { 0 } },
		{ "bootloader-0.9", { 0 } },
		{ "bootloader-0.9", { .features = ALL, .boot_info_address = 0x40000000 } },
		{ "bootloader-0.9", { .features = ALL, .stack_address = 0 - 513 * PAGE } },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct plan plan = make_plan(cases[i].protocol, &cases[i].crate), back;
		struct extent_place place = { .lba = 24 }, *places;
		size_t size = boottable_size(&plan);
		unsigned char *bytes = malloc(size);
		struct error err = { 0 };

		assert_int_equal(plan.extent_count, 1);
		assert_non_null(bytes);
		place.stored = plan.extents[0].length;
		boottable_encode(&plan, &place, bytes);
		assert_accepted(boottable_decode(bytes, size, &back, &places, &err), &err, "decode");
		char *built = tell(&plan, &place), *read = tell(&back, places);
		json_t *built_json = report_plan_json(&plan, &place), *read_json = report_plan_json(&back, places);
		assert_string_equal(built, read);
		assert_true(json_equal(built_json, read_json));
		json_decref(built_json);
		json_decref(read_json);
		free(built);
		free(read);
		free(places);
		free(bytes);
		plan_free(&plan);
		plan_free(&back);
	}
}

/* How the extents of an image are stored. */
TEST(stored_extents)
{
	const struct crate_options none = { 0 };
	struct plan plan = make_plan("native", &none);
	struct extent_place place = { .lba = 24, .method = EXTENT_LZ4, .stored = plan.extents[0].length / 4 };
	char *text = tell(&plan, &place);
	json_t *object = report_plan_json(&plan, &place);
	json_t *extent = json_array_get(json_object_get(object, "extents"), 0);

	assert_non_null(strstr(text, "extent 0: 4096 bytes to block 0 + 0x0, stored as lz4: 1024 bytes, 25.0 %\n"));
	check_string(extent, "method", "lz4");
	assert_int_equal(json_integer_value(json_object_get(extent, "size")), 4096);
	assert_int_equal(json_integer_value(json_object_get(extent, "stored")), 1024);
	assert_int_equal(json_integer_value(json_object_get(extent, "lba")), 24);
	assert_true(json_real_value(json_object_get(extent, "ratio")) == 0.25);
	free(text);
	json_decref(object);
	place.method = EXTENT_RAW;
	place.stored = plan.extents[0].length;
	text = tell(&plan, &place);
	assert_non_null(strstr(text, ", stored as raw: 4096 bytes, 100.0 %\n"));
	free(text);
	plan_free(&plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_of_a_native_kernel),
		cmocka_unit_test(text_of_a_bootloader_09_kernel),
		cmocka_unit_test(text_is_fit_for_a_terminal),
		cmocka_unit_test(json_of_plans),
		cmocka_unit_test(plans_of_images),
		cmocka_unit_test(stored_extents),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
