/* SPDX-License-Identifier: MIT
 *
 * gzip files; see gzip.h.
 */
#include "base/gzip.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#define ZLIB_CONST
#include <zlib.h>

#define BUFFER_BYTES ((size_t)256 * 1024)
#define GZIP_FORMAT (15 + 16)	/* zlib: the largest window, gzip's header and trailer */

bool gzip_is(const unsigned char *bytes, size_t size)
{
	return size >= 3 && bytes[0] == 0x1f && bytes[1] == 0x8b && bytes[2] == Z_DEFLATED;
}

/* zlib counts input in an unsigned int. */
static void feed(z_stream *stream, const unsigned char *end)
{
	size_t left = (size_t)(end - stream->next_in);

	stream->avail_in = left < UINT_MAX ? (uInt)left : UINT_MAX;
}

size_t gzip_peek(const unsigned char *bytes, size_t size, unsigned char *start, size_t room)
{
	z_stream stream = { .next_in = bytes, .next_out = start, .avail_out = (uInt)room };

	if (!gzip_is(bytes, size) || inflateInit2(&stream, GZIP_FORMAT) != Z_OK)
		return 0;
	feed(&stream, bytes + size);
	inflate(&stream, Z_SYNC_FLUSH);
	inflateEnd(&stream);
	return room - stream.avail_out;
}

static int explain(int result, const z_stream *stream, const char *name, struct error *err)
{
	if (result == Z_MEM_ERROR)
		return error_set(err, ERROR_SYSTEM, 0, "out of memory for '%s'", name);
	if (result == Z_BUF_ERROR)
		return error_set(err, ERROR_INPUT, 0, "'%s' is truncated: its gzip data do not end", name);
	return error_set(err, ERROR_INPUT, 0, "'%s' is damaged: its gzip data cannot be unpacked (%s)", name,
			 stream->msg != NULL ? stream->msg : "no more is known");
}

/* Unpack it all into a file.  *unpacked are the bytes. */
static int inflate_to(int fd, const struct file_view *file, z_stream *stream, const char *name,
		      size_t *unpacked, struct error *err)
{
	CLEANUP_FREE unsigned char *buffer = malloc(BUFFER_BYTES);
	const unsigned char *end = file->bytes + file->size;
	int result = buffer != NULL ? Z_OK : Z_MEM_ERROR;

	stream->next_in = file->bytes;
	while (result == Z_OK) {
		stream->next_out = buffer;
		stream->avail_out = BUFFER_BYTES;
		feed(stream, end);
		result = inflate(stream, Z_NO_FLUSH);
		size_t got = BUFFER_BYTES - stream->avail_out;
		if (got > GZIP_MOST - *unpacked)
			return error_set(err, ERROR_INPUT, 0,
					 "'%s' is a gzip file that unpacks to more than 512 MiB", name);
		if (file_write_at(fd, buffer, got, *unpacked, name, err) != 0)
			return -1;
		*unpacked += got;
	}
	if (result != Z_STREAM_END)
		return explain(result, stream, name, err);
	if (stream->next_in != end)
		return error_set(err, ERROR_INPUT, 0,
				 "'%s' is a gzip file with %zu more bytes behind its end", name,
				 (size_t)(end - stream->next_in));
	if (*unpacked == 0)
		return error_set(err, ERROR_INPUT, 0, "'%s' is a gzip file of nothing", name);
	return 0;
}

/* Unpack into *fd, memory that is like a file. */
static int unpack(const struct file_view *file, const char *name, int *fd, size_t *unpacked,
		  struct error *err)
{
	z_stream stream = { 0 };

	*fd = memfd_create("unpacked", MFD_CLOEXEC);
	if (*fd < 0)
		return error_set(err, ERROR_SYSTEM, errno, "cannot unpack '%s'", name);
	if (inflateInit2(&stream, GZIP_FORMAT) != Z_OK)
		return explain(Z_MEM_ERROR, &stream, name, err);
	int result = inflate_to(*fd, file, &stream, name, unpacked, err);
	inflateEnd(&stream);
	return result;
}

int gzip_unpack(struct file_view *file, const char *name, struct error *err)
{
	CLEANUP_CLOSE int fd = -1;
	size_t unpacked = 0;
	void *bytes = MAP_FAILED;

	if (unpack(file, name, &fd, &unpacked, err) == 0) {
		bytes = mmap(NULL, unpacked, PROT_READ, MAP_PRIVATE, fd, 0);
		if (bytes == MAP_FAILED)
			error_set(err, ERROR_SYSTEM, errno, "cannot unpack '%s'", name);
	}
	struct file_view view = *file;
	file_close(file);
	if (bytes == MAP_FAILED)
		return -1;
	/* Device and inode stay the file's own: they say which one it is. */
	*file = view;
	file->fd = fd;
	file->bytes = bytes;
	file->size = unpacked;
	file->packed_size = view.size;
	fd = -1;
	return 0;
}
