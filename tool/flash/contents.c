/* SPDX-License-Identifier: MIT
 *
 * What is on a disk; see contents.h.
 */
#include "flash/contents.h"

#include <blkid/blkid.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/fileio.h"
#include "base/progress.h"

#define SECTOR 512

static void add_line(struct contents *contents, char *line, bool member)
{
	char **larger = realloc(contents->lines, (contents->count + 1) * sizeof(*larger));

	if (larger == NULL)
		abort();
	contents->lines = larger;
	contents->lines[contents->count++] = line;
	if (member && contents->member == NULL)
		contents->member = line;
}

/* A value that the last probe found; "" if it did not. */
static const char *value(blkid_probe probe, const char *name)
{
	const char *text;

	return blkid_probe_lookup_value(probe, name, &text, NULL) == 0 ? text : "";
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), tail = strlen(end);

	return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* Is that a piece of something larger, or in use without a file system? */
static bool is_member(const char *usage, const char *type)
{
	return strcmp(usage, "raid") == 0 || ends_with(type, "_member") || strcmp(type, "swap") == 0;
}

/* Add a line for what lies at an offset of the device, if anything is known of it, or
 * it is a partition. */
static void look(struct contents *contents, int fd, int partition, uint64_t offset, uint64_t size)
{
	blkid_probe probe = blkid_new_probe();

	if (probe == NULL || blkid_probe_set_device(probe, fd, (blkid_loff_t)offset, (blkid_loff_t)size) != 0) {
		blkid_free_probe(probe);
		return;
	}
	blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_LABEL | BLKID_SUBLKS_TYPE | BLKID_SUBLKS_USAGE);
	blkid_do_safeprobe(probe);
	const char *type = value(probe, "TYPE"), *label = value(probe, "LABEL");
	const char *quote = label[0] != '\0' ? "'" : "";
	CLEANUP_FREE char *quoted = format_string("%s%s%s%s", label[0] != '\0' ? " " : "", quote, label, quote);

	if (partition > 0)
		add_line(contents, format_string("partition %d: %s%s, %s", partition,
						 type[0] != '\0' ? type : "unknown", quoted,
						 size_words(size).text),
			 is_member(value(probe, "USAGE"), type));
	else if (type[0] != '\0')
		add_line(contents, format_string("%s%s", type, quoted),
			 is_member(value(probe, "USAGE"), type));
	blkid_free_probe(probe);
}

static void look_at_partitions(struct contents *contents, blkid_probe probe, int fd)
{
	blkid_partlist list = blkid_probe_get_partitions(probe);
	int count = list != NULL ? blkid_partlist_numof_partitions(list) : 0;

	for (int i = 0; i < count; i++) {
		blkid_partition partition = blkid_partlist_get_partition(list, i);
		uint64_t size = (uint64_t)blkid_partition_get_size(partition) * SECTOR;

		/* An extended one is only the place of others. */
		if (!blkid_partition_is_extended(partition))
			look(contents, fd, blkid_partition_get_partno(partition),
			     (uint64_t)blkid_partition_get_start(partition) * SECTOR, size);
	}
}

int contents_read(struct contents *contents, int fd, const char *name, struct error *err)
{
	*contents = (struct contents){0};
	blkid_probe probe = blkid_new_probe();
	if (probe == NULL || blkid_probe_set_device(probe, fd, 0, 0) != 0) {
		blkid_free_probe(probe);
		return error_set(err, ERROR_SYSTEM, errno, "cannot read '%s'", name);
	}
	blkid_probe_enable_superblocks(probe, false);
	blkid_probe_enable_partitions(probe, true);
	look(contents, fd, 0, 0, (uint64_t)blkid_probe_get_size(probe));
	look_at_partitions(contents, probe, fd);
	blkid_free_probe(probe);
	return 0;
}

void contents_free(struct contents *contents)
{
	for (size_t i = 0; i < contents->count; i++)
		free(contents->lines[i]);
	free(contents->lines);
	*contents = (struct contents){0};
}

int contents_check(const struct contents *contents, const char *path, struct error *err)
{
	if (contents->member == NULL)
		return 0;
	error_set(err, ERROR_INPUT, 0, "'%s' belongs to something else: %s", path, contents->member);
	return error_hint(err, "if it is to be overwritten all the same, say --force");
}
