/* SPDX-License-Identifier: MIT
 *
 * The CPU and its memory; see cpu.h.
 */
#include "crash/cpu.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

#define CR0_PG (UINT64_C(1) << 31)
#define CR4_PSE (1 << 4)
#define CR4_PAE (1 << 5)
#define CR4_LA57 (1 << 12)
#define EFER_LMA (1 << 10)
#define EFER_NXE (1 << 11)

#define PTE_PRESENT 1
#define PTE_WRITE 2
#define PTE_USER 4
#define PTE_LARGE 0x80
#define PTE_NX (UINT64_C(1) << 63)
#define PTE_ADDRESS UINT64_C(0x000ffffffffff000)

/* The number behind "NAME=", which may have blanks before "=" and behind it. */
static bool find_number(const char *dump, const char *name, uint64_t *number)
{
	size_t length = strlen(name);

	for (const char *found = dump; (found = strstr(found, name)) != NULL; found += length) {
		const char *value = found + length;

		if (found > dump && (isalnum((unsigned char)found[-1]) || found[-1] == '_'))
			continue;
		value += strspn(value, " ");
		if (*value != '=')
			continue;
		value += 1 + strspn(value + 1, " ");
		if (!isxdigit((unsigned char)*value))
			continue;
		*number = strtoull(value, NULL, 16);
		return true;
	}
	return false;
}

static const char *const names[2][CPU_GPRS] = {
	{ "EAX", "EBX", "ECX", "EDX", "ESI", "EDI", "EBP", "ESP" },
	{ "RAX", "RBX", "RCX", "RDX", "RSI", "RDI", "RBP", "RSP", "R8", "R9", "R10", "R11", "R12",
	  "R13", "R14", "R15" },
};

const char *cpu_register_name(const struct cpu *cpu, enum cpu_register number)
{
	return names[cpu->is_64][number];
}

/* The base, or the limit behind it, of "GDT=     fffffe0000013170 00000027". */
static uint64_t find_table(const char *dump, const char *name, int which)
{
	const char *found = strstr(dump, name);
	char *end;

	if (found == NULL)
		return 0;
	uint64_t base = strtoull(found + strlen(name), &end, 16);
	return which == 0 ? base : strtoull(end, NULL, 16);
}

static bool parse_one(struct cpu *cpu, const char *dump)
{
	uint64_t value;

	*cpu = (struct cpu){0};
	/* QEMU shows 64-bit registers in all but 32-bit modes. */
	bool wide = find_number(dump, "RIP", &cpu->ip);
	if (!wide && !find_number(dump, "EIP", &cpu->ip))
		return false;
	for (int i = 0; i < (wide ? CPU_GPRS : CPU_R8); i++)
		find_number(dump, names[wide][i], &cpu->gpr[i]);
	find_number(dump, wide ? "RFL" : "EFL", &cpu->flags);
	if (find_number(dump, "CS", &value))
		cpu->cs = (uint16_t)value;
	if (find_number(dump, "TR", &value))
		cpu->tr = (uint16_t)value;
	if (find_number(dump, "HLT", &value))
		cpu->halted = value != 0;
	find_number(dump, "CR0", &cpu->cr0);
	find_number(dump, "CR2", &cpu->cr2);
	find_number(dump, "CR3", &cpu->cr3);
	find_number(dump, "CR4", &cpu->cr4);
	find_number(dump, "EFER", &cpu->efer);
	cpu->idt_base = find_table(dump, "IDT=", 0);
	cpu->idt_limit = find_table(dump, "IDT=", 1);
	cpu->is_64 = wide && strstr(dump, " CS64 ") != NULL;
	return true;
}

bool cpu_parse(struct cpu *cpu, const char *dump)
{
	const char *first = strstr(dump, "IP"), *next = first != NULL ? strstr(first, "\nCPU#") : NULL;
	char *copy = strndup(dump, next != NULL ? (size_t)(next - dump) : strlen(dump));
	bool good = copy != NULL && parse_one(cpu, copy);

	free(copy);
	return good;
}

/* ---- Page tables --------------------------------------------------------- */

struct paging {
	unsigned int levels;
	unsigned int entry_size;	/* bytes */
	unsigned int index_bits;
};

static struct paging find_paging(const struct cpu *cpu)
{
	if (cpu->efer & EFER_LMA)
		return (struct paging){ cpu->cr4 & CR4_LA57 ? 5 : 4, 8, 9 };
	if (cpu->cr4 & CR4_PAE)
		return (struct paging){ 3, 8, 9 };
	return (struct paging){ 2, 4, 10 };
}

static bool read_entry(const struct memory *memory, uint64_t address, unsigned int size,
		       uint64_t *entry)
{
	unsigned char bytes[8] = { 0 };

	if (!memory->read(memory->context, address, bytes, size))
		return false;
	*entry = size == 8 ? get_le64(bytes) : get_le32(bytes);
	return true;
}

/* Is an entry of this level one of a page? */
static bool is_page(const struct cpu *cpu, const struct paging *paging, unsigned int level,
		    uint64_t entry)
{
	if (level == 1)
		return true;
	if (!(entry & PTE_LARGE) || level > 3)
		return false;
	if (paging->levels == 2)
		return cpu->cr4 & CR4_PSE;
	return level == 2 || paging->levels >= 4;
}

void cpu_walk(const struct cpu *cpu, const struct memory *memory, uint64_t address,
	      struct walk *walk)
{
	struct paging paging = find_paging(cpu);
	uint64_t table = cpu->cr3 & PTE_ADDRESS;

	*walk = (struct walk){ .readable_tables = true, .writable = true, .user = true, .executable = true };
	if (!(cpu->cr0 & CR0_PG)) {
		walk->mapped = true;
		walk->physical = (uint32_t)address;
		walk->page_size = 4096;
		return;
	}
	if (paging.levels >= 4) {
		unsigned int unused = paging.levels == 5 ? 7 : 16;

		if ((uint64_t)((int64_t)(address << unused) >> unused) != address)
			return;
	}
	if (paging.levels == 3)
		table = cpu->cr3 & 0xffffffe0;
	for (unsigned int level = paging.levels; level > 0; level--) {
		unsigned int shift = 12 + (level - 1) * paging.index_bits;
		uint64_t entry;

		walk->level = level;
		walk->index = (unsigned int)(address >> shift & ((1u << paging.index_bits) - 1));
		if (paging.levels == 3 && level == 3)
			walk->index &= 3;
		if (!read_entry(memory, table + (uint64_t)walk->index * paging.entry_size, paging.entry_size,
				&entry)) {
			walk->readable_tables = false;
			return;
		}
		if (!(entry & PTE_PRESENT))
			return;
		/* The top entries of PAE have no rights. */
		if (paging.levels != 3 || level != 3) {
			walk->writable &= (entry & PTE_WRITE) != 0;
			walk->user &= (entry & PTE_USER) != 0;
			walk->executable &= !(entry & PTE_NX && cpu->efer & EFER_NXE);
		}
		if (is_page(cpu, &paging, level, entry)) {
			walk->mapped = true;
			walk->page_size = UINT64_C(1) << shift;
			walk->physical = (entry & PTE_ADDRESS & ~(walk->page_size - 1)) |
					 (address & (walk->page_size - 1));
			if (paging.levels == 2 && level == 2)	/* PSE-36 */
				walk->physical |= (entry >> 13 & 0xff) << 32;
			return;
		}
		table = entry & PTE_ADDRESS;
	}
}

bool cpu_read(const struct cpu *cpu, const struct memory *memory, uint64_t address, void *bytes,
	      size_t size)
{
	unsigned char *next = bytes;

	while (size > 0) {
		size_t in_page = 4096 - (address & 4095), part = size < in_page ? size : in_page;
		struct walk walk;

		cpu_walk(cpu, memory, address, &walk);
		if (!walk.mapped || !memory->read(memory->context, walk.physical, next, part))
			return false;
		next += part;
		address += part;
		size -= part;
	}
	return true;
}
