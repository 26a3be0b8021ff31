/* SPDX-License-Identifier: MIT
 *
 * Files: whole reads and writes, and output that appears complete or not at
 * all.
 */
#ifndef MKBOOTIMG_FILEIO_H
#define MKBOOTIMG_FILEIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/* For automatic variables: freed or closed when they go out of scope. */
#define CLEANUP_FREE __attribute__((cleanup(cleanup_free)))
#define CLEANUP_CLOSE __attribute__((cleanup(cleanup_close)))
void cleanup_free(void *pointer_to_pointer);
void cleanup_close(const int *fd);	/* -1 is nothing */

/* As asprintf, but ends the program when there is no memory: for strings as
 * small as a path.  The caller frees. */
char *format_string(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A path's last component, in the path itself. */
const char *path_name(const char *path);

/* A file's bytes, mapped read-only. */
struct file_view {
	int fd;
	const unsigned char *bytes;	/* valid until file_close */
	size_t size;
	size_t packed_size;		/* of the file itself, if bytes are what was unpacked; or 0 */
	bool mapped;			/* they are the file's own pages */
	dev_t device;
	ino_t inode;
};

/* Map a regular file.  Refuses directories, devices and FIFOs, without waiting for
 * a FIFO's writer; file_open() also empty files, of which bytes would be NULL. */
int file_open_any(struct file_view *file, const char *path, struct error *err);
int file_open(struct file_view *file, const char *path, struct error *err);
/* Likewise, or the device of a disk. */
int file_open_disk(struct file_view *file, const char *path, struct error *err);
/* The same of a file that is open already, for reading. */
int file_view_of(struct file_view *file, int fd, const char *name, struct error *err);
void file_close(struct file_view *file);

/* Give back the memory that bytes [from, to) of a mapped file take; who reads them
 * again has them again.  So a large file takes no more of it than a small one. */
void file_forget(const struct file_view *file, uint64_t from, uint64_t to);

/* Read a small regular file (at most 16 MiB) whole.  The caller frees *bytes,
 * which has a NUL behind its end. */
int file_read(const char *path, unsigned char **bytes, size_t *size, struct error *err);

/* Write all bytes at an offset; name is for the message. */
int file_write_at(int fd, const void *bytes, size_t size, uint64_t offset, const char *name,
		  struct error *err);

/* The same into a file that has nothing but zeros there: pages of zeros become, or
 * stay, holes. */
int file_write_sparse(int fd, const unsigned char *bytes, size_t size, uint64_t offset,
		      const char *name, struct error *err);

/* Make holes of pages of zeros that another program wrote into a file, as far as its
 * file system can do that. */
int file_dig_holes(int fd, const char *name, struct error *err);

/* Read until a buffer is full or the file ends, from an offset.  Returns how much
 * was read, or -1 and errno. */
ssize_t file_read_at(int fd, void *bytes, size_t size, uint64_t offset);
/* Make an empty file the same as a mapped one, holes included, if that is cheap: where
 * the file system lets files share blocks, or if there are at most so many bytes of data.
 * Returns whether it was done; if not, there may be a part of it. */
bool file_copy_cheaply(int fd, const struct file_view *from, uint64_t most);

/* Make a file that long; what is added is zeros. */
int file_resize(int fd, uint64_t size, const char *name, struct error *err);

/* Output that is invisible until it is complete. */
struct output {
	int fd;			/* open for reading and writing */
	char *path;		/* where it will appear; NULL: nowhere, it is anonymous */
	char *temporary;	/* its name meanwhile, NULL while it has none */
};

/* Begin to write a file in path's directory, or, if path is NULL, a file
 * without a name in $TMPDIR.  An existing path must be a regular file. */
int output_begin(struct output *output, const char *path, struct error *err);
/* Have bytes [from, to), which are written, on their way to the disk already: then
 * output_commit() does not wait for all of them at the end.  A hint, no more. */
void output_hurry(const struct output *output, uint64_t from, uint64_t to);
/* Make it appear, on the disk, under its name, with mode 0666 less the umask. */
int output_commit(struct output *output, struct error *err);
/* Release it; what was not committed is gone, and the old file unchanged. */
void output_end(struct output *output);
/* All of that for text that is at hand. */
int output_text(const char *path, const char *text, size_t size, struct error *err);

#endif
