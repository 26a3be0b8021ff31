/*
 * The kernel.
 */
#include "console.h"
#include "kernel.h"
#include "machine.h"

static bool same(const char *left, const char *right)
{
	while (*left != '\0' && *left == *right) {
		left++;
		right++;
	}
	return *left == *right;
}

static uint64_t usable_memory(const struct mkbootimg_info *info)
{
	uint64_t size = 0;

	for (uint64_t i = 0; i < info->memory_map_count; i++) {
		if (info->memory_map[i].kind == MKBOOTIMG_MEMORY_USABLE)
			size += info->memory_map[i].size;
	}
	return size;
}

void kernel_main(const struct mkbootimg_info *info)
{
	print("Hello World!\n");
	print_number(usable_memory(info) / 1024);
	print(" KiB of memory are free.\n");

	/* "make run" asks for this where there is no window to close. */
	if (same(info->command_line, "exit"))
		finish(true);
}
