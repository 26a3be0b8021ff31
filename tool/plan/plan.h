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

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/crate.h"
#include "base/error.h"

struct plan_block {
	uint64_t phys;		/* wanted address, or BLOCK_ANYWHERE */
	uint64_t size;		/* whole pages */
	uint64_t align;		/* if it lies elsewhere: address % align == phase, */
	uint64_t phase;
	uint64_t lowest;	/* and the block in [lowest, highest) */
	uint64_t highest;
	uint32_t kind;		/* INFO_KIND_* */
	uint32_t flags;		/* BLOCK_FIXED, BLOCK_TOP */
};

/* A run of file bytes in an extent. */
struct plan_piece {
	uint32_t source;	/* 0: the kernel file, n: the nth module's, from 1 */
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

/* A number to write over bytes of an extent: a relocation. */
struct plan_patch {
	uint32_t block;
	uint32_t width;		/* bytes: 4 or 8; little-endian */
	uint64_t offset;	/* in the block, all of it in one piece */
	uint64_t value;
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

/* A field of the info to which the loader adds an address. */
struct plan_fixup {
	uint32_t offset;	/* in the info */
	uint32_t width;		/* bytes: 4 or 8 */
	uint32_t block;		/* whose address, or BLOCK_NONE: the info's own */
};

struct plan_video {
	uint16_t width;		/* pixels, 0: any */
	uint16_t height;
	uint8_t depth;		/* bits a pixel, 0: any */
	uint8_t mode;		/* VIDEO_* */
};

#define PLAN_WARNINGS 8

/* Below 1 MiB the loader is at work, above 4 GiB it cannot load, and PCs keep
 * the last GiB below that for devices. */
#define PLAN_LOWEST_PHYS UINT64_C(0x100000)
#define PLAN_HIGHEST_PHYS UINT64_C(0x100000000)
#define PLAN_MOST_MEMORY UINT64_C(0xc0000000)

struct plan {
	uint32_t protocol;	/* BT_PROTOCOL_* */
	uint64_t entry;		/* virtual; physical if there are no maps */
	uint32_t entry_block;	/* where the entry point moves with a block: it, and */
	uint64_t entry_offset;	/* the place in it; BLOCK_NONE if the address is virtual */

	struct plan_block *blocks;	/* those with a wanted address first */
	size_t block_count;
	struct plan_piece *pieces;
	size_t piece_count;
	struct plan_extent *extents;
	size_t extent_count;
	struct plan_patch *patches;	/* sorted by block and offset */
	size_t patch_count;
	struct plan_zero *zeros;
	size_t zero_count;
	struct plan_map *maps;		/* sorted by virt */
	size_t map_count;

	unsigned char *info;		/* include/bootabi.h, "Info" */
	size_t info_size;
	struct plan_fixup *fixups;
	size_t fixup_count;

	uint64_t slide;			/* added to the addresses in the kernel's file */
	uint32_t kernel_crc;		/* whose symbols fit (kernel/identity.h)?  Known once its bytes
					   have been read for an image */

	char *cmdline;			/* as the kernel gets it */
	size_t cmdline_offset;		/* where it lies in the info, NUL after it */
	uint64_t stack_size;		/* whole pages */
	struct plan_video video;
	/* In long mode: */
	uint32_t table_pages;		/* that the maps need at most */
	uint64_t physmap_virt;
	uint64_t physmap_max;		/* bytes free there; 0: memory is not mapped */
	uint64_t handoff_virt;		/* native only */
	/* bootloader-0.9 only, whose stack and info are blocks that are mapped: */
	uint64_t stack_top;		/* virtual end of the stack; 0: of the address space */
	uint64_t info_virt;
	uint32_t info_block;		/* BLOCK_NONE: the loader finds room for the info */
	uint16_t recursive;		/* level 4 entry for the table itself, 0: none */
	bool sse;

	struct plan_warning {
		char text[256];		/* one sentence, without the file's name */
	} warnings[PLAN_WARNINGS];	/* what is allowed, but hardly meant */
	size_t warning_count;
};

/* A file to give along with the kernel. */
struct plan_module {
	char *name;		/* as the kernel gets it */
	uint64_t size;		/* bytes */
};

/* What the user asked for, as far as it concerns planning. */
struct plan_options {
	const char *cmdline;		/* "" for none */
	const char *kernel_name;	/* the kernel file's, without directories */
	uint64_t stack_size;		/* bytes; 0: the protocol's default */
	const struct plan_module *modules;
	size_t module_count;
	const struct plan_video *video;	/* NULL: what the kernel says */
	const uint64_t *kernel_base;	/* NULL: the default */
	struct crate_options crate;
};

/* ---- Making one ---------------------------------------------------------- */

/* Add an element at the end of an array that began as NULL and 0; gives a pointer
 * to it, all zeros.  Ends the program when there is no memory. */
#define plan_append(array, count) \
	((array) = plan_grow((array), &(count), sizeof((array)[0])), &(array)[(count) - 1])
void *plan_grow(void *array, size_t *count, size_t size);

/* Load file bytes into a block.  Pieces of a block must come in ascending
 * order; those closer than a page become one extent. */
void plan_load(struct plan *plan, uint32_t block, uint64_t offset, uint32_t source,
	       uint64_t file_offset, uint64_t length);

/* Clear bytes [start, end) of a block, which may be none. */
void plan_clear(struct plan *plan, uint32_t block, uint64_t start, uint64_t end);

/* Add a block for each module, with its extent, not below an address.  Returns
 * the first one's index. */
uint32_t plan_modules(struct plan *plan, const struct plan_options *options, uint64_t lowest);

/* Add bytes to the info, at a multiple of align; NULL bytes are zeros.
 * Returns their offset in it. */
uint32_t plan_info(struct plan *plan, const void *bytes, size_t size, size_t align);
/* Likewise a string with its NUL; and the command line, remembering where. */
uint32_t plan_info_string(struct plan *plan, const char *string);
uint32_t plan_info_cmdline(struct plan *plan, const char *cmdline);

/* Set a field of the info; or have it point to another place in it. */
void plan_put32(struct plan *plan, size_t offset, uint32_t value);
void plan_put64(struct plan *plan, size_t offset, uint64_t value);
void plan_point32(struct plan *plan, size_t offset, uint32_t target);
void plan_point64(struct plan *plan, size_t offset, uint32_t target);

/* Sort the patches, once all are there. */
void plan_sort_patches(struct plan *plan);

/* Have the loader add an address to a field of the info. */
void plan_fixup(struct plan *plan, size_t offset, uint32_t width, uint32_t block);

/* Add a warning; more than PLAN_WARNINGS are dropped. */
void plan_warn(struct plan *plan, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Refuse a plan whose blocks are more memory than a PC has below 4 GiB, or more
 * in number than the loader has room for.  name is the kernel file's. */
int plan_fits(const struct plan *plan, const char *name, struct error *err);

/* ---- Using one ------------------------------------------------------------- */

/* Bytes of memory that a machine needs for the plan, without what depends on the
 * machine (a few hundred KiB) and what the firmware takes. */
uint64_t plan_memory(const struct plan *plan);

/* Is the stack a block, as with bootloader-0.9?  Then it ends at stack_top, and the
 * page below it is not mapped; if not, that says nothing. */
bool plan_has_stack(const struct plan *plan);

/* Release what the plan holds. */
void plan_free(struct plan *plan);

#endif
