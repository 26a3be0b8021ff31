/* SPDX-License-Identifier: MIT
 *
 * bootloader/lz4.inc: what liblz4 packs it unpacks, to the byte; what is damaged it
 * notices, as far as that can be noticed, and touches nothing else.
 */
#include <lz4.h>
#include <lz4hc.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fileio.h"
#include "lz4_guarded.h"
#include "unit.h"

#define MOST_CODE 1024

/* ---- What liblz4 packs ------------------------------------------------------ */

static uint8_t *pack(const uint8_t *bytes, size_t size, int level, size_t *packed_size)
{
	int room = LZ4_compressBound((int)size);
	uint8_t *packed = malloc((size_t)room);

	assert_non_null(packed);
	int got = level == 0 ? LZ4_compress_default((const char *)bytes, (char *)packed, (int)size, room) :
			       LZ4_compress_HC((const char *)bytes, (char *)packed, (int)size, room, level);
	assert_true(got > 0);
	*packed_size = (size_t)got;
	return packed;
}

static void check_level(const uint8_t *bytes, size_t size, int level, const char *what)
{
	size_t packed_size;
	uint8_t *packed = pack(bytes, size, level, &packed_size), *back = malloc(size + 1);

	assert_non_null(back);
	CHECK(lz4_guarded(packed, packed_size, back, size), "%s, %zu bytes, level %d: refused", what, size, level);
	CHECK(memcmp(bytes, back, size) == 0, "%s, %zu bytes, level %d: not the same", what, size, level);
	/* A byte more or less is another thing. */
	uint8_t *other = malloc(size + 2);
	assert_non_null(other);
	CHECK(!lz4_guarded(packed, packed_size, other, size + 1), "%s, %zu bytes: one more", what, size);
	CHECK(size == 0 || !lz4_guarded(packed, packed_size, other, size - 1), "%s, %zu bytes: one less", what, size);
	CHECK(!lz4_guarded(packed, packed_size - 1, other, size), "%s, %zu bytes: cut short", what, size);
	free(other);
	free(back);
	free(packed);
}

static void check_bytes(const uint8_t *bytes, size_t size, const char *what)
{
	check_level(bytes, size, 0, what);
	check_level(bytes, size, LZ4HC_CLEVEL_DEFAULT, what);
	check_level(bytes, size, LZ4HC_CLEVEL_MAX, what);
}

/* Of a file: the whole, and pieces of sizes that end anywhere. */
static void check_file(const char *path)
{
	struct file_view file;
	struct error err;

	assert_accepted(file_open(&file, path, &err), &err, path);
	size_t most = file.size < 1000000 ? file.size : 1000000;
	check_bytes(file.bytes, most, path);
	for (size_t size = 1; size < most; size += size / 3 + 1)
		check_bytes(file.bytes, size, path);
	file_close(&file);
}

TEST(code)
{
	check_file("/proc/self/exe");
}

TEST(text)
{
	check_file("man/mkbootimg.1");
	check_file("tests/unit/test_lz4.c");
}

TEST(zeros)
{
	static const uint8_t zeros[1 << 20];

	for (size_t size = 1; size < 600; size++)
		check_bytes(zeros, size, "zeros");
	check_bytes(zeros, sizeof(zeros), "zeros");
}

TEST(random_bytes)
{
	static uint8_t bytes[200000];
	uint64_t seed = 1;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)random_next(&seed);
	for (size_t size = 1; size < 600; size++)
		check_bytes(bytes, size, "random bytes");
	check_bytes(bytes, sizeof(bytes), "random bytes");
}

/* Bytes that repeat after 1 to 70, so that matches run into themselves. */
TEST(patterns)
{
	static uint8_t bytes[70 + 3000];
	uint64_t seed = 2;

	for (size_t period = 1; period <= 70; period++) {
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = i < period ? (uint8_t)random_next(&seed) : bytes[i - period];
		for (size_t size = period + 1; size < sizeof(bytes); size += size / 5 + 1)
			check_bytes(bytes, size, "a pattern");
	}
}

/* Short and long runs of both kinds, in any order. */
TEST(mixtures)
{
	static uint8_t bytes[300000];
	uint64_t seed = 3;

	for (int round = 0; round < 40; round++) {
		size_t size = 0;

		while (size < sizeof(bytes) - 5000) {
			size_t run = random_below(&seed, random_below(&seed, 50) == 0 ? 5000 : 40) + 1;
			size_t back = size > 0 ? random_below(&seed, size) + 1 : 0;
			bool copy = size > 0 && random_below(&seed, 2) == 0;

			if (random_below(&seed, 4) == 0 && back > 0)
				back = back % 33 + 1 <= size ? back % 33 + 1 : 1;
			for (size_t i = 0; i < run; i++, size++)
				bytes[size] = copy ? bytes[size - back] : (uint8_t)random_next(&seed);
		}
		check_level(bytes, size, round % 2 == 0 ? 0 : LZ4HC_CLEVEL_MAX, "a mixture");
	}
}

/* ---- Blocks made by hand ------------------------------------------------------- */

struct block {
	uint8_t bytes[8192];
	size_t size;
};

static void put_length(struct block *block, size_t length)
{
	for (; length >= 255; length -= 255)
		block->bytes[block->size++] = 255;
	block->bytes[block->size++] = (uint8_t)length;
}

/* A sequence with literals "abc..." and, if offset is not 0, a match. */
static void put_sequence(struct block *block, size_t literals, size_t offset, size_t match)
{
	size_t low = offset == 0 ? 0 : match - 4;

	block->bytes[block->size++] = (uint8_t)((literals < 15 ? literals : 15) << 4 | (low < 15 ? low : 15));
	if (literals >= 15)
		put_length(block, literals - 15);
	for (size_t i = 0; i < literals; i++)
		block->bytes[block->size++] = (uint8_t)('a' + i % 53);
	if (offset == 0)
		return;
	block->bytes[block->size++] = (uint8_t)offset;
	block->bytes[block->size++] = (uint8_t)(offset >> 8);
	if (low >= 15)
		put_length(block, low - 15);
}

/* Both decoders must be of one opinion. */
static bool decode_both(const struct block *block, size_t size, size_t bytes)
{
	static uint8_t ours[LZ4_MOST_BYTES], wanted[LZ4_MOST_BYTES];
	bool good = lz4_reference(block->bytes, size, wanted, bytes);

	CHECK(lz4_guarded(block->bytes, size, ours, bytes) == good, "%zu bytes to %zu: not %d", size, bytes, good);
	CHECK(!good || memcmp(ours, wanted, bytes) == 0, "%zu bytes to %zu: not the same", size, bytes);
	return good;
}

/* Every offset with every length that matters, near the ends and far from them. */
TEST(overlapping_matches)
{
	static const size_t behind[] = { 0, 1, 5, 12, 40, 100 };

	for (size_t offset = 1; offset <= 40; offset++) {
		for (size_t match = 4; match <= 300; match += match < 40 ? 1 : 37) {
			for (size_t i = 0; i < COUNT(behind); i++) {
				struct block block = { .size = 0 };

				put_sequence(&block, 40, offset, match);
				put_sequence(&block, behind[i], 0, 0);
				CHECK(decode_both(&block, block.size, 40 + match + behind[i]), "offset %zu, match %zu",
				      offset, match);
			}
		}
	}
}

TEST(long_lengths)
{
	static const size_t lengths[] = { 14, 15, 16, 18, 19, 20, 255, 269, 270, 271, 273, 274, 525, 529, 4000 };

	for (size_t i = 0; i < COUNT(lengths); i++) {
		for (size_t k = 0; k < COUNT(lengths); k++) {
			struct block block = { .size = 0 };

			put_sequence(&block, lengths[i], lengths[i], lengths[k]);
			put_sequence(&block, 7, lengths[i], lengths[k]);
			put_sequence(&block, 1, 0, 0);
			assert_true(decode_both(&block, block.size, lengths[i] + 2 * lengths[k] + 8));
		}
	}
}

/* The largest offset there is, and one that reaches before the start. */
TEST(offsets_reach_back_to_the_start)
{
	struct block block = { .size = 0 };

	put_sequence(&block, 1, 1, 65534);
	put_sequence(&block, 0, 65535, 40);
	put_sequence(&block, 5, 0, 0);
	assert_true(decode_both(&block, block.size, 65535 + 45));
	for (size_t literals = 1; literals < 80; literals++) {
		for (size_t offset = literals; offset <= literals + 1; offset++) {
			block.size = 0;
			put_sequence(&block, literals, offset, 20);
			put_sequence(&block, 60, 0, 0);
			CHECK(decode_both(&block, block.size, literals + 80) == (offset == literals), "%zu, offset %zu",
			      literals, offset);
		}
	}
}

TEST(an_offset_of_zero_is_refused)
{
	for (size_t behind = 0; behind < 100; behind += 50) {
		struct block block = { .size = 0 };

		put_sequence(&block, 20, 256, 8);
		block.bytes[block.size - 1] = 0;
		put_sequence(&block, behind, 0, 0);
		assert_false(decode_both(&block, block.size, 28 + behind));
	}
}

/* Lengths that go on to the block's end, or are longer than anything. */
TEST(lengths_without_an_end_are_refused)
{
	struct block block = { .size = 0 };

	assert_false(decode_both(&block, 0, 0));
	assert_false(decode_both(&block, 0, 10));
	memset(block.bytes, 255, sizeof(block.bytes));
	for (size_t size = 1; size < sizeof(block.bytes); size += size / 2 + 1)
		assert_false(decode_both(&block, size, 1000));
	put_sequence(&block, 4, 1, 1000);
	memset(block.bytes + 7, 255, sizeof(block.bytes) - 7);
	assert_false(decode_both(&block, sizeof(block.bytes), LZ4_MOST_BYTES));
}

/* Cut anywhere, and given too much or too little room. */
TEST(every_prefix_is_refused)
{
	struct block block = { .size = 0 };

	put_sequence(&block, 20, 3, 300);
	put_sequence(&block, 3, 20, 9);
	put_sequence(&block, 2, 17, 18);
	put_sequence(&block, 60, 0, 0);
	size_t bytes = 20 + 300 + 3 + 9 + 2 + 18 + 60;
	assert_true(decode_both(&block, block.size, bytes));
	for (size_t size = 0; size < block.size; size++) {
		for (size_t room = 0; room <= bytes; room += 7)
			decode_both(&block, size, room);
	}
	for (size_t room = 0; room <= bytes + 40; room++)
		assert_int_equal(decode_both(&block, block.size, room), room == bytes);
}

/* Damaged streams, of the kind that the fuzzer makes more of. */
TEST(damage_stays_inside)
{
	struct block block = { .size = 0 };
	uint64_t seed = 4;

	put_sequence(&block, 20, 3, 300);
	for (int i = 0; i < 60; i++)
		put_sequence(&block, random_below(&seed, 20), 1 + random_below(&seed, 40), 4 + random_below(&seed, 30));
	put_sequence(&block, 60, 0, 0);
	for (int round = 0; round < 100000; round++) {
		struct block bad = block;

		for (uint64_t n = 1 + random_below(&seed, 3); n > 0; n--)
			bad.bytes[random_below(&seed, bad.size)] = (uint8_t)random_next(&seed);
		decode_both(&bad, bad.size, 1 + random_below(&seed, 3000));
	}
}

TEST(is_small)
{
	CHECK(lz4_code_bytes <= MOST_CODE, "it has %u bytes", lz4_code_bytes);
	print_message("# the decoder has %u bytes\n", lz4_code_bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(code),
		cmocka_unit_test(text),
		cmocka_unit_test(zeros),
		cmocka_unit_test(random_bytes),
		cmocka_unit_test(patterns),
		cmocka_unit_test(mixtures),
		cmocka_unit_test(overlapping_matches),
		cmocka_unit_test(long_lengths),
		cmocka_unit_test(offsets_reach_back_to_the_start),
		cmocka_unit_test(an_offset_of_zero_is_refused),
		cmocka_unit_test(lengths_without_an_end_are_refused),
		cmocka_unit_test(every_prefix_is_refused),
		cmocka_unit_test(damage_stays_inside),
		cmocka_unit_test(is_small),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
