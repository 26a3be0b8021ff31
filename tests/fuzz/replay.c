/* SPDX-License-Identifier: MIT
 *
 * A fuzz target without a fuzzer: runs the files of its corpus, or those that are
 * named, and speaks TAP.  It needs no compiler but the usual one.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fileio.h"
#include "fuzz.h"

#define CORPUS "tests/fuzz/corpus"
#define PREFIX "fuzz_"

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* Whether it comes back is the test: what is wrong aborts. */
static void replay(const char *path, int number)
{
	unsigned char *bytes;
	struct error err;
	size_t size;

	printf("# %s\n", path);
	fflush(stdout);
	if (file_read(path, &bytes, &size, &err) != 0) {
		printf("not ok %d - %s\n", number, err.text);
		return;
	}
	/* Of exactly its size, so that a sanitizer sees what is read behind it. */
	unsigned char *exact = malloc(size > 0 ? size : 1);
	if (exact == NULL)
		abort();
	memcpy(exact, bytes, size);
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
	free(bytes);
	printf("ok %d - %s\n", number, path_name(path));
}

static int replay_corpus(const char *program)
{
	const char *name = path_name(program);
	struct dirent **entries;

	if (strncmp(name, PREFIX, strlen(PREFIX)) == 0)
		name += strlen(PREFIX);
	char *directory = format_string("%s/%s", CORPUS, name);
	int count = scandir(directory, &entries, is_visible, alphasort);
	if (count <= 0) {
		printf("Bail out! There is no file in %s\n", directory);
		return EXIT_FAILURE;
	}
	printf("1..%d\n", count);
	for (int i = 0; i < count; i++) {
		char *path = format_string("%s/%s", directory, entries[i]->d_name);

		replay(path, i + 1);
		free(path);
		free(entries[i]);
	}
	free(entries);
	free(directory);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	LLVMFuzzerInitialize(&argc, &argv);
	if (argc < 2)
		return replay_corpus(argv[0]);
	printf("1..%d\n", argc - 1);
	for (int i = 1; i < argc; i++)
		replay(argv[i], i);
	return EXIT_SUCCESS;
}
