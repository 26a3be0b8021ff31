/* SPDX-License-Identifier: MIT
 *
 * Kernels mapped where they are linked; see longmode.h.
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
#include "protocol/longmode.h"

#include <elf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "bootabi.h"
#include "base/bytes.h"
#include "kernel/placed.h"

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)

#define LARGE_PAGE (2 * MIB)

/* Segments further apart than this get blocks of their own: the memory between
 * them stays free. */
#define CLUSTER_GAP (64 * KIB)

#define HUGE_BSS (256 * MIB)		/* worth a warning */

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
	struct placed placed;
	const char *name;
	struct plan *plan;
	struct cluster *clusters;
	size_t cluster_count;
};

/* ---- What is refused ----------------------------------------------------- */

bool longmode_canonical(uint64_t address)
{
	return address < UINT64_C(1) << 47 || address >= ~((UINT64_C(1) << 47) - 1);
}

static int check_segment(const struct planner *p, const struct segment *segment, struct error *err)
{
	uint64_t last = segment->vaddr + (segment->memsz - 1);

	if (!longmode_canonical(segment->vaddr) || !longmode_canonical(last) || segment->vaddr >> 63 != last >> 63) {
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
	if (segment->memsz > PLAN_MOST_MEMORY)
		return error_set(err, ERROR_INPUT, 0, "'%s': %s is larger than 3 GiB", p->name,
				 segment_label(segment).text);
	return 0;
}

/* "0x1000 (_start)", or just "0x1000". */
struct entry_label {
	char text[96];
};
static struct entry_label entry_label(const struct planner *p)
{
	struct entry_label label;
	bool named = p->kernel->entry_symbol[0] != '\0';

	snprintf(label.text, sizeof(label.text), "0x%" PRIx64 "%s%s%s", p->placed.entry,
		 named ? " (" : "", p->kernel->entry_symbol, named ? ")" : "");
	return label;
}

static int check_entry(const struct planner *p, struct error *err)
{
	uint64_t entry = p->placed.entry;

	for (size_t i = 0; i < p->placed.segment_count; i++) {
		const struct segment *segment = &p->placed.segments[i];

		if (entry < segment->vaddr || entry - segment->vaddr >= segment->memsz)
			continue;
		if (segment->flags & PF_X)
			return 0;
		error_set(err, ERROR_INPUT, 0,
			  "'%s': the entry point %s lies in %s, which is not executable", p->name,
			  entry_label(p).text, segment_label(segment).text);
		return error_hint(err, "check ENTRY() and the PHDRS flags of the linker script");
	}
	error_set(err, ERROR_INPUT, 0, "'%s': the entry point %s lies in no segment", p->name,
		  entry_label(p).text);
	return error_hint(err, "is _start defined, and kept by the linker?  See ENTRY() and readelf -h");
}

static int check_kernel(const struct planner *p, struct error *err)
{
	for (size_t i = 0; i < p->placed.segment_count; i++) {
		if (check_segment(p, &p->placed.segments[i], err) != 0)
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
	for (size_t i = 0; i < p->placed.segment_count; i++) {
		const struct segment *segment = &p->placed.segments[i];
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
		*plan_append(p->clusters, p->cluster_count) = (struct cluster){
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

	if (!cluster->has_delta || cluster->delta % PAGE_SIZE != 0 || phys < PLAN_LOWEST_PHYS ||
	    phys >= PLAN_HIGHEST_PHYS || size > PLAN_HIGHEST_PHYS - phys)
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
	*plan_append(plan->blocks, plan->block_count) = (struct plan_block){
		.phys = phys,
		.size = size,
		.align = align,
		.phase = cluster->start % align,
		.lowest = PLAN_LOWEST_PHYS,
		.highest = PLAN_HIGHEST_PHYS,
		.kind = INFO_KIND_KERNEL,
	};
}

static void make_blocks(struct planner *p)
{
	for (size_t i = 0; i < p->cluster_count; i++)
		p->clusters[i].block = BLOCK_NONE;
	/* Those that want an address first, so that no other is put there. */
	for (size_t i = 0; i < p->cluster_count; i++) {
		struct cluster *cluster = &p->clusters[i];
		uint64_t phys = wanted_phys(cluster);

		if (phys != BLOCK_ANYWHERE &&
		    !wanted_already(p->plan, phys, cluster->end - cluster->start))
			add_block(p->plan, cluster, phys);
	}
	for (size_t i = 0; i < p->cluster_count; i++) {
		if (p->clusters[i].block == BLOCK_NONE)
			add_block(p->plan, &p->clusters[i], BLOCK_ANYWHERE);
	}
}

/* ---- Zeros, maps --------------------------------------------------------- */

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
	*plan_append(plan->maps, plan->map_count) = (struct plan_map){
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
			plan_clear(plan, map->block, done, extent->offset);
			done = extent_end;
			if (extent_end <= end)
				next = k + 1;
		}
		plan_clear(plan, map->block, done, end);
	}
}

/* ---- The address space --------------------------------------------------- */

uint64_t longmode_slot(unsigned int slot)
{
	return slot * SLOT_SIZE | (slot >= SLOTS / 2 ? UINT64_C(0xffff) << 48 : 0);
}

void longmode_mark(bool used[SLOTS], uint64_t start, uint64_t size)
{
	uint64_t first = start / SLOT_SIZE % SLOTS, last = (start + (size - 1)) / SLOT_SIZE % SLOTS;

	for (uint64_t slot = first; slot <= last; slot++)
		used[slot] = true;
}

void longmode_used(const struct plan *plan, bool used[SLOTS])
{
	for (unsigned int slot = 0; slot < SLOTS; slot++)
		used[slot] = slot == 0;
	for (size_t i = 0; i < plan->map_count; i++)
		longmode_mark(used, plan->maps[i].virt, plan->maps[i].length);
}

uint64_t longmode_free(const bool used[SLOTS], unsigned int slot)
{
	unsigned int half = slot < SLOTS / 2 ? SLOTS / 2 : SLOTS, end = slot;

	while (end < half && !used[end])
		end++;
	return (end - slot) * SLOT_SIZE;
}

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

/* ---- What is allowed, but hardly meant ----------------------------------- */

static void warn(struct planner *p)
{
	const struct kernel *kernel = p->kernel;
	uint64_t zeros = 0;

	for (size_t i = 0; i < p->placed.segment_count; i++) {
		const struct segment *segment = &p->placed.segments[i];

		zeros += segment->memsz - segment->filesz;
		if ((segment->flags & (PF_W | PF_X)) == (PF_W | PF_X))
			plan_warn(p->plan, "%s is both writable and executable",
				  segment_label(segment).text);
	}
	if (zeros >= HUGE_BSS)
		plan_warn(p->plan, "%" PRIu64 " MiB of it are zeros (.bss), which the machine must have and the loader must clear",
			  zeros / MIB);
	if (kernel->debug_section[0] != '\0')
		plan_warn(p->plan, "debug information (%s) lies in a segment and is loaded: check the linker script",
			  kernel->debug_section);
}

/* ---- All together -------------------------------------------------------- */

static int make_plan(struct planner *p, struct error *err)
{
	struct plan *plan = p->plan;

	if (check_kernel(p, err) != 0)
		return -1;
	find_clusters(p);
	make_blocks(p);
	for (size_t c = 0; c < p->cluster_count; c++) {
		const struct cluster *cluster = &p->clusters[c];

		for (size_t i = cluster->first; i < cluster->last; i++) {
			const struct segment *segment = &p->placed.segments[i];

			placed_load(&p->placed, segment, plan, cluster->block, segment->vaddr - cluster->start);
			map_segment(plan, cluster, segment);
		}
	}
	plan_sort_patches(plan);
	find_zeros(plan);
	warn(p);
	plan->slide = p->placed.slide;
	plan->entry = p->placed.entry;
	plan->entry_block = BLOCK_NONE;
	plan->info_block = BLOCK_NONE;
	return 0;
}

int longmode_plan(const struct kernel *kernel, const struct plan_options *options, const char *name,
		  struct plan *plan, struct error *err)
{
	struct planner p = { .kernel = kernel, .name = name, .plan = plan };

	*plan = (struct plan){0};
	if (placed_make(&p.placed, kernel, options, false, name, err) != 0)
		return -1;
	int result = make_plan(&p, err);
	free(p.clusters);
	placed_free(&p.placed);
	if (result != 0)
		plan_free(plan);
	return result;
}

int longmode_finish(struct plan *plan, const char *name, struct error *err)
{
	plan->table_pages = count_tables(plan);
	if (plan_fits(plan, name, err) == 0)
		return 0;
	plan_free(plan);
	return -1;
}

bool longmode_fits(const struct kernel *kernel, struct protocol_reason *why)
{
	if (!kernel->is_elf || !kernel->is_64 || kernel->machine != EM_X86_64)
		return false;
	snprintf(why->text, sizeof(why->text), "is an x86-64 ELF64 file");
	return true;
}
