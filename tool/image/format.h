/* SPDX-License-Identifier: MIT
 *
 * The formats that images are written in and read from: the raw one, which the rest
 * of the program makes and understands; an ISO 9660 file system with the raw image in
 * it, which is a raw image itself; and those of virtual machines, through qemu-img.
 * Adding one is a row of the table in format.c, if qemu-img knows it.
 */
#ifndef MKBOOTIMG_FORMAT_H
#define MKBOOTIMG_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/fileio.h"

struct image_format {
	const char *name;	/* as after --format */
	const char *extension;	/* ".img" */
	const char *driver;	/* QEMU's, which reads it; "raw": its bytes are the disk's */
	/* Do these bytes, a whole file, begin one? */
	bool (*detect)(const unsigned char *bytes, size_t size);
	/* Do they name a further file, from which bytes would be taken?  NULL: never. */
	bool (*refers)(const unsigned char *bytes, size_t size);
	/* Write the disk in the file raw to the empty file in fd, which will be called
	 * name.  NULL: it is written already. */
	int (*write)(const struct image_format *format, int raw, int fd, const char *name,
		     struct error *err);
};

/* The names, for messages; and the format of a name, or NULL. */
#define FORMAT_NAMES "raw, qcow2, vmdk, vdi, vhdx, iso"
const struct image_format *format_find(const char *name);

/* The format that a file's extension stands for, else NULL. */
const struct image_format *format_of_path(const char *path);

/* The format of a file by its first bytes: raw if it is none of the others. */
const struct image_format *format_detect(const unsigned char *bytes, size_t size);

/* Is it one that qemu-img must read for us? */
bool format_is_foreign(const struct image_format *format);

/* The disk in a file of a foreign format, as a raw image without a name: all of it,
 * or as much of its start as a loader and its boot table take.  One that refers to
 * further files is refused.  The caller ends raw, also after a failure. */
int format_read(const struct image_format *format, const struct file_view *file, const char *path,
		bool start_only, struct output *raw, struct error *err);

/* ---- Pure parts, for tests ------------------------------------------------- */

/* The cluster size for a qcow2 file of a disk of that size with so many bytes of data:
 * the largest with which what qcow2 adds stays small beside the data. */
uint64_t format_qcow2_cluster(uint64_t disk_size, uint64_t data);

#endif
