/* SPDX-License-Identifier: MIT
 *
 * Test kernel "bl09heap": writes to every byte of memory that the memory map of
 * bootloader 0.9 calls usable, through the physical map, and reads it back; what it
 * was given must survive that.
 */
#define FEATURE_MAP 1
#define FEATURE_RECURSIVE 0
#include "bootinfo.h"
#include "tables.h"

#define STACK_PAGES 512

void _start(const struct bootinfo *info);

/* The kernel's variables are hashed, so what changes is kept on the stack; this
 * is not touched while that matters. */
static uint64_t hash = 1;
static uint64_t stack_end;

static uint64_t mix(uint64_t sum, uint64_t word)
{
	return (sum ^ word) * 0x9e3779b97f4a7c15 + (sum >> 29);
}

static void hash_table(uint64_t physical)
{
	hash = mix(hash, physical);
}

/* But for "accessed" and "dirty", which the CPU sets. */
static void hash_branch(uint64_t entry)
{
	hash = mix(hash, entry & ~(ENTRY_ACCESSED | ENTRY_DIRTY));
}

/* Pages of the kernel and BootInfo; the stack has a pattern of its own. */
static void hash_page(uint64_t address, uint64_t entry, uint64_t size)
{
	const uint64_t *words = (const uint64_t *)address;

	hash_branch(entry);
	if (size != PAGE || address < MIB || address - (stack_end - STACK_PAGES * PAGE) < STACK_PAGES * PAGE)
		return;
	for (size_t i = 0; i < PAGE / 8; i++)
		if (&words[i] != &hash)
			hash = mix(hash, words[i]);
}

static uint64_t hash_given(const struct bootinfo *info)
{
	struct walk walk = {
		.way = BY_PHYSICAL_MAP,
		.offset = info->physical_memory_offset,
		.table = hash_table,
		.branch = hash_branch,
		.page = hash_page,
	};
	uint64_t cr3;

	__asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
	hash = 1;
	walk_table(&walk, cr3, 4, 0);
	return hash;
}

static uint64_t pattern(uint64_t address)
{
	return (address ^ 0x5555555555555555) * 0x9e3779b97f4a7c15;
}

static void fill(uint64_t start, uint64_t end, uint64_t offset)
{
	for (uint64_t at = start; at < end; at += 8)
		*(volatile uint64_t *)(offset + at) = pattern(at);
}

static void compare(uint64_t start, uint64_t end, uint64_t offset)
{
	for (uint64_t at = start; at < end; at += 8)
		CHECK(*(volatile uint64_t *)(offset + at) == pattern(at), at);
}

static uint64_t for_usable(const struct bootinfo *info, void (*function)(uint64_t, uint64_t, uint64_t))
{
	uint64_t frames = 0;

	for (uint64_t i = 0; i < info->region_count; i++) {
		const struct bootinfo_region *region = &info->regions[i];

		if (region->type != BOOTINFO_USABLE)
			continue;
		function(region->start * PAGE, region->end * PAGE, info->physical_memory_offset);
		frames += region->end - region->start;
	}
	return frames;
}

void _start(const struct bootinfo *info)
{
	/* Of the stack what is far below this function's frame. */
	uint64_t here = (uint64_t)__builtin_frame_address(0), before;

	stack_end = (here + PAGE - 1) & -PAGE;
	fill(stack_end - STACK_PAGES * PAGE, stack_end - 2 * PAGE, 0);
	before = hash_given(info);
	for_usable(info, fill);
	CHECK(for_usable(info, compare) * PAGE >= 16 * MIB, 0);
	CHECK(hash_given(info) == before, before);
	compare(stack_end - STACK_PAGES * PAGE, stack_end - 2 * PAGE, 0);
	print("all usable memory is\n");
	finish(GUEST_PASS);
}
