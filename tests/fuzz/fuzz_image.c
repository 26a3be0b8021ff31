/* SPDX-License-Identifier: MIT
 *
 * Disk images and their boot tables, read back.  Since no change gets past a
 * checksum, every input is also read with that of its boot table set right.
 */
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

static void repair_table(unsigned char *table, size_t size)
{
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

static void read_table(const unsigned char *bytes, size_t size)
{
	struct extent_place *places;
	struct error err = { 0 };
	struct plan plan;

	if (boottable_decode(bytes, size, &plan, &places, &err) != 0) {
		fuzz_check_error(&err);
		return;
	}
	check_decoded(&plan, places);
	plan_free(&plan);
	free(places);
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
