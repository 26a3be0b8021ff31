/* SPDX-License-Identifier: MIT
 *
 * Kernels to plan for; see kernel_maker.h.
 */
#include "kernel_maker.h"

#include "bootabi.h"
#include "unit.h"

#define KIB UINT64_C(0x400)
#define MIB UINT64_C(0x100000)
#define GIB UINT64_C(0x40000000)
#define PAGE ((uint64_t)PAGE_SIZE)
#define LARGE (2 * MIB)
#define SLOT (512 * GIB)
#define HIGH UINT64_C(0xffffffff80000000)

/* What the segments have of the file. */
static unsigned char file_bytes[4 * 0x100000];

struct kernel kernel_make(struct segment *segments, size_t count)
{
	struct kernel kernel = { .bytes = file_bytes, .size = sizeof(file_bytes), .is_elf = true,
				 .is_64 = true, .machine = EM_X86_64, .type = ET_EXEC,
				 .segments = segments, .segment_count = count };
	uint64_t offset = 0x1000;

	for (size_t i = count; i-- > 0;) {
		segments[i].index = (unsigned int)i;
		if (segments[i].flags & PF_X)
			kernel.entry = segments[i].vaddr;
	}
	for (size_t i = 0; i < count; i++) {
		segments[i].offset = offset;
		offset += segments[i].filesz + 1;
	}
	assert_true(offset <= sizeof(file_bytes));
	return kernel;
}

uint64_t kernel_slot(unsigned int slot)
{
	return (slot < 256 ? 0 : UINT64_C(0xffff) << 48) | slot * SLOT;
}

size_t kernel_fill_slots(struct segment *segments, unsigned int first, unsigned int last)
{
	size_t count = 0;

	for (unsigned int slot = first; slot <= last; slot++)
		segments[count++] = (struct segment)SEGMENT(kernel_slot(slot), 0, 0, PAGE, RX);
	return count;
}

/* ---- At random ------------------------------------------------------------- */

/* May a segment lie here? */
static bool is_valid(uint64_t vaddr, uint64_t last)
{
	bool upper = vaddr >= UINT64_C(0xffff800000000000);

	return last >= vaddr && (upper || last < UINT64_C(0x800000000000)) &&
	       (vaddr >= MIB || last < 0xa0000);
}

/* The next segment, behind at; false if there is no room for it. */
static bool random_segment(uint64_t *seed, uint64_t *at, uint64_t delta, Elf64_Phdr *phdr)
{
	const uint64_t gaps[] = { 0, 0, 0, random_below(seed, PAGE), random_below(seed, 4 * PAGE),
				  0 - *at % PAGE, 0 - *at % PAGE, 15 * PAGE, 16 * PAGE, 17 * PAGE,
				  random_below(seed, 3 * LARGE), 0 - *at % LARGE, GIB, SLOT };
	const uint64_t sizes[] = { 1, random_below(seed, PAGE) + 1, random_below(seed, 8 * PAGE) + 1,
				   PAGE, 4 * PAGE, LARGE, random_below(seed, 2 * LARGE) + 1,
				   PAGE - *at % PAGE };
	uint64_t vaddr = *at + gaps[random_below(seed, COUNT(gaps))];
	uint64_t memsz = sizes[random_below(seed, COUNT(sizes))];
	uint64_t last = vaddr + (memsz - 1);
	const uint64_t filesz[] = { 0, memsz, random_below(seed, memsz + 1) };

	if (vaddr < *at || !is_valid(vaddr, last))
		return false;
	*phdr = (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_flags = (Elf64_Word)random_below(seed, 8),
		.p_vaddr = vaddr,
		.p_paddr = vaddr + delta,
		.p_filesz = filesz[random_below(seed, COUNT(filesz))] % (64 * KIB),
		.p_memsz = memsz,
	};
	*at = last + 1;
	return true;
}

/* Up to KERNEL_RANDOM segments in the order of their addresses. */
static size_t random_segments(uint64_t *seed, Elf64_Phdr *phdrs)
{
	static const uint64_t bases[] = {
		PAGE, MIB, LARGE, GIB - PAGE, SLOT - LARGE, UINT64_C(0x7fffffe00000),
		UINT64_C(0xffff800000000000), UINT64_C(0xfffffe0000000000), HIGH, HIGH + MIB,
		UINT64_MAX - 0xfffff, UINT64_MAX - 0x3fff,
	};
	static const uint64_t targets[] = { 0, MIB, LARGE, LARGE + PAGE, 16 * MIB, LARGE + 8, 4 * GIB };
	uint64_t at = bases[random_below(seed, COUNT(bases))];
	uint64_t delta = 0;
	size_t count = 0, most = random_below(seed, KERNEL_RANDOM) + 1;

	if (random_below(seed, 2) == 0)
		at += random_below(seed, PAGE);
	for (size_t tries = 0; tries < 4 * KERNEL_RANDOM && count < most && at != 0; tries++) {
		if (count == 0 || random_below(seed, 8) == 0)
			delta = targets[random_below(seed, COUNT(targets))] - at / PAGE * PAGE;
		count += random_segment(seed, &at, delta, &phdrs[count]);
	}
	return count;
}

/* Put them into the file, in any order, and choose an entry point. */
static struct elf_spec random_spec(uint64_t *seed, Elf64_Phdr *phdrs, size_t count)
{
	struct elf_spec spec = { .phdrs = phdrs, .count = count };
	Elf64_Phdr *entered = &phdrs[random_below(seed, count)];

	spec.size = elf_headers_size(&spec);
	entered->p_flags |= PF_X;
	spec.entry = entered->p_vaddr + random_below(seed, entered->p_memsz);
	for (size_t i = count - 1; i > 0; i--) {
		size_t other = random_below(seed, i + 1);
		Elf64_Phdr kept = phdrs[i];

		phdrs[i] = phdrs[other];
		phdrs[other] = kept;
	}
	for (size_t i = 0; i < count; i++) {
		phdrs[i].p_offset = spec.size;
		spec.size += phdrs[i].p_filesz;
	}
	return spec;
}

struct elf_spec kernel_random(uint64_t *seed, Elf64_Phdr phdrs[KERNEL_RANDOM])
{
	size_t count;

	do
		count = random_segments(seed, phdrs);
	while (count == 0);
	return random_spec(seed, phdrs, count);
}
