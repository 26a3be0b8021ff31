/* SPDX-License-Identifier: MIT
 *
 * Walks through all page tables that are in use, by any of the ways in which a
 * kernel can reach them.
 */
#ifndef TABLES_H
#define TABLES_H

#include "guest.h"

#define ENTRY_PRESENT (1ul << 0)
#define ENTRY_ACCESSED (1ul << 5)
#define ENTRY_DIRTY (1ul << 6)
#define ENTRY_LARGE (1ul << 7)
#define ENTRY_ADDRESS 0x000ffffffffff000ul

#define SLOT_SHIFT 39			/* of an entry of the level 4 table */

enum way {
	BY_IDENTITY,		/* memory is mapped one to one */
	BY_PHYSICAL_MAP,	/* or from an offset on */
	BY_RECURSION,		/* an entry of the level 4 table refers to that table */
};

struct walk {
	enum way way;
	uint64_t offset;	/* of the physical map */
	uint64_t slot;		/* the recursive one, which is passed over; 0: there is none */
	/* Of each table its physical address; */
	void (*table)(uint64_t physical);
	/* of each entry that refers to one, and of the recursive one, its bits; */
	void (*branch)(uint64_t entry);
	/* and each page, large or not. */
	void (*page)(uint64_t address, uint64_t entry, uint64_t size);
};

static inline uint64_t canonical(uint64_t address)
{
	return (uint64_t)((int64_t)(address << 16) >> 16);
}

/* Where a recursive slot shows the table of a level that covers an address. */
static inline uint64_t recursive_table(uint64_t slot, int level, uint64_t address)
{
	uint64_t at = address & 0xfffffffff000;

	for (; level > 0; level--)
		at = at >> 9 | slot << SLOT_SHIFT;
	return canonical(at & 0xfffffffff000);
}

static inline const volatile uint64_t *table_at(const struct walk *walk, uint64_t physical, int level,
						uint64_t address)
{
	if (walk->way == BY_RECURSION)
		return (const volatile uint64_t *)recursive_table(walk->slot, level, address);
	return (const volatile uint64_t *)(walk->offset + physical);
}

static inline void walk_table(const struct walk *walk, uint64_t physical, int level, uint64_t address)
{
	const volatile uint64_t *table = table_at(walk, physical, level, address);
	int shift = 12 + 9 * (level - 1);

	walk->table(physical);
	for (uint64_t i = 0; i < 512; i++) {
		uint64_t entry = table[i], at = canonical(address | i << shift);

		/* Kernels take an entry for free if it is 0. */
		CHECK(entry == 0 || (entry & ENTRY_PRESENT), at);
		if (entry == 0)
			continue;
		if (level == 1 || (level < 4 && (entry & ENTRY_LARGE))) {
			walk->page(at, entry, 1ul << shift);
			continue;
		}
		walk->branch(entry);
		if (level == 4 && i == walk->slot && i != 0)
			CHECK((entry & ENTRY_ADDRESS) == physical, entry);
		else
			walk_table(walk, entry & ENTRY_ADDRESS, level - 1, at);
	}
}

#endif
