/* SPDX-License-Identifier: MIT
 *
 * Test kernel "map": prints the memory map from 1 MiB up, in whole pages, with
 * neighbours of a kind merged: so much is the same whichever protocol tells it.
 * Words of its command line say what must be in it:
 *	is=START-END:KIND	in one piece, of this kind (KIND_*; 0: in no piece)
 */
#include "boot.h"

static const char *const names[] = { "", "RAM", "reserved", "ACPI reclaimable", "ACPI NVS", "bad" };

static struct region merged[MAX_REGIONS];
static size_t merged_count;

static void print_region(const struct region *region)
{
	print_hex(region->start);
	print("-");
	print_hex(region->start + region->size);
	print(" ");
	print(names[region->kind]);
	print("\n");
}

/* "START-END:KIND" */
static void check_is(const char *what)
{
	uint64_t start = read_number(what, &what), end, kind, found = 0;

	CHECK(*what == '-', *what);
	end = read_number(what + 1, &what);
	CHECK(*what == ':', *what);
	kind = read_number(what + 1, &what);
	for (size_t i = 0; i < merged_count; i++) {
		const struct region *region = &merged[i];

		if (start >= region->start + region->size || end <= region->start)
			continue;
		found = region->kind;
		CHECK(found == kind, region->start);
		CHECK(start >= region->start && end <= region->start + region->size, region->start);
	}
	CHECK(found == kind, start);
}

/* RAM's ends are rounded inwards, others' outwards. */
static struct region whole_pages(const struct region *region)
{
	uint64_t inwards = region->kind == KIND_RAM ? PAGE - 1 : 0, outwards = PAGE - 1 - inwards;
	uint64_t start = (region->start + inwards) & ~(uint64_t)(PAGE - 1);
	uint64_t end = (region->start + region->size + outwards) & ~(uint64_t)(PAGE - 1);

	if (start < MIB)
		start = MIB;
	return (struct region){ start, end > start ? end - start : 0, region->kind };
}

void kernel(const struct boot *boot)
{
	uint64_t last = 0;

	for (size_t i = 0; i < boot->region_count; i++) {
		struct region region = whole_pages(&boot->regions[i]);

		CHECK(region.kind >= KIND_RAM && region.kind <= KIND_BAD, region.kind);
		CHECK(boot->regions[i].start >= last, boot->regions[i].start);
		last = boot->regions[i].start + boot->regions[i].size;
		if (region.size == 0)
			continue;
		if (merged_count > 0) {
			struct region *before = &merged[merged_count - 1];

			if (before->kind == region.kind && before->start + before->size == region.start) {
				before->size += region.size;
				continue;
			}
		}
		merged[merged_count++] = region;
	}
	for (size_t i = 0; i < merged_count; i++)
		print_region(&merged[i]);
	for (const char *word = boot->command_line; (word = find_word(word, "is=")) != NULL;)
		check_is(word);
	finish_as_told(boot);
}
