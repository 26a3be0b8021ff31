/* SPDX-License-Identifier: MIT
 *
 * Image files: a plan, the kernel's bytes and the loader become a disk image.
 * Same inputs, same bytes.
 */
#ifndef MKBOOTIMG_IMAGE_H
#define MKBOOTIMG_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/fileio.h"
#include "image/compress.h"
#include "plan/layout.h"
#include "image/loader.h"
#include "kernel/kernel.h"
#include "plan/plan.h"

struct image_options {
	uint64_t min_size;	/* bytes of the image, at least */
	enum compress compress;
};

/* What was written, for telling the user. */
struct image_summary {
	uint64_t size;		/* bytes of the image */
	uint64_t stored;	/* bytes of the kernel and its modules in it */
	struct extent_place *places;	/* of the plan's extents */
	unsigned int *samples;	/* and what samples of them shrink to, in per mille; 0: none was taken */
};

/* Write the image of a plan to output (not committed yet), and complete the plan with
 * the kernel's identity.  sources are the kernel file and its modules' files, in order.
 * Each byte of them is read once, and the memory that this takes does not depend on
 * how many there are.  name is for messages about the output.  If that succeeds, the
 * caller frees with image_summary_free(). */
int image_write(struct output *output, const char *name, struct plan *plan,
		const struct kernel *kernel, const struct file_view *sources,
		const struct loader *loader, const struct image_options *options,
		struct image_summary *summary, struct error *err);
void image_summary_free(struct image_summary *summary);

/* Change the first sector of an image for a disk of so many sectors on which its
 * partition begins at sector base, and goes on to the end. */
void image_move(unsigned char *sector, uint64_t base, uint64_t total_sectors);

/* ---- Reading an image back ------------------------------------------------ */

/* Do these bytes, the start of a file, begin a disk that firmware boots? */
bool image_is_bootable(const unsigned char *bytes, size_t size);
/* And one that this program wrote? */
bool image_is_ours(const unsigned char *bytes, size_t size);

enum image_check {
	IMAGE_UNCHECKED,	/* this range has no checksum of its own */
	IMAGE_GOOD,
	IMAGE_WRONG,
};

/* What a part of an image is. */
struct image_range {
	uint64_t offset;	/* bytes from its start */
	uint64_t length;
	char what[40];
	enum image_check check;
};

struct image {
	struct image_range *ranges;	/* ascending, not overlapping */
	size_t range_count;
	bool has_plan;			/* the boot table could be read */
	struct plan plan;
	struct extent_place *places;	/* of the plan's extents */
	size_t first_extent_range;	/* the ranges from here on are the extents' */
	uint32_t disk_id;
	uint64_t base;			/* sector */
	struct error problem;		/* why there is no plan; class ERROR_NONE if there is one */
};

/* Read an image of ours (image_is_ours) as far as it can be read: what is
 * damaged is marked, not refused.  The extents, most of the bytes, are summed
 * only if verify is set.  The caller frees with image_free(). */
int image_read(struct image *image, const struct file_view *file, bool verify, struct error *err);
void image_free(struct image *image);

#endif
