/* SPDX-License-Identifier: MIT
 *
 * Writing an image to a device; see flash.h.
 */
#include "flash/flash.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fileio.h"
#include "base/progress.h"

#define CHUNK (1024 * 1024)
#define BLOCK 4096			/* what is written at least */
#define ALIGNMENT 4096			/* of memory, for reads that pass the cache */
#define CLEAR_SIZE (64 * 1024)		/* fewer zeros are written rather than asked for */
#define SYNC_SIZE (8 * 1024 * 1024)	/* what may wait to be written, so that progress is real */

struct writer {
	struct flash *flash;
	unsigned char *want;	/* a chunk of the image */
	unsigned char *have;	/* and of the device */
	uint64_t waiting;	/* bytes written since they were last waited for */
	bool cannot_clear;
	bool started;		/* the first block was cleared */
	/* The first block: what it is to be, and whether it is that already. */
	unsigned char first[BLOCK];
	size_t first_size;
	bool first_right;
};

static int no_memory(struct error *err)
{
	return error_set(err, ERROR_SYSTEM, 0, "out of memory");
}

static size_t chunk_at(const struct flash *flash, uint64_t offset)
{
	uint64_t left = flash->size - offset;

	return left < CHUNK ? (size_t)left : CHUNK;
}

static int read_image(const struct flash *flash, unsigned char *bytes, size_t size, uint64_t offset,
		      struct error *err)
{
	ssize_t got = file_read_at(flash->image, bytes, size, offset);

	if (got == (ssize_t)size)
		return 0;
	return error_set(err, ERROR_SYSTEM, got < 0 ? errno : 0, "cannot read '%s'%s", flash->image_name,
			 got < 0 ? "" : ": it became shorter");
}

/* ---- Writing ------------------------------------------------------------------------ */

static int cannot_write(const struct flash *flash, uint64_t offset, int errnum, struct error *err)
{
	error_set(err, ERROR_SYSTEM, errnum, "cannot write to '%s' at byte %" PRIu64, flash->device_name, offset);
	return error_hint(err, "the device fails, or was taken out; nothing on it can be used now");
}

static int sync_device(struct writer *w, uint64_t offset, struct error *err)
{
	w->waiting = 0;
	if (TEMP_FAILURE_RETRY(fdatasync(w->flash->device)) != 0)
		return cannot_write(w->flash, offset, errno, err);
	return 0;
}

static int write_bytes(struct writer *w, const unsigned char *bytes, size_t size, uint64_t offset,
		       struct error *err)
{
	struct error cause;

	if (file_write_at(w->flash->device, bytes, size, offset, w->flash->device_name, &cause) != 0)
		return cannot_write(w->flash, offset, errno, err);
	w->flash->written += size;
	w->waiting += size;
	return w->waiting >= SYNC_SIZE ? sync_device(w, offset, err) : 0;
}

/* Before the first change: the device's first block is no longer what it was. */
static int start_writing(struct writer *w, struct error *err)
{
	static const unsigned char zeros[BLOCK];

	if (w->started)
		return 0;
	w->started = true;
	w->first_right = false;
	w->flash->state = FLASH_PARTIAL;
	if (write_bytes(w, zeros, w->first_size, 0, err) != 0)
		return -1;
	return sync_device(w, 0, err);
}

/* Let the device make zeros by itself, which some can. */
static bool clear(struct writer *w, size_t size, uint64_t offset)
{
	if (size < CLEAR_SIZE || w->cannot_clear)
		return false;
	if (fallocate(w->flash->device, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)size) != 0) {
		w->cannot_clear = true;
		return false;
	}
	w->flash->cleared += size;
	return true;
}

/* What is to be done about a block. */
enum need {
	NEED_NOTHING,	/* it is there */
	NEED_ZEROS,
	NEED_BYTES,
};

static enum need judge(const unsigned char *want, const unsigned char *have, size_t size)
{
	return memcmp(want, have, size) == 0 ? NEED_NOTHING :
	       bytes_are_zero(want, size)    ? NEED_ZEROS :
					       NEED_BYTES;
}

/* Do it for blocks of one kind. */
static int write_run(struct writer *w, enum need need, size_t start, size_t size, uint64_t offset,
		     struct error *err)
{
	if (need == NEED_NOTHING || size == 0)
		return 0;
	if (start_writing(w, err) != 0)
		return -1;
	if (need == NEED_ZEROS && clear(w, size, offset + start))
		return 0;
	return write_bytes(w, w->want + start, size, offset + start, err);
}

/* Write those blocks of a chunk that differ, from byte start on. */
static int write_chunk(struct writer *w, size_t start, size_t size, uint64_t offset, struct error *err)
{
	enum need need = NEED_NOTHING;	/* of the blocks from start to block */

	for (size_t block = start; block < size; block += BLOCK) {
		size_t length = size - block < BLOCK ? size - block : BLOCK;
		enum need next = judge(w->want + block, w->have + block, length);

		if (next == need)
			continue;
		if (write_run(w, need, start, block - start, offset, err) != 0)
			return -1;
		start = block;
		need = next;
	}
	return write_run(w, need, start, size - start, offset, err);
}

/* The device's bytes; what cannot be read differs: writing may mend it. */
static void read_device(struct writer *w, size_t size, uint64_t offset)
{
	ssize_t got = file_read_at(w->flash->device, w->have, size, offset);

	for (size_t i = got > 0 ? (size_t)got : 0; i < size; i++)
		w->have[i] = (unsigned char)~w->want[i];
}

static int write_chunks(struct writer *w, struct progress *progress, struct error *err)
{
	struct flash *flash = w->flash;

	for (uint64_t offset = 0; offset < flash->size; offset += CHUNK) {
		size_t size = chunk_at(flash, offset), start = 0;

		if (*flash->stop)
			return FLASH_STOPPED;
		if (read_image(flash, w->want, size, offset, err) != 0)
			return -1;
		read_device(w, size, offset);
		if (offset == 0) {
			start = w->first_size = size < BLOCK ? size : BLOCK;
			memcpy(w->first, w->want, start);
			w->first_right = memcmp(w->want, w->have, start) == 0;
		}
		if (write_chunk(w, start, size, offset, err) != 0)
			return -1;
		progress_update(progress, offset + size);
	}
	return 0;
}

/* With the first block the device becomes the image. */
static int write_first(struct writer *w, struct error *err)
{
	if (w->first_right)
		return 0;
	if (sync_device(w, w->flash->size, err) != 0)
		return -1;
	w->flash->state = FLASH_PARTIAL;
	if (write_bytes(w, w->first, w->first_size, 0, err) != 0)
		return -1;
	return sync_device(w, 0, err);
}

int flash_write(struct flash *flash, struct error *err)
{
	CLEANUP_FREE unsigned char *want = malloc(CHUNK);
	CLEANUP_FREE unsigned char *have = malloc(CHUNK);
	struct writer w = { .flash = flash, .want = want, .have = have };
	struct progress progress;

	if (want == NULL || have == NULL)
		return no_memory(err);
	flash->state = FLASH_UNTOUCHED;
	progress_begin(&progress, "writing", flash->size, flash->quiet);
	int status = write_chunks(&w, &progress, err);
	progress_end(&progress);
	if (status == 0 && *flash->stop)
		status = FLASH_STOPPED;
	if (status == 0)
		status = write_first(&w, err);
	if (status == 0)
		flash->state = FLASH_WRITTEN;
	return status;
}

/* ---- Comparing ------------------------------------------------------------------------ */

/* Reads go to the device from now on, as far as the system lets us. */
static void forget_cache(int device)
{
	int flags = fcntl(device, F_GETFL);

	ioctl(device, BLKFLSBUF, 0);
	posix_fadvise(device, 0, 0, POSIX_FADV_DONTNEED);
	if (flags >= 0)
		fcntl(device, F_SETFL, flags | O_DIRECT);
}

/* Such reads are of whole sectors of the device's. */
static size_t sector_size(int device)
{
	int size = 0;

	return ioctl(device, BLKSSZGET, &size) == 0 && size > 0 && size <= ALIGNMENT ? (size_t)size : 512;
}

static int compare_chunk(const struct flash *flash, const unsigned char *want, const unsigned char *have,
			 size_t size, uint64_t offset, struct error *err)
{
	size_t same = 0;

	if (memcmp(want, have, size) == 0)
		return 0;
	while (want[same] == have[same])
		same++;
	error_set(err, ERROR_SYSTEM, 0, "'%s' does not hold what was written to it, from byte %" PRIu64,
		  flash->device_name, offset + same);
	return error_hint(err, "it fails, or is smaller than it says: take another one");
}

static int compare_all(struct flash *flash, unsigned char *want, unsigned char *have,
		       struct progress *progress, struct error *err)
{
	size_t sector = sector_size(flash->device);

	for (uint64_t offset = 0; offset < flash->size; offset += CHUNK) {
		size_t size = chunk_at(flash, offset);

		if (*flash->stop)
			return FLASH_STOPPED;
		if (read_image(flash, want, size, offset, err) != 0)
			return -1;
		ssize_t got = file_read_at(flash->device, have, align_up(size, sector), offset);
		if (got < (ssize_t)size) {
			error_set(err, ERROR_SYSTEM, got < 0 ? errno : EIO, "cannot read '%s' back at byte %" PRIu64,
				  flash->device_name, offset);
			return error_hint(err, "the device fails, or was taken out");
		}
		if (compare_chunk(flash, want, have, size, offset, err) != 0)
			return -1;
		progress_update(progress, offset + size);
	}
	return 0;
}

int flash_compare(struct flash *flash, struct error *err)
{
	CLEANUP_FREE unsigned char *want = malloc(CHUNK);
	CLEANUP_FREE unsigned char *have = aligned_alloc(ALIGNMENT, CHUNK);
	struct progress progress;

	if (want == NULL || have == NULL)
		return no_memory(err);
	forget_cache(flash->device);
	progress_begin(&progress, "comparing", flash->size, flash->quiet);
	int status = compare_all(flash, want, have, &progress, err);
	progress_end(&progress);
	if (status == 0)
		flash->state = FLASH_COMPARED;
	return status;
}

void flash_announce(const struct flash *flash)
{
	ioctl(flash->device, BLKRRPART);
}
