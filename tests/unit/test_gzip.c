/* SPDX-License-Identifier: MIT
 *
 * gzip files: unpacked to the byte, or refused with a sentence that says why.
 */
#include "base/gzip.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#define ZLIB_CONST
#include <zlib.h>

#include "kernel/kernel_file.h"
#include "unit.h"

#define NAME "kernel.gz"

/* ---- Files ---------------------------------------------------------------------- */

/* Bytes as gzip packs them; the caller frees. */
static unsigned char *pack(const unsigned char *bytes, size_t size, size_t *packed_size)
{
	unsigned char *packed = malloc(size + size / 100 + 100);
	z_stream stream = { .next_in = bytes, .avail_in = (uInt)size };

	assert_non_null(packed);
	assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	stream.next_out = packed;
	stream.avail_out = (uInt)(size + size / 100 + 100);
	assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
	*packed_size = stream.total_out;
	deflateEnd(&stream);
	return packed;
}

/* A file with these bytes, in the current directory. */
static void write_file(const unsigned char *bytes, size_t size)
{
	FILE *file = fopen(NAME, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static int unpack(const unsigned char *packed, size_t size, struct file_view *file, struct error *err)
{
	write_file(packed, size);
	assert_accepted(file_open(file, NAME, err), err, "open");
	return gzip_unpack(file, NAME, err);
}

static void refuse(const unsigned char *packed, size_t size, const char *says)
{
	struct file_view file;
	struct error err = { 0 };

	assert_refused(unpack(packed, size, &file, &err), &err, ERROR_INPUT, says, NAME);
	assert_non_null(strstr(err.text, "'" NAME "'"));
	assert_int_equal(file.fd, -1);
	assert_null(file.bytes);
}

/* An ELF file, as far as that is looked at. */
static unsigned char elf[300000];

static void make_elf(void)
{
	uint64_t seed = 9;

	memcpy(elf, "\177ELF", 4);
	for (size_t i = 4; i < sizeof(elf); i++)
		elf[i] = (unsigned char)(random_next(&seed) & 0x33);
}

/* ---- Whole ones ----------------------------------------------------------------- */

TEST(unpacks)
{
	static const size_t sizes[] = { 1, 2, 100, 65536, 262143, 262144, 262145, sizeof(elf) };

	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct file_view file;
		struct error err = { 0 };
		size_t packed_size;
		unsigned char *packed = pack(elf, sizes[i], &packed_size), back[16];

		assert_true(gzip_is(packed, packed_size));
		assert_accepted(unpack(packed, packed_size, &file, &err), &err, "unpack");
		assert_int_equal(file.size, sizes[i]);
		assert_int_equal(file.packed_size, packed_size);
		assert_memory_equal(file.bytes, elf, sizes[i]);
		/* What is read of the file is the same. */
		assert_int_equal(pread(file.fd, back, sizeof(back), 0), sizes[i] < 16 ? sizes[i] : 16);
		assert_memory_equal(back, elf, sizes[i] < 16 ? sizes[i] : 16);
		file_close(&file);
		free(packed);
	}
}

TEST(tells_gzip_files)
{
	static const unsigned char magic[] = { 0x1f, 0x8b, 8 };

	assert_true(gzip_is(magic, 3));
	assert_false(gzip_is(magic, 2));
	assert_false(gzip_is(magic, 0));
	assert_false(gzip_is(elf, sizeof(elf)));
}

TEST(peeks)
{
	unsigned char start[600];
	size_t size;
	unsigned char *packed = pack(elf, sizeof(elf), &size);

	assert_int_equal(gzip_peek(packed, size, start, sizeof(start)), sizeof(start));
	assert_memory_equal(start, elf, sizeof(start));
	assert_int_equal(gzip_peek(elf, sizeof(elf), start, sizeof(start)), 0);
	/* What is cut off or damaged further on does not matter yet. */
	assert_int_equal(gzip_peek(packed, size / 2, start, sizeof(start)), sizeof(start));
	for (size_t cut = 0; cut < 40; cut++)
		assert_true(gzip_peek(packed, cut, start, sizeof(start)) <= sizeof(start));
	free(packed);
	packed = pack(elf, 5, &size);
	assert_int_equal(gzip_peek(packed, size, start, sizeof(start)), 5);
	free(packed);
}

/* ---- Bad ones -------------------------------------------------------------------- */

TEST(truncated)
{
	size_t size;
	unsigned char *packed = pack(elf, 500, &size);

	for (size_t cut = 3; cut < size; cut++)
		refuse(packed, cut, "is truncated");
	free(packed);
}

/* The trailer has a CRC, so that no change gets past. */
TEST(damaged)
{
	size_t size;
	unsigned char *packed = pack(elf, sizeof(elf), &size);

	/* Behind the header, of which little matters. */
	for (size_t i = 10; i < size; i += size / 97) {
		packed[i] ^= 0x10;
		refuse(packed, size, "'" NAME "'");
		packed[i] ^= 0x10;
	}
	packed[size - 1] ^= 1;
	refuse(packed, size, "is damaged: its gzip data cannot be unpacked (incorrect length check)");
	packed[size - 1] ^= 1;
	packed[size - 5] ^= 1;
	refuse(packed, size, "is damaged: its gzip data cannot be unpacked (incorrect data check)");
	free(packed);
}

TEST(something_behind)
{
	size_t size;
	unsigned char *packed = pack(elf, 500, &size), *longer = calloc(2, size);

	assert_non_null(longer);
	memcpy(longer, packed, size);
	refuse(longer, size + 1, "with 1 more bytes behind its end");
	memcpy(longer + size, packed, size);
	refuse(longer, 2 * size, "more bytes behind its end");
	free(longer);
	free(packed);
}

TEST(nothing)
{
	size_t size;
	unsigned char *packed = pack(elf, 0, &size);

	refuse(packed, size, "is a gzip file of nothing");
	free(packed);
}

/* More than half a GiB out of half a MiB. */
TEST(bomb)
{
	static const unsigned char zeros[1 << 20];
	unsigned char *packed = malloc(1 << 20);
	z_stream stream = { .next_out = packed, .avail_out = 1 << 20 };

	assert_non_null(packed);
	assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	for (size_t done = 0; done <= GZIP_MOST; done += sizeof(zeros)) {
		stream.next_in = zeros;
		stream.avail_in = sizeof(zeros);
		assert_int_equal(deflate(&stream, Z_NO_FLUSH), Z_OK);
	}
	assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
	refuse(packed, stream.total_out, "is a gzip file that unpacks to more than 512 MiB");
	deflateEnd(&stream);
	free(packed);
}

/* ---- Kernels and modules ------------------------------------------------------------ */

/* How a file that holds these bytes, packed, is taken. */
static void check_taken(const unsigned char *bytes, size_t size, bool module_is_unpacked)
{
	struct file_view file;
	struct error err = { 0 };
	size_t packed_size;
	unsigned char *packed = pack(bytes, size, &packed_size);

	write_file(packed, packed_size);
	assert_accepted(kernel_file_open(&file, NAME, &err), &err, "kernel");
	assert_int_equal(file.size, size);
	file_close(&file);
	assert_accepted(module_file_open(&file, NAME, &err), &err, "module");
	assert_int_equal(file.size, module_is_unpacked ? size : packed_size);
	assert_int_equal(file.packed_size, module_is_unpacked ? packed_size : 0);
	file_close(&file);
	free(packed);
}

TEST(modules_are_unpacked_if_they_are_code)
{
	unsigned char linux_image[0x300] = { 0 };

	check_taken(elf, sizeof(elf), true);
	check_taken(linux_image, sizeof(linux_image), false);
	memcpy(linux_image + 0x202, "HdrS", 4);
	check_taken(linux_image, sizeof(linux_image), true);
	check_taken(linux_image, 0x206, true);
	check_taken(linux_image, 0x205, false);
	check_taken((const unsigned char *)"070701", 6, false);
	/* What is in a gzip file in a gzip file is not looked at. */
	size_t size;
	unsigned char *packed = pack(elf, sizeof(elf), &size);
	check_taken(packed, size, false);
	free(packed);
}

TEST(files_that_are_not_packed)
{
	struct file_view file;
	struct error err = { 0 };

	write_file(elf, 1000);
	assert_accepted(kernel_file_open(&file, NAME, &err), &err, "kernel");
	assert_int_equal(file.size, 1000);
	assert_int_equal(file.packed_size, 0);
	file_close(&file);
	write_file(elf, 0);
	assert_refused(kernel_file_open(&file, NAME, &err), &err, ERROR_INPUT, "is empty", "kernel");
	assert_accepted(module_file_open(&file, NAME, &err), &err, "module");
	assert_int_equal(file.size, 0);
	file_close(&file);
}

/* A module that is no code may be anything, even damaged. */
TEST(damaged_modules)
{
	static const unsigned char bytes[] = { 0x1f, 0x8b, 8, 0xff, 0xff, 1, 2, 3 };
	struct file_view file;
	struct error err = { 0 };
	size_t size;

	write_file(bytes, sizeof(bytes));
	assert_accepted(module_file_open(&file, NAME, &err), &err, "module");
	assert_int_equal(file.size, sizeof(bytes));
	file_close(&file);
	unsigned char *packed = pack(elf, sizeof(elf), &size);
	write_file(packed, size - 1);
	assert_refused(module_file_open(&file, NAME, &err), &err, ERROR_INPUT, "is truncated", "module");
	free(packed);
}

static int enter_directory(void **state)
{
	static char path[] = "/tmp/mkbootimg-test.XXXXXX";

	*state = path;
	make_elf();
	return mkdtemp(path) == NULL || chdir(path) != 0;
}

static int remove_directory(void **state)
{
	return unlink(NAME) != 0 || rmdir(*state) != 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unpacks),
		cmocka_unit_test(tells_gzip_files),
		cmocka_unit_test(peeks),
		cmocka_unit_test(truncated),
		cmocka_unit_test(damaged),
		cmocka_unit_test(something_behind),
		cmocka_unit_test(nothing),
		cmocka_unit_test(bomb),
		cmocka_unit_test(modules_are_unpacked_if_they_are_code),
		cmocka_unit_test(files_that_are_not_packed),
		cmocka_unit_test(damaged_modules),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, enter_directory, remove_directory);
}
