/* SPDX-License-Identifier: MIT
 *
 * Test kernel "data": 48 MiB of data, each word checked, and 64 MiB of .bss.
 */
#include "data_words.h"
#include "guest.h"

void _start(const struct mkbootimg_info *info);

extern const uint64_t payload[], payload_end[], bss[], bss_end[];

void _start(const struct mkbootimg_info *info)
{
	uint64_t size, middle = ((uint64_t)payload + 24 * MIB) & ~(2 * MIB - 1);

	CHECK((uint64_t)payload_end - (uint64_t)payload == DATA_BYTES, payload_end - payload);
	for (uint64_t i = 0; i < DATA_BYTES / 8; i++)
		CHECK(payload[i] == data_word(i), i);
	for (const uint64_t *word = bss; word < bss_end; word++)
		CHECK(*word == 0, word);
	/* Where alignment lets them, pages are large. */
	CHECK(walk(info, middle, &size) != 0 && size == 2 * MIB, size);
	print("all data is right\n");
	finish(GUEST_PASS);
}
