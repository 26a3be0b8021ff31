/* SPDX-License-Identifier: MIT
 *
 * Reads what the native protocol tells into the form of the others (boot.h).
 */
#include "boot.h"

void _start(const struct mkbootimg_info *info);

static struct boot boot;

/* What others call RAM is told apart further here. */
static uint32_t kind_of(uint32_t kind)
{
	switch (kind) {
	case MKBOOTIMG_MEMORY_USABLE:
	case MKBOOTIMG_MEMORY_LOADER_RECLAIMABLE:
	case MKBOOTIMG_MEMORY_KERNEL:
	case MKBOOTIMG_MEMORY_MODULES:
		return KIND_RAM;
	case MKBOOTIMG_MEMORY_ACPI_RECLAIMABLE:
		return KIND_ACPI_RECLAIMABLE;
	case MKBOOTIMG_MEMORY_ACPI_NVS:
		return KIND_ACPI_NVS;
	case MKBOOTIMG_MEMORY_BAD:
		return KIND_BAD;
	}
	return KIND_RESERVED;
}

/* Memory in use must be said to be so. */
static void check_kind(const struct mkbootimg_info *info, uint64_t start, uint64_t size, uint32_t kind)
{
	for (uint64_t i = 0; i < info->memory_map_count; i++) {
		const struct mkbootimg_memory_region *region = &info->memory_map[i];

		if (start >= region->start && start + size <= region->start + region->size) {
			CHECK(region->kind == kind, start);
			return;
		}
	}
	failed("it is not in one region of the memory map", start);
}

static void read_framebuffer(const struct mkbootimg_info *info)
{
	const struct mkbootimg_framebuffer *from = &info->framebuffer;

	if (from->kind != MKBOOTIMG_FRAMEBUFFER_RGB)
		return;
	check_kind(info, from->physical_address, (uint64_t)from->pitch * from->height,
		   MKBOOTIMG_MEMORY_FRAMEBUFFER);
	boot.framebuffer = (struct framebuffer){
		.address = from->physical_address,
		.width = from->width,
		.height = from->height,
		.pitch = from->pitch,
		.depth = from->bits_per_pixel,
		.red_position = from->red_position,
		.red_size = from->red_size,
		.green_position = from->green_position,
		.green_size = from->green_size,
		.blue_position = from->blue_position,
		.blue_size = from->blue_size,
	};
}

void _start(const struct mkbootimg_info *info)
{
	boot.protocol = "native";
	boot.command_line = info->command_line;
	for (uint64_t i = 0; i < info->memory_map_count; i++) {
		const struct mkbootimg_memory_region *region = &info->memory_map[i];

		/* The others' maps do not know the framebuffer. */
		if (region->kind == MKBOOTIMG_MEMORY_FRAMEBUFFER)
			continue;
		CHECK(boot.region_count < MAX_REGIONS, boot.region_count);
		boot.regions[boot.region_count++] =
			(struct region){ region->start, region->size, kind_of(region->kind) };
	}
	CHECK((info->modules == NULL) == (info->module_count == 0), info->module_count);
	for (uint64_t i = 0; i < info->module_count; i++) {
		const struct mkbootimg_module *module = &info->modules[i];

		CHECK(boot.module_count < MAX_MODULES, boot.module_count);
		CHECK((uint64_t)module->start == info->physical_memory_offset + module->physical_start,
		      module->physical_start);
		CHECK(module->physical_start % PAGE == 0, module->physical_start);
		if (module->size > 0)
			check_kind(info, module->physical_start, module->size, MKBOOTIMG_MEMORY_MODULES);
		boot.modules[boot.module_count++] =
			(struct module){ module->start, (uint32_t)module->size, module->name };
	}
	read_framebuffer(info);
	kernel(&boot);
	failed("the kernel returned", 0);
}
