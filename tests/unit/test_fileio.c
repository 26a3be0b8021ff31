/* SPDX-License-Identifier: MIT
 *
 * Files: memory that is given back, and cheap copies.
 */
#include "base/fileio.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

#define MIB (UINT64_C(1024) * 1024)
#define SIZE (64 * MIB + 100)

/* Data at both ends and in the middle, holes between, mapped.  The caller closes. */
static void make_file(struct file_view *file, const char *path)
{
	struct output output;
	struct error err = { 0 };

	assert_accepted(output_begin(&output, path, &err), &err, "begin");
	assert_accepted(file_resize(output.fd, SIZE, path, &err), &err, "resize");
	assert_accepted(file_write_at(output.fd, "start", 5, 0, path, &err), &err, "start");
	assert_accepted(file_write_at(output.fd, "middle", 6, 32 * MIB - 3, path, &err), &err, "middle");
	assert_accepted(file_write_at(output.fd, "end", 3, SIZE - 3, path, &err), &err, "end");
	assert_accepted(output_commit(&output, &err), &err, "commit");
	output_end(&output);
	assert_accepted(file_open(file, path, &err), &err, "open");
}

static void with_file(void (*check)(const struct file_view *file))
{
	char directory[] = "/tmp/mkbootimg-fileio.XXXXXX";
	struct file_view file;

	assert_non_null(mkdtemp(directory));
	CLEANUP_FREE char *path = format_string("%s/file", directory);
	make_file(&file, path);
	check(&file);
	file_close(&file);
	unlink(path);
	rmdir(directory);
}

static void check_copy(const struct file_view *file)
{
	struct output output;
	struct file_view copy;
	struct stat st;
	struct error err = { 0 };

	assert_accepted(output_begin(&output, NULL, &err), &err, "begin");
	if (!file_copy_cheaply(output.fd, file, 100))	/* unless blocks are shared */
		assert_true(file_copy_cheaply(output.fd, file, MIB));
	CLEANUP_FREE char *path = format_string("/proc/self/fd/%d", output.fd);
	assert_accepted(file_open(&copy, path, &err), &err, "open");
	assert_int_equal(copy.size, SIZE);
	assert_memory_equal(copy.bytes, file->bytes, SIZE);
	assert_int_equal(fstat(output.fd, &st), 0);
	assert_true((uint64_t)st.st_blocks * 512 < MIB);
	file_close(&copy);
	output_end(&output);
}

TEST(copies_have_the_same_bytes_and_holes)
{
	with_file(check_copy);
}

static void check_forget(const struct file_view *file)
{
	assert_memory_equal(file->bytes + 32 * MIB - 3, "middle", 6);
	file_forget(file, 32 * MIB - 100, 32 * MIB + 100);
	file_forget(file, 0, SIZE);
	file_forget(file, 0, SIZE + 1);
	assert_memory_equal(file->bytes, "start", 5);
	assert_memory_equal(file->bytes + 32 * MIB - 3, "middle", 6);
	assert_memory_equal(file->bytes + SIZE - 3, "end", 3);
}

TEST(what_is_forgotten_is_read_again)
{
	with_file(check_forget);
}

/* What is not a file's would be gone. */
TEST(other_memory_is_not_forgotten)
{
	static unsigned char bytes[4 * 4096];
	const struct file_view view = { .fd = -1, .bytes = bytes, .size = sizeof(bytes) };

	memset(bytes, 'x', sizeof(bytes));
	file_forget(&view, 0, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++)
		assert_int_equal(bytes[i], 'x');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies_have_the_same_bytes_and_holes),
		cmocka_unit_test(what_is_forgotten_is_read_again),
		cmocka_unit_test(other_memory_is_not_forgotten),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
