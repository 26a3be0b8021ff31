/* SPDX-License-Identifier: MIT
 *
 * Where segments go; see placed.h.
 */
#include "kernel/placed.h"

#include <elf.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bootabi.h"
#include "base/bytes.h"

/* A position-independent kernel is usually linked at 0, where nothing can be.
 * It goes to where a kernel linked without much thought would be: identity
 * mapped, above the first MiB, large pages fit. */
#define DEFAULT_BASE UINT64_C(0x200000)

static int check_base(const struct kernel *kernel, uint64_t base, const char *name,
		      struct error *err)
{
	uint64_t lowest = align_down(kernel->segments[0].vaddr, PAGE_SIZE);

	if (kernel->type != ET_DYN) {
		error_set(err, ERROR_USAGE, 0,
			  "'%s' is linked at fixed addresses: it cannot be moved to --kernel-base 0x%" PRIx64,
			  name, base);
		return error_hint(err, "link it with -static-pie, or at that address");
	}
	for (size_t i = 0; i < kernel->segment_count; i++) {
		const struct segment *segment = &kernel->segments[i];

		if (segment->align > 1 && (base - lowest) % segment->align != 0)
			return error_set(err, ERROR_USAGE, 0,
					 "--kernel-base 0x%" PRIx64
					 " does not keep the alignment of %s of '%s', 0x%" PRIx64,
					 base, segment_label(segment).text, name, segment->align);
	}
	return 0;
}

static uint64_t largest_alignment(const struct kernel *kernel)
{
	uint64_t largest = PAGE_SIZE;

	for (size_t i = 0; i < kernel->segment_count; i++) {
		uint64_t align = kernel->segments[i].align;

		if (align > largest && (align & (align - 1)) == 0)
			largest = align;
	}
	return largest;
}

/* What is aligned stays aligned: the slide is a multiple of every alignment. */
static uint64_t find_slide(const struct kernel *kernel, const struct plan_options *options)
{
	uint64_t lowest = align_down(kernel->segments[0].vaddr, PAGE_SIZE);

	if (options->kernel_base != NULL)
		return *options->kernel_base - lowest;
	if (kernel->type != ET_DYN || lowest >= PLAN_LOWEST_PHYS)
		return 0;
	return align_up(DEFAULT_BASE - lowest, largest_alignment(kernel));
}

/* Linked with -Ttext=0x100000, a kernel has its ELF headers right below. */
static void trim_headers(struct segment *segment, const struct kernel *kernel, uint64_t address)
{
	uint64_t bytes = 0;

	if (address < PAGE_SIZE)
		bytes = PAGE_SIZE - address;
	else if (address >= 0xa0000 && address < PLAN_LOWEST_PHYS)
		bytes = PLAN_LOWEST_PHYS - address;
	if (bytes == 0 || !kernel_only_headers(kernel, segment, bytes))
		return;
	if (bytes > segment->memsz)
		bytes = segment->memsz;
	segment->offset += bytes;
	segment->vaddr += bytes;
	segment->paddr += bytes;
	segment->filesz -= bytes < segment->filesz ? bytes : segment->filesz;
	segment->memsz -= bytes;
}

int placed_make(struct placed *placed, const struct kernel *kernel,
		const struct plan_options *options, bool physical, const char *name,
		struct error *err)
{
	*placed = (struct placed){0};
	if (options->kernel_base != NULL && check_base(kernel, *options->kernel_base, name, err) != 0)
		return -1;
	placed->slide = find_slide(kernel, options);
	placed->entry = kernel->entry + placed->slide;
	if (kernel->type == ET_DYN && relocate(kernel, placed->slide, name, &placed->relocations,
					       &placed->relocation_count, err) != 0)
		return -1;
	for (size_t i = 0; i < kernel->segment_count; i++) {
		struct segment *segment = plan_append(placed->segments, placed->segment_count);

		*segment = kernel->segments[i];
		segment->vaddr += placed->slide;
		segment->paddr += placed->slide;
		/* They ascend; one that has wrapped around lies below the first. */
		bool wrapped = segment->memsz - 1 > UINT64_MAX - segment->vaddr ||
			       segment->vaddr < kernel->segments[0].vaddr + placed->slide;
		trim_headers(segment, kernel, physical ? segment->paddr : segment->vaddr);
		if (segment->memsz == 0) {
			placed->segment_count--;
			continue;
		}
		if (wrapped) {
			error_set(err, ERROR_USAGE, 0,
				  "'%s': %s wraps around the end of the address space", name,
				  segment_label(segment).text);
			error_hint(err, "choose a lower --kernel-base");
			placed_free(placed);
			return -1;
		}
	}
	return 0;
}

void placed_free(struct placed *placed)
{
	free(placed->segments);
	free(placed->relocations);
	*placed = (struct placed){0};
}

/* The first relocation at or behind an address. */
static size_t find_relocation(const struct placed *placed, uint64_t address)
{
	size_t low = 0, high = placed->relocation_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (placed->relocations[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void placed_load(const struct placed *placed, const struct segment *segment, struct plan *plan,
		 uint32_t block, uint64_t offset)
{
	uint64_t linked = segment->vaddr - placed->slide;

	if (segment->filesz == 0)
		return;
	plan_load(plan, block, offset, 0, segment->offset, segment->filesz);
	for (size_t i = find_relocation(placed, linked); i < placed->relocation_count; i++) {
		const struct relocation *relocation = &placed->relocations[i];

		if (relocation->address - linked >= segment->filesz)
			break;
		*plan_append(plan->patches, plan->patch_count) = (struct plan_patch){
			.block = block,
			.width = relocation->width,
			.offset = offset + (relocation->address - linked),
			.value = relocation->value,
		};
	}
}
