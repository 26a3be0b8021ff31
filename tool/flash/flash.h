/* SPDX-License-Identifier: MIT
 *
 * Writing an image to a device, and comparing.
 *
 * Only what differs is written.  Before anything else, the device's first bytes are
 * cleared, and they are written last: a device on which this was interrupted has no
 * partition table, so that nothing takes it for what it was, or for what it is not yet.
 */
#ifndef MKBOOTIMG_FLASH_H
#define MKBOOTIMG_FLASH_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum flash_state {
	FLASH_UNTOUCHED,	/* nothing was written */
	FLASH_PARTIAL,		/* neither what was there nor the image */
	FLASH_WRITTEN,		/* the image, as far as one knows without comparing */
	FLASH_COMPARED,
};

struct flash {
	int image;		/* the image's file, and name */
	const char *image_name;
	int device;		/* open for reading and writing */
	const char *device_name;
	uint64_t size;		/* bytes of the image */
	bool quiet;		/* no progress */
	const volatile sig_atomic_t *stop;	/* not 0: end as soon as can be, with FLASH_STOPPED */
	/* What came of it. */
	enum flash_state state;
	uint64_t written;	/* bytes */
	uint64_t cleared;	/* bytes of zeros that the device made by itself */
};

/* Besides 0 and -1. */
#define FLASH_STOPPED 1

/* Make the device's first bytes those of the image; all is on the medium then. */
int flash_write(struct flash *flash, struct error *err);

/* Compare them, as the device has them, not as the system remembers them. */
int flash_compare(struct flash *flash, struct error *err);

/* Have the system look at the device's partitions anew; of a partition there are none. */
void flash_announce(const struct flash *flash);

#endif
