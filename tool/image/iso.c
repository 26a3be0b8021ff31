/* SPDX-License-Identifier: MIT
 *
 * ISO images; see iso.h.
 */
#include "image/iso.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fileio.h"
#include "base/program.h"
#include "bootabi.h"
#include "image/image.h"
#include "plan/layout.h"

#define ISO_SECTOR 2048
#define CHUNK (256 * 1024)

/* El Torito: the second descriptor says where the catalog is, whose second entry is
 * the default one. */
#define BOOT_RECORD (ISO_DESCRIPTORS + ISO_SECTOR)
#define BOOT_RECORD_CATALOG 0x47
#define CATALOG_DEFAULT 32
#define ENTRY_MEDIUM 1
#define MEDIUM_HARD_DISK 4
#define ENTRY_SECTOR 8

bool iso_detect(const unsigned char *bytes, size_t size)
{
	return size >= ISO_DESCRIPTORS + ISO_SECTOR && memcmp(bytes + ISO_DESCRIPTORS, "\1CD001", 6) == 0;
}

uint64_t iso_boot_image(const unsigned char *bytes, size_t size)
{
	if (!iso_detect(bytes, size) || size < BOOT_RECORD + ISO_SECTOR ||
	    memcmp(bytes + BOOT_RECORD, "\0CD001\1EL TORITO SPECIFICATION", 30) != 0)
		return 0;
	uint64_t catalog = (uint64_t)get_le32(bytes + BOOT_RECORD + BOOT_RECORD_CATALOG) * ISO_SECTOR;
	if (catalog > size - ISO_SECTOR)
		return 0;
	const unsigned char *entry = bytes + catalog + CATALOG_DEFAULT;
	uint64_t start = (uint64_t)get_le32(entry + ENTRY_SECTOR) * ISO_SECTOR;
	return (entry[ENTRY_MEDIUM] & 0x0f) == MEDIUM_HARD_DISK && start <= size - SECTOR_SIZE ? start : 0;
}

/* ---- What xorriso reads ---------------------------------------------------------- */

/* It wants a file with a name.  A signal that would end us waits until that is gone. */
struct copy {
	char *directory;	/* private, in TMPDIR */
	char *path;
	sigset_t mask;		/* what was blocked before */
};

static int copy_data(int from, int to, uint64_t size, struct error *err)
{
	CLEANUP_FREE unsigned char *buffer = malloc(CHUNK);

	if (buffer == NULL)
		return error_set(err, ERROR_SYSTEM, 0, "out of memory");
	for (off_t data = 0; (data = lseek(from, data, SEEK_DATA)) >= 0 && (uint64_t)data < size;) {
		ssize_t got = file_read_at(from, buffer, CHUNK, (uint64_t)data);

		if (got <= 0)
			return error_set(err, ERROR_SYSTEM, errno, "cannot read the temporary image");
		if (file_write_sparse(to, buffer, (size_t)got, (uint64_t)data, "temporary image", err) != 0)
			return -1;
		data += got;
	}
	return 0;
}

/* What else of a file would be in the file system: its permissions and times. */
static int copy_to(int raw, int to, struct error *err)
{
	const struct timespec times[2] = { { 0, 0 }, { 0, 0 } };
	struct stat st;

	if (fstat(raw, &st) != 0)
		return error_set(err, ERROR_SYSTEM, errno, "cannot read the temporary image");
	if (file_resize(to, (uint64_t)st.st_size, "temporary image", err) != 0 ||
	    copy_data(raw, to, (uint64_t)st.st_size, err) != 0)
		return -1;
	if (fchmod(to, 0444) != 0 || futimens(to, times) != 0)
		return error_set(err, ERROR_SYSTEM, errno, "cannot write 'temporary image'");
	return 0;
}

static int copy_begin(struct copy *copy, int raw, struct error *err)
{
	static const int ends[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE };
	const char *parent = getenv("TMPDIR");
	sigset_t set;

	if (parent == NULL || parent[0] == '\0')
		parent = "/tmp";
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		sigaddset(&set, ends[i]);
	sigprocmask(SIG_BLOCK, &set, &copy->mask);
	copy->path = NULL;
	copy->directory = format_string("%s/mkbootimg.XXXXXX", parent);
	if (mkdtemp(copy->directory) == NULL)
		return error_set(err, ERROR_SYSTEM, errno, "cannot make a directory in '%s'", parent);
	copy->path = format_string("%s/disk.img", copy->directory);
	CLEANUP_CLOSE int fd = open(copy->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_set(err, ERROR_SYSTEM, errno, "cannot write '%s'", copy->path);
	return copy_to(raw, fd, err);
}

static void copy_end(struct copy *copy)
{
	if (copy->path != NULL)
		unlink(copy->path);
	rmdir(copy->directory);
	free(copy->path);
	free(copy->directory);
	sigprocmask(SIG_SETMASK, &copy->mask, NULL);
}

/* ---- What it writes -------------------------------------------------------------- */

/* Write what comes from a pipe to a file; returns how much, or -1. */
static int64_t receive(int from, int fd, const char *name, struct error *err)
{
	CLEANUP_FREE unsigned char *buffer = malloc(CHUNK);
	uint64_t offset = 0;
	size_t used = 0;

	if (buffer == NULL)
		return error_set(err, ERROR_SYSTEM, 0, "out of memory");
	for (;;) {
		ssize_t n = TEMP_FAILURE_RETRY(read(from, buffer + used, CHUNK - used));

		if (n < 0)
			return error_set(err, ERROR_SYSTEM, errno, "cannot write '%s'", name);
		used += (size_t)n;
		if (n > 0 && used < CHUNK)
			continue;
		if (used > 0 && file_write_sparse(fd, buffer, used, offset, name, err) != 0)
			return -1;
		offset += used;
		used = 0;
		if (n == 0)
			return (int64_t)offset;
	}
}

/* Run xorriso; its image comes through a pipe, so that zeros need not be written. */
static int64_t make(const struct copy *copy, int fd, const char *name, struct error *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0)
		return error_set(err, ERROR_SYSTEM, errno, "cannot write '%s'", name);
	CLEANUP_CLOSE int from = ends[0];
	CLEANUP_FREE char *to = format_string("stdio:/dev/fd/%d", ends[1]);
	CLEANUP_FREE char *graft = format_string("/disk.img=%s", copy->path);
	const char *arguments[] = { "xorriso", "-no_rc", "-as", "mkisofs", "-quiet", "-r", "-iso-level", "3",
				    "-V", "MKBOOTIMG",
				    /* its first sectors before the file system, and all of it as a file */
				    "-G", copy->path, "-b", "disk.img", "-hard-disk-boot", "-c", "boot.cat",
				    "-o", to, "-graft-points", graft, NULL };
	/* The time, and its zone, would be in the file system. */
	setenv("SOURCE_DATE_EPOCH", "0", 1);
	setenv("TZ", "UTC0", 1);
	struct program xorriso = { .name = "xorriso", .package = "xorriso", .complaint = " : FAILURE : ",
				   .mask = &copy->mask };
	int status = program_start(&xorriso, arguments, &ends[1], 1, err);
	close(ends[1]);
	if (status != 0)
		return error_wrap(err, "cannot write '%s'", name);
	struct error failed = { .class = ERROR_NONE };
	int64_t size = receive(from, fd, name, &failed);
	/* It must not wait for us. */
	close(from);
	from = -1;
	status = program_wait(&xorriso, err);
	if (size < 0) {
		*err = failed;
		return -1;
	}
	return status == 0 ? size : error_wrap(err, "cannot write '%s'", name);
}

/* Make the first sector find the partition where it is on this disk, and the disk a
 * whole number of cylinders. */
static int finish(int fd, uint64_t size, const char *name, struct error *err)
{
	uint64_t cylinder = (uint64_t)LAYOUT_CYLINDER * SECTOR_SIZE;
	uint64_t total = (size + cylinder - 1) / cylinder * cylinder / SECTOR_SIZE;
	unsigned char start[BOOT_RECORD + 32 * ISO_SECTOR];
	ssize_t got = file_read_at(fd, start, sizeof(start), 0);

	if (got < 0)
		return error_set(err, ERROR_SYSTEM, errno, "cannot read '%s'", name);
	uint64_t image = iso_boot_image(start, (size_t)got);
	if (image == 0)
		return error_set(err, ERROR_SYSTEM, 0, "cannot write '%s': xorriso made something else", name);
	if (total > UINT32_MAX)
		return error_set(err, ERROR_USAGE, 0, "an ISO image of %" PRIu64 " GiB is too large: a partition table reaches less than 2 TiB",
				 total >> 21);
	if (file_resize(fd, total * SECTOR_SIZE, name, err) != 0)
		return -1;
	image_move(start, image / SECTOR_SIZE + LAYOUT_BASE, total);
	return file_write_at(fd, start, SECTOR_SIZE, 0, name, err);
}

int iso_write(int raw, int fd, const char *name, struct error *err)
{
	struct copy copy;
	int64_t size = -1;

	if (copy_begin(&copy, raw, err) == 0)
		size = make(&copy, fd, name, err);
	copy_end(&copy);
	return size < 0 ? -1 : finish(fd, (uint64_t)size, name, err);
}
