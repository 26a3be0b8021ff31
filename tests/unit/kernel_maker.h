/* SPDX-License-Identifier: MIT
 *
 * Kernels to plan for: from tables of segments, and at random.
 */
#ifndef MKBOOTIMG_KERNEL_MAKER_H
#define MKBOOTIMG_KERNEL_MAKER_H

#include <elf.h>

#include "elf_maker.h"
#include "kernel/kernel.h"

#define R PF_R
#define RW (PF_R | PF_W)
#define RX (PF_R | PF_X)
#define RWX (PF_R | PF_W | PF_X)

/* A segment in a table: where it wants to lie, and what of it is in the file. */
#define SEGMENT(at, phys, file, mem, access) \
	{ .vaddr = (at), .paddr = (phys), .filesz = (file), .memsz = (mem), .flags = (access) }

/* An ELF64 kernel of these segments, which are sorted.  They get their numbers and
 * places in the file, which is all zeros, here; the entry point is the first
 * executable byte. */
struct kernel kernel_make(struct segment *segments, size_t count);

/* Where an entry of the level 4 table has its addresses. */
uint64_t kernel_slot(unsigned int slot);

/* A segment of a page for each entry of the level 4 table from first to last.
 * Returns their number. */
size_t kernel_fill_slots(struct segment *segments, unsigned int first, unsigned int last);

/* A good ELF64 kernel, its segments in any order: close together, sharing pages or
 * far apart, at the borders of the address space and in the middle. */
#define KERNEL_RANDOM 12	/* segments at most */
struct elf_spec kernel_random(uint64_t *seed, Elf64_Phdr phdrs[KERNEL_RANDOM]);

#endif
