/* SPDX-License-Identifier: MIT
 *
 * Test kernel "modules": prints each module as cksum(1) would, its name after
 * that.  They must lie at pages of their own.
 */
#include "boot.h"

/* POSIX's CRC: the bytes, then their number, lowest byte first. */
static uint32_t crc_byte(uint32_t crc, uint32_t byte)
{
	crc ^= byte << 24;
	for (int bit = 0; bit < 8; bit++)
		crc = crc << 1 ^ (crc >> 31 ? 0x04c11db7 : 0);
	return crc;
}

static uint32_t cksum(const uint8_t *bytes, uint32_t size)
{
	uint32_t crc = 0;

	for (uint32_t i = 0; i < size; i++)
		crc = crc_byte(crc, bytes[i]);
	for (uint32_t rest = size; rest != 0; rest >>= 8)
		crc = crc_byte(crc, rest & 0xff);
	return ~crc;
}

void kernel(const struct boot *boot)
{
	for (size_t i = 0; i < boot->module_count; i++) {
		const struct module *module = &boot->modules[i];
		uintptr_t start = (uintptr_t)module->bytes;

		CHECK(start % PAGE == 0, start);
		for (size_t j = 0; j < i; j++) {
			uintptr_t other = (uintptr_t)boot->modules[j].bytes;

			CHECK(start + module->size <= other || start >= other + boot->modules[j].size, start);
		}
		print_decimal(cksum(module->bytes, module->size));
		print(" ");
		print_decimal(module->size);
		print(" ");
		print(module->name);
		print("\n");
	}
	finish_as_told(boot);
}
