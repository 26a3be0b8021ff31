/* SPDX-License-Identifier: MIT
 *
 * Compressing extents: the chunks unpack to what they were made of, are never larger
 * than that but for their headers, and are full.
 */
#include "image/compress.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "bootabi.h"
#include "lz4_guarded.h"
#include "unit.h"

#define MIB ((uint64_t)1024 * 1024)
#define CHUNK_BYTES ((uint64_t)CHUNK_SECTORS * SECTOR_SIZE)
#define BLOCK_BYTES (CHUNK_BYTES - CHUNK_HEADER_SIZE)

/* ---- Sources ------------------------------------------------------------------ */

static unsigned char *bytes;	/* of the source */
static uint64_t most_at_once;	/* that were asked for */

static void read_bytes(const void *context, uint64_t from, unsigned char *buffer, size_t size)
{
	const uint64_t *length = context;

	assert_true(from <= *length && size <= *length - from);
	most_at_once = size > most_at_once ? size : most_at_once;
	memcpy(buffer, bytes + from, size);
}

/* What the bytes of a source are like. */
enum kind { ZEROS, RANDOM, WORDS, MIXED };

/* A row of words out of a few, which shrinks about as code does. */
static void make_words(unsigned char *at, uint64_t length, uint64_t *seed)
{
	unsigned char words[512][16];

	for (size_t i = 0; i < COUNT(words); i++) {
		for (size_t k = 0; k < sizeof(words[i]); k++)
			words[i][k] = (unsigned char)random_next(seed);
	}
	for (uint64_t i = 0; i < length;) {
		const unsigned char *word = words[random_below(seed, COUNT(words))];

		for (uint64_t k = 3 + random_below(seed, 10); k > 0 && i < length; k--, i++)
			at[i] = word[k];
	}
}

static void make_bytes(enum kind kind, uint64_t length)
{
	uint64_t seed = 7;

	bytes = calloc(1, length);
	assert_non_null(bytes);
	for (uint64_t i = 0; i < length; i += MIB / 2) {
		uint64_t size = length - i < MIB / 2 ? length - i : MIB / 2;
		enum kind this = kind == MIXED ? (enum kind)random_below(&seed, 3) : kind;

		for (uint64_t k = 0; this == RANDOM && k < size; k++)
			bytes[i + k] = (unsigned char)random_next(&seed);
		if (this == WORDS)
			make_words(bytes + i, size, &seed);
	}
}

/* ---- Chunks --------------------------------------------------------------------- */

/* All chunks of the source, one behind the other; the caller frees. */
static unsigned char *compress(struct compressor *compressor, uint64_t length, uint64_t *stored)
{
	const struct compress_source source = { read_bytes, &length, length };
	unsigned char *all = malloc(length + length / 1000 + CHUNK_BYTES);
	const unsigned char *chunk;
	size_t size = CHUNK_BYTES;

	assert_non_null(all);
	*stored = 0;
	compress_begin(compressor, &source);
	for (size_t got; (chunk = compress_next(compressor, &got)) != NULL; size = got) {
		assert_int_equal(size, CHUNK_BYTES);
		for (size_t i = got; i < align_up(got, SECTOR_SIZE); i++)
			assert_int_equal(chunk[i], 0);
		memcpy(all + *stored, chunk, got);
		*stored += got;
	}
	assert_null(compress_next(compressor, &size));
	return all;
}

/* Returns what is stored, in per mille. */
static uint64_t check_source(struct compressor *compressor, enum kind kind, uint64_t length)
{
	uint64_t stored, again;

	make_bytes(kind, length);
	unsigned char *chunks = compress(compressor, length, &stored), *back = malloc(length);
	assert_non_null(back);
	lz4_unpack_chunks(chunks, stored, back, length);
	assert_memory_equal(back, bytes, length);
	assert_true(stored <= length + (length + BLOCK_BYTES - 1) / BLOCK_BYTES * CHUNK_HEADER_SIZE);
	/* Same bytes, same chunks, whatever was compressed before. */
	unsigned char *second = compress(compressor, length, &again);
	assert_int_equal(stored, again);
	assert_memory_equal(chunks, second, stored);
	free(second);
	free(chunks);
	free(back);
	free(bytes);
	return stored * 1000 / length;
}

static const uint64_t lengths[] = {
	1, 2, 7, 13, 100, 4096, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 2 * BLOCK_BYTES, 300000,
	2 * MIB, 4 * MIB - 1, 4 * MIB, 4 * MIB + 1, 9 * MIB + 12345,
};

TEST(chunks_unpack_to_what_they_were)
{
	struct compressor *compressor = compress_open();

	assert_non_null(compressor);
	most_at_once = 0;
	for (size_t i = 0; i < COUNT(lengths); i++) {
		for (int kind = ZEROS; kind <= MIXED; kind++)
			check_source(compressor, (enum kind)kind, lengths[i]);
	}
	/* However long the source is. */
	assert_true(most_at_once <= 4 * MIB);
	compress_close(compressor);
}

TEST(shrinks)
{
	struct compressor *compressor = compress_open();

	assert_true(check_source(compressor, ZEROS, 20 * MIB) <= 35);
	assert_in_range(check_source(compressor, WORDS, 5 * MIB), 100, 700);
	assert_in_range(check_source(compressor, RANDOM, 5 * MIB), 1000, 1000);
	compress_close(compressor);
}

/* ---- Samples ------------------------------------------------------------------- */

static unsigned int sample(struct compressor *compressor, uint64_t length)
{
	const struct compress_source source = { read_bytes, &length, length };

	return compress_sample(compressor, &source);
}

TEST(samples_tell_what_it_shrinks_to)
{
	struct compressor *compressor = compress_open();

	for (size_t i = 5; i < COUNT(lengths); i++) {
		for (int kind = ZEROS; kind <= WORDS; kind++) {
			uint64_t shrunk = check_source(compressor, (enum kind)kind, lengths[i]);
			make_bytes((enum kind)kind, lengths[i]);
			uint64_t told = sample(compressor, lengths[i]);
			CHECK(told + 60 >= shrunk && told <= shrunk + 60, "kind %d, %llu bytes: %llu, not %llu", kind,
			      (unsigned long long)lengths[i], (unsigned long long)told, (unsigned long long)shrunk);
			CHECK(lengths[i] < MIB || (told > COMPRESS_WORTH) == (kind == RANDOM), "kind %d", kind);
			free(bytes);
		}
	}
	compress_close(compressor);
}

/* What shrinks somewhere else than at the start is found, too. */
TEST(samples_are_spread)
{
	struct compressor *compressor = compress_open();
	uint64_t length = 16 * MIB;

	make_bytes(RANDOM, length);
	memset(bytes + length / 2, 0, length / 2);
	assert_in_range(sample(compressor, length), 400, 600);
	free(bytes);
	compress_close(compressor);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chunks_unpack_to_what_they_were),
		cmocka_unit_test(shrinks),
		cmocka_unit_test(samples_tell_what_it_shrinks_to),
		cmocka_unit_test(samples_are_spread),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
