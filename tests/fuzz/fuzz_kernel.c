/* SPDX-License-Identifier: MIT
 *
 * Kernel files: read, detected and planned by every protocol, with several sets of
 * options.  A plan that is accepted must be a good one.
 */
#include <stdlib.h>

#include "bootabi.h"
#include "base/bytes.h"
#include "fuzz.h"
#include "kernel/identity.h"
#include "kernel/placed.h"
#include "plan_check.h"
#include "protocol/protocol.h"
#include "unit.h"

#define NAME "k.elf"

/* What Multiboot headers begin with. */
#define MULTIBOOT1 0x1badb002u
#define MULTIBOOT2 0xe85250d6u

static const char *const protocol_names[] = {
	NULL, "native", "multiboot1", "multiboot2", "pvh", "bootloader-0.9",
};

/* ---- What a user may ask for --------------------------------------------- */

static char first_name[] = "first", second_name[] = "";
static const struct plan_module modules[] = { { first_name, 0x1801 }, { second_name, 0 } };
static const struct plan_video screen = { 1024, 768, 32, VIDEO_REQUIRE };
static const struct plan_video text = { .mode = VIDEO_TELL };
static const uint64_t low_base = 0x400000, high_base = UINT64_C(0xffffffff80000000);

static const struct plan_options option_sets[] = {
	{ .cmdline = "", .kernel_name = NAME },
	{ .cmdline = "a b", .kernel_name = NAME, .stack_size = 0x1001, .modules = modules,
	  .module_count = COUNT(modules), .video = &screen },
	{ .cmdline = "", .kernel_name = NAME, .kernel_base = &low_base, .video = &text,
	  .crate = { .has_features = true, .features = CRATE_MAP_PHYSICAL_MEMORY | CRATE_VGA_320X200 } },
	{ .cmdline = "", .kernel_name = NAME, .kernel_base = &high_base, .stack_size = 0x5000,
	  .crate = { true, CRATE_MAP_PHYSICAL_MEMORY | CRATE_RECURSIVE_PAGE_TABLE | CRATE_SSE, 0xfff0000000,
		     0xffff000000000000, 0x180000000000 } },
};

/* ---- What must hold of a plan -------------------------------------------- */

/* Pieces lie in their files. */
static void check_pieces(const struct kernel *kernel, const struct plan_options *options,
			 const struct plan *plan)
{
	for (size_t i = 0; i < plan->piece_count; i++) {
		const struct plan_piece *piece = &plan->pieces[i];

		CHECK(piece->source <= options->module_count, "piece %zu: of no file", i);
		uint64_t size = piece->source == 0 ? kernel->size : options->modules[piece->source - 1].size;

		CHECK(piece->length > 0 && piece->file_offset <= size && piece->length <= size - piece->file_offset,
		      "piece %zu: outside of its file", i);
	}
}

/* In long mode each page is what the program headers say, where the kernel runs. */
static void check_pages(const struct kernel *kernel, const struct plan_options *options,
			const struct plan *plan)
{
	struct kernel moved = *kernel;
	struct placed placed;
	struct error err = { 0 };

	assert_accepted(placed_make(&placed, kernel, options, false, NAME, &err), &err, "placed");
	assert_int_equal(placed.slide, plan->slide);
	moved.segments = placed.segments;
	moved.segment_count = placed.segment_count;
	moved.entry = placed.entry;
	if (plan->protocol == BT_PROTOCOL_NATIVE)
		plan_check(&moved, options, plan);
	else
		plan_check_kernel(&moved, plan, plan->info_block);
	placed_free(&placed);
}

static void check_flat(const struct plan *plan)
{
	plan_check_fixups(plan);
	plan_check_patches(plan);
	assert_int_equal(plan->map_count, 0);
	assert_true(plan->entry_block < plan->block_count);
	for (size_t i = 0; i < plan->block_count; i++)
		CHECK(plan->blocks[i].size > 0 && plan->blocks[i].size % PAGE_SIZE == 0, "block %zu: size", i);
}

static void check_accepted(const struct kernel *kernel, const struct plan_options *options,
			   const struct plan *plan)
{
	struct extent_place *places = calloc(plan->extent_count + 1, sizeof(*places));

	if (places == NULL)
		abort();
	for (size_t i = 0; i < plan->extent_count; i++)
		places[i] = (struct extent_place){ .lba = 8 * i,
						  .method = EXTENT_RAW,
						  .stored = plan->extents[i].length,
						  .sum = { i, ~(uint64_t)i, 0, UINT64_MAX } };
	check_pieces(kernel, options, plan);
	fuzz_check_plan(plan, places);
	if (plan->protocol == BT_PROTOCOL_NATIVE || plan->protocol == BT_PROTOCOL_BOOTLOADER_09)
		check_pages(kernel, options, plan);
	else
		check_flat(plan);
	fuzz_check_table(plan, places);
	free(places);
}

/* ---- From bytes to plans ------------------------------------------------- */

static void plan_one(const struct kernel *kernel, const struct protocol *protocol,
		     const struct plan_options *options)
{
	struct error err = { 0 };
	struct plan plan;

	if (protocol->plan(kernel, options, NAME, &plan, &err) != 0) {
		fuzz_check_error(&err);
		return;
	}
	if (boottable_check(&plan, NAME, &err) == 0)
		check_accepted(kernel, options, &plan);
	else
		fuzz_check_error(&err);
	plan_free(&plan);
}

static void try_protocol(const struct kernel *kernel, const char *wanted)
{
	struct protocol_choice choice;
	struct error err = { 0 };
	const struct protocol *protocol = protocol_find(kernel, wanted, NAME, &choice, &err);

	if (protocol == NULL) {
		fuzz_check_error(&err);
		return;
	}
	for (size_t i = 0; i < COUNT(option_sets); i++)
		plan_one(kernel, protocol, &option_sets[i]);
}

static void plan_file(const uint8_t *data, size_t size)
{
	struct kernel kernel;
	struct error err = { 0 };

	if (kernel_parse(&kernel, data, size, NAME, &err) != 0) {
		fuzz_check_error(&err);
		return;
	}
	for (size_t i = 0; i < COUNT(protocol_names); i++)
		try_protocol(&kernel, protocol_names[i]);
	kernel_crc(&kernel);
	kernel_free(&kernel);
	fuzz_inspect(data, size);
}

/* Set the checksums of what could be Multiboot headers right.  Were there any, and
 * were they wrong? */
static bool repair_headers(unsigned char *bytes, size_t size)
{
	bool changed = false;

	for (size_t i = 0; size >= 16 && i <= size - 16; i += 4) {
		uint32_t magic = get_le32(bytes + i), sum = magic + get_le32(bytes + i + 4);
		unsigned char *checksum = bytes + i + 8;

		if (magic == MULTIBOOT2) {
			sum += get_le32(bytes + i + 8);
			checksum = bytes + i + 12;
		} else if (magic != MULTIBOOT1) {
			continue;
		}
		changed |= get_le32(checksum) != 0 - sum;
		put_le32(checksum, 0 - sum);
	}
	return changed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned char *bytes = malloc(size + 1);

	if (bytes == NULL)
		abort();
	memcpy(bytes, data, size);
	if (size > 0)
		plan_file(data, size);
	/* No change gets past a checksum otherwise. */
	if (repair_headers(bytes, size))
		plan_file(bytes, size);
	free(bytes);
	return 0;
}
