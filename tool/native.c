/* SPDX-License-Identifier: MIT
 *
 * The native protocol: an ELF64 x86-64 kernel, entered in long mode with its
 * segments mapped where it was linked.
 *
 * From segments to the plan:
 *  - Segments that share pages, or lie close together and agree on where in
 *    physical memory they want to be, form a cluster.  A cluster is one block,
 *    so that it stays in one piece and a page shared by two segments is one
 *    page.
 *  - A cluster's file bytes become extents: what is adjacent in memory becomes
 *    one, filled up with zeros over gaps shorter than a page.
 *  - Every other byte of its mapped pages is cleared, .bss or not.
 *  - Pages are mapped with their segment's flags; a shared one with the flags
 *    of all its segments.
 */
#include <elf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bootabi.h"
#include "bytes.h"
#include "protocol.h"

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

#define LARGE_PAGE (2 * MIB)
#define SLOT_SIZE (512 * GIB)		/* what an entry of the level 4 table covers */
#define SLOTS 512

/* Segments further apart than this get blocks of their own: the memory between
 * them stays free. */
#define CLUSTER_GAP (64 * KIB)

/* Below 1 MiB the loader is at work, above 4 GiB it cannot load. */
#define LOWEST_PHYS MIB
#define HIGHEST_PHYS (4 * GIB)
#define MOST_MEMORY (3 * GIB)		/* PCs keep the rest below 4 GiB for devices */

#define HUGE_BSS (256 * MIB)		/* worth a warning */

#define PHYSMAP_SLOT 256		/* 0xffff800000000000 */
#define HANDOFF_SLOT 508		/* 0xfffffe0000000000 */

/* A cluster: segments [first, last), one block. */
struct cluster {
	size_t first;
	size_t last;
	uint64_t start;		/* virtual, page aligned */
	uint64_t end;		/* 0 stands for the end of the address space */
	uint64_t delta;		/* p_paddr - p_vaddr */
	bool has_delta;		/* all segments agree on it */
	uint32_t block;
};

struct planner {
	const struct kernel *kernel;
	const char *name;
	struct plan *plan;
	struct cluster *clusters;
	size_t cluster_count;
};

bool native_detect(const struct kernel *kernel)
{
	return kernel->is_64 && kernel->machine == EM_X86_64;
}

/* ---- What is refused ----------------------------------------------------- */

static bool canonical(uint64_t address)
{
	return address < UINT64_C(1) << 47 || address >= ~((UINT64_C(1) << 47) - 1);
}

static int check_segment(const struct planner *p, const struct segment *segment, struct error *err)
{
	uint64_t last = segment->vaddr + (segment->memsz - 1);

	if (!canonical(segment->vaddr) || !canonical(last) || segment->vaddr >> 63 != last >> 63) {
		error_set(err, ERROR_INPUT, 0, "'%s': %s is not at canonical addresses", p->name,
			  segment_label(segment).text);
		return error_hint(err, "link it below 0x800000000000 or from 0xffff800000000000 up");
	}
	if (segment->vaddr < PAGE_SIZE) {
		error_set(err, ERROR_INPUT, 0,
			  "'%s': %s lies in the first page, which is never mapped", p->name,
			  segment_label(segment).text);
		return error_hint(err, "link it at 0x100000 or above");
	}
	if (segment->vaddr < MIB && last >= 0xa0000) {
		error_set(err, ERROR_INPUT, 0,
			  "'%s': %s covers 0xa0000-0xfffff, where a PC has video memory and firmware",
			  p->name, segment_label(segment).text);
		return error_hint(err, "link it at 0x100000 or above");
	}
	if (segment->memsz > MOST_MEMORY)
		return error_set(err, ERROR_INPUT, 0, "'%s': %s is larger than 3 GiB", p->name,
				 segment_label(segment).text);
	return 0;
}

/* "0x1000 (_start)", or just "0x1000". */
struct entry_label {
	char text[96];
};
static struct entry_label entry_label(const struct kernel *kernel)
{
	struct entry_label label;
	bool named = kernel->entry_symbol[0] != '\0';

	snprintf(label.text, sizeof(label.text), "0x%" PRIx64 "%s%s%s", kernel->entry,
		 named ? " (" : "", kernel->entry_symbol, named ? ")" : "");
	return label;
}

static int check_entry(const struct planner *p, struct error *err)
{
	uint64_t entry = p->kernel->entry;

	for (size_t i = 0; i < p->kernel->segment_count; i++) {
		const struct segment *segment = &p->kernel->segments[i];

		if (entry < segment->vaddr || entry - segment->vaddr >= segment->memsz)
			continue;
		if (segment->flags & PF_X)
			return 0;
		error_set(err, ERROR_INPUT, 0,
			  "'%s': the entry point %s lies in %s, which is not executable", p->name,
			  entry_label(p->kernel).text, segment_label(segment).text);
		return error_hint(err, "check ENTRY() and the PHDRS flags of the linker script");
	}
	error_set(err, ERROR_INPUT, 0, "'%s': the entry point %s lies in no segment", p->name,
		  entry_label(p->kernel).text);
	return error_hint(err, "is _start defined, and kept by the linker?  See ENTRY() and readelf -h");
}

static int check_kernel(const struct planner *p, struct error *err)
{
	if (p->kernel->type == ET_DYN) {
		error_set(err, ERROR_INPUT, 0,
			  "'%s' is position independent (ET_DYN), which is not supported yet", p->name);
		return error_hint(err, "link it with -no-pie (rustc: -C relocation-model=static)");
	}
	for (size_t i = 0; i < p->kernel->segment_count; i++) {
		if (check_segment(p, &p->kernel->segments[i], err) != 0)
			return -1;
	}
	return check_entry(p, err);
}

/* ---- Clusters and blocks ------------------------------------------------- */

static uint64_t page_start(const struct segment *segment)
{
	return align_down(segment->vaddr, PAGE_SIZE);
}

/* 0 stands for the end of the address space. */
static uint64_t page_end(const struct segment *segment)
{
	return align_up(segment->vaddr + segment->memsz, PAGE_SIZE);
}

static void find_clusters(struct planner *p)
{
	for (size_t i = 0; i < p->kernel->segment_count; i++) {
		const struct segment *segment = &p->kernel->segments[i];
		uint64_t delta = segment->paddr - segment->vaddr;
		struct cluster *cluster = p->cluster_count > 0 ? &p->clusters[p->cluster_count - 1] : NULL;

		if (cluster != NULL) {
			bool shares = cluster->end - page_start(segment) == PAGE_SIZE;
			bool near = page_start(segment) - cluster->end <= CLUSTER_GAP;

			if (shares || (near && cluster->has_delta && cluster->delta == delta)) {
				cluster->has_delta &= cluster->delta == delta;
				cluster->last = i + 1;
				cluster->end = page_end(segment);
				continue;
			}
		}
		p->clusters[p->cluster_count++] = (struct cluster){
			.first = i,
			.last = i + 1,
			.start = page_start(segment),
			.end = page_end(segment),
			.delta = delta,
			.has_delta = true,
		};
	}
}

/* Where a cluster wants to lie, BLOCK_ANYWHERE if p_paddr cannot be meant. */
static uint64_t wanted_phys(const struct cluster *cluster)
{
	uint64_t phys = cluster->start + cluster->delta;
	uint64_t size = cluster->end - cluster->start;

	if (!cluster->has_delta || cluster->delta % PAGE_SIZE != 0 || phys < LOWEST_PHYS ||
	    phys >= HIGHEST_PHYS || size > HIGHEST_PHYS - phys)
		return BLOCK_ANYWHERE;
	return phys;
}

/* Does the range touch one that a block already wants? */
static bool wanted_already(const struct plan *plan, uint64_t phys, uint64_t size)
{
	for (size_t i = 0; i < plan->block_count; i++) {
		const struct plan_block *block = &plan->blocks[i];

		if (phys < block->phys + block->size && block->phys < phys + size)
			return true;
	}
	return false;
}

static void add_block(struct plan *plan, struct cluster *cluster, uint64_t phys)
{
	uint64_t size = cluster->end - cluster->start;
	/* Large pages need virtual and physical address to agree in the low bits. */
	bool large = align_up(cluster->start, LARGE_PAGE) - cluster->start + LARGE_PAGE <= size;
	uint64_t align = large ? LARGE_PAGE : PAGE_SIZE;

	cluster->block = (uint32_t)plan->block_count;
	plan->blocks[plan->block_count++] = (struct plan_block){
		.phys = phys,
		.size = size,
		.align = align,
		.phase = cluster->start % align,
		.kind = INFO_KIND_KERNEL,
	};
}

static int make_blocks(struct planner *p, struct error *err)
{
	uint64_t total = 0;

	if (p->cluster_count > BT_MAX_BLOCKS)
		return error_set(err, ERROR_INPUT, 0,
				 "'%s' has %zu separate pieces; the loader has room for %d", p->name,
				 p->cluster_count, BT_MAX_BLOCKS);
	for (size_t i = 0; i < p->cluster_count; i++)
		p->clusters[i].block = UINT32_MAX;
	/* Those that want an address first, so that no other is put there. */
	for (size_t i = 0; i < p->cluster_count; i++) {
		struct cluster *cluster = &p->clusters[i];
		uint64_t size = cluster->end - cluster->start;
		uint64_t phys = wanted_phys(cluster);

		total += size;
		if (phys != BLOCK_ANYWHERE && !wanted_already(p->plan, phys, size))
			add_block(p->plan, cluster, phys);
	}
	for (size_t i = 0; i < p->cluster_count; i++) {
		if (p->clusters[i].block == UINT32_MAX)
			add_block(p->plan, &p->clusters[i], BLOCK_ANYWHERE);
	}
	if (total > MOST_MEMORY)
		return error_set(err, ERROR_INPUT, 0,
				 "'%s' needs %" PRIu64 " MiB of memory; a PC has at most 3 GiB for it",
				 p->name, total / MIB);
	return 0;
}

/* ---- Extents, zeros, maps ------------------------------------------------ */

static void add_piece(struct plan *plan, const struct cluster *cluster,
		      const struct segment *segment)
{
	uint64_t offset = segment->vaddr - cluster->start;
	struct plan_extent *extent = plan->extent_count > 0 ? &plan->extents[plan->extent_count - 1] : NULL;

	if (extent == NULL || extent->block != cluster->block ||
	    offset - (extent->offset + extent->length) >= PAGE_SIZE) {
		extent = &plan->extents[plan->extent_count++];
		*extent = (struct plan_extent){
			.block = cluster->block,
			.offset = offset,
			.first_piece = plan->piece_count,
		};
	}
	plan->pieces[plan->piece_count++] = (struct plan_piece){
		.file_offset = segment->offset,
		.length = segment->filesz,
		.offset = offset - extent->offset,
	};
	extent->piece_count++;
	extent->length = offset + segment->filesz - extent->offset;
}

static void add_map(struct plan *plan, const struct cluster *cluster, uint64_t start, uint64_t end,
		    uint32_t flags)
{
	struct plan_map *last = plan->map_count > 0 ? &plan->maps[plan->map_count - 1] : NULL;

	if (start == end)
		return;
	if (last != NULL && last->block == cluster->block && last->flags == flags &&
	    last->virt + last->length == start) {
		last->length += end - start;
		return;
	}
	plan->maps[plan->map_count++] = (struct plan_map){
		.virt = start,
		.block = cluster->block,
		.flags = flags,
		.offset = start - cluster->start,
		.length = end - start,
	};
}

/* Map a segment's pages; the first one may be mapped already. */
static void map_segment(struct plan *plan, const struct cluster *cluster,
			const struct segment *segment)
{
	uint64_t start = page_start(segment);
	struct plan_map *last = plan->map_count > 0 ? &plan->maps[plan->map_count - 1] : NULL;

	if (last != NULL && last->virt + last->length - start == PAGE_SIZE) {
		uint32_t flags = last->flags | segment->flags;

		last->length -= PAGE_SIZE;
		if (last->length == 0)
			plan->map_count--;
		add_map(plan, cluster, start, start + PAGE_SIZE, flags);
		start += PAGE_SIZE;
	}
	add_map(plan, cluster, start, page_end(segment), segment->flags);
}

static void add_zero(struct plan *plan, uint32_t block, uint64_t start, uint64_t end)
{
	struct plan_zero *last = plan->zero_count > 0 ? &plan->zeros[plan->zero_count - 1] : NULL;

	if (start >= end)
		return;
	if (last != NULL && last->block == block && last->offset + last->length == start) {
		last->length += end - start;
		return;
	}
	plan->zeros[plan->zero_count++] = (struct plan_zero){ block, start, end - start };
}

/* Everything in the mapped pages that no extent fills. */
static void find_zeros(struct plan *plan)
{
	size_t next = 0;	/* first extent that is not behind the map */

	for (size_t i = 0; i < plan->map_count; i++) {
		const struct plan_map *map = &plan->maps[i];
		uint64_t done = map->offset, end = map->offset + map->length;

		for (size_t k = next; k < plan->extent_count; k++) {
			const struct plan_extent *extent = &plan->extents[k];
			uint64_t extent_end = extent->offset + extent->length;

			if (extent->block != map->block || extent->offset >= end)
				break;
			add_zero(plan, map->block, done, extent->offset);
			done = extent_end;
			if (extent_end <= end)
				next = k + 1;
		}
		add_zero(plan, map->block, done, end);
	}
}

/* ---- The address space --------------------------------------------------- */

/* Page tables that the maps need at most: levels 1, 2 and 3 for each region
 * that one covers.  Splitting a page of the identity map takes no more. */
static uint32_t count_tables(const struct plan *plan)
{
	static const unsigned int shifts[] = { 21, 30, 39 };
	uint64_t count = 0;

	for (size_t s = 0; s < sizeof(shifts) / sizeof(shifts[0]); s++) {
		uint64_t seen = UINT64_MAX;

		for (size_t i = 0; i < plan->map_count; i++) {
			uint64_t first = plan->maps[i].virt >> shifts[s];
			uint64_t last = (plan->maps[i].virt + plan->maps[i].length - 1) >> shifts[s];

			count += last - first + (first != seen);
			seen = last;
		}
	}
	return (uint32_t)count;
}

static uint64_t slot_address(unsigned int slot)
{
	return slot * SLOT_SIZE | (slot >= SLOTS / 2 ? UINT64_C(0xffff) << 48 : 0);
}

/* Find room for the hand-off area and the physical map beside the kernel. */
static int place_areas(struct planner *p, struct error *err)
{
	bool used[SLOTS + 1] = { [0] = true, [SLOTS] = true };	/* 0: the identity map */
	unsigned int handoff = HANDOFF_SLOT, physmap = PHYSMAP_SLOT, end;

	for (size_t i = 0; i < p->plan->map_count; i++) {
		uint64_t first = p->plan->maps[i].virt / SLOT_SIZE % SLOTS;
		uint64_t last = (p->plan->maps[i].virt + p->plan->maps[i].length - 1) / SLOT_SIZE % SLOTS;

		for (uint64_t slot = first; slot <= last; slot++)
			used[slot] = true;
	}
	while (handoff > 0 && used[handoff])
		handoff--;
	used[handoff] = true;
	/* The first free slot from the usual place up, or else in the lower half;
	 * there it ends below the upper half, which is full then. */
	while (physmap < SLOTS && used[physmap])
		physmap++;
	if (physmap == SLOTS)
		for (physmap = 1; physmap < PHYSMAP_SLOT && used[physmap]; physmap++)
			;
	if (handoff == 0 || used[physmap])
		return error_set(err, ERROR_INPUT, 0,
				 "'%s' is scattered over the whole address space: no room for the stack and the physical map",
				 p->name);
	for (end = physmap + 1; !used[end]; end++)
		;
	p->plan->handoff_virt = slot_address(handoff);
	p->plan->physmap_virt = slot_address(physmap);
	p->plan->physmap_max = (end - physmap) * SLOT_SIZE;
	return 0;
}

/* ---- What is allowed, but hardly meant ----------------------------------- */

static void warn(struct planner *p)
{
	const struct kernel *kernel = p->kernel;
	uint64_t zeros = 0;

	for (size_t i = 0; i < kernel->segment_count; i++) {
		const struct segment *segment = &kernel->segments[i];

		zeros += segment->memsz - segment->filesz;
		if ((segment->flags & (PF_W | PF_X)) == (PF_W | PF_X))
			plan_warn(p->plan, "%s is both writable and executable",
				  segment_label(segment).text);
	}
	if (!kernel->has_gnu_stack)
		plan_warn(p->plan, "the file does not say what stack it needs (no PT_GNU_STACK); it gets one that is not executable");
	else if (kernel->executable_stack)
		plan_warn(p->plan, "the file asks for an executable stack (PT_GNU_STACK); it gets one that is not");
	if (zeros >= HUGE_BSS)
		plan_warn(p->plan, "%" PRIu64 " MiB of it are zeros (.bss), which the machine must have and the loader must clear",
			  zeros / MIB);
	if (kernel->debug_section[0] != '\0')
		plan_warn(p->plan, "debug information (%s) lies in a segment and is loaded: check the linker script",
			  kernel->debug_section);
}

/* ---- All together -------------------------------------------------------- */

static int allocate(struct planner *p, struct error *err)
{
	size_t count = p->kernel->segment_count;

	/* Each segment adds at most a piece, two maps, and a gap before and behind
	 * each extent and map. */
	p->clusters = calloc(count, sizeof(p->clusters[0]));
	p->plan->blocks = calloc(count, sizeof(p->plan->blocks[0]));
	p->plan->pieces = calloc(count, sizeof(p->plan->pieces[0]));
	p->plan->extents = calloc(count, sizeof(p->plan->extents[0]));
	p->plan->maps = calloc(2 * count, sizeof(p->plan->maps[0]));
	p->plan->zeros = calloc(4 * count, sizeof(p->plan->zeros[0]));
	if (p->clusters == NULL || p->plan->blocks == NULL || p->plan->pieces == NULL ||
	    p->plan->extents == NULL || p->plan->maps == NULL || p->plan->zeros == NULL)
		return error_set(err, ERROR_SYSTEM, 0, "out of memory for '%s'", p->name);
	return 0;
}

static int make_plan(struct planner *p, const struct plan_options *options, struct error *err)
{
	struct plan *plan = p->plan;

	if (check_kernel(p, err) != 0 || allocate(p, err) != 0)
		return -1;
	find_clusters(p);
	if (make_blocks(p, err) != 0)
		return -1;
	for (size_t c = 0; c < p->cluster_count; c++) {
		for (size_t i = p->clusters[c].first; i < p->clusters[c].last; i++) {
			const struct segment *segment = &p->kernel->segments[i];

			if (segment->filesz > 0)
				add_piece(plan, &p->clusters[c], segment);
			map_segment(plan, &p->clusters[c], segment);
		}
	}
	find_zeros(plan);
	if (place_areas(p, err) != 0)
		return -1;
	warn(p);
	plan->table_pages = count_tables(plan);
	plan->kernel_start = p->clusters[0].start;
	plan->kernel_end = p->clusters[p->cluster_count - 1].end;
	plan->protocol = BT_PROTOCOL_NATIVE;
	plan->entry = p->kernel->entry;
	plan->stack_size = align_up(options->stack_size, PAGE_SIZE);
	plan->cmdline = strdup(options->cmdline);
	if (plan->cmdline == NULL)
		return error_set(err, ERROR_SYSTEM, 0, "out of memory for '%s'", p->name);
	return 0;
}

int native_plan(const struct kernel *kernel, const struct plan_options *options, const char *name,
		struct plan *plan, struct error *err)
{
	struct planner p = { .kernel = kernel, .name = name, .plan = plan };

	*plan = (struct plan){0};
	int result = make_plan(&p, options, err);
	free(p.clusters);
	if (result != 0)
		plan_free(plan);
	return result;
}
