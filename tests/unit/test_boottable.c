/* SPDX-License-Identifier: MIT
 *
 * The boot table as bootabi.h describes it, and the extents' sums.  The loader
 * reads it at the same places: what fails here does not boot.
 */
#include "plan/boottable.h"

#include <stdlib.h>
#include <zlib.h>

#include "bootabi.h"
#include "base/bytes.h"
#include "unit.h"

#define NAME "k.elf"

/* ---- A small plan, and its table ----------------------------------------- */

static struct plan_block blocks[] = {
	{ 0x100000, 0x3000, 0x1000, 0, 0x10000, 0x20000000, INFO_KIND_KERNEL, BLOCK_FIXED },
	{ BLOCK_ANYWHERE, 0x400000, 0x200000, 0x1f000, 0x30000000, 0x100000000, INFO_KIND_MODULES,
	  BLOCK_TOP },
};
static struct plan_extent extents[] = {
	{ .block = 0, .offset = 0x10, .length = 0x1234 },
	{ .block = 1, .offset = 0x123456, .length = 0x89abc },
};
static struct plan_zero zeros[] = {
	{ 0, 0x1244, 0xdbc },
	{ 1, 0, 0x123456 },
	{ 1, 0x1acf12, 0x1000 },
};
static struct plan_map maps[] = {
	{ 0xffffffff80000000, 0, MAP_READ | MAP_EXECUTE, 0, 0x2000 },
	{ 0xffffffff80002000, 0, MAP_READ, 0x2000, 0x1000 },
	{ 0xffffffff8001f000, 1, MAP_READ | MAP_WRITE, 0, 0x400000 },
};
static struct plan_fixup fixups[] = {
	{ 0, 4, 0 },
	{ 8, 8, BLOCK_NONE },
	{ 16, 8, 1 },
};
static char cmdline[] = "root=none a=\"b c\"";
#define CMDLINE_AT 24
static unsigned char info[] = "0123456789abcdefghijklmn" "root=none a=\"b c\"" "\0tail";

/* All numbers differ, so that no field passes for another. */
static const struct plan plan = {
	.protocol = BT_PROTOCOL_NATIVE,
	.entry = 0xffffffff80000123,
	.entry_block = BLOCK_NONE,
	.blocks = blocks, .block_count = COUNT(blocks),
	.extents = extents, .extent_count = COUNT(extents),
	.zeros = zeros, .zero_count = COUNT(zeros),
	.maps = maps, .map_count = COUNT(maps),
	.fixups = fixups, .fixup_count = COUNT(fixups),
	.info = info, .info_size = sizeof(info),
	.cmdline = cmdline, .cmdline_offset = CMDLINE_AT,
	.stack_size = 0x12000,
	.video = { .width = 0x1234, .height = 0x5678, .depth = 32, .mode = VIDEO_REQUIRE },
	.handoff_virt = 0xfffffe0000000000,
	.physmap_virt = 0xffff800000000000,
	.physmap_max = 0x7e0000000000,
	.table_pages = 77,
	.stack_top = 0x10000202000,
	.info_virt = 0x10000000000,
	.info_block = 1,
	.recursive = 0x1fe,
	.sse = true,
	.slide = 0x123456789abcd000,
	.kernel_crc = 0x89abcdef,
};
static const struct extent_place places[] = {
	{ 0x18, EXTENT_RAW, 0x1234,
	  { 0x1111111111111111, 0x2222222222222222, 0x3333333333333333, 0x4444444444444444 } },
	{ 0x1234567890, EXTENT_LZ4, 0x45678, { 5, 6, 7, UINT64_MAX } },
};

/* Encode into a buffer of exactly its size that is not clean.  The caller
 * frees. */
static unsigned char *encode(const struct plan *from, const struct extent_place *at, size_t *size)
{
	*size = boottable_size(from);
	unsigned char *bytes = malloc(*size);

	assert_non_null(bytes);
	memset(bytes, 0xaa, *size);
	boottable_encode(from, at, bytes);
	return bytes;
}

static uint32_t crc_of(const unsigned char *bytes, size_t size)
{
	unsigned char *copy = malloc(size);

	assert_non_null(copy);
	memcpy(copy, bytes, size);
	memset(copy + BT_OFF_CRC, 0, 4);
	uint32_t crc = (uint32_t)crc32_z(0, copy, size);
	free(copy);
	return crc;
}

static void renew_crc(unsigned char *bytes, size_t size)
{
	put_le32(bytes + BT_OFF_CRC, crc_of(bytes, size));
}

/* ---- Encoding ------------------------------------------------------------ */

/* The memory that a table asks for, 0 if it does not decode. */
static uint64_t boottable_memory(const unsigned char *bytes, size_t size)
{
	struct extent_place *found;
	struct error err;
	struct plan decoded;

	if (boottable_decode(bytes, size, &decoded, &found, &err) != 0)
		return 0;
	uint64_t memory = plan_memory(&decoded);
	plan_free(&decoded);
	free(found);
	return memory;
}

TEST(header_fields)
{
	size_t size;
	unsigned char *bytes = encode(&plan, places, &size);

	assert_memory_equal(bytes, "BOTTABLE", 8);
	assert_int_equal(get_le64(bytes + BT_OFF_MAGIC), BT_MAGIC);
	assert_int_equal(get_le32(bytes + BT_OFF_VERSION), BT_VERSION);
	assert_int_equal(get_le32(bytes + BT_OFF_LENGTH), size);
	assert_int_equal(get_le32(bytes + BT_OFF_CRC), crc_of(bytes, size));
	assert_int_equal(get_le32(bytes + BT_OFF_PROTOCOL), BT_PROTOCOL_NATIVE);
	assert_int_equal(get_le64(bytes + BT_OFF_ENTRY), plan.entry);
	assert_int_equal(get_le32(bytes + BT_OFF_BLOCK_COUNT), COUNT(blocks));
	assert_int_equal(get_le32(bytes + BT_OFF_EXTENT_COUNT), COUNT(extents));
	assert_int_equal(get_le32(bytes + BT_OFF_ZERO_COUNT), COUNT(zeros));
	assert_int_equal(get_le32(bytes + BT_OFF_MAP_COUNT), COUNT(maps));
	assert_int_equal(get_le64(bytes + BT_OFF_STACK_SIZE), plan.stack_size);
	assert_int_equal(get_le64(bytes + BT_OFF_HANDOFF_VIRT), plan.handoff_virt);
	assert_int_equal(get_le64(bytes + BT_OFF_PHYSMAP_VIRT), plan.physmap_virt);
	assert_int_equal(get_le64(bytes + BT_OFF_PHYSMAP_MAX), plan.physmap_max);
	assert_int_equal(get_le32(bytes + BT_OFF_TABLE_PAGES), plan.table_pages);
	assert_int_equal(get_le32(bytes + BT_OFF_INFO_SIZE), sizeof(info));
	assert_int_equal(get_le32(bytes + BT_OFF_FIXUP_COUNT), COUNT(fixups));
	assert_int_equal(get_le32(bytes + BT_OFF_ENTRY_BLOCK), BLOCK_NONE);
	assert_int_equal(get_le16(bytes + BT_OFF_VIDEO_WIDTH), 0x1234);
	assert_int_equal(get_le16(bytes + BT_OFF_VIDEO_HEIGHT), 0x5678);
	assert_int_equal(bytes[BT_OFF_VIDEO_DEPTH], 32);
	assert_int_equal(bytes[BT_OFF_VIDEO], VIDEO_REQUIRE);
	assert_int_equal(get_le64(bytes + BT_OFF_SLIDE), plan.slide);
	assert_int_equal(get_le32(bytes + BT_OFF_KERNEL_CRC), plan.kernel_crc);
	assert_int_equal(get_le64(bytes + BT_OFF_STACK_TOP), plan.stack_top);
	assert_int_equal(get_le64(bytes + BT_OFF_INFO_VIRT), plan.info_virt);
	assert_int_equal(get_le32(bytes + BT_OFF_INFO_BLOCK), 1);
	assert_int_equal(get_le16(bytes + BT_OFF_RECURSIVE), 0x1fe);
	assert_int_equal(get_le32(bytes + BT_OFF_FLAGS), BT_SSE);
	assert_int_equal(get_le32(bytes + BT_OFF_RESERVED), 0);
	free(bytes);
}

/* Where the entry point moves with a block, the loader gets the place in it. */
TEST(entry_in_a_block)
{
	struct plan flat = plan;
	size_t size;

	flat.entry = 0x100123;
	flat.entry_block = 0;
	flat.entry_offset = 0x123;
	unsigned char *bytes = encode(&flat, places, &size);
	assert_int_equal(get_le64(bytes + BT_OFF_ENTRY), 0x123);
	assert_int_equal(get_le32(bytes + BT_OFF_ENTRY_BLOCK), 0);
	free(bytes);
}

TEST(block_records)
{
	size_t size;
	unsigned char *bytes = encode(&plan, places, &size);
	const unsigned char *p = bytes + get_le32(bytes + BT_OFF_BLOCKS);

	for (size_t i = 0; i < COUNT(blocks); i++, p += BLOCK_SIZE) {
		assert_int_equal(get_le64(p + BLOCK_OFF_PHYS), blocks[i].phys);
		assert_int_equal(get_le64(p + BLOCK_OFF_SIZE), blocks[i].size);
		assert_int_equal(get_le64(p + BLOCK_OFF_ALIGN), blocks[i].align);
		assert_int_equal(get_le64(p + BLOCK_OFF_PHASE), blocks[i].phase);
		assert_int_equal(get_le64(p + BLOCK_OFF_LOWEST), blocks[i].lowest);
		assert_int_equal(get_le64(p + BLOCK_OFF_HIGHEST), blocks[i].highest);
		assert_int_equal(get_le32(p + BLOCK_OFF_KIND), blocks[i].kind);
		assert_int_equal(get_le32(p + BLOCK_OFF_FLAGS), blocks[i].flags);
		assert_int_equal(get_le64(p + BLOCK_OFF_LOADED), 0);
	}
	free(bytes);
}

TEST(extent_records)
{
	size_t size;
	unsigned char *bytes = encode(&plan, places, &size);
	const unsigned char *p = bytes + get_le32(bytes + BT_OFF_EXTENTS);

	for (size_t i = 0; i < COUNT(extents); i++, p += EXTENT_SIZE) {
		/* The loader compares sums with aligned SSE loads. */
		assert_int_equal((p + EXTENT_OFF_SUM - bytes) % 16, 0);
		assert_int_equal(get_le32(p + EXTENT_OFF_BLOCK), extents[i].block);
		assert_int_equal(get_le32(p + EXTENT_OFF_METHOD), places[i].method);
		assert_int_equal(get_le64(p + EXTENT_OFF_OFFSET), extents[i].offset);
		assert_int_equal(get_le64(p + EXTENT_OFF_LENGTH), extents[i].length);
		assert_int_equal(get_le64(p + EXTENT_OFF_STORED), places[i].stored);
		assert_int_equal(get_le64(p + EXTENT_OFF_LBA), places[i].lba);
		assert_int_equal(get_le64(p + EXTENT_OFF_RESERVED), 0);
		for (size_t k = 0; k < 4; k++)
			assert_int_equal(get_le64(p + EXTENT_OFF_SUM + 8 * k), places[i].sum[k]);
	}
	free(bytes);
}

TEST(zero_and_map_records)
{
	size_t size;
	unsigned char *bytes = encode(&plan, places, &size);
	const unsigned char *p = bytes + get_le32(bytes + BT_OFF_ZEROS);

	for (size_t i = 0; i < COUNT(zeros); i++, p += ZERO_SIZE) {
		assert_int_equal(get_le32(p + ZERO_OFF_BLOCK), zeros[i].block);
		assert_int_equal(get_le32(p + ZERO_OFF_RESERVED), 0);
		assert_int_equal(get_le64(p + ZERO_OFF_OFFSET), zeros[i].offset);
		assert_int_equal(get_le64(p + ZERO_OFF_LENGTH), zeros[i].length);
	}
	p = bytes + get_le32(bytes + BT_OFF_MAPS);
	for (size_t i = 0; i < COUNT(maps); i++, p += MAP_SIZE) {
		assert_int_equal(get_le64(p + MAP_OFF_VIRT), maps[i].virt);
		assert_int_equal(get_le32(p + MAP_OFF_BLOCK), maps[i].block);
		assert_int_equal(get_le32(p + MAP_OFF_FLAGS), maps[i].flags);
		assert_int_equal(get_le64(p + MAP_OFF_OFFSET), maps[i].offset);
		assert_int_equal(get_le64(p + MAP_OFF_LENGTH), maps[i].length);
	}
	free(bytes);
}

TEST(info_and_fixup_records)
{
	size_t size;
	unsigned char *bytes = encode(&plan, places, &size);
	const unsigned char *p = bytes + get_le32(bytes + BT_OFF_FIXUPS);

	assert_memory_equal(bytes + get_le32(bytes + BT_OFF_INFO), info, sizeof(info));
	for (size_t i = 0; i < COUNT(fixups); i++, p += FIXUP_SIZE) {
		assert_int_equal(get_le32(p + FIXUP_OFF_OFFSET), fixups[i].offset);
		assert_int_equal(get_le32(p + FIXUP_OFF_WIDTH), fixups[i].width);
		assert_int_equal(get_le32(p + FIXUP_OFF_BLOCK), fixups[i].block);
		assert_int_equal(get_le32(p + FIXUP_OFF_RESERVED), 0);
	}
	free(bytes);
}

TEST(command_line_ends_with_nul)
{
	size_t size;
	unsigned char *bytes = encode(&plan, places, &size);
	uint32_t at = get_le32(bytes + BT_OFF_CMDLINE);

	assert_int_equal(at, get_le32(bytes + BT_OFF_INFO) + CMDLINE_AT);
	assert_int_equal(get_le32(bytes + BT_OFF_CMDLINE_LEN), strlen(cmdline));
	assert_true(at + strlen(cmdline) + 1 <= size);
	assert_string_equal(bytes + at, cmdline);
	free(bytes);
}

static int compare_parts(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

/* Header, records and info lie side by side, none in another. */
TEST(parts_fill_the_table)
{
	size_t size, next = 0;
	unsigned char *bytes = encode(&plan, places, &size);
	uint64_t parts[][2] = {
		{ 0, BT_HEADER_SIZE },
		{ get_le32(bytes + BT_OFF_BLOCKS), COUNT(blocks) * BLOCK_SIZE },
		{ get_le32(bytes + BT_OFF_EXTENTS), COUNT(extents) * EXTENT_SIZE },
		{ get_le32(bytes + BT_OFF_ZEROS), COUNT(zeros) * ZERO_SIZE },
		{ get_le32(bytes + BT_OFF_MAPS), COUNT(maps) * MAP_SIZE },
		{ get_le32(bytes + BT_OFF_FIXUPS), COUNT(fixups) * FIXUP_SIZE },
		{ get_le32(bytes + BT_OFF_INFO), sizeof(info) },
	};

	qsort(parts, COUNT(parts), sizeof(parts[0]), compare_parts);
	for (size_t i = 0; i < COUNT(parts); i++) {
		assert_int_equal(parts[i][0], next);
		next += parts[i][1];
	}
	assert_int_equal(next, size);
	free(bytes);
}

TEST(empty_plan)
{
	char nothing[] = "";
	unsigned char nul = 0;
	const struct plan empty = { .cmdline = nothing, .info = &nul, .info_size = 1,
				    .entry_block = BLOCK_NONE, .info_block = BLOCK_NONE,
				    .stack_size = 0x1000 };
	size_t size;
	unsigned char *bytes = encode(&empty, NULL, &size);

	assert_int_equal(size, BT_HEADER_SIZE + 1);
	assert_int_equal(boottable_memory(bytes, size), 0x1000);
	free(bytes);
}

/* The same plan is the same table: images are reproducible. */
TEST(same_plan_same_bytes)
{
	size_t size;
	unsigned char *first = encode(&plan, places, &size), *second = encode(&plan, places, &size);

	assert_memory_equal(first, second, size);
	free(first);
	free(second);
}

/* ---- Reading back -------------------------------------------------------- */

TEST(memory_is_the_plans)
{
	size_t size;
	unsigned char *bytes = encode(&plan, places, &size);

	/* Block 1 may only lie that high. */
	assert_int_equal(boottable_memory(bytes, size), 0x30000000 + 0x400000);
	assert_int_equal(boottable_memory(bytes, size), plan_memory(&plan));
	free(bytes);
}

/* Everything but the pieces and the patches, which are only for the host. */
static void check_same_records(const struct plan *a, const struct plan *b)
{
	assert_int_equal(a->block_count, b->block_count);
	assert_memory_equal(a->blocks, b->blocks, a->block_count * sizeof(a->blocks[0]));
	assert_int_equal(a->extent_count, b->extent_count);
	for (size_t i = 0; i < a->extent_count; i++) {
		assert_int_equal(a->extents[i].block, b->extents[i].block);
		assert_int_equal(a->extents[i].offset, b->extents[i].offset);
		assert_int_equal(a->extents[i].length, b->extents[i].length);
		assert_int_equal(b->extents[i].piece_count, 0);
	}
	assert_int_equal(a->zero_count, b->zero_count);
	for (size_t i = 0; i < a->zero_count; i++) {
		assert_int_equal(a->zeros[i].block, b->zeros[i].block);
		assert_int_equal(a->zeros[i].offset, b->zeros[i].offset);
		assert_int_equal(a->zeros[i].length, b->zeros[i].length);
	}
	assert_int_equal(a->map_count, b->map_count);
	assert_memory_equal(a->maps, b->maps, a->map_count * sizeof(a->maps[0]));
	assert_int_equal(a->fixup_count, b->fixup_count);
	assert_memory_equal(a->fixups, b->fixups, a->fixup_count * sizeof(a->fixups[0]));
}

static void check_same(const struct plan *a, const struct plan *b)
{
	check_same_records(a, b);
	assert_int_equal(a->info_size, b->info_size);
	assert_memory_equal(a->info, b->info, a->info_size);
	assert_int_equal(a->protocol, b->protocol);
	assert_int_equal(a->entry, b->entry);
	assert_int_equal(a->entry_block, b->entry_block);
	assert_int_equal(a->entry_offset, b->entry_offset);
	assert_string_equal(a->cmdline, b->cmdline);
	assert_int_equal(a->cmdline_offset, b->cmdline_offset);
	assert_int_equal(a->stack_size, b->stack_size);
	assert_memory_equal(&a->video, &b->video, sizeof(a->video));
	assert_int_equal(a->handoff_virt, b->handoff_virt);
	assert_int_equal(a->physmap_virt, b->physmap_virt);
	assert_int_equal(a->physmap_max, b->physmap_max);
	assert_int_equal(a->table_pages, b->table_pages);
	assert_int_equal(a->stack_top, b->stack_top);
	assert_int_equal(a->info_virt, b->info_virt);
	assert_int_equal(a->info_block, b->info_block);
	assert_int_equal(a->recursive, b->recursive);
	assert_int_equal(a->sse, b->sse);
	assert_int_equal(a->slide, b->slide);
	assert_int_equal(a->kernel_crc, b->kernel_crc);
}

/* What comes back is what went in, and makes the same table again. */
static void check_round_trip(const struct plan *from)
{
	struct extent_place *found;
	struct error err = { 0 };
	struct plan back;
	size_t size, again;
	unsigned char *bytes = encode(from, places, &size);

	assert_accepted(boottable_decode(bytes, size, &back, &found, &err), &err, "decode");
	check_same(from, &back);
	assert_memory_equal(found, places, sizeof(places));
	unsigned char *second = encode(&back, found, &again);
	assert_int_equal(again, size);
	assert_memory_equal(second, bytes, size);
	free(second);
	free(bytes);
	plan_free(&back);
	free(found);
}

TEST(round_trip)
{
	struct plan flat = plan;

	check_round_trip(&plan);
	flat.protocol = BT_PROTOCOL_MULTIBOOT2;
	flat.entry_block = 0;
	flat.entry_offset = 0x2fff;
	flat.entry = blocks[0].phys + flat.entry_offset;
	check_round_trip(&flat);
	/* Where the block is not known, neither is the address. */
	flat.entry_block = 1;
	flat.entry = flat.entry_offset;
	check_round_trip(&flat);
	flat.info_block = BLOCK_NONE;
	flat.stack_top = flat.info_virt = 0;
	flat.recursive = 0;
	flat.sse = false;
	check_round_trip(&flat);
}

TEST(flipped_bits_are_noticed)
{
	size_t size;
	unsigned char *bytes = encode(&plan, places, &size);

	for (size_t i = 0; i < size; i++) {
		for (unsigned int mask = 1; mask <= 0x100; mask <<= 1) {
			unsigned char flip = (unsigned char)(mask < 0x100 ? mask : 0xff);

			bytes[i] ^= flip;
			CHECK(boottable_memory(bytes, size) == 0, "byte %zu ^ 0x%02x", i, flip);
			bytes[i] ^= flip;
		}
	}
	assert_true(boottable_memory(bytes, size) > 0);
	free(bytes);
}

TEST(truncated_tables_are_noticed)
{
	size_t size;
	unsigned char *bytes = encode(&plan, places, &size);

	for (size_t length = 0; length < size; length++) {
		unsigned char *part = malloc(length);

		if (length > 0)
			memcpy(part, bytes, length);
		CHECK(boottable_memory(part, length) == 0, "%zu bytes", length);
		free(part);
	}
	free(bytes);
}

TEST(bytes_behind_the_table_are_noticed)
{
	size_t size = boottable_size(&plan);
	unsigned char *bytes = calloc(1, size + 1);

	assert_non_null(bytes);
	boottable_encode(&plan, places, bytes);
	assert_int_equal(boottable_memory(bytes, size + 1), 0);
	free(bytes);
}

/* Tables that somebody made with care: the checksum holds, the rest does not. */
TEST(records_outside_of_the_table_are_noticed)
{
	static const struct {
		size_t offset;
		uint32_t value;
	} edits[] = {
		{ BT_OFF_BLOCK_COUNT, 1000 },
		{ BT_OFF_BLOCK_COUNT, UINT32_MAX },
		/* Times BLOCK_SIZE, it is small again in 32 bits. */
		{ BT_OFF_BLOCK_COUNT, UINT32_MAX / BLOCK_SIZE + 1 },
		{ BT_OFF_BLOCKS, UINT32_MAX },
		{ BT_OFF_BLOCKS, BT_MAX_BYTES },
		{ BT_OFF_BLOCKS, UINT32_MAX - BLOCK_SIZE + 1 },
		{ BT_OFF_EXTENT_COUNT, 1000 },
		{ BT_OFF_EXTENTS, BT_MAX_BYTES },
		{ BT_OFF_ZERO_COUNT, 10000 },
		{ BT_OFF_ZEROS, UINT32_MAX },
		{ BT_OFF_MAP_COUNT, UINT32_MAX },
		{ BT_OFF_MAPS, BT_MAX_BYTES },
		{ BT_OFF_FIXUP_COUNT, 1000 },
		{ BT_OFF_FIXUP_COUNT, UINT32_MAX / FIXUP_SIZE + 1 },
		{ BT_OFF_FIXUPS, BT_MAX_BYTES },
		{ BT_OFF_FIXUPS, UINT32_MAX - FIXUP_SIZE + 1 },
		{ BT_OFF_INFO, BT_MAX_BYTES },
		{ BT_OFF_INFO, UINT32_MAX },
		{ BT_OFF_INFO_SIZE, UINT32_MAX },
		{ BT_OFF_INFO_SIZE, sizeof(info) + 1 },
		{ BT_OFF_CMDLINE, UINT32_MAX },
		{ BT_OFF_CMDLINE, BT_MAX_BYTES },
		{ BT_OFF_CMDLINE_LEN, UINT32_MAX },
		{ BT_OFF_CMDLINE_LEN, BT_MAX_CMDLINE + 1 },
		/* No NUL behind it, or one in it. */
		{ BT_OFF_CMDLINE_LEN, sizeof(cmdline) - 2 },
		{ BT_OFF_CMDLINE_LEN, sizeof(cmdline) },
		/* An entry point in no block, or behind the end of one. */
		{ BT_OFF_ENTRY_BLOCK, COUNT(blocks) },
		{ BT_OFF_ENTRY_BLOCK, BLOCK_NONE - 1 },
		{ BT_OFF_ENTRY_BLOCK, 0 },
		{ BT_OFF_INFO_BLOCK, COUNT(blocks) },
		{ BT_OFF_INFO_BLOCK, BLOCK_NONE - 1 },
	};

	for (size_t i = 0; i < COUNT(edits); i++) {
		size_t size;
		unsigned char *bytes = encode(&plan, places, &size);

		put_le32(bytes + edits[i].offset, edits[i].value);
		renew_crc(bytes, size);
		CHECK(boottable_memory(bytes, size) == 0, "edit %zu", i);
		free(bytes);
	}
}

#define RECORD "the boot table is damaged: a record reaches out of its block"
#define BLOCK "the boot table is damaged: a block is too large, or beyond all memory"
#define FIXUP "the boot table is damaged: a fixup reaches out of the info"

/* One word of one record at a time. */
TEST(records_that_reach_out_are_noticed)
{
	static const struct {
		size_t part;		/* the field with its offset */
		size_t offset;
		uint32_t value;
		const char *says;
	} edits[] = {
		{ BT_OFF_BLOCKS, BLOCK_OFF_SIZE + 4, 2, BLOCK },
		{ BT_OFF_BLOCKS, BLOCK_OFF_PHYS + 4, UINT32_MAX, BLOCK },
		{ BT_OFF_BLOCKS, BLOCK_OFF_PHYS + 4, 0x100000, BLOCK },
		{ BT_OFF_BLOCKS, BLOCK_OFF_LOWEST + 4, UINT32_MAX, BLOCK },
		{ BT_OFF_BLOCKS, BLOCK_SIZE + BLOCK_OFF_FLAGS, BLOCK_FIXED, BLOCK },
		{ BT_OFF_BLOCKS, BLOCK_OFF_SIZE, 0, RECORD },
		{ BT_OFF_EXTENTS, EXTENT_OFF_BLOCK, 2, RECORD },
		{ BT_OFF_EXTENTS, EXTENT_OFF_METHOD, 2, RECORD },
		{ BT_OFF_EXTENTS, EXTENT_OFF_OFFSET, 0x2000, RECORD },
		{ BT_OFF_EXTENTS, EXTENT_OFF_OFFSET + 4, UINT32_MAX, RECORD },
		{ BT_OFF_EXTENTS, EXTENT_OFF_STORED, 0x1235, RECORD },
		/* In nine chunks, of which none is larger than what it holds. */
		{ BT_OFF_EXTENTS, EXTENT_SIZE + EXTENT_OFF_STORED, 0x89abc + 9 * CHUNK_HEADER_SIZE + 1, RECORD },
		{ BT_OFF_EXTENTS, EXTENT_SIZE + EXTENT_OFF_STORED, CHUNK_HEADER_SIZE, RECORD },
		{ BT_OFF_EXTENTS, EXTENT_SIZE + EXTENT_OFF_STORED + 4, 1, RECORD },
		{ BT_OFF_EXTENTS, EXTENT_SIZE + EXTENT_OFF_METHOD, EXTENT_RAW, RECORD },
		{ BT_OFF_EXTENTS, EXTENT_SIZE + EXTENT_OFF_LENGTH, 0, RECORD },
		{ BT_OFF_ZEROS, ZERO_OFF_BLOCK, 2, RECORD },
		{ BT_OFF_ZEROS, ZERO_OFF_LENGTH, 0xdbd + 0x1000, RECORD },
		{ BT_OFF_ZEROS, ZERO_OFF_OFFSET + 4, 1, RECORD },
		{ BT_OFF_MAPS, MAP_OFF_BLOCK, BLOCK_NONE, RECORD },
		{ BT_OFF_MAPS, MAP_OFF_LENGTH, 0x3001, RECORD },
		{ BT_OFF_MAPS, MAP_OFF_OFFSET + 4, 1, RECORD },
		{ BT_OFF_FIXUPS, FIXUP_OFF_WIDTH, 0, FIXUP },
		{ BT_OFF_FIXUPS, FIXUP_OFF_WIDTH, 2, FIXUP },
		{ BT_OFF_FIXUPS, FIXUP_OFF_WIDTH, 5, FIXUP },
		{ BT_OFF_FIXUPS, FIXUP_OFF_WIDTH, 16, FIXUP },
		{ BT_OFF_FIXUPS, FIXUP_OFF_WIDTH, UINT32_MAX, FIXUP },
		{ BT_OFF_FIXUPS, FIXUP_OFF_OFFSET, sizeof(info) - 3, FIXUP },
		{ BT_OFF_FIXUPS, FIXUP_OFF_OFFSET, sizeof(info), FIXUP },
		{ BT_OFF_FIXUPS, FIXUP_OFF_OFFSET, UINT32_MAX - 3, FIXUP },
		{ BT_OFF_FIXUPS, FIXUP_OFF_BLOCK, 2, FIXUP },
		{ BT_OFF_FIXUPS, FIXUP_OFF_BLOCK, BLOCK_NONE - 1, FIXUP },
	};

	for (size_t i = 0; i < COUNT(edits); i++) {
		struct extent_place *found;
		struct plan back;
		struct error err = { 0 };
		size_t size;
		unsigned char *bytes = encode(&plan, places, &size);

		put_le32(bytes + get_le32(bytes + edits[i].part) + edits[i].offset, edits[i].value);
		renew_crc(bytes, size);
		int result = boottable_decode(bytes, size, &back, &found, &err);
		free(bytes);
		CHECK(result == -1, "edit %zu accepted", i);
		assert_refused(result, &err, ERROR_INPUT, edits[i].says, "edit");
		assert_null(back.blocks);
		assert_null(found);
	}
}

/* An offset or a length that is too large, but whose sum is not. */
static void check_overflow(size_t part, size_t offset_at, size_t length_at, uint64_t offset, uint64_t length)
{
	struct extent_place *found;
	struct plan back;
	struct error err = { 0 };
	size_t size;
	unsigned char *bytes = encode(&plan, places, &size), *record = bytes + get_le32(bytes + part);

	put_le64(record + offset_at, offset);
	put_le64(record + length_at, length);
	if (part == BT_OFF_EXTENTS)
		put_le64(record + EXTENT_OFF_STORED, length);
	renew_crc(bytes, size);
	int result = boottable_decode(bytes, size, &back, &found, &err);
	free(bytes);
	assert_refused(result, &err, ERROR_INPUT, RECORD, "a record");
}

TEST(records_that_overflow_are_noticed)
{
	static const struct {
		size_t part, offset, length;
	} kinds[] = {
		{ BT_OFF_EXTENTS, EXTENT_OFF_OFFSET, EXTENT_OFF_LENGTH },
		{ BT_OFF_ZEROS, ZERO_OFF_OFFSET, ZERO_OFF_LENGTH },
		{ BT_OFF_MAPS, MAP_OFF_OFFSET, MAP_OFF_LENGTH },
	};

	for (size_t i = 0; i < COUNT(kinds); i++) {
		check_overflow(kinds[i].part, kinds[i].offset, kinds[i].length, -UINT64_C(0x1000), 0x2000);
		check_overflow(kinds[i].part, kinds[i].offset, kinds[i].length, 0x2000, -UINT64_C(0x1000));
	}
}

TEST(tables_and_stacks_that_cannot_be_are_noticed)
{
	static const struct {
		size_t field;
		uint64_t value;
	} edits[] = {
		{ BT_OFF_RECURSIVE, 512 },
		{ BT_OFF_RECURSIVE, UINT16_MAX },
		{ BT_OFF_STACK_SIZE, UINT64_C(0x100001000) },
		{ BT_OFF_STACK_SIZE, UINT64_MAX },
	};

	for (size_t i = 0; i < COUNT(edits); i++) {
		struct extent_place *found;
		struct plan back;
		struct error err = { 0 };
		size_t size;
		unsigned char *bytes = encode(&plan, places, &size);

		if (edits[i].field == BT_OFF_RECURSIVE)
			put_le16(bytes + edits[i].field, (uint16_t)edits[i].value);
		else
			put_le64(bytes + edits[i].field, edits[i].value);
		renew_crc(bytes, size);
		int result = boottable_decode(bytes, size, &back, &found, &err);
		free(bytes);
		assert_refused(result, &err, ERROR_INPUT, "its page tables, or its stack", "edit");
	}
}

TEST(last_fixup_of_the_info_is_read)
{
	size_t size;
	unsigned char *bytes = encode(&plan, places, &size);

	put_le32(bytes + get_le32(bytes + BT_OFF_FIXUPS) + FIXUP_OFF_OFFSET, sizeof(info) - 4);
	renew_crc(bytes, size);
	assert_true(boottable_memory(bytes, size) > 0);
	free(bytes);
}

/* The loader copies it there as it is. */
TEST(info_larger_than_its_block_is_noticed)
{
	static const struct {
		uint64_t block_size;
		bool fits;
	} cases[] = { { sizeof(info), true }, { sizeof(info) - 1, false }, { 0, false } };

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct plan_block three[] = { blocks[0], blocks[1], { .size = cases[i].block_size } };
		struct plan changed = plan;
		size_t size;

		changed.blocks = three;
		changed.block_count = COUNT(three);
		changed.info_block = 2;
		unsigned char *bytes = encode(&changed, places, &size);
		CHECK((boottable_memory(bytes, size) > 0) == cases[i].fits, "case %zu", i);
		free(bytes);
	}
}

/* It is the info that the kernel gets, so a command line elsewhere in the table
 * would be told to nobody. */
TEST(command_line_outside_of_the_info_is_noticed)
{
	size_t size;
	unsigned char *bytes = encode(&plan, places, &size);

	/* The upper half of a number, which is 0: an empty line. */
	put_le32(bytes + BT_OFF_CMDLINE, BT_OFF_RESERVED);
	put_le32(bytes + BT_OFF_CMDLINE_LEN, 0);
	renew_crc(bytes, size);
	assert_int_equal(boottable_memory(bytes, size), 0);
	free(bytes);
}

/* A random word of a table, with a checksum that holds: whatever is accepted can
 * be used, and encoded again. */
TEST(survives_damaged_tables)
{
	uint64_t seed = 4;

	for (unsigned int round = 0; round < 20000; round++) {
		static const uint32_t edges[] = { 0, 1, 4, 8, 0x7fffffff, 0x80000000, UINT32_MAX };
		struct extent_place *found;
		struct plan back;
		struct error err = { 0 };
		size_t size;
		unsigned char *bytes = encode(&plan, places, &size);
		size_t at = random_below(&seed, size / 4) * 4;

		put_le32(bytes + at, random_below(&seed, 2) == 0 ? (uint32_t)random_next(&seed) :
								    edges[random_below(&seed, COUNT(edges))]);
		put_le32(bytes + BT_OFF_LENGTH, (uint32_t)size);
		renew_crc(bytes, size);
		if (boottable_decode(bytes, size, &back, &found, &err) == 0) {
			assert_int_equal(strlen(back.cmdline), get_le32(bytes + BT_OFF_CMDLINE_LEN));
			for (size_t i = 0; i < back.fixup_count; i++)
				CHECK(back.fixups[i].offset + (size_t)back.fixups[i].width <= back.info_size,
				      "round %u: fixup %zu", round, i);
			plan_free(&back);
			free(found);
		} else {
			CHECK(err.class == ERROR_INPUT, "round %u: %s", round, err.text);
		}
		free(bytes);
	}
}

/* Another version has its fields elsewhere, so nothing may be read from it. */
TEST(other_versions_are_not_read)
{
	size_t size;
	unsigned char *bytes = encode(&plan, places, &size);

	put_le32(bytes + BT_OFF_VERSION, BT_VERSION + 1);
	renew_crc(bytes, size);
	assert_int_equal(boottable_memory(bytes, size), 0);
	free(bytes);
}

/* ---- Limits -------------------------------------------------------------- */

/* A plan of so many maps and such a command line, which is all of the info;
 * boottable_check() only counts. */
static int check_limits(size_t map_count, size_t cmdline_len, struct error *err)
{
	char *line = malloc(cmdline_len + 1);

	assert_non_null(line);
	memset(line, 'x', cmdline_len);
	line[cmdline_len] = '\0';
	const struct plan large = { .map_count = map_count, .cmdline = line,
				    .info_size = cmdline_len + 1 };
	int result = boottable_check(&large, NAME, err);
	free(line);
	return result;
}

TEST(longest_command_line)
{
	struct error err = { 0 };

	assert_accepted(check_limits(1, BT_MAX_CMDLINE, &err), &err, "longest");
	assert_refused(check_limits(1, BT_MAX_CMDLINE + 1, &err), &err, ERROR_USAGE, "command line",
		       "one more");
	assert_refused(check_limits(1, 1000000, &err), &err, ERROR_USAGE, "1000000", "long");
}

TEST(largest_table)
{
	struct error err = { 0 };
	size_t most = (BT_MAX_BYTES - BT_HEADER_SIZE - 1) / MAP_SIZE;
	size_t rest = (BT_MAX_BYTES - BT_HEADER_SIZE - 1) % MAP_SIZE;

	assert_accepted(check_limits(most, rest, &err), &err, "largest");
	assert_refused(check_limits(most, rest + 1, &err), &err, ERROR_INPUT, NAME, "one byte more");
	assert_refused(check_limits(most + 1, 0, &err), &err, ERROR_INPUT, "too many segments",
		       "one map more");
}

/* Each part counts. */
TEST(largest_table_of_each_part)
{
	static char nothing[] = "";
	const size_t room = BT_MAX_BYTES - BT_HEADER_SIZE;
	const struct plan plans[] = {
		{ .cmdline = nothing, .extent_count = room / EXTENT_SIZE },
		{ .cmdline = nothing, .block_count = room / BLOCK_SIZE },
		{ .cmdline = nothing, .zero_count = room / ZERO_SIZE },
		{ .cmdline = nothing, .fixup_count = room / FIXUP_SIZE },
		{ .cmdline = nothing, .info_size = room },
	};

	for (size_t i = 0; i < COUNT(plans); i++) {
		struct error err = { 0 };
		struct plan more = plans[i];

		assert_accepted(boottable_check(&more, NAME, &err), &err, "largest");
		more.map_count = 1;
		more.info_size += EXTENT_SIZE;
		assert_refused(boottable_check(&more, NAME, &err), &err, ERROR_INPUT,
			       "'k.elf' has too many segments, or modules: its boot table would be "
			       "131", "one more");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header_fields),
		cmocka_unit_test(block_records),
		cmocka_unit_test(extent_records),
		cmocka_unit_test(zero_and_map_records),
		cmocka_unit_test(entry_in_a_block),
		cmocka_unit_test(info_and_fixup_records),
		cmocka_unit_test(command_line_ends_with_nul),
		cmocka_unit_test(parts_fill_the_table),
		cmocka_unit_test(empty_plan),
		cmocka_unit_test(same_plan_same_bytes),
		cmocka_unit_test(memory_is_the_plans),
		cmocka_unit_test(round_trip),
		cmocka_unit_test(flipped_bits_are_noticed),
		cmocka_unit_test(truncated_tables_are_noticed),
		cmocka_unit_test(bytes_behind_the_table_are_noticed),
		cmocka_unit_test(records_outside_of_the_table_are_noticed),
		cmocka_unit_test(records_that_reach_out_are_noticed),
		cmocka_unit_test(records_that_overflow_are_noticed),
		cmocka_unit_test(tables_and_stacks_that_cannot_be_are_noticed),
		cmocka_unit_test(last_fixup_of_the_info_is_read),
		cmocka_unit_test(info_larger_than_its_block_is_noticed),
		cmocka_unit_test(command_line_outside_of_the_info_is_noticed),
		cmocka_unit_test(survives_damaged_tables),
		cmocka_unit_test(other_versions_are_not_read),
		cmocka_unit_test(longest_command_line),
		cmocka_unit_test(largest_table),
		cmocka_unit_test(largest_table_of_each_part),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
