/* SPDX-License-Identifier: MIT
 *
 * Which kernel is it?  A number that all bytes of its segments, as they are in the
 * file, have a part in, and nothing else: a kernel and its stripped copy have the same.
 * By it an image knows the file that it was made from.
 *
 * There may be many bytes, so it can be made while they are read for something else.
 */
#ifndef MKBOOTIMG_IDENTITY_H
#define MKBOOTIMG_IDENTITY_H

#include <stddef.h>
#include <stdint.h>

#include "kernel/kernel.h"

struct identity {
	const struct kernel *kernel;
	size_t segment;		/* the next one, by its index, */
	uint64_t done;		/* and how many of its bytes have been taken */
	uint64_t sum[4];	/* of these, see "Extent sum" in bootabi.h */
	uint32_t crc;		/* of the sums of the segments before it */
};

/* Begin with a kernel, of which nothing is read yet. */
void identity_begin(struct identity *identity, const struct kernel *kernel);

/* Take the bytes that lie in the file before offset end, as far as it is their turn:
 * the segments' is that of their addresses.  The others come later. */
void identity_take(struct identity *identity, uint64_t end);

/* Take what has not been taken; the number. */
uint32_t identity_end(struct identity *identity);

/* All at once. */
uint32_t kernel_crc(const struct kernel *kernel);

#endif
