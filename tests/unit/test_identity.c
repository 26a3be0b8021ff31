/* SPDX-License-Identifier: MIT
 *
 * What tells one kernel from another: every byte that is loaded, and no other; the
 * same number in whatever steps it is made.
 */
#include "kernel/identity.h"

#include <stdlib.h>
#include <zlib.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "bootabi.h"
#include "elf_maker.h"
#include "unit.h"

#define FILE_SIZE 0x2000

/* Not in the order of addresses, and of no whole sectors; part of the last one's bytes
 * are the first one's, too. */
static const Elf64_Phdr phdrs[] = {
	{ .p_type = PT_LOAD, .p_offset = 0x1200, .p_vaddr = 0x203200, .p_filesz = 0x9a3, .p_memsz = 0x1000 },
	{ .p_type = PT_LOAD, .p_offset = 0x300, .p_vaddr = 0x200300, .p_filesz = 0x400, .p_memsz = 0x400 },
	{ .p_type = PT_LOAD, .p_vaddr = 0x202000, .p_memsz = 0x1000 },
	{ .p_type = PT_LOAD, .p_offset = 0x1100, .p_vaddr = 0x205100, .p_filesz = 0x201, .p_memsz = 0x300 },
};
static const struct elf_spec spec = { .phdrs = phdrs, .count = COUNT(phdrs), .size = FILE_SIZE };
/* Bytes that no segment has. */
static const size_t not_loaded[] = { 0x2ff, 0x700, 0x10ff, 0x1ba3, FILE_SIZE - 1 };

static void parse(struct kernel *kernel, const unsigned char *bytes, size_t size)
{
	struct error err = { 0 };

	assert_accepted(kernel_parse(kernel, bytes, size, "k.elf", &err), &err, "parse");
}

static uint32_t crc_of(const unsigned char *bytes, size_t size)
{
	struct kernel kernel;

	parse(&kernel, bytes, size);
	uint32_t crc = kernel_crc(&kernel);
	kernel_free(&kernel);
	return crc;
}

/* As include/bootabi.h says. */
static uint32_t add_segment(uint32_t crc, const unsigned char *bytes, size_t size)
{
	size_t whole = align_up(size, SECTOR_SIZE);
	unsigned char *filled = calloc(1, whole + 1), sums[32];
	uint64_t sum[4];

	memcpy(filled, bytes, size);
	checksum_extent_start(sum);
	checksum_extent(sum, filled, whole);
	for (size_t i = 0; i < 4; i++)
		put_le64(sums + 8 * i, sum[i]);
	free(filled);
	return (uint32_t)crc32(crc, sums, sizeof(sums));
}

TEST(is_what_the_header_says)
{
	size_t size;
	unsigned char *bytes = elf_make(&spec, &size);
	uint32_t crc = add_segment(0, bytes + 0x300, 0x400);

	crc = add_segment(crc, bytes, 0);
	crc = add_segment(crc, bytes + 0x1200, 0x9a3);
	crc = add_segment(crc, bytes + 0x1100, 0x201);
	assert_int_equal(crc_of(bytes, size), crc);
	free(bytes);
}

TEST(every_byte_counts_that_is_loaded)
{
	size_t size;
	unsigned char *bytes = elf_make(&spec, &size);
	uint32_t crc = crc_of(bytes, size);

	for (size_t i = 0; i < COUNT(not_loaded); i++)
		bytes[not_loaded[i]] ^= 0x40;
	assert_int_equal(crc_of(bytes, size), crc);
	for (size_t k = 0; k < COUNT(phdrs); k++) {
		for (size_t i = phdrs[k].p_offset; i < phdrs[k].p_offset + phdrs[k].p_filesz; i++) {
			bytes[i] ^= 1;
			CHECK(crc_of(bytes, size) != crc, "0x%zx: not noticed", i);
			bytes[i] ^= 1;
		}
	}
	free(bytes);
}

/* strip changes them even where they are loaded. */
TEST(headers_do_not_count)
{
	const Elf64_Phdr phdr = { .p_type = PT_LOAD, .p_vaddr = 0x200000, .p_filesz = FILE_SIZE,
				  .p_memsz = FILE_SIZE };
	const struct elf_spec whole = { .phdrs = &phdr, .count = 1, .size = FILE_SIZE };
	size_t size, headers = elf_headers_size(&whole);
	unsigned char *bytes = elf_make(&whole, &size);
	uint32_t crc = crc_of(bytes, size);

	assert_int_equal(crc, add_segment(0, bytes + headers, FILE_SIZE - headers));
	elf_edit(bytes, EH64(e_shoff), 8, 0x12345678);
	assert_int_equal(crc_of(bytes, size), crc);
	bytes[headers] ^= 1;
	assert_int_not_equal(crc_of(bytes, size), crc);
	free(bytes);
}

/* Forwards, backwards, twice, beyond the end. */
TEST(steps_do_not_matter)
{
	uint64_t seed = 7;
	struct kernel kernel;
	size_t size;
	unsigned char *bytes = elf_make(&spec, &size);

	parse(&kernel, bytes, size);
	uint32_t crc = kernel_crc(&kernel);
	for (int round = 0; round < 2000; round++) {
		struct identity identity;
		uint64_t steps = random_next(&seed) % 10;

		identity_begin(&identity, &kernel);
		for (uint64_t i = 0; i < steps; i++)
			identity_take(&identity, random_next(&seed) % (FILE_SIZE + 0x100));
		CHECK(identity_end(&identity) == crc, "round %d", round);
	}
	kernel_free(&kernel);
	free(bytes);
}

TEST(flat_files_have_none)
{
	const struct kernel flat = { .bytes = (const unsigned char *)"flat", .size = 4 };

	assert_int_equal(kernel_crc(&flat), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_what_the_header_says),
		cmocka_unit_test(every_byte_counts_that_is_loaded),
		cmocka_unit_test(headers_do_not_count),
		cmocka_unit_test(steps_do_not_matter),
		cmocka_unit_test(flat_files_have_none),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
