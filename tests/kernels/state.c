/* SPDX-License-Identifier: MIT
 *
 * Test kernel "state": checks everything that a native kernel is promised at
 * its entry, from inside.  Linked at several addresses (tests/Makefile.inc).
 *
 * Words of its command line say what to expect of this run:
 *	phys=virt	the kernel lies where it is linked
 *	data=1M		all but its text lies from 1 MiB on
 *	stack=N		the stack is N KiB
 *	ram=N		the machine has about N MiB of memory
 *	nonx		the CPU has no NX
 *	noacpi		the machine has no ACPI tables
 *	noscreen	the machine has no screen
 */
#include "guest.h"

struct registers {
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp, r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t flags, one, xmm[32];
	uint16_t cs, ds, es, ss, fs, gs, fcw, unused;
	uint32_t mxcsr;
};

void check_state(const struct mkbootimg_info *info, const struct registers *r);

extern char text_start[], text_end[], rodata_start[], rodata_end[], data_start[], data_end[],
	bss_start[], bss_end[];

static char big_bss[3 * MIB];
static volatile uint64_t initialised = 0x1122334455667788;
static const volatile uint64_t constant = 0x8877665544332211;

static bool has_nx = true;
static uint64_t stack_kib = 64, ram_mib, largest_page;
static bool phys_is_virt, data_at_1m, has_acpi = true, has_screen = true;

/* ---- Command line -------------------------------------------------------- */

static bool starts_with(const char *text, const char *prefix, const char **rest)
{
	while (*prefix != '\0') {
		if (*text++ != *prefix++)
			return false;
	}
	*rest = text;
	return true;
}

static uint64_t number(const char *text)
{
	uint64_t value = 0;

	while (*text >= '0' && *text <= '9')
		value = value * 10 + (uint64_t)(*text++ - '0');
	return value;
}

static void read_command_line(const struct mkbootimg_info *info)
{
	uint64_t length = 0;
	const char *rest;

	for (const char *c = info->command_line; *c != '\0'; c++) {
		length++;
		if (c != info->command_line && c[-1] != ' ')
			continue;
		if (starts_with(c, "stack=", &rest))
			stack_kib = number(rest);
		if (starts_with(c, "ram=", &rest))
			ram_mib = number(rest);
		if (starts_with(c, "nonx", &rest))
			has_nx = false;
		if (starts_with(c, "noacpi", &rest))
			has_acpi = false;
		if (starts_with(c, "noscreen", &rest))
			has_screen = false;
		if (starts_with(c, "phys=virt", &rest))
			phys_is_virt = true;
		if (starts_with(c, "data=1M", &rest))
			data_at_1m = true;
	}
	CHECK(info->command_line_length == length, info->command_line_length);
}

static void read_cpu(void)
{
	uint32_t features, unused;

	__asm__ volatile("cpuid" : "=a"(unused), "=d"(features) : "a"(0x80000001) : "ebx", "ecx");
	CHECK((features >> 20 & 1) == has_nx, features);
	largest_page = features >> 26 & 1 ? GIB : 2 * MIB;
}

/* ---- Registers ----------------------------------------------------------- */

static void check_registers(const struct mkbootimg_info *info, const struct registers *r)
{
	uint64_t cr0, cr4, efer_low, efer_high;

	CHECK(r->rax == 0, r->rax);
	CHECK(r->rbx == 0, r->rbx);
	CHECK(r->rcx == 0, r->rcx);
	CHECK(r->rdx == 0, r->rdx);
	CHECK(r->rsi == 0, r->rsi);
	CHECK(r->rbp == 0, r->rbp);
	CHECK((r->r8 | r->r9 | r->r10 | r->r11) == 0, r->r8);
	CHECK((r->r12 | r->r13 | r->r14 | r->r15) == 0, r->r12);
	CHECK((r->flags & 0x200) == 0, r->flags);	/* IF */
	CHECK((r->flags & 0x400) == 0, r->flags);	/* DF */
	CHECK(r->flags == 2, r->flags);			/* and all others */
	CHECK(r->one == 1, r->one);
	CHECK(r->fcw == 0x37f, r->fcw);
	CHECK(r->mxcsr == 0x1f80, r->mxcsr);
	for (size_t i = 0; i < 32; i++)
		CHECK(r->xmm[i] == 0, i);
	CHECK(r->cs == 0x08, r->cs);
	CHECK(r->ds == 0x10, r->ds);
	CHECK(r->es == 0x10, r->es);
	CHECK(r->ss == 0x10, r->ss);
	CHECK(r->fs == 0x10, r->fs);
	CHECK(r->gs == 0x10, r->gs);
	for (uint32_t msr = 0xc0000100; msr <= 0xc0000101; msr++) {	/* FS and GS base */
		__asm__ volatile("rdmsr" : "=a"(efer_low), "=d"(efer_high) : "c"(msr));
		CHECK((efer_low | efer_high) == 0, msr);
	}

	CHECK(r->rsp == info->stack_virtual_end - 8, r->rsp);
	CHECK(r->rsp % 16 == 8, r->rsp);
	CHECK(*(const uint64_t *)r->rsp == 0, *(const uint64_t *)r->rsp);

	__asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	__asm__ volatile("rdmsr" : "=a"(efer_low), "=d"(efer_high) : "c"(0xc0000080));
	CHECK(cr0 & (1ul << 31), cr0);		/* PG */
	CHECK(cr0 & (1ul << 16), cr0);		/* WP */
	CHECK(cr0 & (1ul << 1) && cr0 & (1ul << 5), cr0);	/* MP, NE */
	CHECK((cr0 & (1ul << 2 | 1ul << 3)) == 0, cr0);	/* EM, TS: x87 and SSE on */
	CHECK((cr0 & (1ul << 29 | 1ul << 30)) == 0, cr0);	/* NW, CD: caches on */
	CHECK(cr4 & (1ul << 5), cr4);		/* PAE */
	CHECK((cr4 & (1ul << 12)) == 0, cr4);	/* LA57: four levels */
	CHECK((cr4 >> 9 & 3) == 3, cr4);	/* OSFXSR, OSXMMEXCPT */
	CHECK(cr4 == (1 << 5 | 3 << 9), cr4);	/* and nothing else */
	CHECK(efer_low & 1 << 10, efer_low);	/* LMA */
	CHECK(!!(efer_low & 1 << 11) == has_nx, efer_low);	/* NXE */
}

/* The GDT itself must be mapped and hold what CS and SS were loaded with. */
static void check_gdt(void)
{
	struct __attribute__((packed)) {
		uint16_t limit;
		uint64_t base;
	} gdt;

	__asm__ volatile("sgdt %0" : "=m"(gdt));
	CHECK(gdt.limit >= 0x17, gdt.limit);
	const uint64_t *entries = (const uint64_t *)gdt.base;
	CHECK((entries[1] >> 40 & 0x9a) == 0x9a, entries[1]);	/* code, present */
	CHECK(entries[1] >> 53 & 1, entries[1]);		/* 64-bit */
	CHECK((entries[2] >> 40 & 0x92) == 0x92, entries[2]);	/* data, writable */
	__asm__ volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%ss; mov %0, %%fs; mov %0, %%gs"
			 :
			 : "r"(0x10));
}

/* ---- Mappings ------------------------------------------------------------ */

/* What is the same for all pages: supervisor's, cached as memory is, not global,
 * and of a size that the CPU has. */
static void check_entry(uint64_t entry, uint64_t page, uint64_t size)
{
	uint64_t pat = size == PAGE ? 1ul << 7 : 1ul << 12;

	CHECK(entry != 0, page);
	CHECK((entry & (1ul << 2 | 1ul << 3 | 1ul << 4 | 1ul << 8)) == 0, page);	/* U, PWT, PCD, G */
	CHECK((entry & pat) == 0, page);
	CHECK(size <= largest_page, page);
}

static void check_pages(const struct mkbootimg_info *info, uint64_t start, uint64_t end, bool write,
			bool execute)
{
	for (uint64_t page = start & ~(PAGE - 1); page < end && page >= (start & ~(PAGE - 1));
	     page += PAGE) {
		uint64_t size, entry = walk(info, page, &size);

		check_entry(entry, page, size);
		CHECK(!!(entry & ENTRY_WRITE) == write, page);
		CHECK(!!(entry & ENTRY_NX) == (has_nx && !execute), page);
	}
}

static bool in_kernel(const struct mkbootimg_info *info, uint64_t address)
{
	for (uint64_t i = 0; i < info->kernel_segment_count; i++) {
		const struct mkbootimg_segment *segment = &info->kernel_segments[i];

		if (address - segment->virtual_start < segment->size)
			return true;
	}
	return false;
}

static void check_segments(const struct mkbootimg_info *info)
{
	uint64_t low = UINT64_MAX, high = 0, phys_low = UINT64_MAX, phys_high = 0;

	check_pages(info, (uint64_t)text_start, (uint64_t)text_end, false, true);
	check_pages(info, (uint64_t)rodata_start, (uint64_t)rodata_end, false, false);
	check_pages(info, (uint64_t)data_start, (uint64_t)data_end, true, false);
	check_pages(info, (uint64_t)bss_start, (uint64_t)bss_end, true, false);

	CHECK(info->kernel_segment_count >= 3, info->kernel_segment_count);
	for (uint64_t i = 0; i < info->kernel_segment_count; i++) {
		const struct mkbootimg_segment *s = &info->kernel_segments[i];

		CHECK(s->size > 0 && s->size % PAGE == 0, s->size);
		CHECK(s->virtual_start % PAGE == 0, s->virtual_start);
		CHECK(i == 0 || s->virtual_start >= s[-1].virtual_start + s[-1].size, s->virtual_start);
		CHECK(translate(info, s->virtual_start) == s->physical_start, s->physical_start);
		CHECK(translate(info, s->virtual_start + s->size - 1) == s->physical_start + s->size - 1,
		      s->physical_start);
		check_pages(info, s->virtual_start, s->virtual_start + s->size,
			    s->flags & MKBOOTIMG_SEGMENT_WRITE, s->flags & MKBOOTIMG_SEGMENT_EXECUTE);
		if (data_at_1m && i == 1)
			CHECK(s->physical_start == MIB, s->physical_start);
		if (phys_is_virt)
			CHECK(s->physical_start == s->virtual_start, s->physical_start);
		low = s->virtual_start < low ? s->virtual_start : low;
		/* Inclusive: the end of the address space is 0. */
		high = s->virtual_start + s->size - 1 > high ? s->virtual_start + s->size - 1 : high;
		phys_low = s->physical_start < phys_low ? s->physical_start : phys_low;
		phys_high = s->physical_start + s->size > phys_high ? s->physical_start + s->size : phys_high;
	}
	CHECK(info->kernel_virtual_start == low, low);
	CHECK(info->kernel_virtual_end == high + 1, high);
	CHECK(info->kernel_physical_start <= phys_low, phys_low);
	CHECK(info->kernel_physical_end >= phys_high, phys_high);
}

static void check_data(void)
{
	CHECK(initialised == 0x1122334455667788, initialised);
	CHECK(constant == 0x8877665544332211, constant);
	for (size_t i = 0; i < sizeof(big_bss); i += 8)
		CHECK(*(volatile uint64_t *)(big_bss + i) == 0, i);
}

static void check_stack(const struct mkbootimg_info *info)
{
	uint64_t size;

	CHECK(info->stack_virtual_end - info->stack_virtual_start == stack_kib * 1024,
	      info->stack_virtual_end - info->stack_virtual_start);
	CHECK(info->stack_physical_end - info->stack_physical_start == stack_kib * 1024,
	      info->stack_physical_end);
	check_pages(info, info->stack_virtual_start, info->stack_virtual_end, true, false);
	CHECK(translate(info, info->stack_virtual_start) == info->stack_physical_start,
	      info->stack_physical_start);
	CHECK(walk(info, info->stack_virtual_start - 1, &size) == 0, info->stack_virtual_start);
	CHECK(walk(info, info->stack_virtual_end, &size) == 0, info->stack_virtual_end);
	/* Every byte of it is ours to write, to the very bottom. */
	*(volatile uint64_t *)info->stack_virtual_start = 1;
}

/* The first 4 GiB, where no segment of the kernel lies. */
static void check_identity_map(const struct mkbootimg_info *info)
{
	uint64_t size, large = 0;

	CHECK(walk(info, 0, &size) == 0, 0);
	CHECK(walk(info, PAGE - 1, &size) == 0, 0);
	for (uint64_t page = PAGE; page < 4 * GIB; page += PAGE) {
		if (in_kernel(info, page))
			continue;
		uint64_t entry = walk(info, page, &size);
		check_entry(entry, page, size);
		CHECK(translate(info, page) == page, page);
		CHECK(entry & ENTRY_WRITE, page);
		CHECK(!!(entry & ENTRY_NX) == has_nx, page);
		if (size > PAGE && page % size == 0) {
			large++;
			/* The rest of a large page is the same entry; a kernel page
			 * would have split it. */
			page += size - PAGE;
		}
	}
	CHECK(large >= 4, large);
}

static void check_physical_map(const struct mkbootimg_info *info)
{
	uint64_t size, offset = info->physical_memory_offset, step = 2 * MIB;

	CHECK(offset % PAGE == 0, offset);
	CHECK(info->physical_memory_size >= 4 * GIB, info->physical_memory_size);
	for (uint64_t p = 0; p < info->physical_memory_size; p += step) {
		uint64_t entry = walk(info, offset + p, &size);

		check_entry(entry, p, size);
		CHECK(entry & ENTRY_WRITE, p);
		CHECK(!!(entry & ENTRY_NX) == has_nx, p);
		/* The largest page that what is left of it fills. */
		CHECK(size == largest_page || (size == 2 * MIB && (p | (GIB - 1)) >= info->physical_memory_size), p);
		CHECK(translate(info, offset + p) == p, p);
	}
	for (uint64_t i = 0; i < info->memory_map_count; i++) {
		const struct mkbootimg_memory_region *region = &info->memory_map[i];

		if (region->kind <= MKBOOTIMG_MEMORY_ACPI_NVS)
			CHECK(region->start + region->size <= info->physical_memory_size, region->start);
	}
}

/* ---- Info ---------------------------------------------------------------- */

static void check_memory_map(const struct mkbootimg_info *info)
{
	uint64_t usable = 0, end = 0;

	CHECK(info->memory_map_count >= 5, info->memory_map_count);
	for (uint64_t i = 0; i < info->memory_map_count; i++) {
		const struct mkbootimg_memory_region *region = &info->memory_map[i];

		CHECK(region->start % PAGE == 0, region->start);
		CHECK(region->size > 0 && region->size % PAGE == 0, region->size);
		CHECK(region->start >= end, region->start);
		CHECK(region->kind >= MKBOOTIMG_MEMORY_USABLE && region->kind <= MKBOOTIMG_MEMORY_BAD,
		      region->kind);
		CHECK(region->reserved == 0, region->reserved);
		end = region->start + region->size;
		if (region->kind == MKBOOTIMG_MEMORY_USABLE)
			usable += region->size;
	}
	CHECK(info->memory_map[0].start == 0 && info->memory_map[0].kind == MKBOOTIMG_MEMORY_RESERVED,
	      info->memory_map[0].kind);
	if (ram_mib != 0) {
		CHECK(usable / MIB <= ram_mib, usable);
		CHECK(usable / MIB >= ram_mib - 8 - sizeof(big_bss) / MIB, usable);
	}
}

/* Each physical range must be of this kind in the memory map. */
static void check_kind(const struct mkbootimg_info *info, uint64_t start, uint64_t end,
		       uint32_t kind)
{
	for (uint64_t i = 0; i < info->memory_map_count; i++) {
		const struct mkbootimg_memory_region *region = &info->memory_map[i];

		if (start >= region->start && end <= region->start + region->size) {
			CHECK(region->kind == kind, start);
			return;
		}
	}
	failed("a range is not in one region of the memory map", start);
}

static void check_kinds(const struct mkbootimg_info *info)
{
	uint64_t cr3, page;

	for (uint64_t i = 0; i < info->kernel_segment_count; i++) {
		const struct mkbootimg_segment *s = &info->kernel_segments[i];

		check_kind(info, s->physical_start, s->physical_start + s->size,
			   MKBOOTIMG_MEMORY_KERNEL);
	}
	check_kind(info, info->stack_physical_start, info->stack_physical_end,
		   MKBOOTIMG_MEMORY_LOADER_RECLAIMABLE);
	page = translate(info, (uint64_t)info) & ~(PAGE - 1);
	check_kind(info, page, page + PAGE, MKBOOTIMG_MEMORY_LOADER_RECLAIMABLE);
	page = translate(info, (uint64_t)info->memory_map) & ~(PAGE - 1);
	check_kind(info, page, page + PAGE, MKBOOTIMG_MEMORY_LOADER_RECLAIMABLE);
	__asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
	check_kind(info, cr3, cr3 + PAGE, MKBOOTIMG_MEMORY_LOADER_RECLAIMABLE);
}

static void check_info(const struct mkbootimg_info *info)
{
	uint64_t size;

	CHECK(info->magic == MKBOOTIMG_INFO_MAGIC, info->magic);
	CHECK(info->version == MKBOOTIMG_INFO_VERSION, info->version);
	CHECK(info->size == sizeof(*info), info->size);
	CHECK(info->modules == NULL && info->module_count == 0, info->module_count);
	CHECK(info->boot_drive == 0x80, info->boot_drive);
	CHECK(info->tsc_hand_off > info->tsc_loader_start, info->tsc_hand_off);
	CHECK(walk(info, (uint64_t)info, &size) & ENTRY_WRITE, (uint64_t)info);

	const char *rsdp = (const char *)info->rsdp;
	CHECK((rsdp != NULL) == has_acpi, info->rsdp);
	for (size_t i = 0; has_acpi && i < 8; i++)
		CHECK(rsdp[i] == "RSD PTR "[i], i);

	if (!has_screen) {
		CHECK(info->framebuffer.kind == MKBOOTIMG_FRAMEBUFFER_NONE, info->framebuffer.kind);
		return;
	}
	CHECK(info->framebuffer.kind == MKBOOTIMG_FRAMEBUFFER_TEXT, info->framebuffer.kind);
	CHECK(info->framebuffer.physical_address == 0xb8000, info->framebuffer.physical_address);
	CHECK(info->framebuffer.width == 80, info->framebuffer.width);
	CHECK(info->framebuffer.height == 25, info->framebuffer.height);
	CHECK(info->framebuffer.pitch == 160, info->framebuffer.pitch);
	CHECK(info->framebuffer.bits_per_pixel == 16, info->framebuffer.bits_per_pixel);
}

void check_state(const struct mkbootimg_info *info, const struct registers *r)
{
	read_command_line(info);
	read_cpu();
	check_info(info);
	check_registers(info, r);
	check_gdt();
	check_data();
	check_segments(info);
	check_stack(info);
	check_identity_map(info);
	check_physical_map(info);
	check_memory_map(info);
	check_kinds(info);
	print("every promise of the entry state holds\n");
	finish(GUEST_PASS);
}
