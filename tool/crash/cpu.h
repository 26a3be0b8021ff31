/* SPDX-License-Identifier: MIT
 *
 * A CPU as QEMU shows it in words, and the guest's memory as that CPU sees it:
 * page tables walked by hand, because what is not mapped is what matters in a
 * crash.  Intel SDM volume 3, chapter 4 ("Paging").
 */
#ifndef MKBOOTIMG_CPU_H
#define MKBOOTIMG_CPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cpu_register {
	CPU_RAX, CPU_RBX, CPU_RCX, CPU_RDX, CPU_RSI, CPU_RDI, CPU_RBP, CPU_RSP,
	CPU_R8, CPU_R9, CPU_R10, CPU_R11, CPU_R12, CPU_R13, CPU_R14, CPU_R15,
	CPU_GPRS
};

struct cpu {
	bool is_64;		/* runs 64-bit code */
	uint64_t gpr[CPU_GPRS];	/* in 32-bit mode the first eight, 32 bits */
	uint64_t ip;
	uint64_t flags;
	uint16_t cs;
	uint64_t cr0, cr2, cr3, cr4, efer;
	uint64_t idt_base;
	uint64_t idt_limit;
	uint16_t tr;
	bool halted;
};

/* Read a register dump of QEMU's ("info registers", or in its log), of the first
 * CPU in it.  False if it is none. */
bool cpu_parse(struct cpu *cpu, const char *dump);

/* "RAX" or "EAX". */
const char *cpu_register_name(const struct cpu *cpu, enum cpu_register number);

/* Guest memory by physical address.  False if it cannot be read. */
struct memory {
	bool (*read)(void *context, uint64_t physical, void *bytes, size_t size);
	void *context;
};

/* What the page tables say of an address. */
struct walk {
	bool mapped;
	bool readable_tables;	/* the tables themselves could be read */
	unsigned int level;	/* of the entry that ended the walk: 1 is a page's own */
	unsigned int index;	/* of it in its table */
	uint64_t physical;	/* if mapped */
	uint64_t page_size;	/* if mapped */
	bool writable;		/* by all levels */
	bool user;
	bool executable;
};

void cpu_walk(const struct cpu *cpu, const struct memory *memory, uint64_t address,
	      struct walk *walk);

/* Read virtual memory; false if not all of it is mapped. */
bool cpu_read(const struct cpu *cpu, const struct memory *memory, uint64_t address, void *bytes,
	      size_t size);

#endif
