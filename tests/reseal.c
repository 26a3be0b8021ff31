/* SPDX-License-Identifier: MIT
 *
 * reseal IMAGE EXTENT OFFSET [BYTE...]: change bytes of an extent, OFFSET from its
 * first one on the disk, and set the checksums right: what does the loader say of data
 * that are as they were written, and wrong?  OFFSET and BYTEs are hexadecimal.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/fileio.h"
#include "bootabi.h"
#include "plan/layout.h"

#define BASE (LAYOUT_BASE * SECTOR_SIZE)

static void fail(const char *what)
{
	fprintf(stderr, "reseal: %s\n", what);
	exit(EXIT_FAILURE);
}

static void sum_extent(uint64_t sum[4], const unsigned char *record, const unsigned char *stored)
{
	checksum_extent_start(sum);
	checksum_extent(sum, stored, align_up(get_le64(record + EXTENT_OFF_STORED), SECTOR_SIZE));
}

static void reseal(unsigned char *image, int argc, char **argv)
{
	unsigned char *stage2 = image + BASE;
	unsigned char *table = stage2 + (size_t)get_le32(stage2 + S2_OFF_TABLE_LBA) * SECTOR_SIZE;
	unsigned char *record = table + get_le32(table + BT_OFF_EXTENTS) +
				strtoul(argv[2], NULL, 10) * EXTENT_SIZE;
	unsigned char *stored = image + BASE + get_le64(record + EXTENT_OFF_LBA) * SECTOR_SIZE;
	uint64_t sum[4];

	sum_extent(sum, record, stored);
	for (size_t i = 0; i < 4; i++) {
		if (sum[i] != get_le64(record + EXTENT_OFF_SUM + 8 * i))
			fail("the sum was wrong before");
	}
	for (int i = 4; i < argc; i++)
		stored[strtoul(argv[3], NULL, 16) + (size_t)i - 4] = (unsigned char)strtoul(argv[i], NULL, 16);
	sum_extent(sum, record, stored);
	for (size_t i = 0; i < 4; i++)
		put_le64(record + EXTENT_OFF_SUM + 8 * i, sum[i]);
	put_le32(table + BT_OFF_CRC, checksum_crc(table, get_le32(table + BT_OFF_LENGTH), BT_OFF_CRC));
}

int main(int argc, char **argv)
{
	unsigned char *image;
	struct error err;
	size_t size;

	if (argc < 4)
		fail("usage: reseal IMAGE EXTENT OFFSET [BYTE...]");
	if (file_read(argv[1], &image, &size, &err) != 0)
		fail(err.text);
	reseal(image, argc, argv);
	FILE *file = fopen(argv[1], "r+b");
	if (file == NULL || fwrite(image, 1, size, file) != size || fclose(file) != 0)
		fail("cannot write the image");
	free(image);
	return EXIT_SUCCESS;
}
