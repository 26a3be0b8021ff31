/* SPDX-License-Identifier: MIT
 *
 * The checksums by which the loader knows that it has read what was written
 * (include/bootabi.h says how each is made).
 */
#ifndef MKBOOTIMG_CHECKSUM_H
#define MKBOOTIMG_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* CRC-32 of bytes that hold the result in a u32 field at an offset, which counts as
 * 0: of the boot table. */
uint32_t checksum_crc(const unsigned char *bytes, size_t size, size_t field);

/* The sum of stage 2 that stage 1 checks (S1_OFF_SUM); size is whole dwords. */
uint32_t checksum_stage2(const unsigned char *stage2, size_t size);

/* Begin an extent's sum; add whole 512-byte sectors to it. */
void checksum_extent_start(uint64_t sum[4]);
void checksum_extent(uint64_t sum[4], const unsigned char *sectors, size_t bytes);

/* The sum of stage 2 that it checks itself (S2_OFF_SUM); size is whole sectors. */
void checksum_loader(uint64_t sum[4], const unsigned char *stage2, size_t size);

#endif
