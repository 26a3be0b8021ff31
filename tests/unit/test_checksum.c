/* SPDX-License-Identifier: MIT
 *
 * Checksums: what they are, and that they notice what disks and drivers do wrong.
 */
#include "base/checksum.h"

#include <string.h>

#include "bootabi.h"
#include "base/bytes.h"
#include "unit.h"

/* ---- Extent sums --------------------------------------------------------- */

#define SECTORS 3
#define BYTES (SECTORS * SECTOR_SIZE)

static void sum_of(uint64_t sum[4], const unsigned char *bytes, size_t size)
{
	checksum_extent_start(sum);
	checksum_extent(sum, bytes, size);
}

static void fill_random(unsigned char *bytes, size_t size)
{
	uint64_t seed = 3;

	for (size_t i = 0; i < size; i++)
		bytes[i] = (unsigned char)random_next(&seed);
}

static bool same_sum(const uint64_t a[4], const uint64_t b[4])
{
	return memcmp(a, b, 4 * sizeof(a[0])) == 0;
}

/* What a sector does to the state, step by step as bootabi.h has it. */
TEST(sum_by_hand)
{
	const uint64_t f = EXTENT_FACTOR;
	unsigned char bytes[2 * SECTOR_SIZE] = { 0 };
	uint64_t sum[4];

	assert_true(f == 0x9e3779b1);
	checksum_extent_start(sum);
	assert_true(sum[0] == f && sum[1] == f && sum[2] == f && sum[3] == f);
	/* Of zeros: T is f, so U gets f * f, and T is turned, so that its lanes are
	 * f << 32. */
	sum_of(sum, bytes, SECTOR_SIZE);
	for (size_t lane = 0; lane < 2; lane++) {
		assert_true(sum[2 + lane] == f + f * f);
		assert_true(sum[lane] == (f << 32) + f + f * f);
	}
	/* Numbers that lie in one vector each, and one that lies across two. */
	put_le64(bytes, 5);			/* k = 0: T += */
	put_le64(bytes + 7 * 31 + 8, 7);	/* k = 7: T += */
	put_le64(bytes + 7 * 31 + 16, 11);	/* k = 7: U += */
	put_le64(bytes + 8 * 31 + 8, 13);	/* k = 8: T -= */
	put_le64(bytes + 8 * 31 + 16 + 7, 17);	/* k = 8: U -=, from its last byte on */
	bytes[14 * 31] = 29;			/* the last byte of k = 13, the first of 14 */
	bytes[496] = 31;			/* the last byte of k = 15, the first of the rest */
	uint64_t t0 = f + 5 - 29, t1 = f + 7 - 13;
	uint64_t u0 = f + 11 - (UINT64_C(17) << 56), u1 = f - (UINT64_C(29) << 56) - (UINT64_C(31) << 56);
	u0 += (t0 & 0xffffffff) * f;
	u1 += (t1 & 0xffffffff) * f;
	sum_of(sum, bytes, SECTOR_SIZE);
	assert_true(sum[2] == u0 + 31 && sum[3] == u1);
	assert_true(sum[0] == (t0 >> 32) + (t1 << 32) + u0);
	assert_true(sum[1] == (t1 >> 32) + (t0 << 32) + u1);
	/* The next sector goes on from there; only the low halves of T are multiplied. */
	t0 = sum[0];
	t1 = sum[1];
	u0 += 31;
	u0 += (t0 & 0xffffffff) * f;
	u1 += (t1 & 0xffffffff) * f;
	sum_of(sum, bytes, sizeof(bytes));
	assert_true(sum[2] == u0 && sum[3] == u1);
	assert_true(sum[0] == (t0 >> 32) + (t1 << 32) + u0);
	assert_true(sum[1] == (t1 >> 32) + (t0 << 32) + u1);
}

TEST(sum_wraps)
{
	const uint64_t f = EXTENT_FACTOR;
	unsigned char bytes[SECTOR_SIZE];
	uint64_t sum[4];

	/* Each vector is -1; eight are added, eight subtracted, and the last one. */
	memset(bytes, 0xff, sizeof(bytes));
	sum_of(sum, bytes, sizeof(bytes));
	uint64_t u = f + f * f;
	assert_true(sum[2] == u - 1 && sum[3] == u - 1);
	assert_true(sum[0] == (f << 32) + u && sum[0] == sum[1]);
}

/* The image is written in pieces. */
TEST(sum_continues)
{
	unsigned char bytes[BYTES];
	uint64_t whole[4], parts[4];

	fill_random(bytes, sizeof(bytes));
	sum_of(whole, bytes, sizeof(bytes));
	sum_of(parts, bytes, SECTOR_SIZE);
	checksum_extent(parts, bytes + SECTOR_SIZE, 2 * SECTOR_SIZE);
	assert_true(same_sum(whole, parts));
	checksum_extent(parts, bytes, 0);
	assert_true(same_sum(whole, parts));
}

TEST(sum_notices_each_bit)
{
	unsigned char bytes[BYTES];
	uint64_t good[4], bad[4];

	fill_random(bytes, sizeof(bytes));
	sum_of(good, bytes, sizeof(bytes));
	for (size_t bit = 0; bit < 8 * sizeof(bytes); bit++) {
		unsigned char mask = (unsigned char)(1 << bit % 8);

		bytes[bit / 8] ^= mask;
		sum_of(bad, bytes, sizeof(bytes));
		bytes[bit / 8] ^= mask;
		CHECK(!same_sum(good, bad), "bit %zu", bit);
	}
}

/* Whatever else one vector becomes: every step can be undone. */
TEST(sum_notices_each_vector)
{
	unsigned char bytes[BYTES], other[16];
	uint64_t good[4], bad[4], seed = 7;

	fill_random(bytes, sizeof(bytes));
	sum_of(good, bytes, sizeof(bytes));
	for (size_t i = 0; i < 100 * sizeof(bytes); i += 16) {
		unsigned char *vector = bytes + i % sizeof(bytes);

		memcpy(other, vector, 16);
		for (size_t k = 0; k < 16; k++)
			vector[k] = (unsigned char)(i < sizeof(bytes) ? 0 : random_next(&seed));
		sum_of(bad, bytes, sizeof(bytes));
		CHECK(!same_sum(good, bad), "vector %zu", i / 16);
		memcpy(vector, other, 16);
	}
}

/* Any 16 bytes in a row. */
TEST(sum_notices_each_burst)
{
	unsigned char bytes[BYTES], other[16];
	uint64_t good[4], bad[4], seed = 9;

	fill_random(bytes, sizeof(bytes));
	sum_of(good, bytes, sizeof(bytes));
	for (size_t i = 0; i < 50 * (sizeof(bytes) - 15); i++) {
		unsigned char *at = bytes + i % (sizeof(bytes) - 15);

		memcpy(other, at, 16);
		for (size_t k = 0; k < 16; k++)
			at[k] ^= (unsigned char)(i / sizeof(bytes) == 0 ? 0xff : random_next(&seed));
		sum_of(bad, bytes, sizeof(bytes));
		CHECK(!same_sum(good, bad), "byte %zu", i);
		memcpy(at, other, 16);
	}
}

/* Words of one value at different places of a sector: so a sector of zeros but for one
 * is not taken for another such. */
TEST(sum_notices_where_words_are)
{
	/* Not 0x80: as a lane's highest byte that is its own negative. */
	const uint64_t values[] = { 1, 0x7f, 0x401000, 0xffffffff80000000, UINT64_MAX };
	uint64_t sums[SECTOR_SIZE / 8][4];

	for (size_t i = 0; i < COUNT(values); i++) {
		for (size_t place = 0; place < COUNT(sums); place++) {
			unsigned char bytes[SECTOR_SIZE] = { 0 };

			put_le64(bytes + 8 * place, values[i]);
			sum_of(sums[place], bytes, sizeof(bytes));
			for (size_t k = 0; k < place; k++)
				CHECK(!same_sum(sums[place], sums[k]), "0x%llx, word %zu or %zu",
				      (unsigned long long)values[i], place, k);
		}
	}
}

/* Two bits of one column of a sector's words: they are added in different places. */
TEST(sum_notices_two_bits_of_a_column)
{
	unsigned char bytes[SECTOR_SIZE];
	uint64_t good[4], bad[4];

	fill_random(bytes, sizeof(bytes));
	sum_of(good, bytes, sizeof(bytes));
	for (size_t bit = 0; bit < 64; bit++) {
		unsigned char mask = (unsigned char)(1 << bit % 8);

		for (size_t i = bit / 8; i < sizeof(bytes); i += 8) {
			for (size_t k = i + 8; k < sizeof(bytes); k += 8) {
				/* Half the vectors are between these: they may meet. */
				if (k - i == 8 * 31)
					continue;
				bytes[i] ^= mask;
				bytes[k] ^= mask;
				sum_of(bad, bytes, sizeof(bytes));
				bytes[i] ^= mask;
				bytes[k] ^= mask;
				CHECK(!same_sum(good, bad), "bit %zu of bytes %zu and %zu", bit, i, k);
			}
		}
	}
}

/* A bus with a bit that is stuck: all words are like that. */
TEST(sum_notices_a_stuck_bit)
{
	unsigned char bytes[BYTES], other[BYTES];
	uint64_t good[4], bad[4];

	fill_random(bytes, sizeof(bytes));
	sum_of(good, bytes, sizeof(bytes));
	for (size_t width = 1; width <= 8; width *= 2) {
		for (size_t bit = 0; bit < 8 * width; bit++) {
			for (size_t high = 0; high < 2; high++) {
				memcpy(other, bytes, sizeof(other));
				for (size_t i = bit / 8; i < sizeof(other); i += width)
					other[i] = (unsigned char)(high ? other[i] | 1 << bit % 8
									: other[i] & ~(1 << bit % 8));
				sum_of(bad, other, sizeof(other));
				CHECK(!same_sum(good, bad), "bit %zu of %zu bytes is %zu", bit, width, high);
			}
		}
	}
}

/* Sectors of zeros count. */
TEST(sum_counts_zeros)
{
	enum { MANY = 1000 };
	static unsigned char zeros[SECTOR_SIZE];
	static uint64_t sums[MANY][4];
	uint64_t sum[4];

	checksum_extent_start(sum);
	for (size_t i = 0; i < MANY; i++) {
		checksum_extent(sum, zeros, SECTOR_SIZE);
		memcpy(sums[i], sum, sizeof(sum));
		for (size_t k = 0; k < i; k++)
			CHECK(!same_sum(sums[i], sums[k]), "%zu and %zu", i, k);
	}
}

/* What disks and drivers do wrong: whole sectors in the wrong place. */
TEST(sum_notices_misplaced_sectors)
{
	static const size_t orders[][SECTORS] = {
		{ 1, 0, 2 }, { 0, 2, 1 }, { 2, 1, 0 }, { 1, 2, 0 },	/* swapped */
		{ 0, 0, 2 }, { 0, 1, 1 }, { 0, 0, 0 },			/* repeated */
	};
	unsigned char bytes[BYTES], other[BYTES];
	uint64_t good[4], bad[4];

	fill_random(bytes, sizeof(bytes));
	sum_of(good, bytes, sizeof(bytes));
	for (size_t i = 0; i < COUNT(orders); i++) {
		for (size_t k = 0; k < SECTORS; k++)
			memcpy(other + k * SECTOR_SIZE, bytes + orders[i][k] * SECTOR_SIZE, SECTOR_SIZE);
		sum_of(bad, other, sizeof(other));
		CHECK(!same_sum(good, bad), "order %zu", i);
	}
}

/* Likewise sectors that hold the same numbers in another order, so that their plain
 * sums are the same; near and far from each other. */
TEST(sum_notices_swapped_sectors_of_one_sum)
{
	enum { MANY = 300 };
	static unsigned char bytes[MANY * SECTOR_SIZE];
	uint64_t good[4], bad[4];

	for (size_t k = 0; k < MANY; k++) {
		for (size_t i = 0; i < SECTOR_SIZE; i += 16)
			put_le64(bytes + k * SECTOR_SIZE + i, k % 2 == 0 ? i : SECTOR_SIZE - 16 - i);
	}
	sum_of(good, bytes, sizeof(bytes));
	for (size_t k = 1; k < MANY; k += 2) {
		unsigned char other[SECTOR_SIZE];

		memcpy(other, bytes, SECTOR_SIZE);
		memcpy(bytes, bytes + k * SECTOR_SIZE, SECTOR_SIZE);
		memcpy(bytes + k * SECTOR_SIZE, other, SECTOR_SIZE);
		sum_of(bad, bytes, sizeof(bytes));
		memcpy(bytes + k * SECTOR_SIZE, bytes, SECTOR_SIZE);
		memcpy(bytes, other, SECTOR_SIZE);
		CHECK(!same_sum(good, bad), "0 and %zu", k);
	}
}

/* A sector that was not read at all. */
TEST(sum_notices_missing_sectors)
{
	unsigned char bytes[BYTES];
	uint64_t good[4], bad[4];

	fill_random(bytes, sizeof(bytes));
	sum_of(good, bytes, sizeof(bytes));
	for (size_t i = 0; i < SECTORS; i++) {
		unsigned char other[BYTES];

		memcpy(other, bytes, sizeof(other));
		memset(other + i * SECTOR_SIZE, 0, SECTOR_SIZE);
		sum_of(bad, other, sizeof(other));
		CHECK(!same_sum(good, bad), "sector %zu", i);
	}
	sum_of(bad, bytes, 2 * SECTOR_SIZE);
	assert_false(same_sum(good, bad));
}

/* ---- Stage 2, the boot table ------------------------------------------------ */

TEST(stage2_by_hand)
{
	unsigned char bytes[12] = { 0 };

	put_le32(bytes, 3);
	put_le32(bytes + 4, 0xffffffff);
	put_le32(bytes + 8, 7);
	assert_int_equal(checksum_stage2(bytes, 4), 3);
	assert_int_equal(checksum_stage2(bytes, 8), 3 * 101 - 1);
	assert_int_equal(checksum_stage2(bytes, 12), (3 * 101 - 1) * 101 + 7);
}

/* What a loader may look like after a bad read: one bit, and whole sectors. */
TEST(stage2_notices)
{
	static unsigned char bytes[20 * SECTOR_SIZE], other[sizeof(bytes)];

	fill_random(bytes, sizeof(bytes));
	uint32_t good = checksum_stage2(bytes, sizeof(bytes));
	uint64_t sum[4], bad[4];
	checksum_loader(sum, bytes, sizeof(bytes));
	for (size_t bit = 0; bit < 8 * sizeof(bytes); bit += 7) {
		bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
		CHECK(checksum_stage2(bytes, sizeof(bytes)) != good, "bit %zu", bit);
		bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
	for (size_t i = 0; i < 20; i++) {
		for (size_t k = 0; k < 20; k++) {
			memcpy(other, bytes, sizeof(bytes));
			memcpy(other + i * SECTOR_SIZE, bytes + k * SECTOR_SIZE, SECTOR_SIZE);
			CHECK(i == k || checksum_stage2(other, sizeof(other)) != good, "%zu over %zu", k, i);
			checksum_loader(bad, other, sizeof(other));
			CHECK(i == k || !same_sum(sum, bad), "%zu over %zu", k, i);
			memcpy(other + k * SECTOR_SIZE, bytes + i * SECTOR_SIZE, SECTOR_SIZE);
			CHECK(i == k || checksum_stage2(other, sizeof(other)) != good, "%zu for %zu", k, i);
			checksum_loader(bad, other, sizeof(other));
			CHECK(i == k || !same_sum(sum, bad), "%zu for %zu", k, i);
		}
	}
}

/* Its own sum is that of its sectors with 0 in the sum's place, whatever is there. */
TEST(loader_leaves_its_field_out)
{
	unsigned char bytes[2 * SECTOR_SIZE];
	uint64_t sum[4], other[4];

	fill_random(bytes, sizeof(bytes));
	checksum_loader(sum, bytes, sizeof(bytes));
	memset(bytes + S2_OFF_SUM, 0, 32);
	sum_of(other, bytes, sizeof(bytes));
	assert_true(same_sum(sum, other));
	for (size_t i = S2_OFF_SUM - 1; i <= S2_OFF_SUM + 32; i++) {
		bytes[i] ^= 0x40;
		checksum_loader(other, bytes, sizeof(bytes));
		bytes[i] ^= 0x40;
		CHECK(same_sum(sum, other) == (i >= S2_OFF_SUM && i < S2_OFF_SUM + 32), "byte %zu", i);
	}
}

/* The field counts as 0, whatever it holds. */
TEST(crc_leaves_its_field_out)
{
	unsigned char bytes[] = "12345678\0\0\0\0" "9abc";
	uint32_t crc = checksum_crc(bytes, 16, 8);

	put_le32(bytes + 8, 0xdeadbeef);
	assert_int_equal(checksum_crc(bytes, 16, 8), crc);
	bytes[12] ^= 1;
	assert_true(checksum_crc(bytes, 16, 8) != crc);
	/* Of "123456789" it is the well-known one, with zeros before. */
	memcpy(bytes, "\0\0\0\0" "123456789", 13);
	uint32_t known = checksum_crc(bytes, 13, 0);
	put_le32(bytes, 1);
	assert_int_equal(checksum_crc(bytes, 13, 0), known);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sum_by_hand),
		cmocka_unit_test(sum_wraps),
		cmocka_unit_test(sum_continues),
		cmocka_unit_test(sum_notices_each_bit),
		cmocka_unit_test(sum_notices_each_vector),
		cmocka_unit_test(sum_notices_each_burst),
		cmocka_unit_test(sum_notices_where_words_are),
		cmocka_unit_test(sum_notices_two_bits_of_a_column),
		cmocka_unit_test(sum_notices_a_stuck_bit),
		cmocka_unit_test(sum_counts_zeros),
		cmocka_unit_test(sum_notices_misplaced_sectors),
		cmocka_unit_test(sum_notices_swapped_sectors_of_one_sum),
		cmocka_unit_test(sum_notices_missing_sectors),
		cmocka_unit_test(stage2_by_hand),
		cmocka_unit_test(stage2_notices),
		cmocka_unit_test(loader_leaves_its_field_out),
		cmocka_unit_test(crc_leaves_its_field_out),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
