/* SPDX-License-Identifier: MIT
 *
 * The loader's binary; see loader.h.
 *
 * The cache is keyed by a hash of everything that the result depends on: the
 * sources, the option, and which NASM (its file's identity, size and time, so
 * that nothing has to be started to ask).  A cached file ends with the CRC-32
 * of the rest and appears by rename, so a damaged one is not used.
 */
#include "image/loader.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include "bootabi.h"
#include "base/bytes.h"
#include "base/fileio.h"
#include "base/share.h"

extern char **environ;

/* FNV-1a, 128 bits: enough to tell versions of our own files apart. */
struct hash {
	uint64_t high;
	uint64_t low;
};

static const struct hash hash_start = { UINT64_C(0x6c62272e07bb0142),
					UINT64_C(0x62b821756295c58d) };

static void hash_add(struct hash *hash, const void *bytes, size_t size)
{
	const unsigned char *byte = bytes;

	for (size_t i = 0; i < size; i++) {
		/* times 2^88 + 0x13b, modulo 2^128 */
		uint64_t low = hash->low ^ byte[i];
		uint64_t part0 = (low & UINT32_MAX) * 0x13b, part1 = (low >> 32) * 0x13b;
		uint64_t middle = (part0 >> 32) + part1;

		hash->high = hash->high * 0x13b + (middle >> 32) + (low << 24);
		hash->low = middle << 32 | (part0 & UINT32_MAX);
	}
}

static void hash_add_string(struct hash *hash, const char *text)
{
	hash_add(hash, text, strlen(text) + 1);
}

/* ---- Sources ------------------------------------------------------------- */

static int is_source(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot != NULL && entry->d_name[0] != '.' &&
	       (strcmp(dot, ".asm") == 0 || strcmp(dot, ".inc") == 0);
}

static int hash_sources(struct hash *hash, const char *directory, struct error *err)
{
	struct dirent **entries;
	int result = 0;
	int count = (int)TEMP_FAILURE_RETRY(scandir(directory, &entries, is_source, alphasort));

	if (count < 0)
		return error_set(err, ERROR_SYSTEM, errno, "cannot read the loader's sources in '%s'",
				 directory);
	if (count == 0)
		result = error_set(err, ERROR_SYSTEM, 0, "there are no loader sources in '%s'", directory);
	for (int i = 0; i < count; i++) {
		CLEANUP_FREE char *path = format_string("%s/%s", directory, entries[i]->d_name);
		CLEANUP_FREE unsigned char *bytes = NULL;
		size_t size;

		if (result == 0)
			result = file_read(path, &bytes, &size, err);
		if (result == 0) {
			hash_add_string(hash, entries[i]->d_name);
			hash_add(hash, &size, sizeof(size));
			hash_add(hash, bytes, size);
		}
		free(entries[i]);
	}
	free(entries);
	return result;
}

static char *bundled_directory(struct error *err)
{
	return share_directory("bootloader", "the loader", err);
}

/* Find NASM in PATH.  The caller frees; NULL if it is not there. */
static char *find_nasm(void)
{
	const char *path = getenv("PATH");

	while (path != NULL && *path != '\0') {
		size_t length = strcspn(path, ":");

		if (length > 0) {
			char *file = format_string("%.*s/nasm", (int)length, path);
			struct stat st;

			if (stat(file, &st) == 0 && S_ISREG(st.st_mode) && access(file, X_OK) == 0)
				return file;
			free(file);
		}
		path += length;
		path += *path == ':';
	}
	return NULL;
}

static void hash_program(struct hash *hash, const char *path)
{
	struct stat st;

	hash_add_string(hash, path);
	if (stat(path, &st) == 0) {
		uint64_t facts[] = { (uint64_t)st.st_ino, (uint64_t)st.st_size, (uint64_t)st.st_mtim.tv_sec,
				     (uint64_t)st.st_mtim.tv_nsec };
		hash_add(hash, facts, sizeof(facts));
	}
}

/* All that the result depends on. */
static int hash_all(struct hash *hash, const char *nasm, const char *directory, const char *option,
		    struct error *err)
{
	*hash = hash_start;
	hash_add_string(hash, option);
	hash_program(hash, nasm);
	return hash_sources(hash, directory, err);
}

/* ---- Cache --------------------------------------------------------------- */

/* The cache directory, made if need be.  The caller frees; NULL if there is
 * none to be had. */
static char *cache_directory(void)
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	char *parent;
	struct stat st;

	if (cache != NULL && cache[0] == '/')
		parent = format_string("%s", cache);
	else if (home != NULL && home[0] == '/')
		parent = format_string("%s/.cache", home);
	else
		return NULL;
	mkdir(parent, 0700);
	char *path = format_string("%s/mkbootimg", parent);
	free(parent);
	mkdir(path, 0700);
	/* What someone else could write is not to be trusted: it would be booted. */
	if (lstat(path, &st) != 0 || !S_ISDIR(st.st_mode) || st.st_uid != geteuid() ||
	    (st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
		free(path);
		return NULL;
	}
	return path;
}

/* Is this a whole loader? */
static bool is_loader(const unsigned char *bytes, size_t size)
{
	return size >= 2 * SECTOR_SIZE && size % SECTOR_SIZE == 0 &&
	       size <= (1 + S1_MAX_SECTORS) * SECTOR_SIZE &&
	       get_le64(bytes + S1_OFF_MAGIC) == S1_MAGIC;
}

static bool cache_load(struct loader *loader, const char *path)
{
	struct error ignored;
	unsigned char *bytes;
	size_t size;

	if (file_read(path, &bytes, &size, &ignored) != 0)
		return false;
	if (size > 4 && is_loader(bytes, size - 4) &&
	    get_le32(bytes + size - 4) == crc32(0, bytes, (uInt)(size - 4))) {
		*loader = (struct loader){ bytes, size - 4 };
		return true;
	}
	free(bytes);
	return false;
}

/* Keeping it is a convenience: failure is no error. */
static void cache_store(const struct loader *loader, const char *path)
{
	struct error ignored;
	struct output output;
	unsigned char crc[4];

	/* What is there is damaged; a link must not lead out of the cache. */
	unlink(path);
	put_le32(crc, (uint32_t)crc32(0, loader->bytes, (uInt)loader->size));
	if (output_begin(&output, path, &ignored) != 0)
		return;
	if (file_write_at(output.fd, loader->bytes, loader->size, 0, path, &ignored) == 0 &&
	    file_write_at(output.fd, crc, sizeof(crc), loader->size, path, &ignored) == 0)
		output_commit(&output, &ignored);
	output_end(&output);
}

/* ---- Assembling ---------------------------------------------------------- */

/* Run NASM; its messages go to a file in memory. */
static int run_nasm(const char *nasm, const char *directory, const char *option, bool debug,
		    const char *target, int messages, int *status, struct error *err)
{
	CLEANUP_FREE char *include = format_string("-I%s/", directory);
	CLEANUP_FREE char *source = format_string("%s/loader.asm", directory);
	CLEANUP_FREE char *define = format_string("-D%s", option);
	const char *argv[] = { "nasm", "-w+all", debug ? "-felf32" : "-fbin", include, define, "-o",
			       target, source, debug ? "-gdwarf" : NULL, NULL };
	posix_spawn_file_actions_t actions;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, messages, STDERR_FILENO);
	posix_spawn_file_actions_adddup2(&actions, messages, STDOUT_FILENO);
	unsetenv("NASMENV");	/* options that the hash does not know */
	int errnum = posix_spawn(&pid, nasm, &actions, NULL, (char **)(uintptr_t)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (errnum != 0)
		return error_set(err, ERROR_SYSTEM, errnum, "cannot run '%s'", nasm);
	if (TEMP_FAILURE_RETRY(waitpid(pid, status, 0)) < 0)
		return error_set(err, ERROR_SYSTEM, errno, "cannot wait for '%s'", nasm);
	return 0;
}

/* First line of a file in memory. */
static void first_line(int fd, char *line, size_t size)
{
	ssize_t n = TEMP_FAILURE_RETRY(pread(fd, line, size - 1, 0));

	line[n > 0 ? n : 0] = '\0';
	line[strcspn(line, "\n")] = '\0';
}

/* Run it and tell what it disliked. */
static int nasm_to(const char *nasm, const char *directory, const char *option, bool debug,
		   const char *target, struct error *err)
{
	CLEANUP_CLOSE int messages = memfd_create("messages", MFD_CLOEXEC);
	char line[400];
	int status;

	if (messages < 0)
		return error_set(err, ERROR_SYSTEM, errno, "cannot assemble the loader");
	if (run_nasm(nasm, directory, option, debug, target, messages, &status, err) != 0)
		return -1;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	first_line(messages, line, sizeof(line));
	return error_set(err, ERROR_SYSTEM, 0, "cannot assemble the loader in '%s': %s", directory,
			 line[0] != '\0' ? line : "NASM failed");
}

static int assemble(struct loader *loader, const char *nasm, const char *directory,
		    const char *option, struct error *err)
{
	/* Without CLOEXEC: NASM is to inherit it. */
	CLEANUP_CLOSE int output = memfd_create("loader", 0);
	struct stat st;

	if (output < 0)
		return error_set(err, ERROR_SYSTEM, errno, "cannot assemble the loader");
	CLEANUP_FREE char *target = format_string("/dev/fd/%d", output);
	if (nasm_to(nasm, directory, option, false, target, err) != 0)
		return -1;
	if (fstat(output, &st) != 0)
		return error_set(err, ERROR_SYSTEM, errno, "cannot assemble the loader");
	size_t size = (size_t)st.st_size;
	CLEANUP_FREE unsigned char *bytes = malloc(size + 1);
	ssize_t got = bytes != NULL ? TEMP_FAILURE_RETRY(pread(output, bytes, size, 0)) : -1;
	if (got < 0)
		return error_set(err, ERROR_SYSTEM, errno, "cannot assemble the loader");
	if ((size_t)got != size || !is_loader(bytes, size))
		return error_set(err, ERROR_SYSTEM, 0,
				 "cannot assemble the loader in '%s': NASM made something else", directory);
	*loader = (struct loader){ bytes, size };
	bytes = NULL;
	return 0;
}

/* The variant that was assembled when mkbootimg was built, where there is no
 * NASM: in the same form as a cached one. */
static int load_bundled(struct loader *loader, const char *directory, const char *option,
			struct error *err)
{
	CLEANUP_FREE char *path = format_string("%s/%s.bin", directory, option);

	if (cache_load(loader, path))
		return 0;
	error_set(err, ERROR_SYSTEM, 0, "cannot assemble the loader: nasm is not in PATH");
	return error_hint(err, "install it (Debian and Ubuntu: apt install nasm)");
}

int loader_get(struct loader *loader, const char *directory, const char *option,
	       struct error *err)
{
	CLEANUP_FREE char *found = NULL;
	struct hash hash, after;
	struct error ignored;

	*loader = (struct loader){0};
	if (directory == NULL) {
		found = bundled_directory(err);
		if (found == NULL)
			return -1;
		directory = found;
	}
	CLEANUP_FREE char *nasm = find_nasm();
	if (nasm == NULL)
		return load_bundled(loader, directory, option, err);

	if (hash_all(&hash, nasm, directory, option, err) != 0)
		return -1;
	CLEANUP_FREE char *cache = cache_directory();
	CLEANUP_FREE char *path = NULL;
	if (cache != NULL) {
		path = format_string("%s/loader-%016" PRIx64 "%016" PRIx64 ".bin", cache, hash.high,
				     hash.low);
		if (cache_load(loader, path))
			return 0;
	}
	if (assemble(loader, nasm, directory, option, err) != 0)
		return -1;
	/* Of sources that were replaced meanwhile, it might be kept as of the old ones. */
	if (path != NULL && hash_all(&after, nasm, directory, option, &ignored) == 0 &&
	    after.high == hash.high && after.low == hash.low)
		cache_store(loader, path);
	return 0;
}

int loader_symbols(const char *directory, const char *option, const char *path,
		   struct error *err)
{
	CLEANUP_FREE char *nasm = find_nasm();
	CLEANUP_FREE char *found = directory != NULL ? realpath(directory, NULL) : bundled_directory(err);

	if (found == NULL && directory != NULL)
		return error_set(err, ERROR_SYSTEM, errno, "cannot read the loader's sources in '%s'", directory);
	if (found == NULL)
		return -1;
	if (nasm != NULL)
		return nasm_to(nasm, found, option, true, path, err);
	error_set(err, ERROR_SYSTEM, 0, "cannot assemble the loader's symbols: nasm is not in PATH");
	return error_hint(err, "install it (Debian and Ubuntu: apt install nasm)");
}

void loader_free(struct loader *loader)
{
	free(loader->bytes);
	*loader = (struct loader){0};
}
