/* SPDX-License-Identifier: MIT
 *
 * What the system knows of a block device, from sysfs and the lists of mounts and
 * swap spaces, and whether an image may be written to it.  The device itself is not
 * opened here.
 */
#ifndef MKBOOTIMG_DEVICE_H
#define MKBOOTIMG_DEVICE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/* Where that is read; tests have their own. */
struct device_sources {
	const char *sys;	/* "/sys" */
	const char *mounts;	/* "/proc/self/mountinfo" */
	const char *swaps;	/* "/proc/swaps" */
};
extern const struct device_sources device_system;

struct device {
	char *name;		/* the kernel's: "sdb1" */
	char *disk;		/* a partition's disk: "sdb"; NULL: it is a disk */
	char *model;		/* "" if it has none */
	uint64_t size;		/* bytes */
	bool removable;		/* a stick, a card, a disk that can be unplugged */
	bool loop;		/* a file */
	bool read_only;
	/* What uses it or a partition of it: "sdb1 is mounted on '/mnt'"; NULL: nothing.
	 * And what to do then. */
	char *use;
	const char *remedy;
};

/* Read what is known of the device with that number; path is for messages.  The caller
 * ends with device_free(), also after a failure. */
int device_read(struct device *device, dev_t number, const char *path,
		const struct device_sources *sources, struct error *err);
void device_free(struct device *device);

/* May an image of that size be written to it?  What --force can overrule, and what it
 * cannot. */
int device_check(const struct device *device, const char *path, uint64_t image_size, bool force,
		 struct error *err);

#endif
