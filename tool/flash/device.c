/* SPDX-License-Identifier: MIT
 *
 * Block devices; see device.h.
 */
#include "flash/device.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fileio.h"
#include "base/progress.h"

#define SYSFS_SECTOR 512

const struct device_sources device_system = { "/sys", "/proc/self/mountinfo", "/proc/swaps" };

/* ---- Attributes in sysfs ------------------------------------------------------- */

/* An attribute's text without white space at its ends; "" if there is none.  The
 * caller frees. */
static char *attribute(const char *directory, const char *name)
{
	CLEANUP_FREE char *path = format_string("%s/%s", directory, name);
	char text[PATH_MAX + 1] = "";
	FILE *file = fopen(path, "re");
	size_t length = file != NULL ? fread(text, 1, sizeof(text) - 1, file) : 0;
	const char *start = text;

	if (file != NULL)
		fclose(file);
	while (length > 0 && isspace((unsigned char)text[length - 1]))
		text[--length] = '\0';
	while (isspace((unsigned char)*start))
		start++;
	return format_string("%s", start);
}

static bool attribute_is(const char *directory, const char *name, const char *value)
{
	CLEANUP_FREE char *text = attribute(directory, name);

	return strcmp(text, value) == 0;
}

static bool has_entry(const char *directory, const char *name)
{
	CLEANUP_FREE char *path = format_string("%s/%s", directory, name);

	return access(path, F_OK) == 0;
}

/* "SanDisk Ultra": what disks of all kinds have of it. */
static char *read_model(const char *disk)
{
	CLEANUP_FREE char *vendor = attribute(disk, "device/vendor");
	CLEANUP_FREE char *model = attribute(disk, "device/model");
	CLEANUP_FREE char *name = attribute(disk, "device/name");		/* of a card */
	CLEANUP_FREE char *file = attribute(disk, "loop/backing_file");

	if (file[0] != '\0')
		return format_string("loop device of '%s'", file);
	if (model[0] == '\0')
		return format_string("%s", name);
	/* A number is of no use to a person. */
	if (vendor[0] == '\0' || strncmp(vendor, "0x", 2) == 0)
		return format_string("%s", model);
	return format_string("%s %s", vendor, model);
}

/* A disk in a USB case does not say that it is removable, nor does a card in a
 * reader of the computer's. */
static bool is_removable(const char *disk)
{
	return attribute_is(disk, "removable", "1") || strstr(disk, "/usb") != NULL ||
	       attribute_is(disk, "device/type", "SD");
}

/* ---- What uses it ---------------------------------------------------------------- */

/* A device and its partitions. */
struct part {
	char *name;	/* "sdb1" */
	char *number;	/* "8:17" */
	char *directory;
};

struct parts {
	struct part *items;
	size_t count;
};

static void add_part(struct parts *parts, const char *directory)
{
	struct part *larger = realloc(parts->items, (parts->count + 1) * sizeof(*larger));

	if (larger == NULL)
		abort();
	parts->items = larger;
	parts->items[parts->count++] = (struct part){ .name = format_string("%s", path_name(directory)),
						      .number = attribute(directory, "dev"),
						      .directory = format_string("%s", directory) };
}

static void free_parts(struct parts *parts)
{
	for (size_t i = 0; i < parts->count; i++) {
		free(parts->items[i].name);
		free(parts->items[i].number);
		free(parts->items[i].directory);
	}
	free(parts->items);
}

/* Entries of a directory that are not hidden, by name.  Returns their number, 0 if
 * there is no such directory; the caller frees. */
static int visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int list(const char *directory, struct dirent ***entries)
{
	int count = scandir(directory, entries, visible, alphasort);

	if (count < 0)
		*entries = NULL;
	return count < 0 ? 0 : count;
}

static void free_list(struct dirent **entries, int count)
{
	for (int i = 0; i < count; i++)
		free(entries[i]);
	free(entries);
}

static void find_parts(struct parts *parts, const char *directory)
{
	struct dirent **entries;
	int count = list(directory, &entries);

	add_part(parts, directory);
	for (int i = 0; i < count; i++) {
		CLEANUP_FREE char *path = format_string("%s/%s", directory, entries[i]->d_name);

		if (has_entry(path, "partition"))
			add_part(parts, path);
	}
	free_list(entries, count);
}

/* In these lists a space is \040, and so on. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from != '\0'; to++) {
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' && from[2] <= '7' &&
		    from[3] >= '0' && from[3] <= '7') {
			*to = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

/* The word behind n others of a line; the caller frees. */
static char *word(const char *line, int n)
{
	const char *start = line + strspn(line, " \t");

	for (; n > 0; n--) {
		start += strcspn(start, " \t\n");
		start += strspn(start, " \t");
	}
	char *text = format_string("%.*s", (int)strcspn(start, " \t\n"), start);
	unescape(text);
	return text;
}

/* Is a path the name of a part in /dev? */
static bool names(const char *path, const struct part *part)
{
	return strncmp(path, "/dev/", 5) == 0 && strcmp(path + 5, part->name) == 0;
}

/* A line of mountinfo: "ID PARENT MAJOR:MINOR ROOT MOUNTPOINT ... - TYPE SOURCE ...". */
static bool is_mount(struct device *device, const char *line, const struct part *part)
{
	CLEANUP_FREE char *number = word(line, 2);
	CLEANUP_FREE char *where = word(line, 4);
	const char *rest = strstr(line, " - ");
	/* Some file systems have numbers of their own. */
	CLEANUP_FREE char *source = word(rest != NULL ? rest : "", 2);

	if (strcmp(number, part->number) != 0 && !names(source, part))
		return false;
	device->use = format_string("%s is mounted on '%s'", part->name, where);
	device->remedy = "unmount it first";
	return true;
}

/* A line of /proc/swaps: "PATH TYPE ...". */
static bool is_swap(struct device *device, const char *line, const struct part *part)
{
	CLEANUP_FREE char *path = word(line, 0);

	if (!names(path, part))
		return false;
	device->use = format_string("%s is swap space", part->name);
	device->remedy = "end that first, with swapoff";
	return true;
}

typedef bool use_function(struct device *device, const char *line, const struct part *part);

/* Look through a list for one of the parts. */
static void search(struct device *device, const char *path, const struct parts *parts, use_function *uses)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;

	while (file != NULL && device->use == NULL && getline(&line, &size, file) >= 0) {
		for (size_t i = 0; i < parts->count && device->use == NULL; i++)
			uses(device, line, &parts->items[i]);
	}
	free(line);
	if (file != NULL)
		fclose(file);
}

/* Volumes, arrays and the like that are made of a part. */
static void search_holders(struct device *device, const struct parts *parts)
{
	for (size_t i = 0; i < parts->count && device->use == NULL; i++) {
		CLEANUP_FREE char *directory = format_string("%s/holders", parts->items[i].directory);
		struct dirent **entries;
		int count = list(directory, &entries);

		if (count > 0) {
			device->use = format_string("%s is a part of %s", parts->items[i].name,
						    entries[0]->d_name);
			device->remedy = "take it out of that, or stop that, first";
		}
		free_list(entries, count);
	}
}

/* ---- All of it --------------------------------------------------------------------- */

int device_read(struct device *device, dev_t number, const char *path,
		const struct device_sources *sources, struct error *err)
{
	*device = (struct device){0};
	CLEANUP_FREE char *link = format_string("%s/dev/block/%u:%u", sources->sys, major(number), minor(number));
	CLEANUP_FREE char *directory = realpath(link, NULL);
	if (directory == NULL)
		return error_set(err, ERROR_SYSTEM, errno, "cannot find out what '%s' is: '%s'", path, link);

	CLEANUP_FREE char *disk = format_string("%s", directory);
	if (has_entry(directory, "partition")) {
		*strrchr(disk, '/') = '\0';
		device->disk = format_string("%s", path_name(disk));
	}
	CLEANUP_FREE char *size = attribute(directory, "size");
	device->name = format_string("%s", path_name(directory));
	device->model = read_model(disk);
	device->size = strtoull(size, NULL, 10) * SYSFS_SECTOR;
	device->removable = is_removable(disk);
	device->loop = has_entry(disk, "loop");
	device->read_only = attribute_is(directory, "ro", "1");

	struct parts parts = { 0 };
	find_parts(&parts, directory);
	search(device, sources->mounts, &parts, is_mount);
	search(device, sources->swaps, &parts, is_swap);
	search_holders(device, &parts);
	free_parts(&parts);
	return 0;
}

void device_free(struct device *device)
{
	free(device->name);
	free(device->disk);
	free(device->model);
	free(device->use);
	*device = (struct device){0};
}

int device_check(const struct device *device, const char *path, uint64_t image_size, bool force,
		 struct error *err)
{
	if (device->use != NULL) {
		error_set(err, ERROR_INPUT, 0, "'%s' is in use: %s", path, device->use);
		return error_hint(err, "%s; --force does not help", device->remedy);
	}
	if (device->size == 0)
		return error_set(err, ERROR_INPUT, 0, "'%s' is empty: there is no medium in it", path);
	if (device->read_only) {
		error_set(err, ERROR_INPUT, 0, "'%s' is write-protected", path);
		return error_hint(err, "many a stick and card has a switch for that");
	}
	if (device->size < image_size) {
		error_set(err, ERROR_INPUT, 0, "'%s' is too small: it has %s, the image %s", path,
			  size_words(device->size).text, size_words(image_size).text);
		return error_hint(err, "take a larger one, or build the image without --size");
	}
	if (force)
		return 0;
	if (device->disk != NULL) {
		error_set(err, ERROR_INPUT, 0, "'%s' is a partition, but firmware boots whole disks", path);
		return error_hint(err, "name the disk, /dev/%s; or say --force", device->disk);
	}
	if (!device->removable && !device->loop) {
		error_set(err, ERROR_INPUT, 0, "'%s' is not removable, but built into this computer: %s, %s", path,
			  device->model[0] != '\0' ? device->model : "a disk", size_words(device->size).text);
		return error_hint(err, "if it is to be overwritten all the same, say --force");
	}
	return 0;
}
