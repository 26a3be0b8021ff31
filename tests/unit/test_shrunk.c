/* SPDX-License-Identifier: MIT
 *
 * shrunk_watch(): what is said when a file that is mapped becomes shorter.
 */
#include "base/shrunk.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fileio.h"
#include "unit.h"

#define SIZE 8192
#define STATUS 42

/* In a process of its own: map the file, make it shorter, and read its end. */
static void read_shrunk(const char *path, int words)
{
	struct file_view file;
	struct error err;

	dup2(words, STDERR_FILENO);
	shrunk_watch("build", STATUS);
	if (file_open(&file, path, &err) != 0 || truncate(path, 1) != 0)
		_exit(1);
	_exit(((const volatile unsigned char *)file.bytes)[SIZE - 1]);
}

static void check(const char *name, const char *said)
{
	char directory[] = "/tmp/test_shrunk.XXXXXX", words[1024] = "";
	int ends[2], status;

	assert_non_null(mkdtemp(directory));
	CLEANUP_FREE char *path = format_string("%s/%s", directory, name);
	CLEANUP_FREE char *sentence = format_string(
		"mkbootimg: build: cannot read '%s/%s': it became shorter meanwhile, or its disk failed\n", directory,
		said);
	FILE *file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(ftruncate(fileno(file), SIZE), 0);
	fclose(file);
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	if (child == 0)
		read_shrunk(path, ends[1]);
	close(ends[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(read(ends[0], words, sizeof(words) - 1) >= 0);
	close(ends[0]);
	assert_string_equal(words, sentence);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == STATUS);
	unlink(path);
	rmdir(directory);
}

TEST(names_the_file)
{
	check("kernel.elf", "kernel.elf");
}

TEST(escapes_what_a_terminal_would_obey)
{
	check("a kernel\033[2J", "a kernel\\x1b[2J");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_the_file),
		cmocka_unit_test(escapes_what_a_terminal_would_obey),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
