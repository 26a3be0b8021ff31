/* SPDX-License-Identifier: MIT
 *
 * The protocol of the Rust crate bootloader 0.9 (its BIOS loader's, as of 0.9.33): a
 * kernel entered in long mode with struct BootInfo, whose layout depends on the
 * crate's features.  Stack and BootInfo are blocks with maps like the kernel's own.
 *
 * Where things go that are not configured is what the crate does: slots of the
 * level 4 table from the lowest free one up, for the recursive entry (whether it is
 * wanted or not), for BootInfo with the stack behind it, for the physical map.
 */
#include <elf.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bootabi.h"
#include "base/bytes.h"
#include "protocol/longmode.h"
#include "protocol/protocol.h"

#define DEFAULT_STACK_PAGES 512
#define LARGE_PAGE UINT64_C(0x200000)
#define LOWEST_PHYSMAP (UINT64_C(4) << 30)	/* bytes that the physical map has at least */
#define LOW_END UINT64_C(0xc0000)		/* mapped one to one: low memory, VGA's memory */

#define MODE_TEXT 3			/* INT 10h: 80x25 characters, and cleared */
#define MODE_320X200 0x13		/* 320x200, 256 colours */

/* A range of virtual addresses that is taken, and by what. */
struct area {
	const char *what;
	const char *option;	/* that moves it; NULL: none does */
	uint64_t start;
	uint64_t size;		/* > 0 */
};

struct planner {
	const struct plan_options *options;
	const char *name;
	struct plan *plan;
	struct area *areas;
	size_t area_count;
	uint64_t boot_info;	/* virtual addresses */
	uint64_t guard;
	uint64_t physmap;	/* 0: none */
};

static bool has(const struct planner *p, uint32_t feature)
{
	return p->options->crate.features & feature;
}

/* ---- The address space ---------------------------------------------------- */

static void add_area(struct planner *p, const char *what, const char *option, uint64_t start, uint64_t size)
{
	*plan_append(p->areas, p->area_count) = (struct area){ what, option, start, size };
}

/* The next free slot. */
static int take_slot(struct planner *p, bool used[SLOTS], unsigned int *slot, struct error *err)
{
	for (*slot = 1; *slot < SLOTS && used[*slot]; (*slot)++)
		;
	if (*slot == SLOTS)
		return error_set(err, ERROR_INPUT, 0,
				 "'%s' is scattered over the whole address space: no room for the stack and the physical map",
				 p->name);
	used[*slot] = true;
	return 0;
}

/* Choose what is not configured. */
static int choose_addresses(struct planner *p, struct error *err)
{
	const struct crate_options *crate = &p->options->crate;
	bool used[SLOTS];
	unsigned int slot;

	longmode_used(p->plan, used);
	if (crate->boot_info_address != 0)
		longmode_mark(used, crate->boot_info_address, PAGE_SIZE);
	/* Where that is said of BootInfo only, it follows that. */
	if (crate->stack_address != 0)
		longmode_mark(used, crate->stack_address, PAGE_SIZE + p->plan->stack_size);
	else if (crate->boot_info_address != 0)
		longmode_mark(used, crate->boot_info_address + PAGE_SIZE, PAGE_SIZE + p->plan->stack_size);
	if (crate->physical_memory_offset != 0)
		longmode_mark(used, crate->physical_memory_offset, LOWEST_PHYSMAP);

	if (take_slot(p, used, &slot, err) != 0)
		return -1;
	if (has(p, CRATE_RECURSIVE_PAGE_TABLE))
		p->plan->recursive = (uint16_t)slot;
	p->boot_info = crate->boot_info_address;
	if (p->boot_info == 0) {
		if (take_slot(p, used, &slot, err) != 0)
			return -1;
		p->boot_info = longmode_slot(slot);
	}
	p->guard = crate->stack_address != 0 ? crate->stack_address : p->boot_info + PAGE_SIZE;
	if (!has(p, CRATE_MAP_PHYSICAL_MEMORY))
		return 0;
	p->physmap = crate->physical_memory_offset;
	if (p->physmap == 0) {
		if (take_slot(p, used, &slot, err) != 0)
			return -1;
		p->physmap = longmode_slot(slot);
	}
	return 0;
}

/* What ends where the address space does must not seem to end at 0. */
static uint64_t last_of(const struct area *area)
{
	return area->start + (area->size - 1);
}

static int check_area(const struct planner *p, const struct area *area, struct error *err)
{
	bool wraps = last_of(area) < area->start;

	if (!wraps && longmode_canonical(area->start) && longmode_canonical(last_of(area)) &&
	    area->start >> 63 == last_of(area) >> 63)
		return 0;
	error_set(err, ERROR_USAGE, 0, "'%s': %s (0x%" PRIx64 ", %" PRIu64 " KiB) %s", p->name, area->what,
		  area->start, area->size >> 10,
		  wraps ? "wraps around the end of the address space" : "is not at canonical addresses");
	return wraps ? error_hint(err, "choose a lower %s", area->option) :
		       error_hint(err, "choose a %s below 0x800000000000 or from 0xffff800000000000 up",
				  area->option);
}

static int check_pair(const struct planner *p, const struct area *a, const struct area *b,
		      struct error *err)
{
	if (a->start > last_of(b) || b->start > last_of(a))
		return 0;
	const char *option = a->option != NULL ? a->option : b->option;

	error_set(err, option != NULL ? ERROR_USAGE : ERROR_INPUT, 0,
		  "'%s': %s (0x%" PRIx64 "-0x%" PRIx64 ") and %s (0x%" PRIx64 "-0x%" PRIx64 ") overlap", p->name,
		  a->what, a->start, last_of(a), b->what, b->start, last_of(b));
	return option != NULL ? error_hint(err, "move one of them with %s", option) :
				error_hint(err, "link the kernel at 0x100000 or above");
}

/* Nothing may lie upon another. */
static int check_areas(struct planner *p, struct error *err)
{
	const struct plan *plan = p->plan;
	size_t own;

	if (p->physmap != 0)
		add_area(p, "the map of physical memory", "--physical-memory-offset", p->physmap, LOWEST_PHYSMAP);
	/* Before the stack, which may be wrong only because it follows this. */
	add_area(p, "BootInfo", "--boot-info-address", p->boot_info, PAGE_SIZE);
	add_area(p, "the stack with its guard page", "--kernel-stack-address", p->guard,
		 PAGE_SIZE + plan->stack_size);
	if (plan->recursive != 0)
		add_area(p, "the recursive page table", NULL, longmode_slot(plan->recursive), SLOT_SIZE);
	add_area(p, "low memory, which is mapped one to one,", NULL, 0, LOW_END);
	own = p->area_count;
	for (size_t i = 0; i < plan->map_count; i++)
		add_area(p, "the kernel", NULL, plan->maps[i].virt, plan->maps[i].length);

	for (size_t i = 0; i < own; i++) {
		if (check_area(p, &p->areas[i], err) != 0)
			return -1;
		for (size_t k = i + 1; k < p->area_count; k++) {
			if (check_pair(p, &p->areas[i], &p->areas[k], err) != 0)
				return -1;
		}
	}
	return 0;
}

/* How far the physical map can reach: to the next area, or the end of its half. */
static uint64_t physmap_room(const struct planner *p)
{
	uint64_t half = UINT64_C(1) << 47;
	uint64_t room = p->physmap >> 63 ? -p->physmap : half - p->physmap;

	for (size_t i = 0; i < p->area_count; i++) {
		if (p->areas[i].start > p->physmap && p->areas[i].start - p->physmap < room)
			room = p->areas[i].start - p->physmap;
	}
	return align_down(room, LARGE_PAGE);
}

static int compare_maps(const void *left, const void *right)
{
	const struct plan_map *a = left, *b = right;

	return (a->virt > b->virt) - (a->virt < b->virt);
}

/* A block of its own, mapped as the crate does it: executable, too. */
static uint32_t add_block(struct plan *plan, uint64_t virt, uint64_t size, uint32_t kind)
{
	uint32_t block = (uint32_t)plan->block_count;

	*plan_append(plan->blocks, plan->block_count) = (struct plan_block){
		.phys = BLOCK_ANYWHERE,
		.size = size,
		.align = PAGE_SIZE,
		.lowest = PLAN_LOWEST_PHYS,
		.highest = PLAN_HIGHEST_PHYS,
		.kind = kind,
	};
	*plan_append(plan->maps, plan->map_count) = (struct plan_map){
		.virt = virt,
		.block = block,
		.flags = MAP_READ | MAP_WRITE | MAP_EXECUTE,
		.length = size,
	};
	return block;
}

static int place_areas(struct planner *p, struct error *err)
{
	struct plan *plan = p->plan;

	if (choose_addresses(p, err) != 0 || check_areas(p, err) != 0)
		return -1;
	if (p->physmap != 0) {
		plan->physmap_virt = p->physmap;
		plan->physmap_max = physmap_room(p);
	}
	plan->info_virt = p->boot_info;
	plan->info_block = add_block(plan, p->boot_info, PAGE_SIZE, INFO_KIND_BOOT_INFO);
	plan_clear(plan, plan->info_block, 0, PAGE_SIZE);
	add_block(plan, p->guard + PAGE_SIZE, plan->stack_size, INFO_KIND_STACK);
	plan->stack_top = p->guard + PAGE_SIZE + plan->stack_size;
	qsort(plan->maps, plan->map_count, sizeof(plan->maps[0]), compare_maps);
	return 0;
}

/* ---- What is refused ------------------------------------------------------ */

/* What this protocol has no words for is not passed over in silence. */
static int check_options(const struct planner *p, struct error *err)
{
	const struct plan_options *options = p->options;

	if (options->cmdline[0] != '\0')
		return error_set(err, ERROR_USAGE, 0,
				 "'%s': --cmdline cannot be handed over: the bootloader crate has no command line",
				 p->name);
	if (options->module_count > 0)
		return error_set(err, ERROR_USAGE, 0,
				 "'%s': --module cannot be handed over: the bootloader crate 0.9 has no modules",
				 p->name);
	if (options->video != NULL && (options->video->mode != VIDEO_TELL || has(p, CRATE_VGA_320X200))) {
		error_set(err, ERROR_USAGE, 0,
			  "'%s': the screen of a bootloader-0.9 kernel is 80x25 characters or, with --features vga_320x200, 320x200 pixels",
			  p->name);
		return error_hint(err, "leave --video out");
	}
	if (options->crate.physical_memory_offset != 0 && !has(p, CRATE_MAP_PHYSICAL_MEMORY)) {
		error_set(err, ERROR_USAGE, 0,
			  "'%s': --physical-memory-offset has no effect without the feature map_physical_memory",
			  p->name);
		return error_hint(err, "add it to --features, or leave the offset out");
	}
	if (options->crate.physical_memory_offset % LARGE_PAGE != 0) {
		uint64_t below = align_down(options->crate.physical_memory_offset, LARGE_PAGE);

		error_set(err, ERROR_USAGE, 0,
			  "'%s': --physical-memory-offset 0x%" PRIx64 " is not a multiple of 0x200000 (2 MiB), the size of the pages there",
			  p->name, options->crate.physical_memory_offset);
		return error_hint(err, "for example 0x%" PRIx64, below != 0 ? below : LARGE_PAGE);
	}
	return 0;
}

static int check_tls(const struct planner *p, const struct kernel *kernel, struct error *err)
{
	const struct kernel_tls *tls = &kernel->tls;

	if (tls->count > 1)
		return error_set(err, ERROR_INPUT, 0,
				 "'%s' has %u templates for thread-local data (PT_TLS); BootInfo has room for one",
				 p->name, tls->count);
	if (tls->filesz > tls->memsz)
		return error_set(err, ERROR_INPUT, 0,
				 "'%s': the thread-local data (PT_TLS) has more bytes in the file than in memory", p->name);
	if (tls->filesz == 0)
		return 0;
	for (size_t i = 0; i < kernel->segment_count; i++) {
		const struct segment *segment = &kernel->segments[i];

		if (tls->vaddr >= segment->vaddr && tls->vaddr - segment->vaddr < segment->memsz &&
		    tls->filesz <= segment->memsz - (tls->vaddr - segment->vaddr))
			return 0;
	}
	return error_set(err, ERROR_INPUT, 0, "'%s': the thread-local data (PT_TLS, 0x%" PRIx64 ") lies in no segment",
			 p->name, tls->vaddr);
}

/* ---- What the kernel is told ----------------------------------------------- */

/* struct BootInfo, with an empty memory map. */
static void make_info(const struct planner *p, const struct kernel_tls *tls)
{
	struct plan *plan = p->plan;
	uint32_t at;

	plan_info(plan, NULL, BL09_OFF_FEATURES, 8);
	for (uint32_t i = 0; i < BL09_REGIONS; i++)
		plan_put32(plan, BL09_OFF_REGIONS + i * BL09_REGION_SIZE + BL09_REGION_TYPE, BL09_EMPTY);
	if (plan->recursive != 0) {
		/* Where all four levels go through that entry is the table itself. */
		uint64_t slot = plan->recursive;

		at = plan_info(plan, NULL, 8, 8);
		plan_put64(plan, at, longmode_slot(plan->recursive) | slot << 30 | slot << 21 | slot << 12);
	}
	if (plan->physmap_max != 0) {
		at = plan_info(plan, NULL, 8, 8);
		plan_put64(plan, at, plan->physmap_virt);
	}
	at = plan_info(plan, NULL, 4 * 8, 8);	/* the last one is _non_exhaustive and what fills it up */
	if (tls->memsz != 0) {
		plan_put64(plan, at, tls->vaddr + plan->slide);
		plan_put64(plan, at + 8, tls->filesz);
		plan_put64(plan, at + 16, tls->memsz);
	}
	plan_info_cmdline(plan, "");
}

/* ---- All together ---------------------------------------------------------- */

static int make_plan(struct planner *p, const struct kernel *kernel, struct error *err)
{
	struct plan *plan = p->plan;
	uint64_t stack = p->options->stack_size;

	plan->protocol = BT_PROTOCOL_BOOTLOADER_09;
	plan->stack_size = stack != 0 ? align_up(stack, PAGE_SIZE) : (uint64_t)DEFAULT_STACK_PAGES * PAGE_SIZE;
	plan->sse = has(p, CRATE_SSE);
	plan->video = (struct plan_video){ .mode = VIDEO_BIOS,
					   .width = has(p, CRATE_VGA_320X200) ? MODE_320X200 : MODE_TEXT };
	if (check_options(p, err) != 0 || check_tls(p, kernel, err) != 0 || place_areas(p, err) != 0)
		return -1;
	make_info(p, &kernel->tls);
	return 0;
}

int bootloader09_plan(const struct kernel *kernel, const struct plan_options *options, const char *name,
		      struct plan *plan, struct error *err)
{
	struct planner p = { .options = options, .name = name, .plan = plan };

	if (longmode_plan(kernel, options, name, plan, err) != 0)
		return -1;
	int status = make_plan(&p, kernel, err);
	free(p.areas);
	if (status != 0) {
		plan_free(plan);
		return -1;
	}
	return longmode_finish(plan, name, err);
}

/* Later kernels tell the crate what they want in a section of their own,
 * and get another BootInfo. */
int bootloader09_detect(const struct kernel *kernel, const char *name, struct protocol_reason *why,
			struct error *err)
{
	if (kernel->has_bootloader_config) {
		error_set(err, ERROR_INPUT, 0,
			  "'%s' is a kernel of the bootloader crate 0.10 or 0.11 (it has a section .bootloader-config), whose protocol is not supported yet",
			  name);
		return error_hint(err, "boot it from an image that its crate makes (mkbootimg run IMAGE), use bootloader 0.9, or name another --protocol");
	}
	return longmode_fits(kernel, why);
}
