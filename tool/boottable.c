/* SPDX-License-Identifier: MIT
 *
 * The boot table; see boottable.h.
 */
#include "boottable.h"

#include <assert.h>
#include <string.h>
#include <zlib.h>

#include "bootabi.h"
#include "bytes.h"
#include "mkbootimg.h"

/* The loader fills in what kernels read through include/mkbootimg.h. */
#define INFO_AT(offset, field) \
	static_assert(offsetof(struct mkbootimg_info, field) == (offset), #field)
INFO_AT(INFO_OFF_MAGIC, magic);
INFO_AT(INFO_OFF_VERSION, version);
INFO_AT(INFO_OFF_SIZE, size);
INFO_AT(INFO_OFF_MEMORY, memory_map);
INFO_AT(INFO_OFF_MEMORY_COUNT, memory_map_count);
INFO_AT(INFO_OFF_CMDLINE, command_line);
INFO_AT(INFO_OFF_CMDLINE_LEN, command_line_length);
INFO_AT(INFO_OFF_MODULES, modules);
INFO_AT(INFO_OFF_MODULE_COUNT, module_count);
INFO_AT(INFO_OFF_SEGMENTS, kernel_segments);
INFO_AT(INFO_OFF_SEGMENT_COUNT, kernel_segment_count);
INFO_AT(INFO_OFF_KERNEL_VSTART, kernel_virtual_start);
INFO_AT(INFO_OFF_KERNEL_VEND, kernel_virtual_end);
INFO_AT(INFO_OFF_KERNEL_PSTART, kernel_physical_start);
INFO_AT(INFO_OFF_KERNEL_PEND, kernel_physical_end);
INFO_AT(INFO_OFF_STACK_VSTART, stack_virtual_start);
INFO_AT(INFO_OFF_STACK_VEND, stack_virtual_end);
INFO_AT(INFO_OFF_STACK_PSTART, stack_physical_start);
INFO_AT(INFO_OFF_STACK_PEND, stack_physical_end);
INFO_AT(INFO_OFF_PHYSMAP, physical_memory_offset);
INFO_AT(INFO_OFF_PHYSMAP_SIZE, physical_memory_size);
INFO_AT(INFO_OFF_RSDP, rsdp);
INFO_AT(INFO_OFF_TSC_START, tsc_loader_start);
INFO_AT(INFO_OFF_TSC_HANDOFF, tsc_hand_off);
INFO_AT(INFO_OFF_FB_ADDRESS, framebuffer.physical_address);
INFO_AT(INFO_OFF_FB_WIDTH, framebuffer.width);
INFO_AT(INFO_OFF_FB_HEIGHT, framebuffer.height);
INFO_AT(INFO_OFF_FB_PITCH, framebuffer.pitch);
INFO_AT(INFO_OFF_FB_KIND, framebuffer.kind);
INFO_AT(INFO_OFF_FB_BPP, framebuffer.bits_per_pixel);
INFO_AT(INFO_OFF_FB_RED, framebuffer.red_position);
INFO_AT(INFO_OFF_BOOT_DRIVE, boot_drive);
static_assert(sizeof(struct mkbootimg_info) == INFO_SIZE, "info size");
static_assert(MKBOOTIMG_INFO_MAGIC == INFO_MAGIC, "info magic");
static_assert(MKBOOTIMG_INFO_VERSION == INFO_VERSION, "info version");

#define REGION_AT(offset, field) \
	static_assert(offsetof(struct mkbootimg_memory_region, field) == (offset), #field)
REGION_AT(REGION_OFF_START, start);
REGION_AT(REGION_OFF_SIZE, size);
REGION_AT(REGION_OFF_KIND, kind);
REGION_AT(REGION_OFF_RESERVED, reserved);
static_assert(sizeof(struct mkbootimg_memory_region) == REGION_SIZE, "region size");

#define SEGMENT_AT(offset, field) \
	static_assert(offsetof(struct mkbootimg_segment, field) == (offset), #field)
SEGMENT_AT(SEGMENT_OFF_VIRT, virtual_start);
SEGMENT_AT(SEGMENT_OFF_PHYS, physical_start);
SEGMENT_AT(SEGMENT_OFF_SIZE, size);
SEGMENT_AT(SEGMENT_OFF_FLAGS, flags);
SEGMENT_AT(SEGMENT_OFF_RESERVED, reserved);
static_assert(sizeof(struct mkbootimg_segment) == SEGMENT_SIZE, "segment size");

#define SAME(theirs, ours) static_assert((int)(theirs) == (ours), #ours)
SAME(MKBOOTIMG_MEMORY_USABLE, INFO_KIND_USABLE);
SAME(MKBOOTIMG_MEMORY_LOADER_RECLAIMABLE, INFO_KIND_LOADER_RECLAIMABLE);
SAME(MKBOOTIMG_MEMORY_KERNEL, INFO_KIND_KERNEL);
SAME(MKBOOTIMG_MEMORY_MODULES, INFO_KIND_MODULES);
SAME(MKBOOTIMG_MEMORY_FRAMEBUFFER, INFO_KIND_FRAMEBUFFER);
SAME(MKBOOTIMG_MEMORY_ACPI_RECLAIMABLE, INFO_KIND_ACPI_RECLAIMABLE);
SAME(MKBOOTIMG_MEMORY_ACPI_NVS, INFO_KIND_ACPI_NVS);
SAME(MKBOOTIMG_MEMORY_RESERVED, INFO_KIND_RESERVED);
SAME(MKBOOTIMG_MEMORY_BAD, INFO_KIND_BAD);
SAME(MKBOOTIMG_FRAMEBUFFER_NONE, INFO_FB_NONE);
SAME(MKBOOTIMG_FRAMEBUFFER_TEXT, INFO_FB_TEXT);
SAME(MKBOOTIMG_FRAMEBUFFER_RGB, INFO_FB_RGB);
SAME(MKBOOTIMG_SEGMENT_EXECUTE, MAP_EXECUTE);
SAME(MKBOOTIMG_SEGMENT_WRITE, MAP_WRITE);
SAME(MKBOOTIMG_SEGMENT_READ, MAP_READ);

/* The order of the parts.  Extents come first because they need alignment. */
struct parts {
	size_t extents;
	size_t blocks;
	size_t maps;
	size_t zeros;
	size_t cmdline;
	size_t end;
};

static struct parts find_parts(const struct plan *plan)
{
	struct parts parts;

	parts.extents = BT_HEADER_SIZE;
	parts.blocks = parts.extents + plan->extent_count * EXTENT_SIZE;
	parts.maps = parts.blocks + plan->block_count * BLOCK_SIZE;
	parts.zeros = parts.maps + plan->map_count * MAP_SIZE;
	parts.cmdline = parts.zeros + plan->zero_count * ZERO_SIZE;
	parts.end = parts.cmdline + strlen(plan->cmdline) + 1;
	return parts;
}

size_t boottable_size(const struct plan *plan)
{
	return find_parts(plan).end;
}

int boottable_check(const struct plan *plan, const char *name, struct error *err)
{
	size_t cmdline = strlen(plan->cmdline), size = boottable_size(plan);

	if (cmdline > BT_MAX_CMDLINE)
		return error_set(err, ERROR_USAGE, 0,
				 "the command line is %zu bytes long; the loader has room for %d", cmdline,
				 BT_MAX_CMDLINE);
	if (size > BT_MAX_BYTES)
		return error_set(err, ERROR_INPUT, 0,
				 "'%s' has too many segments: its boot table would be %zu bytes long, the loader has room for %d",
				 name, size, BT_MAX_BYTES);
	return 0;
}

static void encode_extents(const struct plan *plan, const struct extent_place *places,
			   unsigned char *p)
{
	for (size_t i = 0; i < plan->extent_count; i++, p += EXTENT_SIZE) {
		const struct plan_extent *extent = &plan->extents[i];

		put_le32(p + EXTENT_OFF_BLOCK, extent->block);
		put_le32(p + EXTENT_OFF_METHOD, EXTENT_RAW);
		put_le64(p + EXTENT_OFF_OFFSET, extent->offset);
		put_le64(p + EXTENT_OFF_LENGTH, extent->length);
		put_le64(p + EXTENT_OFF_LBA, places[i].lba);
		put_le64(p + EXTENT_OFF_STORED, extent->length);
		for (size_t k = 0; k < 4; k++)
			put_le64(p + EXTENT_OFF_SUM + 8 * k, places[i].sum[k]);
	}
}

static void encode_blocks(const struct plan *plan, unsigned char *p)
{
	for (size_t i = 0; i < plan->block_count; i++, p += BLOCK_SIZE) {
		const struct plan_block *block = &plan->blocks[i];

		put_le64(p + BLOCK_OFF_PHYS, block->phys);
		put_le64(p + BLOCK_OFF_SIZE, block->size);
		put_le64(p + BLOCK_OFF_ALIGN, block->align);
		put_le64(p + BLOCK_OFF_PHASE, block->phase);
		put_le32(p + BLOCK_OFF_KIND, block->kind);
	}
}

static void encode_maps(const struct plan *plan, unsigned char *p)
{
	for (size_t i = 0; i < plan->map_count; i++, p += MAP_SIZE) {
		const struct plan_map *map = &plan->maps[i];

		put_le64(p + MAP_OFF_VIRT, map->virt);
		put_le32(p + MAP_OFF_BLOCK, map->block);
		put_le32(p + MAP_OFF_FLAGS, map->flags);
		put_le64(p + MAP_OFF_OFFSET, map->offset);
		put_le64(p + MAP_OFF_LENGTH, map->length);
	}
}

static void encode_zeros(const struct plan *plan, unsigned char *p)
{
	for (size_t i = 0; i < plan->zero_count; i++, p += ZERO_SIZE) {
		const struct plan_zero *zero = &plan->zeros[i];

		put_le32(p + ZERO_OFF_BLOCK, zero->block);
		put_le64(p + ZERO_OFF_OFFSET, zero->offset);
		put_le64(p + ZERO_OFF_LENGTH, zero->length);
	}
}

/* CRC-32 of a table, its own field counted as 0. */
static uint32_t table_crc(const unsigned char *bytes, size_t size)
{
	static const unsigned char zeros[4];
	uLong crc = crc32(0, bytes, BT_OFF_CRC);

	crc = crc32(crc, zeros, sizeof(zeros));
	return (uint32_t)crc32(crc, bytes + BT_OFF_CRC + 4, (uInt)(size - BT_OFF_CRC - 4));
}

void boottable_encode(const struct plan *plan, const struct extent_place *places,
		      unsigned char *bytes)
{
	struct parts parts = find_parts(plan);

	memset(bytes, 0, parts.end);
	put_le64(bytes + BT_OFF_MAGIC, BT_MAGIC);
	put_le32(bytes + BT_OFF_VERSION, BT_VERSION);
	put_le32(bytes + BT_OFF_LENGTH, (uint32_t)parts.end);
	put_le32(bytes + BT_OFF_PROTOCOL, plan->protocol);
	put_le64(bytes + BT_OFF_ENTRY, plan->entry);
	put_le32(bytes + BT_OFF_BLOCKS, (uint32_t)parts.blocks);
	put_le32(bytes + BT_OFF_BLOCK_COUNT, (uint32_t)plan->block_count);
	put_le32(bytes + BT_OFF_EXTENTS, (uint32_t)parts.extents);
	put_le32(bytes + BT_OFF_EXTENT_COUNT, (uint32_t)plan->extent_count);
	put_le32(bytes + BT_OFF_ZEROS, (uint32_t)parts.zeros);
	put_le32(bytes + BT_OFF_ZERO_COUNT, (uint32_t)plan->zero_count);
	put_le32(bytes + BT_OFF_MAPS, (uint32_t)parts.maps);
	put_le32(bytes + BT_OFF_MAP_COUNT, (uint32_t)plan->map_count);
	put_le32(bytes + BT_OFF_CMDLINE, (uint32_t)parts.cmdline);
	put_le32(bytes + BT_OFF_CMDLINE_LEN, (uint32_t)strlen(plan->cmdline));
	put_le64(bytes + BT_OFF_STACK_SIZE, plan->stack_size);
	put_le64(bytes + BT_OFF_HANDOFF_VIRT, plan->handoff_virt);
	put_le64(bytes + BT_OFF_PHYSMAP_VIRT, plan->physmap_virt);
	put_le64(bytes + BT_OFF_PHYSMAP_MAX, plan->physmap_max);
	put_le64(bytes + BT_OFF_KERNEL_START, plan->kernel_start);
	put_le64(bytes + BT_OFF_KERNEL_END, plan->kernel_end);
	put_le32(bytes + BT_OFF_TABLE_PAGES, plan->table_pages);

	encode_extents(plan, places, bytes + parts.extents);
	encode_blocks(plan, bytes + parts.blocks);
	encode_maps(plan, bytes + parts.maps);
	encode_zeros(plan, bytes + parts.zeros);
	memcpy(bytes + parts.cmdline, plan->cmdline, strlen(plan->cmdline));

	put_le32(bytes + BT_OFF_CRC, table_crc(bytes, parts.end));
}

uint64_t boottable_memory(const unsigned char *bytes, size_t size)
{
	if (size < BT_HEADER_SIZE || size > BT_MAX_BYTES || get_le64(bytes + BT_OFF_MAGIC) != BT_MAGIC ||
	    get_le32(bytes + BT_OFF_VERSION) != BT_VERSION ||
	    get_le32(bytes + BT_OFF_LENGTH) != size ||
	    get_le32(bytes + BT_OFF_CRC) != table_crc(bytes, size))
		return 0;

	uint64_t blocks = get_le32(bytes + BT_OFF_BLOCKS);
	uint64_t count = get_le32(bytes + BT_OFF_BLOCK_COUNT);
	if (blocks > size || count > (size - blocks) / BLOCK_SIZE)
		return 0;
	uint64_t total = get_le64(bytes + BT_OFF_STACK_SIZE) +
			 (uint64_t)get_le32(bytes + BT_OFF_TABLE_PAGES) * PAGE_SIZE;
	for (uint64_t i = 0; i < count; i++)
		total += get_le64(bytes + blocks + i * BLOCK_SIZE + BLOCK_OFF_SIZE);
	return total;
}

void extent_sum(uint64_t sum[4], const unsigned char *sectors, size_t bytes)
{
	for (size_t i = 0; i < bytes; i += 16) {
		sum[0] += get_le64(sectors + i);
		sum[1] += get_le64(sectors + i + 8);
		sum[2] += sum[0];
		sum[3] += sum[1];
	}
}
