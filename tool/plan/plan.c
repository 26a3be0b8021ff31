/* SPDX-License-Identifier: MIT
 *
 * What every plan shares; see plan.h.
 */
#include "plan/plan.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bootabi.h"
#include "base/bytes.h"

static void *reallocate(void *memory, size_t size)
{
	memory = realloc(memory, size);
	if (memory == NULL) {
		fputs("mkbootimg: out of memory\n", stderr);
		abort();
	}
	return memory;
}

void *plan_grow(void *array, size_t *count, size_t size)
{
	/* It is full whenever the count is 0 or a power of two. */
	if ((*count & (*count - 1)) == 0)
		array = reallocate(array, (*count == 0 ? 1 : 2 * *count) * size);
	memset((unsigned char *)array + *count * size, 0, size);
	(*count)++;
	return array;
}

void plan_load(struct plan *plan, uint32_t block, uint64_t offset, uint32_t source,
	       uint64_t file_offset, uint64_t length)
{
	struct plan_extent *extent = plan->extent_count > 0 ? &plan->extents[plan->extent_count - 1] : NULL;

	if (extent == NULL || extent->block != block ||
	    offset - (extent->offset + extent->length) >= PAGE_SIZE) {
		extent = plan_append(plan->extents, plan->extent_count);
		*extent = (struct plan_extent){
			.block = block,
			.offset = offset,
			.first_piece = plan->piece_count,
		};
	}
	*plan_append(plan->pieces, plan->piece_count) = (struct plan_piece){
		.source = source,
		.file_offset = file_offset,
		.length = length,
		.offset = offset - extent->offset,
	};
	extent->piece_count++;
	extent->length = offset + length - extent->offset;
}

void plan_clear(struct plan *plan, uint32_t block, uint64_t start, uint64_t end)
{
	struct plan_zero *last = plan->zero_count > 0 ? &plan->zeros[plan->zero_count - 1] : NULL;

	if (start >= end)
		return;
	if (last != NULL && last->block == block && last->offset + last->length == start) {
		last->length += end - start;
		return;
	}
	*plan_append(plan->zeros, plan->zero_count) = (struct plan_zero){ block, start, end - start };
}

uint32_t plan_modules(struct plan *plan, const struct plan_options *options, uint64_t lowest)
{
	uint32_t first = (uint32_t)plan->block_count;

	for (size_t i = 0; i < options->module_count; i++) {
		uint64_t size = options->modules[i].size;
		uint64_t whole = align_up(size > 0 ? size : 1, PAGE_SIZE);
		uint32_t block = (uint32_t)plan->block_count;

		*plan_append(plan->blocks, plan->block_count) = (struct plan_block){
			.phys = BLOCK_ANYWHERE,
			.size = whole,
			.align = PAGE_SIZE,
			.lowest = lowest,
			.highest = PLAN_HIGHEST_PHYS,
			.kind = INFO_KIND_MODULES,
		};
		if (size > 0)
			plan_load(plan, block, 0, (uint32_t)(i + 1), 0, size);
		plan_clear(plan, block, size, whole);
	}
	return first;
}

static int compare_patches(const void *left, const void *right)
{
	const struct plan_patch *a = left, *b = right;

	if (a->block != b->block)
		return a->block < b->block ? -1 : 1;
	return a->offset < b->offset ? -1 : a->offset > b->offset;
}

void plan_sort_patches(struct plan *plan)
{
	if (plan->patch_count > 0)
		qsort(plan->patches, plan->patch_count, sizeof(plan->patches[0]), compare_patches);
}

uint32_t plan_info(struct plan *plan, const void *bytes, size_t size, size_t align)
{
	size_t offset = align_up(plan->info_size, align);

	plan->info = reallocate(plan->info, offset + size + 1);
	memset(plan->info + plan->info_size, 0, offset + size - plan->info_size);
	if (bytes != NULL)
		memcpy(plan->info + offset, bytes, size);
	plan->info_size = offset + size;
	return (uint32_t)offset;
}

uint32_t plan_info_string(struct plan *plan, const char *string)
{
	return plan_info(plan, string, strlen(string) + 1, 1);
}

uint32_t plan_info_cmdline(struct plan *plan, const char *cmdline)
{
	uint32_t offset = plan_info_string(plan, cmdline);

	plan->cmdline_offset = offset;
	plan->cmdline = reallocate(NULL, strlen(cmdline) + 1);
	strcpy(plan->cmdline, cmdline);
	return offset;
}

void plan_fixup(struct plan *plan, size_t offset, uint32_t width, uint32_t block)
{
	assert(offset + width <= plan->info_size);
	*plan_append(plan->fixups, plan->fixup_count) =
		(struct plan_fixup){ (uint32_t)offset, width, block };
}

void plan_put32(struct plan *plan, size_t offset, uint32_t value)
{
	assert(offset + 4 <= plan->info_size);
	put_le32(plan->info + offset, value);
}

void plan_put64(struct plan *plan, size_t offset, uint64_t value)
{
	assert(offset + 8 <= plan->info_size);
	put_le64(plan->info + offset, value);
}

void plan_point32(struct plan *plan, size_t offset, uint32_t target)
{
	plan_put32(plan, offset, target);
	plan_fixup(plan, offset, 4, BLOCK_NONE);
}

void plan_point64(struct plan *plan, size_t offset, uint32_t target)
{
	plan_put64(plan, offset, target);
	plan_fixup(plan, offset, 8, BLOCK_NONE);
}

int plan_fits(const struct plan *plan, const char *name, struct error *err)
{
	uint64_t total = 0;

	for (size_t i = 0; i < plan->block_count; i++)
		total += plan->blocks[i].size;
	if (plan->block_count > BT_MAX_BLOCKS)
		return error_set(err, ERROR_INPUT, 0,
				 "'%s' and its modules are %zu separate pieces; the loader has room for %d",
				 name, plan->block_count, BT_MAX_BLOCKS);
	if (total > PLAN_MOST_MEMORY)
		return error_set(err, ERROR_INPUT, 0,
				 "'%s' needs %" PRIu64 " MiB of memory; a PC has at most 3 GiB for it", name,
				 (total + 0xfffff) >> 20);
	return 0;
}

bool plan_has_stack(const struct plan *plan)
{
	for (size_t i = 0; i < plan->block_count; i++) {
		if (plan->blocks[i].kind == INFO_KIND_STACK)
			return true;
	}
	return false;
}

uint64_t plan_memory(const struct plan *plan)
{
	/* A stack that is a block is counted among these. */
	uint64_t movable = (plan_has_stack(plan) ? 0 : plan->stack_size) + (uint64_t)plan->table_pages * PAGE_SIZE;
	uint64_t fixed = 0, fixed_end = 0, end = 0;

	for (size_t i = 0; i < plan->block_count; i++) {
		const struct plan_block *block = &plan->blocks[i];

		if (block->flags & BLOCK_FIXED) {
			fixed += block->size;
			if (block->phys + block->size > fixed_end)
				fixed_end = block->phys + block->size;
		} else {
			movable += block->size;
			if (block->lowest > PLAN_LOWEST_PHYS && block->lowest + block->size > end)
				end = block->lowest + block->size;
		}
	}
	movable += fixed_end > fixed ? fixed_end : fixed;
	return movable > end ? movable : end;
}

void plan_warn(struct plan *plan, const char *format, ...)
{
	va_list args;

	if (plan->warning_count == PLAN_WARNINGS)
		return;
	va_start(args, format);
	vsnprintf(plan->warnings[plan->warning_count].text, sizeof(plan->warnings[0].text), format, args);
	va_end(args);
	plan->warning_count++;
}

void plan_free(struct plan *plan)
{
	free(plan->blocks);
	free(plan->pieces);
	free(plan->extents);
	free(plan->patches);
	free(plan->zeros);
	free(plan->maps);
	free(plan->info);
	free(plan->fixups);
	free(plan->cmdline);
	*plan = (struct plan){0};
}
