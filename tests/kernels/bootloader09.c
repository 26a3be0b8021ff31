/* SPDX-License-Identifier: MIT
 *
 * Test kernel "bootloader09": checks everything that a kernel of the Rust crate
 * bootloader 0.9 is promised at its entry, from inside.  Built for each set of the
 * crate's features, FEATURE_MAP, FEATURE_RECURSIVE, FEATURE_SSE and FEATURE_VGA;
 * with a template for threads (TLS); and linked at several addresses.
 *
 * Words from the test (words.h) say what to expect of this run:
 *	info=N guard=N physmap=N	addresses of BootInfo, of the page below the
 *			stack, of the physical map, where they are not the usual
 *	slot=N		the recursive entry of the level 4 table, likewise
 *	stack=N		pages of stack
 *	nonx		the CPU has no NX
 *	noscreen	the machine has no screen
 *	top=N		the physical map's end, where memory does not say
 *	oddmap		the firmware's memory map is not what the machine has
 *	least=N		usable memory, at least, in MiB
 *	regions=N	regions of the memory map
 *	type=FRAME:N	the type of the region of a frame; 11 (empty): it is in none
 *	end=null, end=overflow, end=return	how to end, if all is well
 */
#include "bootinfo.h"
#include "tables.h"
#include "words.h"

struct __attribute__((packed)) table_register {
	uint16_t limit;
	uint64_t base;
};

struct registers {
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp, r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t flags, cr0, cr3, cr4, efer;
	uint16_t cs, ds, es, ss, fs, gs;
	struct table_register gdt, idt;
};

void check_bootloader09(struct bootinfo *given, const struct registers *r);
void unexpected_fault(uint64_t vector, uint64_t rip, uint64_t address);

static const char *const known_words[] = {
	"info=", "guard=", "physmap=", "slot=", "stack=", "nonx", "noscreen", "top=", "oddmap",
	"least=", "regions=", "type=", "end=", NULL,
};

/* bootloader09.asm */
#define NO_FAULT UINT64_MAX
#define INVALID_OPCODE 6
#define PAGE_FAULT 14
extern struct {
	uint64_t vector, error, resume, rsp;
} fault;
extern const char fault_stubs[];
uint64_t try_read(uint64_t address);
uint64_t try_write(uint64_t address);
uint64_t try_call(uint64_t address);
uint64_t try_sse(void);
void with_tables(uint64_t cr3, uint64_t stack, void (*function)(void));

/* bootloader09.ld */
extern char text_start[], text_end[], hidden_start[], hidden_end[], rodata_start[], rodata_end[],
	open_start[], open_end[], data_start[], data_end[];
extern char hidden_code[], open_code[];
#ifdef TLS
extern const uint64_t tls_start[];
#endif

static volatile uint64_t initialised = 0x1122334455667788;
static const volatile uint64_t constant = 0x8877665544332211;
static volatile uint8_t ret_in_data = 0xc3;
static char big_bss[5 * MIB];	/* room for large pages, which are not wanted */
static volatile uint64_t *volatile pointer = &initialised;	/* relocated, in a PIE */

static struct bootinfo info;	/* a copy, which stays in reach when the tables change */
static bool has_nx;
static uint64_t info_address, guard, stack_start, stack_end, slot, physical_map, memory_end;

void unexpected_fault(uint64_t vector, uint64_t rip, uint64_t address)
{
	print("exception ");
	print_decimal((uint32_t)vector);
	print(", CR2 ");
	print_hex(address);
	failed("unexpected exception", rip);
}

/* ---- Registers ----------------------------------------------------------- */

static void check_registers(const struct registers *r)
{
	CHECK(r->rax == 0, r->rax);
	CHECK(r->rbx == 0, r->rbx);
	CHECK(r->rcx == 0, r->rcx);
	CHECK(r->rdx == 0, r->rdx);
	CHECK(r->rsi == 0, r->rsi);
	CHECK(r->rbp == 0, r->rbp);
	CHECK((r->r8 | r->r9 | r->r10 | r->r11) == 0, r->r8);
	CHECK((r->r12 | r->r13 | r->r14 | r->r15) == 0, r->r12);
	CHECK(r->flags == 2, r->flags);		/* IF, DF and all others clear */
	CHECK(r->cs == 0x08, r->cs);
	CHECK(r->ds == 0x10, r->ds);
	CHECK(r->es == 0x10, r->es);
	CHECK(r->ss == 0, r->ss);
	CHECK(r->fs == 0, r->fs);
	CHECK(r->gs == 0, r->gs);
	CHECK(r->cr0 == (FEATURE_SSE ? 0x80010013 : 0x80010011), r->cr0);	/* PG, WP, ET, (MP,) PE */
	CHECK((r->cr3 & ~ENTRY_ADDRESS) == 0, r->cr3);
	CHECK(r->cr4 == (FEATURE_SSE ? 0x620 : 0x20), r->cr4);	/* (OSXMMEXCPT, OSFXSR,) PAE */
	CHECK(r->efer == (has_nx ? 0xd00 : 0x500), r->efer);	/* (NXE,) LMA, LME */
	CHECK(r->idt.limit == 0, r->idt.limit);
	CHECK(r->rdi == info_address, r->rdi);
	CHECK(r->rsp == stack_end - 8, r->rsp);
}

static uint32_t type_of(uint64_t frame)
{
	for (uint64_t i = 0; i < info.region_count; i++)
		if (frame >= info.regions[i].start && frame < info.regions[i].end)
			return info.regions[i].type;
	return BOOTINFO_EMPTY;
}

/* The GDT must stay where it is, and hold what CS and DS were loaded with. */
static void check_gdt(const struct registers *r)
{
	const uint64_t *entries = (const uint64_t *)r->gdt.base;

	CHECK(r->gdt.limit >= 0x17, r->gdt.limit);
	CHECK(r->gdt.base >= PAGE && r->gdt.base + r->gdt.limit < 16 * PAGE, r->gdt.base);
	for (uint64_t at = r->gdt.base; at <= r->gdt.base + r->gdt.limit; at++)
		CHECK(type_of(at / PAGE) == BOOTINFO_BOOTLOADER, at);
	CHECK(entries[0] == 0, entries[0]);
	CHECK((entries[1] >> 40 & 0xfe) == 0x9a, entries[1]);	/* code, present, ring 0 */
	CHECK((entries[1] >> 53 & 3) == 1, entries[1]);		/* 64-bit */
	CHECK((entries[2] >> 40 & 0xfe) == 0x92, entries[2]);	/* data, writable */
}

/* ---- Faults -------------------------------------------------------------- */

static uint64_t idt[32][2];

static void load_idt(uint16_t limit)
{
	struct table_register value = { limit, (uint64_t)idt };

	for (uint64_t i = 0; i < 32; i++) {
		uint64_t at = (uint64_t)fault_stubs + 16 * i;

		idt[i][0] = (at & 0xffff) | 0x08 << 16 | 0x8eul << 40 | (at >> 16 & 0xffff) << 48;
		idt[i][1] = at >> 32;
	}
	__asm__ volatile("lidt %0" : : "m"(value));
}

/* What is not mapped, or does not allow it, must fault; the rest must not. */
static void expect(uint64_t vector, uint64_t wanted, uint64_t error, uint64_t address)
{
	CHECK(vector == wanted, address);
	if (wanted == PAGE_FAULT)
		CHECK(fault.error == error, fault.error);
}

#define FETCH 0x10
#define WRITE 0x02
#define PROTECTION 0x01

static void check_access(void)
{
	volatile uint8_t on_stack = 0xc3;
	uint64_t refused = has_nx ? PAGE_FAULT : NO_FAULT;
	volatile uint8_t *behind_info = (volatile uint8_t *)info_address + PAGE - 1;

	expect(try_read(0), PAGE_FAULT, 0, 0);
	expect(try_read(PAGE - 1), PAGE_FAULT, 0, PAGE - 1);
	expect(try_write(PAGE), NO_FAULT, 0, PAGE);
	expect(try_write(0xbffff), NO_FAULT, 0, 0xbffff);
	expect(try_read(0xc0000), PAGE_FAULT, 0, 0xc0000);
	expect(try_read(guard), PAGE_FAULT, 0, guard);
	expect(try_read(guard + PAGE - 1), PAGE_FAULT, 0, guard + PAGE - 1);
	expect(try_write(stack_start), NO_FAULT, 0, stack_start);
	expect(try_write(stack_end - 1), NO_FAULT, 0, stack_end - 1);
	expect(try_write((uint64_t)text_start), PAGE_FAULT, WRITE | PROTECTION, (uint64_t)text_start);
	expect(try_write((uint64_t)rodata_start), PAGE_FAULT, WRITE | PROTECTION, (uint64_t)rodata_start);
	expect(try_write((uint64_t)hidden_code), PAGE_FAULT, WRITE | PROTECTION, (uint64_t)hidden_code);
	expect(try_write((uint64_t)open_code), NO_FAULT, 0, (uint64_t)open_code);
	expect(try_call((uint64_t)hidden_code), NO_FAULT, 0, (uint64_t)hidden_code);
	expect(try_call((uint64_t)open_code), NO_FAULT, 0, (uint64_t)open_code);
	expect(try_call((uint64_t)&ret_in_data), refused, FETCH | PROTECTION, (uint64_t)&ret_in_data);
	/* Kernels of the crate may run code there. */
	expect(try_call((uint64_t)&on_stack), NO_FAULT, 0, (uint64_t)&on_stack);
	*behind_info = 0xc3;
	expect(try_call((uint64_t)behind_info), NO_FAULT, 0, (uint64_t)behind_info);
	*behind_info = 0;
	if (FEATURE_MAP) {
		expect(try_read(physical_map), NO_FAULT, 0, physical_map);
		expect(try_read(physical_map + memory_end), PAGE_FAULT, 0, physical_map + memory_end);
	}
	expect(try_sse(), FEATURE_SSE ? NO_FAULT : INVALID_OPCODE, 0, 0);
}

/* ---- Where things are to be ---------------------------------------------- */

/* The first entry of the level 4 table from one on that is neither the first one,
 * where low memory is mapped, nor the kernel's. */
static uint64_t free_slot(uint64_t from)
{
	uint64_t kernel = (uint64_t)text_start >> SLOT_SHIFT & 511;

	while (from == 0 || from == kernel)
		from++;
	return from;
}

static void find_places(void)
{
	uint32_t unused, features;

	slot = free_slot(1);
	info_address = free_slot(slot + 1) << SLOT_SHIFT;
	physical_map = free_slot((info_address >> SLOT_SHIFT) + 1) << SLOT_SHIFT;
	slot = number_word("slot=", slot);
	info_address = number_word("info=", info_address);
	physical_map = number_word("physmap=", physical_map);
	guard = number_word("guard=", info_address + PAGE);
	stack_start = guard + PAGE;
	stack_end = stack_start + number_word("stack=", 512) * PAGE;
	memory_end = 4 * GIB;
	for (size_t i = 0; i < ram_count; i++)
		if (ram[i].start + ram[i].size > memory_end)
			memory_end = ram[i].start + ram[i].size;
	memory_end = number_word("top=", (memory_end + 2 * MIB - 1) & -(2 * MIB));
	__asm__ volatile("cpuid" : "=a"(unused), "=d"(features) : "a"(0x80000001) : "ebx", "ecx");
	has_nx = features >> 20 & 1;
	CHECK(has_nx == (find_word(words, "nonx") == NULL), features);
}

/* ---- BootInfo ------------------------------------------------------------ */

static void check_bootinfo(const struct bootinfo *given)
{
	const uint8_t *bytes = (const uint8_t *)given;

	for (size_t i = offsetof(struct bootinfo, non_exhaustive); i < PAGE; i++)
		CHECK(bytes[i] == 0, i);
	CHECK(bootinfo_physical_map(given) == (FEATURE_MAP ? physical_map : 0), bootinfo_physical_map(given));
	CHECK(bootinfo_recursive(given) == (FEATURE_RECURSIVE ? recursive_table(slot, 4, 0) : 0),
	      bootinfo_recursive(given));
#ifdef TLS
	CHECK(given->tls.start == (uint64_t)tls_start, given->tls.start);
	CHECK(given->tls.file_size == 24, given->tls.file_size);
	CHECK(given->tls.memory_size == 24 + 13, given->tls.memory_size);
	for (uint64_t i = 0; i < 3; i++)
		CHECK(tls_start[i] == 0x1111 * (i + 1), tls_start[i]);
#else
	CHECK(given->tls.start == 0, given->tls.start);
	CHECK(given->tls.file_size == 0, given->tls.file_size);
	CHECK(given->tls.memory_size == 0, given->tls.memory_size);
#endif
	info = *given;
}

static void check_empty(const struct bootinfo_region *region)
{
	CHECK(region->start == 0 && region->end == 0, region->start);
	CHECK(region->type == BOOTINFO_EMPTY, region->type);
	CHECK(region->padding == 0, region->padding);
}

static void check_region(const struct bootinfo_region *region, const struct bootinfo_region *before)
{
	CHECK(region->start < region->end, region->start);
	CHECK(region->type < BOOTINFO_TYPES, region->type);
	CHECK(region->type != BOOTINFO_EMPTY && region->type != BOOTINFO_IN_USE, region->type);
	CHECK(region->padding == 0, region->padding);
	if (before == NULL)
		return;
	CHECK(region->start >= before->end, region->start);
	CHECK(region->start > before->end || region->type != before->type, region->start);
}

/* What the kernel may use must be memory, as the machine says, not the loader. */
static bool is_ram(uint64_t start, uint64_t end)
{
	for (size_t i = 0; i < ram_count; i++)
		if (start >= ram[i].start && end <= ram[i].start + ram[i].size)
			return end <= 0xa0000 || start >= MIB;
	return false;
}

static uint64_t frames_of(uint32_t type)
{
	uint64_t frames = 0;

	for (uint64_t i = 0; i < info.region_count; i++)
		if (info.regions[i].type == type)
			frames += info.regions[i].end - info.regions[i].start;
	return frames;
}

static void check_sum(void)
{
	static const uint32_t types[] = {
		BOOTINFO_USABLE, BOOTINFO_KERNEL, BOOTINFO_KERNEL_STACK, BOOTINFO_PAGE_TABLE,
		BOOTINFO_BOOTLOADER, BOOTINFO_FRAME_ZERO, BOOTINFO_BOOT_INFO,
	};
	uint64_t sum = 0, all = 0;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		sum += frames_of(types[i]) * PAGE;
	for (size_t i = 0; i < ram_count; i++)
		all += ram[i].size;
	/* The firmware keeps some. */
	CHECK(sum <= all && sum >= all - MIB, sum);
}

static void check_memory_map(void)
{
	bool odd = find_word(words, "oddmap") != NULL;
	const struct bootinfo_region *first = info.regions;

	CHECK(info.region_count >= 8, info.region_count);
	CHECK(info.region_count <= BOOTINFO_REGIONS, info.region_count);
	CHECK(info.region_count == number_word("regions=", info.region_count), info.region_count);
	for (uint64_t i = 0; i < BOOTINFO_REGIONS; i++) {
		const struct bootinfo_region *region = &info.regions[i];

		if (i >= info.region_count) {
			check_empty(region);
			continue;
		}
		check_region(region, i == 0 ? NULL : region - 1);
		if (region->type == BOOTINFO_USABLE && !odd)
			CHECK(is_ram(region->start * PAGE, region->end * PAGE), region->start);
	}
	CHECK(first[0].start == 0 && first[0].end == 1, first[0].end);
	CHECK(first[0].type == BOOTINFO_FRAME_ZERO, first[0].type);
	CHECK(first[1].start == 1 && first[1].end == 16, first[1].end);
	CHECK(first[1].type == BOOTINFO_BOOTLOADER, first[1].type);
	/* The rest of low memory is free. */
	CHECK(first[2].start == 16 && first[2].end >= 0x80, first[2].end);
	CHECK(first[2].type == BOOTINFO_USABLE, first[2].type);
	if (!odd)
		check_sum();
	CHECK(frames_of(BOOTINFO_USABLE) * PAGE / MIB >= number_word("least=", 0), frames_of(BOOTINFO_USABLE));
	for (const char *word = words; (word = find_word(word, "type=")) != NULL;) {
		uint64_t frame = read_number(word, &word);

		CHECK(*word == ':', frame);
		CHECK(type_of(frame) == read_number(word + 1, &word), frame);
	}
}

/* ---- Mappings ------------------------------------------------------------ */

#define ANYWHERE UINT64_MAX
#define FREE (ENTRY_PRESENT | ENTRY_WRITE)	/* and no NX */

/* All that is mapped. */
struct area {
	const char *name;
	uint64_t start, end;	/* end may be 0 for the end of the address space */
	uint64_t bits;		/* of its entries, but for address, "accessed" and "dirty" */
	uint64_t size;		/* of its pages */
	uint64_t physical;	/* address, or ANYWHERE: */
	uint32_t type;		/* in regions of this type */
	uint64_t pages;		/* that were found */
};
static struct area areas[10];
static size_t area_count;

static uint64_t cr3, table_count;
static uint32_t seen[4 * GIB / PAGE / 32];	/* frames that have been mapped or are tables */

static void add_area(const char *name, uint64_t start, uint64_t end, uint64_t bits, uint64_t size,
		     uint64_t physical, uint32_t type)
{
	areas[area_count++] = (struct area){ name, start, end, bits, size, physical, type, 0 };
}

static void add_segment(const char *name, const char *start, const char *end, uint64_t bits)
{
	uint64_t from = (uint64_t)start, physical = from;

#ifndef PHYSICAL
	physical = ANYWHERE;
#endif
	if (!has_nx)
		bits &= ~ENTRY_NX;
	add_area(name, from, ((uint64_t)end + PAGE - 1) & -PAGE, bits, PAGE, physical, BOOTINFO_KERNEL);
}

static void list_areas(void)
{
	add_area("low memory", PAGE, 0xc0000, FREE, PAGE, PAGE, BOOTINFO_EMPTY);
	add_segment("text", text_start, text_end, ENTRY_PRESENT);
	add_segment("hidden", hidden_start, hidden_end, ENTRY_PRESENT);
	add_segment("rodata", rodata_start, rodata_end, ENTRY_PRESENT | ENTRY_NX);
	add_segment("open", open_start, open_end, FREE);
	add_segment("data", data_start, data_end, FREE | ENTRY_NX);
	add_area("stack", stack_start, stack_end, FREE, PAGE, ANYWHERE, BOOTINFO_KERNEL_STACK);
	add_area("BootInfo", info_address, info_address + PAGE, FREE, PAGE, ANYWHERE, BOOTINFO_BOOT_INFO);
	if (FEATURE_MAP)
		add_area("physical map", physical_map, physical_map + memory_end, FREE | ENTRY_LARGE,
			 2 * MIB, 0, BOOTINFO_EMPTY);
}

/* A frame is used once, and typed as what it is used for. */
static void check_frame(uint64_t physical, uint32_t type)
{
	uint64_t frame = physical / PAGE;

	CHECK(physical < 4 * GIB, physical);
	CHECK((seen[frame / 32] >> frame % 32 & 1) == 0, physical);
	seen[frame / 32] |= 1u << frame % 32;
	CHECK(type_of(frame) == type, physical);
}

static void visit_table(uint64_t physical)
{
	table_count++;
	check_frame(physical, BOOTINFO_PAGE_TABLE);
}

static void visit_branch(uint64_t entry)
{
	CHECK((entry & ~ENTRY_ADDRESS & ~(ENTRY_ACCESSED | ENTRY_DIRTY)) == FREE, entry);
}

static void visit_page(uint64_t address, uint64_t entry, uint64_t size)
{
	struct area *area = areas;

	while (address - area->start >= area->end - area->start)
		if (++area == areas + area_count)
			failed("something else is mapped", address);
	area->pages++;
	if ((entry & ~ENTRY_ADDRESS & ~(ENTRY_ACCESSED | ENTRY_DIRTY)) != area->bits || size != area->size) {
		print(area->name);
		print(": not mapped as it should be: ");
		print_hex(entry);
		failed("mapping", address);
	}
	entry &= ENTRY_ADDRESS;
	if (area->physical != ANYWHERE)
		CHECK(entry == area->physical + (address - area->start), address);
	if (area->type != BOOTINFO_EMPTY)
		check_frame(entry, area->type);
}

static void check_tables(enum way way)
{
	struct walk walk = {
		.way = way,
		.offset = way == BY_PHYSICAL_MAP ? physical_map : 0,
		.slot = FEATURE_RECURSIVE ? slot : 0,
		.table = visit_table,
		.branch = visit_branch,
		.page = visit_page,
	};
	uint64_t kernel_pages = 0;

	for (size_t i = 0; i < sizeof(seen) / sizeof(seen[0]); i++)
		seen[i] = 0;
	table_count = 0;
	walk_table(&walk, cr3, 4, 0);
	for (size_t i = 0; i < area_count; i++) {
		struct area *area = &areas[i];

		if (area->pages != (area->end - area->start) / area->size)
			print(area->name);
		CHECK(area->pages == (area->end - area->start) / area->size, area->pages);
		if (area->type == BOOTINFO_KERNEL)
			kernel_pages += area->pages;
		area->pages = 0;
	}
	/* And no more frames are theirs. */
	CHECK(frames_of(BOOTINFO_KERNEL) == kernel_pages, kernel_pages);
	CHECK(frames_of(BOOTINFO_KERNEL_STACK) == (stack_end - stack_start) / PAGE,
	      frames_of(BOOTINFO_KERNEL_STACK));
	CHECK(frames_of(BOOTINFO_BOOT_INFO) == 1, frames_of(BOOTINFO_BOOT_INFO));
	CHECK(frames_of(BOOTINFO_PAGE_TABLE) >= table_count, frames_of(BOOTINFO_PAGE_TABLE));
	CHECK(frames_of(BOOTINFO_PAGE_TABLE) <= table_count + 8, frames_of(BOOTINFO_PAGE_TABLE));
}

/* The firmware's note of the video mode, which lies in page 0. */
static void check_bios_mode(uint64_t page_0)
{
	const volatile uint8_t *volatile at = (const volatile uint8_t *)(page_0 + 0x449);
	uint8_t mode = *at;

	if (find_word(words, "noscreen") == NULL)
		CHECK(mode == (FEATURE_VGA ? 0x13 : 3), mode);
}

#ifdef PHYSICAL
/* Tables of our own, which map the first 4 GiB one to one; and the kernel with
 * them, which lies there. */
static uint64_t own_tables[6][512] __attribute__((aligned(4096)));
static uint64_t own_stack[4096] __attribute__((aligned(16)));

static void look_by_identity(void)
{
	check_tables(BY_IDENTITY);
	check_bios_mode(0);
}

static void check_by_identity(void)
{
	for (uint64_t i = 0; i < 4 * 512; i++)
		own_tables[2 + i / 512][i % 512] = i * 2 * MIB | FREE | ENTRY_LARGE;
	for (uint64_t i = 0; i < 4; i++)
		own_tables[1][i] = (uint64_t)own_tables[2 + i] | FREE;
	own_tables[0][0] = (uint64_t)own_tables[1] | FREE;
	with_tables((uint64_t)own_tables[0], (uint64_t)(own_stack + 4096), look_by_identity);
}
#endif

/* It begins with what low memory shows, and reaches devices and the last byte. */
static void check_physical_map(void)
{
	const uint64_t *loader = (const uint64_t *)(15 * PAGE);
	const uint64_t *mapped = (const uint64_t *)(physical_map + 15 * PAGE);
	volatile uint32_t *apic = (volatile uint32_t *)(physical_map + 0xfee00030);
	uint64_t end = 0;

	for (size_t i = 0; i < PAGE / 8; i++)
		CHECK(mapped[i] == loader[i], i);
	CHECK(*apic != 0 && *apic != UINT32_MAX, *apic);
	for (uint64_t i = 0; i < info.region_count; i++)
		if (info.regions[i].type == BOOTINFO_USABLE &&
		    is_ram(info.regions[i].start * PAGE, info.regions[i].end * PAGE))
			end = info.regions[i].end * PAGE;
	volatile uint64_t *last = (volatile uint64_t *)(physical_map + end - 8);

	*last = 0x123456789abcdef;
	CHECK(*last == 0x123456789abcdef, end);
	check_bios_mode(physical_map);
}

/* The recursive slot shows each table, as the physical map does. */
static void check_recursion(void)
{
	const volatile uint64_t *level4 = (const volatile uint64_t *)bootinfo_recursive(&info);

	CHECK((level4[slot] & ENTRY_ADDRESS) == cr3, level4[slot]);
	check_tables(BY_RECURSION);
	if (!FEATURE_MAP)
		return;
	for (size_t i = 0; i < 512; i++)
		CHECK(level4[i] == ((const volatile uint64_t *)(physical_map + cr3))[i], i);
}

static void check_mappings(void)
{
	list_areas();
	if (FEATURE_MAP) {
		check_tables(BY_PHYSICAL_MAP);
		check_physical_map();
	}
	if (FEATURE_RECURSIVE)
		check_recursion();
#ifdef PHYSICAL
	check_by_identity();
#endif
}

/* ---- The rest ------------------------------------------------------------ */

static void check_data(void)
{
	CHECK(initialised == 0x1122334455667788, initialised);
	CHECK(*pointer == 0x1122334455667788, *pointer);
	CHECK(constant == 0x8877665544332211, constant);
	for (size_t i = 0; i < sizeof(big_bss); i += 8)
		CHECK(*(volatile uint64_t *)(big_bss + i) == 0, i);
}

/* Every byte of it is ours to write, to the very bottom. */
static void check_stack(void)
{
	volatile uint64_t *bottom = (volatile uint64_t *)stack_start;
	volatile uint64_t *top = (volatile uint64_t *)(stack_end - 8);
	uint64_t return_address = *top;

	CHECK(return_address >= PAGE && return_address < 16 * PAGE, return_address);
	*bottom = 0xfedcba987654321;
	*top = 0x123456789abcdef;
	CHECK(*bottom == 0xfedcba987654321, stack_start);
	CHECK(*top == 0x123456789abcdef, stack_end);
	*top = return_address;
}

static uint8_t graphics_register(uint8_t index)
{
	out8(0x3ce, index);
	return in8(0x3cf);
}

/* The mode was set anew, so there is nothing on the screen yet. */
static void check_screen(void)
{
	volatile uint16_t *text = (volatile uint16_t *)0xb8000;
	volatile uint8_t *pixels = (volatile uint8_t *)0xa0000;

	if (find_word(words, "noscreen") != NULL)
		return;
	if (FEATURE_VGA) {
		CHECK(graphics_register(5) & 0x40, graphics_register(5));	/* 256 colours */
		CHECK((graphics_register(6) >> 2 & 3) == 1, graphics_register(6));	/* at 0xa0000 */
		for (size_t i = 0; i < 320 * 200; i++)
			CHECK(pixels[i] == 0, i);
		for (size_t i = 0; i < 320 * 200; i++)
			pixels[i] = (uint8_t)(i / 7);
		for (size_t i = 0; i < 320 * 200; i++)
			CHECK(pixels[i] == (uint8_t)(i / 7), i);
	} else {
		CHECK((graphics_register(6) & 0x0d) == 0x0c, graphics_register(6));	/* text, at 0xb8000 */
		for (size_t i = 0; i < 80 * 25; i++)
			CHECK((text[i] & 0xff) == ' ' || (text[i] & 0xff) == 0, i);
		for (size_t i = 0; i < 80 * 25; i++)
			text[i] = (uint16_t)(0x1f00 | ('a' + i % 26));
		for (size_t i = 0; i < 80 * 25; i++)
			CHECK(text[i] == (0x1f00 | ('a' + i % 26)), i);
	}
}

static __attribute__((noinline)) uint64_t overflow(uint64_t depth)
{
	volatile uint64_t frame[64];

	frame[0] = depth;
	if (initialised == depth)	/* never */
		return depth;
	return overflow(depth + 1) + frame[0];
}

static __attribute__((noinline)) void write_null(void)
{
	volatile uint64_t *volatile null = NULL;

	*null = 1;
}

void check_bootloader09(struct bootinfo *given, const struct registers *r)
{
	load_idt(sizeof(idt) - 1);
	check_data();
	read_words(known_words);
	read_ram();
	find_places();
	check_registers(r);
	cr3 = r->cr3;
	check_bootinfo(given);
	check_memory_map();
	check_gdt(r);
	check_stack();
	check_screen();
	check_mappings();
	check_access();
	print("every promise of bootloader 0.9 holds\n");

	load_idt(0);		/* as it was */
	if (find_word(words, "end=null") != NULL)
		write_null();
	if (find_word(words, "end=overflow") != NULL)
		CHECK(overflow(0) == 0, 0);
	if (find_word(words, "end=return") == NULL)
		finish(GUEST_PASS);
}
