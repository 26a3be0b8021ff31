/* SPDX-License-Identifier: MIT
 *
 * bootloader09_plan(): the address space and BootInfo of kernels of the Rust crate
 * bootloader 0.9.  Each plan that is made here is proved by check_plan(), which
 * knows the rules only from the manual; the tests of single cases look at numbers
 * that kernels rely on, and at what is refused.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bootabi.h"
#include "config/crate.h"
#include "kernel_maker.h"
#include "plan_check.h"
#include "protocol/protocol.h"
#include "unit.h"

#define NAME "k.elf"
#define KIB UINT64_C(0x400)
#define MIB UINT64_C(0x100000)
#define GIB UINT64_C(0x40000000)
#define PAGE ((uint64_t)PAGE_SIZE)
#define LARGE (2 * MIB)
#define SLOT (512 * GIB)
#define HIGH UINT64_C(0xffffffff80000000)
#define HALF UINT64_C(0x800000000000)		/* end of the lower half */
#define UPPER UINT64_C(0xffff800000000000)	/* start of the upper one */

#define MAP CRATE_MAP_PHYSICAL_MEMORY
#define RECURSIVE CRATE_RECURSIVE_PAGE_TABLE
#define SSE CRATE_SSE
#define VGA CRATE_VGA_320X200
#define STACK (512 * PAGE)		/* if nothing else is said */

static const struct plan_options plain = { .cmdline = "" };

/* Options of the crate's alone. */
static struct plan_options crate(struct crate_options options)
{
	return (struct plan_options){ .cmdline = "", .crate = options };
}

/* ---- What must hold of every plan ---------------------------------------- */

/* Addresses, the last one included. */
struct range {
	uint64_t first;
	uint64_t last;
};

static struct range range_of(uint64_t start, uint64_t size)
{
	return (struct range){ start, start + (size - 1) };
}

static bool overlap(struct range a, struct range b)
{
	return a.first <= b.last && b.first <= a.last;
}

/* Is it wholly in one half of the address space, and not wrapped around? */
static bool is_valid(struct range range)
{
	return range.first <= range.last && (range.last < HALF || range.first >= UPPER);
}

static struct range pages_of(const struct segment *segment)
{
	uint64_t first = segment->vaddr, last = segment->vaddr + (segment->memsz - 1);

	return (struct range){ first - first % PAGE, last - last % PAGE + (PAGE - 1) };
}

/* Where everything goes, by the rules. */
struct places {
	unsigned int free_slot;		/* the one for the recursive entry */
	uint64_t boot_info;
	uint64_t guard;
	uint64_t stack_size;
	uint64_t physmap;
};

static bool has(const struct plan_options *options, uint32_t feature)
{
	return (options->crate.features & feature) != 0;
}

/* Is no address of the slot the kernel's or configured? */
static bool is_free(unsigned int slot, const struct kernel *kernel, const struct range *configured,
		    size_t count)
{
	struct range all = range_of(kernel_slot(slot), SLOT);

	for (size_t i = 0; i < kernel->segment_count; i++) {
		if (overlap(all, pages_of(&kernel->segments[i])))
			return false;
	}
	for (size_t i = 0; i < count; i++) {
		if (overlap(all, configured[i]))
			return false;
	}
	return true;
}

/* Find the places; false if there are none. */
static bool find_places(const struct kernel *kernel, const struct plan_options *options,
			struct places *places)
{
	const struct crate_options *asked = &options->crate;
	struct range configured[3];
	uint64_t *wanted[3];
	size_t count = 0, want = 0;

	*places = (struct places){ .boot_info = asked->boot_info_address,
				   .guard = asked->stack_address,
				   .physmap = asked->physical_memory_offset,
				   .stack_size = (options->stack_size + PAGE - 1) / PAGE * PAGE };
	if (options->stack_size == 0)
		places->stack_size = STACK;
	if (places->boot_info != 0) {
		configured[count++] = range_of(places->boot_info, PAGE);
		if (places->guard == 0)
			places->guard = places->boot_info + PAGE;
	} else {
		wanted[want++] = &places->boot_info;
	}
	if (places->guard != 0)
		configured[count++] = range_of(places->guard, PAGE + places->stack_size);
	if (places->physmap != 0)
		configured[count++] = range_of(places->physmap, 4 * GIB);
	else if (has(options, MAP))
		wanted[want++] = &places->physmap;
	for (size_t i = 0; i < count; i++) {
		if (!is_valid(configured[i]))
			return false;
	}
	for (unsigned int slot = 1, next = 0; slot < 512 && next <= want; slot++) {
		if (!is_free(slot, kernel, configured, count))
			continue;
		if (next == 0)
			places->free_slot = slot;
		else
			*wanted[next - 1] = kernel_slot(slot);
		next++;
	}
	if (places->guard == 0 && places->boot_info != 0)
		places->guard = places->boot_info + PAGE;
	return places->free_slot != 0 && places->boot_info != 0 && places->guard != 0 &&
	       (places->physmap != 0) == has(options, MAP);
}

#define MOST_RANGES (BT_MAX_BLOCKS + 10)

/* All that takes addresses but the kernel. */
static size_t own_ranges(const struct plan_options *options, const struct places *places,
			 struct range *ranges)
{
	size_t count = 0;

	ranges[count++] = range_of(0, 0xc0000);
	ranges[count++] = range_of(places->boot_info, PAGE);
	ranges[count++] = range_of(places->guard, PAGE + places->stack_size);
	if (has(options, RECURSIVE))
		ranges[count++] = range_of(kernel_slot(places->free_slot), SLOT);
	if (has(options, MAP))
		ranges[count++] = range_of(places->physmap, 4 * GIB);
	return count;
}

/* Do these places clash with each other, or with the kernel? */
static bool clash(const struct kernel *kernel, const struct plan_options *options,
		  const struct places *places)
{
	struct range ranges[10];
	size_t count = own_ranges(options, places, ranges);

	for (size_t i = 0; i < count; i++) {
		if (!is_valid(ranges[i]))
			return true;
		for (size_t k = 0; k < i; k++) {
			if (overlap(ranges[i], ranges[k]))
				return true;
		}
		for (size_t k = 0; k < kernel->segment_count; k++) {
			if (overlap(ranges[i], pages_of(&kernel->segments[k])))
				return true;
		}
	}
	return false;
}

/* The map of physical memory reaches to what lies next, and not into it. */
static void check_physmap(const struct kernel *kernel, const struct plan_options *options,
			  const struct plan *plan, const struct places *places)
{
	if (!has(options, MAP)) {
		assert_int_equal(plan->physmap_virt, 0);
		assert_int_equal(plan->physmap_max, 0);
		return;
	}
	struct range ranges[10], all = range_of(plan->physmap_virt, plan->physmap_max);
	struct range next = range_of(plan->physmap_virt + plan->physmap_max, LARGE);
	size_t count = own_ranges(options, places, ranges) - 1;	/* the last one is the map itself */
	bool ends = !is_valid((struct range){ all.first, next.last });

	assert_int_equal(plan->physmap_virt, places->physmap);
	assert_true(plan->physmap_max >= 4 * GIB && plan->physmap_max % LARGE == 0);
	assert_true(is_valid(all));
	for (size_t i = 0; i < count; i++) {
		assert_false(overlap(all, ranges[i]));
		ends |= overlap(next, ranges[i]);
	}
	for (size_t i = 0; i < kernel->segment_count; i++) {
		assert_false(overlap(all, pages_of(&kernel->segments[i])));
		ends |= overlap(next, pages_of(&kernel->segments[i]));
	}
	CHECK(ends, "the physical map could be larger than 0x%llx", (unsigned long long)plan->physmap_max);
}

/* A block that is mapped in one piece: at its start, writable and executable. */
static void check_own_block(const struct plan *plan, uint32_t index, uint32_t kind, uint64_t virt,
			    uint64_t size)
{
	const struct plan_block *block = &plan->blocks[index];
	size_t found = 0;

	assert_int_equal(block->kind, kind);
	assert_int_equal(block->phys, BLOCK_ANYWHERE);
	assert_int_equal(block->size, size);
	assert_int_equal(block->align, PAGE);
	for (size_t i = 0; i < plan->map_count; i++) {
		const struct plan_map *map = &plan->maps[i];

		if (map->block != index)
			continue;
		assert_int_equal(map->virt, virt);
		assert_int_equal(map->offset, 0);
		assert_int_equal(map->length, size);
		assert_int_equal(map->flags, RWX);
		found++;
	}
	CHECK(found == 1, "block %u has %zu maps", index, found);
}

/* BootInfo as the crate lays it out, in numbers. */
static void check_info(const struct kernel *kernel, const struct plan_options *options,
		       const struct plan *plan, const struct places *places)
{
	const struct kernel_tls none = { 0 }, *tls = kernel->tls.memsz != 0 ? &kernel->tls : &none;
	uint64_t slot = places->free_slot;
	size_t at = 1544;

	for (size_t i = 0; i < 64; i++)
		CHECK(plan_info_word(plan, 24 * i, 8) == 0 && plan_info_word(plan, 24 * i + 8, 8) == 0 &&
			      plan_info_word(plan, 24 * i + 16, 4) == 11 &&
			      plan_info_word(plan, 24 * i + 20, 4) == 0,
		      "region %zu is not an empty one", i);
	assert_int_equal(plan_info_word(plan, 1536, 8), 0);
	if (has(options, RECURSIVE)) {
		assert_int_equal(plan_info_word(plan, at, 8), kernel_slot(places->free_slot) +
								      slot * GIB + slot * LARGE + slot * PAGE);
		at += 8;
	}
	if (has(options, MAP)) {
		assert_int_equal(plan_info_word(plan, at, 8), places->physmap);
		at += 8;
	}
	assert_int_equal(plan_info_word(plan, at, 8), tls->vaddr);
	assert_int_equal(plan_info_word(plan, at + 8, 8), tls->filesz);
	assert_int_equal(plan_info_word(plan, at + 16, 8), tls->memsz);
	assert_int_equal(plan_info_word(plan, at + 24, 8), 0);
	/* Behind it the command line, which the boot table cannot do without. */
	assert_int_equal(plan->info_size, at + 33);
	assert_int_equal(plan->cmdline_offset, at + 32);
	assert_int_equal(plan->info[at + 32], '\0');
	assert_string_equal(plan->cmdline, "");
	assert_int_equal(plan->fixup_count, 0);
}

/* The plan is one for this kernel, whose addresses are those where it is to run. */
static void check_plan(const struct kernel *kernel, const struct plan_options *options,
		       const struct plan *plan)
{
	struct places places;
	uint64_t memory = plan->table_pages * PAGE;

	assert_true(plan->block_count > 2);
	uint32_t stack = (uint32_t)plan->block_count - 1, info = stack - 1;
	plan_check_kernel(kernel, plan, info);

	assert_true(find_places(kernel, options, &places));
	assert_false(clash(kernel, options, &places));
	check_own_block(plan, info, INFO_KIND_BOOT_INFO, places.boot_info, PAGE);
	check_own_block(plan, stack, INFO_KIND_STACK, places.guard + PAGE, places.stack_size);
	check_physmap(kernel, options, plan, &places);
	check_info(kernel, options, plan, &places);

	assert_int_equal(plan->protocol, BT_PROTOCOL_BOOTLOADER_09);
	assert_int_equal(plan->info_block, info);
	assert_int_equal(plan->info_virt, places.boot_info);
	assert_int_equal(plan->stack_size, places.stack_size);
	/* 0 at the end of the address space. */
	assert_int_equal(plan->stack_top, places.guard + PAGE + places.stack_size);
	assert_int_equal(plan->recursive, has(options, RECURSIVE) ? places.free_slot : 0);
	assert_true(plan->sse == has(options, SSE));
	assert_int_equal(plan->video.mode, VIDEO_BIOS);
	assert_int_equal(plan->video.width, has(options, VGA) ? 0x13 : 3);
	assert_int_equal(plan->video.height, 0);
	assert_int_equal(plan->video.depth, 0);
	assert_int_equal(plan->handoff_virt, 0);
	assert_true(plan_has_stack(plan));
	for (size_t i = 0; i < plan->block_count; i++)
		memory += plan->blocks[i].size;
	assert_int_equal(plan_memory(plan), memory);
}

/* ---- Plans, and refusals -------------------------------------------------- */

static struct plan plan_kernel(const struct kernel *kernel, const struct plan_options *options)
{
	struct error err = { 0 };
	struct plan plan;

	assert_accepted(bootloader09_plan(kernel, options, NAME, &plan, &err), &err, "plan");
	check_plan(kernel, options, &plan);
	return plan;
}

/* A kernel of one page. */
static struct plan plan_at(uint64_t virt, const struct plan_options *options)
{
	struct segment segments[] = { SEGMENT(virt, 0, 0x100, PAGE, RX) };
	struct kernel kernel = kernel_make(segments, COUNT(segments));

	return plan_kernel(&kernel, options);
}

static void accept_at(uint64_t virt, const struct plan_options *options)
{
	struct plan plan = plan_at(virt, options);

	plan_free(&plan);
}

static void refuse_kernel(const struct kernel *kernel, const struct plan_options *options,
			  enum error_class class, const char *text, const char *hint)
{
	struct error err = { 0 };
	struct plan plan;
	int result = bootloader09_plan(kernel, options, NAME, &plan, &err);

	assert_refused(result, &err, class, text, text);
	assert_string_equal(err.text, text);
	assert_string_equal(err.hint, hint);
	/* Nothing to free. */
	assert_null(plan.blocks);
	assert_null(plan.maps);
	assert_null(plan.info);
	assert_null(plan.cmdline);
}

static void refuse_at(uint64_t virt, const struct plan_options *options, enum error_class class,
		      const char *text, const char *hint)
{
	struct segment segments[] = { SEGMENT(virt, 0, 0x100, PAGE, RX) };
	struct kernel kernel = kernel_make(segments, COUNT(segments));

	refuse_kernel(&kernel, options, class, text, hint);
}

/* ---- Where things go by default --------------------------------------------- */

static void check_defaults(struct segment *segments, size_t count, uint64_t recursive,
			   uint64_t boot_info, uint64_t physmap)
{
	const struct plan_options asked = crate((struct crate_options){ .features = MAP | RECURSIVE });
	struct kernel kernel = kernel_make(segments, count);
	struct plan plan = plan_kernel(&kernel, &asked);

	assert_int_equal(plan_info_word(&plan, 1544, 8), recursive);
	assert_int_equal(plan.info_virt, boot_info);
	assert_int_equal(plan.stack_top, boot_info + 0x202000);
	assert_int_equal(plan.stack_size, 0x200000);
	assert_int_equal(plan.physmap_virt, physmap);
	plan_free(&plan);
}

/* Kernels in slot 0 and in the last ones leave the same ones free. */
TEST(usual_places)
{
	static const uint64_t addresses[] = {
		0x200000, 0x100000, 0x400000, 0xc0000000, 0x7ffffff000, HIGH, HIGH + LARGE, UPPER,
		0xffffffffcafeb000, UINT64_MAX - (PAGE - 1),
	};

	for (size_t i = 0; i < COUNT(addresses); i++) {
		struct segment segments[] = { SEGMENT(addresses[i], 0, 0x100, PAGE, RX) };

		check_defaults(segments, 1, 0x0000008040201000, 0x10000000000, 0x18000000000);
	}
}

/* The lowest that are free, wherever the holes are. */
TEST(kernels_in_the_way)
{
	static struct segment segments[512];
	struct segment holes[] = {
		SEGMENT(kernel_slot(1) + 5 * GIB, 0, 0, 1, RX),
		SEGMENT(kernel_slot(3), 0, 0, 1, RX),
		SEGMENT(kernel_slot(5), 0, 0, 1, RX),
	};
	struct segment across[] = { SEGMENT(kernel_slot(2) - PAGE, 0, 0, 2 * PAGE, RX) };
	struct segment up_to[] = { SEGMENT(kernel_slot(2) - PAGE, 0, 0, PAGE, RX) };

	check_defaults(segments, kernel_fill_slots(segments, 1, 1), 0x0000010080402000, 0x18000000000,
		       0x20000000000);
	check_defaults(segments, kernel_fill_slots(segments, 2, 2), 0x0000008040201000, 0x18000000000,
		       0x20000000000);
	check_defaults(segments, kernel_fill_slots(segments, 1, 3), 0x0000020100804000, 0x28000000000,
		       0x30000000000);
	check_defaults(holes, COUNT(holes), 0x0000010080402000, 0x20000000000, 0x30000000000);
	check_defaults(across, COUNT(across), 0x00000180c0603000, 0x20000000000, 0x28000000000);
	check_defaults(up_to, COUNT(up_to), 0x0000010080402000, 0x18000000000, 0x20000000000);
	/* On into the upper half, whose addresses are sign-extended. */
	check_defaults(segments, kernel_fill_slots(segments, 1, 254), 0x00007fbfdfeff000, UPPER,
		       0xffff808000000000);
	check_defaults(segments, kernel_fill_slots(segments, 1, 255), 0xffff804020100000,
		       0xffff808000000000, 0xffff810000000000);
	/* Up to the last one. */
	check_defaults(segments, kernel_fill_slots(segments, 1, 508), 0xfffffeff7fbfd000,
		       0xffffff0000000000, 0xffffff8000000000);
}

/* It is left out whether it is asked for or not, so that features move nothing. */
TEST(features_do_not_move_things)
{
	for (uint32_t features = 0; features < 16; features++) {
		const struct plan_options asked = crate((struct crate_options){ .features = features });
		struct plan plan = plan_at(LARGE, &asked);

		assert_int_equal(plan.info_virt, 0x10000000000);
		assert_int_equal(plan.stack_top, 0x10000202000);
		assert_int_equal(plan.recursive, features & RECURSIVE ? 1 : 0);
		assert_int_equal(plan.physmap_virt, features & MAP ? 0x18000000000 : 0);
		assert_int_equal(plan.map_count, 3);
		plan_free(&plan);
	}
}

#define SCATTERED "'k.elf' is scattered over the whole address space: no room for the stack and the physical map"

TEST(refuses_full_address_space)
{
	static struct segment segments[512];
	const struct plan_options map = crate((struct crate_options){ .features = MAP });
	const struct plan_options both = crate((struct crate_options){
		.boot_info_address = kernel_slot(300) + PAGE, .stack_address = kernel_slot(301) + PAGE });
	struct kernel kernel = kernel_make(segments, kernel_fill_slots(segments, 1, 511));

	refuse_kernel(&kernel, &plain, ERROR_INPUT, SCATTERED, "");
	refuse_kernel(&kernel, &both, ERROR_INPUT, SCATTERED, "");
	/* Two are enough for those without a physical map, one for BootInfo and stack
	 * where something else lies already. */
	kernel = kernel_make(segments, kernel_fill_slots(segments, 2, 511));
	refuse_kernel(&kernel, &plain, ERROR_INPUT, SCATTERED, "");
	struct plan plan = plan_kernel(&kernel, &both);
	plan_free(&plan);
	kernel = kernel_make(segments, kernel_fill_slots(segments, 3, 511));
	refuse_kernel(&kernel, &map, ERROR_INPUT, SCATTERED, "");
	plan = plan_kernel(&kernel, &plain);
	plan_free(&plan);
	kernel = kernel_make(segments, kernel_fill_slots(segments, 4, 511));
	plan = plan_kernel(&kernel, &map);
	assert_int_equal(plan.physmap_max, SLOT);
	plan_free(&plan);
}

/* ---- Where they are configured to go ---------------------------------------- */

TEST(addresses_that_are_given)
{
	static const struct {
		struct crate_options asked;
		uint64_t boot_info;
		uint64_t guard;
		uint64_t physmap;
	} cases[] = {
		/* The stack follows BootInfo, and both leave their slots to themselves. */
		{ { .features = MAP, .boot_info_address = 0x300000 }, 0x300000, 0x301000, 0x10000000000 },
		{ { .features = MAP, .boot_info_address = 0x8000000000 }, 0x8000000000, 0x8000001000,
		  0x18000000000 },
		{ { .features = MAP, .boot_info_address = 0xffffc00000000000 }, 0xffffc00000000000,
		  0xffffc00000001000, 0x10000000000 },
		{ { .features = MAP, .stack_address = 0x300000 }, 0x10000000000, 0x300000, 0x18000000000 },
		{ { .features = MAP, .stack_address = 0x10000000000 }, 0x18000000000, 0x10000000000,
		  0x20000000000 },
		{ { .features = MAP, .physical_memory_offset = 0x8000000000 }, 0x18000000000,
		  0x18000001000, 0x8000000000 },
		{ { .features = MAP, .physical_memory_offset = 0xffff800000000000 }, 0x10000000000,
		  0x10000001000, 0xffff800000000000 },
		{ { .features = MAP, .physical_memory_offset = 0x40000000, .stack_address = 0x300000,
		    .boot_info_address = 0x30000000 }, 0x30000000, 0x300000, 0x40000000 },
		/* A stack below BootInfo, and one that ends where that begins. */
		{ { .boot_info_address = 0x10000000, .stack_address = 0x5000000 }, 0x10000000, 0x5000000, 0 },
		{ { .boot_info_address = 0x5201000, .stack_address = 0x5000000 }, 0x5201000, 0x5000000, 0 },
		/* Across the border of two slots: both are taken. */
		{ { .features = MAP | RECURSIVE, .stack_address = 0xfffff00000 }, 0x20000000000,
		  0xfffff00000, 0x28000000000 },
		{ { .features = MAP | RECURSIVE, .boot_info_address = 0xfffff00000 }, 0xfffff00000,
		  0xfffff01000, 0x20000000000 },
		/* BootInfo in the last page of a slot: the stack begins in the next one. */
		{ { .features = MAP | RECURSIVE, .boot_info_address = 0xfffffff000 }, 0xfffffff000,
		  0x10000000000, 0x20000000000 },
		{ { .features = MAP | RECURSIVE, .physical_memory_offset = 0xff80000000 }, 0x20000000000,
		  0x20000001000, 0xff80000000 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct plan_options asked = crate(cases[i].asked);
		struct plan plan = plan_at(LARGE, &asked);

		CHECK(plan.info_virt == cases[i].boot_info, "case %zu: BootInfo at 0x%llx", i,
		      (unsigned long long)plan.info_virt);
		CHECK(plan.stack_top == cases[i].guard + PAGE + STACK, "case %zu: stack below 0x%llx", i,
		      (unsigned long long)plan.stack_top);
		CHECK(plan.physmap_virt == cases[i].physmap, "case %zu: physical map at 0x%llx", i,
		      (unsigned long long)plan.physmap_virt);
		plan_free(&plan);
	}
}

/* Each right beside the next; the guard page belongs to the stack. */
TEST(areas_that_touch)
{
	static const struct crate_options cases[] = {
		/* The kernel is at 16 MiB. */
		{ .boot_info_address = 16 * MIB - PAGE, .stack_address = 32 * MIB },
		{ .boot_info_address = 16 * MIB + PAGE },
		{ .stack_address = 16 * MIB + PAGE },
		{ .stack_address = 16 * MIB - PAGE - STACK },
		{ .boot_info_address = 16 * MIB - 2 * PAGE - STACK },
		{ .boot_info_address = 32 * MIB, .stack_address = 32 * MIB - PAGE - STACK },
		{ .boot_info_address = 0xc0000, .stack_address = 32 * MIB },
		{ .boot_info_address = 0xc0000 },
		{ .stack_address = 0xc0000 },
		{ .features = MAP, .physical_memory_offset = LARGE * 9 },
		{ .features = MAP, .physical_memory_offset = GIB, .boot_info_address = 5 * GIB },
		{ .features = MAP, .physical_memory_offset = GIB, .boot_info_address = GIB - PAGE,
		  .stack_address = 5 * GIB },
		{ .features = MAP, .physical_memory_offset = GIB, .stack_address = GIB - PAGE - STACK },
		{ .features = MAP, .physical_memory_offset = GIB, .stack_address = 5 * GIB },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct plan_options asked = crate(cases[i]);

		accept_at(16 * MIB, &asked);
	}
}

/* The first and the last addresses that there are, in either half. */
TEST(areas_at_the_borders_of_the_address_space)
{
	static const struct crate_options cases[] = {
		{ .boot_info_address = HALF - PAGE, .stack_address = GIB },
		{ .boot_info_address = UPPER },
		{ .boot_info_address = 0 - PAGE, .stack_address = GIB },
		{ .stack_address = HALF - PAGE - STACK },
		{ .boot_info_address = HALF - 2 * PAGE - STACK },
		{ .stack_address = UPPER },
		{ .features = MAP, .physical_memory_offset = HALF - 4 * GIB },
		{ .features = MAP, .physical_memory_offset = UPPER },
		{ .features = MAP, .physical_memory_offset = 0 - 4 * GIB },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct plan_options asked = crate(cases[i]);

		accept_at(LARGE, &asked);
	}
}

TEST(stack_up_to_the_end_of_the_address_space)
{
	static const uint64_t sizes[] = { PAGE, STACK, 256 * MIB };

	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct plan_options asked = { .cmdline = "", .stack_size = sizes[i] };

		asked.crate.stack_address = 0 - PAGE - sizes[i];
		struct plan plan = plan_at(LARGE, &asked);
		assert_int_equal(plan.stack_top, 0);
		assert_int_equal(plan.maps[plan.map_count - 1].virt, 0 - sizes[i]);
		plan_free(&plan);

		/* It follows BootInfo there. */
		asked.crate = (struct crate_options){ .boot_info_address = 0 - 2 * PAGE - sizes[i] };
		plan = plan_at(LARGE, &asked);
		assert_int_equal(plan.stack_top, 0);
		plan_free(&plan);
	}
}

#define BELOW_HALF " below 0x800000000000 or from 0xffff800000000000 up"

TEST(refuses_addresses_that_are_not_canonical)
{
	static const struct {
		struct crate_options asked;
		const char *text;
		const char *hint;
	} cases[] = {
		{ { .boot_info_address = HALF },
		  "'k.elf': BootInfo (0x800000000000, 4 KiB) is not at canonical addresses",
		  "choose a --boot-info-address" BELOW_HALF },
		{ { .boot_info_address = UPPER - PAGE, .stack_address = GIB },
		  "'k.elf': BootInfo (0xffff7ffffffff000, 4 KiB) is not at canonical addresses",
		  "choose a --boot-info-address" BELOW_HALF },
		{ { .boot_info_address = 0x1000000000000 },
		  "'k.elf': BootInfo (0x1000000000000, 4 KiB) is not at canonical addresses",
		  "choose a --boot-info-address" BELOW_HALF },
		{ { .stack_address = HALF },
		  "'k.elf': the stack with its guard page (0x800000000000, 2052 KiB) is not at canonical addresses",
		  "choose a --kernel-stack-address" BELOW_HALF },
		/* One page too far; the guard page alone; through the hole. */
		{ { .stack_address = HALF - STACK },
		  "'k.elf': the stack with its guard page (0x7fffffe00000, 2052 KiB) is not at canonical addresses",
		  "choose a --kernel-stack-address" BELOW_HALF },
		{ { .stack_address = UPPER - PAGE },
		  "'k.elf': the stack with its guard page (0xffff7ffffffff000, 2052 KiB) is not at canonical addresses",
		  "choose a --kernel-stack-address" BELOW_HALF },
		/* It follows BootInfo, which is right. */
		{ { .boot_info_address = HALF - PAGE },
		  "'k.elf': the stack with its guard page (0x800000000000, 2052 KiB) is not at canonical addresses",
		  "choose a --kernel-stack-address" BELOW_HALF },
		{ { .features = MAP, .physical_memory_offset = HALF - 4 * GIB + LARGE },
		  "'k.elf': the map of physical memory (0x7fff00200000, 4194304 KiB) is not at canonical addresses",
		  "choose a --physical-memory-offset" BELOW_HALF },
		{ { .features = MAP, .physical_memory_offset = UPPER - 4 * GIB },
		  "'k.elf': the map of physical memory (0xffff7fff00000000, 4194304 KiB) is not at canonical addresses",
		  "choose a --physical-memory-offset" BELOW_HALF },
		{ { .features = MAP, .physical_memory_offset = 0x4000000000000000 },
		  "'k.elf': the map of physical memory (0x4000000000000000, 4194304 KiB) is not at canonical addresses",
		  "choose a --physical-memory-offset" BELOW_HALF },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct plan_options asked = crate(cases[i].asked);

		refuse_at(LARGE, &asked, ERROR_USAGE, cases[i].text, cases[i].hint);
	}
}

TEST(refuses_addresses_that_wrap_around)
{
	static const struct {
		struct crate_options asked;
		const char *text;
		const char *hint;
	} cases[] = {
		{ { .stack_address = 0 - STACK },
		  "'k.elf': the stack with its guard page (0xffffffffffe00000, 2052 KiB) wraps around the end of the address space",
		  "choose a lower --kernel-stack-address" },
		{ { .stack_address = 0 - PAGE },
		  "'k.elf': the stack with its guard page (0xfffffffffffff000, 2052 KiB) wraps around the end of the address space",
		  "choose a lower --kernel-stack-address" },
		{ { .boot_info_address = 0 - 2 * PAGE },
		  "'k.elf': the stack with its guard page (0xfffffffffffff000, 2052 KiB) wraps around the end of the address space",
		  "choose a lower --kernel-stack-address" },
		/* From 0 on it does not wrap any more. */
		{ { .boot_info_address = 0 - PAGE },
		  "'k.elf': the stack with its guard page (0x0-0x200fff) and low memory, which is mapped one to one, (0x0-0xbffff) overlap",
		  "move one of them with --kernel-stack-address" },
		{ { .features = MAP, .physical_memory_offset = 0 - 4 * GIB + LARGE },
		  "'k.elf': the map of physical memory (0xffffffff00200000, 4194304 KiB) wraps around the end of the address space",
		  "choose a lower --physical-memory-offset" },
		{ { .features = MAP, .physical_memory_offset = 0 - LARGE },
		  "'k.elf': the map of physical memory (0xffffffffffe00000, 4194304 KiB) wraps around the end of the address space",
		  "choose a lower --physical-memory-offset" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct plan_options asked = crate(cases[i].asked);

		refuse_at(32 * MIB, &asked, ERROR_USAGE, cases[i].text, cases[i].hint);
	}
}

#define PHYSMAP "--physical-memory-offset"
#define BOOT_INFO "--boot-info-address"
#define STACK_OPTION "--kernel-stack-address"

/* Each pair that can clash, by one page at either side; the kernel is at 16 MiB. */
TEST(refuses_overlaps)
{
	static const struct {
		struct crate_options asked;
		const char *pair;
		const char *option;
	} cases[] = {
		{ { .features = MAP, .physical_memory_offset = GIB, .boot_info_address = GIB },
		  "the map of physical memory (0x40000000-0x13fffffff) and BootInfo (0x40000000-0x40000fff)",
		  PHYSMAP },
		{ { .features = MAP, .physical_memory_offset = GIB, .boot_info_address = 5 * GIB - PAGE },
		  "the map of physical memory (0x40000000-0x13fffffff) and BootInfo (0x13ffff000-0x13fffffff)",
		  PHYSMAP },
		{ { .features = MAP, .physical_memory_offset = GIB, .stack_address = GIB - STACK },
		  "the map of physical memory (0x40000000-0x13fffffff) and the stack with its guard page (0x3fe00000-0x40000fff)",
		  PHYSMAP },
		{ { .features = MAP, .physical_memory_offset = GIB, .stack_address = 5 * GIB - PAGE },
		  "the map of physical memory (0x40000000-0x13fffffff) and the stack with its guard page (0x13ffff000-0x1401fffff)",
		  PHYSMAP },
		{ { .features = MAP, .physical_memory_offset = LARGE },
		  "the map of physical memory (0x200000-0x1001fffff) and the kernel (0x1000000-0x1000fff)",
		  PHYSMAP },
		{ { .features = MAP, .physical_memory_offset = 16 * MIB },
		  "the map of physical memory (0x1000000-0x100ffffff) and the kernel (0x1000000-0x1000fff)",
		  PHYSMAP },
		{ { .boot_info_address = GIB, .stack_address = GIB },
		  "BootInfo (0x40000000-0x40000fff) and the stack with its guard page (0x40000000-0x40200fff)",
		  BOOT_INFO },
		{ { .boot_info_address = GIB, .stack_address = GIB - STACK },
		  "BootInfo (0x40000000-0x40000fff) and the stack with its guard page (0x3fe00000-0x40000fff)",
		  BOOT_INFO },
		{ { .boot_info_address = PAGE },
		  "BootInfo (0x1000-0x1fff) and low memory, which is mapped one to one, (0x0-0xbffff)",
		  BOOT_INFO },
		{ { .boot_info_address = 0xbf000, .stack_address = GIB },
		  "BootInfo (0xbf000-0xbffff) and low memory, which is mapped one to one, (0x0-0xbffff)",
		  BOOT_INFO },
		{ { .boot_info_address = 16 * MIB },
		  "BootInfo (0x1000000-0x1000fff) and the kernel (0x1000000-0x1000fff)", BOOT_INFO },
		/* A guard page that is mapped is none. */
		{ { .stack_address = 0xbf000 },
		  "the stack with its guard page (0xbf000-0x2bffff) and low memory, which is mapped one to one, (0x0-0xbffff)",
		  STACK_OPTION },
		{ { .stack_address = 16 * MIB },
		  "the stack with its guard page (0x1000000-0x1200fff) and the kernel (0x1000000-0x1000fff)",
		  STACK_OPTION },
		{ { .stack_address = 16 * MIB - STACK },
		  "the stack with its guard page (0xe00000-0x1000fff) and the kernel (0x1000000-0x1000fff)",
		  STACK_OPTION },
		/* The one that follows BootInfo. */
		{ { .boot_info_address = 16 * MIB - PAGE },
		  "the stack with its guard page (0x1000000-0x1200fff) and the kernel (0x1000000-0x1000fff)",
		  STACK_OPTION },
	};
	char text[300], hint[100];

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct plan_options asked = crate(cases[i].asked);

		snprintf(text, sizeof(text), "'k.elf': %s overlap", cases[i].pair);
		snprintf(hint, sizeof(hint), "move one of them with %s", cases[i].option);
		refuse_at(16 * MIB, &asked, ERROR_USAGE, text, hint);
	}
}

/* No option helps: it is the kernel's fault. */
TEST(refuses_kernels_in_low_memory)
{
	struct segment parts[] = {
		SEGMENT(0x8000, 0x8000, 0x100, PAGE, RX), SEGMENT(LARGE, LARGE, 0x100, PAGE, RX),
	};
	struct kernel kernel = kernel_make(parts, COUNT(parts));

	refuse_at(PAGE, &plain, ERROR_INPUT,
		  "'k.elf': low memory, which is mapped one to one, (0x0-0xbffff) and the kernel (0x1000-0x1fff) overlap",
		  "link the kernel at 0x100000 or above");
	refuse_at(0x9f000, &plain, ERROR_INPUT,
		  "'k.elf': low memory, which is mapped one to one, (0x0-0xbffff) and the kernel (0x9f000-0x9ffff) overlap",
		  "link the kernel at 0x100000 or above");
	refuse_kernel(&kernel, &plain, ERROR_INPUT,
		      "'k.elf': low memory, which is mapped one to one, (0x0-0xbffff) and the kernel (0x8000-0x8fff) overlap",
		      "link the kernel at 0x100000 or above");
	refuse_at(0xc0000, &plain, ERROR_INPUT,
		  "'k.elf': segment 0 (0xc0000-0xc1000) covers 0xa0000-0xfffff, where a PC has video memory and firmware",
		  "link it at 0x100000 or above");
	accept_at(MIB, &plain);
}

/* ---- The physical map -------------------------------------------------------- */

TEST(physical_map_reaches_to_what_is_next)
{
	static const struct {
		uint64_t kernel;
		struct crate_options asked;
		uint64_t max;
	} cases[] = {
		/* The end of its half; the kernel; the stack; BootInfo; the recursive entry. */
		{ LARGE, { .features = MAP }, HALF - 3 * SLOT },
		{ HIGH, { .features = MAP }, HALF - 3 * SLOT },
		{ HIGH, { .features = MAP, .physical_memory_offset = UPPER }, HIGH - UPPER },
		{ LARGE, { .features = MAP, .physical_memory_offset = UPPER }, HALF },
		{ LARGE, { .features = MAP, .physical_memory_offset = 0 - 5 * GIB }, 5 * GIB },
		{ 9 * GIB + 7 * PAGE, { .features = MAP, .physical_memory_offset = GIB }, 8 * GIB },
		{ 9 * GIB - PAGE, { .features = MAP, .physical_memory_offset = GIB }, 8 * GIB - LARGE },
		{ 9 * GIB + 7 * PAGE, { .features = MAP, .physical_memory_offset = 5 * GIB }, 4 * GIB },
		{ LARGE, { .features = MAP, .physical_memory_offset = GIB }, 2 * SLOT - GIB },
		{ LARGE, { .features = MAP | RECURSIVE, .physical_memory_offset = GIB }, SLOT - GIB },
		{ LARGE, { .features = MAP, .physical_memory_offset = GIB, .stack_address = 6 * GIB },
		  5 * GIB },
		{ LARGE, { .features = MAP, .physical_memory_offset = GIB, .stack_address = 6 * GIB,
			   .boot_info_address = 6 * GIB - PAGE }, 5 * GIB - LARGE },
		/* What lies below is no matter. */
		{ LARGE, { .features = MAP, .boot_info_address = 3 * LARGE, .stack_address = 4 * LARGE },
		  HALF - 2 * SLOT },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct plan_options asked = crate(cases[i].asked);
		struct plan plan = plan_at(cases[i].kernel, &asked);

		CHECK(plan.physmap_max == cases[i].max, "case %zu: 0x%llx", i,
		      (unsigned long long)plan.physmap_max);
		plan_free(&plan);
	}
}

TEST(refuses_wrong_offsets)
{
	static const struct {
		struct crate_options asked;
		const char *text;
		const char *hint;
	} cases[] = {
		{ { .physical_memory_offset = 0x18000000000 },
		  "'k.elf': --physical-memory-offset has no effect without the feature map_physical_memory",
		  "add it to --features, or leave the offset out" },
		/* The first thing that is wrong with it. */
		{ { .has_features = true, .features = RECURSIVE | SSE | VGA, .physical_memory_offset = PAGE },
		  "'k.elf': --physical-memory-offset has no effect without the feature map_physical_memory",
		  "add it to --features, or leave the offset out" },
		{ { .features = MAP, .physical_memory_offset = 0x18000001000 },
		  "'k.elf': --physical-memory-offset 0x18000001000 is not a multiple of 0x200000 (2 MiB), the size of the pages there",
		  "for example 0x18000000000" },
		{ { .features = MAP, .physical_memory_offset = 0x180001ff000 },
		  "'k.elf': --physical-memory-offset 0x180001ff000 is not a multiple of 0x200000 (2 MiB), the size of the pages there",
		  "for example 0x18000000000" },
		/* 0 would be as wrong. */
		{ { .features = MAP, .physical_memory_offset = PAGE },
		  "'k.elf': --physical-memory-offset 0x1000 is not a multiple of 0x200000 (2 MiB), the size of the pages there",
		  "for example 0x200000" },
		{ { .features = MAP, .physical_memory_offset = 0 - PAGE },
		  "'k.elf': --physical-memory-offset 0xfffffffffffff000 is not a multiple of 0x200000 (2 MiB), the size of the pages there",
		  "for example 0xffffffffffe00000" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct plan_options asked = crate(cases[i].asked);

		refuse_at(LARGE, &asked, ERROR_USAGE, cases[i].text, cases[i].hint);
	}
}

/* ---- BootInfo ---------------------------------------------------------------- */

/* A kernel with thread-local data, all layouts: field by field, and no byte more. */
TEST(layouts_of_boot_info)
{
	static const struct {
		uint32_t features;
		size_t recursive;
		size_t physmap;
		size_t tls;
		size_t size;
	} cases[] = {
		{ 0, 0, 0, 1544, 1576 },
		{ RECURSIVE, 1544, 0, 1552, 1584 },
		{ MAP, 0, 1544, 1552, 1584 },
		{ MAP | RECURSIVE, 1544, 1552, 1560, 1592 },
		/* These are not told of. */
		{ SSE | VGA, 0, 0, 1544, 1576 },
		{ MAP | RECURSIVE | SSE | VGA, 1544, 1552, 1560, 1592 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct segment segments[] = { SEGMENT(LARGE, 0, 0x100, PAGE, RX) };
		struct kernel kernel = kernel_make(segments, COUNT(segments));
		const struct plan_options asked = crate((struct crate_options){ .features = cases[i].features });

		kernel.tls = (struct kernel_tls){ 1, LARGE + 0x80, 0x40, 0x123 };
		struct plan plan = plan_kernel(&kernel, &asked);
		if (cases[i].recursive != 0)
			assert_int_equal(plan_info_word(&plan, cases[i].recursive, 8), 0x8040201000);
		if (cases[i].physmap != 0)
			assert_int_equal(plan_info_word(&plan, cases[i].physmap, 8), 0x18000000000);
		assert_int_equal(plan_info_word(&plan, cases[i].tls, 8), LARGE + 0x80);
		assert_int_equal(plan_info_word(&plan, cases[i].tls + 8, 8), 0x40);
		assert_int_equal(plan_info_word(&plan, cases[i].tls + 16, 8), 0x123);
		assert_int_equal(plan_info_word(&plan, cases[i].size - 8, 8), 0);
		assert_int_equal(plan.info_size, cases[i].size + 1);
		plan_free(&plan);
	}
}

/* So that what the loader copies there is all there is. */
TEST(page_of_boot_info_is_cleared)
{
	struct plan plan = plan_at(LARGE, &plain);
	const struct plan_zero *zero = &plan.zeros[plan.zero_count - 1];

	assert_int_equal(zero->block, plan.info_block);
	assert_int_equal(zero->offset, 0);
	assert_int_equal(zero->length, PAGE);
	plan_free(&plan);
}

/* ---- Thread-local data --------------------------------------------------------- */

/* Two segments one behind the other, and one apart. */
static struct kernel tls_kernel(struct segment segments[3], struct kernel_tls tls)
{
	segments[0] = (struct segment)SEGMENT(LARGE, 0, 0x1000, 0x1000, RX);
	segments[1] = (struct segment)SEGMENT(LARGE + 0x1000, 0, 0x100, 0x800, RW);
	segments[2] = (struct segment)SEGMENT(HIGH, 0, 0x100, 0x200, R);
	struct kernel kernel = kernel_make(segments, 3);
	kernel.tls = tls;
	return kernel;
}

TEST(takes_thread_local_data)
{
	static const struct kernel_tls cases[] = {
		{ 0, 0, 0, 0 },
		/* A whole segment; its first and last bytes; behind its bytes in the file. */
		{ 1, LARGE, 0x1000, 0x1000 },
		{ 1, LARGE, 1, 1 },
		{ 1, LARGE + 0xfff, 1, 1 },
		{ 1, LARGE + 0x1700, 0x100, 0x100 },
		{ 1, HIGH + 0x1ff, 1, UINT64_MAX },
		/* Nothing of it is in the file: where it is said to be does not matter. */
		{ 1, LARGE + 0x1800, 0, 0x10 },
		{ 1, 0x123456789abcdef0, 0, 8 },
		{ 1, UINT64_MAX, 0, UINT64_MAX },
		/* None at all. */
		{ 1, LARGE, 0, 0 },
		{ 1, 0, 0, 0 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct segment segments[3];
		struct kernel kernel = tls_kernel(segments, cases[i]);
		struct plan plan = plan_kernel(&kernel, &plain);

		plan_free(&plan);
	}
}

TEST(refuses_thread_local_data)
{
	static const struct {
		struct kernel_tls tls;
		const char *text;
	} cases[] = {
		{ { 2, LARGE, 1, 1 },
		  "'k.elf' has 2 templates for thread-local data (PT_TLS); BootInfo has room for one" },
		/* One of them may be empty all the same. */
		{ { 3, 0, 0, 0 },
		  "'k.elf' has 3 templates for thread-local data (PT_TLS); BootInfo has room for one" },
		{ { 1, LARGE, 2, 1 },
		  "'k.elf': the thread-local data (PT_TLS) has more bytes in the file than in memory" },
		{ { 1, LARGE, 1, 0 },
		  "'k.elf': the thread-local data (PT_TLS) has more bytes in the file than in memory" },
		{ { 1, LARGE - 1, 1, 1 },
		  "'k.elf': the thread-local data (PT_TLS, 0x1fffff) lies in no segment" },
		{ { 1, LARGE + 0x1800, 1, 1 },
		  "'k.elf': the thread-local data (PT_TLS, 0x201800) lies in no segment" },
		/* Its end does not. */
		{ { 1, LARGE - 1, 2, 2 },
		  "'k.elf': the thread-local data (PT_TLS, 0x1fffff) lies in no segment" },
		{ { 1, LARGE + 0x17ff, 2, 2 },
		  "'k.elf': the thread-local data (PT_TLS, 0x2017ff) lies in no segment" },
		{ { 1, HIGH + 0x1ff, 2, 2 },
		  "'k.elf': the thread-local data (PT_TLS, 0xffffffff800001ff) lies in no segment" },
		/* Partly in one, partly in the next. */
		{ { 1, LARGE + 0xfff, 2, 2 },
		  "'k.elf': the thread-local data (PT_TLS, 0x200fff) lies in no segment" },
		{ { 1, LARGE, UINT64_MAX, UINT64_MAX },
		  "'k.elf': the thread-local data (PT_TLS, 0x200000) lies in no segment" },
		{ { 1, UINT64_MAX, LARGE + 0x10, LARGE + 0x10 },
		  "'k.elf': the thread-local data (PT_TLS, 0xffffffffffffffff) lies in no segment" },
		{ { 1, 0, 1, 1 }, "'k.elf': the thread-local data (PT_TLS, 0x0) lies in no segment" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct segment segments[3];
		struct kernel kernel = tls_kernel(segments, cases[i].tls);

		refuse_kernel(&kernel, &plain, ERROR_INPUT, cases[i].text, "");
	}
}

/* Its template moves with it. */
TEST(position_independent_kernel)
{
	static const uint64_t base = HIGH;
	static const struct {
		const uint64_t *base;
		uint64_t slide;
	} cases[] = { { NULL, LARGE }, { &base, HIGH } };

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct segment segments[] = {
			SEGMENT(0, 0, 0x1000, 0x1000, RX), SEGMENT(0x1000, 0x1000, 0x800, 0x2000, RW),
		};
		struct segment moved[COUNT(segments)];
		struct kernel kernel = kernel_make(segments, COUNT(segments)), run = kernel;
		const struct plan_options asked = { .cmdline = "", .kernel_base = cases[i].base,
						    .crate = { .features = MAP } };
		struct error err = { 0 };
		struct plan plan;

		kernel.type = ET_DYN;
		kernel.tls = run.tls = (struct kernel_tls){ 1, 0x1400, 0x400, 0x1000 };
		run.segments = moved;
		run.entry += cases[i].slide;
		run.tls.vaddr += cases[i].slide;
		for (size_t k = 0; k < COUNT(segments); k++) {
			moved[k] = segments[k];
			moved[k].vaddr += cases[i].slide;
			moved[k].paddr += cases[i].slide;
		}
		assert_accepted(bootloader09_plan(&kernel, &asked, NAME, &plan, &err), &err, "plan");
		check_plan(&run, &asked, &plan);
		assert_int_equal(plan.slide, cases[i].slide);
		assert_int_equal(plan_info_word(&plan, 1552, 8), cases[i].slide + 0x1400);
		plan_free(&plan);
	}
}

/* ---- Stack, tables, memory ------------------------------------------------------ */

TEST(stack_is_whole_pages)
{
	static const struct {
		uint64_t asked;
		uint64_t given;
	} cases[] = {
		{ 0, 2 * MIB },
		{ 1, PAGE },
		{ PAGE, PAGE },
		{ PAGE + 1, 2 * PAGE },
		{ 100 * PAGE, 100 * PAGE },
		{ 256 * MIB, 256 * MIB },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct plan_options asked = { .cmdline = "", .stack_size = cases[i].asked };
		struct plan plan = plan_at(LARGE, &asked);

		CHECK(plan.stack_size == cases[i].given, "%llu: %llu bytes",
		      (unsigned long long)cases[i].asked, (unsigned long long)plan.stack_size);
		assert_int_equal(plan.stack_top, 0x10000002000 + cases[i].given);
		plan_free(&plan);
	}
}

/* Those of the kernel, of BootInfo and of the stack; the loader's own and the
 * physical map's are its affair. */
TEST(tables_and_memory)
{
	static const struct {
		uint64_t kernel;
		uint64_t stack;
		uint64_t stack_size;
		uint32_t tables;
	} cases[] = {
		/* Three for the kernel; for BootInfo and stack three, and one more behind 2 MiB. */
		{ LARGE, 0, PAGE, 3 + 3 },
		{ LARGE, 0, LARGE - 2 * PAGE, 3 + 3 },
		{ LARGE, 0, LARGE - PAGE, 3 + 4 },
		{ LARGE, 0, 0, 3 + 4 },
		{ LARGE, 0, 256 * MIB, 3 + 3 + 128 },
		/* In the kernel's, and in a part of its own. */
		{ LARGE, LARGE + PAGE, PAGE, 3 + 3 },
		{ LARGE, 2 * GIB, PAGE, 3 + 2 + 3 },
		{ LARGE, HIGH, PAGE, 3 + 3 + 3 },
		{ LARGE, HIGH - 2 * PAGE, 2 * PAGE, 3 + 5 + 3 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct plan_options asked = { .cmdline = "", .stack_size = cases[i].stack_size,
						    .crate = { .stack_address = cases[i].stack } };
		uint64_t stack = cases[i].stack_size != 0 ? cases[i].stack_size : STACK;
		struct plan plan = plan_at(cases[i].kernel, &asked);

		CHECK(plan.table_pages == cases[i].tables, "case %zu: %u tables", i, plan.table_pages);
		/* The kernel's page, BootInfo's, and the stack once. */
		assert_int_equal(plan_memory(&plan), 2 * PAGE + stack + cases[i].tables * PAGE);
		plan_free(&plan);
	}
}

TEST(refuses_too_much_memory)
{
	struct segment segments[] = { SEGMENT(4 * GIB, 0, 0, 3 * GIB - PAGE - STACK, RX) };
	struct kernel kernel = kernel_make(segments, COUNT(segments));
	struct plan plan = plan_kernel(&kernel, &plain);

	plan_free(&plan);
	segments[0].memsz++;
	refuse_kernel(&kernel, &plain, ERROR_INPUT,
		      "'k.elf' needs 3073 MiB of memory; a PC has at most 3 GiB for it", "");
}

TEST(refuses_too_many_blocks)
{
	static struct segment segments[BT_MAX_BLOCKS];

	for (size_t i = 0; i < COUNT(segments); i++)
		segments[i] = (struct segment)SEGMENT((i + 1) * MIB, 0, 1, 1, RX);
	struct kernel kernel = kernel_make(segments, BT_MAX_BLOCKS - 2);
	struct plan plan = plan_kernel(&kernel, &plain);
	assert_int_equal(plan.block_count, BT_MAX_BLOCKS);
	plan_free(&plan);
	kernel = kernel_make(segments, BT_MAX_BLOCKS - 1);
	refuse_kernel(&kernel, &plain, ERROR_INPUT,
		      "'k.elf' and its modules are 1025 separate pieces; the loader has room for 1024", "");
}

/* Executable stacks are the crate's way; what the kernel itself does is worth a
 * word as with native. */
TEST(warns_of_what_is_hardly_meant)
{
	struct segment segments[] = { SEGMENT(LARGE, 0, 0x100, PAGE, RX) };
	struct kernel kernel = kernel_make(segments, COUNT(segments));
	struct plan plan = plan_kernel(&kernel, &plain);

	assert_int_equal(plan.warning_count, 0);
	plan_free(&plan);
	segments[0].flags = RWX;
	plan = plan_kernel(&kernel, &plain);
	assert_int_equal(plan.warning_count, 1);
	assert_string_equal(plan.warnings[0].text,
			    "segment 0 (0x200000-0x201000) is both writable and executable");
	plan_free(&plan);
}

/* ---- What it has no words for --------------------------------------------------- */

TEST(refuses_command_lines_and_modules)
{
	static char name[] = "initrd";
	static const struct plan_module module = { name, 100 };
	const struct plan_options cmdline = { .cmdline = "a" }, space = { .cmdline = " " };
	const struct plan_options modules = { .cmdline = "", .modules = &module, .module_count = 1 };

	refuse_at(LARGE, &cmdline, ERROR_USAGE,
		  "'k.elf': --cmdline cannot be handed over: the bootloader crate has no command line", "");
	refuse_at(LARGE, &space, ERROR_USAGE,
		  "'k.elf': --cmdline cannot be handed over: the bootloader crate has no command line", "");
	refuse_at(LARGE, &modules, ERROR_USAGE,
		  "'k.elf': --module cannot be handed over: the bootloader crate 0.9 has no modules", "");
}

#define SCREEN "'k.elf': the screen of a bootloader-0.9 kernel is 80x25 characters or, with --features vga_320x200, 320x200 pixels"

TEST(screens)
{
	static const struct plan_video text = { .mode = VIDEO_TELL };
	static const struct plan_video graphics = { 1024, 768, 32, VIDEO_REQUIRE };
	static const struct plan_video small = { 320, 200, 0, VIDEO_REQUIRE };
	static const struct {
		uint32_t features;
		const struct plan_video *video;
		uint16_t mode;		/* 0: refused */
	} cases[] = {
		{ 0, NULL, 3 },
		{ VGA, NULL, 0x13 },
		/* It is what it gets anyway. */
		{ 0, &text, 3 },
		{ VGA, &text, 0 },
		{ 0, &graphics, 0 },
		{ VGA, &graphics, 0 },
		{ VGA, &small, 0 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct plan_options asked = { .cmdline = "", .video = cases[i].video,
						    .crate = { .features = cases[i].features } };

		if (cases[i].mode == 0) {
			refuse_at(LARGE, &asked, ERROR_USAGE, SCREEN, "leave --video out");
			continue;
		}
		struct plan plan = plan_at(LARGE, &asked);
		assert_int_equal(plan.video.width, cases[i].mode);
		plan_free(&plan);
	}
}

/* What native refuses is refused here. */
TEST(refuses_wrong_kernels)
{
	struct segment segments[] = { SEGMENT(LARGE, 0, 0x100, PAGE, RW) };
	struct kernel kernel = kernel_make(segments, COUNT(segments));

	kernel.entry = LARGE;
	refuse_kernel(&kernel, &plain, ERROR_INPUT,
		      "'k.elf': the entry point 0x200000 lies in segment 0 (0x200000-0x201000), which is not executable",
		      "check ENTRY() and the PHDRS flags of the linker script");
	refuse_at(HALF, &plain, ERROR_INPUT,
		  "'k.elf': segment 0 (0x800000000000-0x800000001000) is not at canonical addresses",
		  "link it below 0x800000000000 or from 0xffff800000000000 up");
}

TEST(detects_its_kernels)
{
	struct segment segments[] = { SEGMENT(LARGE, LARGE, 1, 1, RX) };
	struct kernel kernel = kernel_make(segments, 1);
	struct protocol_reason why;
	struct error err = { 0 };

	assert_int_equal(bootloader09_detect(&kernel, NAME, &why, &err), 1);
	assert_string_equal(why.text, "is an x86-64 ELF64 file");
	kernel.is_64 = false;
	assert_int_equal(bootloader09_detect(&kernel, NAME, &why, &err), 0);
	kernel.is_64 = true;
	kernel.machine = EM_386;
	assert_int_equal(bootloader09_detect(&kernel, NAME, &why, &err), 0);
	kernel.machine = EM_X86_64;
	kernel.is_elf = false;
	assert_int_equal(bootloader09_detect(&kernel, NAME, &why, &err), 0);
	assert_int_equal(err.class, ERROR_NONE);
}

/* ---- At random -------------------------------------------------------------------- */

/* An address that may go wrong, or 0 for none. */
static uint64_t random_address(uint64_t *seed, const struct kernel *kernel, uint64_t unit)
{
	const struct segment *segment = &kernel->segments[random_below(seed, kernel->segment_count)];
	const uint64_t bases[] = {
		0xc0000, GIB, segment->vaddr, segment->vaddr + segment->memsz,
		kernel_slot((unsigned int)random_below(seed, 512)), HALF, UPPER, 0, 0 - 4 * GIB,
		HALF - 4 * GIB, random_next(seed) >> 17, random_next(seed) | UPPER,
	};
	uint64_t away = random_below(seed, 6), base = bases[random_below(seed, COUNT(bases))];

	if (random_below(seed, 2) == 0)
		return 0;
	return (base / unit + (random_below(seed, 2) == 0 ? away : 0 - away)) * unit;
}

/* Is the plan what the rules say?  Returns whether there is one. */
static bool try_random(const struct kernel *kernel, const struct plan_options *asked, unsigned int round)
{
	struct places places;
	struct error err = { 0 };
	struct plan plan;
	int result = bootloader09_plan(kernel, asked, NAME, &plan, &err);
	bool possible = find_places(kernel, asked, &places) && !clash(kernel, asked, &places) &&
			(asked->crate.physical_memory_offset == 0 || has(asked, MAP));

	CHECK((result == 0) == possible, "round %u: %s", round, result == 0 ? "accepted" : err.text);
	if (result == 0)
		check_plan(kernel, asked, &plan);
	else
		CHECK(err.text[0] != '\0' && plan.blocks == NULL && plan.maps == NULL, "round %u", round);
	plan_free(&plan);
	return result == 0;
}

TEST(random_kernels)
{
	unsigned int accepted = 0, rounds = 5000;
	uint64_t seed = 9;

	for (unsigned int round = 0; round < rounds; round++) {
		const uint64_t sizes[] = { 0, 1, PAGE, random_below(&seed, 64 * PAGE), LARGE - PAGE, 256 * MIB };
		Elf64_Phdr phdrs[KERNEL_RANDOM];
		struct elf_spec spec = kernel_random(&seed, phdrs);
		struct kernel kernel;
		struct error err = { 0 };
		size_t size;
		unsigned char *bytes = elf_make(&spec, &size);

		CHECK(kernel_parse(&kernel, bytes, size, NAME, &err) == 0, "round %u: %s", round, err.text);
		struct plan_options asked = { .cmdline = "", .stack_size = sizes[random_below(&seed, COUNT(sizes))],
					      .crate = { .features = (uint32_t)random_below(&seed, 16) } };
		/* Half of them as most kernels are. */
		if (round % 2 == 0) {
			asked.crate.boot_info_address = random_address(&seed, &kernel, PAGE);
			asked.crate.stack_address = random_address(&seed, &kernel, PAGE);
			asked.crate.physical_memory_offset = random_address(&seed, &kernel, LARGE);
		}
		accepted += try_random(&kernel, &asked, round);
		kernel_free(&kernel);
		free(bytes);
	}
	/* Or little would have been tried. */
	CHECK(accepted > rounds / 2 && rounds - accepted > rounds / 5, "%u of %u were accepted", accepted,
	      rounds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usual_places),
		cmocka_unit_test(kernels_in_the_way),
		cmocka_unit_test(features_do_not_move_things),
		cmocka_unit_test(refuses_full_address_space),
		cmocka_unit_test(addresses_that_are_given),
		cmocka_unit_test(areas_that_touch),
		cmocka_unit_test(areas_at_the_borders_of_the_address_space),
		cmocka_unit_test(stack_up_to_the_end_of_the_address_space),
		cmocka_unit_test(refuses_addresses_that_are_not_canonical),
		cmocka_unit_test(refuses_addresses_that_wrap_around),
		cmocka_unit_test(refuses_overlaps),
		cmocka_unit_test(refuses_kernels_in_low_memory),
		cmocka_unit_test(physical_map_reaches_to_what_is_next),
		cmocka_unit_test(refuses_wrong_offsets),
		cmocka_unit_test(layouts_of_boot_info),
		cmocka_unit_test(page_of_boot_info_is_cleared),
		cmocka_unit_test(takes_thread_local_data),
		cmocka_unit_test(refuses_thread_local_data),
		cmocka_unit_test(position_independent_kernel),
		cmocka_unit_test(stack_is_whole_pages),
		cmocka_unit_test(tables_and_memory),
		cmocka_unit_test(refuses_too_much_memory),
		cmocka_unit_test(refuses_too_many_blocks),
		cmocka_unit_test(warns_of_what_is_hardly_meant),
		cmocka_unit_test(refuses_command_lines_and_modules),
		cmocka_unit_test(screens),
		cmocka_unit_test(refuses_wrong_kernels),
		cmocka_unit_test(detects_its_kernels),
		cmocka_unit_test(random_kernels),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
