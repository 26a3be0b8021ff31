/* SPDX-License-Identifier: MIT
 *
 * image_write(): what lies on the disk is what the plan says, relocations
 * included, and its sums are right.
 */
#include "image/image.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bootabi.h"
#include "plan/boottable.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "lz4_guarded.h"
#include "unit.h"

#define CHUNK (256 * 1024)	/* what the writer has in memory at a time */
#define KERNEL_SIZE (2 * CHUNK + 0x1234)
#define MODULE_BYTES 0x1801

/* ---- A plan with everything that a writer can get wrong ------------------- */

/* Two pieces in an extent with zeros between them, an extent that ends on no
 * sector, one in the same block behind it, and a module. */
#define FIRST_AT 0x123
#define GAP 0x456
#define SPLIT (CHUNK - 0x200)
#define SECOND_AT (KERNEL_SIZE + 0x3000)

static const struct {
	uint32_t block;
	uint32_t width;
	uint64_t offset;
} patches[] = {
	{ 0, 8, FIRST_AT },
	{ 0, 4, FIRST_AT + 9 },
	/* Over the end of what is in memory, and right there. */
	{ 0, 8, FIRST_AT + CHUNK - 4 },
	{ 0, 4, FIRST_AT + CHUNK + 4 },
	{ 0, 8, FIRST_AT + 2 * CHUNK - 1 },
	/* The last bytes of the first extent, the first of the second. */
	{ 0, 4, FIRST_AT + KERNEL_SIZE - 0x100 + GAP - 4 },
	{ 0, 8, SECOND_AT },
	{ 0, 8, SECOND_AT + 0xf8 },
	/* At the same places of another block. */
	{ 1, 8, 0 },
	{ 1, 8, CHUNK - 8 },
};
#define VALUE(i) (UINT64_C(0x1122334455667788) * ((i) + 1))

static unsigned char kernel[KERNEL_SIZE + CHUNK], module[MODULE_BYTES];
static char cmdline[] = "";

static void make_plan(struct plan *plan)
{
	*plan = (struct plan){ .protocol = BT_PROTOCOL_PVH, .entry_block = 0 };
	*plan_append(plan->blocks, plan->block_count) = (struct plan_block){
		.phys = 0x100000, .size = 0x100000, .align = PAGE_SIZE, .kind = INFO_KIND_KERNEL,
	};
	*plan_append(plan->blocks, plan->block_count) = (struct plan_block){
		.phys = 0x400000, .size = CHUNK, .align = PAGE_SIZE, .kind = INFO_KIND_KERNEL,
	};
	plan_load(plan, 0, FIRST_AT, 0, 0, SPLIT);
	plan_load(plan, 0, FIRST_AT + SPLIT + GAP, 0, SPLIT, KERNEL_SIZE - SPLIT - 0x100);
	plan_load(plan, 0, SECOND_AT, 0, KERNEL_SIZE - 0x100, 0x100);
	plan_load(plan, 1, 0, 0, KERNEL_SIZE, CHUNK);
	const struct plan_module modules[] = { { cmdline, MODULE_BYTES } };
	const struct plan_options options = { .modules = modules, .module_count = 1 };
	plan_modules(plan, &options, 0x100000);
	plan_info_cmdline(plan, cmdline);
	for (size_t i = 0; i < COUNT(patches); i++)
		*plan_append(plan->patches, plan->patch_count) = (struct plan_patch){
			patches[i].block, patches[i].width, patches[i].offset, VALUE(i)
		};
}

/* What an extent should be, byte by byte. */
static unsigned char *expect(const struct plan *plan, const struct plan_extent *extent)
{
	unsigned char *bytes = calloc(1, extent->length);

	assert_non_null(bytes);
	for (size_t i = 0; i < extent->piece_count; i++) {
		const struct plan_piece *piece = &plan->pieces[extent->first_piece + i];
		const unsigned char *source = piece->source == 0 ? kernel : module;

		memcpy(bytes + piece->offset, source + piece->file_offset, piece->length);
	}
	for (size_t i = 0; i < COUNT(patches); i++) {
		uint64_t at = patches[i].offset - extent->offset;

		if (patches[i].block != extent->block || at >= extent->length)
			continue;
		for (uint32_t k = 0; k < patches[i].width; k++)
			bytes[at + k] = (unsigned char)(VALUE(i) >> 8 * k);
	}
	return bytes;
}

/* ---- The image ------------------------------------------------------------ */

/* Written and mapped; the caller unmaps. */
static const unsigned char *write_image(struct plan *plan, enum compress compress, size_t *size)
{
	unsigned char loader_bytes[4 * SECTOR_SIZE] = { 0 };
	const struct loader loader = { loader_bytes, sizeof(loader_bytes) };
	const struct file_view files[] = {
		{ .bytes = kernel, .size = sizeof(kernel) }, { .bytes = module, .size = sizeof(module) }
	};
	struct output output = { .fd = -1 };
	const struct image_options options = { .compress = compress };
	struct image_summary summary;
	const struct kernel flat = { .bytes = kernel, .size = sizeof(kernel) };
	struct error err = { 0 };

	assert_accepted(output_begin(&output, NULL, &err), &err, "output");
	int result = image_write(&output, "image", plan, &flat, files, &loader, &options, &summary, &err);
	assert_accepted(result, &err, "write");
	*size = summary.size;
	image_summary_free(&summary);
	const unsigned char *bytes = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, output.fd, 0);
	assert_true(bytes != MAP_FAILED);
	output_end(&output);
	return bytes;
}

static void check_extent(const struct plan *plan, size_t index, const struct extent_place *place,
			 const unsigned char *image, size_t size)
{
	const struct plan_extent *extent = &plan->extents[index];
	uint64_t at = (LAYOUT_BASE + place->lba) * SECTOR_SIZE, sum[4];
	uint64_t whole = align_up(place->stored, SECTOR_SIZE);
	unsigned char *wanted = expect(plan, extent), *found = malloc(extent->length);

	assert_true(at + whole <= size);
	assert_non_null(found);
	if (place->method == EXTENT_LZ4) {
		lz4_unpack_chunks(image + at, place->stored, found, extent->length);
	} else {
		assert_int_equal(place->stored, extent->length);
		memcpy(found, image + at, extent->length);
	}
	for (uint64_t i = 0; i < extent->length; i++)
		CHECK(found[i] == wanted[i], "extent %zu, byte 0x%llx", index, (unsigned long long)i);
	for (uint64_t i = place->stored; i < whole; i++)
		assert_int_equal(image[at + i], 0);
	free(found);
	checksum_extent_start(sum);
	checksum_extent(sum, image + at, whole);
	assert_memory_equal(sum, place->sum, sizeof(sum));
	free(wanted);
}

/* methods are what the extents must be stored by. */
static void check_image(enum compress compress, const uint32_t *methods)
{
	struct plan plan, back;
	struct extent_place *places;
	struct error err = { 0 };
	uint64_t seed = 6;
	size_t size;

	for (size_t i = 0; i < sizeof(kernel); i++)
		kernel[i] = (unsigned char)(random_next(&seed) | 1);
	memset(module, 'm', sizeof(module));
	make_plan(&plan);
	assert_int_equal(plan.extent_count, 4);
	const unsigned char *image = write_image(&plan, compress, &size);
	const unsigned char *stage2 = image + LAYOUT_BASE * SECTOR_SIZE;
	const unsigned char *table = stage2 + get_le32(stage2 + S2_OFF_TABLE_LBA) * SECTOR_SIZE;
	size_t table_size = get_le32(stage2 + S2_OFF_TABLE_BYTES);
	assert_accepted(boottable_decode(table, table_size, &back, &places, &err), &err, "table");
	assert_int_equal(back.extent_count, plan.extent_count);
	for (size_t i = 0; i < plan.extent_count; i++) {
		assert_int_equal(places[i].method, methods[i]);
		check_extent(&plan, i, &places[i], image, size);
	}
	munmap((void *)(uintptr_t)image, size);
	free(places);
	plan_free(&back);
	plan_free(&plan);
}

TEST(image_holds_what_is_planned)
{
	check_image(COMPRESS_NONE, (const uint32_t[]){ EXTENT_RAW, EXTENT_RAW, EXTENT_RAW, EXTENT_RAW });
}

TEST(compressed)
{
	check_image(COMPRESS_LZ4, (const uint32_t[]){ EXTENT_LZ4, EXTENT_LZ4, EXTENT_LZ4, EXTENT_LZ4 });
}

/* The kernel is random bytes, the module a single one again and again. */
TEST(compressed_where_that_is_of_use)
{
	check_image(COMPRESS_AUTO, (const uint32_t[]){ EXTENT_RAW, EXTENT_RAW, EXTENT_RAW, EXTENT_LZ4 });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(image_holds_what_is_planned),
		cmocka_unit_test(compressed),
		cmocka_unit_test(compressed_where_that_is_of_use),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
