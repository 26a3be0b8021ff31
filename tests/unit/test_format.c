/* SPDX-License-Identifier: MIT
 *
 * Formats of images: their names, how they are recognised, which of them take bytes
 * from other files, and what qemu-img is told.
 */
#include "image/format.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "bootabi.h"
#include "image/identity.h"
#include "image/image.h"
#include "image/iso.h"
#include "unit.h"

TEST(names)
{
	static const char *const list[] = { "raw", "qcow2", "vmdk", "vdi", "vhdx", "iso" };
	char all[200] = "";

	for (size_t i = 0; i < COUNT(list); i++) {
		assert_string_equal(format_find(list[i])->name, list[i]);
		strcat(all, i > 0 ? ", " : "");
		strcat(all, list[i]);
	}
	assert_string_equal(all, FORMAT_NAMES);
	assert_null(format_find(""));
	assert_null(format_find("RAW"));
	assert_null(format_find("qcow"));
}

TEST(extensions)
{
	static const struct {
		const char *path;
		const char *format;	/* NULL: none */
	} cases[] = {
		{ "k.img", "raw" },	  { "k.iso", "iso" },	   { "k.qcow2", "qcow2" },
		{ "a.vdi/k", NULL },	  { "a.vdi/k.vmdk", "vmdk" }, { "k", NULL },
		{ "k.iso.vhdx", "vhdx" }, { "k.bin", NULL },	   { "k.", NULL },
		{ "", NULL },		  { "k.ISO", NULL },	   { "iso", NULL },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct image_format *format = format_of_path(cases[i].path);

		if (cases[i].format == NULL)
			CHECK(format == NULL, "'%s': %s", cases[i].path, format->name);
		else
			CHECK(format == format_find(cases[i].format), "'%s'", cases[i].path);
	}
}

/* The start of a file in a format. */
static void make_start(unsigned char *bytes, size_t size, const char *format)
{
	memset(bytes, 0, size);
	if (strcmp(format, "qcow2") == 0) {
		memcpy(bytes, "QFI\xfb\0\0\0\3", 8);
	} else if (strcmp(format, "vmdk") == 0) {
		memcpy(bytes, "KDMV", 4);
		put_le64(bytes + 12, 3024);
		put_le64(bytes + 28, 1);
		put_le64(bytes + 36, 20);
		strcpy((char *)bytes + SECTOR_SIZE, "# Disk DescriptorFile\nparentCID=ffffffff\n");
	} else if (strcmp(format, "vdi") == 0) {
		put_le32(bytes + 0x40, 0xbeda107f);
	} else if (strcmp(format, "vhdx") == 0) {
		memcpy(bytes, "vhdxfile", 8);
	} else if (strcmp(format, "iso") == 0) {
		memcpy(bytes + 0x8000, "\1CD001\1", 7);
	}
}

TEST(detected_by_their_first_bytes)
{
	static const char *const list[] = { "raw", "qcow2", "vmdk", "vdi", "vhdx", "iso" };
	static unsigned char bytes[0x9000];

	for (size_t i = 0; i < COUNT(list); i++) {
		make_start(bytes, sizeof(bytes), list[i]);
		assert_string_equal(format_detect(bytes, sizeof(bytes))->name, list[i]);
		assert_int_equal(format_is_foreign(format_find(list[i])), i > 0 && i < 5);
		/* Nothing is read beyond the end: of each size an allocation of its own. */
		for (size_t size = 1; size < 1200; size++) {
			unsigned char *copy = malloc(size);

			assert_non_null(copy);
			memcpy(copy, bytes, size);
			const struct image_format *format = format_detect(copy, size);
			if (format->refers != NULL)
				format->refers(copy, size);
			free(copy);
		}
	}
}

TEST(what_refers_to_other_files_is_noticed)
{
	const struct image_format *qcow2 = format_find("qcow2"), *vmdk = format_find("vmdk");
	static unsigned char bytes[0x9000];

	make_start(bytes, sizeof(bytes), "qcow2");
	assert_false(qcow2->refers(bytes, sizeof(bytes)));
	bytes[15] = 0x70;	/* a backing file's name */
	assert_true(qcow2->refers(bytes, sizeof(bytes)));
	make_start(bytes, sizeof(bytes), "qcow2");
	bytes[79] = 4;		/* a data file */
	assert_true(qcow2->refers(bytes, sizeof(bytes)));
	bytes[7] = 2;		/* a version that has no such field */
	assert_false(qcow2->refers(bytes, sizeof(bytes)));

	make_start(bytes, sizeof(bytes), "vmdk");
	assert_false(vmdk->refers(bytes, sizeof(bytes)));
	strcat((char *)bytes + SECTOR_SIZE, "parentFileNameHint=\"x\"\n");
	assert_true(vmdk->refers(bytes, sizeof(bytes)));
	put_le64(bytes + 28, 40);	/* QEMU reads it all the same */
	assert_true(vmdk->refers(bytes, sizeof(bytes)));
	make_start(bytes, sizeof(bytes), "vmdk");
	put_le64(bytes + 28, 40);	/* others read that one */
	strcpy((char *)bytes + 40 * SECTOR_SIZE, "parentFileNameHint=\"x\"\n");
	assert_true(vmdk->refers(bytes, sizeof(bytes)));
	make_start(bytes, sizeof(bytes), "vmdk");
	put_le64(bytes + 12, 0);	/* only a description */
	assert_true(vmdk->refers(bytes, sizeof(bytes)));
}

TEST(qcow2_clusters_fit_the_data)
{
	static const uint64_t kib = 1024, mib = 1024 * kib, gib = 1024 * mib;

	assert_int_equal(format_qcow2_cluster(3 * mib / 2, 32 * kib), 512);
	assert_int_equal(format_qcow2_cluster(64 * mib, 60 * mib), 64 * kib);
	assert_int_equal(format_qcow2_cluster(UINT64_C(1900) * gib, 1000 * gib), 64 * kib);
	for (uint64_t data = 32 * kib; data < gib; data *= 2) {
		uint64_t cluster = format_qcow2_cluster(data + mib, data);

		CHECK(cluster >= 512 && cluster <= 64 * kib && (cluster & (cluster - 1)) == 0, "%llu",
		      (unsigned long long)cluster);
	}
	/* Nothing but a large disk: its first table takes little. */
	for (uint64_t size = mib; size < 2048 * gib; size *= 2) {
		uint64_t cluster = format_qcow2_cluster(size, 0);

		CHECK(size / (cluster / 8 * cluster) * 8 <= 256 * kib, "%llu: %llu", (unsigned long long)size,
		      (unsigned long long)cluster);
	}
}

TEST(crc32c_is_the_standard_one)
{
	assert_int_equal(identity_crc32c((const unsigned char *)"123456789", 9), 0xe3069283);
	assert_int_equal(identity_crc32c((const unsigned char *)"", 0), 0);
}

/* ---- ISO ---------------------------------------------------------------------------- */

#define CATALOG 33
#define START 34
static void make_iso(unsigned char *bytes, size_t size)
{
	make_start(bytes, size, "iso");
	memcpy(bytes + 0x8800, "\0CD001\1EL TORITO SPECIFICATION", 30);
	put_le32(bytes + 0x8800 + 0x47, CATALOG);
	bytes[CATALOG * 2048 + 33] = 4;
	put_le32(bytes + CATALOG * 2048 + 40, START);
}

TEST(where_the_disk_is_in_an_iso_image)
{
	enum { SIZE = 40 * 2048 };
	unsigned char *bytes = malloc(SIZE);

	assert_non_null(bytes);
	make_iso(bytes, SIZE);
	assert_int_equal(iso_boot_image(bytes, SIZE), START * 2048);
	bytes[CATALOG * 2048 + 33] = 0;		/* no emulation */
	assert_int_equal(iso_boot_image(bytes, SIZE), 0);
	/* Numbers beyond the end, of which some would wrap. */
	static const uint32_t beyond[] = { 40, 41, 0x200000, 0xffffffff };
	for (size_t i = 0; i < COUNT(beyond); i++) {
		make_iso(bytes, SIZE);
		put_le32(bytes + 0x8800 + 0x47, beyond[i]);
		assert_int_equal(iso_boot_image(bytes, SIZE), 0);
		make_iso(bytes, SIZE);
		put_le32(bytes + CATALOG * 2048 + 40, beyond[i]);
		assert_int_equal(iso_boot_image(bytes, SIZE), 0);
	}
	make_iso(bytes, SIZE);
	assert_int_equal(iso_boot_image(bytes, 0x8800), 0);
	free(bytes);
}

TEST(a_first_sector_that_moves)
{
	unsigned char sector[SECTOR_SIZE] = { 0 };

	image_move(sector, 2184, 4032);
	assert_int_equal(get_le64(sector + S1_OFF_BASE), 2184);
	assert_int_equal(sector[S1_OFF_PARTITION], 0x80);
	assert_int_equal(get_le32(sector + S1_OFF_PARTITION + 8), 2184);
	assert_int_equal(get_le32(sector + S1_OFF_PARTITION + 12), 4032 - 2184);
	/* 2184 = 2 cylinders of 1008, 2 tracks of 63, 42 sectors. */
	assert_int_equal(sector[S1_OFF_PARTITION + 1], 2);
	assert_int_equal(sector[S1_OFF_PARTITION + 2], 43);
	assert_int_equal(sector[S1_OFF_PARTITION + 3], 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(extensions),
		cmocka_unit_test(detected_by_their_first_bytes),
		cmocka_unit_test(what_refers_to_other_files_is_noticed),
		cmocka_unit_test(qcow2_clusters_fit_the_data),
		cmocka_unit_test(crc32c_is_the_standard_one),
		cmocka_unit_test(where_the_disk_is_in_an_iso_image),
		cmocka_unit_test(a_first_sector_that_moves),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
