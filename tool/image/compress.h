/* SPDX-License-Identifier: MIT
 *
 * Extents, compressed: the bytes of one, piece by piece, become chunks
 * (include/bootabi.h).  liblz4 does the work.  What is in memory at a time does not
 * depend on the extent's size; same bytes and same liblz4, same chunks.
 */
#ifndef MKBOOTIMG_COMPRESS_H
#define MKBOOTIMG_COMPRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Which extents are compressed. */
enum compress {
	COMPRESS_NONE,
	COMPRESS_AUTO,	/* those that load sooner for it */
	COMPRESS_LZ4,	/* all */
};

/* Samples that shrink to more than this, in per mille, make nothing load sooner: */
#define COMPRESS_WORTH 850

/* Where an extent's bytes come from. */
struct compress_source {
	void (*read)(const void *context, uint64_t from, unsigned char *buffer, size_t size);
	const void *context;
	uint64_t length;	/* bytes, > 0 */
};

struct compressor;

/* NULL if there is no memory for it.  The caller frees with compress_close(). */
struct compressor *compress_open(void);
void compress_close(struct compressor *compressor);

/* To how many per mille does what comes from a source shrink?  Looks at all of a small
 * one, at samples of a large one. */
unsigned int compress_sample(struct compressor *compressor, const struct compress_source *source);

/* Begin to compress what comes from a source. */
void compress_begin(struct compressor *compressor, const struct compress_source *source);

/* The next chunk: its bytes, filled up with zeros to whole sectors, until the next
 * call.  *stored becomes its bytes without filling behind the last one.  Returns NULL
 * if there is none left. */
const unsigned char *compress_next(struct compressor *compressor, size_t *stored);

#endif
