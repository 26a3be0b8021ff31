/* SPDX-License-Identifier: MIT
 *
 * flash_write() and flash_compare(), on files in place of devices: what is written,
 * what is not, and what is left when it ends early.  And how progress is told.
 */
#include "flash/flash.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fileio.h"
#include "base/progress.h"
#include "unit.h"

#define MIB (1024 * 1024)
#define PAGE 4096

static volatile sig_atomic_t stop;

/* A file in memory of so many bytes, of zeros. */
static int new_file(size_t size)
{
	int fd = memfd_create("test", 0);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	return fd;
}

static void fill(int fd, uint64_t offset, size_t size, unsigned char value)
{
	unsigned char *bytes = malloc(size);

	assert_non_null(bytes);
	memset(bytes, value, size);
	assert_int_equal(pwrite(fd, bytes, size, (off_t)offset), (ssize_t)size);
	free(bytes);
}

static bool same(int a, int b, size_t size)
{
	unsigned char *x = malloc(size), *y = malloc(size);

	assert_true(x != NULL && y != NULL);
	assert_int_equal(file_read_at(a, x, size, 0), size);
	assert_int_equal(file_read_at(b, y, size, 0), size);
	bool result = memcmp(x, y, size) == 0;
	free(x);
	free(y);
	return result;
}

static struct flash job(int image, int device, size_t size)
{
	stop = 0;
	return (struct flash){ .image = image, .image_name = "image", .device = device,
			       .device_name = "device", .size = size, .quiet = true, .stop = &stop };
}

static void write_all(struct flash *flash)
{
	struct error err = { .class = ERROR_NONE };

	assert_accepted(flash_write(flash, &err), &err, "flash_write");
	assert_int_equal(flash->state, FLASH_WRITTEN);
	assert_true(same(flash->image, flash->device, flash->size));
	assert_accepted(flash_compare(flash, &err), &err, "flash_compare");
	assert_int_equal(flash->state, FLASH_COMPARED);
}

/* Some data, in the first chunk, across two, and at an end that is no page's. */
#define SIZE (5 * MIB + 3 * 512)
static int make_image(void)
{
	int image = new_file(SIZE);

	fill(image, 0, 512, 1);
	fill(image, 3 * PAGE, 2 * PAGE, 2);
	fill(image, 2 * MIB - 700, 1400, 3);
	fill(image, SIZE - 100, 100, 4);
	return image;
}

TEST(an_empty_device_gets_the_data_only)
{
	struct flash flash = job(make_image(), new_file(8 * MIB), SIZE);

	write_all(&flash);
	/* Its first block was zero already, and is cleared all the same. */
	assert_int_equal(flash.written, PAGE + PAGE + 2 * PAGE + 2 * PAGE + 3 * 512);
	assert_int_equal(flash.cleared, 0);
	close(flash.image);
	close(flash.device);
}

TEST(the_same_again_writes_nothing)
{
	struct flash flash = job(make_image(), new_file(8 * MIB), SIZE);

	write_all(&flash);
	flash.written = 0;
	write_all(&flash);
	assert_int_equal(flash.written, 0);
	close(flash.image);
	close(flash.device);
}

TEST(old_data_goes_and_nothing_behind_the_image)
{
	int device = new_file(8 * MIB);

	fill(device, 0, 8 * MIB, 0xa5);
	struct flash flash = job(make_image(), device, SIZE);
	write_all(&flash);
	/* Large runs of zeros the device makes. */
	assert_true(flash.cleared > 4 * MIB && flash.written < MIB);
	static unsigned char last[8 * MIB - SIZE];	/* too much for a stack */
	assert_int_equal(pread(device, last, sizeof(last), SIZE), sizeof(last));
	for (size_t i = 0; i < sizeof(last); i++)
		assert_int_equal(last[i], 0xa5);
	close(flash.image);
	close(flash.device);
}

TEST(one_block_that_differs_is_written_with_the_first)
{
	struct flash flash = job(make_image(), new_file(8 * MIB), SIZE);

	write_all(&flash);
	fill(flash.device, 3 * MIB + 5, 1, 1);
	flash.written = 0;
	write_all(&flash);
	assert_int_equal(flash.written, 3 * PAGE);
	fill(flash.device, 100, 1, 9);
	flash.written = 0;
	write_all(&flash);
	assert_int_equal(flash.written, PAGE);
	close(flash.image);
	close(flash.device);
}

TEST(images_of_any_size)
{
	static const size_t sizes[] = { 1, 511, 512, PAGE - 1, PAGE, PAGE + 1, MIB - 1, MIB, MIB + 1, 3 * MIB };

	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct flash flash = job(new_file(sizes[i]), new_file(4 * MIB), sizes[i]);

		fill(flash.image, 0, sizes[i], 7);
		write_all(&flash);
		close(flash.image);
		close(flash.device);
	}
}

TEST(stopped_before_anything)
{
	struct flash flash = job(make_image(), new_file(8 * MIB), SIZE);
	struct error err;

	stop = SIGINT;
	assert_int_equal(flash_write(&flash, &err), FLASH_STOPPED);
	assert_int_equal(flash.state, FLASH_UNTOUCHED);
	assert_int_equal(flash.written, 0);
	close(flash.image);
	close(flash.device);
}

/* A device of which a part cannot be written: a file that may not grow. */
TEST(what_cannot_be_written_leaves_no_partition_table)
{
	int device = memfd_create("test", MFD_ALLOW_SEALING);
	struct error err = { .class = ERROR_NONE };
	unsigned char first[PAGE];

	assert_int_equal(ftruncate(device, 4 * MIB), 0);
	fill(device, 0, PAGE, 0xa5);
	assert_int_equal(fcntl(device, F_ADD_SEALS, F_SEAL_GROW), 0);
	struct flash flash = job(make_image(), device, SIZE);
	assert_refused(flash_write(&flash, &err), &err, ERROR_SYSTEM, "cannot write to 'device' at byte 5242880", "");
	assert_int_equal(flash.state, FLASH_PARTIAL);
	assert_int_equal(pread(device, first, PAGE, 0), PAGE);
	for (size_t i = 0; i < PAGE; i++)
		assert_int_equal(first[i], 0);
	close(flash.image);
	close(device);
}

TEST(what_was_not_kept_is_noticed)
{
	struct flash flash = job(make_image(), new_file(8 * MIB), SIZE);
	struct error err = { .class = ERROR_NONE };

	write_all(&flash);
	fill(flash.device, 4 * MIB + 12345, 1, 1);
	assert_refused(flash_compare(&flash, &err), &err, ERROR_SYSTEM, "written to it, from byte 4206649", "");
	assert_int_equal(ftruncate(flash.device, 2 * MIB), 0);
	assert_refused(flash_compare(&flash, &err), &err, ERROR_SYSTEM, "cannot read 'device' back at byte 2097152", "");
	close(flash.image);
	close(flash.device);
}

TEST(an_image_that_becomes_shorter)
{
	struct flash flash = job(make_image(), new_file(8 * MIB), SIZE + 1);
	struct error err = { .class = ERROR_NONE };

	assert_refused(flash_write(&flash, &err), &err, ERROR_SYSTEM, "cannot read 'image': it became shorter", "");
	close(flash.image);
	close(flash.device);
}

/* ---- Progress ------------------------------------------------------------------------ */

TEST(progress_lines)
{
	char line[160];

	progress_line(line, sizeof(line), "writing", 16 * MIB, 64 * MIB, 2000);
	assert_string_equal(line, "writing [######..................]  25% of 64.0 MiB, 8.0 MiB/s, 0:06 left");
	progress_line(line, sizeof(line), "writing", 0, 64 * MIB, 0);
	assert_string_equal(line, "writing [........................]   0% of 64.0 MiB, 0 bytes/s, 0:00 left");
	progress_line(line, sizeof(line), "comparing", 64 * MIB, 64 * MIB, 1000);
	assert_string_equal(line, "comparing [########################] 100% of 64.0 MiB, 64.0 MiB/s, 0:00 left");
	progress_line(line, sizeof(line), "writing", UINT64_MAX / 1000, UINT64_MAX, 1);
	assert_true(strlen(line) < sizeof(line) - 1);
}

TEST(sizes_for_people)
{
	static const struct {
		uint64_t bytes;
		const char *words;
	} cases[] = {
		{ 0, "0 bytes" },	  { 1023, "1023 bytes" },	  { 1024, "1.0 KiB" },
		{ 1536, "1.5 KiB" },	  { 1048575, "1.0 MiB" },	  { 16008609792, "14.9 GiB" },
		{ UINT64_MAX, "16.0 EiB" },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(size_words(cases[i].bytes).text, cases[i].words);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_device_gets_the_data_only),
		cmocka_unit_test(the_same_again_writes_nothing),
		cmocka_unit_test(old_data_goes_and_nothing_behind_the_image),
		cmocka_unit_test(one_block_that_differs_is_written_with_the_first),
		cmocka_unit_test(images_of_any_size),
		cmocka_unit_test(stopped_before_anything),
		cmocka_unit_test(what_cannot_be_written_leaves_no_partition_table),
		cmocka_unit_test(what_was_not_kept_is_noticed),
		cmocka_unit_test(an_image_that_becomes_shorter),
		cmocka_unit_test(progress_lines),
		cmocka_unit_test(sizes_for_people),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
