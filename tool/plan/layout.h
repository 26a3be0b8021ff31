/* SPDX-License-Identifier: MIT
 *
 * Where things lie on the disk.  Pure: sizes in, sectors out.
 *
 *	sector 0	stage 1 and the partition table
 *	LAYOUT_BASE	the one partition: stage 2, boot table,
 *			extents, each on a 4 KiB boundary of the disk
 *	end		a whole number of cylinders
 */
#ifndef MKBOOTIMG_LAYOUT_H
#define MKBOOTIMG_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "plan/plan.h"

/* 1 MiB: where every partitioning tool of today begins. */
#define LAYOUT_BASE 2048

/* The geometry that firmware derives from such a partition table. */
#define LAYOUT_HEADS 16
#define LAYOUT_SECTORS 63
#define LAYOUT_CYLINDER (LAYOUT_HEADS * LAYOUT_SECTORS)

struct layout {
	uint32_t stage2_sectors;
	uint64_t table_lba;	/* LBAs are relative to LAYOUT_BASE */
	uint64_t next;		/* what lies behind all that has a place */
	uint64_t total_sectors;	/* of the disk */
};

/* Begin with a loader of loader_size bytes (sector 0 and stage 2) and a boot table, on
 * a disk of at least min_size bytes. */
int layout_begin(struct layout *layout, size_t loader_size, size_t table_size, uint64_t min_size,
		 struct error *err);

/* Where the next extent lies; and, once it is known, how many bytes of the disk it
 * takes. */
uint64_t layout_extent(struct layout *layout);
void layout_taken(struct layout *layout, uint64_t bytes);

/* Round up to whole cylinders, once all extents have their places. */
void layout_end(struct layout *layout);

/* The partition entry's cylinder, head and sector of an absolute sector, as
 * its three bytes.  Disks of more than 1024 such cylinders are addressed with
 * 255 heads, and what even that cannot reach is FE FF FF. */
void layout_chs(uint64_t sector, uint64_t total_sectors, unsigned char chs[3]);

#endif
