/* SPDX-License-Identifier: MIT
 *
 * The formats of images; see format.h.
 */
#include "image/format.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/program.h"
#include "bootabi.h"
#include "image/identity.h"
#include "image/image.h"
#include "image/iso.h"

/* What is read of a disk to know what it is: stage 2 and the boot table lie in it,
 * wherever the partition of an image of ours begins. */
#define START_COUNT "count=4"	/* MiB */

#define QCOW2_OFF_BACKING 8
#define QCOW2_OFF_INCOMPATIBLE 72
#define QCOW2_DATA_FILE 4
#define QCOW2_MIN_CLUSTER UINT64_C(512)
#define QCOW2_MAX_CLUSTER (UINT64_C(64) * 1024)

#define VMDK_TEXT ((size_t)20 * SECTOR_SIZE)	/* of a description, what QEMU reads */

/* ---- qcow2 ------------------------------------------------------------------ */

static bool is_qcow2(const unsigned char *bytes, size_t size)
{
	return size >= QCOW2_OFF_INCOMPATIBLE + 8 && memcmp(bytes, "QFI\xfb", 4) == 0;
}

static bool qcow2_refers(const unsigned char *bytes, size_t size)
{
	static const unsigned char none[8];

	(void)size;
	/* Big-endian.  Version 2 has no data files, nor that field. */
	return memcmp(bytes + QCOW2_OFF_BACKING, none, sizeof(none)) != 0 ||
	       (bytes[7] >= 3 && (bytes[QCOW2_OFF_INCOMPATIBLE + 7] & QCOW2_DATA_FILE) != 0);
}

static uint64_t divide_up(uint64_t value, uint64_t by)
{
	return value / by + (value % by != 0);
}

/* What a qcow2 file has beside the data: header, L1 table, L2 tables, reference
 * counts of 16 bits and a table of their blocks; and what is unused of clusters. */
static uint64_t qcow2_overhead(uint64_t disk_size, uint64_t data, uint64_t cluster)
{
	uint64_t l2_reach = cluster / 8 * cluster;
	uint64_t l1 = divide_up(divide_up(disk_size, l2_reach) * 8, cluster);
	uint64_t l2 = 1 + divide_up(data, l2_reach);
	uint64_t clusters = 1 + l1 + l2 + divide_up(data, cluster);
	uint64_t counts = divide_up(clusters * 2, cluster);

	return (1 + l1 + l2 + counts + 1 + 1) * cluster;
}

uint64_t format_qcow2_cluster(uint64_t disk_size, uint64_t data)
{
	uint64_t best = QCOW2_MAX_CLUSTER;

	for (uint64_t cluster = best; cluster >= QCOW2_MIN_CLUSTER; cluster /= 2) {
		uint64_t overhead = qcow2_overhead(disk_size, data, cluster);

		if (overhead <= data / 8)
			return cluster;
		if (overhead < qcow2_overhead(disk_size, data, best))
			best = cluster;
	}
	return best;
}

/* ---- Those of other makers --------------------------------------------------- */

static bool is_vdi(const unsigned char *bytes, size_t size)
{
	return size >= SECTOR_SIZE && get_le32(bytes + 0x40) == 0xbeda107f;
}

static bool is_vhdx(const unsigned char *bytes, size_t size)
{
	return size >= SECTOR_SIZE && memcmp(bytes, "vhdxfile", 8) == 0;
}

static bool is_vmdk(const unsigned char *bytes, size_t size)
{
	return size >= SECTOR_SIZE && memcmp(bytes, "KDMV", 4) == 0;
}

static bool names_parent(const unsigned char *bytes, struct identity_text text)
{
	static const char key[] = "parentFileNameHint";

	return text.size > 0 && memmem(bytes + text.offset, text.size, key, strlen(key)) != NULL;
}

/* Without a size of its own, the file is only the description of others; and a
 * description may name a parent.  The header says where that is, but QEMU looks behind
 * the header whatever it says. */
static bool vmdk_refers(const unsigned char *bytes, size_t size)
{
	size_t behind = size - SECTOR_SIZE;
	struct identity_text by_qemu = { SECTOR_SIZE, behind < VMDK_TEXT ? behind : VMDK_TEXT };

	return get_le64(bytes + 12) == 0 || names_parent(bytes, identity_vmdk_text(bytes, size)) ||
	       names_parent(bytes, by_qemu);
}

/* ---- Writing ------------------------------------------------------------------ */

static struct program qemu_img = { .name = "qemu-img", .package = "qemu-utils", .complaint = "qemu-img: " };

/* qemu-img takes a disk by the name of a descriptor that it inherits. */
static char *descriptor_path(int fd)
{
	return format_string("/dev/fd/%d", fd);
}

static int convert(const struct image_format *format, const char *options, int raw, int fd,
		   const char *name, struct error *err)
{
	CLEANUP_FREE char *from = descriptor_path(raw);
	CLEANUP_FREE char *to = descriptor_path(fd);
	const char *arguments[] = { "qemu-img", "convert", "-f", "raw", "-O", format->driver, "-o", options,
				    from, to, NULL };
	const int inherit[] = { raw, fd };

	if (program_run(&qemu_img, arguments, inherit, 2, err) != 0)
		return error_wrap(err, "cannot write '%s'", name);
	return file_dig_holes(fd, name, err);
}

/* What identifies the disk's contents: its MBR's signature. */
static int read_disk_id(int raw, uint32_t *id, const char *name, struct error *err)
{
	unsigned char sector[SECTOR_SIZE];

	if (file_read_at(raw, sector, sizeof(sector), 0) != sizeof(sector))
		return error_set(err, ERROR_SYSTEM, errno, "cannot read the temporary image of '%s'", name);
	*id = get_le32(sector + S1_OFF_DISK_ID);
	return 0;
}

/* A format that gives each file a random identity gets one that the contents have. */
static int convert_identified(const struct image_format *format, const char *options, identity_function *set,
			      int raw, int fd, const char *name, struct error *err)
{
	uint32_t id;

	if (read_disk_id(raw, &id, name, err) != 0 || convert(format, options, raw, fd, name, err) != 0)
		return -1;
	return set(fd, id, name, err);
}

static int write_qcow2(const struct image_format *format, int raw, int fd, const char *name,
		       struct error *err)
{
	struct stat st;

	if (fstat(raw, &st) != 0)
		return error_set(err, ERROR_SYSTEM, errno, "cannot look at '%s'", name);
	CLEANUP_FREE char *options =
		format_string("cluster_size=%" PRIu64,
			      format_qcow2_cluster((uint64_t)st.st_size, (uint64_t)st.st_blocks * SECTOR_SIZE));
	return convert(format, options, raw, fd, name, err);
}

static int write_vmdk(const struct image_format *format, int raw, int fd, const char *name,
		      struct error *err)
{
	return convert_identified(format, "subformat=monolithicSparse", identity_set_vmdk, raw, fd, name, err);
}

static int write_vdi(const struct image_format *format, int raw, int fd, const char *name,
		     struct error *err)
{
	return convert_identified(format, "static=off", identity_set_vdi, raw, fd, name, err);
}

static int write_vhdx(const struct image_format *format, int raw, int fd, const char *name,
		      struct error *err)
{
	/* Smaller blocks there are not. */
	return convert_identified(format, "subformat=dynamic,block_size=1M", identity_set_vhdx, raw, fd, name,
				  err);
}

static int write_iso(const struct image_format *format, int raw, int fd, const char *name,
		     struct error *err)
{
	(void)format;
	return iso_write(raw, fd, name, err);
}

/* ---- The table ------------------------------------------------------------------ */

/* The first is what everything else is. */
static const struct image_format formats[] = {
	{ "raw", ".img", "raw", NULL, NULL, NULL },
	{ "qcow2", ".qcow2", "qcow2", is_qcow2, qcow2_refers, write_qcow2 },
	{ "vmdk", ".vmdk", "vmdk", is_vmdk, vmdk_refers, write_vmdk },
	{ "vdi", ".vdi", "vdi", is_vdi, NULL, write_vdi },
	{ "vhdx", ".vhdx", "vhdx", is_vhdx, NULL, write_vhdx },
	{ "iso", ".iso", "raw", iso_detect, NULL, write_iso },
};
#define FORMAT_COUNT (sizeof(formats) / sizeof(formats[0]))

const struct image_format *format_find(const char *name)
{
	for (size_t i = 0; i < FORMAT_COUNT; i++) {
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	}
	return NULL;
}

const struct image_format *format_of_path(const char *path)
{
	const char *dot = strrchr(path_name(path), '.');

	for (size_t i = 0; i < FORMAT_COUNT; i++) {
		if (dot != NULL && strcmp(formats[i].extension, dot) == 0)
			return &formats[i];
	}
	return NULL;
}

const struct image_format *format_detect(const unsigned char *bytes, size_t size)
{
	for (size_t i = 1; i < FORMAT_COUNT; i++) {
		if (formats[i].detect(bytes, size))
			return &formats[i];
	}
	return &formats[0];
}

bool format_is_foreign(const struct image_format *format)
{
	return strcmp(format->driver, "raw") != 0;
}

/* ---- Reading --------------------------------------------------------------------- */

int format_read(const struct image_format *format, const struct file_view *file, const char *path,
		bool start_only, struct output *raw, struct error *err)
{
	*raw = (struct output){ .fd = -1 };
	if (format->refers != NULL && format->refers(file->bytes, file->size)) {
		error_set(err, ERROR_INPUT, 0, "'%s' is a %s image that takes bytes from another file", path,
			  format->name);
		return error_hint(err, "make one of it that is whole: qemu-img convert -O %s '%s' NEW",
				  format->name, path);
	}
	if (output_begin(raw, NULL, err) != 0)
		return -1;

	CLEANUP_FREE char *from = descriptor_path(file->fd);
	CLEANUP_FREE char *to = descriptor_path(raw->fd);
	CLEANUP_FREE char *from_word = format_string("if=%s", from);
	CLEANUP_FREE char *to_word = format_string("of=%s", to);
	const char *all[] = { "qemu-img", "convert", "-f", format->driver, "-O", "raw", from, to, NULL };
	const char *start[] = { "qemu-img", "dd",	    "-f",      format->driver, "-O",
				"raw",	    "bs=1M",  START_COUNT, from_word, to_word, NULL };
	const int inherit[] = { file->fd, raw->fd };

	if (program_run(&qemu_img, start_only ? start : all, inherit, 2, err) != 0)
		return error_wrap(err, "cannot read '%s'", path);
	return 0;
}
