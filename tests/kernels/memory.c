/* SPDX-License-Identifier: MIT
 *
 * Test kernel "memory": writes to every byte of usable memory, through the
 * physical map, and reads it back; what it was given must survive that.  (On
 * large machines only a page in each 32 MiB above the first 256 MiB.)
 */
#include "guest.h"

void _start(const struct mkbootimg_info *info);

static uint64_t hash_bytes(const void *bytes, uint64_t size, uint64_t hash)
{
	const uint8_t *byte = bytes;

	for (uint64_t i = 0; i < size; i++)
		hash = (hash ^ byte[i]) * 0x100000001b3;
	return hash;
}

/* Everything the loader gave us. */
static uint64_t hash_given(const struct mkbootimg_info *info)
{
	uint64_t size, hash = hash_bytes(info, sizeof(*info), 0xcbf29ce484222325);

	hash = hash_bytes(info->memory_map, info->memory_map_count * sizeof(info->memory_map[0]), hash);
	hash = hash_bytes(info->command_line, info->command_line_length + 1, hash);
	hash = hash_bytes(info->kernel_segments,
			  info->kernel_segment_count * sizeof(info->kernel_segments[0]), hash);
	for (uint64_t i = 0; i < info->kernel_segment_count; i++) {
		const struct mkbootimg_segment *s = &info->kernel_segments[i];

		if (!(s->flags & MKBOOTIMG_SEGMENT_WRITE))
			hash = hash_bytes((const void *)s->virtual_start, s->size, hash);
	}
	/* The tables, as they translate. */
	for (uint64_t p = 0; p < info->physical_memory_size; p += 2 * MIB) {
		/* But for "accessed" and "dirty", which the CPU sets. */
		uint64_t entry = walk(info, info->physical_memory_offset + p, &size) & ~0x60ul;

		hash = hash_bytes(&entry, sizeof(entry), hash);
	}
	return hash;
}

static uint64_t pattern(const uint64_t *word)
{
	return (uint64_t)word * 0x9e3779b97f4a7c15;
}

static void sweep(const struct mkbootimg_info *info, bool write)
{
	for (uint64_t i = 0; i < info->memory_map_count; i++) {
		const struct mkbootimg_memory_region *region = &info->memory_map[i];

		if (region->kind != MKBOOTIMG_MEMORY_USABLE)
			continue;
		uint64_t end = region->start + region->size;
		for (uint64_t page = region->start; page < end;
		     page += page < 256 * MIB ? PAGE : 32 * MIB) {
			volatile uint64_t *words =
				(volatile uint64_t *)(info->physical_memory_offset + page);

			for (size_t w = 0; w < PAGE / 8; w++) {
				if (write)
					words[w] = pattern((const uint64_t *)&words[w]);
				else
					CHECK(words[w] == pattern((const uint64_t *)&words[w]), page + 8 * w);
			}
		}
	}
}

void _start(const struct mkbootimg_info *info)
{
	uint64_t before = hash_given(info);

	sweep(info, true);
	CHECK(hash_given(info) == before, before);
	sweep(info, false);
	print("all usable memory is\n");
	finish(GUEST_PASS);
}
