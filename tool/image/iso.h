/* SPDX-License-Identifier: MIT
 *
 * ISO images, through xorriso: an ISO 9660 file system that holds the disk image as a
 * file, which the firmware boots from a CD as if it were a hard disk (El Torito, hard
 * disk emulation).  Sector 0 of the ISO image is the disk image's too, changed to find
 * the rest where it is now: so a stick with the ISO image on it boots as a disk.
 */
#ifndef MKBOOTIMG_ISO_H
#define MKBOOTIMG_ISO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Do these bytes hold an ISO 9660 file system? */
bool iso_detect(const unsigned char *bytes, size_t size);

/* Where the descriptors of the file system begin. */
#define ISO_DESCRIPTORS 0x8000

/* Where the disk image lies that a CD boots, in bytes; 0: there is none. */
uint64_t iso_boot_image(const unsigned char *bytes, size_t size);

/* Write an ISO image of the disk image in raw to the empty file fd.  name is the
 * file's, for messages. */
int iso_write(int raw, int fd, const char *name, struct error *err);

#endif
