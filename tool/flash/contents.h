/* SPDX-License-Identifier: MIT
 *
 * What is on a disk, as its owner would know it: its partitions and file systems,
 * and their labels.  By libblkid.
 */
#ifndef MKBOOTIMG_CONTENTS_H
#define MKBOOTIMG_CONTENTS_H

#include <stddef.h>

#include "base/error.h"

struct contents {
	char **lines;	/* "partition 1: vfat 'BACKUP', 14.9 GiB"; none: nothing that is known */
	size_t count;
	/* A line's of what belongs to something larger (a volume, an array), or is swap
	 * space; NULL: there is none. */
	const char *member;
};

/* Look at a device that is open; name is for messages.  The caller ends with
 * contents_free(), also after a failure. */
int contents_read(struct contents *contents, int fd, const char *name, struct error *err);
void contents_free(struct contents *contents);

/* May it be overwritten, without --force? */
int contents_check(const struct contents *contents, const char *path, struct error *err);

#endif
