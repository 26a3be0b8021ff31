/* SPDX-License-Identifier: MIT
 *
 * Reading an image back; see image.h.  Nothing in it is trusted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bootabi.h"
#include "plan/boottable.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "image/image.h"
#include "image/iso.h"

/* What lies in sector 0. */
static const struct {
	unsigned int offset;
	unsigned int length;
	const char *what;
} sector0[] = {
	{ 0, S1_OFF_MAGIC, "stage 1: jump" },
	{ S1_OFF_MAGIC, 8, "stage 1: magic" },
	{ 0x0b, 0x5a - 0x0b, "stage 1: parameter block, texts" },
	{ 0x5a, S1_OFF_PACKET - 0x5a, "stage 1: code" },
	{ S1_OFF_PACKET, S1_OFF_SUM - S1_OFF_PACKET, "stage 1: disk address packet" },
	{ S1_OFF_SUM, 4, "stage 1: sum of stage 2" },
	{ S1_OFF_DISK_ID, 4, "MBR: disk signature" },
	{ S1_OFF_PARTITION, 16, "MBR: partition entry" },
	{ S1_OFF_SIGNATURE, 2, "MBR: boot signature" },
};
#define SECTOR0_COUNT (sizeof(sector0) / sizeof(sector0[0]))

#define STEP (1024 * 1024)	/* bytes summed before their memory is given back: whole pages */

struct reader {
	struct image *image;
	const struct file_view *file;
	bool verify;
};

bool image_is_bootable(const unsigned char *bytes, size_t size)
{
	return size >= SECTOR_SIZE && get_le16(bytes + S1_OFF_SIGNATURE) == 0xaa55;
}

bool image_is_ours(const unsigned char *bytes, size_t size)
{
	return image_is_bootable(bytes, size) && get_le64(bytes + S1_OFF_MAGIC) == S1_MAGIC;
}

static struct image_range *add_range(struct image *image, uint64_t offset, uint64_t length,
				     const char *what)
{
	struct image_range *range = &image->ranges[image->range_count++];

	*range = (struct image_range){ .offset = offset, .length = length };
	snprintf(range->what, sizeof(range->what), "%s", what);
	return range;
}

static enum image_check checked(bool good)
{
	return good ? IMAGE_GOOD : IMAGE_WRONG;
}

/* The byte offset of an LBA; false if length bytes from there are not in the
 * image. */
static bool locate(const struct reader *r, uint64_t lba, uint64_t length, uint64_t *offset)
{
	uint64_t sectors = r->file->size / SECTOR_SIZE;

	if (lba > sectors || r->image->base > sectors - lba)
		return false;
	*offset = (r->image->base + lba) * SECTOR_SIZE;
	return length <= r->file->size - *offset;
}

/* Is that the sum of these sectors? */
static bool has_sum(const struct file_view *file, uint64_t offset, uint64_t size, const uint64_t wanted[4])
{
	uint64_t sum[4];

	checksum_extent_start(sum);
	for (uint64_t done = 0; done < size; done += STEP) {
		uint64_t at = offset + done, left = size - done, length = left < STEP ? left : STEP;

		checksum_extent(sum, file->bytes + at, length);
		file_forget(file, at, at + length);
	}
	return memcmp(sum, wanted, sizeof(sum)) == 0;
}

static void read_extents(struct reader *r)
{
	struct image *image = r->image;
	/* Each has sectors of its own.  So reading them all is no more than reading the image,
	 * however often a table made for it names the same ones. */
	uint64_t left = r->file->size;

	image->first_extent_range = image->range_count;
	for (size_t i = 0; i < image->plan.extent_count; i++) {
		uint64_t stored = align_up(image->places[i].stored, SECTOR_SIZE), offset;
		char what[32];

		snprintf(what, sizeof(what), "extent %zu", i);
		if (stored > left || !locate(r, image->places[i].lba, stored, &offset)) {
			add_range(image, r->file->size, 0, what)->check = IMAGE_WRONG;
			continue;
		}
		left -= stored;
		struct image_range *range = add_range(image, offset, stored, what);
		if (r->verify)
			range->check = checked(has_sum(r->file, offset, stored, image->places[i].sum));
	}
}

/* Does stage 2 hold its own sum? */
static bool loader_is_whole(const unsigned char *stage2, size_t size)
{
	uint64_t sum[4];
	bool whole = true;

	checksum_loader(sum, stage2, size);
	for (size_t i = 0; i < 4; i++)
		whole = whole && sum[i] == get_le64(stage2 + S2_OFF_SUM + 8 * i);
	return whole;
}

static void read_loader(struct reader *r)
{
	const unsigned char *sector = r->file->bytes;
	uint64_t stage2_size = (uint64_t)get_le16(sector + S1_OFF_SECTORS) * SECTOR_SIZE, offset;
	struct image *image = r->image;

	if (stage2_size == 0 || !locate(r, 0, stage2_size, &offset)) {
		error_set(&image->problem, ERROR_INPUT, 0, "the image is truncated: stage 2 lies beyond its end");
		return;
	}
	const unsigned char *stage2 = r->file->bytes + offset;
	add_range(image, offset, stage2_size, "stage 2")->check =
		checked(checksum_stage2(stage2, stage2_size) == get_le32(sector + S1_OFF_SUM) &&
			loader_is_whole(stage2, stage2_size));

	uint64_t table_size = get_le32(stage2 + S2_OFF_TABLE_BYTES);
	if (!locate(r, get_le32(stage2 + S2_OFF_TABLE_LBA), table_size, &offset)) {
		error_set(&image->problem, ERROR_INPUT, 0,
			  "the image is truncated: the boot table lies beyond its end");
		return;
	}
	image->has_plan = boottable_decode(r->file->bytes + offset, table_size, &image->plan, &image->places,
					   &image->problem) == 0;
	if (!image->has_plan) {
		add_range(image, offset, table_size, "boot table")->check = IMAGE_WRONG;
		return;
	}
	struct image_range *grown = realloc(image->ranges, (image->range_count + 1 + image->plan.extent_count) *
								   sizeof(image->ranges[0]));
	if (grown == NULL) {
		image->has_plan = false;
		plan_free(&image->plan);
		error_set(&image->problem, ERROR_SYSTEM, 0, "out of memory");
		return;
	}
	image->ranges = grown;
	add_range(image, offset, table_size, "boot table")->check = IMAGE_GOOD;
	read_extents(r);
}

/* An ISO image has a file system before the disk image, whose first sector is there
 * twice. */
static void read_iso(struct reader *r)
{
	uint64_t start = iso_boot_image(r->file->bytes, r->file->size);

	if (start < ISO_DESCRIPTORS)
		return;
	add_range(r->image, ISO_DESCRIPTORS, start - ISO_DESCRIPTORS, "ISO 9660 file system");
	add_range(r->image, start, SECTOR_SIZE, "sector 0, for a CD");
}

int image_read(struct image *image, const struct file_view *file, bool verify, struct error *err)
{
	const unsigned char *bytes = file->bytes;

	*image = (struct image){
		.base = get_le64(bytes + S1_OFF_BASE),
		.disk_id = get_le32(bytes + S1_OFF_DISK_ID),
		/* Sector 0, an ISO's own, stage 2, boot table; the extents come later. */
		.ranges = calloc(SECTOR0_COUNT + 4, sizeof(image->ranges[0])),
	};
	if (image->ranges == NULL)
		return error_set(err, ERROR_SYSTEM, 0, "out of memory");
	for (size_t i = 0; i < SECTOR0_COUNT; i++)
		add_range(image, sector0[i].offset, sector0[i].length, sector0[i].what);
	struct reader reader = { image, file, verify };
	read_iso(&reader);
	read_loader(&reader);
	if (!image->has_plan)
		image->first_extent_range = image->range_count;
	return 0;
}

void image_free(struct image *image)
{
	free(image->ranges);
	free(image->places);
	if (image->has_plan)
		plan_free(&image->plan);
	*image = (struct image){0};
}
