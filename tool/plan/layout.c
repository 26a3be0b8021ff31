/* SPDX-License-Identifier: MIT
 *
 * Disk layout; see layout.h.
 */
#include "plan/layout.h"

#include <assert.h>
#include <inttypes.h>

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

static uint64_t whole_cylinders(uint64_t sectors)
{
	return (sectors + LAYOUT_CYLINDER - 1) / LAYOUT_CYLINDER * LAYOUT_CYLINDER;
}

int layout_begin(struct layout *layout, size_t loader_size, size_t table_size, uint64_t min_size,
		 struct error *err)
{
	uint64_t stage2_sectors = sectors_for(loader_size) - 1;

	*layout = (struct layout){
		.stage2_sectors = (uint32_t)stage2_sectors,
		.table_lba = stage2_sectors,
		.next = stage2_sectors + sectors_for(table_size),
		.total_sectors = whole_cylinders(sectors_for(min_size)),
	};
	/* What is loaded has less than 4 GiB, and cannot make it too large. */
	if (layout->total_sectors > MOST_SECTORS)
		return error_set(err, ERROR_USAGE, 0,
				 "an image of %" PRIu64 " GiB is too large: a partition table reaches less than 2 TiB",
				 sectors_for(min_size) >> 21);
	return 0;
}

uint64_t layout_extent(struct layout *layout)
{
	/* LAYOUT_BASE is aligned, so relative means absolute. */
	layout->next = align_up(layout->next, SECTORS_PER_PAGE);
	return layout->next;
}

void layout_taken(struct layout *layout, uint64_t bytes)
{
	layout->next += sectors_for(bytes);
}

void layout_end(struct layout *layout)
{
	uint64_t needed = whole_cylinders(LAYOUT_BASE + layout->next);

	if (layout->total_sectors < needed)
		layout->total_sectors = needed;
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
