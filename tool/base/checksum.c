/* SPDX-License-Identifier: MIT
 *
 * Checksums; see checksum.h.
 */
#include "base/checksum.h"

#include <string.h>
#include <zlib.h>

#include "bootabi.h"
#include "base/bytes.h"

uint32_t checksum_crc(const unsigned char *bytes, size_t size, size_t field)
{
	static const unsigned char zeros[4];
	uLong crc = crc32_z(0, bytes, field);

	crc = crc32_z(crc, zeros, sizeof(zeros));
	return (uint32_t)crc32_z(crc, bytes + field + 4, size - field - 4);
}

uint32_t checksum_stage2(const unsigned char *stage2, size_t size)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 4 <= size; i += 4)
		sum = sum * S1_SUM_FACTOR + get_le32(stage2 + i);
	return sum;
}

void checksum_extent_start(uint64_t sum[4])
{
	for (size_t i = 0; i < 4; i++)
		sum[i] = EXTENT_FACTOR;
}

void checksum_extent(uint64_t sum[4], const unsigned char *sectors, size_t bytes)
{
	uint64_t t0 = sum[0], t1 = sum[1], u0 = sum[2], u1 = sum[3];

	for (const unsigned char *sector = sectors; sector < sectors + bytes; sector += SECTOR_SIZE) {
		const unsigned char *v = sector;

		for (; v < sector + 8 * 31; v += 31) {
			t0 += get_le64(v);
			t1 += get_le64(v + 8);
			u0 += get_le64(v + 16);
			u1 += get_le64(v + 24);
		}
		for (; v < sector + 16 * 31; v += 31) {
			t0 -= get_le64(v);
			t1 -= get_le64(v + 8);
			u0 -= get_le64(v + 16);
			u1 -= get_le64(v + 24);
		}
		uint64_t turned0 = t0 >> 32 | t1 << 32, turned1 = t1 >> 32 | t0 << 32;

		u0 += (uint32_t)t0 * (uint64_t)EXTENT_FACTOR;
		u1 += (uint32_t)t1 * (uint64_t)EXTENT_FACTOR;
		t0 = turned0 + u0;
		t1 = turned1 + u1;
		u0 += get_le64(v);
		u1 += get_le64(v + 8);
	}
	sum[0] = t0;
	sum[1] = t1;
	sum[2] = u0;
	sum[3] = u1;
}

void checksum_loader(uint64_t sum[4], const unsigned char *stage2, size_t size)
{
	unsigned char first[SECTOR_SIZE];

	memcpy(first, stage2, sizeof(first));
	memset(first + S2_OFF_SUM, 0, 4 * sizeof(sum[0]));
	checksum_extent_start(sum);
	checksum_extent(sum, first, sizeof(first));
	checksum_extent(sum, stage2 + SECTOR_SIZE, size - SECTOR_SIZE);
}
