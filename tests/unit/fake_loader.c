/* SPDX-License-Identifier: MIT
 *
 * The loader on the host; see fake_loader.h.
 */
#include "fake_loader.h"

#include <stdlib.h>

#include "bootabi.h"
#include "unit.h"

/* Memory above 1 MiB up to here is what the blocks share. */
#define MEMORY_END UINT64_C(0x100000000)

static bool is_free(const struct fake_machine *machine, uint64_t start, uint64_t size)
{
	for (size_t i = 0; i < machine->count; i++) {
		const struct fake_piece *piece = &machine->pieces[i];

		if (piece->size > 0 && start < piece->start + piece->size && piece->start < start + size)
			return false;
	}
	return true;
}

/* The first place for a block, or with BLOCK_TOP the last. */
static uint64_t find_place(const struct fake_machine *machine, const struct plan_block *block)
{
	uint64_t first = (block->lowest + block->align - 1) / block->align * block->align + block->phase;
	uint64_t found = BLOCK_ANYWHERE;
	unsigned int tries = 0;

	if (block->flags & BLOCK_TOP) {
		CHECK(block->size <= block->highest, "no place for a block");
		first = (block->highest - block->size) / block->align * block->align + block->phase;
	}
	for (uint64_t at = first; found == BLOCK_ANYWHERE && tries < 100000; tries++) {
		CHECK(at >= block->lowest && at + block->size <= block->highest, "no place for a block");
		if (is_free(machine, at, block->size))
			found = at;
		at = block->flags & BLOCK_TOP ? at - block->align : at + block->align;
	}
	return found;
}

/* Those with a wanted address first, as the loader does. */
static void place_blocks(struct fake_machine *machine, const struct plan *plan)
{
	for (size_t i = 0; i < plan->block_count; i++) {
		const struct plan_block *block = &plan->blocks[i];
		struct fake_piece *piece = &machine->pieces[i];
		uint64_t start = block->phys != BLOCK_ANYWHERE ? block->phys : find_place(machine, block);

		CHECK(start % PAGE_SIZE == 0 && block->size % PAGE_SIZE == 0, "block %zu: pages", i);
		CHECK(start < MEMORY_END && block->size <= MEMORY_END - start, "block %zu: memory", i);
		CHECK(is_free(machine, start, block->size), "block %zu: taken", i);
		piece->bytes = malloc(block->size);
		assert_non_null(piece->bytes);
		memset(piece->bytes, FAKE_DIRT, block->size);
		piece->start = start;
		piece->size = block->size;
	}
}

static unsigned char *in_block(struct fake_machine *machine, uint32_t block, uint64_t offset,
			       uint64_t length)
{
	CHECK(block + (size_t)1 < machine->count, "no block %u", block);
	const struct fake_piece *piece = &machine->pieces[block];

	CHECK(offset <= piece->size && length <= piece->size - offset, "out of block %u", block);
	return piece->bytes + offset;
}

static void load_extents(struct fake_machine *machine, const struct plan *plan,
			 const struct fake_file *files, size_t file_count)
{
	for (size_t i = 0; i < plan->extent_count; i++) {
		const struct plan_extent *extent = &plan->extents[i];
		unsigned char *to = in_block(machine, extent->block, extent->offset, extent->length);

		memset(to, 0, extent->length);
		for (size_t k = 0; k < extent->piece_count; k++) {
			const struct plan_piece *piece = &plan->pieces[extent->first_piece + k];

			CHECK(piece->source < file_count, "extent %zu: no file %u", i, piece->source);
			const struct fake_file *file = &files[piece->source];
			CHECK(piece->file_offset <= file->size &&
				      piece->length <= file->size - piece->file_offset &&
				      piece->offset <= extent->length &&
				      piece->length <= extent->length - piece->offset,
			      "extent %zu, piece %zu", i, k);
			memcpy(to + piece->offset, file->bytes + piece->file_offset, piece->length);
		}
	}
	for (size_t i = 0; i < plan->patch_count; i++) {
		const struct plan_patch *patch = &plan->patches[i];
		unsigned char *to = in_block(machine, patch->block, patch->offset, patch->width);

		for (uint32_t k = 0; k < patch->width; k++)
			to[k] = (unsigned char)(patch->value >> 8 * k);
	}
}

static void add_to(unsigned char *field, uint32_t width, uint64_t address)
{
	uint64_t value = 0;

	for (uint32_t i = width; i-- > 0;)
		value = value << 8 | field[i];
	value += address;
	for (uint32_t i = 0; i < width; i++)
		field[i] = (unsigned char)(value >> 8 * i);
}

static void write_info(struct fake_machine *machine, const struct plan *plan, uint64_t info)
{
	struct fake_piece *piece = &machine->pieces[plan->block_count];

	piece->bytes = malloc(plan->info_size);
	assert_non_null(piece->bytes);
	memcpy(piece->bytes, plan->info, plan->info_size);
	piece->start = info;
	piece->size = plan->info_size;
	machine->info = info;
	for (size_t i = 0; i < plan->fixup_count; i++) {
		const struct plan_fixup *fixup = &plan->fixups[i];
		uint64_t address = info;

		CHECK(fixup->offset + (size_t)fixup->width <= plan->info_size, "fixup %zu", i);
		if (fixup->block != BLOCK_NONE) {
			in_block(machine, fixup->block, 0, 1);
			address = machine->pieces[fixup->block].start;
		}
		add_to(piece->bytes + fixup->offset, fixup->width, address);
	}
}

void fake_load(struct fake_machine *machine, const struct plan *plan,
	       const struct fake_file *files, size_t file_count, uint64_t info)
{
	*machine = (struct fake_machine){ .count = plan->block_count + 1 };
	machine->pieces = calloc(machine->count, sizeof(machine->pieces[0]));
	assert_non_null(machine->pieces);
	place_blocks(machine, plan);
	load_extents(machine, plan, files, file_count);
	for (size_t i = 0; i < plan->zero_count; i++) {
		const struct plan_zero *zero = &plan->zeros[i];

		memset(in_block(machine, zero->block, zero->offset, zero->length), 0, zero->length);
	}
	write_info(machine, plan, info);
	machine->entry = plan->entry;
	if (plan->entry_block != BLOCK_NONE) {
		in_block(machine, plan->entry_block, plan->entry_offset, 1);
		machine->entry = machine->pieces[plan->entry_block].start + plan->entry_offset;
	}
}

void fake_free(struct fake_machine *machine)
{
	for (size_t i = 0; i < machine->count; i++)
		free(machine->pieces[i].bytes);
	free(machine->pieces);
	*machine = (struct fake_machine){0};
}

const unsigned char *fake_at(const struct fake_machine *machine, uint64_t address, uint64_t size)
{
	for (size_t i = 0; i < machine->count; i++) {
		const struct fake_piece *piece = &machine->pieces[i];

		if (address >= piece->start && address - piece->start <= piece->size &&
		    size <= piece->size - (address - piece->start))
			return piece->bytes + (address - piece->start);
	}
	CHECK(false, "0x%llx: no memory of ours", (unsigned long long)address);
	return NULL;
}

uint32_t fake_u32(const struct fake_machine *machine, uint64_t address)
{
	const unsigned char *p = fake_at(machine, address, 4);

	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

uint64_t fake_u64(const struct fake_machine *machine, uint64_t address)
{
	return fake_u32(machine, address) | (uint64_t)fake_u32(machine, address + 4) << 32;
}

const char *fake_string(const struct fake_machine *machine, uint64_t address)
{
	const unsigned char *string = fake_at(machine, address, 1);
	const struct fake_piece *info = &machine->pieces[machine->count - 1];

	CHECK(address >= info->start && address - info->start < info->size, "not in the info");
	CHECK(memchr(string, '\0', info->size - (address - info->start)) != NULL, "no end");
	return (const char *)string;
}
