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
#include "kernel/identity.h"

#define CHUNK (256 * 1024)		/* bytes copied at a time, whole pages: they stay in the CPU's cache
					   from being read to being written */
#define HURRY (8 * 1024 * 1024)		/* bytes after which the disk is to begin with them */
#define PARTITION_TYPE 0xda		/* data that no file system claims */

struct writer {
	const struct output *output;
	const char *name;
	const struct plan *plan;
	const struct file_view *sources;	/* by plan_piece.source */
	struct layout layout;
	struct identity identity;		/* of the kernel, source 0 */
	uint64_t hurried;	/* up to this offset of the output the disk has been told */
	enum compress compress;
	struct compressor *compressor;	/* NULL where nothing is to be compressed */
	bool sampling;		/* what is read now is read once more */
	struct image_summary *summary;
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

/* Copy bytes of a source, for the only time that they are read, but for samples. */
static void copy_source(struct writer *w, uint32_t index, uint64_t from, unsigned char *buffer, size_t size)
{
	const struct file_view *source = &w->sources[index];

	if (index == 0 && !w->sampling)
		identity_take(&w->identity, from + size);
	memcpy(buffer, source->bytes + from, size);
	file_forget(source, from, from + size);
}

/* Fill a buffer with bytes [from, from + size) of an extent; what no piece
 * covers is zero. */
static void gather(struct writer *w, const struct plan_extent *extent, uint64_t from,
		   unsigned char *buffer, size_t size)
{
	uint64_t filled = from;

	for (size_t i = 0; i < extent->piece_count; i++) {
		const struct plan_piece *piece = &w->plan->pieces[extent->first_piece + i];
		uint64_t start = piece->offset > from ? piece->offset : from;
		uint64_t end = piece->offset + piece->length;

		if (end > from + size)
			end = from + size;
		if (start >= end)
			continue;
		memset(buffer + (filled - from), 0, start - filled);
		copy_source(w, piece->source, piece->file_offset + (start - piece->offset),
			    buffer + (start - from), end - start);
		filled = end;
	}
	memset(buffer + (filled - from), 0, from + size - filled);
	apply_patches(w->plan, extent->block, extent->offset + from, buffer, size);
}

/* ---- Extents ---------------------------------------------------------------- */

/* All before this offset is written: tell the disk, now and then. */
static void hurry(struct writer *w, uint64_t offset)
{
	if (offset - w->hurried < HURRY)
		return;
	output_hurry(w->output, w->hurried, offset);
	w->hurried = offset;
}

/* Sectors of an extent, at an offset of what is stored of it. */
static int write_sectors(struct writer *w, struct extent_place *place, const unsigned char *bytes,
			 size_t size, uint64_t offset, struct error *err)
{
	checksum_extent(place->sum, bytes, size);
	if (file_write_sparse(w->output->fd, bytes, size, disk_offset(place->lba) + offset, w->name, err) != 0)
		return -1;
	hurry(w, disk_offset(place->lba) + offset + size);
	return 0;
}

static int write_raw(struct writer *w, const struct plan_extent *extent, struct extent_place *place,
		     unsigned char *buffer, struct error *err)
{
	for (uint64_t done = 0; done < extent->length; done += CHUNK) {
		uint64_t left = extent->length - done;
		size_t size = left < CHUNK ? align_up(left, SECTOR_SIZE) : CHUNK;

		gather(w, extent, done, buffer, size);
		if (write_sectors(w, place, buffer, size, done, err) != 0)
			return -1;
	}
	place->stored = extent->length;
	return 0;
}

/* An extent as what the compressor reads. */
struct extent_source {
	struct writer *writer;
	const struct plan_extent *extent;
};

static void read_source(const void *context, uint64_t from, unsigned char *buffer, size_t size)
{
	const struct extent_source *source = context;

	gather(source->writer, source->extent, from, buffer, size);
}

static int write_compressed(struct writer *w, struct extent_place *place,
			    const struct compress_source *source, struct error *err)
{
	const unsigned char *chunk;
	size_t stored;

	compress_begin(w->compressor, source);
	while ((chunk = compress_next(w->compressor, &stored)) != NULL) {
		if (write_sectors(w, place, chunk, align_up(stored, SECTOR_SIZE), place->stored, err) != 0)
			return -1;
		place->stored += stored;
	}
	return 0;
}

static int write_extent(struct writer *w, size_t index, unsigned char *buffer, struct error *err)
{
	const struct plan_extent *extent = &w->plan->extents[index];
	const struct extent_source context = { w, extent };
	const struct compress_source source = { read_source, &context, extent->length };
	struct extent_place *place = &w->summary->places[index];
	int result;

	place->lba = layout_extent(&w->layout);
	checksum_extent_start(place->sum);
	place->method = w->compress == COMPRESS_LZ4 ? EXTENT_LZ4 : EXTENT_RAW;
	if (w->compress == COMPRESS_AUTO) {
		w->sampling = true;
		unsigned int sample = compress_sample(w->compressor, &source);
		w->sampling = false;

		w->summary->samples[index] = sample;
		place->method = sample <= COMPRESS_WORTH ? EXTENT_LZ4 : EXTENT_RAW;
	}
	if (place->method == EXTENT_LZ4)
		result = write_compressed(w, place, &source, err);
	else
		result = write_raw(w, extent, place, buffer, err);
	layout_taken(&w->layout, place->stored);
	w->summary->stored += place->stored;
	return result;
}

static int write_payload(struct writer *w, struct error *err)
{
	CLEANUP_FREE unsigned char *buffer = malloc(CHUNK);

	if (w->compress != COMPRESS_NONE)
		w->compressor = compress_open();
	if (buffer == NULL || (w->compress != COMPRESS_NONE && w->compressor == NULL))
		return error_set(err, ERROR_SYSTEM, 0, "out of memory");
	for (size_t i = 0; i < w->plan->extent_count; i++) {
		if (write_extent(w, i, buffer, err) != 0)
			return -1;
	}
	return 0;
}

/* ---- The rest ------------------------------------------------------------------ */

static int write_table(struct writer *w, size_t size, struct error *err)
{
	CLEANUP_FREE unsigned char *table = malloc(size);

	if (table == NULL)
		return error_set(err, ERROR_SYSTEM, 0, "out of memory");
	boottable_encode(w->plan, w->summary->places, table);
	w->crc = (uint32_t)crc32(w->crc, table, (uInt)size);
	return file_write_at(w->output->fd, table, size, disk_offset(w->layout.table_lba), w->name, err);
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
	uint64_t sum[4];

	put_le32(stage2 + S2_OFF_TABLE_LBA, (uint32_t)w->layout.table_lba);
	put_le32(stage2 + S2_OFF_TABLE_BYTES, (uint32_t)table_size);
	checksum_loader(sum, stage2, stage2_size);
	for (size_t i = 0; i < 4; i++)
		put_le64(stage2 + S2_OFF_SUM + 8 * i, sum[i]);
	put_le16(sector + S1_OFF_SECTORS, (uint16_t)w->layout.stage2_sectors);
	put_le32(sector + S1_OFF_SUM, checksum_stage2(stage2, stage2_size));
	image_move(sector, LAYOUT_BASE, w->layout.total_sectors);
	/* The table's CRC covers the payload's sums: so this identifies it all. */
	w->crc = (uint32_t)crc32(w->crc, bytes, (uInt)loader->size);
	put_le32(sector + S1_OFF_DISK_ID, w->crc != 0 ? w->crc : 1);

	if (file_write_at(w->output->fd, stage2, stage2_size, disk_offset(0), w->name, err) != 0)
		return -1;
	return file_write_at(w->output->fd, sector, SECTOR_SIZE, 0, w->name, err);
}

int image_write(struct output *output, const char *name, struct plan *plan,
		const struct kernel *kernel, const struct file_view *sources,
		const struct loader *loader, const struct image_options *options,
		struct image_summary *summary, struct error *err)
{
	size_t table_size = boottable_size(plan);
	struct writer w = {
		.output = output,
		.name = name,
		.plan = plan,
		.sources = sources,
		.compress = options->compress,
		.summary = summary,
	};
	int result = -1;

	identity_begin(&w.identity, kernel);
	*summary = (struct image_summary){
		.places = calloc(plan->extent_count + 1, sizeof(summary->places[0])),
		.samples = calloc(plan->extent_count + 1, sizeof(summary->samples[0])),
	};
	if (summary->places == NULL || summary->samples == NULL)
		error_set(err, ERROR_SYSTEM, 0, "out of memory");
	else if (layout_begin(&w.layout, loader->size, table_size, options->min_size, err) == 0)
		result = write_payload(&w, err);
	plan->kernel_crc = identity_end(&w.identity);
	if (result == 0) {
		layout_end(&w.layout);
		summary->size = w.layout.total_sectors * SECTOR_SIZE;
		result = file_resize(output->fd, summary->size, name, err);
	}
	if (result == 0)
		result = write_table(&w, table_size, err);
	if (result == 0)
		result = write_loader(&w, loader, table_size, err);
	compress_close(w.compressor);
	if (result != 0)
		image_summary_free(summary);
	return result;
}

void image_summary_free(struct image_summary *summary)
{
	free(summary->places);
	free(summary->samples);
	*summary = (struct image_summary){0};
}
