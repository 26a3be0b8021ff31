/* SPDX-License-Identifier: MIT
 *
 * Disk images and their boot tables, read back.  Since no change gets past a
 * checksum, every input is also read with that of its boot table set right.  And
 * since few changes leave anything to be read, what begins with "edit" is a list of
 * changes to a table that has a record of each kind.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bootabi.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "fuzz.h"
#include "image/drawing.h"
#include "image/image.h"
#include "unit.h"

/* Where the boot table of an image is; NULL if it is not in it, or is no table. */
static unsigned char *find_table(unsigned char *bytes, size_t size, size_t *table_size)
{
	uint64_t base = get_le64(bytes + S1_OFF_BASE), sectors = size / SECTOR_SIZE;

	if (base >= sectors)
		return NULL;
	const unsigned char *stage2 = bytes + base * SECTOR_SIZE;
	uint64_t lba = get_le32(stage2 + S2_OFF_TABLE_LBA);
	*table_size = get_le32(stage2 + S2_OFF_TABLE_BYTES);
	if (lba >= sectors - base || *table_size < BT_HEADER_SIZE ||
	    *table_size > size - (base + lba) * SECTOR_SIZE)
		return NULL;
	return bytes + (base + lba) * SECTOR_SIZE;
}

/* Set right what would else keep a table from being read: its checksum; and what
 * inputs have that were made for other versions. */
static void repair_table(unsigned char *table, size_t size)
{
	put_le64(table + BT_OFF_MAGIC, BT_MAGIC);
	put_le32(table + BT_OFF_VERSION, BT_VERSION);
	put_le32(table + BT_OFF_LENGTH, (uint32_t)size);
	put_le32(table + BT_OFF_CRC, checksum_crc(table, size, BT_OFF_CRC));
}

/* What was read of a table that was not ours can be used as if it were. */
static void check_decoded(const struct plan *plan, const struct extent_place *places)
{
	struct error err = { 0 };

	fuzz_check_plan(plan, places);
	if (boottable_check(plan, "disk.img", &err) == 0)
		fuzz_check_table(plan, places);
	else
		fuzz_check_error(&err);
}

static void check_ranges(const struct image *image, size_t size)
{
	for (size_t i = 0; i < image->range_count; i++) {
		const struct image_range *range = &image->ranges[i];

		CHECK(range->offset <= size && range->length <= size - range->offset, "range %zu", i);
		CHECK(range->what[0] != '\0', "range %zu has no name", i);
	}
	if (image->has_plan)
		assert_int_equal(image->range_count, image->first_extent_range + image->plan.extent_count);
}

/* Its picture is whole, and nothing in it but printed ASCII. */
static void check_drawing(const struct image *image, size_t size)
{
	static const char end[] = "</svg>\n";
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	assert_non_null(out);
	drawing_write(out, "<image>", image, size);
	fclose(out);
	CHECK(length > strlen(end) && strcmp(text + length - strlen(end), end) == 0, "the picture is not whole");
	for (size_t i = 0; i < length; i++)
		CHECK(text[i] == '\n' || (text[i] >= ' ' && text[i] <= '~'), "the picture has a byte %d", text[i]);
	free(text);
}

static void read_image(const unsigned char *bytes, size_t size)
{
	struct image image;
	const struct file_view file = { .fd = -1, .bytes = bytes, .size = size };
	struct error err = { 0 };

	assert_accepted(image_read(&image, &file, true, &err), &err, "image_read");
	check_ranges(&image, size);
	check_drawing(&image, size);
	if (image.has_plan)
		check_decoded(&image.plan, image.places);
	else
		fuzz_check_error(&image.problem);
	image_free(&image);
	fuzz_inspect(bytes, size);
}

static bool read_table(const unsigned char *bytes, size_t size)
{
	struct extent_place *places;
	struct error err = { 0 };
	struct plan plan;

	if (boottable_decode(bytes, size, &plan, &places, &err) != 0) {
		fuzz_check_error(&err);
		return false;
	}
	check_decoded(&plan, places);
	plan_free(&plan);
	free(places);
	return true;
}

/* ---- Tables that are nearly right ----------------------------------------- */

static struct plan_block blocks[] = {
	{ 0x100000, 0x3000, PAGE_SIZE, 0, 0x10000, 0x20000000, INFO_KIND_KERNEL, BLOCK_FIXED },
	{ BLOCK_ANYWHERE, 0x400000, 0x200000, 0x1f000, 0x30000000, 0x100000000, INFO_KIND_MODULES, BLOCK_TOP },
};
static struct plan_extent extents[] = { { .block = 0, .offset = 0x10, .length = 0x1234 } };
static struct plan_zero zeros[] = { { 0, 0x1244, 0xdbc } };
static struct plan_map maps[] = { { 0xffffffff80000000, 0, MAP_READ | MAP_EXECUTE, 0, 0x2000 } };
static struct plan_fixup fixups[] = { { 0, 4, 0 }, { 8, 8, BLOCK_NONE } };
static unsigned char info[] = "0123456789abcdef" "words";
static char cmdline[] = "words";
static const struct plan sample = {
	.protocol = BT_PROTOCOL_NATIVE,
	.entry_block = 0, .entry_offset = 0x123,
	.blocks = blocks, .block_count = COUNT(blocks),
	.extents = extents, .extent_count = COUNT(extents),
	.zeros = zeros, .zero_count = COUNT(zeros),
	.maps = maps, .map_count = COUNT(maps),
	.fixups = fixups, .fixup_count = COUNT(fixups),
	.info = info, .info_size = sizeof(info), .info_block = 1,
	.cmdline = cmdline, .cmdline_offset = 16,
	.stack_size = 0x12000, .table_pages = 7, .recursive = 0x1fe,
};
static const struct extent_place sample_places[] = { { .method = EXTENT_RAW, .stored = 0x1234 } };
static_assert(COUNT(sample_places) == COUNT(extents), "each extent has a place");

#define EDITS "edit"
/* Which word, how wide, what is taken for it, and what is added to that. */
#define EDIT_SIZE 4

static uint64_t edit_base(const unsigned char *table, size_t size, const unsigned char *word, uint8_t what)
{
	switch (what % 8) {
	case 0:
		return 0;
	case 1:
		return size;
	case 2:
		return UINT64_C(1) << 32;
	case 3:
		return UINT64_C(1) << 63;
	case 4:	/* of another word */
		return get_le32(table + what / 8 * 8 % (size - 8));
	default:
		return get_le32(word);
	}
}

static void edit(unsigned char *table, size_t size, const uint8_t *bytes)
{
	unsigned char *word = table + bytes[0] * 4u % (size - 8);
	uint64_t value = edit_base(table, size, word, bytes[2]) + (uint64_t)(int8_t)bytes[3];

	if (bytes[1] % 4 == 0)
		put_le64(word, value);
	else if (bytes[1] % 4 == 1)
		put_le16(word + 2, (uint16_t)value);
	else
		put_le32(word, (uint32_t)value);
}

static void read_edited(const uint8_t *edits, size_t size)
{
	size_t table_size = boottable_size(&sample);
	unsigned char *table = malloc(table_size);
	bool edited = size >= EDIT_SIZE;

	if (table == NULL)
		abort();
	boottable_encode(&sample, sample_places, table);
	for (; size >= EDIT_SIZE; edits += EDIT_SIZE, size -= EDIT_SIZE)
		edit(table, table_size, edits);
	repair_table(table, table_size);
	CHECK(read_table(table, table_size) || edited, "the sample is refused");
	free(table);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned char *bytes = malloc(size + 1), *table;
	size_t table_size;

	if (bytes == NULL)
		abort();
	memcpy(bytes, data, size);
	if (image_is_ours(bytes, size)) {
		read_image(bytes, size);
		table = find_table(bytes, size, &table_size);
		if (table != NULL) {
			repair_table(table, table_size);
			read_image(bytes, size);
		}
	} else if (size >= strlen(EDITS) && memcmp(bytes, EDITS, strlen(EDITS)) == 0) {
		read_edited(bytes + strlen(EDITS), size - strlen(EDITS));
	} else {
		read_table(bytes, size);
		if (size >= BT_HEADER_SIZE) {
			repair_table(bytes, size);
			read_table(bytes, size);
		}
	}
	free(bytes);
	return 0;
}
