/* SPDX-License-Identifier: MIT
 *
 * Section headers; see sections.h.  A file whose sections cannot be read has
 * none: they are a help, and stripping them is common.
 */
#include "kernel/sections.h"

#include <gelf.h>
#include <libelf.h>
#include <string.h>

#include "bootabi.h"
#include "base/bytes.h"

#define MOST_SECTIONS 0xff00	/* more have other numbers (SHN_XINDEX) */

/* The table as it lies in the file; NULL if it is not all there. */
static const unsigned char *find_table(const struct kernel *kernel, Elf *elf, size_t *count,
				       size_t *entry_size, size_t *strings)
{
	GElf_Ehdr header;

	if (elf == NULL || gelf_getehdr(elf, &header) == NULL || elf_getshdrnum(elf, count) != 0 ||
	    elf_getshdrstrndx(elf, strings) != 0 || *count == 0 || *count >= MOST_SECTIONS)
		return NULL;
	*entry_size = kernel->is_64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
	if (header.e_shentsize != *entry_size || header.e_shoff > kernel->size ||
	    *count > (kernel->size - header.e_shoff) / *entry_size)
		return NULL;
	return kernel->bytes + header.e_shoff;
}

uint64_t sections_size(const struct kernel *kernel)
{
	size_t count, entry_size, strings;

	if (!kernel->is_elf)
		return 0;
	Elf *elf = elf_memory((char *)(uintptr_t)kernel->bytes, kernel->size);
	bool found = find_table(kernel, elf, &count, &entry_size, &strings) != NULL;
	elf_end(elf);
	return found ? count * entry_size : 0;
}

/* Load the sections that are of use to a kernel and not in its segments. */
static void load_sections(struct plan *plan, const struct kernel *kernel, Elf *elf,
			  const struct sections *sections, uint64_t lowest)
{
	size_t address_at = kernel->is_64 ? offsetof(Elf64_Shdr, sh_addr) : offsetof(Elf32_Shdr, sh_addr);
	uint32_t width = kernel->is_64 ? 8 : 4, block = (uint32_t)plan->block_count;
	uint64_t end = 0;

	for (size_t i = 1; i < sections->count; i++) {
		Elf_Scn *scn = elf_getscn(elf, i);
		GElf_Shdr shdr;

		if (scn == NULL || gelf_getshdr(scn, &shdr) == NULL || shdr.sh_flags & SHF_ALLOC ||
		    (shdr.sh_type != SHT_SYMTAB && shdr.sh_type != SHT_STRTAB) || shdr.sh_size == 0 ||
		    shdr.sh_offset > kernel->size || shdr.sh_size > kernel->size - shdr.sh_offset)
			continue;
		uint64_t start = align_up(end, 16);
		size_t field = sections->offset + i * sections->entry_size + address_at;
		if (width == 8)
			plan_put64(plan, field, start);
		else
			plan_put32(plan, field, (uint32_t)start);
		plan_fixup(plan, field, width, block);
		if (end == 0)
			*plan_append(plan->blocks, plan->block_count) = (struct plan_block){
				.phys = BLOCK_ANYWHERE,
				.align = PAGE_SIZE,
				.lowest = lowest,
				.highest = PLAN_HIGHEST_PHYS,
				.kind = INFO_KIND_MODULES,
			};
		plan_load(plan, block, start, 0, shdr.sh_offset, shdr.sh_size);
		end = start + shdr.sh_size;
		plan->blocks[block].size = align_up(end, PAGE_SIZE);
	}
}

void sections_plan(struct plan *plan, const struct kernel *kernel, uint64_t lowest, size_t align,
		   struct sections *sections)
{
	size_t count, entry_size, strings;

	*sections = (struct sections){0};
	if (!kernel->is_elf)
		return;
	Elf *elf = elf_memory((char *)(uintptr_t)kernel->bytes, kernel->size);
	const unsigned char *table = find_table(kernel, elf, &count, &entry_size, &strings);
	if (table != NULL) {
		sections->offset = plan_info(plan, table, count * entry_size, align);
		sections->count = (uint32_t)count;
		sections->entry_size = (uint32_t)entry_size;
		sections->strings = (uint32_t)strings;
		load_sections(plan, kernel, elf, sections, lowest);
	}
	elf_end(elf);
}
