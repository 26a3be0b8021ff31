/* SPDX-License-Identifier: MIT
 *
 * native_plan(): what it plans, and what it refuses.  That a plan leaves the
 * kernel in memory as its program headers say is proved by plan_check() for
 * every one of them, so the tests of single cases only look at what is a choice.
 */
#include <stdlib.h>

#include "bootabi.h"
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

/* ---- Kernels from tables ------------------------------------------------- */

static const struct plan_options options = { .cmdline = "a b", .stack_size = 64 * 1024 };

static struct plan plan_kernel(const struct kernel *kernel)
{
	struct error err = { 0 };
	struct plan plan;

	assert_accepted(native_plan(kernel, &options, NAME, &plan, &err), &err, "plan");
	plan_check(kernel, &options, &plan);
	return plan;
}

static struct plan plan_segments(struct segment *segments, size_t count)
{
	struct kernel kernel = kernel_make(segments, count);

	return plan_kernel(&kernel);
}

static void refuse_kernel(const struct kernel *kernel, const char *says)
{
	struct error err = { 0 };
	struct plan plan;
	int result = native_plan(kernel, &options, NAME, &plan, &err);

	assert_refused(result, &err, ERROR_INPUT, says, says);
	/* Nothing to free. */
	assert_null(plan.blocks);
	assert_null(plan.info);
	assert_null(plan.cmdline);
}

static void refuse_segments(struct segment *segments, size_t count, const char *says)
{
	struct kernel kernel = kernel_make(segments, count);

	refuse_kernel(&kernel, says);
}

static void assert_block(const struct plan *plan, size_t index, uint64_t phys, uint64_t size)
{
	assert_true(index < plan->block_count);
	assert_int_equal(plan->blocks[index].phys, phys);
	assert_int_equal(plan->blocks[index].size, size);
}

static void assert_map(const struct plan *plan, size_t index, uint64_t virt, uint64_t length,
		       uint32_t flags)
{
	assert_true(index < plan->map_count);
	assert_int_equal(plan->maps[index].virt, virt);
	assert_int_equal(plan->maps[index].length, length);
	assert_int_equal(plan->maps[index].flags, flags);
}

/* ---- Clusters, blocks, extents, zeros, maps ------------------------------ */

TEST(one_segment)
{
	struct segment segments[] = { SEGMENT(LARGE, LARGE, 0x1000, 0x1000, RX) };
	struct plan plan = plan_segments(segments, COUNT(segments));

	assert_int_equal(plan.block_count, 1);
	assert_block(&plan, 0, LARGE, 0x1000);
	assert_int_equal(plan.map_count, 1);
	assert_int_equal(plan.extent_count, 1);
	assert_int_equal(plan.zero_count, 0);
	assert_string_equal(plan.cmdline, "a b");
	assert_int_equal(plan.stack_size, 64 * 1024);
	assert_int_equal(plan.table_pages, 3);
	plan_free(&plan);
}

TEST(smallest_segment)
{
	struct segment segments[] = { SEGMENT(LARGE + 5, LARGE + 5, 1, 1, RX) };
	struct plan plan = plan_segments(segments, COUNT(segments));

	assert_block(&plan, 0, LARGE, 0x1000);
	assert_int_equal(plan.extents[0].offset, 5);
	assert_int_equal(plan.extents[0].length, 1);
	assert_int_equal(plan.zero_count, 2);
	plan_free(&plan);
}

/* A kernel of one segment, planned with these options. */
static struct plan plan_with(const struct plan_options *asked)
{
	struct segment segments[] = { SEGMENT(LARGE, LARGE, 1, 1, RX) };
	struct kernel kernel = kernel_make(segments, 1);
	struct error err = { 0 };
	struct plan plan;

	assert_accepted(native_plan(&kernel, asked, NAME, &plan, &err), &err, "plan");
	plan_check(&kernel, asked, &plan);
	return plan;
}

TEST(stack_is_whole_pages)
{
	static const struct {
		uint64_t asked;
		uint64_t given;
	} cases[] = {
		{ 0, 64 * KIB },
		{ 1, PAGE },
		{ PAGE, PAGE },
		{ PAGE + 1, 2 * PAGE },
		{ 256 * MIB, 256 * MIB },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct plan_options asked = { .cmdline = "", .stack_size = cases[i].asked };
		struct plan plan = plan_with(&asked);

		CHECK(plan.stack_size == cases[i].given, "%llu: %llu bytes",
		      (unsigned long long)cases[i].asked, (unsigned long long)plan.stack_size);
		assert_int_equal(plan_memory(&plan), cases[i].given + PAGE + 3 * PAGE);
		plan_free(&plan);
	}
}

/* The screen is told of in any case; a mode only if the user wants one. */
TEST(video_is_the_users)
{
	const struct plan_video wanted = { 1024, 768, 32, VIDEO_REQUIRE };
	const struct plan_options none = { .cmdline = "" }, one = { .cmdline = "", .video = &wanted };
	struct plan plan = plan_with(&none);

	assert_int_equal(plan.video.mode, VIDEO_TELL);
	assert_int_equal(plan.video.width, 0);
	plan_free(&plan);
	plan = plan_with(&one);
	assert_memory_equal(&plan.video, &wanted, sizeof(wanted));
	plan_free(&plan);
}

/* What linkers make: few large reads instead of many small ones. */
TEST(adjacent_segments_are_one_extent)
{
	struct segment segments[] = {
		SEGMENT(LARGE, LARGE, 0x1800, 0x1800, RX),
		SEGMENT(LARGE + 0x2000, LARGE + 0x2000, 0x1000, 0x1000, R),
		SEGMENT(LARGE + 0x3000, LARGE + 0x3000, 0x234, 0x1000, RW),
	};
	struct plan plan = plan_segments(segments, COUNT(segments));

	assert_int_equal(plan.block_count, 1);
	assert_int_equal(plan.extent_count, 1);
	assert_int_equal(plan.piece_count, 3);
	assert_int_equal(plan.extents[0].length, 0x3234);
	assert_int_equal(plan.map_count, 3);
	plan_free(&plan);
}

/* A gap of a page or more is cleared, not stored. */
TEST(extents_end_where_a_page_is_empty)
{
	struct segment segments[] = {
		SEGMENT(LARGE, LARGE, 0x1001, 0x2001, RX),
		SEGMENT(LARGE + 0x4000, LARGE + 0x4000, 0x10, 0x10, RW),
	};
	struct plan plan = plan_segments(segments, COUNT(segments));

	assert_int_equal(plan.block_count, 1);
	assert_int_equal(plan.extent_count, 2);
	plan_free(&plan);
}

TEST(bss_is_cleared_and_not_stored)
{
	struct segment segments[] = {
		SEGMENT(LARGE, LARGE, 0x1000, 0x1000, RX),
		SEGMENT(LARGE + 0x1000, LARGE + 0x1000, 0x10, 0x100000, RW),
	};
	struct plan plan = plan_segments(segments, COUNT(segments));

	assert_int_equal(plan.extent_count, 1);
	assert_int_equal(plan.extents[0].length, 0x1010);
	assert_int_equal(plan.zero_count, 1);
	assert_int_equal(plan.zeros[0].offset, 0x1010);
	assert_int_equal(plan.zeros[0].length, 0x100000 - 0x10);
	plan_free(&plan);
}

TEST(kernel_of_bss_alone)
{
	struct segment segments[] = { SEGMENT(LARGE, LARGE, 0, 0x3000, RWX) };
	struct plan plan = plan_segments(segments, COUNT(segments));

	assert_int_equal(plan.extent_count, 0);
	assert_int_equal(plan.piece_count, 0);
	assert_int_equal(plan.zero_count, 1);
	plan_free(&plan);
}

TEST(shared_page_has_the_flags_of_both)
{
	struct segment segments[] = {
		SEGMENT(LARGE, LARGE, 0x1800, 0x1800, RX),
		SEGMENT(LARGE + 0x1800, LARGE + 0x1800, 0x1800, 0x1800, RW),
	};
	struct plan plan = plan_segments(segments, COUNT(segments));

	assert_int_equal(plan.block_count, 1);
	assert_int_equal(plan.map_count, 3);
	assert_map(&plan, 0, LARGE, 0x1000, RX);
	assert_map(&plan, 1, LARGE + 0x1000, 0x1000, RWX);
	assert_map(&plan, 2, LARGE + 0x2000, 0x1000, RW);
	plan_free(&plan);
}

TEST(three_segments_share_a_page)
{
	struct segment segments[] = {
		SEGMENT(LARGE, LARGE, 0x1010, 0x1010, RX),
		SEGMENT(LARGE + 0x1100, LARGE + 0x1100, 0, 0x10, R),
		SEGMENT(LARGE + 0x1200, LARGE + 0x1200, 0x1000, 0x1000, RW),
	};
	struct plan plan = plan_segments(segments, COUNT(segments));

	assert_int_equal(plan.map_count, 3);
	assert_map(&plan, 1, LARGE + 0x1000, 0x1000, RWX);
	plan_free(&plan);
}

/* Two maps of the same flags cost a record too many. */
TEST(equal_flags_are_one_map)
{
	struct segment segments[] = {
		SEGMENT(LARGE, LARGE, 0x1800, 0x1800, RX),
		SEGMENT(LARGE + 0x1800, LARGE + 0x1800, 0x100, 0x100, R),
		SEGMENT(LARGE + 0x2000, LARGE + 0x2000, 0x1000, 0x1000, RX),
	};
	struct plan plan = plan_segments(segments, COUNT(segments));

	assert_int_equal(plan.map_count, 1);
	assert_map(&plan, 0, LARGE, 0x3000, RX);
	plan_free(&plan);
}

TEST(segments_share_the_last_page_of_all)
{
	struct segment segments[] = {
		SEGMENT(0 - 2 * PAGE, 4 * MIB, 0x1800, 0x1800, RX),
		SEGMENT(0 - PAGE / 2, 4 * MIB + 0x1800, 0x10, 0x800, RW),
	};
	struct plan plan = plan_segments(segments, COUNT(segments));

	assert_block(&plan, 0, 4 * MIB, 2 * PAGE);
	plan_free(&plan);
}

TEST(odd_addresses)
{
	struct segment segments[] = {
		SEGMENT(LARGE + 0x123, LARGE + 0x123, 0x11, 0x22, RX),
		SEGMENT(LARGE + 0x2fff, LARGE + 0x2fff, 2, 2, RW),
	};
	struct plan plan = plan_segments(segments, COUNT(segments));

	assert_int_equal(plan.block_count, 1);
	assert_block(&plan, 0, LARGE, 0x4000);
	assert_int_equal(plan.map_count, 2);
	assert_map(&plan, 1, LARGE + 0x2000, 0x2000, RW);
	plan_free(&plan);
}

/* ---- Physical addresses -------------------------------------------------- */

TEST(higher_half)
{
	struct segment segments[] = {
		SEGMENT(HIGH + MIB, MIB, 0x1000, 0x1000, RX),
		SEGMENT(HIGH + MIB + 0x1000, MIB + 0x1000, 0x1000, 0x1000, RW),
	};
	struct plan plan = plan_segments(segments, COUNT(segments));

	assert_int_equal(plan.block_count, 1);
	assert_block(&plan, 0, MIB, 0x2000);
	plan_free(&plan);
}

/* A .boot section linked low and the rest high, or two that swap places. */
TEST(other_distance_is_another_block)
{
	struct segment segments[] = {
		SEGMENT(LARGE, 4 * MIB, 0x1000, 0x1000, RX),
		SEGMENT(LARGE + 0x1000, 3 * MIB, 0x1000, 0x1000, RW),
	};
	struct plan plan = plan_segments(segments, COUNT(segments));

	assert_int_equal(plan.block_count, 2);
	assert_block(&plan, 0, 4 * MIB, 0x1000);
	assert_block(&plan, 1, 3 * MIB, 0x1000);
	plan_free(&plan);
}

/* They share a page, so both cannot be right. */
TEST(shared_page_with_two_addresses)
{
	struct segment segments[] = {
		SEGMENT(LARGE, 4 * MIB, 0x800, 0x800, RX),
		SEGMENT(LARGE + 0x800, 8 * MIB + 0x800, 0x800, 0x800, RW),
	};
	struct plan plan = plan_segments(segments, COUNT(segments));

	assert_int_equal(plan.block_count, 1);
	assert_block(&plan, 0, BLOCK_ANYWHERE, 0x1000);
	plan_free(&plan);
}

/* Each p_paddr that cannot be meant. */
TEST(impossible_addresses_are_anywhere)
{
	static const uint64_t addresses[] = {
		0, 0x1000, 0xa0000, MIB - PAGE,
		LARGE + 0x10,			/* not in step with the page */
		4 * GIB, 4 * GIB - PAGE,	/* out of reach */
		HIGH, HIGH + LARGE, UINT64_MAX & ~(PAGE - 1), UINT64_MAX,
	};

	for (size_t i = 0; i < COUNT(addresses); i++) {
		struct segment segments[] = { SEGMENT(HIGH + LARGE, addresses[i], 0x1800, 0x1800, RX) };
		struct plan plan = plan_segments(segments, COUNT(segments));

		CHECK(plan.block_count == 1 && plan.blocks[0].phys == BLOCK_ANYWHERE, "p_paddr 0x%llx",
		      (unsigned long long)addresses[i]);
		plan_free(&plan);
	}
}

TEST(outermost_addresses_are_taken)
{
	static const uint64_t addresses[] = { MIB, 4 * GIB - 2 * PAGE };

	for (size_t i = 0; i < COUNT(addresses); i++) {
		struct segment segments[] = { SEGMENT(HIGH, addresses[i], 0x1800, 0x1800, RX) };
		struct plan plan = plan_segments(segments, COUNT(segments));

		assert_block(&plan, 0, addresses[i], 2 * PAGE);
		plan_free(&plan);
	}
}

/* Two segments that want the same memory: the first one gets it. */
TEST(conflicting_addresses)
{
	struct segment segments[] = {
		SEGMENT(LARGE, 8 * MIB, 0x2000, 0x2000, RX),
		SEGMENT(LARGE + 0x10000000, 8 * MIB + 0x1000, 0x2000, 0x2000, RW),
		SEGMENT(LARGE + 0x20000000, 8 * MIB + 0x2000, 0x2000, 0x2000, RW),
	};
	struct plan plan = plan_segments(segments, COUNT(segments));

	assert_int_equal(plan.block_count, 3);
	assert_block(&plan, 0, 8 * MIB, 0x2000);
	assert_block(&plan, 1, 8 * MIB + 0x2000, 0x2000);
	assert_block(&plan, 2, BLOCK_ANYWHERE, 0x2000);
	plan_free(&plan);
}

/* The memory between them stays free. */
TEST(far_segments_have_their_own_blocks)
{
	struct segment segments[] = {
		SEGMENT(LARGE, LARGE, 0x1000, 0x1000, RX),
		SEGMENT(LARGE + 0x1000 + 64 * KIB, LARGE + 0x1000 + 64 * KIB, 0x1000, 0x1000, R),
		SEGMENT(LARGE + 0x3000 + 128 * KIB, LARGE + 0x3000 + 128 * KIB, 0x1000, 0x1000, RW),
	};
	struct plan plan = plan_segments(segments, COUNT(segments));

	assert_int_equal(plan.block_count, 2);
	assert_block(&plan, 0, LARGE, 0x2000 + 64 * KIB);
	assert_block(&plan, 1, LARGE + 0x3000 + 128 * KIB, 0x1000);
	plan_free(&plan);
}

/* Else one that may lie anywhere could be put where another has to be. */
TEST(wanted_addresses_come_first)
{
	struct segment segments[] = {
		SEGMENT(0x40000000, 0, 0x1000, 0x1000, RX),
		SEGMENT(0x50000000, 16 * MIB, 0x1000, 0x1000, R),
		SEGMENT(0x60000000, 0, 0x1000, 0x1000, R),
		SEGMENT(0x70000000, 8 * MIB, 0x1000, 0x1000, RW),
	};
	struct plan plan = plan_segments(segments, COUNT(segments));

	assert_int_equal(plan.block_count, 4);
	assert_block(&plan, 0, 16 * MIB, 0x1000);
	assert_block(&plan, 1, 8 * MIB, 0x1000);
	assert_block(&plan, 2, BLOCK_ANYWHERE, 0x1000);
	assert_int_equal(plan.maps[0].block, 2);
	plan_free(&plan);
}

static void check_alignment(uint64_t virt, uint64_t size, uint64_t align, uint64_t phase)
{
	struct segment segments[] = { SEGMENT(virt, 0, 0x1000, size, RWX) };
	struct plan plan = plan_segments(segments, COUNT(segments));

	CHECK(plan.blocks[0].align == align && plan.blocks[0].phase == phase,
	      "0x%llx bytes at 0x%llx: align 0x%llx, phase 0x%llx", (unsigned long long)size,
	      (unsigned long long)virt, (unsigned long long)plan.blocks[0].align,
	      (unsigned long long)plan.blocks[0].phase);
	plan_free(&plan);
}

/* Where a large page fits into the addresses, it must fit into memory too. */
TEST(big_blocks_are_in_step_with_large_pages)
{
	check_alignment(HIGH, LARGE, LARGE, 0);
	check_alignment(HIGH, LARGE - PAGE, PAGE, 0);
	check_alignment(HIGH + PAGE, LARGE, PAGE, 0);
	check_alignment(HIGH + MIB, 3 * MIB, LARGE, MIB);
	check_alignment(HIGH + MIB, 3 * MIB - PAGE, PAGE, 0);
	check_alignment(HIGH + MIB + PAGE + 1, 4 * MIB, LARGE, MIB + PAGE);
	check_alignment(0 - LARGE, LARGE, LARGE, 0);
	check_alignment(0 - MIB, MIB, PAGE, 0);
	check_alignment(0 - 3 * MIB, 3 * MIB, LARGE, MIB);
}

/* ---- Modules ------------------------------------------------------------- */

/* plan_check() proves that they are loaded and told of. */
TEST(modules)
{
	static char first[] = "initrd", second[] = "", third[] = "a b=\"c\"";
	static const struct plan_module modules[] = {
		{ first, 1 }, { second, 0 }, { third, 3 * PAGE + 1 }, { first, PAGE },
	};

	for (size_t count = 0; count <= COUNT(modules); count++) {
		const struct plan_options asked = { .cmdline = "x", .modules = modules,
						    .module_count = count };
		struct plan plan = plan_with(&asked);

		assert_int_equal(plan.block_count, 1 + count);
		plan_free(&plan);
	}
}

TEST(refuses_modules_beyond_memory)
{
	static char name[] = "m";
	const struct plan_module modules[] = { { name, 2 * GIB }, { name, GIB } };
	const struct plan_options asked = { .cmdline = "", .modules = modules, .module_count = 2 };
	struct segment segments[] = { SEGMENT(LARGE, LARGE, 1, 1, RX) };
	struct kernel kernel = kernel_make(segments, 1);
	struct error err = { 0 };
	struct plan plan;

	assert_refused(native_plan(&kernel, &asked, NAME, &plan, &err), &err, ERROR_INPUT,
		       "'k.elf' needs 3073 MiB of memory; a PC has at most 3 GiB for it", "modules");
	assert_null(plan.blocks);
}

/* ---- Address space ------------------------------------------------------- */

TEST(usual_places_of_the_areas)
{
	struct segment segments[] = { SEGMENT(HIGH, MIB, 0x1000, 0x1000, RX) };
	struct plan plan = plan_segments(segments, COUNT(segments));

	assert_int_equal(plan.physmap_virt, kernel_slot(256));
	assert_int_equal(plan.handoff_virt, kernel_slot(508));
	plan_free(&plan);
}

TEST(areas_make_way_for_the_kernel)
{
	struct segment segments[] = {
		SEGMENT(kernel_slot(256), MIB, 0x1000, 0x1000, RX),
		SEGMENT(kernel_slot(257), 2 * MIB, 0x1000, 0x1000, RW),
		SEGMENT(kernel_slot(508) + MIB, 3 * MIB, 0x1000, 0x1000, RW),
	};
	struct plan plan = plan_segments(segments, COUNT(segments));

	assert_int_equal(plan.physmap_virt, kernel_slot(258));
	assert_true(plan.handoff_virt != kernel_slot(508));
	plan_free(&plan);
}

/* A segment that crosses from one slot to the next occupies both. */
TEST(segment_across_slots)
{
	struct segment segments[] = {
		SEGMENT(kernel_slot(257) - PAGE, MIB, 0x1000, 2 * PAGE, RX),
		SEGMENT(kernel_slot(508) - PAGE, 2 * MIB, 0x1000, 2 * PAGE, RW),
	};
	struct plan plan = plan_segments(segments, COUNT(segments));

	assert_int_equal(plan.physmap_virt, kernel_slot(258));
	assert_true(plan.handoff_virt < kernel_slot(507));
	plan_free(&plan);
}

TEST(upper_half_is_full)
{
	static struct segment segments[512];
	struct plan plan = plan_segments(segments, kernel_fill_slots(segments, 256, 511));

	assert_true(plan.handoff_virt < UINT64_C(1) << 47);
	assert_true(plan.physmap_virt < UINT64_C(1) << 47);
	plan_free(&plan);
}

TEST(two_slots_are_enough)
{
	static struct segment segments[512];
	struct plan plan = plan_segments(segments, kernel_fill_slots(segments, 3, 511));

	assert_int_equal(plan.physmap_max, SLOT);
	plan_free(&plan);
}

TEST(refuses_full_address_space)
{
	static struct segment segments[512];

	refuse_segments(segments, kernel_fill_slots(segments, 2, 511), "scattered");
	refuse_segments(segments, kernel_fill_slots(segments, 1, 511), "scattered");
}

/* ---- What is refused ----------------------------------------------------- */

TEST(detects_its_kernels)
{
	struct segment segments[] = { SEGMENT(LARGE, LARGE, 1, 1, RX) };
	struct kernel kernel = kernel_make(segments, 1);
	struct protocol_reason why;
	struct error err;

	assert_int_equal(native_detect(&kernel, NAME, &why, &err), 1);
	assert_string_equal(why.text, "is an x86-64 ELF64 file");
	kernel.is_64 = false;
	assert_int_equal(native_detect(&kernel, NAME, &why, &err), 0);
	kernel.is_64 = true;
	kernel.machine = EM_386;
	assert_int_equal(native_detect(&kernel, NAME, &why, &err), 0);
	kernel.machine = EM_X86_64;
	kernel.is_elf = false;
	assert_int_equal(native_detect(&kernel, NAME, &why, &err), 0);
}

TEST(refuses_bad_entry)
{
	struct segment segments[] = {
		SEGMENT(LARGE, LARGE, 0x100, 0x100, RX),
		SEGMENT(LARGE + PAGE, LARGE + PAGE, 0x100, 0x100, RW),
	};
	static const struct {
		uint64_t entry;
		const char *says;
	} cases[] = {
		{ 0, "no segment" },
		{ LARGE - 1, "no segment" },
		/* In the page, but not in the segment. */
		{ LARGE + 0x100, "no segment" },
		{ UINT64_MAX, "no segment" },
		{ LARGE + PAGE, "not executable" },
		{ LARGE + PAGE + 0xff, "not executable" },
	};
	struct kernel kernel = kernel_make(segments, COUNT(segments));

	for (size_t i = 0; i < COUNT(cases); i++) {
		kernel.entry = cases[i].entry;
		refuse_kernel(&kernel, cases[i].says);
	}
}

TEST(takes_entry_at_the_last_byte)
{
	struct segment segments[] = { SEGMENT(LARGE, LARGE, 0x100, 0x100, RX) };
	struct kernel kernel = kernel_make(segments, 1);

	kernel.entry = LARGE + 0xff;
	struct plan plan = plan_kernel(&kernel);
	plan_free(&plan);
}

TEST(refuses_bad_addresses)
{
	static const struct {
		uint64_t vaddr;
		uint64_t memsz;
		const char *says;
	} cases[] = {
		{ UINT64_C(0x800000000000), PAGE, "canonical" },
		{ UINT64_C(0x7fffffffffff), 2, "canonical" },
		{ UINT64_C(0xffff7ffffffff000), PAGE, "canonical" },
		{ UINT64_C(0xffff7ffffffff000), 2 * PAGE, "canonical" },
		{ UINT64_C(0x123456789abcdef0), 1, "canonical" },
		/* From the lower half through the hole into the upper one. */
		{ PAGE, UINT64_C(0xffff800000000000), "canonical" },
		{ 0, 1, "first page" },
		{ PAGE - 1, 1, "first page" },
		{ 0xa0000, PAGE, "0xa0000" },
		{ 0x9ffff, 2, "0xa0000" },
		{ 0xfffff, 1, "0xa0000" },
		{ PAGE, MIB, "0xa0000" },
		{ LARGE, 3 * GIB + 1, "3 GiB" },
		{ HIGH - 4 * GIB, 4 * GIB, "3 GiB" },
		{ LARGE, UINT64_C(1) << 46, "3 GiB" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct segment segments[] = {
			SEGMENT(cases[i].vaddr, 16 * MIB, 0, cases[i].memsz, RX)
		};

		refuse_segments(segments, 1, cases[i].says);
	}
}

TEST(takes_outermost_addresses)
{
	static const struct {
		uint64_t vaddr;
		uint64_t memsz;
	} cases[] = {
		{ PAGE, 0xa0000 - PAGE },
		{ 0x9ffff, 1 },
		{ MIB, 1 },
		{ UINT64_C(0x7fffffffffff), 1 },
		{ UINT64_C(0x7ffffffff000), PAGE },
		{ UINT64_C(0xffff800000000000), 1 },
		{ UINT64_MAX, 1 },
		{ LARGE, 3 * GIB },
		{ 0 - 3 * GIB, 3 * GIB },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct segment segments[] = { SEGMENT(cases[i].vaddr, 0, 0, cases[i].memsz, RX) };
		struct plan plan = plan_segments(segments, 1);

		plan_free(&plan);
	}
}

/* Each is small enough, all together they are not. */
TEST(refuses_too_much_memory)
{
	struct segment segments[] = {
		SEGMENT(1 * GIB, 0, 0, GIB, RX),
		SEGMENT(4 * GIB, 0, 0, GIB, RW),
		SEGMENT(7 * GIB, 0, 0, GIB, RW),
		SEGMENT(9 * GIB, 0, 0, 1, RW),
	};

	refuse_segments(segments, COUNT(segments), "3 GiB");
	struct plan plan = plan_segments(segments, COUNT(segments) - 1);
	plan_free(&plan);
}

TEST(refuses_too_many_blocks)
{
	static struct segment segments[BT_MAX_BLOCKS + 1];

	for (size_t i = 0; i < COUNT(segments); i++)
		segments[i] = (struct segment)SEGMENT((i + 1) * MIB, 0, 1, 1, RX);
	refuse_segments(segments, COUNT(segments), "pieces");
	struct plan plan = plan_segments(segments, BT_MAX_BLOCKS);
	assert_int_equal(plan.block_count, BT_MAX_BLOCKS);
	plan_free(&plan);
}

/* ---- Kernels at random --------------------------------------------------- */

static void check_random_kernel(const struct elf_spec *spec, const struct plan_options *asked,
				unsigned int round)
{
	struct kernel kernel;
	struct plan plan;
	struct error err = { 0 };
	size_t size;
	unsigned char *bytes = elf_make(spec, &size);

	CHECK(kernel_parse(&kernel, bytes, size, NAME, &err) == 0, "round %u: %s", round, err.text);
	CHECK(native_plan(&kernel, asked, NAME, &plan, &err) == 0, "round %u: %s", round, err.text);
	plan_check(&kernel, asked, &plan);
	plan_free(&plan);
	kernel_free(&kernel);
	free(bytes);
}

TEST(random_kernels)
{
	static char names[3][8] = { "a", "", "c.cpio" };
	uint64_t seed = 2;

	for (unsigned int round = 0; round < 5000; round++) {
		Elf64_Phdr phdrs[KERNEL_RANDOM];
		struct elf_spec spec = kernel_random(&seed, phdrs);
		const struct plan_module modules[] = {
			{ names[0], random_below(&seed, 3) },
			{ names[1], random_below(&seed, 3 * PAGE) },
			{ names[2], PAGE },
		};
		const struct plan_options asked = { .cmdline = round % 2 == 0 ? "" : "a b",
						    .modules = modules,
						    .module_count = random_below(&seed, 4) };

		check_random_kernel(&spec, &asked, round);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_segment),
		cmocka_unit_test(smallest_segment),
		cmocka_unit_test(stack_is_whole_pages),
		cmocka_unit_test(video_is_the_users),
		cmocka_unit_test(adjacent_segments_are_one_extent),
		cmocka_unit_test(extents_end_where_a_page_is_empty),
		cmocka_unit_test(bss_is_cleared_and_not_stored),
		cmocka_unit_test(kernel_of_bss_alone),
		cmocka_unit_test(shared_page_has_the_flags_of_both),
		cmocka_unit_test(three_segments_share_a_page),
		cmocka_unit_test(equal_flags_are_one_map),
		cmocka_unit_test(segments_share_the_last_page_of_all),
		cmocka_unit_test(odd_addresses),
		cmocka_unit_test(higher_half),
		cmocka_unit_test(other_distance_is_another_block),
		cmocka_unit_test(shared_page_with_two_addresses),
		cmocka_unit_test(impossible_addresses_are_anywhere),
		cmocka_unit_test(outermost_addresses_are_taken),
		cmocka_unit_test(conflicting_addresses),
		cmocka_unit_test(far_segments_have_their_own_blocks),
		cmocka_unit_test(wanted_addresses_come_first),
		cmocka_unit_test(big_blocks_are_in_step_with_large_pages),
		cmocka_unit_test(modules),
		cmocka_unit_test(refuses_modules_beyond_memory),
		cmocka_unit_test(usual_places_of_the_areas),
		cmocka_unit_test(areas_make_way_for_the_kernel),
		cmocka_unit_test(segment_across_slots),
		cmocka_unit_test(upper_half_is_full),
		cmocka_unit_test(two_slots_are_enough),
		cmocka_unit_test(refuses_full_address_space),
		cmocka_unit_test(detects_its_kernels),
		cmocka_unit_test(refuses_bad_entry),
		cmocka_unit_test(takes_entry_at_the_last_byte),
		cmocka_unit_test(refuses_bad_addresses),
		cmocka_unit_test(takes_outermost_addresses),
		cmocka_unit_test(refuses_too_much_memory),
		cmocka_unit_test(refuses_too_many_blocks),
		cmocka_unit_test(random_kernels),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
