/* SPDX-License-Identifier: MIT
 *
 * Image files; see image.h.  The payload goes first, because the boot table
 * holds its sums; then the table, the loader, the partition table.
 */
#include "image/image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "bootabi.h"
#include "plan/boottable.h"
#include "base/bytes.h"
#include "base/checksum.h"

#define CHUNK (256 * 1024)		/* bytes copied at a time, whole pages */
#define PARTITION_TYPE 0xda		/* data that no file system claims */

struct writer {
	int fd;
	const char *name;
	const struct plan *plan;
	const struct file_view *sources;	/* by plan_piece.source */
	const struct layout *layout;
	struct extent_place *places;
	uint32_t crc;			/* of everything written, for the disk signature */
};

static uint64_t disk_offset(uint64_t lba)
{
	return (LAYOUT_BASE + lba) * SECTOR_SIZE;
}

/* The first patch at or behind an offset of a block. */
static size_t find_patch(const struct plan *plan, uint32_t block, uint64_t offset)
{
	size_t low = 0, high = plan->patch_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct plan_patch *patch = &plan->patches[middle];

		if (patch->block < block || (patch->block == block && patch->offset < offset))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Write the numbers over bytes [start, start + size) of a block that belong there;
 * a number may lie across either end. */
static void apply_patches(const struct plan *plan, uint32_t block, uint64_t start,
			  unsigned char *buffer, size_t size)
{
	uint64_t first = start < sizeof(uint64_t) ? 0 : start - (sizeof(uint64_t) - 1);

	for (size_t i = find_patch(plan, block, first); i < plan->patch_count; i++) {
		const struct plan_patch *patch = &plan->patches[i];

		if (patch->block != block || patch->offset >= start + size)
			break;
		for (uint32_t k = 0; k < patch->width; k++) {
			uint64_t at = patch->offset + k - start;

			if (at < size)
				buffer[at] = (unsigned char)(patch->value >> 8 * k);
		}
	}
}

/* Fill a buffer with bytes [from, from + size) of an extent; what no piece
 * covers is zero. */
static void gather(const struct writer *w, const struct plan_extent *extent, uint64_t from,
		   unsigned char *buffer, size_t size)
{
	memset(buffer, 0, size);
	for (size_t i = 0; i < extent->piece_count; i++) {
		const struct plan_piece *piece = &w->plan->pieces[extent->first_piece + i];
		uint64_t start = piece->offset > from ? piece->offset : from;
		uint64_t end = piece->offset + piece->length;

		if (end > from + size)
			end = from + size;
		if (start < end)
			memcpy(buffer + (start - from),
			       w->sources[piece->source].bytes + piece->file_offset +
				       (start - piece->offset),
			       end - start);
	}
	apply_patches(w->plan, extent->block, extent->offset + from, buffer, size);
}

static int write_extent(struct writer *w, size_t index, unsigned char *buffer, struct error *err)
{
	const struct plan_extent *extent = &w->plan->extents[index];
	struct extent_place *place = &w->places[index];

	place->lba = w->layout->extent_lba[index];
	for (uint64_t done = 0; done < extent->length; done += CHUNK) {
		uint64_t left = extent->length - done;
		size_t size = left < CHUNK ? align_up(left, SECTOR_SIZE) : CHUNK;

		gather(w, extent, done, buffer, size);
		checksum_extent(place->sum, buffer, size);
		if (file_write_sparse(w->fd, buffer, size, disk_offset(place->lba) + done, w->name, err) != 0)
			return -1;
	}
	return 0;
}

static int write_payload(struct writer *w, struct error *err)
{
	CLEANUP_FREE unsigned char *buffer = malloc(CHUNK);

	if (buffer == NULL)
		return error_set(err, ERROR_SYSTEM, 0, "out of memory");
	for (size_t i = 0; i < w->plan->extent_count; i++) {
		if (write_extent(w, i, buffer, err) != 0)
			return -1;
	}
	return 0;
}

static int write_table(struct writer *w, size_t size, struct error *err)
{
	CLEANUP_FREE unsigned char *table = malloc(size);

	if (table == NULL)
		return error_set(err, ERROR_SYSTEM, 0, "out of memory");
	boottable_encode(w->plan, w->places, table);
	w->crc = (uint32_t)crc32(w->crc, table, (uInt)size);
	return file_write_at(w->fd, table, size, disk_offset(w->layout->table_lba), w->name, err);
}

void image_move(unsigned char *sector, uint64_t base, uint64_t total_sectors)
{
	unsigned char *entry = sector + S1_OFF_PARTITION;

	put_le64(sector + S1_OFF_BASE, base);
	entry[0] = 0x80;	/* active */
	layout_chs(base, total_sectors, entry + 1);
	entry[4] = PARTITION_TYPE;
	layout_chs(total_sectors - 1, total_sectors, entry + 5);
	put_le32(entry + 8, (uint32_t)base);
	put_le32(entry + 12, (uint32_t)(total_sectors - base));
}

static int write_loader(struct writer *w, const struct loader *loader, size_t table_size,
			struct error *err)
{
	CLEANUP_FREE unsigned char *bytes = malloc(loader->size);

	if (bytes == NULL)
		return error_set(err, ERROR_SYSTEM, 0, "out of memory");
	memcpy(bytes, loader->bytes, loader->size);
	unsigned char *sector = bytes, *stage2 = bytes + SECTOR_SIZE;
	size_t stage2_size = loader->size - SECTOR_SIZE;

	put_le32(stage2 + S2_OFF_TABLE_LBA, (uint32_t)w->layout->table_lba);
	put_le32(stage2 + S2_OFF_TABLE_BYTES, (uint32_t)table_size);
	put_le32(stage2 + S2_OFF_CRC, checksum_crc(stage2, stage2_size, S2_OFF_CRC));
	put_le16(sector + S1_OFF_SECTORS, (uint16_t)w->layout->stage2_sectors);
	put_le32(sector + S1_OFF_SUM, checksum_stage2(stage2, stage2_size));
	image_move(sector, LAYOUT_BASE, w->layout->total_sectors);
	/* The table's CRC covers the payload's sums: so this identifies it all. */
	w->crc = (uint32_t)crc32(w->crc, bytes, (uInt)loader->size);
	put_le32(sector + S1_OFF_DISK_ID, w->crc != 0 ? w->crc : 1);

	if (file_write_at(w->fd, stage2, stage2_size, disk_offset(0), w->name, err) != 0)
		return -1;
	return file_write_at(w->fd, sector, SECTOR_SIZE, 0, w->name, err);
}

int image_write(struct output *output, const char *name, const struct plan *plan,
		const struct file_view *sources, const struct loader *loader, uint64_t min_size,
		struct image_summary *summary, struct error *err)
{
	struct layout layout;
	size_t table_size = boottable_size(plan);

	if (layout_make(&layout, plan, loader->size, table_size, min_size, err) != 0)
		return -1;
	struct writer w = {
		.fd = output->fd,
		.name = name,
		.plan = plan,
		.sources = sources,
		.layout = &layout,
		.places = calloc(plan->extent_count + 1, sizeof(struct extent_place)),
	};
	int result = -1;
	if (w.places == NULL)
		error_set(err, ERROR_SYSTEM, 0, "out of memory");
	else if (file_resize(w.fd, layout.total_sectors * SECTOR_SIZE, name, err) == 0 &&
		 write_payload(&w, err) == 0 && write_table(&w, table_size, err) == 0)
		result = write_loader(&w, loader, table_size, err);

	*summary = (struct image_summary){ .size = layout.total_sectors * SECTOR_SIZE };
	for (size_t i = 0; i < plan->extent_count; i++)
		summary->stored += plan->extents[i].length;
	free(w.places);
	layout_free(&layout);
	return result;
}
