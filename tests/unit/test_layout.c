/* SPDX-License-Identifier: MIT
 *
 * layout_begin() and what follows, and layout_chs(): where things lie on the disk.
 */
#include "plan/layout.h"

#include "bootabi.h"
#include "unit.h"

#define SECTOR ((uint64_t)SECTOR_SIZE)
#define PAGE_SECTORS (PAGE_SIZE / SECTOR_SIZE)
#define LOADER (17 * SECTOR_SIZE)	/* sector 0 and 16 of stage 2 */
#define TABLE 600			/* bytes: two sectors */
#define SMALLEST (3 * LAYOUT_CYLINDER)
/* Whole cylinders that 32 bits can count, in sectors. */
#define LARGEST (UINT64_C(0xffffffff) / LAYOUT_CYLINDER * LAYOUT_CYLINDER)

static uint64_t sectors_of(uint64_t bytes)
{
	return (bytes + SECTOR - 1) / SECTOR;
}

/* What holds of every layout: the loader, the table and the extents lie one
 * behind the other, on the disk.  Returns its sectors. */
static uint64_t lay_out(const uint64_t *extents, size_t count, size_t table_size, uint64_t min_size)
{
	struct error err = { 0 };
	struct layout layout;

	assert_accepted(layout_begin(&layout, LOADER, table_size, min_size, &err), &err, "layout");
	assert_int_equal(layout.stage2_sectors, sectors_of(LOADER) - 1);
	assert_true(layout.table_lba >= layout.stage2_sectors);
	uint64_t end = layout.table_lba + sectors_of(table_size);
	for (size_t i = 0; i < count; i++) {
		uint64_t lba = layout_extent(&layout);

		CHECK((LAYOUT_BASE + lba) % PAGE_SECTORS == 0, "extent %zu: not aligned", i);
		CHECK(lba >= end, "extent %zu overlaps", i);
		/* Gaps are only for alignment. */
		CHECK(lba - end < PAGE_SECTORS, "extent %zu: a gap before it", i);
		end = lba + sectors_of(extents[i]);
		layout_taken(&layout, extents[i]);
	}
	layout_end(&layout);
	assert_true(layout.total_sectors >= LAYOUT_BASE + end);
	assert_int_equal(layout.total_sectors % LAYOUT_CYLINDER, 0);
	assert_true(layout.total_sectors >= SMALLEST);
	assert_true(layout.total_sectors <= UINT32_MAX);
	assert_true(layout.total_sectors >= sectors_of(min_size));
	return layout.total_sectors;
}

/* ---- Places -------------------------------------------------------------- */

/* Alignment on the disk is alignment in the partition. */
TEST(base_is_aligned)
{
	assert_int_equal(LAYOUT_BASE * SECTOR, 1024 * 1024);
	assert_int_equal(LAYOUT_BASE % PAGE_SECTORS, 0);
}

TEST(empty_plan_takes_three_cylinders)
{
	assert_int_equal(lay_out(NULL, 0, TABLE, 0), SMALLEST);
}

TEST(extents_are_aligned_and_apart)
{
	static const uint64_t extents[] = {
		1, SECTOR_SIZE, SECTOR_SIZE + 1, PAGE_SIZE, PAGE_SIZE + 1, 1000003, 8 * SECTOR_SIZE - 1, 1,
	};

	for (size_t count = 1; count <= COUNT(extents); count++)
		lay_out(extents, count, TABLE, 0);
}

TEST(table_of_any_size)
{
	uint64_t extent = 5;

	for (size_t size = 129; size <= 3 * PAGE_SIZE; size += 127)
		lay_out(&extent, 1, size, 0);
	lay_out(&extent, 1, BT_MAX_BYTES, 0);
}

/* The last extent ends right at the end of three cylinders, or a sector later. */
TEST(whole_cylinders)
{
	/* Stage 2 and the table take 18 sectors, so the extent begins at 24. */
	uint64_t room = (SMALLEST - LAYOUT_BASE - 24) * SECTOR;
	uint64_t fits = room, grows = room + 1;

	assert_int_equal(lay_out(&fits, 1, TABLE, 0), SMALLEST);
	assert_int_equal(lay_out(&grows, 1, TABLE, 0), SMALLEST + LAYOUT_CYLINDER);
}

/* 3 GiB is the most that a kernel may have. */
TEST(largest_kernel)
{
	uint64_t extent = UINT64_C(3) << 30;

	assert_true(lay_out(&extent, 1, TABLE, 0) > UINT64_C(3) << 21);
}

/* ---- The wanted size ----------------------------------------------------- */

TEST(grows_to_the_wanted_size)
{
	assert_int_equal(lay_out(NULL, 0, TABLE, 1), SMALLEST);
	assert_int_equal(lay_out(NULL, 0, TABLE, SMALLEST * SECTOR), SMALLEST);
	assert_int_equal(lay_out(NULL, 0, TABLE, SMALLEST * SECTOR + 1), SMALLEST + LAYOUT_CYLINDER);
	/* 64 MiB are 130.03 cylinders. */
	assert_int_equal(lay_out(NULL, 0, TABLE, UINT64_C(64) << 20), 131 * LAYOUT_CYLINDER);
}

TEST(largest_disk)
{
	assert_int_equal(lay_out(NULL, 0, TABLE, LARGEST * SECTOR), LARGEST);
}

static void refuse_size(uint64_t min_size)
{
	struct error err = { 0 };
	struct layout layout;
	int result = layout_begin(&layout, LOADER, TABLE, min_size, &err);

	assert_refused(result, &err, ERROR_USAGE, "too large", "size");
}

TEST(refuses_what_a_partition_table_cannot_say)
{
	refuse_size(LARGEST * SECTOR + 1);
	refuse_size(UINT64_C(2) << 40);
	refuse_size(UINT64_C(1) << 63);
	refuse_size(UINT64_MAX - SECTOR_SIZE);
	refuse_size(UINT64_MAX);
}

/* ---- Cylinders, heads, sectors ------------------------------------------- */

struct chs_case {
	uint64_t sector;
	unsigned char chs[3];
};

static void check_chs(uint64_t total, const struct chs_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		unsigned char chs[3];

		layout_chs(cases[i].sector, total, chs);
		CHECK(memcmp(chs, cases[i].chs, 3) == 0, "sector %llu: %02x %02x %02x",
		      (unsigned long long)cases[i].sector, chs[0], chs[1], chs[2]);
	}
}

/* 16 heads of 63 sectors: what the smallest image has. */
TEST(chs_of_a_small_disk)
{
	static const struct chs_case cases[] = {
		{ 0, { 0, 1, 0 } },
		{ 62, { 0, 63, 0 } },
		{ 63, { 1, 1, 0 } },
		{ 1007, { 15, 63, 0 } },
		{ 1008, { 0, 1, 1 } },
		/* Two cylinders are 2016 sectors. */
		{ LAYOUT_BASE, { 0, 33, 2 } },
		{ SMALLEST - 1, { 15, 63, 2 } },
	};

	check_chs(SMALLEST, cases, COUNT(cases));
}

/* 504 MiB: the cylinder's upper bits lie in the sector's byte. */
TEST(chs_of_the_largest_small_disk)
{
	static const struct chs_case cases[] = {
		{ LAYOUT_BASE, { 0, 33, 2 } },
		{ 255 * 1008, { 0, 0x01, 255 } },
		{ 256 * 1008, { 0, 0x41, 0 } },
		{ 512 * 1008 + 62, { 0, 0xbf, 0 } },
		{ 1024 * 1008 - 1, { 15, 0xff, 0xff } },
	};

	check_chs(1024 * 1008, cases, COUNT(cases));
}

/* A cylinder more: 255 heads, 16065 sectors a cylinder. */
TEST(chs_of_a_large_disk)
{
	static const struct chs_case cases[] = {
		{ 0, { 0, 1, 0 } },
		{ LAYOUT_BASE, { 32, 33, 0 } },
		{ 16064, { 254, 63, 0 } },
		{ 16065, { 0, 1, 1 } },
		/* 64 cylinders, 79 heads and 62 sectors. */
		{ 1025 * 1008 - 1, { 79, 63, 64 } },
	};

	check_chs(1025 * 1008, cases, COUNT(cases));
}

/* About 7.84 GiB are as far as 1024 cylinders reach. */
TEST(chs_out_of_reach)
{
	static const struct chs_case cases[] = {
		{ 300 * 16065, { 0, 0x41, 44 } },
		{ 1023 * 16065, { 0, 0xc1, 0xff } },
		{ 1024 * 16065 - 1, { 0xfe, 0xff, 0xff } },
		{ 1024 * 16065, { 0xfe, 0xff, 0xff } },
		{ LARGEST - 1, { 0xfe, 0xff, 0xff } },
	};

	check_chs(LARGEST, cases, COUNT(cases));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base_is_aligned),
		cmocka_unit_test(empty_plan_takes_three_cylinders),
		cmocka_unit_test(extents_are_aligned_and_apart),
		cmocka_unit_test(table_of_any_size),
		cmocka_unit_test(whole_cylinders),
		cmocka_unit_test(largest_kernel),
		cmocka_unit_test(grows_to_the_wanted_size),
		cmocka_unit_test(largest_disk),
		cmocka_unit_test(refuses_what_a_partition_table_cannot_say),
		cmocka_unit_test(chs_of_a_small_disk),
		cmocka_unit_test(chs_of_the_largest_small_disk),
		cmocka_unit_test(chs_of_a_large_disk),
		cmocka_unit_test(chs_out_of_reach),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
