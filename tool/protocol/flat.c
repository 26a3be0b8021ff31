/* SPDX-License-Identifier: MIT
 *
 * 32-bit kernels; see flat.h.
 */
#include "protocol/flat.h"

#include <elf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bootabi.h"
#include "base/bytes.h"
#include "base/fileio.h"
#include "kernel/placed.h"

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)
#define DEFAULT_STACK (64 * KIB)

/* Segments further apart than this get blocks of their own: the memory between
 * them stays free, and need not be there. */
#define BLOCK_GAP (64 * KIB)

/* Segments sorted by physical address; their p_vaddr no longer matters. */
struct flat {
	const struct kernel *kernel;
	const struct flat_request *request;
	const char *name;
	struct plan *plan;
	struct placed placed;
	struct {
		uint32_t index;
		uint64_t start;		/* as linked */
	} *blocks;			/* of each segment */
	uint64_t first;			/* offset of the image's first byte in block 0 */
};

/* "segment 1 (.text, at physical address 0x100000-0x101000)" */
struct place_label {
	char text[200];
};
static struct place_label place_label(const struct segment *segment)
{
	struct place_label label;

	if (segment->index == UINT32_MAX)
		snprintf(label.text, sizeof(label.text), "the image (by its Multiboot header at 0x%" PRIx64 "-0x%" PRIx64 ")",
			 segment->paddr, segment->paddr + segment->memsz);
	else
		snprintf(label.text, sizeof(label.text), "segment %u (%s%sat physical address 0x%" PRIx64 "-0x%" PRIx64 ")",
			 segment->index, segment->sections, segment->sections[0] != '\0' ? ", " : "",
			 segment->paddr, segment->paddr + segment->memsz);
	return label;
}

static int compare_places(const void *left, const void *right)
{
	const struct segment *a = left, *b = right;

	if (a->paddr != b->paddr)
		return a->paddr < b->paddr ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

/* ---- What is refused ----------------------------------------------------- */

static int check_place(const struct flat *f, const struct segment *segment, struct error *err)
{
	uint64_t start = segment->paddr, size = segment->memsz;

	if (start >= PLAN_HIGHEST_PHYS || size > PLAN_HIGHEST_PHYS - start) {
		error_set(err, ERROR_INPUT, 0, "'%s': %s lies above 4 GiB, where a 32-bit protocol does not reach",
			  f->name, place_label(segment).text);
		return error_hint(err, "give it a lower physical address (AT() in the linker script)");
	}
	if (start < MIB && start + size > 0xa0000) {
		error_set(err, ERROR_INPUT, 0,
			  "'%s': %s covers 0xa0000-0xfffff, where a PC has video memory and firmware", f->name,
			  place_label(segment).text);
		return error_hint(err, "link it at 0x100000 or above");
	}
	if (start < LOW_KERNEL_START) {
		error_set(err, ERROR_INPUT, 0,
			  "'%s': %s lies in the first page, which holds the firmware's interrupt vectors", f->name,
			  place_label(segment).text);
		return error_hint(err, "link it at 0x100000 or above; if only ELF headers lie there, keep them out of the segment");
	}
	if (start < MIB && start + size > LOW_KERNEL_END) {
		error_set(err, ERROR_INPUT, 0,
			  "'%s': %s reaches over 0x%x, where stack, GDT and boot information lie", f->name,
			  place_label(segment).text, LOW_KERNEL_END);
		return error_hint(err, "link it below that, or at 0x100000 or above");
	}
	return 0;
}

static int check_places(const struct flat *f, struct error *err)
{
	const struct segment *segments = f->placed.segments;

	for (size_t i = 0; i < f->placed.segment_count; i++) {
		if (check_place(f, &segments[i], err) != 0)
			return -1;
		if (i > 0 && segments[i].paddr - segments[i - 1].paddr < segments[i - 1].memsz) {
			error_set(err, ERROR_INPUT, 0, "'%s': %s overlaps %s", f->name,
				  place_label(&segments[i - 1]).text, place_label(&segments[i]).text);
			return error_hint(err, "check AT() and the LMA columns of readelf -l");
		}
	}
	return 0;
}

/* ---- Segments ------------------------------------------------------------ */

/* One segment as the Multiboot header has it. */
static void place_by_header(struct flat *f)
{
	const struct header_image *image = f->request->image;

	*plan_append(f->placed.segments, f->placed.segment_count) = (struct segment){
		.index = UINT32_MAX,
		.offset = image->offset,
		.vaddr = image->paddr,
		.paddr = image->paddr,
		.filesz = image->filesz,
		.memsz = image->memsz,
		.flags = PF_R | PF_W | PF_X,
	};
}

static int place_segments(struct flat *f, const struct plan_options *options, struct error *err)
{
	if (f->request->image != NULL) {
		if (options->kernel_base != NULL)
			return error_set(err, ERROR_USAGE, 0,
					 "'%s' goes where its Multiboot header says, not to --kernel-base", f->name);
		place_by_header(f);
	} else if (!f->kernel->is_elf) {
		error_set(err, ERROR_INPUT, 0,
			  "'%s' is not an ELF file, and its Multiboot header does not say where it goes", f->name);
		return error_hint(err, "give the linked ELF file, or add address fields to the header");
	} else if (placed_make(&f->placed, f->kernel, options, true, f->name, err) != 0) {
		return -1;
	}
	qsort(f->placed.segments, f->placed.segment_count, sizeof(f->placed.segments[0]), compare_places);
	return check_places(f, err);
}

/* Does the segment belong to the block that ends at end? */
static bool belongs(const struct flat *f, const struct segment *segment, uint64_t end)
{
	/* What is moved is moved as a whole. */
	return f->request->range != NULL || align_down(segment->paddr, PAGE_SIZE) <= end + BLOCK_GAP;
}

static struct plan_block *add_block(struct flat *f, const struct segment *segment)
{
	const struct flat_range *range = f->request->range;
	struct plan_block *block = plan_append(f->plan->blocks, f->plan->block_count);

	block->phys = align_down(segment->paddr, PAGE_SIZE);
	block->align = PAGE_SIZE;
	block->highest = PLAN_HIGHEST_PHYS;
	block->kind = INFO_KIND_KERNEL;
	if (range == NULL) {
		block->flags = BLOCK_FIXED;
		return block;
	}
	block->align = range->align > PAGE_SIZE ? range->align : PAGE_SIZE;
	block->lowest = range->lowest;
	block->highest = range->highest;
	block->flags = range->top ? BLOCK_TOP : 0;
	return block;
}

static void plan_segments(struct flat *f)
{
	struct plan *plan = f->plan;
	struct plan_block *block = NULL;
	uint64_t start = 0, end = 0;	/* of the block, as linked */

	for (size_t i = 0; i < f->placed.segment_count; i++) {
		const struct segment *segment = &f->placed.segments[i];

		if (block == NULL || !belongs(f, segment, end)) {
			block = add_block(f, segment);
			start = align_down(segment->paddr, PAGE_SIZE);
		}
		uint32_t index = (uint32_t)(plan->block_count - 1);
		uint64_t offset = segment->paddr - start;
		placed_load(&f->placed, segment, plan, index, offset);
		plan_clear(plan, index, offset + segment->filesz, offset + segment->memsz);
		end = align_up(segment->paddr + segment->memsz, PAGE_SIZE);
		block->size = end - start;
		f->blocks[i].index = index;
		f->blocks[i].start = start;
	}
	plan_sort_patches(plan);
	if (f->request->range != NULL && block != NULL &&
	    (f->request->range->anywhere || start < block->lowest || end > block->highest ||
	     start % block->align != 0))
		block->phys = BLOCK_ANYWHERE;
}

/* Is there room for what may be moved, where it may be? */
static int check_range(const struct flat *f, struct error *err)
{
	const struct plan_block *block = f->plan->blocks;

	if (f->request->range == NULL || f->plan->block_count == 0)
		return 0;
	uint64_t start = align_up(block->lowest, block->align);
	if (start < block->highest && block->size <= block->highest - start)
		return 0;
	error_set(err, ERROR_INPUT, 0,
		  "'%s': its relocatable tag allows 0x%" PRIx64 "-0x%" PRIx64 " (aligned to 0x%" PRIx64
		  "), where its %" PRIu64 " KiB do not fit",
		  f->name, block->lowest, block->highest, block->align, block->size / 1024);
	return error_hint(err, "widen min_addr and max_addr of the tag");
}

/* ---- Entry point --------------------------------------------------------- */

/* e_entry may be virtual, or physical although p_vaddr is high. */
static uint64_t physical_entry(const struct flat *f)
{
	uint64_t entry = f->placed.entry;

	if (f->request->entry != NULL)
		return *f->request->entry + f->placed.slide;
	for (size_t i = 0; i < f->placed.segment_count; i++) {
		const struct segment *segment = &f->placed.segments[i];

		if (entry - segment->vaddr < segment->memsz)
			return segment->paddr + (entry - segment->vaddr);
	}
	return entry;
}

static int plan_entry(struct flat *f, struct error *err)
{
	bool named = f->request->entry == NULL && f->kernel->entry_symbol[0] != '\0';
	uint64_t entry = physical_entry(f);

	for (size_t i = 0; i < f->placed.segment_count; i++) {
		const struct segment *segment = &f->placed.segments[i];

		if (entry - segment->paddr >= segment->memsz)
			continue;
		f->plan->entry = entry;
		f->plan->entry_block = f->blocks[i].index;
		f->plan->entry_offset = entry - f->blocks[i].start;
		return 0;
	}
	error_set(err, ERROR_INPUT, 0, "'%s': the entry point 0x%" PRIx64 "%s%s%s lies in no segment", f->name,
		  entry, named ? " (" : "", named ? f->kernel->entry_symbol : "", named ? ")" : "");
	if (f->request->entry != NULL)
		return error_hint(err, "check the entry address in the file's boot header or note");
	return error_hint(err, "is _start defined, and kept by the linker?  See ENTRY() and readelf -h");
}

/* ---- All together -------------------------------------------------------- */

/* Where the kernel ends, if that is known now. */
static uint64_t find_end(const struct plan *plan)
{
	uint64_t end = PLAN_LOWEST_PHYS;

	for (size_t i = 0; i < plan->block_count; i++) {
		const struct plan_block *block = &plan->blocks[i];

		if (block->phys != BLOCK_ANYWHERE && block->phys + block->size > end)
			end = block->phys + block->size;
	}
	return end;
}

static int make_plan(struct flat *f, const struct plan_options *options, struct error *err)
{
	uint64_t stack = options->stack_size != 0 ? options->stack_size : DEFAULT_STACK;

	if (stack > LOW_MAX_STACK)
		return error_set(err, ERROR_USAGE, 0,
				 "--stack-size: a 32-bit kernel's stack lies below 640 KiB, with room for %d KiB",
				 LOW_MAX_STACK / 1024);
	f->plan->protocol = f->request->protocol;
	f->plan->info_block = BLOCK_NONE;
	f->plan->stack_size = align_up(stack, PAGE_SIZE);
	if (place_segments(f, options, err) != 0)
		return -1;
	f->blocks = calloc(f->placed.segment_count + 1, sizeof(f->blocks[0]));
	if (f->blocks == NULL)
		return error_set(err, ERROR_SYSTEM, 0, "out of memory for '%s'", f->name);
	plan_segments(f);
	if (check_range(f, err) != 0)
		return -1;
	if (f->placed.segment_count > 0)
		f->first = f->placed.segments[0].paddr - f->blocks[0].start;
	f->plan->slide = f->placed.slide;
	return plan_entry(f, err);
}

int flat_plan(struct plan *plan, const struct kernel *kernel, const struct plan_options *options,
	      const struct flat_request *request, const char *name, struct flat_place *place,
	      struct error *err)
{
	struct flat f = { .kernel = kernel, .request = request, .name = name, .plan = plan };

	*plan = (struct plan){0};
	int result = make_plan(&f, options, err);
	placed_free(&f.placed);
	free(f.blocks);
	if (result != 0)
		plan_free(plan);
	else
		*place = (struct flat_place){ .behind = find_end(plan), .first = f.first };
	return result;
}

int flat_finish(struct plan *plan, const char *name, struct error *err)
{
	int result = plan_fits(plan, name, err);

	if (result == 0 && plan->info_size > LOW_MAX_INFO)
		result = error_set(err, ERROR_INPUT, 0,
				   "what '%s' is to be told (modules, sections, command line) takes %zu bytes; the loader has room for %d",
				   name, plan->info_size, LOW_MAX_INFO);
	if (result != 0)
		plan_free(plan);
	return result;
}

char *flat_cmdline(const struct plan_options *options)
{
	return format_string("%s%s%s", options->kernel_name, options->cmdline[0] != '\0' ? " " : "",
			     options->cmdline);
}

struct plan_video flat_video(uint32_t width, uint32_t height, uint32_t depth)
{
	return (struct plan_video){
		.mode = VIDEO_PREFER,
		.width = width < UINT16_MAX ? (uint16_t)width : UINT16_MAX,
		.height = height < UINT16_MAX ? (uint16_t)height : UINT16_MAX,
		.depth = depth < UINT8_MAX ? (uint8_t)depth : UINT8_MAX,
	};
}
