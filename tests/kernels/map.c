/* SPDX-License-Identifier: MIT
 *
 * Test kernel "map": prints the memory map from 1 MiB up, in whole pages, with
 * neighbours of a kind merged: so much is the same whichever protocol tells it.
 */
#include "boot.h"

static const char *const names[] = { "", "RAM", "reserved", "ACPI reclaimable", "ACPI NVS", "bad" };

static struct region pending;

static void print_pending(void)
{
	if (pending.size == 0)
		return;
	print_hex(pending.start);
	print("-");
	print_hex(pending.start + pending.size);
	print(" ");
	print(names[pending.kind]);
	print("\n");
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
		if (pending.kind == region.kind && pending.start + pending.size == region.start) {
			pending.size += region.size;
			continue;
		}
		print_pending();
		pending = region;
	}
	print_pending();
	finish_as_told(boot);
}
