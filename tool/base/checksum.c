/* SPDX-License-Identifier: MIT
 *
 * Checksums; see checksum.h.
 */
#include "base/checksum.h"

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

void checksum_extent(uint64_t sum[4], const unsigned char *sectors, size_t bytes)
{
	for (size_t sector = 0; sector < bytes; sector += SECTOR_SIZE) {
		uint64_t own[4] = { 0 };

		for (size_t i = 0; i < SECTOR_SIZE; i += 16) {
			own[0] += get_le64(sectors + sector + i);
			own[1] += get_le64(sectors + sector + i + 8);
			own[2] += own[0];
			own[3] += own[1];
		}
		for (size_t k = 0; k < 4; k++)
			sum[k] = sum[k] * EXTENT_FACTOR + own[k];
	}
}
