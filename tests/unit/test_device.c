/* SPDX-License-Identifier: MIT
 *
 * device_read() and device_check(): what is known of a device, from a sysfs that the
 * tests make up, and to which an image may be written.
 */
#include "flash/device.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fileio.h"
#include "unit.h"

#define GIB (UINT64_C(1) << 30)
#define IMAGE (UINT64_C(64) << 20)

static char *root;	/* with sys/, mounts and swaps */

static void make_parents(const char *path)
{
	char *copy = format_string("%s", path);

	for (char *slash = strchr(copy + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(copy, 0700);
		*slash = '/';
	}
	free(copy);
}

/* Write a file of the root's. */
static void put(const char *name, const char *text)
{
	char *path = format_string("%s/%s", root, name);

	make_parents(path);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	free(path);
}

/* A device at a place in sys/devices. */
static void put_device(const char *place, const char *number, uint64_t size, const char *removable)
{
	char *name = format_string("sys/devices/%s/dev", place);
	char *link = format_string("%s/sys/dev/block/%s", root, number);
	char *target = format_string("../../devices/%s", place);
	char *sectors = format_string("%llu\n", (unsigned long long)(size / 512));
	char *size_name = format_string("sys/devices/%s/size", place);
	char *removable_name = format_string("sys/devices/%s/removable", place);

	put(name, number);
	put(size_name, sectors);
	put(removable_name, removable);
	make_parents(link);
	assert_int_equal(symlink(target, link), 0);
	free(name);
	free(link);
	free(target);
	free(sectors);
	free(size_name);
	free(removable_name);
}

#define STICK "pci0000:00/0000:00:14.0/usb1/1-1/1-1:1.0/host6/target6:0:0/6:0:0:0/block/sdb"
#define CASE "pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0/host7/target7:0:0/7:0:0:0/block/sdc"
#define DISK "pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/block/sda"
#define CARD "pci0000:00/0000:00:1a.0/mmc_host/mmc0/mmc0:0001/block/mmcblk0"
#define LOOP "virtual/block/loop3"

static int setup(void **state)
{
	static char name[] = "/tmp/mkbootimg-device.XXXXXX";

	(void)state;
	strcpy(name + sizeof(name) - 7, "XXXXXX");
	root = mkdtemp(name);
	assert_non_null(root);
	put_device(STICK, "8:16", 16 * GIB, "1\n");
	put("sys/devices/" STICK "/device/vendor", "SanDisk \n");
	put("sys/devices/" STICK "/device/model", "Ultra           \n");
	put("sys/devices/" STICK "/ro", "0\n");
	put_device(STICK "/sdb1", "8:17", 15 * GIB, "");
	put("sys/devices/" STICK "/sdb1/partition", "1\n");
	put_device(CASE, "8:32", 500 * GIB, "0\n");
	put_device(DISK, "8:0", 500 * GIB, "0\n");
	put_device(CARD, "179:0", 32 * GIB, "0\n");
	put("sys/devices/" CARD "/device/type", "SD\n");
	put("sys/devices/" CARD "/device/name", "SC32G\n");
	put_device(LOOP, "7:3", GIB, "0\n");
	put("sys/devices/" LOOP "/loop/backing_file", "/home/me/a disk\n");
	put("mounts", "22 1 8:3 / / rw,relatime shared:1 - ext4 /dev/sda3 rw\n");
	put("swaps", "Filename\t\t\t\tType\t\tSize\n/dev/sda2                               partition\t1\n");
	return 0;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int teardown(void **state)
{
	(void)state;
	return nftw(root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static int read_number(struct device *device, unsigned int major, unsigned int minor, struct error *err)
{
	char *sys = format_string("%s/sys", root), *mounts = format_string("%s/mounts", root),
	     *swaps = format_string("%s/swaps", root);
	const struct device_sources sources = { sys, mounts, swaps };
	int result = device_read(device, makedev(major, minor), "/dev/x", &sources, err);

	free(sys);
	free(mounts);
	free(swaps);
	return result;
}

static struct device known(unsigned int major, unsigned int minor)
{
	struct device device;
	struct error err = { .class = ERROR_NONE };

	assert_accepted(read_number(&device, major, minor, &err), &err, "device_read");
	return device;
}

/* With and without --force: "" is accepted, else what the sentence says. */
static void check(unsigned int major, unsigned int minor, uint64_t size, const char *says, const char *forced)
{
	struct device device = known(major, minor);

	for (int force = 0; force <= 1; force++) {
		const char *wanted = force ? forced : says;
		struct error err = { .class = ERROR_NONE };
		int result = device_check(&device, "/dev/x", size, force, &err);

		if (wanted[0] == '\0')
			assert_accepted(result, &err, device.name);
		else
			assert_refused(result, &err, ERROR_INPUT, wanted, device.name);
	}
	device_free(&device);
}

TEST(a_stick)
{
	struct device device = known(8, 16);

	assert_string_equal(device.name, "sdb");
	assert_string_equal(device.model, "SanDisk Ultra");
	assert_int_equal(device.size, 16 * GIB);
	assert_true(device.removable);
	assert_false(device.loop || device.read_only);
	assert_null(device.disk);
	assert_null(device.use);
	device_free(&device);
	check(8, 16, IMAGE, "", "");
}

TEST(its_partition_needs_force)
{
	struct device device = known(8, 17);

	assert_string_equal(device.disk, "sdb");
	assert_string_equal(device.model, "SanDisk Ultra");
	assert_true(device.removable);
	device_free(&device);
	check(8, 17, IMAGE, "is a partition", "");
}

TEST(a_disk_that_is_built_in_needs_force)
{
	put("mounts", "");
	put("swaps", "");
	check(8, 0, IMAGE, "is not removable", "");
}

TEST(what_can_be_unplugged_is_removable)
{
	check(8, 32, IMAGE, "", "");
	check(179, 0, IMAGE, "", "");
	struct device device = known(179, 0);
	assert_string_equal(device.model, "SC32G");
	device_free(&device);
}

TEST(a_card_that_is_soldered_on_is_not)
{
	put("sys/devices/" CARD "/device/type", "MMC\n");
	check(179, 0, IMAGE, "is not removable", "");
}

TEST(a_loop_device_is_a_file)
{
	struct device device = known(7, 3);

	assert_true(device.loop);
	assert_string_equal(device.model, "loop device of '/home/me/a disk'");
	device_free(&device);
	check(7, 3, IMAGE, "", "");
}

TEST(mounted)
{
	put("mounts", "30 1 8:17 / /media/my\\040stick rw - vfat /dev/sdb1 rw\n");
	check(8, 16, IMAGE, "in use: sdb1 is mounted on '/media/my stick'", "in use");
	check(8, 17, IMAGE, "in use: sdb1 is mounted on '/media/my stick'", "in use");
}

TEST(mounted_as_a_whole)
{
	put("mounts", "30 1 8:16 / /mnt rw - vfat /dev/sdb rw\n");
	check(8, 16, IMAGE, "in use: sdb is mounted on '/mnt'", "in use");
}

/* btrfs has a number of its own. */
TEST(mounted_by_a_file_system_with_another_number)
{
	put("mounts", "30 1 0:42 /root /mnt rw shared:5 - btrfs /dev/sdb1 rw,space_cache\n");
	check(8, 16, IMAGE, "sdb1 is mounted", "in use");
}

TEST(names_that_only_begin_alike_are_others)
{
	put("mounts", "30 1 8:171 / /mnt rw - ext4 /dev/sdb11 rw\n");
	put("swaps", "/dev/sdb12 partition 1\n");
	check(8, 16, IMAGE, "", "");
}

TEST(swap_space)
{
	put("swaps", "Filename Type\n/dev/sdb1                               partition\t1\t0\t-2\n");
	check(8, 16, IMAGE, "in use: sdb1 is swap space", "in use");
}

TEST(a_part_of_something)
{
	put("sys/devices/" STICK "/sdb1/holders/dm-0", "");
	check(8, 16, IMAGE, "in use: sdb1 is a part of dm-0", "in use");
	check(8, 17, IMAGE, "in use: sdb1 is a part of dm-0", "in use");
}

TEST(write_protected)
{
	put("sys/devices/" STICK "/ro", "1\n");
	check(8, 16, IMAGE, "write-protected", "write-protected");
}

TEST(without_a_medium)
{
	put("sys/devices/" STICK "/size", "0\n");
	check(8, 16, IMAGE, "no medium", "no medium");
}

TEST(sizes)
{
	check(8, 16, 16 * GIB, "", "");
	check(8, 16, 16 * GIB + 1, "too small: it has 16.0 GiB", "too small");
}

TEST(no_such_device)
{
	struct device device;
	struct error err = { .class = ERROR_NONE };

	assert_refused(read_number(&device, 9, 9, &err), &err, ERROR_SYSTEM, "cannot find out what '/dev/x' is", "");
	device_free(&device);
}

int main(void)
{
#define DEVICE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		DEVICE_TEST(a_stick),
		DEVICE_TEST(its_partition_needs_force),
		DEVICE_TEST(a_disk_that_is_built_in_needs_force),
		DEVICE_TEST(what_can_be_unplugged_is_removable),
		DEVICE_TEST(a_card_that_is_soldered_on_is_not),
		DEVICE_TEST(a_loop_device_is_a_file),
		DEVICE_TEST(mounted),
		DEVICE_TEST(mounted_as_a_whole),
		DEVICE_TEST(mounted_by_a_file_system_with_another_number),
		DEVICE_TEST(names_that_only_begin_alike_are_others),
		DEVICE_TEST(swap_space),
		DEVICE_TEST(a_part_of_something),
		DEVICE_TEST(write_protected),
		DEVICE_TEST(without_a_medium),
		DEVICE_TEST(sizes),
		DEVICE_TEST(no_such_device),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
