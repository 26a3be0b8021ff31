/* SPDX-License-Identifier: MIT
 *
 * The 32-bit protocols, from a file to what its kernel finds in memory: segments,
 * entry point, and the boot information, read as a kernel reads it.
 */
#include "protocol/flat.h"

#include <stdio.h>
#include <stdlib.h>

#include "bootabi.h"
#include "base/bytes.h"
#include "elf_maker.h"
#include "fake_loader.h"
#include "plan_check.h"
#include "protocol/protocol.h"
#include "unit.h"

#define NAME "dir/k.elf"
#define KIB UINT64_C(0x400)
#define MIB UINT64_C(0x100000)
#define GIB UINT64_C(0x40000000)
#define PAGE ((uint64_t)PAGE_SIZE)
#define HIGH UINT64_C(0xc0000000)
#define HIGH_64 UINT64_C(0xffffffff80000000)

/* ---- Files --------------------------------------------------------------- */

/* Where the files have their headers, and their segments' bytes. */
#define HEADER_1 0x400
#define HEADER_2 0x440
#define NOTE 0x600
#define CONTENT 0x1000
#define FILE_SIZE 0x9000

#define LOAD(at, phys, offset, file, mem) \
	{ .p_type = PT_LOAD, .p_flags = PF_R | PF_W | PF_X, .p_offset = (offset), .p_vaddr = (at), \
	  .p_paddr = (phys), .p_filesz = (file), .p_memsz = (mem) }
#define NOTES { .p_type = PT_NOTE, .p_offset = NOTE, .p_filesz = 20, .p_memsz = 20, .p_align = 4 }

/* A file, and what it came to. */
struct guest {
	struct elf_spec spec;
	unsigned char *bytes;
	size_t size;
	bool is_open;
	struct kernel kernel;
	struct plan plan;
	struct fake_machine machine;
};

typedef int plan_function(const struct kernel *kernel, const struct plan_options *options,
			  const char *name, struct plan *plan, struct error *err);

static const struct {
	const char *name;
	plan_function *plan;
	uint32_t number;
} protocols[] = {
	{ "multiboot1", multiboot1_plan, BT_PROTOCOL_MULTIBOOT1 },
	{ "multiboot2", multiboot2_plan, BT_PROTOCOL_MULTIBOOT2 },
	{ "pvh", pvh_plan, BT_PROTOCOL_PVH },
};

static const struct plan_options plain = { .cmdline = "a=1 b", .kernel_name = "k.elf" };

static void put_words(struct guest *guest, size_t at, const uint32_t *words, size_t count)
{
	assert_true(at + 4 * count <= guest->size);
	for (size_t i = 0; i < count; i++)
		put_le32(guest->bytes + at + 4 * i, words[i]);
}

#define PUT(guest, at, ...) \
	put_words(guest, at, (const uint32_t[]){ __VA_ARGS__ }, \
		  COUNT(((const uint32_t[]){ __VA_ARGS__ })))

/* A Multiboot 1 header: flags, and the words behind the checksum. */
#define PUT_1(guest, flags, ...) \
	PUT(guest, HEADER_1, 0x1badb002, flags, -(0x1badb002u + (flags)), __VA_ARGS__)

/* A Multiboot 2 header with these words of tags, the end tag among them. */
#define PUT_2(guest, ...) \
	do { \
		const uint32_t words_[] = { __VA_ARGS__ }; \
		const uint32_t size_ = 16 + sizeof(words_); \
		PUT(guest, HEADER_2, 0xe85250d6, 0, size_, -(0xe85250d6u + size_)); \
		put_words(guest, HEADER_2 + 16, words_, COUNT(words_)); \
	} while (0)
#define END 0, 8

static void put_note(struct guest *guest, uint32_t entry)
{
	PUT(guest, NOTE, 4, 4, 18, 0x006e6558 /* Xen */, entry);
}

/* An ELF file with a header of each protocol. */
static struct guest make_elf(const struct elf_spec *spec, uint32_t note_entry)
{
	struct guest guest = { .spec = *spec };

	if (guest.spec.size == 0)
		guest.spec.size = FILE_SIZE;
	assert_true(elf_headers_size(spec) <= HEADER_1);
	guest.bytes = elf_make(&guest.spec, &guest.size);
	PUT_1(&guest, 3, 0);
	PUT_2(&guest, END);
	put_note(&guest, note_entry);
	return guest;
}

/* One segment at 1 MiB. */
static const Elf64_Phdr simple_phdrs[] = { LOAD(MIB, MIB, CONTENT, 0x800, 0x1234), NOTES };
static const struct elf_spec simple = {
	.is_32 = true, .entry = MIB + 0x10, .phdrs = simple_phdrs, .count = COUNT(simple_phdrs),
};

static struct guest make_simple(void)
{
	return make_elf(&simple, MIB + 0x10);
}

/* Not ELF: bytes that differ from their neighbours. */
static struct guest make_flat(size_t size)
{
	struct guest guest = { .bytes = malloc(size), .size = size };

	assert_non_null(guest.bytes);
	for (size_t i = 0; i < size; i++)
		guest.bytes[i] = (unsigned char)(1 + i % 251);
	return guest;
}

static void close_guest(struct guest *guest)
{
	fake_free(&guest->machine);
	plan_free(&guest->plan);
	kernel_free(&guest->kernel);
	guest->is_open = false;
}

static void free_guest(struct guest *guest)
{
	close_guest(guest);
	free(guest->bytes);
	*guest = (struct guest){0};
}

/* ---- From file to memory ------------------------------------------------- */

static void parse_guest(struct guest *guest)
{
	struct error err = { 0 };

	if (guest->is_open)
		close_guest(guest);
	int result = kernel_parse(&guest->kernel, guest->bytes, guest->size, NAME, &err);
	assert_accepted(result, &err, "parse");
	guest->is_open = true;
}

/* What every flat plan has. */
static void check_plan(const struct plan *plan)
{
	bool anywhere = false;

	plan_check_fixups(plan);
	plan_check_patches(plan);
	assert_int_equal(plan->map_count, 0);
	assert_int_equal(plan->table_pages, 0);
	assert_true(plan->entry_block < plan->block_count);
	assert_int_equal(plan->stack_size % PAGE, 0);
	assert_true(plan->stack_size > 0 && plan->stack_size <= LOW_MAX_STACK);
	assert_true(plan->info_size <= LOW_MAX_INFO);
	assert_string_equal((const char *)plan->info + plan->cmdline_offset, plan->cmdline);
	for (size_t i = 0; i < plan->block_count; i++) {
		const struct plan_block *block = &plan->blocks[i];

		CHECK(block->size > 0 && block->size % PAGE == 0, "block %zu: size", i);
		CHECK(block->align >= PAGE && (block->align & (block->align - 1)) == 0 && block->phase == 0,
		      "block %zu: align", i);
		CHECK(block->kind == INFO_KIND_KERNEL || block->kind == INFO_KIND_MODULES,
		      "block %zu: kind", i);
		CHECK(!anywhere || block->phys == BLOCK_ANYWHERE, "block %zu comes late", i);
		anywhere = block->phys == BLOCK_ANYWHERE;
	}
}

static void plan_guest(struct guest *guest, plan_function *plan_with,
		       const struct plan_options *options)
{
	struct error err = { 0 };

	parse_guest(guest);
	assert_accepted(plan_with(&guest->kernel, options, NAME, &guest->plan, &err), &err, "plan");
	check_plan(&guest->plan);
}

/* The modules' bytes are those of the file. */
static void load_guest(struct guest *guest, const struct plan_options *options)
{
	struct fake_file files[64] = { { guest->bytes, guest->size } };

	assert_true(options->module_count < COUNT(files));
	for (size_t i = 0; i < options->module_count; i++)
		files[i + 1] = (struct fake_file){ guest->bytes + i, options->modules[i].size };
	fake_load(&guest->machine, &guest->plan, files, options->module_count + 1, 0x9d000);
}

static void boot_guest(struct guest *guest, plan_function *plan_with,
		       const struct plan_options *options)
{
	plan_guest(guest, plan_with, options);
	load_guest(guest, options);
}

/* A segment lies where it should, with what it should have. */
static void check_segment(const struct guest *guest, uint64_t address, uint64_t offset,
			  uint64_t filesz, uint64_t memsz)
{
	const unsigned char *found = fake_at(&guest->machine, address, memsz);

	CHECK(memcmp(found, guest->bytes + offset, filesz) == 0, "0x%llx: not the file's bytes",
	      (unsigned long long)address);
	for (uint64_t i = filesz; i < memsz; i++)
		CHECK(found[i] == 0, "0x%llx: not cleared", (unsigned long long)(address + i));
}

/* All segments of the file, moved. */
static void check_segments(const struct guest *guest, uint64_t moved)
{
	for (size_t i = 0; i < guest->spec.count; i++) {
		const Elf64_Phdr *phdr = &guest->spec.phdrs[i];

		if (phdr->p_type == PT_LOAD && phdr->p_memsz > 0)
			check_segment(guest, phdr->p_paddr + moved, phdr->p_offset, phdr->p_filesz,
				      phdr->p_memsz);
	}
}

static void refuse_guest(struct guest *guest, plan_function *plan_with,
			 const struct plan_options *options, enum error_class class, const char *says,
			 const char *hints)
{
	struct error err = { 0 };
	struct plan plan = { 0 };

	parse_guest(guest);
	int result = plan_with(&guest->kernel, options, NAME, &plan, &err);
	assert_refused(result, &err, class, says, says);
	CHECK(strcmp(err.text, says) == 0, "'%s' is not '%s'", err.text, says);
	CHECK(strstr(err.hint, hints) != NULL, "'%s' lacks '%s'", err.hint, hints);
	/* Nothing to free. */
	assert_null(plan.blocks);
	assert_null(plan.info);
	assert_null(plan.cmdline);
}

/* By each protocol. */
static void refuse_all(struct guest *guest, const struct plan_options *options,
		       enum error_class class, const char *says, const char *hints)
{
	for (size_t i = 0; i < COUNT(protocols); i++)
		refuse_guest(guest, protocols[i].plan, options, class, says, hints);
}

/* ---- What is refused ----------------------------------------------------- */

#define AT "'" NAME "': segment 0 (at physical address "
#define FIRST_PAGE " lies in the first page, which holds the firmware's interrupt vectors"
#define VIDEO_MEMORY " covers 0xa0000-0xfffff, where a PC has video memory and firmware"
#define OVER_LOW " reaches over 0x80000, where stack, GDT and boot information lie"
#define ABOVE " lies above 4 GiB, where a 32-bit protocol does not reach"

static const struct {
	uint64_t paddr;
	uint64_t memsz;
	const char *says;
	const char *hints;
} bad_places[] = {
	{ 0, 0x1000, AT "0x0-0x1000)" FIRST_PAGE, "if only ELF headers lie there" },
	{ 0, 0x5000, AT "0x0-0x5000)" FIRST_PAGE, "link it at 0x100000" },
	{ 0xfff, 1, AT "0xfff-0x1000)" FIRST_PAGE, "" },
	{ 0x9ffff, 2, AT "0x9ffff-0xa0001)" VIDEO_MEMORY, "link it at 0x100000" },
	{ 0xa0000, 1, AT "0xa0000-0xa0001)" VIDEO_MEMORY, "" },
	{ 0xfffff, 1, AT "0xfffff-0x100000)" VIDEO_MEMORY, "" },
	{ 0xfffff, 0x1000, AT "0xfffff-0x100fff)" VIDEO_MEMORY, "" },
	{ 0, MIB, AT "0x0-0x100000)" VIDEO_MEMORY, "" },
	{ 0x1000, 2 * MIB, AT "0x1000-0x201000)" VIDEO_MEMORY, "" },
	{ 0x7ffff, 2, AT "0x7ffff-0x80001)" OVER_LOW, "link it below that" },
	{ 0x80000, 1, AT "0x80000-0x80001)" OVER_LOW, "" },
	{ 0x9f000, 0x1000, AT "0x9f000-0xa0000)" OVER_LOW, "" },
	{ 0x1000, 0x7f001, AT "0x1000-0x80001)" OVER_LOW, "" },
	{ 4 * GIB, 1, AT "0x100000000-0x100000001)" ABOVE, "AT()" },
	{ 4 * GIB - 1, 2, AT "0xffffffff-0x100000001)" ABOVE, "" },
	{ MIB, 4 * GIB, AT "0x100000-0x100100000)" ABOVE, "" },
	{ UINT64_MAX, 1, AT "0xffffffffffffffff-0x0)" ABOVE, "" },
	{ HIGH_64, 0x1000, AT "0xffffffff80000000-0xffffffff80001000)" ABOVE, "" },
};

TEST(refuses_bad_places)
{
	for (size_t i = 0; i < COUNT(bad_places); i++) {
		const Elf64_Phdr phdrs[] = {
			LOAD(16 * GIB, bad_places[i].paddr, CONTENT, 0, bad_places[i].memsz), NOTES
		};
		const struct elf_spec spec = { .phdrs = phdrs, .count = COUNT(phdrs), .entry = 16 * GIB };
		struct guest guest = make_elf(&spec, MIB);

		refuse_all(&guest, &plain, ERROR_INPUT, bad_places[i].says, bad_places[i].hints);
		free_guest(&guest);
	}
}

TEST(takes_outermost_places)
{
	static const uint64_t places[][2] = {
		{ 0x1000, 1 }, { 0x1000, 0x7f000 }, { 0x7ffff, 1 }, { MIB, 1 }, { 4 * GIB - 1, 1 },
		{ 4 * GIB - PAGE, PAGE }, { 2 * GIB, 2 * GIB - PAGE },
	};

	for (size_t i = 0; i < COUNT(places); i++) {
		const Elf64_Phdr phdrs[] = { LOAD(16 * GIB, places[i][0], CONTENT, 0, places[i][1]), NOTES };
		const struct elf_spec spec = { .phdrs = phdrs, .count = COUNT(phdrs), .entry = 16 * GIB };
		struct guest guest = make_elf(&spec, (uint32_t)places[i][0]);

		for (size_t k = 0; k < COUNT(protocols); k++) {
			plan_guest(&guest, protocols[k].plan, &plain);
			assert_int_equal(guest.plan.protocol, protocols[k].number);
			assert_int_equal(guest.plan.block_count, 1);
			assert_int_equal(guest.plan.blocks[0].phys, places[i][0] / PAGE * PAGE);
			assert_int_equal(guest.plan.blocks[0].flags, BLOCK_FIXED);
		}
		free_guest(&guest);
	}
}

/* Apart by their virtual addresses, but not by the physical ones. */
TEST(refuses_overlaps_by_physical_address)
{
	const Elf64_Phdr phdrs[] = {
		LOAD(HIGH, MIB + 0xfff, CONTENT, 0x10, 0x1000),
		LOAD(HIGH + MIB, MIB, CONTENT, 0x10, 0x1000),
		NOTES,
	};
	const struct elf_spec spec = { .is_32 = true, .phdrs = phdrs, .count = COUNT(phdrs),
				       .entry = HIGH };
	struct guest guest = make_elf(&spec, MIB);

	refuse_all(&guest, &plain, ERROR_INPUT,
		   "'" NAME "': segment 1 (at physical address 0x100000-0x101000) overlaps segment 0 "
		   "(at physical address 0x100fff-0x101fff)", "AT()");
	free_guest(&guest);
}

TEST(refuses_entry_in_no_segment)
{
	static const uint32_t entries[] = { 0, MIB - 1, MIB + 0x1234, MIB + 0x1fff, UINT32_MAX };

	for (size_t i = 0; i < COUNT(entries); i++) {
		struct elf_spec spec = simple;
		char says[200];

		spec.entry = entries[i];
		struct guest guest = make_elf(&spec, entries[i]);
		snprintf(says, sizeof(says), "'" NAME "': the entry point 0x%x lies in no segment", entries[i]);
		refuse_guest(&guest, multiboot1_plan, &plain, ERROR_INPUT, says, "_start");
		refuse_guest(&guest, multiboot2_plan, &plain, ERROR_INPUT, says, "_start");
		refuse_guest(&guest, pvh_plan, &plain, ERROR_INPUT, says, "boot header or note");
		PUT_2(&guest, 3, 12, entries[i], 0, END);
		refuse_guest(&guest, multiboot2_plan, &plain, ERROR_INPUT, says, "boot header or note");
		free_guest(&guest);
	}
}

TEST(stack_sizes)
{
	static const uint64_t sizes[][2] = {
		{ 0, 64 * KIB }, { 1, PAGE }, { PAGE + 1, 2 * PAGE }, { 64 * KIB, 64 * KIB },
	};
	struct guest guest = make_simple();
	struct plan_options options = plain;

	for (size_t i = 0; i < COUNT(protocols); i++) {
		for (size_t k = 0; k < COUNT(sizes); k++) {
			options.stack_size = sizes[k][0];
			plan_guest(&guest, protocols[i].plan, &options);
			assert_int_equal(guest.plan.stack_size, sizes[k][1]);
		}
	}
	options.stack_size = 64 * KIB + 1;
	refuse_all(&guest, &options, ERROR_USAGE,
		   "--stack-size: a 32-bit kernel's stack lies below 640 KiB, with room for 64 KiB", "");
	options.stack_size = 256 * MIB;
	refuse_all(&guest, &options, ERROR_USAGE,
		   "--stack-size: a 32-bit kernel's stack lies below 640 KiB, with room for 64 KiB", "");
	free_guest(&guest);
}

TEST(refuses_kernel_base_of_fixed_kernels)
{
	const uint64_t base = 0x300000;
	struct plan_options options = plain;
	struct guest guest = make_simple();

	options.kernel_base = &base;
	refuse_all(&guest, &options, ERROR_USAGE,
		   "'" NAME "' is linked at fixed addresses: it cannot be moved to --kernel-base 0x300000",
		   "-static-pie");
	/* Nor if it is the header that says so. */
	PUT_1(&guest, 3 | 1 << 16, MIB, MIB, 0, 0, MIB + 0x20);
	PUT_2(&guest, 2, 24, MIB, MIB, 0, 0, 3, 12, MIB + 0x20, 0, END);
	refuse_guest(&guest, multiboot1_plan, &options, ERROR_USAGE,
		     "'" NAME "' goes where its Multiboot header says, not to --kernel-base", "");
	refuse_guest(&guest, multiboot2_plan, &options, ERROR_USAGE,
		     "'" NAME "' goes where its Multiboot header says, not to --kernel-base", "");
	free_guest(&guest);
}

#define LONG_NAME 4000

TEST(refuses_too_much_info)
{
	static char name[LONG_NAME + 1];
	struct plan_module modules[13];
	struct plan_options options = plain;
	struct guest guest = make_simple();

	memset(name, 'm', LONG_NAME);
	for (size_t i = 0; i < COUNT(modules); i++)
		modules[i] = (struct plan_module){ name, 1 };
	options.modules = modules;
	for (size_t i = 0; i < COUNT(protocols); i++) {
		struct error err = { 0 };
		struct plan plan = { 0 };

		options.module_count = 12;
		plan_guest(&guest, protocols[i].plan, &options);
		options.module_count = 13;
		assert_refused(protocols[i].plan(&guest.kernel, &options, NAME, &plan, &err), &err,
			       ERROR_INPUT,
			       "what '" NAME "' is to be told (modules, sections, command line) takes 52",
			       protocols[i].name);
		assert_non_null(strstr(err.text, " bytes; the loader has room for 49152"));
		assert_null(plan.info);
	}
	free_guest(&guest);
}

TEST(refuses_too_many_modules)
{
	static char name[] = "m";
	static struct plan_module modules[BT_MAX_BLOCKS];
	struct plan_options options = plain;
	struct guest guest = make_simple();

	for (size_t i = 0; i < COUNT(modules); i++)
		modules[i] = (struct plan_module){ name, 1 };
	options.modules = modules;
	options.module_count = COUNT(modules);
	refuse_all(&guest, &options, ERROR_INPUT,
		   "'" NAME "' and its modules are 1025 separate pieces; the loader has room for 1024", "");
	options.module_count--;
	for (size_t i = 0; i < COUNT(protocols); i++)
		plan_guest(&guest, protocols[i].plan, &options);
	free_guest(&guest);
}

/* ---- Entry points -------------------------------------------------------- */

/* Virtual, as most linker scripts have it, or physical. */
TEST(translates_the_entry_point)
{
	static const struct {
		bool is_32;
		uint64_t vaddr;
		uint64_t entry;
		uint64_t offset;
	} cases[] = {
		{ true, MIB, MIB, 0 },
		{ true, MIB, MIB + 0x1233, 0x1233 },
		{ true, HIGH + MIB, HIGH + MIB + 0x10, 0x10 },
		{ true, HIGH + MIB, MIB + 0x10, 0x10 },
		{ true, 0, 0x20, 0x20 },
		{ false, HIGH_64 + MIB, HIGH_64 + MIB + 0x10, 0x10 },
		{ false, HIGH_64 + MIB, MIB + 0x10, 0x10 },
		/* What is both is virtual. */
		{ true, MIB - 0x100, MIB + 0x10, 0x110 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const Elf64_Phdr phdrs[] = { LOAD(cases[i].vaddr, MIB, CONTENT, 0x800, 0x1234), NOTES };
		const struct elf_spec spec = { .is_32 = cases[i].is_32, .phdrs = phdrs,
					       .count = COUNT(phdrs), .entry = cases[i].entry };
		struct guest guest = make_elf(&spec, MIB);

		for (size_t k = 0; k < 2; k++) {
			boot_guest(&guest, protocols[k].plan, &plain);
			CHECK(guest.machine.entry == MIB + cases[i].offset, "case %zu: 0x%llx", i,
			      (unsigned long long)guest.machine.entry);
			assert_int_equal(guest.plan.entry, MIB + cases[i].offset);
			assert_int_equal(guest.plan.entry_block, 0);
			assert_int_equal(guest.plan.entry_offset, cases[i].offset);
			check_segments(&guest, 0);
		}
		free_guest(&guest);
	}
}

/* That of the header or the note is physical and wins. */
TEST(takes_the_entry_point_of_the_header)
{
	const Elf64_Phdr phdrs[] = {
		LOAD(HIGH, MIB, CONTENT, 0x800, 0x1000),
		/* Its virtual addresses are the other one's physical ones. */
		LOAD(MIB, 16 * MIB, CONTENT, 0x800, 0x1000),
		NOTES,
	};
	const struct elf_spec spec = { .is_32 = true, .phdrs = phdrs, .count = COUNT(phdrs),
				       .entry = HIGH + 0x10 };
	struct guest guest = make_elf(&spec, MIB + 0x30);

	boot_guest(&guest, pvh_plan, &plain);
	assert_int_equal(guest.machine.entry, MIB + 0x30);
	PUT_2(&guest, 3, 12, 16 * MIB + 0x40, 0, END);
	boot_guest(&guest, multiboot2_plan, &plain);
	assert_int_equal(guest.machine.entry, 16 * MIB + 0x40);
	assert_int_equal(guest.plan.entry_block, 1);
	assert_int_equal(guest.plan.entry_offset, 0x40);
	free_guest(&guest);
}

/* ---- Segments and blocks ------------------------------------------------- */

static void assert_block(const struct plan *plan, size_t index, uint64_t phys, uint64_t size)
{
	assert_true(index < plan->block_count);
	assert_int_equal(plan->blocks[index].phys, phys);
	assert_int_equal(plan->blocks[index].size, size);
	assert_int_equal(plan->blocks[index].kind, INFO_KIND_KERNEL);
	assert_int_equal(plan->blocks[index].flags, BLOCK_FIXED);
}

/* What is cleared, and no byte more. */
static uint64_t cleared_bytes(const struct plan *plan)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < plan->zero_count; i++)
		sum += plan->zeros[i].length;
	return sum;
}

TEST(one_segment)
{
	struct guest guest = make_simple();

	for (size_t i = 0; i < COUNT(protocols); i++) {
		boot_guest(&guest, protocols[i].plan, &plain);
		check_segments(&guest, 0);
		assert_int_equal(guest.plan.block_count, 1);
		assert_block(&guest.plan, 0, MIB, 2 * PAGE);
		assert_int_equal(guest.plan.extent_count, 1);
		assert_int_equal(guest.plan.extents[0].length, 0x800);
		assert_int_equal(guest.plan.zero_count, 1);
		assert_int_equal(guest.plan.zeros[0].offset, 0x800);
		assert_int_equal(guest.plan.zeros[0].length, 0xa34);
		assert_int_equal(plan_memory(&guest.plan), MIB + 2 * PAGE + 64 * KIB);
		/* Behind p_memsz nothing is touched. */
		assert_int_equal(*fake_at(&guest.machine, MIB + 0x1234, 1), FAKE_DIRT);
		assert_int_equal(guest.plan.warning_count, 0);
	}
	free_guest(&guest);
}

/* In the order of their physical addresses, whatever that of the virtual ones
 * and of the headers. */
TEST(segments_out_of_order)
{
	const Elf64_Phdr phdrs[] = {
		LOAD(HIGH + 0x3000, MIB + 0x1000, CONTENT + 0x2000, 0x300, 0x400),
		LOAD(HIGH + 0x1000, MIB + 0x4000, CONTENT + 0x1000, 0x200, 0x1000),
		LOAD(HIGH + 0x9000, MIB, CONTENT, 0x100, 0x100),
		NOTES,
	};
	const struct elf_spec spec = { .is_32 = true, .phdrs = phdrs, .count = COUNT(phdrs),
				       .entry = HIGH + 0x1010 };
	struct guest guest = make_elf(&spec, MIB + 0x4010);

	for (size_t i = 0; i < COUNT(protocols); i++) {
		boot_guest(&guest, protocols[i].plan, &plain);
		check_segments(&guest, 0);
		assert_int_equal(guest.machine.entry, MIB + 0x4010);
		assert_int_equal(guest.plan.block_count, 1);
		assert_block(&guest.plan, 0, MIB, 5 * PAGE);
		assert_int_equal(cleared_bytes(&guest.plan), 0x100 + 0xe00);
	}
	free_guest(&guest);
}

/* Odd addresses, several in a page, with .bss between them. */
TEST(segments_share_pages)
{
	const Elf64_Phdr phdrs[] = {
		LOAD(MIB + 0x10, MIB + 0x10, CONTENT + 3, 0x11, 0x33),
		LOAD(MIB + 0x43, MIB + 0x43, CONTENT + 0x1001, 0x100, 0x100),
		LOAD(MIB + 0x200, MIB + 0x200, CONTENT + 0x2000, 0, 0x10),
		LOAD(MIB + 0xfff, MIB + 0xfff, CONTENT + 0x3000, 2, 0x1002),
		LOAD(MIB + 0x2800, MIB + 0x2800, CONTENT, 0x800, 0x800),
		NOTES,
	};
	const struct elf_spec spec = { .is_32 = true, .phdrs = phdrs, .count = COUNT(phdrs),
				       .entry = MIB + 0x10 };
	struct guest guest = make_elf(&spec, MIB + 0x10);

	for (size_t i = 0; i < COUNT(protocols); i++) {
		boot_guest(&guest, protocols[i].plan, &plain);
		check_segments(&guest, 0);
		assert_block(&guest.plan, 0, MIB, 3 * PAGE);
		assert_int_equal(guest.plan.block_count, 1);
		assert_int_equal(cleared_bytes(&guest.plan), 0x22 + 0x10 + 0x1000);
		assert_int_equal(*fake_at(&guest.machine, MIB + 0xf, 1), FAKE_DIRT);
		assert_int_equal(*fake_at(&guest.machine, MIB + 0x2001, 1), FAKE_DIRT);
	}
	free_guest(&guest);
}

/* Up to 64 KiB apart they are one block; the gap is neither loaded nor cleared. */
TEST(blocks_end_at_large_gaps)
{
	const uint64_t near = 64 * KIB, far = 64 * KIB + PAGE;
	const Elf64_Phdr phdrs[] = {
		LOAD(MIB, MIB, CONTENT, 0x10, 0x10),
		LOAD(MIB + PAGE + near, MIB + PAGE + near, CONTENT + 0x100, 0x10, 0x10),
		LOAD(MIB + 2 * PAGE + near + far, MIB + 2 * PAGE + near + far, CONTENT + 0x200, 0x10, 0x20),
		LOAD(0x7f000, 0x7f000, CONTENT + 0x300, 0x1000, 0x1000),
		NOTES,
	};
	const struct elf_spec spec = { .is_32 = true, .phdrs = phdrs, .count = COUNT(phdrs),
				       .entry = MIB + 2 * PAGE + near + far };
	struct guest guest = make_elf(&spec, MIB);

	boot_guest(&guest, multiboot1_plan, &plain);
	check_segments(&guest, 0);
	assert_int_equal(guest.plan.block_count, 3);
	assert_block(&guest.plan, 0, 0x7f000, PAGE);
	assert_block(&guest.plan, 1, MIB, 2 * PAGE + near);
	assert_block(&guest.plan, 2, MIB + 2 * PAGE + near + far, PAGE);
	assert_int_equal(guest.plan.entry_block, 2);
	assert_int_equal(guest.plan.entry_offset, 0);
	assert_int_equal(cleared_bytes(&guest.plan), 0x10);
	assert_int_equal(*fake_at(&guest.machine, MIB + PAGE, 1), FAKE_DIRT);
	free_guest(&guest);
}

/* Whatever the segments, each has its bytes, and its neighbours keep theirs. */
TEST(random_segments)
{
	uint64_t seed = 5;

	for (unsigned int round = 0; round < 500; round++) {
		Elf64_Phdr phdrs[9] = { [8] = NOTES };
		uint64_t at = random_below(&seed, 2) == 0 ? 0x1000 : MIB, wanted = 0;
		size_t order = random_below(&seed, 8);

		for (size_t i = 0; i < 8; i++) {
			uint64_t filesz = random_below(&seed, 3) * random_below(&seed, 0x700);
			uint64_t memsz = filesz + random_below(&seed, 2) * random_below(&seed, 0x1800) + 1;

			at += random_below(&seed, 3) * random_below(&seed, 0x9000);
			if (at + memsz > 0x7f000 && at < MIB)
				at = MIB;
			phdrs[i ^ order] = (Elf64_Phdr)LOAD(HIGH + (i ^ order) * 0x10000, at,
							    CONTENT + random_below(&seed, 0x1000), filesz, memsz);
			at += memsz;
			wanted += memsz - filesz;
		}
		const struct elf_spec spec = { .is_32 = true, .phdrs = phdrs, .count = 9, .entry = HIGH };
		struct guest guest = make_elf(&spec, (uint32_t)phdrs[0].p_paddr);
		boot_guest(&guest, protocols[round % 3].plan, &plain);
		check_segments(&guest, 0);
		CHECK(cleared_bytes(&guest.plan) == wanted, "round %u: clears too much", round);
		assert_int_equal(guest.machine.entry, phdrs[0].p_paddr);
		free_guest(&guest);
	}
}

/* ---- Images that the header describes ------------------------------------ */

#define KLUDGE (1u << 16)

/* The whole file, with .bss; the ELF headers, which say otherwise, do not count. */
TEST(images_by_address_fields)
{
	const uint32_t load = 16 * MIB, header_1 = load + HEADER_1, header_2 = load + HEADER_2;

	for (size_t i = 0; i < 2; i++) {
		struct guest guest = i == 0 ? make_simple() : make_flat(FILE_SIZE);

		PUT_1(&guest, KLUDGE, header_1, load, 0, load + FILE_SIZE + 0x1000, load + 0x20);
		PUT_2(&guest, 2, 24, header_2, load, 0, load + FILE_SIZE + 0x1000, 3, 12, load + 0x20, 0,
		      END);
		for (size_t k = 0; k < 2; k++) {
			boot_guest(&guest, protocols[k].plan, &plain);
			assert_int_equal(guest.machine.entry, load + 0x20);
			assert_block(&guest.plan, 0, load, FILE_SIZE + 0x1000);
			assert_int_equal(guest.plan.block_count, 1);
			check_segment(&guest, load, 0, guest.size, FILE_SIZE + 0x1000);
		}
		free_guest(&guest);
	}
}

/* From the middle of the file to its middle, to an odd address. */
TEST(part_of_a_file_as_image)
{
	const uint32_t load = MIB + 0x123, header_1 = load + 0x80, header_2 = load + 0xc0;
	struct guest guest = make_flat(FILE_SIZE);

	PUT_1(&guest, KLUDGE, header_1, load, load + 0x2001, 0, load + 0x2000);
	PUT_2(&guest, 2, 24, header_2, load, load + 0x2001, 0, 3, 12, load + 0x2000, 0, END);
	for (size_t k = 0; k < 2; k++) {
		boot_guest(&guest, protocols[k].plan, &plain);
		assert_int_equal(guest.machine.entry, load + 0x2000);
		assert_block(&guest.plan, 0, MIB, 3 * PAGE);
		check_segment(&guest, load, HEADER_1 - 0x80, 0x2001, 0x2001);
		assert_int_equal(guest.plan.zero_count, 0);
		assert_int_equal(*fake_at(&guest.machine, load + 0x2001, 1), FAKE_DIRT);
	}
	free_guest(&guest);
}

#define IMAGE "'" NAME "': the image (by its Multiboot header at "

TEST(refuses_bad_places_of_images)
{
	static const struct {
		uint32_t load;
		const char *says;
	} cases[] = {
		{ 0, IMAGE "0x0-0x2000)" FIRST_PAGE },
		{ 0x9f000, IMAGE "0x9f000-0xa1000)" VIDEO_MEMORY },
		{ 0x7f000, IMAGE "0x7f000-0x81000)" OVER_LOW },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const uint32_t load = cases[i].load;
		struct guest guest = make_flat(0x2000);

		PUT_1(&guest, KLUDGE, load + HEADER_1, load, 0, 0, load + 0x20);
		PUT_2(&guest, 2, 24, load + HEADER_2, load, 0, 0, 3, 12, load + 0x20, 0, END);
		refuse_guest(&guest, multiboot1_plan, &plain, ERROR_INPUT, cases[i].says, "link it");
		refuse_guest(&guest, multiboot2_plan, &plain, ERROR_INPUT, cases[i].says, "link it");
		free_guest(&guest);
	}
}

TEST(refuses_flat_files_without_addresses)
{
	const char *says = "'" NAME "' is not an ELF file, and its Multiboot header does not say where it "
			   "goes";
	struct guest guest = make_flat(FILE_SIZE);

	PUT_1(&guest, 3, 0);
	PUT_2(&guest, END);
	refuse_guest(&guest, multiboot1_plan, &plain, ERROR_INPUT, says, "address fields");
	refuse_guest(&guest, multiboot2_plan, &plain, ERROR_INPUT, says, "address fields");
	free_guest(&guest);
}

/* ---- Modules ------------------------------------------------------------- */

static char initrd[] = "initrd rw", nothing[] = "", third[] = "x=\"y z\"";
static const struct plan_module some_modules[] = {
	{ initrd, 0x1801 }, { nothing, 0 }, { third, 0x1000 },
};
static const struct plan_options with_modules = {
	.cmdline = "a=1 b", .kernel_name = "k.elf", .modules = some_modules,
	.module_count = COUNT(some_modules),
};

/* Kernels take the memory right behind themselves, and low memory is scarce. */
TEST(modules_lie_above_the_kernel)
{
	static const struct {
		uint64_t paddr;
		uint64_t lowest;
	} cases[] = {
		{ MIB, 0x102000 }, { 0x8000, MIB }, { 0x40000123, 0x40002000 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const Elf64_Phdr phdrs[] = {
			LOAD(cases[i].paddr, cases[i].paddr, CONTENT, 0x800, 0x1234),
			LOAD(0x4000, 0x4000, CONTENT, 0x800, 0x800), NOTES
		};
		const struct elf_spec spec = { .is_32 = true, .phdrs = phdrs, .count = COUNT(phdrs),
					       .entry = cases[i].paddr };
		struct guest guest = make_elf(&spec, (uint32_t)cases[i].paddr);

		for (size_t k = 0; k < COUNT(protocols); k++) {
			plan_guest(&guest, protocols[k].plan, &with_modules);
			size_t first = guest.plan.block_count - COUNT(some_modules);

			for (size_t b = first; b < guest.plan.block_count; b++) {
				const struct plan_block *block = &guest.plan.blocks[b];

				CHECK(block->lowest == cases[i].lowest && block->highest == 4 * GIB &&
					      block->phys == BLOCK_ANYWHERE && block->flags == 0 &&
					      block->align == PAGE && block->kind == INFO_KIND_MODULES,
				      "case %zu, %s, block %zu", i, protocols[k].name, b);
			}
		}
		free_guest(&guest);
	}
}

/* A module that the kernel was told of, at start. */
static void check_module(const struct guest *guest, size_t index, uint64_t start, uint64_t end,
			 const char *name)
{
	const struct plan_module *module = &some_modules[index];
	uint64_t pages = (module->size + PAGE - 1) / PAGE * PAGE;

	CHECK(start % PAGE == 0 && start >= MIB + 2 * PAGE, "module %zu: 0x%llx", index,
	      (unsigned long long)start);
	assert_int_equal(end - start, module->size);
	assert_string_equal(name, module->name);
	const unsigned char *bytes = fake_at(&guest->machine, start, pages);
	CHECK(memcmp(bytes, guest->bytes + index, module->size) == 0, "module %zu: its bytes", index);
	for (uint64_t i = module->size; i < pages; i++)
		CHECK(bytes[i] == 0, "module %zu: its last page", index);
}

/* ---- Multiboot 1 information ---------------------------------------------- */

/* What only the loader knows is 0. */
static void check_zeros(const struct guest *guest, uint64_t from, uint64_t to)
{
	const unsigned char *bytes = fake_at(&guest->machine, guest->machine.info + from, to - from);

	for (uint64_t i = 0; i < to - from; i++)
		CHECK(bytes[i] == 0, "byte 0x%llx of the info", (unsigned long long)(from + i));
}

static void check_information_1(const struct guest *guest, const struct plan_options *options,
				const char *cmdline, uint32_t flags)
{
	const struct fake_machine *m = &guest->machine;
	const uint64_t info = m->info;
	uint32_t list = fake_u32(m, info + MB1_OFF_MODS_ADDR);

	assert_int_equal(fake_u32(m, info + MB1_OFF_FLAGS), flags);
	assert_string_equal(fake_string(m, fake_u32(m, info + MB1_OFF_CMDLINE)), cmdline);
	assert_string_equal(guest->plan.cmdline, cmdline);
	assert_string_equal(fake_string(m, fake_u32(m, info + MB1_OFF_LOADER_NAME)), "mkbootimg");
	assert_int_equal(fake_u32(m, info + MB1_OFF_MODS_COUNT), options->module_count);
	for (size_t i = 0; i < options->module_count; i++, list += MB1_MOD_SIZE) {
		assert_int_equal(list % 4, 0);
		check_module(guest, i, fake_u32(m, list + MB1_MOD_START), fake_u32(m, list + MB1_MOD_END),
			     fake_string(m, fake_u32(m, list + MB1_MOD_STRING)));
		assert_int_equal(fake_u32(m, list + 12), 0);
	}
	check_zeros(guest, MB1_OFF_MEM_LOWER, MB1_OFF_CMDLINE);
	check_zeros(guest, MB1_OFF_MMAP_LENGTH, MB1_OFF_LOADER_NAME);
	check_zeros(guest, MB1_OFF_LOADER_NAME + 4, MB1_INFO_SIZE);
}

#define ALWAYS_1 (MB1_HAS_CMDLINE | MB1_HAS_LOADER_NAME | MB1_HAS_MODULES)

TEST(multiboot1_information)
{
	const struct plan_options bare = { .cmdline = "", .kernel_name = "k.elf" };
	struct guest guest = make_simple();

	boot_guest(&guest, multiboot1_plan, &plain);
	check_information_1(&guest, &plain, "k.elf a=1 b", ALWAYS_1);
	check_zeros(&guest, MB1_OFF_SYMS, MB1_OFF_MMAP_LENGTH);
	/* Two strings and the list of modules. */
	assert_int_equal(guest.plan.fixup_count, 3);
	boot_guest(&guest, multiboot1_plan, &bare);
	check_information_1(&guest, &bare, "k.elf", ALWAYS_1);
	boot_guest(&guest, multiboot1_plan, &with_modules);
	check_information_1(&guest, &with_modules, "k.elf a=1 b", ALWAYS_1);
	assert_int_equal(guest.plan.fixup_count, 3 + 3 * COUNT(some_modules));
	free_guest(&guest);
}

/* Without any header: the same. */
TEST(plain_kernels_get_multiboot1_information)
{
	struct guest guest = make_simple();

	memset(guest.bytes + HEADER_1, 0, 12);
	boot_guest(&guest, multiboot1_plan, &with_modules);
	check_information_1(&guest, &with_modules, "k.elf a=1 b", ALWAYS_1);
	assert_int_equal(guest.plan.protocol, BT_PROTOCOL_MULTIBOOT1);
	assert_int_equal(guest.plan.video.mode, VIDEO_TEXT);
	free_guest(&guest);
}

/* ---- Multiboot 2 information ---------------------------------------------- */

/* The one tag of a type; 0 if there is none.  Walks over all tags, as a kernel
 * does; the loader's come behind them. */
static uint64_t find_tag(const struct guest *guest, uint32_t type, uint32_t *size)
{
	const struct fake_machine *m = &guest->machine;
	uint64_t end = m->info + guest->plan.info_size, found = 0;

	assert_int_equal(m->info % 8, 0);
	check_zeros(guest, 0, MB2_HEADER_SIZE);
	for (uint64_t at = m->info + MB2_HEADER_SIZE; at < end;) {
		uint32_t tag_size = fake_u32(m, at + 4);

		CHECK(tag_size >= 8 && tag_size <= end - at, "tag at 0x%llx: size %u",
		      (unsigned long long)(at - m->info), tag_size);
		assert_int_not_equal(fake_u32(m, at), MB2_TAG_END);
		if (fake_u32(m, at) == type) {
			CHECK(found == 0 || type == MB2_TAG_MODULE, "two tags of type %u", type);
			found = found == 0 ? at : found;
			*size = tag_size;
		}
		at += (tag_size + 7) / 8 * 8;
	}
	return found;
}

/* A tag that is one string. */
static void check_string_tag(const struct guest *guest, uint32_t type, const char *string)
{
	uint32_t size;
	uint64_t tag = find_tag(guest, type, &size);

	assert_int_not_equal(tag, 0);
	assert_int_equal(size, 8 + strlen(string) + 1);
	assert_string_equal(fake_string(&guest->machine, tag + 8), string);
}

static size_t count_tags(const struct guest *guest)
{
	const struct fake_machine *m = &guest->machine;
	size_t count = 0;

	for (uint64_t at = m->info + 8; at < m->info + guest->plan.info_size; count++)
		at += (fake_u32(m, at + 4) + 7) / 8 * 8;
	return count;
}

static void check_module_tags(const struct guest *guest, const struct plan_options *options)
{
	const struct fake_machine *m = &guest->machine;
	uint32_t size;
	uint64_t tag = find_tag(guest, MB2_TAG_MODULE, &size);

	for (size_t i = 0; i < options->module_count; i++) {
		size_t length = strlen(options->modules[i].name);

		assert_int_equal(tag % 8, 0);
		assert_int_equal(fake_u32(m, tag), MB2_TAG_MODULE);
		size = fake_u32(m, tag + 4);
		assert_int_equal(size, 16 + length + 1);
		check_module(guest, i, fake_u32(m, tag + 8), fake_u32(m, tag + 12), fake_string(m, tag + 16));
		tag += (size + 7) / 8 * 8;
	}
}

TEST(multiboot2_information)
{
	struct guest guest = make_simple();
	uint32_t size;

	boot_guest(&guest, multiboot2_plan, &plain);
	check_string_tag(&guest, MB2_TAG_CMDLINE, "k.elf a=1 b");
	check_string_tag(&guest, MB2_TAG_LOADER_NAME, "mkbootimg");
	assert_string_equal(guest.plan.cmdline, "k.elf a=1 b");
	assert_int_equal(find_tag(&guest, MB2_TAG_MODULE, &size), 0);
	assert_int_equal(find_tag(&guest, MB2_TAG_SECTIONS, &size), 0);
	assert_int_equal(find_tag(&guest, MB2_TAG_LOAD_BASE, &size), 0);
	assert_int_equal(count_tags(&guest), 2);
	assert_int_equal(guest.plan.fixup_count, 0);
	boot_guest(&guest, multiboot2_plan, &with_modules);
	check_module_tags(&guest, &with_modules);
	assert_int_equal(count_tags(&guest), 2 + COUNT(some_modules));
	assert_int_equal(guest.plan.fixup_count, 2 * COUNT(some_modules));
	free_guest(&guest);
}

/* Whatever is long or short, the next tag is aligned: find_tag() looks. */
TEST(multiboot2_tags_are_aligned)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
	struct guest guest = make_simple();

	for (size_t length = 0; length < 17; length++) {
		char name[sizeof(letters)];
		struct plan_module modules[] = { { name, 1 }, { name, 2 } };
		const struct plan_options options = { .cmdline = letters + 26 - length, .kernel_name = "k",
						      .modules = modules, .module_count = 2 };
		uint32_t size;

		strcpy(name, letters + 26 - length);
		boot_guest(&guest, multiboot2_plan, &options);
		assert_int_not_equal(find_tag(&guest, MB2_TAG_MODULE, &size), 0);
		assert_int_equal(size, 16 + length + 1);
		assert_int_equal(count_tags(&guest), 4);
	}
	free_guest(&guest);
}

/* ---- PVH information ------------------------------------------------------ */

static void check_start_info(const struct guest *guest, const struct plan_options *options)
{
	const struct fake_machine *m = &guest->machine;
	const uint64_t info = m->info;
	uint64_t list = fake_u64(m, info + PVH_OFF_MODULES);

	assert_int_equal(fake_u32(m, info + PVH_OFF_MAGIC), 0x336ec578);
	assert_int_equal(fake_u32(m, info + PVH_OFF_VERSION), 1);
	assert_int_equal(fake_u32(m, info + PVH_OFF_FLAGS), 0);
	assert_int_equal(fake_u32(m, info + PVH_OFF_MODULE_COUNT), options->module_count);
	assert_string_equal(fake_string(m, fake_u64(m, info + PVH_OFF_CMDLINE)), options->cmdline);
	assert_string_equal(guest->plan.cmdline, options->cmdline);
	check_zeros(guest, PVH_OFF_RSDP, PVH_INFO_SIZE);
	if (options->module_count == 0)
		assert_int_equal(list, 0);
	else
		assert_int_equal(list % 8, 0);
	for (size_t i = 0; i < options->module_count; i++, list += PVH_MOD_SIZE) {
		uint64_t start = fake_u64(m, list + PVH_MOD_START);

		check_module(guest, i, start, start + fake_u64(m, list + PVH_MOD_BYTES),
			     fake_string(m, fake_u64(m, list + PVH_MOD_CMDLINE)));
		assert_int_equal(fake_u64(m, list + 24), 0);
	}
}

TEST(pvh_information)
{
	const struct plan_options bare = { .cmdline = "", .kernel_name = "k.elf" };
	struct guest guest = make_simple();

	boot_guest(&guest, pvh_plan, &plain);
	check_start_info(&guest, &plain);
	assert_int_equal(guest.plan.fixup_count, 1);
	boot_guest(&guest, pvh_plan, &bare);
	check_start_info(&guest, &bare);
	boot_guest(&guest, pvh_plan, &with_modules);
	check_start_info(&guest, &with_modules);
	assert_int_equal(guest.plan.fixup_count, 2 + 2 * COUNT(some_modules));
	free_guest(&guest);
}

/* ---- Sections and symbols ------------------------------------------------- */

#define NAMES 0x5000
static const char section_names[] = "\0.text\0.symtab\0.strtab\0.shstrtab\0.debug_info\0.bss";
static const Elf64_Shdr sections[] = {
	{ .sh_type = SHT_NULL },
	{ .sh_name = 1, .sh_type = SHT_PROGBITS, .sh_flags = SHF_ALLOC | SHF_EXECINSTR, .sh_addr = MIB,
	  .sh_offset = CONTENT, .sh_size = 0x800 },
	{ .sh_name = 7, .sh_type = SHT_SYMTAB, .sh_offset = 0x4000, .sh_size = 0x301, .sh_link = 3,
	  .sh_entsize = sizeof(Elf32_Sym), .sh_addralign = 4 },
	{ .sh_name = 33, .sh_type = SHT_PROGBITS, .sh_offset = 0x4800, .sh_size = 0x100 },
	{ .sh_name = 15, .sh_type = SHT_STRTAB, .sh_offset = 0x4401, .sh_size = 0x123 },
	{ .sh_name = 23, .sh_type = SHT_STRTAB, .sh_offset = NAMES, .sh_size = sizeof(section_names) },
	{ .sh_name = 45, .sh_type = SHT_NOBITS, .sh_flags = SHF_ALLOC | SHF_WRITE, .sh_addr = MIB + 0x800,
	  .sh_offset = CONTENT + 0x800, .sh_size = 0xa34 },
};
#define NAMES_INDEX 5

static struct guest make_with_sections(bool is_32)
{
	struct elf_spec spec = simple;

	spec.is_32 = is_32;
	spec.size = FILE_SIZE;
	spec.sections = sections;
	spec.section_count = COUNT(sections);
	spec.strings = NAMES_INDEX;
	struct guest guest = make_elf(&spec, MIB + 0x10);
	memcpy(guest.bytes + NAMES, section_names, sizeof(section_names));
	return guest;
}

/* Is this one of those whose bytes a kernel has use for, and does not have? */
static bool is_handed_over(const Elf64_Shdr *section)
{
	return !(section->sh_flags & SHF_ALLOC) && section->sh_size > 0 &&
	       (section->sh_type == SHT_SYMTAB || section->sh_type == SHT_STRTAB);
}

/* The table as in the file, but for the addresses of what was loaded. */
static void check_sections(const struct guest *guest, uint64_t table, uint32_t count,
			   uint32_t entry_size, uint32_t strings)
{
	const struct fake_machine *m = &guest->machine;
	bool is_32 = guest->spec.is_32;
	size_t address_at = is_32 ? offsetof(Elf32_Shdr, sh_addr) : offsetof(Elf64_Shdr, sh_addr);
	size_t width = is_32 ? 4 : 8;
	const unsigned char *original = guest->bytes + elf_sections_offset(&guest->spec);

	assert_int_equal(count, COUNT(sections));
	assert_int_equal(entry_size, is_32 ? sizeof(Elf32_Shdr) : sizeof(Elf64_Shdr));
	assert_int_equal(strings, NAMES_INDEX);
	for (size_t i = 0; i < count; i++, table += entry_size, original += entry_size) {
		const unsigned char *header = fake_at(m, table, entry_size);
		const Elf64_Shdr *section = &sections[i];
		uint64_t address = is_32 ? fake_u32(m, table + address_at) : fake_u64(m, table + address_at);

		assert_memory_equal(header, original, address_at);
		assert_memory_equal(header + address_at + width, original + address_at + width,
				    entry_size - address_at - width);
		if (!is_handed_over(section)) {
			assert_int_equal(address, section->sh_addr);
			continue;
		}
		CHECK(address >= MIB + 2 * PAGE && address % 16 == 0, "section %zu: 0x%llx", i,
		      (unsigned long long)address);
		assert_memory_equal(fake_at(m, address, section->sh_size),
				    guest->bytes + section->sh_offset, section->sh_size);
	}
}

TEST(multiboot1_sections)
{
	for (size_t i = 0; i < 4; i++) {
		const struct plan_options *options = i < 2 ? &plain : &with_modules;
		struct guest guest = make_with_sections(i % 2 == 0);
		const struct fake_machine *m = &guest.machine;

		boot_guest(&guest, multiboot1_plan, options);
		check_information_1(&guest, options, "k.elf a=1 b", ALWAYS_1 | MB1_HAS_SECTIONS);
		uint64_t syms = m->info + MB1_OFF_SYMS;
		check_sections(&guest, fake_u32(m, syms + 8), fake_u32(m, syms), fake_u32(m, syms + 4),
			       fake_u32(m, syms + 12));
		assert_int_equal(guest.plan.block_count, 2 + options->module_count);
		free_guest(&guest);
	}
}

TEST(multiboot2_sections)
{
	for (size_t i = 0; i < 4; i++) {
		const struct plan_options *options = i < 2 ? &plain : &with_modules;
		struct guest guest = make_with_sections(i % 2 == 0);
		const struct fake_machine *m = &guest.machine;
		uint32_t size;

		boot_guest(&guest, multiboot2_plan, options);
		uint64_t tag = find_tag(&guest, MB2_TAG_SECTIONS, &size);
		assert_int_not_equal(tag, 0);
		assert_int_equal(size, 20 + fake_u32(m, tag + 8) * fake_u32(m, tag + 12));
		check_sections(&guest, tag + 20, fake_u32(m, tag + 8), fake_u32(m, tag + 12),
			       fake_u32(m, tag + 16));
		check_module_tags(&guest, options);
		free_guest(&guest);
	}
}

/* It has no field for them. */
TEST(pvh_has_no_sections)
{
	struct guest guest = make_with_sections(true);

	boot_guest(&guest, pvh_plan, &plain);
	assert_int_equal(guest.plan.block_count, 1);
	check_start_info(&guest, &plain);
	free_guest(&guest);
}

/* Names of sections help to find a segment in the linker script. */
TEST(refusals_name_sections)
{
	struct guest guest = make_with_sections(true);

	elf_edit(guest.bytes, PH32(0, p_paddr), 4, 0);
	refuse_all(&guest, &plain, ERROR_INPUT,
		   "'" NAME "': segment 0 (.text .bss, at physical address 0x0-0x1234)" FIRST_PAGE,
		   "");
	free_guest(&guest);
}

/* Sections that cannot be read are not there. */
TEST(damaged_sections_are_left_out)
{
	static const struct {
		size_t offset;
		size_t width;
		uint64_t value;
	} edits[] = {
		{ EH32(e_shoff), 4, UINT32_MAX },
		{ EH32(e_shoff), 4, 0x7fff0000 },
		{ EH32(e_shnum), 2, 0 },
		{ EH32(e_shnum), 2, 0xfeff },
		{ EH32(e_shnum), 2, COUNT(sections) + 1 },
		{ EH32(e_shentsize), 2, 0 },
		{ EH32(e_shentsize), 2, 39 },
		{ EH32(e_shentsize), 2, 64 },
	};

	for (size_t i = 0; i < COUNT(edits); i++) {
		struct guest guest = make_with_sections(true);

		elf_edit(guest.bytes, edits[i].offset, edits[i].width, edits[i].value);
		boot_guest(&guest, multiboot1_plan, &plain);
		check_information_1(&guest, &plain, "k.elf a=1 b", ALWAYS_1);
		boot_guest(&guest, multiboot2_plan, &plain);
		assert_int_equal(count_tags(&guest), 2);
		assert_int_equal(guest.plan.block_count, 1);
		free_guest(&guest);
	}
}

/* Their bytes may be missing, though, or be everywhere. */
TEST(damaged_symbols_are_not_loaded)
{
	static const uint32_t ranges[][2] = {
		{ 0x4000, FILE_SIZE }, { UINT32_MAX, 1 }, { 1, UINT32_MAX }, { 0x10000, 1 }, { 0x4000, 0 },
	};

	for (size_t i = 0; i < COUNT(ranges); i++) {
		struct guest guest = make_with_sections(true);
		unsigned char *symtab = guest.bytes + elf_sections_offset(&guest.spec) +
					2 * sizeof(Elf32_Shdr);

		put_le32(symtab + offsetof(Elf32_Shdr, sh_offset), ranges[i][0]);
		put_le32(symtab + offsetof(Elf32_Shdr, sh_size), ranges[i][1]);
		boot_guest(&guest, multiboot1_plan, &plain);
		uint64_t table = fake_u32(&guest.machine, guest.machine.info + MB1_OFF_SYMS + 8);
		CHECK(fake_u32(&guest.machine, table + 2 * sizeof(Elf32_Shdr) +
						       offsetof(Elf32_Shdr, sh_addr)) == 0,
		      "range %zu", i);
		free_guest(&guest);
	}
}

#define MANY 1100	/* section headers: 44000 bytes */

static struct guest make_with_many_sections(size_t count)
{
	static const Elf64_Shdr none[2000];
	struct elf_spec spec = simple;

	assert_true(count <= COUNT(none));
	spec.size = FILE_SIZE;
	spec.sections = none;
	spec.section_count = count;
	return make_elf(&spec, MIB + 0x10);
}

static void check_left_out(struct guest *guest, plan_function *plan_with,
			   const struct plan_options *options)
{
	plan_guest(guest, plan_with, options);
	assert_int_equal(guest->plan.warning_count, 1);
	assert_string_equal(guest->plan.warnings[0].text,
			    "its section headers are too many to be handed to it");
}

TEST(too_many_sections_are_left_out)
{
	struct guest guest = make_with_many_sections(MANY + 30);

	check_left_out(&guest, multiboot1_plan, &plain);
	check_left_out(&guest, multiboot2_plan, &plain);
	plan_guest(&guest, pvh_plan, &plain);
	assert_int_equal(guest.plan.warning_count, 0);
	free_guest(&guest);
	guest = make_with_many_sections(MANY);
	for (size_t i = 0; i < 2; i++) {
		plan_guest(&guest, protocols[i].plan, &plain);
		assert_int_equal(guest.plan.warning_count, 0);
	}
	free_guest(&guest);
}

/* They are a help: that they do not quite fit is no reason to refuse a kernel. */
TEST(sections_that_hardly_fit_do_no_harm)
{
	static char cmdline[1200];

	for (size_t i = 0; i < 2; i++) {
		for (size_t length = 900; length < sizeof(cmdline); length++) {
			struct guest guest = make_with_many_sections(MANY);
			const struct plan_options options = { .cmdline = cmdline, .kernel_name = "k" };
			struct error err = { 0 };

			memset(cmdline, 'x', length);
			cmdline[length] = '\0';
			parse_guest(&guest);
			int result = protocols[i].plan(&guest.kernel, &options, NAME, &guest.plan, &err);
			CHECK(result == 0, "%s, command line of %zu bytes: %s", protocols[i].name, length,
			      err.text);
			free_guest(&guest);
		}
	}
}

/* ---- Video ---------------------------------------------------------------- */

static void check_video(const struct guest *guest, uint8_t mode, uint16_t width, uint16_t height,
			uint8_t depth, const char *what)
{
	const struct plan_video *video = &guest->plan.video;

	CHECK(video->mode == mode && video->width == width && video->height == height &&
		      video->depth == depth,
	      "%s: mode %u, %ux%ux%u", what, video->mode, video->width, video->height, video->depth);
}

TEST(video_is_text_unless_asked_for)
{
	struct guest guest = make_simple();

	for (size_t i = 0; i < COUNT(protocols); i++) {
		plan_guest(&guest, protocols[i].plan, &plain);
		check_video(&guest, VIDEO_TEXT, 0, 0, 0, protocols[i].name);
	}
	free_guest(&guest);
}

TEST(multiboot1_video)
{
	static const struct {
		uint32_t fields[4];	/* type, width, height, depth */
		struct plan_video video;
	} cases[] = {
		{ { 0, 1024, 768, 32 }, { 1024, 768, 32, VIDEO_PREFER } },
		{ { 0, 0, 0, 0 }, { 0, 0, 0, VIDEO_PREFER } },
		{ { 0, 65536, UINT32_MAX, 256 }, { 65535, 65535, 255, VIDEO_PREFER } },
		{ { 1, 80, 25, 0 }, { 0, 0, 0, VIDEO_TELL } },
		{ { 1, 1024, 768, 32 }, { 0, 0, 0, VIDEO_TELL } },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const uint32_t *f = cases[i].fields;
		const struct plan_video *video = &cases[i].video;
		struct guest guest = make_simple();

		PUT_1(&guest, 7, 0, 0, 0, 0, 0, f[0], f[1], f[2], f[3]);
		/* It lies where the other header was. */
		plan_guest(&guest, multiboot1_plan, &plain);
		check_video(&guest, video->mode, video->width, video->height, video->depth, "mb1");
		free_guest(&guest);
	}
}

#define FRAMEBUFFER(width, height, depth) 5, 20, width, height, depth, 0
#define CONSOLE(flags) 4, 12, flags, 0

TEST(multiboot2_video)
{
	struct guest guest = make_simple();

	PUT_2(&guest, FRAMEBUFFER(1024, 768, 32), END);
	plan_guest(&guest, multiboot2_plan, &plain);
	check_video(&guest, VIDEO_PREFER, 1024, 768, 32, "framebuffer");
	PUT_2(&guest, FRAMEBUFFER(0, 0, 0), END);
	plan_guest(&guest, multiboot2_plan, &plain);
	check_video(&guest, VIDEO_PREFER, 0, 0, 0, "any");
	PUT_2(&guest, FRAMEBUFFER(70000, 70000, 1000), END);
	plan_guest(&guest, multiboot2_plan, &plain);
	check_video(&guest, VIDEO_PREFER, 65535, 65535, 255, "large");
	PUT_2(&guest, CONSOLE(3), END);
	plan_guest(&guest, multiboot2_plan, &plain);
	check_video(&guest, VIDEO_TELL, 0, 0, 0, "console");
	/* It requests to be told: of memory, of VBE, of the framebuffer. */
	PUT_2(&guest, 1, 12, 6, 0, END);
	plan_guest(&guest, multiboot2_plan, &plain);
	check_video(&guest, VIDEO_TEXT, 0, 0, 0, "memory");
	PUT_2(&guest, 1, 12, 7, 0, END);
	plan_guest(&guest, multiboot2_plan, &plain);
	check_video(&guest, VIDEO_TELL, 0, 0, 0, "VBE");
	PUT_2(&guest, 1, 16, 6, 8, END);
	plan_guest(&guest, multiboot2_plan, &plain);
	check_video(&guest, VIDEO_TELL, 0, 0, 0, "request");
	PUT_2(&guest, CONSOLE(3), FRAMEBUFFER(800, 600, 24), END);
	plan_guest(&guest, multiboot2_plan, &plain);
	check_video(&guest, VIDEO_PREFER, 800, 600, 24, "both");
	free_guest(&guest);
}

TEST(users_video_wins)
{
	static const struct plan_video wanted[] = {
		{ 640, 480, 16, VIDEO_REQUIRE }, { 0, 0, 0, VIDEO_TELL },
	};
	struct guest guest = make_simple();
	struct plan_options options = plain;

	for (size_t i = 0; i < COUNT(wanted); i++) {
		const struct plan_video *w = &wanted[i];

		options.video = w;
		for (size_t k = 0; k < COUNT(protocols); k++) {
			PUT_2(&guest, FRAMEBUFFER(1024, 768, 32), END);
			PUT_1(&guest, 3, 0);
			plan_guest(&guest, protocols[k].plan, &options);
			check_video(&guest, w->mode, w->width, w->height, w->depth, protocols[k].name);
		}
		PUT_1(&guest, 7, 0, 0, 0, 0, 0, 0, 1024, 768, 32);
		plan_guest(&guest, multiboot1_plan, &options);
		check_video(&guest, w->mode, w->width, w->height, w->depth, "mode fields");
	}
	free_guest(&guest);
}

/* ---- Kernels that may be moved -------------------------------------------- */

#define RELOCATABLE(min, max, align, preference) 10, 24, min, max, align, preference

struct range_case {
	uint32_t min;
	uint32_t max;
	uint32_t align;
	uint32_t preference;
	struct plan_block block;
};

/* The simple kernel with this tag: at 1 MiB, two pages. */
static void check_range(const struct range_case *c, size_t index)
{
	struct guest guest = make_simple();
	uint32_t size;

	PUT_2(&guest, RELOCATABLE(c->min, c->max, c->align, c->preference), END);
	boot_guest(&guest, multiboot2_plan, &plain);
	const struct plan_block *block = &guest.plan.blocks[0];
	CHECK(block->phys == c->block.phys && block->align == c->block.align &&
		      block->lowest == c->block.lowest && block->highest == c->block.highest &&
		      block->flags == c->block.flags,
	      "case %zu: 0x%llx, align 0x%llx, 0x%llx-0x%llx, flags %u", index,
	      (unsigned long long)block->phys, (unsigned long long)block->align,
	      (unsigned long long)block->lowest, (unsigned long long)block->highest, block->flags);
	assert_int_equal(block->size, 2 * PAGE);
	assert_int_equal(block->kind, INFO_KIND_KERNEL);
	assert_int_equal(guest.plan.block_count, 1);

	uint64_t start = guest.machine.pieces[0].start;
	uint64_t tag = find_tag(&guest, MB2_TAG_LOAD_BASE, &size);
	check_segments(&guest, start - MIB);
	assert_int_equal(guest.machine.entry, start + 0x10);
	assert_int_equal(size, 12);
	assert_int_equal(fake_u32(&guest.machine, tag + 8), start);
	free_guest(&guest);
}

TEST(relocatable_kernels)
{
	const struct range_case cases[] = {
		/* No preference: where it is linked, if that is allowed. */
		{ 0, UINT32_MAX, 0, 0, { MIB, 0, PAGE, 0, MIB, 4 * GIB, 0, 0 } },
		{ MIB, MIB + 0x1fff, 1, 0, { MIB, 0, PAGE, 0, MIB, MIB + 0x2000, 0, 0 } },
		{ MIB + PAGE, UINT32_MAX, 0, 0, { BLOCK_ANYWHERE, 0, PAGE, 0, MIB + PAGE, 4 * GIB, 0, 0 } },
		{ 16 * MIB, 32 * MIB, 0, 0, { BLOCK_ANYWHERE, 0, PAGE, 0, 16 * MIB, 32 * MIB, 0, 0 } },
		/* Low, high. */
		{ 0, UINT32_MAX, 0, 1, { BLOCK_ANYWHERE, 0, PAGE, 0, MIB, 4 * GIB, 0, 0 } },
		{ 0, UINT32_MAX, 0, 2, { BLOCK_ANYWHERE, 0, PAGE, 0, MIB, 4 * GIB, 0, BLOCK_TOP } },
		{ 2 * MIB, 16 * MIB, 2 * MIB, 1, { BLOCK_ANYWHERE, 0, 2 * MIB, 0, 2 * MIB, 16 * MIB, 0, 0 } },
		{ 2 * MIB, 16 * MIB, 2 * MIB, 2,
		  { BLOCK_ANYWHERE, 0, 2 * MIB, 0, 2 * MIB, 16 * MIB, 0, BLOCK_TOP } },
		/* Ends that are no page's. */
		{ MIB + 1, 4 * MIB + 0x10, 8, 1, { BLOCK_ANYWHERE, 0, PAGE, 0, MIB + PAGE, 4 * MIB, 0, 0 } },
		{ MIB, 4 * MIB - 1, PAGE, 1, { BLOCK_ANYWHERE, 0, PAGE, 0, MIB, 4 * MIB, 0, 0 } },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		check_range(&cases[i], i);
}

/* What the range allows, its alignment may forbid. */
TEST(relocatable_kernels_are_aligned)
{
	const struct range_case c = { 0, UINT32_MAX, 2 * MIB, 0,
				      { BLOCK_ANYWHERE, 0, 2 * MIB, 0, MIB, 4 * GIB, 0, 0 } };

	check_range(&c, 0);
}

/* As a whole, whatever lies between its segments; modules go anywhere. */
TEST(relocatable_kernels_move_in_one_piece)
{
	const Elf64_Phdr phdrs[] = {
		LOAD(HIGH + MIB, MIB + 0x10, CONTENT, 0x800, 0x1000),
		LOAD(HIGH + 3 * MIB, 3 * MIB, CONTENT + 0x1000, 0x800, 0x1000),
		NOTES,
	};
	const struct elf_spec spec = { .is_32 = true, .phdrs = phdrs, .count = COUNT(phdrs),
				       .entry = HIGH + 3 * MIB + 0x20 };
	struct guest guest = make_elf(&spec, MIB + 0x10);
	uint32_t size;

	PUT_2(&guest, RELOCATABLE(32 * MIB, 64 * MIB, 0, 1), END);
	boot_guest(&guest, multiboot2_plan, &with_modules);
	check_segments(&guest, 31 * MIB);
	assert_int_equal(guest.plan.blocks[0].size, 2 * MIB + PAGE);
	assert_int_equal(guest.plan.block_count, 1 + COUNT(some_modules));
	assert_int_equal(guest.plan.blocks[1].lowest, MIB);
	assert_int_equal(guest.machine.entry, 34 * MIB + 0x20);
	/* Of the image's first byte, not of its page. */
	uint64_t tag = find_tag(&guest, MB2_TAG_LOAD_BASE, &size);
	assert_int_equal(fake_u32(&guest.machine, tag + 8), 32 * MIB + 0x10);
	/* The entry point of the header moves along. */
	PUT_2(&guest, RELOCATABLE(32 * MIB, 64 * MIB, 0, 1), 3, 12, MIB + 0x30, 0, END);
	boot_guest(&guest, multiboot2_plan, &plain);
	assert_int_equal(guest.machine.entry, 32 * MIB + 0x30);
	free_guest(&guest);
}

/* A machine without memory in the range does not boot it. */
TEST(memory_for_relocatable_kernels)
{
	struct guest guest = make_simple();

	PUT_2(&guest, RELOCATABLE(512 * MIB, GIB, 0, 1), END);
	plan_guest(&guest, multiboot2_plan, &plain);
	CHECK(plan_memory(&guest.plan) >= 512 * MIB + 2 * PAGE, "0x%llx bytes",
	      (unsigned long long)plan_memory(&guest.plan));
	free_guest(&guest);
}

TEST(relocatable_image)
{
	const uint32_t load = MIB + 0x100;
	struct guest guest = make_flat(0x2000);
	uint32_t size;

	PUT_2(&guest, 2, 24, load + HEADER_2, load, 0, load + 0x3000, 3, 12, load + 0x20, 0,
	      RELOCATABLE(16 * MIB, UINT32_MAX, 0, 0), END);
	boot_guest(&guest, multiboot2_plan, &plain);
	check_segment(&guest, 16 * MIB + 0x100, 0, 0x2000, 0x3000);
	assert_int_equal(guest.machine.entry, 16 * MIB + 0x120);
	uint64_t tag = find_tag(&guest, MB2_TAG_LOAD_BASE, &size);
	assert_int_equal(fake_u32(&guest.machine, tag + 8), 16 * MIB + 0x100);
	free_guest(&guest);
}

/* A machine has no other addresses than these, so the host can tell. */
TEST(refuses_ranges_that_are_too_small)
{
	static const uint32_t ranges[][2] = {
		{ MIB, MIB + 0xfff },		/* a page for two */
		{ MIB + 1, MIB + 0x1fff },
		{ 0x1000, 0x7ffff },		/* below 1 MiB */
		{ UINT32_MAX, UINT32_MAX },
	};

	for (size_t i = 0; i < COUNT(ranges); i++) {
		struct guest guest = make_simple();
		struct error err = { 0 };
		struct plan plan;

		PUT_2(&guest, RELOCATABLE(ranges[i][0], ranges[i][1], 0, 0), END);
		parse_guest(&guest);
		int result = multiboot2_plan(&guest.kernel, &plain, NAME, &plan, &err);
		if (result == 0)
			plan_free(&plan);
		assert_refused(result, &err, ERROR_INPUT, NAME, "range");
		free_guest(&guest);
	}
}

/* The image begins with its lowest segment, .bss or not. */
static void check_load_base(const Elf64_Phdr *phdrs, size_t count)
{
	const struct elf_spec spec = { .is_32 = true, .phdrs = phdrs, .count = count,
				       .entry = MIB + 0x80 };
	struct guest guest = make_elf(&spec, MIB);
	uint32_t size;

	PUT_2(&guest, RELOCATABLE(32 * MIB, 64 * MIB, 0, 1), END);
	boot_guest(&guest, multiboot2_plan, &plain);
	uint64_t tag = find_tag(&guest, MB2_TAG_LOAD_BASE, &size);
	assert_int_equal(fake_u32(&guest.machine, tag + 8), 32 * MIB + 0x40);
	free_guest(&guest);
}

TEST(relocatable_kernel_that_begins_with_bss)
{
	const Elf64_Phdr phdrs[] = {
		LOAD(MIB + 0x40, MIB + 0x40, CONTENT, 0, 0x1000),
		LOAD(MIB + 0x1040, MIB + 0x1040, CONTENT, 0x800, 0x1000),
		NOTES,
	};

	check_load_base(phdrs, COUNT(phdrs));
}

TEST(relocatable_kernel_of_bss_alone)
{
	const Elf64_Phdr phdrs[] = { LOAD(MIB + 0x40, MIB + 0x40, CONTENT, 0, 0x1000), NOTES };

	check_load_base(phdrs, COUNT(phdrs));
}

/* Nothing is left of it to move. */
TEST(refuses_relocatable_kernel_of_headers_alone)
{
	const Elf64_Phdr phdrs[] = { LOAD(0, 0, 0, 0x100, 0x100) };
	const struct elf_spec spec = { .is_32 = true, .phdrs = phdrs, .count = COUNT(phdrs),
				       .entry = 0x20 };
	struct guest guest = make_elf(&spec, MIB);
	size_t headers = elf_headers_size(&spec);

	memset(guest.bytes + headers, 0, 0x100 - headers);
	PUT_2(&guest, END);
	refuse_guest(&guest, multiboot2_plan, &plain, ERROR_INPUT,
		     "'" NAME "': the entry point 0x20 lies in no segment", "_start");
	PUT_2(&guest, RELOCATABLE(MIB, UINT32_MAX, 0, 1), END);
	refuse_guest(&guest, multiboot2_plan, &plain, ERROR_INPUT,
		     "'" NAME "': the entry point 0x20 lies in no segment", "_start");
	free_guest(&guest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_bad_places),
		cmocka_unit_test(takes_outermost_places),
		cmocka_unit_test(refuses_overlaps_by_physical_address),
		cmocka_unit_test(refuses_entry_in_no_segment),
		cmocka_unit_test(stack_sizes),
		cmocka_unit_test(refuses_kernel_base_of_fixed_kernels),
		cmocka_unit_test(refuses_too_much_info),
		cmocka_unit_test(refuses_too_many_modules),
		cmocka_unit_test(translates_the_entry_point),
		cmocka_unit_test(takes_the_entry_point_of_the_header),
		cmocka_unit_test(one_segment),
		cmocka_unit_test(segments_out_of_order),
		cmocka_unit_test(segments_share_pages),
		cmocka_unit_test(blocks_end_at_large_gaps),
		cmocka_unit_test(random_segments),
		cmocka_unit_test(images_by_address_fields),
		cmocka_unit_test(part_of_a_file_as_image),
		cmocka_unit_test(refuses_bad_places_of_images),
		cmocka_unit_test(refuses_flat_files_without_addresses),
		cmocka_unit_test(modules_lie_above_the_kernel),
		cmocka_unit_test(multiboot1_information),
		cmocka_unit_test(plain_kernels_get_multiboot1_information),
		cmocka_unit_test(multiboot2_information),
		cmocka_unit_test(multiboot2_tags_are_aligned),
		cmocka_unit_test(pvh_information),
		cmocka_unit_test(multiboot1_sections),
		cmocka_unit_test(multiboot2_sections),
		cmocka_unit_test(pvh_has_no_sections),
		cmocka_unit_test(refusals_name_sections),
		cmocka_unit_test(damaged_sections_are_left_out),
		cmocka_unit_test(damaged_symbols_are_not_loaded),
		cmocka_unit_test(too_many_sections_are_left_out),
		cmocka_unit_test(sections_that_hardly_fit_do_no_harm),
		cmocka_unit_test(video_is_text_unless_asked_for),
		cmocka_unit_test(multiboot1_video),
		cmocka_unit_test(multiboot2_video),
		cmocka_unit_test(users_video_wins),
		cmocka_unit_test(relocatable_kernels),
		cmocka_unit_test(relocatable_kernels_are_aligned),
		cmocka_unit_test(relocatable_kernels_move_in_one_piece),
		cmocka_unit_test(memory_for_relocatable_kernels),
		cmocka_unit_test(relocatable_image),
		cmocka_unit_test(refuses_ranges_that_are_too_small),
		cmocka_unit_test(relocatable_kernel_that_begins_with_bss),
		cmocka_unit_test(relocatable_kernel_of_bss_alone),
		cmocka_unit_test(refuses_relocatable_kernel_of_headers_alone),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
