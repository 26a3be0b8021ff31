/* SPDX-License-Identifier: MIT
 *
 * The boot table; see boottable.h.
 */
#include "plan/boottable.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bootabi.h"
#include "base/bytes.h"
#include "base/checksum.h"
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

#define MODULE_AT(offset, field) \
	static_assert(offsetof(struct mkbootimg_module, field) == (offset), #field)
MODULE_AT(MODULE_OFF_START, start);
MODULE_AT(MODULE_OFF_PHYS, physical_start);
MODULE_AT(MODULE_OFF_SIZE, size);
MODULE_AT(MODULE_OFF_NAME, name);
static_assert(sizeof(struct mkbootimg_module) == MODULE_SIZE, "module size");

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

/* No block is larger: what a 32-bit machine can address. */
#define BLOCK_MAX_SIZE (UINT64_C(1) << 32)
/* Physical addresses have no more bits (Intel SDM volume 3, 4.1.4), so sums of some
 * of them and of sizes do not overflow. */
#define PHYS_END (UINT64_C(1) << 52)
/* Entries of a page table. */
#define TABLE_ENTRIES 512

/* The order of the parts.  Extents come first because they need alignment. */
struct parts {
	size_t extents;
	size_t blocks;
	size_t maps;
	size_t zeros;
	size_t fixups;
	size_t info;
	size_t end;
};

static struct parts find_parts(const struct plan *plan)
{
	struct parts parts;

	parts.extents = BT_HEADER_SIZE;
	parts.blocks = parts.extents + plan->extent_count * EXTENT_SIZE;
	parts.maps = parts.blocks + plan->block_count * BLOCK_SIZE;
	parts.zeros = parts.maps + plan->map_count * MAP_SIZE;
	parts.fixups = parts.zeros + plan->zero_count * ZERO_SIZE;
	parts.info = parts.fixups + plan->fixup_count * FIXUP_SIZE;
	parts.end = parts.info + plan->info_size;
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
				 "'%s' has too many segments, or modules: its boot table would be %zu bytes long, the loader has room for %d",
				 name, size, BT_MAX_BYTES);
	return 0;
}

static void encode_extents(const struct plan *plan, const struct extent_place *places,
			   unsigned char *p)
{
	for (size_t i = 0; i < plan->extent_count; i++, p += EXTENT_SIZE) {
		const struct plan_extent *extent = &plan->extents[i];

		put_le32(p + EXTENT_OFF_BLOCK, extent->block);
		put_le32(p + EXTENT_OFF_METHOD, places[i].method);
		put_le64(p + EXTENT_OFF_OFFSET, extent->offset);
		put_le64(p + EXTENT_OFF_LENGTH, extent->length);
		put_le64(p + EXTENT_OFF_LBA, places[i].lba);
		put_le64(p + EXTENT_OFF_STORED, places[i].stored);
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
		put_le64(p + BLOCK_OFF_LOWEST, block->lowest);
		put_le64(p + BLOCK_OFF_HIGHEST, block->highest);
		put_le32(p + BLOCK_OFF_KIND, block->kind);
		put_le32(p + BLOCK_OFF_FLAGS, block->flags);
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

static void encode_fixups(const struct plan *plan, unsigned char *p)
{
	for (size_t i = 0; i < plan->fixup_count; i++, p += FIXUP_SIZE) {
		const struct plan_fixup *fixup = &plan->fixups[i];

		put_le32(p + FIXUP_OFF_OFFSET, fixup->offset);
		put_le32(p + FIXUP_OFF_WIDTH, fixup->width);
		put_le32(p + FIXUP_OFF_BLOCK, fixup->block);
	}
}

static void encode_video(const struct plan_video *video, unsigned char *bytes)
{
	put_le16(bytes + BT_OFF_VIDEO_WIDTH, video->width);
	put_le16(bytes + BT_OFF_VIDEO_HEIGHT, video->height);
	bytes[BT_OFF_VIDEO_DEPTH] = video->depth;
	bytes[BT_OFF_VIDEO] = video->mode;
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
	put_le64(bytes + BT_OFF_ENTRY, plan->entry_block == BLOCK_NONE ? plan->entry : plan->entry_offset);
	put_le32(bytes + BT_OFF_BLOCKS, (uint32_t)parts.blocks);
	put_le32(bytes + BT_OFF_BLOCK_COUNT, (uint32_t)plan->block_count);
	put_le32(bytes + BT_OFF_EXTENTS, (uint32_t)parts.extents);
	put_le32(bytes + BT_OFF_EXTENT_COUNT, (uint32_t)plan->extent_count);
	put_le32(bytes + BT_OFF_ZEROS, (uint32_t)parts.zeros);
	put_le32(bytes + BT_OFF_ZERO_COUNT, (uint32_t)plan->zero_count);
	put_le32(bytes + BT_OFF_MAPS, (uint32_t)parts.maps);
	put_le32(bytes + BT_OFF_MAP_COUNT, (uint32_t)plan->map_count);
	put_le32(bytes + BT_OFF_INFO, (uint32_t)parts.info);
	put_le32(bytes + BT_OFF_INFO_SIZE, (uint32_t)plan->info_size);
	put_le32(bytes + BT_OFF_FIXUPS, (uint32_t)parts.fixups);
	put_le32(bytes + BT_OFF_FIXUP_COUNT, (uint32_t)plan->fixup_count);
	put_le32(bytes + BT_OFF_CMDLINE, (uint32_t)(parts.info + plan->cmdline_offset));
	put_le32(bytes + BT_OFF_CMDLINE_LEN, (uint32_t)strlen(plan->cmdline));
	put_le64(bytes + BT_OFF_STACK_SIZE, plan->stack_size);
	put_le64(bytes + BT_OFF_SLIDE, plan->slide);
	put_le32(bytes + BT_OFF_KERNEL_CRC, plan->kernel_crc);
	put_le32(bytes + BT_OFF_ENTRY_BLOCK, plan->entry_block);
	put_le64(bytes + BT_OFF_HANDOFF_VIRT, plan->handoff_virt);
	put_le64(bytes + BT_OFF_PHYSMAP_VIRT, plan->physmap_virt);
	put_le64(bytes + BT_OFF_PHYSMAP_MAX, plan->physmap_max);
	put_le32(bytes + BT_OFF_TABLE_PAGES, plan->table_pages);
	put_le16(bytes + BT_OFF_RECURSIVE, plan->recursive);
	put_le32(bytes + BT_OFF_INFO_BLOCK, plan->info_block);
	put_le64(bytes + BT_OFF_INFO_VIRT, plan->info_virt);
	put_le64(bytes + BT_OFF_STACK_TOP, plan->stack_top);
	put_le32(bytes + BT_OFF_FLAGS, plan->sse ? BT_SSE : 0);

	encode_extents(plan, places, bytes + parts.extents);
	encode_blocks(plan, bytes + parts.blocks);
	encode_maps(plan, bytes + parts.maps);
	encode_zeros(plan, bytes + parts.zeros);
	encode_fixups(plan, bytes + parts.fixups);
	encode_video(&plan->video, bytes);
	memcpy(bytes + parts.info, plan->info, plan->info_size);

	put_le32(bytes + BT_OFF_CRC, checksum_crc(bytes, parts.end, BT_OFF_CRC));
}

static int damaged(struct error *err, const char *what)
{
	return error_set(err, ERROR_INPUT, 0, "the boot table is damaged: %s", what);
}

static int check_table(const unsigned char *bytes, size_t size, struct error *err)
{
	if (size < BT_HEADER_SIZE || size > BT_MAX_BYTES)
		return damaged(err, "its length");
	if (get_le64(bytes + BT_OFF_MAGIC) != BT_MAGIC)
		return error_set(err, ERROR_INPUT, 0, "there is no boot table where it should be");
	if (get_le32(bytes + BT_OFF_VERSION) != BT_VERSION)
		return error_set(err, ERROR_INPUT, 0,
				 "the boot table is of version %u, this mkbootimg knows version %d",
				 get_le32(bytes + BT_OFF_VERSION), BT_VERSION);
	if (get_le32(bytes + BT_OFF_LENGTH) != size)
		return damaged(err, "its length");
	if (get_le32(bytes + BT_OFF_CRC) != checksum_crc(bytes, size, BT_OFF_CRC))
		return damaged(err, "its checksum is wrong");
	return 0;
}

/* Find records of a kind: their offset and count lie at these places. */
static int find_records(const unsigned char *bytes, size_t size, size_t offset_at, size_t count_at,
			size_t record_size, const unsigned char **records, size_t *count)
{
	size_t offset = get_le32(bytes + offset_at);

	*count = get_le32(bytes + count_at);
	if (offset > size || *count > (size - offset) / record_size)
		return -1;
	*records = bytes + offset;
	return 0;
}

/* Is [offset, offset + length) in the block? */
static bool in_block(const struct plan *plan, uint32_t block, uint64_t offset, uint64_t length)
{
	return block < plan->block_count && offset <= plan->blocks[block].size &&
	       length <= plan->blocks[block].size - offset;
}

/* Can a block be where it wants to be, and where it may be otherwise? */
static bool can_be_placed(const struct plan_block *block)
{
	bool anywhere = block->phys == BLOCK_ANYWHERE && (block->flags & BLOCK_FIXED) == 0;

	return block->size <= BLOCK_MAX_SIZE && (anywhere || block->phys <= PHYS_END - block->size) &&
	       block->lowest <= PHYS_END - block->size;
}

static int decode_blocks(const unsigned char *p, struct plan *plan)
{
	for (size_t i = 0; i < plan->block_count; i++, p += BLOCK_SIZE) {
		struct plan_block *block = &plan->blocks[i];

		*block = (struct plan_block){
			.phys = get_le64(p + BLOCK_OFF_PHYS),
			.size = get_le64(p + BLOCK_OFF_SIZE),
			.align = get_le64(p + BLOCK_OFF_ALIGN),
			.phase = get_le64(p + BLOCK_OFF_PHASE),
			.lowest = get_le64(p + BLOCK_OFF_LOWEST),
			.highest = get_le64(p + BLOCK_OFF_HIGHEST),
			.kind = get_le32(p + BLOCK_OFF_KIND),
			.flags = get_le32(p + BLOCK_OFF_FLAGS),
		};
		if (!can_be_placed(block))
			return -1;
	}
	return 0;
}

/* Can so many bytes be stored by a method as so many? */
static bool can_be_stored(uint32_t method, uint64_t length, uint64_t stored)
{
	/* Of a chunk, no more is lost than its header. */
	uint64_t chunk = CHUNK_SECTORS * SECTOR_SIZE - CHUNK_HEADER_SIZE;

	if (method == EXTENT_LZ4)
		return stored > CHUNK_HEADER_SIZE &&
		       stored <= length + (length + chunk - 1) / chunk * CHUNK_HEADER_SIZE;
	return method == EXTENT_RAW && stored == length && length > 0;
}

static int decode_extents(const unsigned char *p, struct plan *plan, struct extent_place *places)
{
	for (size_t i = 0; i < plan->extent_count; i++, p += EXTENT_SIZE) {
		struct plan_extent *extent = &plan->extents[i];

		*extent = (struct plan_extent){
			.block = get_le32(p + EXTENT_OFF_BLOCK),
			.offset = get_le64(p + EXTENT_OFF_OFFSET),
			.length = get_le64(p + EXTENT_OFF_LENGTH),
		};
		places[i].lba = get_le64(p + EXTENT_OFF_LBA);
		places[i].method = get_le32(p + EXTENT_OFF_METHOD);
		places[i].stored = get_le64(p + EXTENT_OFF_STORED);
		for (size_t k = 0; k < 4; k++)
			places[i].sum[k] = get_le64(p + EXTENT_OFF_SUM + 8 * k);
		if (!can_be_stored(places[i].method, extent->length, places[i].stored) ||
		    !in_block(plan, extent->block, extent->offset, extent->length))
			return -1;
	}
	return 0;
}

static int decode_maps(const unsigned char *p, struct plan *plan)
{
	for (size_t i = 0; i < plan->map_count; i++, p += MAP_SIZE) {
		struct plan_map *map = &plan->maps[i];

		*map = (struct plan_map){
			.virt = get_le64(p + MAP_OFF_VIRT),
			.block = get_le32(p + MAP_OFF_BLOCK),
			.flags = get_le32(p + MAP_OFF_FLAGS),
			.offset = get_le64(p + MAP_OFF_OFFSET),
			.length = get_le64(p + MAP_OFF_LENGTH),
		};
		if (!in_block(plan, map->block, map->offset, map->length))
			return -1;
	}
	return 0;
}

static int decode_zeros(const unsigned char *p, struct plan *plan)
{
	for (size_t i = 0; i < plan->zero_count; i++, p += ZERO_SIZE) {
		struct plan_zero *zero = &plan->zeros[i];

		*zero = (struct plan_zero){
			.block = get_le32(p + ZERO_OFF_BLOCK),
			.offset = get_le64(p + ZERO_OFF_OFFSET),
			.length = get_le64(p + ZERO_OFF_LENGTH),
		};
		if (!in_block(plan, zero->block, zero->offset, zero->length))
			return -1;
	}
	return 0;
}

static int decode_fixups(const unsigned char *p, struct plan *plan)
{
	for (size_t i = 0; i < plan->fixup_count; i++, p += FIXUP_SIZE) {
		struct plan_fixup *fixup = &plan->fixups[i];

		*fixup = (struct plan_fixup){
			.offset = get_le32(p + FIXUP_OFF_OFFSET),
			.width = get_le32(p + FIXUP_OFF_WIDTH),
			.block = get_le32(p + FIXUP_OFF_BLOCK),
		};
		if ((fixup->width != 4 && fixup->width != 8) || fixup->offset > plan->info_size ||
		    fixup->width > plan->info_size - fixup->offset ||
		    (fixup->block != BLOCK_NONE && fixup->block >= plan->block_count))
			return -1;
	}
	return 0;
}

/* An info that has a block must fit into it. */
static int decode_info_block(const unsigned char *bytes, struct plan *plan)
{
	plan->info_block = get_le32(bytes + BT_OFF_INFO_BLOCK);
	return plan->info_block == BLOCK_NONE || in_block(plan, plan->info_block, 0, plan->info_size) ? 0 : -1;
}

/* Where the kernel is entered: as far as that is known, a physical address. */
static int decode_entry(const unsigned char *bytes, struct plan *plan)
{
	plan->entry = get_le64(bytes + BT_OFF_ENTRY);
	plan->entry_block = get_le32(bytes + BT_OFF_ENTRY_BLOCK);
	if (plan->entry_block == BLOCK_NONE)
		return 0;
	plan->entry_offset = plan->entry;
	if (!in_block(plan, plan->entry_block, plan->entry_offset, 1))
		return -1;
	if (plan->blocks[plan->entry_block].phys != BLOCK_ANYWHERE)
		plan->entry += plan->blocks[plan->entry_block].phys;
	return 0;
}

static int decode_cmdline(const unsigned char *bytes, size_t size, struct plan *plan)
{
	size_t offset = get_le32(bytes + BT_OFF_CMDLINE), length = get_le32(bytes + BT_OFF_CMDLINE_LEN);
	size_t info = get_le32(bytes + BT_OFF_INFO);

	if (length > BT_MAX_CMDLINE || offset < info || offset - info > plan->info_size ||
	    length >= plan->info_size - (offset - info) || offset > size || length >= size - offset ||
	    memchr(bytes + offset, '\0', length + 1) != bytes + offset + length)
		return -1;
	plan->cmdline = strdup((const char *)bytes + offset);
	plan->cmdline_offset = offset - get_le32(bytes + BT_OFF_INFO);
	return plan->cmdline != NULL ? 0 : -1;
}

static int decode_records(const unsigned char *bytes, size_t size, struct plan *plan,
			  struct extent_place **places, struct error *err)
{
	const unsigned char *blocks, *extents, *maps, *zeros, *fixups, *info;

	if (find_records(bytes, size, BT_OFF_BLOCKS, BT_OFF_BLOCK_COUNT, BLOCK_SIZE, &blocks,
			 &plan->block_count) != 0 ||
	    find_records(bytes, size, BT_OFF_EXTENTS, BT_OFF_EXTENT_COUNT, EXTENT_SIZE, &extents,
			 &plan->extent_count) != 0 ||
	    find_records(bytes, size, BT_OFF_MAPS, BT_OFF_MAP_COUNT, MAP_SIZE, &maps, &plan->map_count) !=
		    0 ||
	    find_records(bytes, size, BT_OFF_ZEROS, BT_OFF_ZERO_COUNT, ZERO_SIZE, &zeros,
			 &plan->zero_count) != 0 ||
	    find_records(bytes, size, BT_OFF_FIXUPS, BT_OFF_FIXUP_COUNT, FIXUP_SIZE, &fixups,
			 &plan->fixup_count) != 0 ||
	    find_records(bytes, size, BT_OFF_INFO, BT_OFF_INFO_SIZE, 1, &info, &plan->info_size) != 0)
		return damaged(err, "its parts lie outside of it");

	plan->blocks = calloc(plan->block_count + 1, sizeof(plan->blocks[0]));
	plan->extents = calloc(plan->extent_count + 1, sizeof(plan->extents[0]));
	plan->maps = calloc(plan->map_count + 1, sizeof(plan->maps[0]));
	plan->zeros = calloc(plan->zero_count + 1, sizeof(plan->zeros[0]));
	plan->fixups = calloc(plan->fixup_count + 1, sizeof(plan->fixups[0]));
	plan->info = malloc(plan->info_size + 1);
	*places = calloc(plan->extent_count + 1, sizeof((*places)[0]));
	if (plan->blocks == NULL || plan->extents == NULL || plan->maps == NULL || plan->zeros == NULL ||
	    plan->fixups == NULL || plan->info == NULL || *places == NULL)
		return error_set(err, ERROR_SYSTEM, 0, "out of memory");
	memcpy(plan->info, info, plan->info_size);
	if (decode_blocks(blocks, plan) != 0)
		return damaged(err, "a block is too large, or beyond all memory");
	if (plan->recursive >= TABLE_ENTRIES || plan->stack_size > BLOCK_MAX_SIZE)
		return damaged(err, "its page tables, or its stack");
	if (decode_extents(extents, plan, *places) != 0 || decode_maps(maps, plan) != 0 || decode_zeros(zeros, plan) != 0 || decode_entry(bytes, plan) != 0 ||
	    decode_info_block(bytes, plan) != 0)
		return damaged(err, "a record reaches out of its block");
	if (decode_fixups(fixups, plan) != 0)
		return damaged(err, "a fixup reaches out of the info");
	if (decode_cmdline(bytes, size, plan) != 0)
		return damaged(err, "its command line");
	return 0;
}

int boottable_decode(const unsigned char *bytes, size_t size, struct plan *plan,
		     struct extent_place **places, struct error *err)
{
	*plan = (struct plan){0};
	*places = NULL;
	if (check_table(bytes, size, err) != 0)
		return -1;
	plan->protocol = get_le32(bytes + BT_OFF_PROTOCOL);
	plan->stack_size = get_le64(bytes + BT_OFF_STACK_SIZE);
	plan->slide = get_le64(bytes + BT_OFF_SLIDE);
	plan->kernel_crc = get_le32(bytes + BT_OFF_KERNEL_CRC);
	plan->handoff_virt = get_le64(bytes + BT_OFF_HANDOFF_VIRT);
	plan->physmap_virt = get_le64(bytes + BT_OFF_PHYSMAP_VIRT);
	plan->physmap_max = get_le64(bytes + BT_OFF_PHYSMAP_MAX);
	plan->table_pages = get_le32(bytes + BT_OFF_TABLE_PAGES);
	plan->recursive = get_le16(bytes + BT_OFF_RECURSIVE);
	plan->info_virt = get_le64(bytes + BT_OFF_INFO_VIRT);
	plan->stack_top = get_le64(bytes + BT_OFF_STACK_TOP);
	plan->sse = get_le32(bytes + BT_OFF_FLAGS) & BT_SSE;
	plan->video = (struct plan_video){
		.width = get_le16(bytes + BT_OFF_VIDEO_WIDTH),
		.height = get_le16(bytes + BT_OFF_VIDEO_HEIGHT),
		.depth = bytes[BT_OFF_VIDEO_DEPTH],
		.mode = bytes[BT_OFF_VIDEO],
	};
	if (decode_records(bytes, size, plan, places, err) == 0)
		return 0;
	plan_free(plan);
	free(*places);
	*places = NULL;
	return -1;
}
