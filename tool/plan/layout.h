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
	uint64_t *extent_lba;	/* one for each extent of the plan */
	uint64_t total_sectors;	/* of the disk */
};

/* Lay out a plan behind a loader of loader_size bytes (sector 0 and stage 2),
 * on a disk of at least min_size bytes.  The caller frees with layout_free(). */
int layout_make(struct layout *layout, const struct plan *plan, size_t loader_size,
		size_t table_size, uint64_t min_size, struct error *err);
void layout_free(struct layout *layout);

/* The partition entry's cylinder, head and sector of an absolute sector, as
 * its three bytes.  Disks of more than 1024 such cylinders are addressed with
 * 255 heads, and what even that cannot reach is FE FF FF. */
void layout_chs(uint64_t sector, uint64_t total_sectors, unsigned char chs[3]);

#endif
