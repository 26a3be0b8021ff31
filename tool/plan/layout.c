/* SPDX-License-Identifier: MIT
 *
 * Disk layout; see layout.h.
 */
#include "plan/layout.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "bootabi.h"
#include "base/bytes.h"

#define SECTORS_PER_PAGE (PAGE_SIZE / SECTOR_SIZE)

/* Fewer cylinders than three do not boot from AHCI, virtio or NVMe under
 * SeaBIOS: the base alone makes it more than two. */
static_assert(LAYOUT_BASE >= 2 * LAYOUT_CYLINDER, "an image has at least three cylinders");

/* A partition entry counts sectors in 32 bits. */
#define MOST_SECTORS UINT32_MAX

static uint64_t sectors_for(uint64_t bytes)
{
	return bytes / SECTOR_SIZE + (bytes % SECTOR_SIZE != 0);
}

int layout_make(struct layout *layout, const struct plan *plan, size_t loader_size,
		size_t table_size, uint64_t min_size, struct error *err)
{
	*layout = (struct layout){0};
	layout->extent_lba = calloc(plan->extent_count + 1, sizeof(layout->extent_lba[0]));
	if (layout->extent_lba == NULL)
		return error_set(err, ERROR_SYSTEM, 0, "out of memory");

	layout->stage2_sectors = (uint32_t)sectors_for(loader_size) - 1;
	layout->table_lba = layout->stage2_sectors;
	uint64_t next = layout->table_lba + sectors_for(table_size);
	for (size_t i = 0; i < plan->extent_count; i++) {
		/* LAYOUT_BASE is aligned, so relative means absolute. */
		next = align_up(next, SECTORS_PER_PAGE);
		layout->extent_lba[i] = next;
		next += sectors_for(plan->extents[i].length);
	}

	uint64_t total = LAYOUT_BASE + next;
	if (sectors_for(min_size) > total)
		total = sectors_for(min_size);
	uint64_t cylinders = (total + LAYOUT_CYLINDER - 1) / LAYOUT_CYLINDER;
	if (cylinders * LAYOUT_CYLINDER > MOST_SECTORS) {
		layout_free(layout);
		return error_set(err, ERROR_USAGE, 0,
				 "an image of %" PRIu64 " GiB is too large: a partition table reaches less than 2 TiB",
				 total >> 21);
	}
	layout->total_sectors = cylinders * LAYOUT_CYLINDER;
	return 0;
}

void layout_free(struct layout *layout)
{
	free(layout->extent_lba);
	*layout = (struct layout){0};
}

void layout_chs(uint64_t sector, uint64_t total_sectors, unsigned char chs[3])
{
	uint64_t heads = total_sectors <= 1024 * LAYOUT_CYLINDER ? LAYOUT_HEADS : 255;
	uint64_t cylinder = sector / (heads * LAYOUT_SECTORS);
	uint64_t head = sector / LAYOUT_SECTORS % heads;
	uint64_t in_track = sector % LAYOUT_SECTORS + 1;

	if (cylinder > 1023) {
		cylinder = 1023;
		head = 254;
		in_track = LAYOUT_SECTORS;
	}
	chs[0] = (unsigned char)head;
	chs[1] = (unsigned char)(in_track | (cylinder >> 2 & 0xc0));
	chs[2] = (unsigned char)cylinder;
}
