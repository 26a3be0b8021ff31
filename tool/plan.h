/* SPDX-License-Identifier: MIT
 *
 * The plan: everything the loader is going to do for one kernel, before
 * anything is known of disks.  A protocol makes it (protocol.h), layout.h gives
 * its extents places on the disk, boottable.h writes it down.
 *
 * Physical memory is asked for in blocks; which addresses they get is known
 * only on the machine, so everything else speaks of offsets in blocks.
 */
#ifndef MKBOOTIMG_PLAN_H
#define MKBOOTIMG_PLAN_H

#include <stddef.h>
#include <stdint.h>

struct plan_block {
	uint64_t phys;		/* wanted address, or BLOCK_ANYWHERE */
	uint64_t size;		/* whole pages */
	uint64_t align;		/* if it lies elsewhere: address % align == phase */
	uint64_t phase;
	uint32_t kind;		/* INFO_KIND_* */
};

/* A run of file bytes in an extent. */
struct plan_piece {
	uint64_t file_offset;
	uint64_t length;	/* > 0 */
	uint64_t offset;	/* from the extent's start */
};

/* Consecutive bytes of a block that come from the disk: its pieces, and zeros
 * in the small gaps between them. */
struct plan_extent {
	uint32_t block;
	uint64_t offset;	/* in the block */
	uint64_t length;	/* > 0 */
	size_t first_piece;	/* in plan.pieces; pieces ascend */
	size_t piece_count;
};

/* Bytes of a block to clear. */
struct plan_zero {
	uint32_t block;
	uint64_t offset;
	uint64_t length;
};

/* Pages to map. */
struct plan_map {
	uint64_t virt;
	uint32_t block;
	uint32_t flags;		/* MAP_* = PF_* */
	uint64_t offset;	/* in the block */
	uint64_t length;	/* whole pages */
};

#define PLAN_WARNINGS 8

struct plan {
	uint32_t protocol;	/* BT_PROTOCOL_* */
	uint64_t entry;

	struct plan_block *blocks;	/* those with a wanted address first */
	size_t block_count;
	struct plan_piece *pieces;
	size_t piece_count;
	struct plan_extent *extents;
	size_t extent_count;
	struct plan_zero *zeros;
	size_t zero_count;
	struct plan_map *maps;		/* sorted by virt */
	size_t map_count;

	char *cmdline;
	uint64_t stack_size;		/* whole pages */
	uint64_t handoff_virt;
	uint64_t physmap_virt;
	uint64_t physmap_max;
	uint64_t kernel_start;		/* virtual */
	uint64_t kernel_end;
	uint32_t table_pages;

	struct plan_warning {
		char text[256];		/* one sentence, without the file's name */
	} warnings[PLAN_WARNINGS];	/* what is allowed, but hardly meant */
	size_t warning_count;
};

/* Bytes of memory above 1 MiB that the plan takes, without what depends on the
 * machine (a few hundred KiB). */
uint64_t plan_memory(const struct plan *plan);

/* Add a warning; more than PLAN_WARNINGS are dropped. */
void plan_warn(struct plan *plan, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Release what the plan holds. */
void plan_free(struct plan *plan);

#endif
