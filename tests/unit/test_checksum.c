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
	memset(sum, 0, 4 * sizeof(sum[0]));
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

/* By hand: a is the sum of a sector's vectors, b the sum of all a on the way; then
 * comes the next sector. */
TEST(sum_by_hand)
{
	unsigned char bytes[2 * SECTOR_SIZE] = { 0 };
	uint64_t sum[4];

	put_le64(bytes, 5);		/* the first of 32 vectors, lane 0 */
	put_le64(bytes + 16 + 8, 7);	/* the second, lane 1 */
	put_le64(bytes + 496, 1);	/* the last one */
	put_le64(bytes + SECTOR_SIZE, 2);
	sum_of(sum, bytes, SECTOR_SIZE);
	assert_int_equal(sum[0], 6);
	assert_int_equal(sum[1], 7);
	assert_int_equal(sum[2], 32 * 5 + 1);
	assert_int_equal(sum[3], 31 * 7);
	sum_of(sum, bytes, sizeof(bytes));
	assert_true(sum[0] == 6 * EXTENT_FACTOR + 2);
	assert_true(sum[1] == 7 * EXTENT_FACTOR);
	assert_true(sum[2] == (32 * 5 + 1) * EXTENT_FACTOR + 32 * 2);
	assert_true(sum[3] == 31 * 7 * EXTENT_FACTOR);
}

TEST(sum_wraps)
{
	unsigned char bytes[SECTOR_SIZE];
	uint64_t sum[4];

	memset(bytes, 0xff, sizeof(bytes));
	sum_of(sum, bytes, sizeof(bytes));
	/* Each vector is -1. */
	assert_int_equal(sum[0], UINT64_MAX - 31);
	assert_int_equal(sum[2], 0 - UINT64_C(32) * 33 / 2);
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
	uint32_t good = checksum_stage2(bytes, sizeof(bytes)), crc = checksum_crc(bytes, sizeof(bytes), 12);
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
			CHECK(i == k || checksum_crc(other, sizeof(other), 12) != crc, "%zu over %zu", k, i);
			memcpy(other + k * SECTOR_SIZE, bytes + i * SECTOR_SIZE, SECTOR_SIZE);
			CHECK(i == k || checksum_stage2(other, sizeof(other)) != good, "%zu for %zu", k, i);
			CHECK(i == k || checksum_crc(other, sizeof(other), 12) != crc, "%zu for %zu", k, i);
		}
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
		cmocka_unit_test(sum_notices_misplaced_sectors),
		cmocka_unit_test(sum_notices_swapped_sectors_of_one_sum),
		cmocka_unit_test(sum_notices_missing_sectors),
		cmocka_unit_test(stage2_by_hand),
		cmocka_unit_test(stage2_notices),
		cmocka_unit_test(crc_leaves_its_field_out),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
