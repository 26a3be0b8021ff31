/* SPDX-License-Identifier: MIT
 *
 * The bootloader crate's configuration: names of features, addresses, and whose
 * word counts.
 */
#include "config/crate.h"

#include "unit.h"

#define ALL (CRATE_MAP_PHYSICAL_MEMORY | CRATE_RECURSIVE_PAGE_TABLE | CRATE_SSE | CRATE_VGA_320X200)

/* ---- Features ------------------------------------------------------------ */

TEST(features_by_name)
{
	static const struct {
		const char *name;
		uint32_t feature;
	} cases[] = {
		{ "map_physical_memory", CRATE_MAP_PHYSICAL_MEMORY },
		{ "recursive_page_table", CRATE_RECURSIVE_PAGE_TABLE },
		{ "sse", CRATE_SSE },
		{ "vga_320x200", CRATE_VGA_320X200 },
		{ "", 0 },
		{ "SSE", 0 },
		{ "sse2", 0 },
		{ "ss", 0 },
		{ "sse ", 0 },
		{ " sse", 0 },
		{ "sse,", 0 },
		{ "map-physical-memory", 0 },
		{ "map_physical_memory,sse", 0 },
		/* Only the crate's own build has these. */
		{ "binary", 0 },
		{ "default", 0 },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		CHECK(crate_feature(cases[i].name) == cases[i].feature, "'%s'", cases[i].name);
}

/* The list for messages is made of all names. */
TEST(feature_names_are_features)
{
	const char *wrong;
	uint32_t features = 0;
	int length;

	assert_int_equal(crate_parse_features(CRATE_FEATURE_NAMES, &features, &wrong, &length), 0);
	assert_int_equal(features, ALL);
}

TEST(reads_features)
{
	static const struct {
		const char *text;
		uint32_t features;
	} cases[] = {
		{ "", 0 },
		{ " ", 0 },
		{ ",", 0 },
		{ " ,, , ", 0 },
		{ "sse", CRATE_SSE },
		{ ",sse,", CRATE_SSE },
		{ "  sse  ", CRATE_SSE },
		{ "sse,sse", CRATE_SSE },
		{ "sse,vga_320x200", CRATE_SSE | CRATE_VGA_320X200 },
		{ "sse vga_320x200", CRATE_SSE | CRATE_VGA_320X200 },
		{ "sse ,, vga_320x200", CRATE_SSE | CRATE_VGA_320X200 },
		{ "vga_320x200,sse,recursive_page_table,map_physical_memory", ALL },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		uint32_t features = 0x12345678;
		const char *wrong;
		int length;

		CHECK(crate_parse_features(cases[i].text, &features, &wrong, &length) == 0, "'%s' refused",
		      cases[i].text);
		CHECK(features == cases[i].features, "'%s' is 0x%x", cases[i].text, features);
	}
}

TEST(names_the_wrong_feature)
{
	static const struct {
		const char *text;
		size_t at;
		int length;
	} cases[] = {
		{ "x", 0, 1 },
		{ "sse2", 0, 4 },
		{ "ss", 0, 2 },
		{ "SSE", 0, 3 },
		{ "sse,bogus", 4, 5 },
		{ "bogus,sse", 0, 5 },
		{ "sse , bogus , vga_320x200", 6, 5 },
		{ "sse;vga_320x200", 0, 15 },
		{ "sse\tvga_320x200", 0, 15 },
		{ "sse\n", 0, 4 },
		{ "map_physical", 0, 12 },
		{ "map_physical_memory_", 0, 20 },
		/* The first one. */
		{ "a,b", 0, 1 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *wrong = NULL;
		uint32_t features;
		int length = -1;

		CHECK(crate_parse_features(cases[i].text, &features, &wrong, &length) == -1, "'%s' accepted",
		      cases[i].text);
		CHECK(wrong == cases[i].text + cases[i].at && length == cases[i].length,
		      "'%s': %d bytes '%s'", cases[i].text, length, wrong);
	}
}

/* ---- Addresses ----------------------------------------------------------- */

TEST(reads_addresses)
{
	static const struct {
		const char *text;
		uint64_t address;
	} cases[] = {
		{ "4096", 0x1000 },
		{ "0x1000", 0x1000 },
		{ "0X1000", 0x1000 },
		{ "0xabcdef000", 0xabcdef000 },
		{ "0xABCDEF000", 0xabcdef000 },
		{ "0x0000_1000", 0x1000 },
		{ "0xFFFF_8000_0000_0000", 0xffff800000000000 },
		{ "0x1__0_0___0", 0x1000 },
		{ "0x_FFFF_8000_0000_0000", 0xffff800000000000 },
		{ "0x__1000__", 0x1000 },
		{ "_4_096_", 0x1000 },
		{ "1_0_9_9_5_1_1_6_2_7_7_7_6", UINT64_C(1) << 40 },
		{ "1099511627776", UINT64_C(1) << 40 },
		/* Decimal all the same. */
		{ "04096", 0x1000 },
		{ "0000000000000000000000000000004096", 0x1000 },
		{ "0x000000000000000000000000000001000", 0x1000 },
		{ "0xfffffffffffff000", 0xfffffffffffff000 },
		{ "18446744073709547520", 0xfffffffffffff000 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t address = 12345;

		CHECK(crate_parse_address(cases[i].text, &address) == 0, "'%s' refused", cases[i].text);
		CHECK(address == cases[i].address, "'%s' is 0x%llx", cases[i].text,
		      (unsigned long long)address);
	}
}

TEST(refuses_what_is_no_address)
{
	static const char *const texts[] = {
		/* No number. */
		"", " ", "0x", "0X", "x", "x1000", "1000x", "0x1000x", "0xg000", "0y1000", "a000", "0x-1000",
		"-4096", "+4096", " 4096", "4096 ", "4096\n", "4K", "4,096", "4096.0", "0x0x1000", "\xff",
		"0x1000\xff", "nan", "0b1000000000000", "0o10000",
		/* "_" is no digit, nor part of the prefix. */
		"_", "__", "0x_", "0x__", "0_x1000", "_0x1000", "0x_0x1000", "-_4096", "4_K",
		/* Nowhere, or not on a page. */
		"0", "0x0", "00", "0_0", "1", "4095", "4097", "0xfff", "0x1001", "0x1800",
		"0xffffffffffffffff", "18446744073709551615",
		/* Too much: by a page, by a digit, by many. */
		"18446744073709551616", "18446744073709555712", "184467440737095475200",
		/* It would come round to 5 pages. */
		"184467440737095516180480",
		"0x10000000000000000", "0x1fffffffffffff000", "0xfffffffffffff0000",
		"99999999999999999999999999999999999999", "0xfffffffffffffffffffffffffffffffffffff000",
	};

	for (size_t i = 0; i < COUNT(texts); i++) {
		uint64_t address = 12345;

		CHECK(crate_parse_address(texts[i], &address) == -1, "'%s' is 0x%llx", texts[i],
		      (unsigned long long)address);
		/* What was said before stays. */
		CHECK(address == 12345, "'%s' changed the address", texts[i]);
	}
}

/* ---- What was said -------------------------------------------------------- */

TEST(first_option_that_is_given)
{
	struct crate_options options = { 0 };

	assert_null(crate_given(&options));
	options.physical_memory_offset = 0x200000;
	assert_string_equal(crate_given(&options), "physical-memory-offset");
	options.boot_info_address = 0x1000;
	assert_string_equal(crate_given(&options), "boot-info-address");
	options.stack_address = 0x1000;
	assert_string_equal(crate_given(&options), "kernel-stack-address");
	/* To say that there are none is to say something. */
	options.has_features = true;
	assert_string_equal(crate_given(&options), "features");
}

TEST(each_option_alone_is_given)
{
	static const struct {
		struct crate_options options;
		const char *name;
	} cases[] = {
		{ { .has_features = true }, "features" },
		{ { .stack_address = 0x1000 }, "kernel-stack-address" },
		{ { .boot_info_address = 0x1000 }, "boot-info-address" },
		{ { .physical_memory_offset = 0x200000 }, "physical-memory-offset" },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(crate_given(&cases[i].options), cases[i].name);
}

static void check_options(const struct crate_options *options, bool has, uint32_t features,
			  uint64_t stack, uint64_t boot_info, uint64_t offset)
{
	assert_true(options->has_features == has);
	assert_int_equal(options->features, features);
	assert_int_equal(options->stack_address, stack);
	assert_int_equal(options->boot_info_address, boot_info);
	assert_int_equal(options->physical_memory_offset, offset);
}

TEST(merges_what_is_not_given)
{
	const struct crate_options others = { true, CRATE_SSE, 0x1000, 0x2000, 0x200000 };
	const struct crate_options nothing = { 0 };
	struct crate_options options = { 0 };

	crate_merge(&options, &nothing);
	check_options(&options, false, 0, 0, 0, 0);
	crate_merge(&options, &others);
	check_options(&options, true, CRATE_SSE, 0x1000, 0x2000, 0x200000);
	crate_merge(&options, &nothing);
	check_options(&options, true, CRATE_SSE, 0x1000, 0x2000, 0x200000);
	check_options(&others, true, CRATE_SSE, 0x1000, 0x2000, 0x200000);
}

/* One by one: features are not added up, and none is not "not given". */
TEST(what_is_given_counts)
{
	const struct crate_options others = { true, CRATE_SSE, 0x1000, 0x2000, 0x200000 };
	struct crate_options options = { .has_features = true, .features = CRATE_VGA_320X200 };

	crate_merge(&options, &others);
	check_options(&options, true, CRATE_VGA_320X200, 0x1000, 0x2000, 0x200000);
	options = (struct crate_options){ .has_features = true };
	crate_merge(&options, &others);
	check_options(&options, true, 0, 0x1000, 0x2000, 0x200000);
	options = (struct crate_options){ .stack_address = 0x9000 };
	crate_merge(&options, &others);
	check_options(&options, true, CRATE_SSE, 0x9000, 0x2000, 0x200000);
	options = (struct crate_options){ .boot_info_address = 0x9000 };
	crate_merge(&options, &others);
	check_options(&options, true, CRATE_SSE, 0x1000, 0x9000, 0x200000);
	options = (struct crate_options){ .physical_memory_offset = 0x400000 };
	crate_merge(&options, &others);
	check_options(&options, true, CRATE_SSE, 0x1000, 0x2000, 0x400000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(features_by_name),
		cmocka_unit_test(feature_names_are_features),
		cmocka_unit_test(reads_features),
		cmocka_unit_test(names_the_wrong_feature),
		cmocka_unit_test(reads_addresses),
		cmocka_unit_test(refuses_what_is_no_address),
		cmocka_unit_test(first_option_that_is_given),
		cmocka_unit_test(each_option_alone_is_given),
		cmocka_unit_test(merges_what_is_not_given),
		cmocka_unit_test(what_is_given_counts),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
