/*
 * The memory map is sorted, and there is memory to work with.
 */
#include "check.h"

void kernel_main(const struct mkbootimg_info *info)
{
	uint64_t end = 0, usable = 0;

	for (uint64_t i = 0; i < info->memory_map_count; i++) {
		const struct mkbootimg_memory_region *region = &info->memory_map[i];

		CHECK(region->start >= end);
		end = region->start + region->size;
		if (region->kind == MKBOOTIMG_MEMORY_USABLE)
			usable += region->size;
	}
	CHECK(usable >= 1024 * 1024);
	finish(true);
}
