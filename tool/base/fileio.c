/* SPDX-License-Identifier: MIT
 *
 * Files; see fileio.h.
 */
#include "base/fileio.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"

#define HOLE_SIZE 4096			/* what file systems can leave out */
#define DIG_SIZE (256 * 1024)		/* bytes looked at together, whole pages */
#define SMALL_FILE (16 * 1024 * 1024)

/* Where a signal comes in between, a file system over a network may give up. */
#define UNINTERRUPTED(call) ((int)TEMP_FAILURE_RETRY(call))

void cleanup_free(void *pointer_to_pointer)
{
	free(*(void **)pointer_to_pointer);
}

void cleanup_close(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

char *format_string(const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0) {
		fputs("mkbootimg: out of memory\n", stderr);
		abort();
	}
	va_end(args);
	return text;
}

const char *path_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/* Open a regular file, or a disk's device, if that is as good. */
static int open_bytes(const char *path, bool device, struct stat *st, struct error *err)
{
	CLEANUP_CLOSE int fd =
		UNINTERRUPTED(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));

	if (fd < 0)
		return error_set(err, ERROR_SYSTEM, errno, "cannot open '%s'", path);
	if (fstat(fd, st) != 0)
		return error_set(err, ERROR_SYSTEM, errno, "cannot look at '%s'", path);
	if (S_ISDIR(st->st_mode))
		return error_set(err, ERROR_INPUT, 0, "'%s' is a directory, not a file", path);
	if (S_ISBLK(st->st_mode) && device) {
		st->st_size = lseek(fd, 0, SEEK_END);
	} else if (S_ISBLK(st->st_mode)) {
		error_set(err, ERROR_INPUT, 0, "'%s' is a disk's device, not a file", path);
		return error_hint(err, "copy what is on it to a file first: dd bs=1M if='%s' of=disk.img", path);
	} else if (!S_ISREG(st->st_mode)) {
		return error_set(err, ERROR_INPUT, 0, "'%s' is not a regular file", path);
	}

	int result = fd;
	fd = -1;
	return result;
}

/* Map the file in file->fd. */
static int map(struct file_view *file, const struct stat *st, const char *path, struct error *err)
{
	file->device = st->st_dev;
	file->inode = st->st_ino;
	if (st->st_size == 0)
		return 0;
	void *bytes = mmap(NULL, (size_t)st->st_size, PROT_READ, MAP_PRIVATE, file->fd, 0);
	if (bytes == MAP_FAILED) {
		int errnum = errno;

		close(file->fd);
		file->fd = -1;
		return error_set(err, ERROR_SYSTEM, errnum, "cannot map '%s'", path);
	}
	file->bytes = bytes;
	file->size = (size_t)st->st_size;
	file->mapped = true;
	return 0;
}

int file_open_any(struct file_view *file, const char *path, struct error *err)
{
	struct stat st;

	*file = (struct file_view){.fd = open_bytes(path, false, &st, err)};
	return file->fd < 0 ? -1 : map(file, &st, path, err);
}

int file_view_of(struct file_view *file, int fd, const char *name, struct error *err)
{
	struct stat st;

	*file = (struct file_view){.fd = fcntl(fd, F_DUPFD_CLOEXEC, 0)};
	if (file->fd < 0 || fstat(file->fd, &st) != 0) {
		int errnum = errno;

		cleanup_close(&file->fd);
		return error_set(err, ERROR_SYSTEM, errnum, "cannot read '%s'", name);
	}
	return map(file, &st, name, err);
}

/* The same, of a device, too, if that is as good; but not of what is empty. */
static int open_filled(struct file_view *file, const char *path, bool device, struct error *err)
{
	struct stat st;

	*file = (struct file_view){.fd = open_bytes(path, device, &st, err)};
	if (file->fd < 0 || map(file, &st, path, err) != 0)
		return -1;
	if (file->size > 0)
		return 0;
	file_close(file);
	return error_set(err, ERROR_INPUT, 0, "'%s' is empty", path);
}

int file_open(struct file_view *file, const char *path, struct error *err)
{
	return open_filled(file, path, false, err);
}

int file_open_disk(struct file_view *file, const char *path, struct error *err)
{
	return open_filled(file, path, true, err);
}

void file_close(struct file_view *file)
{
	if (file->bytes != NULL)
		munmap((void *)(uintptr_t)file->bytes, file->size);
	cleanup_close(&file->fd);
	*file = (struct file_view){.fd = -1};
}

void file_forget(const struct file_view *file, uint64_t from, uint64_t to)
{
	uint64_t start = align_down(from, (uint64_t)getpagesize());

	if (file->mapped && to <= file->size)
		madvise((void *)(uintptr_t)(file->bytes + start), to - start, MADV_DONTNEED);
}

int file_read(const char *path, unsigned char **bytes, size_t *size, struct error *err)
{
	struct stat st;
	CLEANUP_CLOSE int fd = open_bytes(path, false, &st, err);

	if (fd < 0)
		return -1;
	if (st.st_size > SMALL_FILE)
		return error_set(err, ERROR_INPUT, 0, "'%s' is too large", path);
	*size = 0;
	*bytes = malloc((size_t)st.st_size + 1);
	if (*bytes == NULL)
		return error_set(err, ERROR_SYSTEM, errno, "cannot read '%s'", path);
	while (*size < (size_t)st.st_size) {
		ssize_t n = TEMP_FAILURE_RETRY(read(fd, *bytes + *size, (size_t)st.st_size - *size));

		if (n <= 0) {
			error_set(err, ERROR_SYSTEM, n < 0 ? errno : 0, "cannot read '%s'%s", path,
				  n < 0 ? "" : ": it became shorter");
			free(*bytes);
			*bytes = NULL;
			return -1;
		}
		*size += (size_t)n;
	}
	(*bytes)[*size] = '\0';
	return 0;
}

int file_write_at(int fd, const void *bytes, size_t size, uint64_t offset, const char *name,
		  struct error *err)
{
	const unsigned char *next = bytes;

	while (size > 0) {
		ssize_t n = TEMP_FAILURE_RETRY(pwrite(fd, next, size, (off_t)offset));

		if (n <= 0)
			return error_set(err, ERROR_SYSTEM, n < 0 ? errno : ENOSPC, "cannot write '%s'",
					 name);
		next += n;
		size -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

int file_write_sparse(int fd, const unsigned char *bytes, size_t size, uint64_t offset,
		      const char *name, struct error *err)
{
	size_t start = 0;	/* first byte not written yet */

	for (size_t page = 0; page < size; page += HOLE_SIZE) {
		size_t length = size - page < HOLE_SIZE ? size - page : HOLE_SIZE;

		if (!bytes_are_zero(bytes + page, length))
			continue;
		if (page > start &&
		    file_write_at(fd, bytes + start, page - start, offset + start, name, err) != 0)
			return -1;
		start = page + length;
	}
	if (size > start)
		return file_write_at(fd, bytes + start, size - start, offset + start, name, err);
	return 0;
}

ssize_t file_read_at(int fd, void *bytes, size_t size, uint64_t offset)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = TEMP_FAILURE_RETRY(pread(fd, (char *)bytes + done, size - done,
						     (off_t)(offset + done)));

		if (n < 0)
			return -1;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

/* Make a hole of each run of zero pages in a buffer, which was read from an offset. */
static void dig(int fd, const unsigned char *bytes, size_t size, uint64_t offset)
{
	size_t end;

	for (size_t page = 0; page < size; page = end + HOLE_SIZE) {
		end = page;
		while (end + HOLE_SIZE <= size && bytes_are_zero(bytes + end, HOLE_SIZE))
			end += HOLE_SIZE;
		/* Where there are no holes, zeros are as good. */
		if (end > page)
			fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				  (off_t)(offset + page), (off_t)(end - page));
	}
}

int file_dig_holes(int fd, const char *name, struct error *err)
{
	CLEANUP_FREE unsigned char *buffer = malloc(DIG_SIZE);
	off_t data = 0;

	if (buffer == NULL)
		return error_set(err, ERROR_SYSTEM, 0, "out of memory");
	while ((data = lseek(fd, data, SEEK_DATA)) >= 0) {
		data -= data % HOLE_SIZE;
		ssize_t got = file_read_at(fd, buffer, DIG_SIZE, (uint64_t)data);

		if (got < 0)
			return error_set(err, ERROR_SYSTEM, errno, "cannot read '%s'", name);
		dig(fd, buffer, (size_t)got, (uint64_t)data);
		data += got;
	}
	return 0;
}

bool file_copy_cheaply(int fd, const struct file_view *from, uint64_t most)
{
	struct error ignored;
	uint64_t copied = 0;
	off_t end = (off_t)from->size;

	if (ioctl(fd, FICLONE, from->fd) == 0)
		return true;
	if (file_resize(fd, from->size, "", &ignored) != 0)
		return false;
	for (off_t data = 0, hole; (data = lseek(from->fd, data, SEEK_DATA)) >= 0 && data < end; data = hole) {
		hole = lseek(from->fd, data, SEEK_HOLE);
		if (hole < data || hole > end)
			return false;
		copied += (uint64_t)(hole - data);
		if (copied > most || file_write_at(fd, from->bytes + data, (size_t)(hole - data),
						   (uint64_t)data, "", &ignored) != 0)
			return false;
	}
	/* Behind the last data there is only a hole. */
	return errno == ENXIO;
}

int file_resize(int fd, uint64_t size, const char *name, struct error *err)
{
	if (UNINTERRUPTED(ftruncate(fd, (off_t)size)) != 0)
		return error_set(err, ERROR_SYSTEM, errno, "cannot write '%s'", name);
	return 0;
}

/* A new file in a directory, without a name where the file system can do that;
 * else *name is its name, for the caller to free. */
static int open_temporary(const char *directory, char **name)
{
	int fd = UNINTERRUPTED(open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0666));

	*name = NULL;
	if (fd >= 0)
		return fd;
	*name = format_string("%s/.mkbootimg.XXXXXX", directory);
	fd = mkostemp(*name, O_CLOEXEC);
	if (fd < 0) {
		int errnum = errno;

		free(*name);
		*name = NULL;
		errno = errnum;
		return -1;
	}
	mode_t mask = umask(0);
	umask(mask);
	fchmod(fd, 0666 & ~mask);
	return fd;
}

/* Follow symbolic links, and make sure that nothing but a regular file is
 * replaced. */
static char *resolve_output(const char *path, struct error *err)
{
	struct stat st;

	if (stat(path, &st) != 0) {
		if (errno == ENOENT && lstat(path, &st) != 0)
			return format_string("%s", path);
		error_set(err, ERROR_SYSTEM, errno, "cannot write '%s'", path);
		return NULL;
	}
	if (!S_ISREG(st.st_mode)) {
		error_set(err, ERROR_USAGE, 0, "cannot write '%s': it is %s", path,
			  S_ISDIR(st.st_mode) ? "a directory" : "not a regular file");
		error_hint(err, "name a file with -o");
		return NULL;
	}
	char *real = realpath(path, NULL);
	if (real == NULL)
		error_set(err, ERROR_SYSTEM, errno, "cannot write '%s'", path);
	return real;
}

int output_begin(struct output *output, const char *path, struct error *err)
{
	*output = (struct output){.fd = -1};
	if (path == NULL) {
		const char *directory = getenv("TMPDIR");

		if (directory == NULL || directory[0] == '\0')
			directory = "/tmp";
		output->fd = open_temporary(directory, &output->temporary);
		if (output->fd < 0) {
			error_set(err, ERROR_SYSTEM, errno, "cannot create a temporary file in '%s'", directory);
			return error_hint(err, "name another directory by the environment variable TMPDIR");
		}
		if (output->temporary != NULL) {
			unlink(output->temporary);
			free(output->temporary);
			output->temporary = NULL;
		}
		return 0;
	}

	output->path = resolve_output(path, err);
	if (output->path == NULL)
		return -1;
	CLEANUP_FREE char *copy = format_string("%s", output->path);
	const char *directory = dirname(copy);
	output->fd = open_temporary(directory, &output->temporary);
	if (output->fd < 0) {
		int errnum = errno;

		output_end(output);
		return error_set(err, ERROR_SYSTEM, errnum, "cannot write '%s'", path);
	}
	return 0;
}

void output_hurry(const struct output *output, uint64_t from, uint64_t to)
{
	if (output->path != NULL)
		sync_file_range(output->fd, (off_t)from, (off_t)(to - from), SYNC_FILE_RANGE_WRITE);
}

int output_commit(struct output *output, struct error *err)
{
	if (UNINTERRUPTED(fsync(output->fd)) != 0)
		return error_set(err, ERROR_SYSTEM, errno, "cannot write '%s'", output->path);
	if (output->temporary == NULL) {
		/* A file cannot be linked over another one: link, then rename. */
		CLEANUP_FREE char *self = format_string("/proc/self/fd/%d", output->fd);
		CLEANUP_FREE char *copy = format_string("%s", output->path);
		const char *directory = dirname(copy);

		for (unsigned int i = 0; output->temporary == NULL; i++) {
			char *name = format_string("%s/.mkbootimg.%ld.%u", directory, (long)getpid(), i);

			if (linkat(AT_FDCWD, self, AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0) {
				output->temporary = name;
				break;
			}
			int errnum = errno;
			free(name);
			if (errnum != EEXIST)
				return error_set(err, ERROR_SYSTEM, errnum, "cannot write '%s'",
						 output->path);
		}
	}
	if (rename(output->temporary, output->path) != 0)
		return error_set(err, ERROR_SYSTEM, errno, "cannot write '%s'", output->path);
	free(output->temporary);
	output->temporary = NULL;
	return 0;
}

void output_end(struct output *output)
{
	if (output->temporary != NULL)
		unlink(output->temporary);
	free(output->temporary);
	free(output->path);
	cleanup_close(&output->fd);
	*output = (struct output){.fd = -1};
}

int output_text(const char *path, const char *text, size_t size, struct error *err)
{
	struct output output;

	int status = output_begin(&output, path, err);
	if (status == 0)
		status = file_write_at(output.fd, text, size, 0, path, err);
	if (status == 0)
		status = output_commit(&output, err);
	output_end(&output);
	return status;
}
