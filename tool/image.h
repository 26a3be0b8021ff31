/* SPDX-License-Identifier: MIT
 *
 * Image files: a plan, the kernel's bytes and the loader become a disk image.
 * Same inputs, same bytes.
 */
#ifndef MKBOOTIMG_IMAGE_H
#define MKBOOTIMG_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "fileio.h"
#include "layout.h"
#include "loader.h"
#include "plan.h"

/* What was written, for telling the user. */
struct image_summary {
	uint64_t size;		/* bytes of the image */
	uint64_t stored;	/* bytes of the kernel in it */
};

/* Write the image of a plan to output (not committed yet).  name is for
 * messages about the output. */
int image_write(struct output *output, const char *name, const struct plan *plan,
		const struct file_view *kernel, const struct loader *loader, uint64_t min_size,
		struct image_summary *summary, struct error *err);

/* Do these bytes, the start of a file, begin a disk that firmware boots? */
bool image_is_bootable(const unsigned char *bytes, size_t size);
/* And one that this program wrote? */
bool image_is_ours(const unsigned char *bytes, size_t size);

/* Bytes of memory that an image of ours needs, as far as its boot table can be
 * read; 0 if it cannot. */
uint64_t image_memory(const unsigned char *bytes, size_t size);

#endif
