/* SPDX-License-Identifier: MIT
 *
 * The small parts of building: sizes on the command line, names of images.
 */
#include "build.h"

#include <stdlib.h>

#include "unit.h"

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define TIB (1024 * GIB)

TEST(reads_sizes)
{
	static const struct {
		const char *text;
		uint64_t unit;
		uint64_t size;
	} cases[] = {
		{ "0", 1, 0 },
		{ "1", 1, 1 },
		{ "512", 1, 512 },
		{ "64K", 1, 64 * KIB },
		{ "64k", 1, 64 * KIB },
		{ "3M", 1, 3 * MIB },
		{ "3m", 1, 3 * MIB },
		{ "2G", 1, 2 * GIB },
		{ "2g", 1, 2 * GIB },
		{ "1T", 1, TIB },
		{ "1t", 1, TIB },
		{ "0T", 1, 0 },
		{ "0x10", 1, 16 },
		{ "0x10K", 1, 16 * KIB },
		/* A suffix replaces the unit, it does not multiply it. */
		{ "128", MIB, 128 * MIB },
		{ "128K", MIB, 128 * KIB },
		{ "0", MIB, 0 },
		{ "18446744073709551615", 1, UINT64_MAX },
		{ "0xffffffffffffffff", 1, UINT64_MAX },
		{ "16777215T", 1, UINT64_C(16777215) * TIB },
		{ "17592186044415", MIB, UINT64_C(17592186044415) * MIB },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t size = 12345;

		CHECK(parse_size(cases[i].text, cases[i].unit, &size) == 0, "'%s' refused", cases[i].text);
		CHECK(size == cases[i].size, "'%s' is %llu", cases[i].text, (unsigned long long)size);
	}
}

TEST(refuses_what_is_no_size)
{
	static const char *const texts[] = {
		"", " ", "K", "x", "-1", "+1", " 1", "1 ", "1 K", "1KB", "1KiB", "1KK", "1P", "1B", "1.5M",
		"1e3", "0x", "0xg", "1,000", "1\n", "K1", "-0", "--1", "1-", "0x-1", "nan", "\xff", "1\xff",
		"1\x0b", "1+\x0b",
		/* Too much: in the number, and in the product. */
		"18446744073709551616", "99999999999999999999999999", "0x10000000000000000",
		"16777216T", "17179869184G", "17592186044416M", "18014398509481984K",
		"18446744073709551615K",
	};

	for (size_t i = 0; i < COUNT(texts); i++) {
		uint64_t size = 12345;

		CHECK(parse_size(texts[i], 1, &size) == -1, "'%s' is %llu", texts[i],
		      (unsigned long long)size);
		/* The default stays. */
		CHECK(size == 12345, "'%s' changed the size", texts[i]);
	}
}

TEST(refuses_overflow_by_the_unit)
{
	uint64_t size;

	assert_int_equal(parse_size("17592186044416", MIB, &size), -1);
	assert_int_equal(parse_size("18446744073709551615", 2, &size), -1);
}

/* People who pad with zeros mean decimal. */
TEST(leading_zeros_are_decimal)
{
	uint64_t size = 0;

	assert_int_equal(parse_size("010M", 1, &size), 0);
	assert_int_equal(size, 10 * MIB);
	assert_int_equal(parse_size("08", 1, &size), 0);
	assert_int_equal(size, 8);
}

TEST(names_of_images)
{
	static const struct {
		const char *kernel;
		const char *image;
	} cases[] = {
		{ "kernel.elf", "kernel.img" },
		{ "kernel", "kernel.img" },
		{ "a/b/kernel.elf", "a/b/kernel.img" },
		{ "/kernel.elf", "/kernel.img" },
		{ "./kernel", "./kernel.img" },
		{ "a.elf/kernel", "a.elf/kernel.img" },
		{ "kernel.elf.elf", "kernel.elf.img" },
		{ "kernel.ELF", "kernel.ELF.img" },
		{ "kernel.elf2", "kernel.elf2.img" },
		{ "kernel.bin", "kernel.bin.img" },
		{ "kernelelf", "kernelelf.img" },
		{ "x.elf", "x.img" },
		/* A name that is only the suffix would leave nothing of itself. */
		{ ".elf", ".elf.img" },
		{ "a/.elf", "a/.elf.img" },
		{ "%s%n.elf", "%s%n.img" },
		/* An image of its own, not the kernel itself. */
		{ "kernel.img", "kernel.img.img" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		char *image = build_default_output(cases[i].kernel);

		CHECK(strcmp(image, cases[i].image) == 0, "'%s' becomes '%s'", cases[i].kernel, image);
		free(image);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_sizes),
		cmocka_unit_test(refuses_what_is_no_size),
		cmocka_unit_test(refuses_overflow_by_the_unit),
		cmocka_unit_test(leading_zeros_are_decimal),
		cmocka_unit_test(names_of_images),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
