/* SPDX-License-Identifier: MIT
 *
 * Compressing; see compress.h.
 */
#include "image/compress.h"

#include <lz4hc.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "bootabi.h"

#define CHUNK_BYTES (CHUNK_SECTORS * SECTOR_SIZE)
#define BLOCK_BYTES (CHUNK_BYTES - CHUNK_HEADER_SIZE)

/* What a chunk is made of is in memory: half of this at least, so that even zeros
 * leave no chunk unfilled before it holds 32 times its size. */
#define WINDOW (4 * 1024 * 1024)

#define SAMPLES 16
#define SAMPLE_BYTES 65536
/* Quick, and shrinks nearly as much as the best does. */
#define SAMPLE_LEVEL 3

struct compressor {
	void *state;			/* liblz4's */
	unsigned char *window;
	unsigned char chunk[CHUNK_BYTES];
	struct compress_source source;
	uint64_t start;			/* of the source's bytes in the window */
	size_t filled;			/* how many there are */
	size_t used;			/* and how many of those are in chunks already */
};

struct compressor *compress_open(void)
{
	struct compressor *compressor = calloc(1, sizeof(*compressor));

	if (compressor == NULL)
		return NULL;
	compressor->state = malloc((size_t)LZ4_sizeofStateHC());
	compressor->window = malloc(WINDOW);
	if (compressor->state != NULL && compressor->window != NULL)
		return compressor;
	compress_close(compressor);
	return NULL;
}

void compress_close(struct compressor *compressor)
{
	if (compressor == NULL)
		return;
	free(compressor->state);
	free(compressor->window);
	free(compressor);
}

/* How many bytes of a source a sample takes; it becomes *packed. */
static size_t take_sample(struct compressor *c, const struct compress_source *source, uint64_t from,
			  uint64_t *packed)
{
	uint64_t left = source->length - from;
	size_t size = left < SAMPLE_BYTES ? (size_t)left : SAMPLE_BYTES;
	unsigned char *sample = c->window, *out = c->window + SAMPLE_BYTES;
	int room = LZ4_COMPRESSBOUND(SAMPLE_BYTES);

	source->read(source->context, from, sample, size);
	*packed += (unsigned int)LZ4_compress_HC_extStateHC(c->state, (char *)sample, (char *)out, (int)size, room,
							    SAMPLE_LEVEL);
	return size;
}

unsigned int compress_sample(struct compressor *c, const struct compress_source *source)
{
	uint64_t step = source->length / SAMPLES, packed = 0;
	uint64_t looked_at = take_sample(c, source, 0, &packed);

	if (step < SAMPLE_BYTES)
		step = SAMPLE_BYTES;
	for (uint64_t from = step; from < source->length; from += step)
		looked_at += take_sample(c, source, from, &packed);
	return (unsigned int)(packed * 1000 / looked_at);
}

void compress_begin(struct compressor *c, const struct compress_source *source)
{
	c->source = *source;
	c->start = 0;
	c->filled = 0;
	c->used = 0;
}

/* Have half a window of bytes that are in no chunk yet, or all that are left. */
static void fill(struct compressor *c)
{
	uint64_t left = c->source.length - c->start - c->filled;
	size_t kept = c->filled - c->used;

	if (kept >= WINDOW / 2 || left == 0)
		return;
	memmove(c->window, c->window + c->used, kept);
	c->start += c->used;
	c->used = 0;
	size_t more = left < WINDOW - kept ? (size_t)left : WINDOW - kept;
	c->source.read(c->source.context, c->start + kept, c->window + kept, more);
	c->filled = kept + more;
}

const unsigned char *compress_next(struct compressor *c, size_t *stored)
{
	fill(c);
	const unsigned char *bytes = c->window + c->used;
	size_t left = c->filled - c->used, plain = left < BLOCK_BYTES ? left : BLOCK_BYTES;
	if (left == 0)
		return NULL;

	int taken = (int)left;
	int packed = LZ4_compress_HC_destSize(c->state, (const char *)bytes,
					      (char *)c->chunk + CHUNK_HEADER_SIZE, &taken, BLOCK_BYTES,
					      LZ4HC_CLEVEL_MAX);
	/* No chunk may hold less than it would hold of the bytes as they are. */
	if (packed <= 0 || (size_t)taken < plain || packed >= taken) {
		memcpy(c->chunk + CHUNK_HEADER_SIZE, bytes, plain);
		taken = packed = (int)plain;
	}
	memset(c->chunk + CHUNK_HEADER_SIZE + packed, 0, BLOCK_BYTES - (size_t)packed);
	put_le32(c->chunk + CHUNK_OFF_LENGTH, (uint32_t)taken);
	put_le32(c->chunk + CHUNK_OFF_STORED, (uint32_t)packed);
	c->used += (size_t)taken;
	bool last = c->used == c->filled && c->start + c->filled == c->source.length;
	*stored = last ? CHUNK_HEADER_SIZE + (size_t)packed : CHUNK_BYTES;
	return c->chunk;
}
