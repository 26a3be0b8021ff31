/* SPDX-License-Identifier: MIT
 *
 * Files that are gzip-compressed, unpacked by zlib.  Nothing in them is trusted.
 */
#ifndef MKBOOTIMG_GZIP_H
#define MKBOOTIMG_GZIP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/fileio.h"

/* What a file may unpack to, at most: more than any kernel, and not what a few bytes
 * that someone made for it could fill a computer with. */
#define GZIP_MOST ((size_t)512 * 1024 * 1024)

/* Do these bytes begin like a gzip file? */
bool gzip_is(const unsigned char *bytes, size_t size);

/* Unpack the first bytes, at most as many as there is room for.  Returns how many
 * there are; of what is no gzip file, none. */
size_t gzip_peek(const unsigned char *bytes, size_t size, unsigned char *start, size_t room);

/* Unpack a gzip file that is open: from then on the view is of what it held, in memory,
 * and packed_size its own size.  If that fails, it is closed. */
int gzip_unpack(struct file_view *file, const char *name, struct error *err);

#endif
