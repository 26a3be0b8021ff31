/* SPDX-License-Identifier: MIT
 *
 * Proves a plan; see plan_check.h.  Brute force and plain arithmetic, nothing
 * of the tool's: a mistake there must not be made here too.
 */
#include "plan_check.h"

#include <elf.h>
#include <stdlib.h>

#include "bootabi.h"
#include "unit.h"

#define MIB UINT64_C(0x100000)
#define GIB UINT64_C(0x40000000)
#define PAGE ((uint64_t)PAGE_SIZE)
#define SLOT (512 * GIB)	/* what an entry of the level 4 table covers */
#define RWX (PF_R | PF_W | PF_X)

/* A range of a block's bytes, or of addresses. */
struct range {
	uint64_t block;
	uint64_t start;
	uint64_t length;
};

static int compare_ranges(const void *left, const void *right)
{
	const struct range *a = left, *b = right;

	if (a->block != b->block)
		return a->block < b->block ? -1 : 1;
	return a->start < b->start ? -1 : a->start > b->start;
}

static int compare_u64(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

static uint64_t round_down(uint64_t value)
{
	return value / PAGE * PAGE;
}

/* Of a segment, first and last page. */
static uint64_t first_page(const struct segment *segment)
{
	return round_down(segment->vaddr);
}

static uint64_t last_page(const struct segment *segment)
{
	return round_down(segment->vaddr + (segment->memsz - 1));
}

static bool is_canonical(uint64_t address)
{
	return address >> 47 == 0 || address >> 47 == 0x1ffff;
}

/* ---- The kernel in memory -------------------------------------------------- */

static void check_blocks(const struct plan *plan, size_t kernels)
{
	bool anywhere = false;

	assert_true(kernels > 0 && kernels <= plan->block_count);
	assert_true(plan->block_count <= BT_MAX_BLOCKS);
	for (size_t i = 0; i < plan->block_count; i++) {
		const struct plan_block *block = &plan->blocks[i];

		CHECK(block->size > 0 && block->size % PAGE == 0, "block %zu: size", i);
		CHECK(block->align >= PAGE && (block->align & (block->align - 1)) == 0,
		      "block %zu: align", i);
		CHECK(block->phase < block->align && block->phase % PAGE == 0, "block %zu: phase", i);
		CHECK((block->kind == INFO_KIND_KERNEL) == (i < kernels), "block %zu: kind", i);
		CHECK(block->lowest == MIB && block->highest == 4 * GIB && block->flags == 0,
		      "block %zu: where it may lie", i);
		if (block->phys == BLOCK_ANYWHERE) {
			anywhere = true;
			continue;
		}
		CHECK(!anywhere, "block %zu wants an address and comes late", i);
		CHECK(block->phys % PAGE == 0 && block->phys >= MIB && block->phys < 4 * GIB &&
			      block->size <= 4 * GIB - block->phys,
		      "block %zu: address", i);
		for (size_t k = 0; k < i; k++)
			CHECK(plan->blocks[k].phys + plan->blocks[k].size <= block->phys ||
				      block->phys + block->size <= plan->blocks[k].phys,
			      "blocks %zu and %zu want the same memory", k, i);
	}
}

static void check_maps(const struct plan *plan)
{
	assert_true(plan->map_count > 0);
	for (size_t i = 0; i < plan->map_count; i++) {
		const struct plan_map *map = &plan->maps[i];

		CHECK(map->virt % PAGE == 0 && map->offset % PAGE == 0 && map->length % PAGE == 0 &&
			      map->length > 0,
		      "map %zu: not whole pages", i);
		CHECK(is_canonical(map->virt) && is_canonical(map->virt + (map->length - 1)),
		      "map %zu: not canonical", i);
		CHECK(map->block < plan->block_count, "map %zu: no such block", i);
		CHECK(map->offset <= plan->blocks[map->block].size &&
			      map->length <= plan->blocks[map->block].size - map->offset,
		      "map %zu: outside of its block", i);
		CHECK((map->flags & ~(uint32_t)RWX) == 0, "map %zu: flags", i);
		if (i > 0)
			CHECK(map->virt > map[-1].virt && map->virt - map[-1].virt >= map[-1].length,
			      "map %zu: not sorted, or overlaps", i);
	}
}

/* Where a block begins in virtual memory; all its maps must agree. */
static uint64_t block_virt(const struct plan *plan, uint32_t block)
{
	uint64_t virt = 0;
	bool found = false;

	for (size_t i = 0; i < plan->map_count; i++) {
		const struct plan_map *map = &plan->maps[i];

		if (map->block != block)
			continue;
		CHECK(!found || map->virt - map->offset == virt, "block %u is torn apart", block);
		virt = map->virt - map->offset;
		found = true;
	}
	CHECK(found, "block %u is not mapped", block);
	return virt;
}

/* The flags of a page of the kernel's by the plan, -1 if it is none. */
static int mapped_flags(const struct plan *plan, size_t kernels, uint64_t page)
{
	for (size_t i = 0; i < plan->map_count; i++) {
		if (plan->maps[i].block < kernels && page - plan->maps[i].virt < plan->maps[i].length)
			return (int)plan->maps[i].flags;
	}
	return -1;
}

/* And by the segments. */
static int wanted_flags(const struct kernel *kernel, uint64_t page)
{
	int flags = -1;

	for (size_t i = 0; i < kernel->segment_count; i++) {
		const struct segment *segment = &kernel->segments[i];

		if (page >= first_page(segment) && page <= last_page(segment))
			flags = (flags < 0 ? 0 : flags) | (int)segment->flags;
	}
	return flags;
}

static void check_flags_around(const struct kernel *kernel, const struct plan *plan, size_t kernels,
			       uint64_t first, uint64_t last)
{
	const uint64_t pages[] = { first - PAGE, first, first + PAGE, last - PAGE, last, last + PAGE };

	for (size_t i = 0; i < COUNT(pages); i++)
		CHECK(mapped_flags(plan, kernels, pages[i]) == wanted_flags(kernel, pages[i]),
		      "page 0x%llx has flags %d, not %d", (unsigned long long)pages[i],
		      mapped_flags(plan, kernels, pages[i]), wanted_flags(kernel, pages[i]));
}

/* Every page has the flags of its segments.  Both sides are constant between
 * their boundaries, so looking around each boundary proves it for all pages. */
static void check_flags(const struct kernel *kernel, const struct plan *plan, size_t kernels)
{
	for (size_t i = 0; i < kernel->segment_count; i++)
		check_flags_around(kernel, plan, kernels, first_page(&kernel->segments[i]),
				   last_page(&kernel->segments[i]));
	for (size_t i = 0; i < plan->map_count; i++)
		check_flags_around(kernel, plan, kernels, plan->maps[i].virt,
				   plan->maps[i].virt + plan->maps[i].length - PAGE);
}

static void *allocate(size_t count, size_t size)
{
	void *memory = calloc(count + 1, size);

	assert_non_null(memory);
	return memory;
}

/* What the loader writes, sorted. */
static struct range *find_writes(const struct plan *plan, size_t *count)
{
	struct range *writes = allocate(plan->extent_count + plan->zero_count, sizeof(*writes));
	size_t n = 0;

	for (size_t i = 0; i < plan->extent_count; i++)
		writes[n++] = (struct range){ plan->extents[i].block, plan->extents[i].offset,
					      plan->extents[i].length };
	for (size_t i = 0; i < plan->zero_count; i++)
		writes[n++] = (struct range){ plan->zeros[i].block, plan->zeros[i].offset,
					      plan->zeros[i].length };
	qsort(writes, n, sizeof(*writes), compare_ranges);
	*count = n;
	return writes;
}

/* Is a range written without a hole?  writes are sorted and disjoint. */
static bool is_written(const struct range *writes, size_t count, const struct range *range)
{
	uint64_t done = range->start, end = range->start + range->length;

	for (size_t i = 0; i < count && done < end; i++) {
		if (writes[i].block == range->block && writes[i].start <= done &&
		    done - writes[i].start < writes[i].length)
			done = writes[i].start + writes[i].length;
	}
	return done >= end;
}

/* Each byte of the kernel's that is mapped is written once, and each of other blocks,
 * but none of a stack, nor any other: the writes are disjoint, leave no hole in
 * these, and add up to them; maps are disjoint too. */
static void check_coverage(const struct plan *plan, size_t kernels)
{
	size_t count;
	struct range *writes = find_writes(plan, &count);
	uint64_t written = 0, wanted = 0;

	for (size_t i = 0; i < count; i++) {
		CHECK(writes[i].block < plan->block_count, "write %zu: no such block", i);
		uint64_t size = plan->blocks[writes[i].block].size;

		CHECK(writes[i].length > 0 && writes[i].start <= size &&
			      writes[i].length <= size - writes[i].start,
		      "write %zu: outside of its block", i);
		if (i > 0 && writes[i - 1].block == writes[i].block)
			CHECK(writes[i - 1].start + writes[i - 1].length <= writes[i].start,
			      "write %zu: written twice", i);
		written += writes[i].length;
	}
	for (size_t i = 0; i < plan->map_count; i++) {
		const struct plan_map *map = &plan->maps[i];
		const struct range range = { map->block, map->offset, map->length };

		if (map->block >= kernels)
			continue;
		CHECK(is_written(writes, count, &range), "map %zu: not all of it is written", i);
		wanted += map->length;
	}
	for (size_t i = kernels; i < plan->block_count; i++) {
		const struct range range = { i, 0, plan->blocks[i].size };

		if (plan->blocks[i].kind == INFO_KIND_STACK)
			continue;
		CHECK(is_written(writes, count, &range), "block %zu: not all of it is written", i);
		wanted += plan->blocks[i].size;
	}
	assert_int_equal(written, wanted);
	free(writes);
}

/* Pieces lie in their extents, one behind the other, and none is forgotten. */
static void check_extents(const struct plan *plan)
{
	size_t next = 0;

	for (size_t i = 0; i < plan->extent_count; i++) {
		const struct plan_extent *extent = &plan->extents[i];
		uint64_t done = 0;

		CHECK(extent->first_piece == next && extent->piece_count > 0, "extent %zu: pieces", i);
		for (size_t k = 0; k < extent->piece_count; k++, next++) {
			const struct plan_piece *piece = &plan->pieces[next];

			CHECK(piece->length > 0 && piece->offset >= done &&
				      piece->length <= extent->length - piece->offset,
			      "extent %zu, piece %zu", i, k);
			/* A page without file bytes is cheaper to clear than to load. */
			CHECK(piece->offset - done < PAGE, "extent %zu stores zeros", i);
			done = piece->offset + piece->length;
		}
		CHECK(done == extent->length, "extent %zu is longer than its pieces", i);
	}
	assert_int_equal(next, plan->piece_count);
}

/* How many bytes of the segment, from done on, come from this piece, which lies
 * at virt?  0 if it has no byte of it, or another one. */
static uint64_t piece_gives(const struct plan_piece *piece, uint64_t virt,
			    const struct segment *segment, uint64_t done)
{
	uint64_t within = segment->vaddr + done - virt;

	if (within >= piece->length || piece->file_offset + within != segment->offset + done)
		return 0;
	return piece->length - within;
}

static uint64_t find_bytes(const struct plan *plan, const uint64_t *virts,
			   const struct segment *segment, uint64_t done)
{
	for (size_t i = 0; i < plan->extent_count; i++) {
		const struct plan_extent *extent = &plan->extents[i];

		for (size_t k = 0; k < extent->piece_count; k++) {
			const struct plan_piece *piece = &plan->pieces[extent->first_piece + k];

			if (piece->source != 0)
				continue;
			uint64_t virt = virts[extent->block] + extent->offset + piece->offset;
			uint64_t found = piece_gives(piece, virt, segment, done);
			if (found > 0)
				return found;
		}
	}
	return 0;
}

/* Each segment finds its file bytes at its address, and the pieces hold no
 * others: then everything else that was written is zero. */
static void check_bytes(const struct kernel *kernel, const struct plan *plan, const uint64_t *virts)
{
	uint64_t wanted = 0, stored = 0;

	for (size_t i = 0; i < kernel->segment_count; i++) {
		const struct segment *segment = &kernel->segments[i];

		for (uint64_t done = 0; done < segment->filesz;) {
			uint64_t found = find_bytes(plan, virts, segment, done);

			CHECK(found > 0, "%s: byte 0x%llx is not loaded", segment_label(segment).text,
			      (unsigned long long)done);
			done += found;
		}
		wanted += segment->filesz;
	}
	for (size_t i = 0; i < plan->piece_count; i++)
		stored += plan->pieces[i].source == 0 ? plan->pieces[i].length : 0;
	assert_int_equal(stored, wanted);
}

/* Does a piece of the kernel file hold all these bytes? */
static bool is_in_piece(const struct plan *plan, const struct plan_patch *patch)
{
	for (size_t i = 0; i < plan->extent_count; i++) {
		const struct plan_extent *extent = &plan->extents[i];

		for (size_t k = 0; k < extent->piece_count; k++) {
			const struct plan_piece *piece = &plan->pieces[extent->first_piece + k];
			uint64_t start = extent->offset + piece->offset;

			if (extent->block == patch->block && piece->source == 0 &&
			    patch->offset >= start && patch->width <= piece->length &&
			    patch->offset - start <= piece->length - patch->width)
				return true;
		}
	}
	return false;
}

void plan_check_patches(const struct plan *plan)
{
	for (size_t i = 0; i < plan->patch_count; i++) {
		const struct plan_patch *patch = &plan->patches[i];

		CHECK(patch->width == 8 || (patch->width == 4 && patch->value <= UINT32_MAX),
		      "patch %zu: width", i);
		CHECK(is_in_piece(plan, patch), "patch %zu is not in bytes of the file", i);
		if (i == 0)
			continue;
		CHECK(patch[-1].block <= patch->block, "patch %zu: not sorted by block", i);
		CHECK(patch[-1].block < patch->block ||
			      patch[-1].offset + patch[-1].width <= patch->offset,
		      "patch %zu: not sorted by offset, or overlaps", i);
	}
}

/* Blocks that want an address want that of all their segments; and large pages
 * fit wherever they come to lie. */
static void check_addresses(const struct kernel *kernel, const struct plan *plan,
			    const uint64_t *virts, size_t count)
{
	for (size_t b = 0; b < count; b++) {
		const struct plan_block *block = &plan->blocks[b];

		CHECK(virts[b] % block->align == block->phase, "block %zu: phase", b);
		for (size_t i = 0; i < kernel->segment_count; i++) {
			const struct segment *segment = &kernel->segments[i];
			uint64_t offset = segment->vaddr - virts[b];

			CHECK(offset >= block->size || segment->memsz <= block->size - offset,
			      "%s is cut", segment_label(segment).text);
			CHECK(offset >= block->size || block->phys == BLOCK_ANYWHERE ||
				      block->phys + offset == segment->paddr,
			      "%s is not at its p_paddr", segment_label(segment).text);
		}
	}
}

/* Regions of 2^shift bytes that are mapped, by writing them all down. */
static uint64_t count_regions(const struct plan *plan, unsigned int shift)
{
	size_t most = 0, n = 0;
	uint64_t count = 0;

	for (size_t i = 0; i < plan->map_count; i++)
		most += (plan->maps[i].length >> shift) + 2;
	uint64_t *regions = allocate(most, sizeof(*regions));
	for (size_t i = 0; i < plan->map_count; i++) {
		uint64_t last = (plan->maps[i].virt + (plan->maps[i].length - 1)) >> shift;

		for (uint64_t region = plan->maps[i].virt >> shift; region <= last; region++)
			regions[n++] = region;
	}
	qsort(regions, n, sizeof(*regions), compare_u64);
	for (size_t i = 0; i < n; i++)
		count += i == 0 || regions[i] != regions[i - 1];
	free(regions);
	return count;
}

/* Were all pages small, each region of 2 MiB, 1 GiB and 512 GiB with a page in
 * it would take a table. */
static void check_tables(const struct plan *plan)
{
	uint64_t needed = count_regions(plan, 21) + count_regions(plan, 30) + count_regions(plan, 39);

	CHECK(plan->table_pages >= needed, "%u tables, but %llu are needed", plan->table_pages,
	      (unsigned long long)needed);
}

void plan_check_fixups(const struct plan *plan)
{
	unsigned char *used = allocate(plan->info_size, 1);

	for (size_t i = 0; i < plan->fixup_count; i++) {
		const struct plan_fixup *fixup = &plan->fixups[i];

		CHECK(fixup->width == 4 || fixup->width == 8, "fixup %zu: width", i);
		CHECK(fixup->offset <= plan->info_size &&
			      fixup->width <= plan->info_size - fixup->offset,
		      "fixup %zu: outside of the info", i);
		CHECK(fixup->block == BLOCK_NONE || fixup->block < plan->block_count,
		      "fixup %zu: no such block", i);
		for (size_t k = 0; k < fixup->width; k++)
			CHECK(used[fixup->offset + k]++ == 0, "fixup %zu: two at one place", i);
	}
	free(used);
}

void plan_check_kernel(const struct kernel *kernel, const struct plan *plan, size_t kernels)
{
	check_blocks(plan, kernels);
	check_maps(plan);
	uint64_t *virts = allocate(plan->block_count, sizeof(*virts));
	for (size_t i = 0; i < kernels; i++)
		virts[i] = block_virt(plan, (uint32_t)i);
	check_flags(kernel, plan, kernels);
	check_coverage(plan, kernels);
	check_extents(plan);
	check_bytes(kernel, plan, virts);
	check_addresses(kernel, plan, virts, kernels);
	check_tables(plan);
	free(virts);
	plan_check_patches(plan);
	plan_check_fixups(plan);
	assert_int_equal(plan->entry, kernel->entry);
	assert_int_equal(plan->entry_block, BLOCK_NONE);
}

/* ---- The native protocol ---------------------------------------------------- */

/* A module's bytes begin its block, in one piece. */
static void check_module(const struct plan *plan, uint32_t block, uint32_t source, uint64_t size)
{
	size_t found = 0;

	CHECK(plan->blocks[block].kind == INFO_KIND_MODULES, "module %u: kind", source);
	CHECK(plan->blocks[block].size == round_down((size > 0 ? size : 1) + PAGE - 1),
	      "module %u: size of its block", source);
	CHECK(plan->blocks[block].phys == BLOCK_ANYWHERE, "module %u wants an address", source);
	for (size_t i = 0; i < plan->extent_count; i++) {
		const struct plan_extent *extent = &plan->extents[i];
		const struct plan_piece *piece = &plan->pieces[extent->first_piece];

		if (extent->block != block)
			continue;
		CHECK(extent->offset == 0 && extent->length == size && extent->piece_count == 1,
		      "module %u: extent", source);
		CHECK(piece->source == source && piece->file_offset == 0 && piece->length == size &&
			      piece->offset == 0,
		      "module %u: piece", source);
		found++;
	}
	CHECK(found == (size > 0), "module %u: %zu extents", source, found);
}

/* The kernel's blocks; the modules' lie behind them. */
static size_t kernel_blocks(const struct plan *plan, const struct plan_options *options)
{
	assert_true(plan->block_count > options->module_count);
	return plan->block_count - options->module_count;
}

static void check_modules(const struct plan *plan, const struct plan_options *options)
{
	size_t kernels = kernel_blocks(plan, options);

	for (size_t i = 0; i < options->module_count; i++)
		check_module(plan, (uint32_t)(kernels + i), (uint32_t)(i + 1), options->modules[i].size);
}

uint64_t plan_info_word(const struct plan *plan, size_t offset, size_t width)
{
	uint64_t value = 0;

	CHECK(offset + width <= plan->info_size, "0x%zx: not in the info", offset);
	for (size_t i = width; i-- > 0;)
		value = value << 8 | plan->info[offset + i];
	return value;
}

/* A word to which the loader adds the address of this block, or of the info. */
static uint64_t info_address(const struct plan *plan, size_t offset, uint32_t block)
{
	size_t found = 0;

	for (size_t i = 0; i < plan->fixup_count; i++) {
		const struct plan_fixup *fixup = &plan->fixups[i];

		found += fixup->offset == offset && fixup->width == 8 && fixup->block == block;
	}
	CHECK(found == 1, "0x%zx: %zu fixups for block %u", offset, found, block);
	return plan_info_word(plan, offset, 8);
}

/* A string that the info points to. */
static void check_string(const struct plan *plan, size_t offset, const char *string)
{
	uint64_t at = info_address(plan, offset, BLOCK_NONE);

	CHECK(at <= plan->info_size && strlen(string) < plan->info_size - at &&
		      memcmp(plan->info + at, string, strlen(string) + 1) == 0,
	      "0x%zx: it is not '%s'", offset, string);
}

static void check_told_segments(const struct plan *plan)
{
	uint64_t at = info_address(plan, INFO_OFF_SEGMENTS, BLOCK_NONE);

	assert_int_equal(plan_info_word(plan, INFO_OFF_SEGMENT_COUNT, 8), plan->map_count);
	assert_int_equal(at % 8, 0);
	for (size_t i = 0; i < plan->map_count; i++, at += SEGMENT_SIZE) {
		const struct plan_map *map = &plan->maps[i];

		CHECK(plan_info_word(plan, at + SEGMENT_OFF_VIRT, 8) == map->virt &&
			      info_address(plan, at + SEGMENT_OFF_PHYS, map->block) == map->offset &&
			      plan_info_word(plan, at + SEGMENT_OFF_SIZE, 8) == map->length &&
			      plan_info_word(plan, at + SEGMENT_OFF_FLAGS, 4) == map->flags &&
			      plan_info_word(plan, at + SEGMENT_OFF_RESERVED, 4) == 0,
		      "segment %zu of the info is not the map", i);
	}
}

static void check_told_modules(const struct plan *plan, const struct plan_options *options)
{
	uint32_t block = (uint32_t)kernel_blocks(plan, options);

	assert_int_equal(plan_info_word(plan, INFO_OFF_MODULE_COUNT, 8), options->module_count);
	if (options->module_count == 0) {
		assert_int_equal(plan_info_word(plan, INFO_OFF_MODULES, 8), 0);
		return;
	}
	uint64_t at = info_address(plan, INFO_OFF_MODULES, BLOCK_NONE);
	assert_int_equal(at % 8, 0);
	for (size_t i = 0; i < options->module_count; i++, at += MODULE_SIZE, block++) {
		CHECK(info_address(plan, at + MODULE_OFF_START, block) == plan->physmap_virt &&
			      info_address(plan, at + MODULE_OFF_PHYS, block) == 0 &&
			      plan_info_word(plan, at + MODULE_OFF_SIZE, 8) == options->modules[i].size,
		      "module %zu of the info", i);
		check_string(plan, at + MODULE_OFF_NAME, options->modules[i].name);
	}
}

/* What only the loader knows is 0. */
static void check_untold(const struct plan *plan)
{
	static const struct {
		size_t start;
		size_t end;
	} fields[] = {
		{ INFO_OFF_MEMORY, INFO_OFF_CMDLINE },
		{ INFO_OFF_KERNEL_PSTART, INFO_OFF_PHYSMAP },
		{ INFO_OFF_PHYSMAP_SIZE, INFO_SIZE },
	};

	for (size_t i = 0; i < COUNT(fields); i++) {
		for (size_t k = fields[i].start; k < fields[i].end; k++)
			CHECK(plan->info[k] == 0, "byte 0x%zx of the info", k);
	}
}

static void check_info(const struct kernel *kernel, const struct plan_options *options,
		       const struct plan *plan)
{
	const struct segment *last = &kernel->segments[kernel->segment_count - 1];

	assert_true(plan->info_size >= INFO_SIZE);
	assert_int_equal(plan_info_word(plan, INFO_OFF_MAGIC, 8), INFO_MAGIC);
	assert_int_equal(plan_info_word(plan, INFO_OFF_VERSION, 4), INFO_VERSION);
	assert_int_equal(plan_info_word(plan, INFO_OFF_SIZE, 4), INFO_SIZE);
	assert_int_equal(plan_info_word(plan, INFO_OFF_KERNEL_VSTART, 8), first_page(&kernel->segments[0]));
	/* 0 stands for the end of the address space. */
	assert_int_equal(plan_info_word(plan, INFO_OFF_KERNEL_VEND, 8), last_page(last) + PAGE);
	assert_int_equal(plan_info_word(plan, INFO_OFF_PHYSMAP, 8), plan->physmap_virt);
	check_told_segments(plan);
	check_told_modules(plan, options);
	check_string(plan, INFO_OFF_CMDLINE, options->cmdline);
	assert_int_equal(plan_info_word(plan, INFO_OFF_CMDLINE_LEN, 8), strlen(options->cmdline));
	assert_string_equal(plan->cmdline, options->cmdline);
	assert_int_equal(plan_info_word(plan, INFO_OFF_CMDLINE, 8), plan->cmdline_offset);
	check_untold(plan);
	/* No address is added where none belongs. */
	assert_int_equal(plan->fixup_count, 2 + plan->map_count + 3 * options->module_count +
						    (options->module_count > 0));
}

/* The hand-off area and the physical map lie in slots of their own. */
static void check_areas(const struct plan *plan)
{
	uint64_t end = plan->physmap_virt + (plan->physmap_max - 1);

	assert_int_equal(plan->handoff_virt % SLOT, 0);
	assert_int_equal(plan->physmap_virt % SLOT, 0);
	assert_int_equal(plan->physmap_max % SLOT, 0);
	assert_true(plan->physmap_max > 0);
	assert_true(is_canonical(plan->handoff_virt));
	assert_true(is_canonical(plan->physmap_virt) && is_canonical(end));
	assert_int_equal(plan->physmap_virt >> 63, end >> 63);
	/* The first slot has the identity map. */
	assert_true(plan->handoff_virt >= SLOT && plan->physmap_virt >= SLOT);
	assert_true(plan->handoff_virt - plan->physmap_virt >= plan->physmap_max);
	for (size_t i = 0; i < plan->map_count; i++) {
		uint64_t first = plan->maps[i].virt, last = first + (plan->maps[i].length - 1);

		CHECK(last < plan->handoff_virt || first > plan->handoff_virt + (SLOT - 1),
		      "map %zu lies in the hand-off area", i);
		CHECK(last < plan->physmap_virt || first > end, "map %zu lies in the physical map", i);
	}
}

void plan_check(const struct kernel *kernel, const struct plan_options *options,
		const struct plan *plan)
{
	plan_check_kernel(kernel, plan, kernel_blocks(plan, options));
	check_modules(plan, options);
	check_areas(plan);
	check_info(kernel, options, plan);
	assert_int_equal(plan->protocol, BT_PROTOCOL_NATIVE);
}
