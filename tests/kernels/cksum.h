/* SPDX-License-Identifier: MIT
 *
 * What cksum(1) says of bytes: POSIX's CRC of them and of their number, lowest byte
 * first.
 */
#ifndef CKSUM_H
#define CKSUM_H

#include <stddef.h>
#include <stdint.h>

static inline uint32_t cksum_byte(uint32_t crc, uint32_t byte)
{
	crc ^= byte << 24;
	for (int bit = 0; bit < 8; bit++)
		crc = crc << 1 ^ (crc >> 31 ? 0x04c11db7 : 0);
	return crc;
}

static inline uint32_t cksum(const uint8_t *bytes, uint32_t size)
{
	uint32_t crc = 0;

	for (uint32_t i = 0; i < size; i++)
		crc = cksum_byte(crc, bytes[i]);
	for (uint32_t rest = size; rest != 0; rest >>= 8)
		crc = cksum_byte(crc, rest & 0xff);
	return ~crc;
}

#endif
