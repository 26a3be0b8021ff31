/* SPDX-License-Identifier: MIT
 *
 * relocate(): the number that each type of relocation makes, and that no table,
 * symbol or place that a file may claim gets through or does harm.
 */
#include "kernel/relocate.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "elf_maker.h"
#include "unit.h"

#define NAME "k.elf"
#define FILE_SIZE 0x1000
#define SLIDE 0x200000

/* Link-time addresses: a segment of tables, one of data with .bss behind it. */
#define DYNAMIC 0x10000
#define RELA 0x10200
#define REL 0x10300
#define RELR 0x10400
#define PLT 0x10600
#define SYMBOLS 0x10700
#define STRINGS 0x10800
#define TABLES_END 0x10900
#define DATA 0x20000
#define BSS 0x20200
#define DATA_END 0x20300

/* Their places in the file. */
#define TABLES_OFFSET 0x200
#define DATA_OFFSET 0xb00

static const Elf64_Phdr phdrs[] = {
	{ .p_type = PT_LOAD, .p_flags = PF_R, .p_offset = TABLES_OFFSET, .p_vaddr = DYNAMIC,
	  .p_filesz = TABLES_END - DYNAMIC, .p_memsz = TABLES_END - DYNAMIC },
	{ .p_type = PT_LOAD, .p_flags = PF_R | PF_W, .p_offset = DATA_OFFSET, .p_vaddr = DATA,
	  .p_filesz = BSS - DATA, .p_memsz = DATA_END - DATA },
	{ .p_type = PT_DYNAMIC, .p_offset = TABLES_OFFSET, .p_filesz = RELA - DYNAMIC },
};

/* ---- Files --------------------------------------------------------------- */

struct tag {
	uint64_t tag;
	uint64_t value;
};

/* A file in the making: tables grow by add_...(), tags follow suit. */
struct file {
	bool is_32;
	unsigned char *bytes;
	size_t size;
	struct tag tags[24];
	size_t tag_count;
	size_t symbol_count;
	size_t strings_size;
};

static void put(struct file *file, uint64_t address, size_t width, uint64_t value)
{
	size_t offset = address < DATA ? address - DYNAMIC + TABLES_OFFSET :
					 address - DATA + DATA_OFFSET;

	assert_true(offset + width <= file->size);
	elf_edit(file->bytes, offset, width, value);
}

static size_t word_of(const struct file *file)
{
	return file->is_32 ? 4 : 8;
}

static struct tag *find_tag(struct file *file, uint64_t tag)
{
	for (size_t i = 0; i < file->tag_count; i++) {
		if (file->tags[i].tag == tag)
			return &file->tags[i];
	}
	return NULL;
}

static void set_tag(struct file *file, uint64_t tag, uint64_t value)
{
	struct tag *old = find_tag(file, tag);

	if (old == NULL) {
		assert_true(file->tag_count < COUNT(file->tags));
		old = &file->tags[file->tag_count++];
	}
	*old = (struct tag){ tag, value };
}

static void drop_tag(struct file *file, uint64_t tag)
{
	struct tag *old = find_tag(file, tag);

	assert_non_null(old);
	*old = file->tags[--file->tag_count];
}

/* Lengthen a table by an entry; returns its address. */
static uint64_t grow(struct file *file, uint64_t size_tag, uint64_t start, uint64_t entry_size)
{
	const struct tag *old = find_tag(file, size_tag);
	uint64_t size = old != NULL ? old->value : 0;

	set_tag(file, size_tag, size + entry_size);
	return start + size;
}

static void put_entry(struct file *file, uint64_t at, uint64_t address, uint32_t type,
		      uint32_t symbol)
{
	put(file, at, word_of(file), address);
	put(file, at + word_of(file), word_of(file),
	    file->is_32 ? ELF32_R_INFO(symbol, type) : ELF64_R_INFO((uint64_t)symbol, type));
}

static void add_rela(struct file *file, uint64_t address, uint32_t type, uint32_t symbol,
		     uint64_t addend)
{
	set_tag(file, DT_RELA, RELA);
	set_tag(file, DT_RELAENT, 3 * word_of(file));
	uint64_t at = grow(file, DT_RELASZ, RELA, 3 * word_of(file));
	put_entry(file, at, address, type, symbol);
	put(file, at + 2 * word_of(file), word_of(file), addend);
}

static void add_rel(struct file *file, uint64_t address, uint32_t type, uint32_t symbol)
{
	set_tag(file, DT_REL, REL);
	set_tag(file, DT_RELENT, 2 * word_of(file));
	put_entry(file, grow(file, DT_RELSZ, REL, 2 * word_of(file)), address, type, symbol);
}

static void add_relr(struct file *file, uint64_t word)
{
	set_tag(file, DT_RELR, RELR);
	set_tag(file, DT_RELRENT, word_of(file));
	put(file, grow(file, DT_RELRSZ, RELR, word_of(file)), word_of(file), word);
}

/* kind is DT_RELA or DT_REL. */
static void add_plt(struct file *file, uint64_t kind, uint64_t address, uint32_t type,
		    uint32_t symbol)
{
	size_t words = kind == DT_RELA ? 3 : 2;

	set_tag(file, DT_JMPREL, PLT);
	set_tag(file, DT_PLTREL, kind);
	uint64_t at = grow(file, DT_PLTRELSZ, PLT, words * word_of(file));
	put_entry(file, at, address, type, symbol);
	if (kind == DT_RELA)
		put(file, at + 2 * word_of(file), word_of(file), 0);
}

/* Returns the symbol's number. */
static uint32_t add_symbol(struct file *file, const char *name, unsigned char info,
			   uint16_t section, uint64_t value)
{
	uint64_t at = SYMBOLS + file->symbol_count *
			(file->is_32 ? sizeof(Elf32_Sym) : sizeof(Elf64_Sym));
	size_t length = strlen(name) + 1;

	put(file, at, 4, file->strings_size);
	if (file->is_32) {
		put(file, at + offsetof(Elf32_Sym, st_value), 4, value);
		put(file, at + offsetof(Elf32_Sym, st_info), 1, info);
		put(file, at + offsetof(Elf32_Sym, st_shndx), 2, section);
	} else {
		put(file, at + offsetof(Elf64_Sym, st_value), 8, value);
		put(file, at + offsetof(Elf64_Sym, st_info), 1, info);
		put(file, at + offsetof(Elf64_Sym, st_shndx), 2, section);
	}
	for (size_t i = 0; i < length; i++)
		put(file, STRINGS + file->strings_size + i, 1, (unsigned char)name[i]);
	file->strings_size += length;
	set_tag(file, DT_STRSZ, file->strings_size);
	return (uint32_t)file->symbol_count++;
}

static uint32_t add_defined(struct file *file, const char *name, uint64_t value)
{
	return add_symbol(file, name, ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT), 1, value);
}

static struct file new_file_of(bool is_32, uint16_t machine)
{
	struct elf_spec spec = { .is_32 = is_32, .type = ET_DYN, .machine = machine, .phdrs = phdrs,
				 .count = COUNT(phdrs), .size = FILE_SIZE };
	struct file file = { .is_32 = is_32 };

	file.bytes = elf_make(&spec, &file.size);
	set_tag(&file, DT_SYMTAB, SYMBOLS);
	set_tag(&file, DT_SYMENT, is_32 ? sizeof(Elf32_Sym) : sizeof(Elf64_Sym));
	set_tag(&file, DT_STRTAB, STRINGS);
	add_symbol(&file, "", 0, SHN_UNDEF, 0);
	return file;
}

static struct file new_64(void)
{
	return new_file_of(false, EM_X86_64);
}

static struct file new_32(void)
{
	return new_file_of(true, EM_386);
}

static void put_tags(struct file *file)
{
	size_t word = word_of(file);

	for (size_t i = 0; i <= file->tag_count; i++) {
		bool end = i == file->tag_count;

		put(file, DYNAMIC + i * 2 * word, word, end ? DT_NULL : file->tags[i].tag);
		put(file, DYNAMIC + i * 2 * word + word, word, end ? 0 : file->tags[i].value);
	}
}

/* ---- Results ------------------------------------------------------------- */

struct result {
	int status;
	struct relocation *list;
	size_t count;
	struct error err;
};

/* What relocate.h promises of every list. */
static void check_promises(const struct kernel *kernel, const struct result *result)
{
	for (size_t i = 0; i < result->count; i++) {
		const struct relocation *now = &result->list[i];
		bool inside = false;

		CHECK(now->width == 8 || (now->width == 4 && now->value <= UINT32_MAX),
		      "%zu: width", i);
		CHECK(i == 0 || (now[-1].address < now->address &&
				 now->address - now[-1].address >= now[-1].width), "%zu: order", i);
		for (size_t j = 0; j < kernel->segment_count; j++) {
			const struct segment *s = &kernel->segments[j];

			inside = inside || (now->address >= s->vaddr && s->filesz >= now->width &&
					    now->address - s->vaddr <= s->filesz - now->width);
		}
		CHECK(inside, "%zu: 0x%" PRIx64 " is outside", i, now->address);
	}
	CHECK((result->count == 0) == (result->list == NULL), "list and count");
}

/* From a copy with nothing behind it, so that AddressSanitizer sees reads beyond
 * the end. */
static struct result run_bytes(const unsigned char *bytes, size_t size, uint64_t slide)
{
	struct result result = { .list = (void *)1, .count = 1 };
	unsigned char *copy = malloc(size);
	struct kernel kernel;

	memcpy(copy, bytes, size);
	assert_accepted(kernel_parse(&kernel, copy, size, NAME, &result.err), &result.err, NAME);
	result.status = relocate(&kernel, slide, NAME, &result.list, &result.count, &result.err);
	check_promises(&kernel, &result);
	kernel_free(&kernel);
	free(copy);
	return result;
}

static struct result run(struct file *file, uint64_t slide)
{
	put_tags(file);
	struct result result = run_bytes(file->bytes, file->size, slide);
	free(file->bytes);
	return result;
}

/* The file has just these relocations. */
static void expect_list(struct file *file, uint64_t slide, const struct relocation *list,
			size_t count, const char *what)
{
	struct result result = run(file, slide);

	assert_accepted(result.status, &result.err, what);
	CHECK(result.count == count, "%s: %zu relocations, not %zu", what, result.count, count);
	for (size_t i = 0; i < count; i++) {
		const struct relocation *is = &result.list[i];

		CHECK(is->address == list[i].address && is->value == list[i].value &&
		      is->width == list[i].width,
		      "%s, %zu: 0x%" PRIx64 " = 0x%" PRIx64 " (%u), not 0x%" PRIx64 " = 0x%" PRIx64
		      " (%u)", what, i, is->address, is->value, is->width, list[i].address,
		      list[i].value, list[i].width);
	}
	free(result.list);
}

static void expect(struct file *file, uint64_t slide, uint64_t address, uint64_t value,
		   uint32_t width, const char *what)
{
	const struct relocation one = { address, value, width };

	expect_list(file, slide, &one, 1, what);
}

static void refuse_slid(struct file *file, uint64_t slide, const char *says, const char *hint)
{
	struct result result = run(file, slide);

	assert_refused(result.status, &result.err, ERROR_INPUT, says, says);
	CHECK(strncmp(result.err.text, "'" NAME "'", strlen("'" NAME "'")) == 0,
	      "'%s' does not begin with the file", result.err.text);
	CHECK(strstr(result.err.hint, hint) != NULL, "'%s' lacks '%s'", result.err.hint, hint);
	CHECK(result.list == NULL && result.count == 0, "%s: left behind", says);
}

static void refuse(struct file *file, const char *says, const char *hint)
{
	refuse_slid(file, SLIDE, says, hint);
}

/* ---- Each type ----------------------------------------------------------- */

/* For the tables: "foo" is at FOO, "absolute" is a number, "weak" is nowhere. */
enum { NONE, FOO_SYMBOL, ABSOLUTE_SYMBOL, WEAK_SYMBOL };
#define FOO (DATA + 0x100)
#define ABSOLUTE 0x1234

struct case_of {
	uint32_t type;
	uint32_t symbol;
	uint64_t addend;
	uint64_t value;		/* after SLIDE */
	uint32_t width;
};

static void add_symbols(struct file *file)
{
	add_defined(file, "foo", FOO);
	add_symbol(file, "absolute", ELF64_ST_INFO(STB_GLOBAL, STT_NOTYPE), SHN_ABS, ABSOLUTE);
	add_symbol(file, "weak", ELF64_ST_INFO(STB_WEAK, STT_NOTYPE), SHN_UNDEF, 0);
}

/* Addends in the entries. */
static void expect_rela(bool is_32, uint16_t machine, const struct case_of *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct file file = new_file_of(is_32, machine);
		char what[40];

		snprintf(what, sizeof(what), "type %u, case %zu", cases[i].type, i);
		add_symbols(&file);
		add_rela(&file, DATA, cases[i].type, cases[i].symbol, cases[i].addend);
		expect(&file, SLIDE, DATA, cases[i].value, cases[i].width, what);
	}
}

/* Addends in place. */
static void expect_rel(bool is_32, uint16_t machine, const struct case_of *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct file file = new_file_of(is_32, machine);
		char what[40];

		snprintf(what, sizeof(what), "type %u, case %zu", cases[i].type, i);
		add_symbols(&file);
		add_rel(&file, DATA, cases[i].type, cases[i].symbol);
		put(&file, DATA, cases[i].width, cases[i].addend);
		expect(&file, SLIDE, DATA, cases[i].value, cases[i].width, what);
	}
}

#define PLACE (DATA + SLIDE)

static const struct case_of cases_64[] = {
	{ R_X86_64_RELATIVE, NONE, 0x12345678, 0x12345678 + SLIDE, 8 },
	{ R_X86_64_RELATIVE, NONE, -(uint64_t)SLIDE, 0, 8 },
	{ R_X86_64_RELATIVE64, NONE, DATA, PLACE, 8 },
	{ R_X86_64_64, FOO_SYMBOL, 8, FOO + SLIDE + 8, 8 },
	{ R_X86_64_64, FOO_SYMBOL, (uint64_t)-8, FOO + SLIDE - 8, 8 },
	{ R_X86_64_64, ABSOLUTE_SYMBOL, 1, ABSOLUTE + 1, 8 },
	{ R_X86_64_64, WEAK_SYMBOL, 0, 0, 8 },
	{ R_X86_64_64, NONE, 7, 7, 8 },
	{ R_X86_64_GLOB_DAT, FOO_SYMBOL, 0, FOO + SLIDE, 8 },
	{ R_X86_64_GLOB_DAT, WEAK_SYMBOL, 0, 0, 8 },
	{ R_X86_64_JUMP_SLOT, FOO_SYMBOL, 0, FOO + SLIDE, 8 },
	{ R_X86_64_32, FOO_SYMBOL, 4, FOO + SLIDE + 4, 4 },
	{ R_X86_64_32, NONE, UINT32_MAX, UINT32_MAX, 4 },
	{ R_X86_64_32S, FOO_SYMBOL, 4, FOO + SLIDE + 4, 4 },
	{ R_X86_64_32S, NONE, INT32_MAX, INT32_MAX, 4 },
	{ R_X86_64_32S, NONE, -UINT64_C(0x80000000), 0x80000000, 4 },
	{ R_X86_64_PC32, FOO_SYMBOL, (uint64_t)-4, FOO - DATA - 4, 4 },
	{ R_X86_64_PC32, ABSOLUTE_SYMBOL, 0, (uint32_t)(ABSOLUTE - PLACE), 4 },
	{ R_X86_64_PC64, FOO_SYMBOL, (uint64_t)-0x200, FOO - DATA - (uint64_t)0x200, 8 },
	{ R_X86_64_PC64, WEAK_SYMBOL, 0, -(uint64_t)PLACE, 8 },
};

TEST(does_each_type_of_x86_64)
{
	expect_rela(false, EM_X86_64, cases_64, COUNT(cases_64));
}

/* No linker writes it; it has a meaning all the same. */
TEST(does_x86_64_with_addends_in_place)
{
	static const struct case_of cases[] = {
		{ R_X86_64_RELATIVE, NONE, 0x12345678, 0x12345678 + SLIDE, 8 },
		{ R_X86_64_64, FOO_SYMBOL, 8, FOO + SLIDE + 8, 8 },
		{ R_X86_64_GLOB_DAT, FOO_SYMBOL, 8, FOO + SLIDE, 8 },
		{ R_X86_64_32S, NONE, 0xffffffff, 0xffffffff, 4 },
		{ R_X86_64_PC32, FOO_SYMBOL, 0xfffffffc, FOO - DATA - 4, 4 },
	};

	expect_rel(false, EM_X86_64, cases, COUNT(cases));
}

static const struct case_of cases_32[] = {
	{ R_386_RELATIVE, NONE, 0x12345678, 0x12345678 + SLIDE, 4 },
	{ R_386_RELATIVE, NONE, (uint32_t)-SLIDE, 0, 4 },
	{ R_386_32, FOO_SYMBOL, 8, FOO + SLIDE + 8, 4 },
	{ R_386_32, FOO_SYMBOL, (uint32_t)-8, FOO + SLIDE - 8, 4 },
	{ R_386_32, ABSOLUTE_SYMBOL, 1, ABSOLUTE + 1, 4 },
	{ R_386_32, WEAK_SYMBOL, 5, 5, 4 },
	{ R_386_PC32, FOO_SYMBOL, (uint32_t)-4, FOO - DATA - 4, 4 },
	{ R_386_PC32, WEAK_SYMBOL, 0, (uint32_t)-PLACE, 4 },
};
/* What is in place does not count. */
static const struct case_of got_cases_32[] = {
	{ R_386_GLOB_DAT, FOO_SYMBOL, 8, FOO + SLIDE, 4 },
	{ R_386_GLOB_DAT, WEAK_SYMBOL, 8, 0, 4 },
	{ R_386_JMP_SLOT, FOO_SYMBOL, 8, FOO + SLIDE, 4 },
};

TEST(does_each_type_of_i386)
{
	expect_rel(true, EM_386, cases_32, COUNT(cases_32));
	expect_rel(true, EM_386, got_cases_32, COUNT(got_cases_32));
	expect_rela(true, EM_386, cases_32, COUNT(cases_32));
	expect_rela(true, EM_386, got_cases_32, COUNT(got_cases_32));
}

/* x86-64 code in an ELF32 file: addresses are of 4 bytes. */
TEST(does_x32)
{
	static const struct case_of cases[] = {
		{ R_X86_64_RELATIVE, NONE, 8, 8 + SLIDE, 4 },
		{ R_X86_64_RELATIVE64, NONE, 8, 8 + SLIDE, 8 },
		{ R_X86_64_GLOB_DAT, FOO_SYMBOL, 0, FOO + SLIDE, 4 },
		{ R_X86_64_32, FOO_SYMBOL, (uint32_t)-4, FOO + SLIDE - 4, 4 },
		{ R_X86_64_64, FOO_SYMBOL, 4, FOO + SLIDE + 4, 8 },
	};

	expect_rela(true, EM_X86_64, cases, COUNT(cases));
}

TEST(passes_over_none)
{
	struct file file = new_64(), file_32 = new_32();

	/* Neither its place nor its symbol counts. */
	add_rela(&file, UINT64_MAX, R_X86_64_NONE, 1000, 0);
	expect_list(&file, SLIDE, NULL, 0, "R_X86_64_NONE");
	add_rel(&file_32, UINT32_MAX, R_386_NONE, 1000);
	expect_list(&file_32, SLIDE, NULL, 0, "R_386_NONE");
}

/* ---- Slides -------------------------------------------------------------- */

TEST(relocates_without_a_slide)
{
	struct file file = new_64(), file_32 = new_32();

	add_rela(&file, DATA, R_X86_64_RELATIVE, 0, FOO);
	expect(&file, 0, DATA, FOO, 8, "slide 0");
	add_rel(&file_32, DATA, R_386_RELATIVE, 0);
	put(&file_32, DATA, 4, FOO);
	expect(&file_32, 0, DATA, FOO, 4, "slide 0");
}

TEST(slides_downwards)
{
	struct file file = new_64(), file_32 = new_32();

	add_rela(&file, DATA, R_X86_64_RELATIVE, 0, FOO);
	expect(&file, -(uint64_t)DATA, DATA, FOO - DATA, 8, "downwards");
	add_rel(&file_32, DATA, R_386_RELATIVE, 0);
	put(&file_32, DATA, 4, FOO);
	expect(&file_32, -(uint64_t)DATA, DATA, FOO - DATA, 4, "downwards");
}

/* ---- Tables -------------------------------------------------------------- */

TEST(does_nothing_without_relocations)
{
	struct elf_spec spec = { .type = ET_DYN, .phdrs = phdrs, .count = 2, .size = FILE_SIZE };
	struct file file = new_64(), empty = new_64();
	size_t size;
	unsigned char *bytes = elf_make(&spec, &size);
	struct result result = run_bytes(bytes, size, SLIDE);

	free(bytes);
	assert_accepted(result.status, &result.err, "no dynamic section");
	expect_list(&file, SLIDE, NULL, 0, "no tables");
	set_tag(&empty, DT_RELA, 0x999999);
	set_tag(&empty, DT_RELASZ, 0);
	set_tag(&empty, DT_RELAENT, 24);
	expect_list(&empty, SLIDE, NULL, 0, "empty table");
}

TEST(does_relr_of_64_bits)
{
	const struct relocation list[] = {
		{ DATA, 0x100 + SLIDE, 8 }, { DATA + 8, 0x108 + SLIDE, 8 },
		{ DATA + 24, 0x118 + SLIDE, 8 }, { DATA + 63 * 8, 0x2f8 + SLIDE, 8 },
	};
	struct file file = new_64();

	for (size_t i = 0; i < COUNT(list); i++)
		put(&file, list[i].address, 8, list[i].value - SLIDE);
	add_relr(&file, DATA);
	/* The first word behind DATA, the third, and the last that one bitmap reaches. */
	add_relr(&file, 1 | 1 << 1 | 1 << 3 | UINT64_C(1) << 63);
	expect_list(&file, SLIDE, list, COUNT(list), "DT_RELR");
}

TEST(does_relr_of_32_bits)
{
	const struct relocation list[] = {
		{ DATA + 2, 0x100 + SLIDE, 4 }, { DATA + 6, SLIDE - 1, 4 },
		{ DATA + 2 + 32 * 4, 0x300 + SLIDE, 4 }, { DATA + 2 + 62 * 4, 0x400 + SLIDE, 4 },
		{ DATA + 0x180, 0x500 + SLIDE, 4 }, { DATA + 0x184, 0x600 + SLIDE, 4 },
	};
	struct file file = new_32();

	for (size_t i = 0; i < COUNT(list); i++)
		put(&file, list[i].address, 4, list[i].value - SLIDE);
	add_relr(&file, DATA + 2);
	add_relr(&file, 1 | 1 << 1);
	/* A second bitmap goes on after the 31 words of the first. */
	add_relr(&file, 1 | 1 << 1 | UINT32_C(1) << 31);
	add_relr(&file, DATA + 0x180);
	add_relr(&file, 1 | 1 << 1);
	expect_list(&file, SLIDE, list, COUNT(list), "DT_RELR");
}

TEST(does_relr_after_an_empty_bitmap)
{
	struct file file = new_32();
	const struct relocation list[] = {
		{ DATA, SLIDE, 4 }, { DATA + 4 + 31 * 4, SLIDE, 4 },
	};

	for (size_t i = 0; i < COUNT(list); i++)
		put(&file, list[i].address, 4, 0);
	add_relr(&file, DATA);
	add_relr(&file, 1);
	add_relr(&file, 1 | 1 << 1);
	expect_list(&file, SLIDE, list, COUNT(list), "DT_RELR");
}

TEST(does_all_tables_in_order_of_address)
{
	const struct relocation list[] = {
		{ DATA, 1 + SLIDE, 8 }, { DATA + 8, 2 + SLIDE, 8 }, { DATA + 16, 3 + SLIDE, 8 },
		{ DATA + 24, FOO + SLIDE, 8 }, { DATA + 33, 5 + SLIDE, 8 },
	};
	struct file file = new_64();

	add_symbols(&file);
	add_rela(&file, DATA + 33, R_X86_64_RELATIVE, 0, 5);
	add_rela(&file, DATA, R_X86_64_RELATIVE, 0, 1);
	put(&file, DATA + 8, 8, 2);
	add_relr(&file, DATA + 8);
	put(&file, DATA + 16, 8, 3);
	add_rel(&file, DATA + 16, R_X86_64_RELATIVE, 0);
	add_plt(&file, DT_RELA, DATA + 24, R_X86_64_JUMP_SLOT, FOO_SYMBOL);
	expect_list(&file, SLIDE, list, COUNT(list), "all");
}

TEST(does_plt_with_addends_in_place)
{
	struct file file = new_32();

	add_symbols(&file);
	add_plt(&file, DT_REL, DATA, R_386_JMP_SLOT, FOO_SYMBOL);
	expect(&file, SLIDE, DATA, FOO + SLIDE, 4, "DT_REL");
}

/* Some linkers count DT_JMPREL's table to DT_RELA's as well. */
TEST(does_plt_that_is_in_both_tables)
{
	struct file file = new_32();

	add_symbols(&file);
	add_plt(&file, DT_REL, DATA, R_386_JMP_SLOT, FOO_SYMBOL);
	set_tag(&file, DT_REL, PLT);
	set_tag(&file, DT_RELSZ, 8);
	expect(&file, SLIDE, DATA, FOO + SLIDE, 4, "twice");
}

TEST(finds_places_up_to_a_segments_end)
{
	struct file file = new_64();
	const struct relocation list[] = {
		{ DYNAMIC + 0x1f8, SLIDE + 1, 8 }, { TABLES_END - 8, SLIDE + 2, 8 },
		{ BSS - 8, SLIDE + 3, 8 },
	};

	for (size_t i = 0; i < COUNT(list); i++)
		add_rela(&file, list[i].address, R_X86_64_RELATIVE, 0, i + 1);
	expect_list(&file, SLIDE, list, COUNT(list), "ends");
}

/* Looking through all segments for each would take minutes. */
TEST(finds_its_way_among_many_segments)
{
	enum { SEGMENTS = 60000, RELOCATIONS = 200000 };
	Elf64_Phdr *many = calloc(SEGMENTS + 2, sizeof(many[0]));
	struct elf_spec spec = { .type = ET_DYN, .phdrs = many, .count = SEGMENTS + 2 };
	size_t tables = elf_headers_size(&spec), data = tables + 64 + RELOCATIONS * 24, size;
	const struct tag tags[] = { { DT_RELA, 64 }, { DT_RELASZ, RELOCATIONS * 24 },
				    { DT_RELAENT, 24 }, { DT_NULL, 0 } };

	spec.size = data + SEGMENTS * 8;
	many[0] = (Elf64_Phdr){ .p_type = PT_DYNAMIC, .p_offset = tables, .p_filesz = 64 };
	many[1] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_offset = tables, .p_filesz = data - tables,
				.p_memsz = data - tables };
	for (size_t i = 0; i < SEGMENTS; i++)
		many[i + 2] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_offset = data + i * 8,
					    .p_filesz = 8, .p_vaddr = (i + 1) << 32, .p_memsz = 8 };
	unsigned char *bytes = elf_make(&spec, &size);
	for (size_t i = 0; i < COUNT(tags); i++) {
		elf_edit(bytes, tables + i * 16, 8, tags[i].tag);
		elf_edit(bytes, tables + i * 16 + 8, 8, tags[i].value);
	}
	for (size_t i = 0; i < RELOCATIONS; i++) {
		elf_edit(bytes, tables + 64 + i * 24, 8, (i % SEGMENTS + 1) << 32);
		elf_edit(bytes, tables + 64 + i * 24 + 8, 8, R_X86_64_RELATIVE);
		elf_edit(bytes, tables + 64 + i * 24 + 16, 8, i);
	}
	struct kernel kernel;
	struct result r;
	assert_accepted(kernel_parse(&kernel, bytes, size, NAME, &r.err), &r.err, NAME);
	assert_accepted(relocate(&kernel, 0, NAME, &r.list, &r.count, &r.err), &r.err, NAME);
	assert_int_equal(r.count, SEGMENTS);
	assert_int_equal(r.list[SEGMENTS - 1].address, (uint64_t)SEGMENTS << 32);
	/* The last relocation of its address. */
	assert_int_equal(r.list[SEGMENTS - 1].value, 3 * SEGMENTS - 1);
	free(r.list);
	kernel_free(&kernel);
	free(bytes);
	free(many);
}

/* ---- More than one for an address ---------------------------------------- */

TEST(takes_the_last_of_an_address)
{
	struct file twice = new_64(), other = new_64(), relr = new_64();

	add_rela(&twice, DATA, R_X86_64_RELATIVE, 0, 1);
	add_rela(&twice, DATA, R_X86_64_RELATIVE, 0, 1);
	expect(&twice, SLIDE, DATA, SLIDE + 1, 8, "the same");
	add_symbols(&other);
	add_rela(&other, DATA, R_X86_64_RELATIVE, 0, 2);
	add_rela(&other, DATA, R_X86_64_RELATIVE, 0, 1);
	add_plt(&other, DT_RELA, DATA, R_X86_64_JUMP_SLOT, FOO_SYMBOL);
	expect(&other, SLIDE, DATA, SLIDE + FOO, 8, "another");
	/* In whichever order the dynamic section has the tables. */
	add_rela(&relr, DATA, R_X86_64_RELATIVE, 0, 1);
	add_relr(&relr, DATA);
	expect(&relr, SLIDE, DATA, SLIDE + 1, 8, "DT_RELR, DT_RELA");
}

TEST(refuses_to_relocate_a_result)
{
	struct file rel = new_32(), relr = new_64(), both = new_64();

	add_rel(&rel, DATA, R_386_RELATIVE, 0);
	add_rel(&rel, DATA, R_386_RELATIVE, 0);
	refuse(&rel, "is damaged: its relocations at 0x20000 and 0x20000 change the same bytes",
	       "");
	add_relr(&relr, DATA);
	add_relr(&relr, DATA);
	refuse(&relr, "change the same bytes", "");
	add_relr(&both, DATA);
	add_rel(&both, DATA, R_X86_64_RELATIVE, 0);
	refuse(&both, "change the same bytes", "");
}

TEST(refuses_partial_overlaps)
{
	static const struct {
		uint64_t first, second;
		uint32_t first_type, second_type;
	} cases[] = {
		{ 0, 1, R_X86_64_RELATIVE, R_X86_64_RELATIVE },
		{ 7, 0, R_X86_64_RELATIVE, R_X86_64_RELATIVE },
		{ 0, 4, R_X86_64_RELATIVE, R_X86_64_32 },
		{ 0, 0, R_X86_64_RELATIVE, R_X86_64_32 },
		{ 0, 0, R_X86_64_32, R_X86_64_RELATIVE },
		{ 3, 0, R_X86_64_32, R_X86_64_32 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct file file = new_64();

		add_rela(&file, DATA + cases[i].first, cases[i].first_type, 0, 0);
		add_rela(&file, DATA + cases[i].second, cases[i].second_type, 0, 0);
		refuse(&file, "change the same bytes", "");
	}
}

TEST(takes_neighbours)
{
	const struct relocation list[] = {
		{ DATA, 1, 4 }, { DATA + 4, 2 + SLIDE, 8 }, { DATA + 12, 3, 4 },
	};
	struct file file = new_64();

	add_rela(&file, DATA + 12, R_X86_64_32, 0, 3);
	add_rela(&file, DATA + 4, R_X86_64_RELATIVE, 0, 2);
	add_rela(&file, DATA, R_X86_64_32, 0, 1);
	expect_list(&file, SLIDE, list, COUNT(list), "neighbours");
}

/* ---- Refused types and places -------------------------------------------- */

struct refused_type {
	uint32_t type;
	const char *says;
	const char *hint;
};

TEST(refuses_other_types_of_x86_64)
{
	static const struct refused_type types[] = {
		{ R_X86_64_COPY, "R_X86_64_COPY at 0x20000 (symbol 'foo')", "-static -pie" },
		{ R_X86_64_TPOFF64, "R_X86_64_TPOFF64 at 0x20000 (symbol 'foo') cannot be done"
		  " without a dynamic loader", "-ftls-model=local-exec" },
		{ R_X86_64_TPOFF32, "R_X86_64_TPOFF32 at", "-ftls-model=local-exec" },
		{ R_X86_64_DTPMOD64, "R_X86_64_DTPMOD64 at", "-ftls-model=local-exec" },
		{ R_X86_64_DTPOFF64, "R_X86_64_DTPOFF64 at", "-ftls-model=local-exec" },
		{ R_X86_64_DTPOFF32, "R_X86_64_DTPOFF32 at", "-ftls-model=local-exec" },
		{ R_X86_64_TLSDESC, "R_X86_64_TLSDESC at", "-ftls-model=local-exec" },
		{ R_X86_64_IRELATIVE, "R_X86_64_IRELATIVE at", "ifunc" },
		{ R_X86_64_SIZE32, "R_X86_64_SIZE32 at", "-static -pie" },
		{ R_X86_64_SIZE64, "R_X86_64_SIZE64 at", "-static -pie" },
		{ R_X86_64_PLT32, "R_X86_64_PLT32 at 0x20000 (symbol 'foo') cannot be done"
		  " in a linked file", "-fpie" },
		{ R_X86_64_16, "R_X86_64_16 at", "-fpie" },
		{ R_X86_64_8, "R_X86_64_8 at", "-fpie" },
		{ R_X86_64_PC16, "R_X86_64_PC16 at", "-fpie" },
		{ R_X86_64_PC8, "R_X86_64_PC8 at", "-fpie" },
		/* A gap, the first number behind the table, the largest one. */
		{ R_X86_64_GOT32, "the relocation of type 3 at 0x20000 (symbol 'foo') cannot", "" },
		{ R_X86_64_RELATIVE64 + 1, "of type 39 at", "" },
		{ UINT32_MAX, "of type 4294967295 at", "" },
	};

	for (size_t i = 0; i < COUNT(types); i++) {
		struct file file = new_64();

		add_symbols(&file);
		add_rela(&file, DATA, types[i].type, FOO_SYMBOL, 0);
		refuse(&file, types[i].says, types[i].hint);
	}
}

TEST(refuses_other_types_of_i386)
{
	static const struct refused_type types[] = {
		{ R_386_COPY, "R_386_COPY at 0x20000 (symbol 'foo')", "-static -pie" },
		{ R_386_TLS_TPOFF, "R_386_TLS_TPOFF at", "-ftls-model=local-exec" },
		{ R_386_TLS_TPOFF32, "R_386_TLS_TPOFF32 at", "-ftls-model=local-exec" },
		{ R_386_TLS_DTPMOD32, "R_386_TLS_DTPMOD32 at", "-ftls-model=local-exec" },
		{ R_386_TLS_DTPOFF32, "R_386_TLS_DTPOFF32 at", "-ftls-model=local-exec" },
		{ R_386_TLS_DESC, "R_386_TLS_DESC at", "-ftls-model=local-exec" },
		{ R_386_IRELATIVE, "R_386_IRELATIVE at", "ifunc" },
		{ R_386_SIZE32, "R_386_SIZE32 at", "-static -pie" },
		{ R_386_PLT32, "R_386_PLT32 at", "-fpie" },
		{ R_386_16, "R_386_16 at", "-fpie" },
		{ R_386_PC16, "R_386_PC16 at", "-fpie" },
		{ R_386_8, "R_386_8 at", "-fpie" },
		{ R_386_PC8, "R_386_PC8 at", "-fpie" },
		{ R_386_GOT32, "of type 3 at", "" },
		{ R_386_IRELATIVE + 1, "of type 43 at", "" },
		{ UINT8_MAX, "of type 255 at", "" },
	};

	for (size_t i = 0; i < COUNT(types); i++) {
		struct file file = new_32();

		add_symbols(&file);
		add_rel(&file, DATA, types[i].type, FOO_SYMBOL);
		refuse(&file, types[i].says, types[i].hint);
	}
}

TEST(refuses_places_without_bytes)
{
	static const struct {
		uint64_t address;
		const char *says;
		const char *hint;
	} cases[] = {
		{ BSS, "R_X86_64_RELATIVE at 0x20200 is in .bss, which has no bytes in the file",
		  ".data" },
		{ DATA_END - 8, "is in .bss", ".data" },
		{ DATA_END - 1, "is in .bss", ".data" },
		{ BSS - 1, "at 0x201ff is not wholly in a segment's bytes", "readelf" },
		{ BSS - 7, "is not wholly in a segment's bytes", "readelf" },
		{ TABLES_END - 4, "is not wholly in a segment's bytes", "readelf" },
		{ TABLES_END, "is outside of all segments", "readelf" },
		{ DYNAMIC - 1, "is outside of all segments", "readelf" },
		{ DATA_END, "is outside of all segments", "readelf" },
		{ 0, "at 0x0 is outside of all segments", "readelf" },
		{ UINT64_MAX, "at 0xffffffffffffffff is outside of all segments", "readelf" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct file file = new_64();

		add_rela(&file, cases[i].address, R_X86_64_RELATIVE, 0, 0);
		refuse(&file, cases[i].says, cases[i].hint);
	}
	struct file relr = new_64();
	add_relr(&relr, BSS - 8);
	add_relr(&relr, 1 | 1 << 1);
	refuse(&relr, "R_X86_64_RELATIVE at 0x20200 is in .bss", ".data");
}

TEST(refuses_results_that_do_not_fit)
{
	static const struct {
		uint32_t type;
		uint32_t symbol;
		uint64_t addend;
		const char *says;
	} cases[] = {
		{ R_X86_64_32, NONE, UINT64_C(0x100000000), "R_X86_64_32 at 0x20000 has the result"
		  " 0x100000000, which does not fit into its 4 bytes" },
		{ R_X86_64_32, FOO_SYMBOL, -(uint64_t)(FOO + SLIDE + 1), "(symbol 'foo') has the"
		  " result 0xffffffffffffffff" },
		{ R_X86_64_32S, NONE, 0x80000000, "R_X86_64_32S at" },
		{ R_X86_64_32S, NONE, -UINT64_C(0x80000001), "R_X86_64_32S at" },
		{ R_X86_64_PC32, FOO_SYMBOL, 0x80000000, "R_X86_64_PC32 at" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct file file = new_64();

		add_symbols(&file);
		add_rela(&file, DATA, cases[i].type, cases[i].symbol, cases[i].addend);
		refuse(&file, cases[i].says, "-fpie");
	}
	/* It is the slide that may make it too large. */
	struct file file = new_64(), slid = new_64();
	add_symbols(&file);
	add_rela(&file, DATA, R_X86_64_32, FOO_SYMBOL, 0);
	expect(&file, 0, DATA, FOO, 4, "not slid");
	add_symbols(&slid);
	add_rela(&slid, DATA, R_X86_64_32, FOO_SYMBOL, 0);
	refuse_slid(&slid, UINT64_C(0xffffff8000000000), "does not fit", "-fpie");
}

/* ---- Symbols ------------------------------------------------------------- */

TEST(refuses_symbols_without_a_value)
{
	static const struct {
		unsigned char info;
		uint16_t section;
		const char *says;
		const char *hint;
	} cases[] = {
		{ ELF64_ST_INFO(STB_GLOBAL, STT_NOTYPE), SHN_UNDEF,
		  "the relocation R_X86_64_64 at 0x20000 (symbol 'bar') needs a symbol that is not"
		  " defined", "weak" },
		{ ELF64_ST_INFO(STB_LOCAL, STT_NOTYPE), SHN_UNDEF, "not defined", "weak" },
		{ ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT), SHN_COMMON, "not defined", "weak" },
		{ ELF64_ST_INFO(STB_GLOBAL, STT_TLS), 1, "(symbol 'bar') cannot be done without",
		  "-ftls-model" },
		{ ELF64_ST_INFO(STB_GLOBAL, STT_GNU_IFUNC), 1,
		  "(symbol 'bar') cannot be done without", "ifunc" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct file file = new_64();
		uint32_t symbol = add_symbol(&file, "bar", cases[i].info, cases[i].section, 0x1000);

		add_rela(&file, DATA, R_X86_64_64, symbol, 0);
		refuse(&file, cases[i].says, cases[i].hint);
	}
}

/* Its section's number does not fit its field. */
TEST(takes_a_symbol_of_a_section_with_a_high_number)
{
	struct file file = new_64();
	uint32_t symbol = add_symbol(&file, "bar", ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT),
				     SHN_XINDEX, FOO);

	add_rela(&file, DATA, R_X86_64_64, symbol, 0);
	expect(&file, SLIDE, DATA, FOO + SLIDE, 8, "SHN_XINDEX");
}

TEST(refuses_symbols_beyond_the_table)
{
	static const uint32_t symbols[] = { (STRINGS - SYMBOLS) / 24, 1000, INT32_MAX, UINT32_MAX };
	struct file last = new_64();

	for (size_t i = 0; i < COUNT(symbols); i++) {
		struct file file = new_64();
		char number[80];

		snprintf(number, sizeof(number),
			 "(symbol number %u) needs a symbol that the symbol table", symbols[i]);
		add_rela(&file, DATA, R_X86_64_64, symbols[i], 0);
		refuse(&file, number, "");
	}
	/* Where nothing tells the end of the table, its segment ends it. */
	set_tag(&last, DT_SYMTAB, TABLES_END - 24);
	drop_tag(&last, DT_STRTAB);
	add_rela(&last, DATA, R_X86_64_64, 1, 0);
	refuse(&last, "(symbol number 1) needs a symbol", "");
}

TEST(refuses_symbols_without_a_table)
{
	static const uint64_t addresses[] = { 0, 1, TABLES_END - 23, BSS, UINT64_MAX };

	for (size_t i = 0; i <= COUNT(addresses); i++) {
		struct file file = new_64();

		if (i == COUNT(addresses))
			drop_tag(&file, DT_SYMTAB);
		else
			set_tag(&file, DT_SYMTAB, addresses[i]);
		add_rela(&file, DATA, R_X86_64_64, 1, 0);
		refuse(&file, "(symbol number 1) needs a symbol that the symbol table (DT_SYMTAB)"
		       " does not have", "");
	}
}

/* They are for messages alone. */
TEST(does_without_names)
{
	static const struct {
		uint64_t tag;
		uint64_t value;
	} edits[] = {
		{ DT_STRTAB, 0 }, { DT_STRTAB, TABLES_END }, { DT_STRTAB, UINT64_MAX },
		{ DT_STRSZ, 0 }, { DT_STRSZ, 1 },
	};

	for (size_t i = 0; i < COUNT(edits); i++) {
		struct file file = new_64();

		add_symbol(&file, "bar", ELF64_ST_INFO(STB_GLOBAL, STT_NOTYPE), SHN_UNDEF, 0);
		set_tag(&file, edits[i].tag, edits[i].value);
		add_rela(&file, DATA, R_X86_64_64, 1, 0);
		refuse(&file, "(symbol number 1)", "weak");
	}
	struct file file = new_64();
	add_symbols(&file);
	drop_tag(&file, DT_STRTAB);
	drop_tag(&file, DT_STRSZ);
	add_rela(&file, DATA, R_X86_64_64, FOO_SYMBOL, 0);
	expect(&file, SLIDE, DATA, FOO + SLIDE, 8, "no names");
}

#define TEN "0123456789"

TEST(cuts_names_that_are_long_or_do_not_end)
{
	struct file endless = new_64(), tail = new_64(), longer = new_64();

	add_symbol(&endless, "bar", ELF64_ST_INFO(STB_GLOBAL, STT_NOTYPE), SHN_UNDEF, 0);
	set_tag(&endless, DT_STRSZ, 3);
	add_rela(&endless, DATA, R_X86_64_64, 1, 0);
	refuse(&endless, "(symbol 'ba')", "");
	/* It goes on to the end of the segment, its size to beyond all addresses. */
	add_symbol(&tail, "bar", ELF64_ST_INFO(STB_GLOBAL, STT_NOTYPE), SHN_UNDEF, 0);
	put(&tail, TABLES_END - 4, 4, 0x64636261);
	put(&tail, SYMBOLS + 24, 4, TABLES_END - 4 - STRINGS);
	set_tag(&tail, DT_STRSZ, UINT64_MAX);
	add_rela(&tail, DATA, R_X86_64_64, 1, 0);
	refuse(&tail, "(symbol 'abcd')", "");
	add_symbol(&longer, TEN TEN TEN TEN TEN TEN "x", ELF64_ST_INFO(STB_GLOBAL, STT_NOTYPE),
		   SHN_UNDEF, 0);
	add_rela(&longer, DATA, R_X86_64_64, 1, 0);
	refuse(&longer, "(symbol '" TEN TEN TEN TEN TEN TEN "')", "");
}

/* ---- Bad tables ---------------------------------------------------------- */

struct bad_tag {
	uint64_t tag;
	uint64_t value;
	const char *says;
};

/* A good file of all tables, with one tag changed. */
static struct file new_full(bool is_32)
{
	struct file file = is_32 ? new_32() : new_64();

	add_symbols(&file);
	add_rela(&file, DATA, is_32 ? R_386_RELATIVE : R_X86_64_RELATIVE, 0, 0);
	add_rel(&file, DATA + 16, is_32 ? R_386_RELATIVE : R_X86_64_RELATIVE, 0);
	add_relr(&file, DATA + 32);
	add_plt(&file, is_32 ? DT_REL : DT_RELA, DATA + 48,
		is_32 ? R_386_JMP_SLOT : R_X86_64_JUMP_SLOT, FOO_SYMBOL);
	return file;
}

TEST(refuses_bad_tables)
{
	static const struct bad_tag tags[] = {
		{ DT_RELAENT, 0, "is damaged: the entries of DT_RELA are 0x0 bytes, not 24" },
		{ DT_RELAENT, 12, "entries of DT_RELA are 0xc bytes, not 24" },
		{ DT_RELAENT, UINT64_MAX, "entries of DT_RELA" },
		{ DT_RELENT, 0, "the entries of DT_REL are 0x0 bytes, not 16" },
		{ DT_RELRENT, 4, "the entries of DT_RELR are 0x4 bytes, not 8" },
		{ DT_SYMENT, 16, "the entries of DT_SYMTAB are 0x10 bytes, not 24" },
		{ DT_RELASZ, 25, "damaged: DT_RELA has the size 0x19, with entries of 24 bytes" },
		{ DT_RELASZ, UINT64_MAX, "DT_RELA has the size 0xffffffffffffffff" },
		/* A whole number of entries, but more than can be counted. */
		{ DT_RELASZ, UINT64_C(24) << 40, "DT_RELA has the size" },
		{ DT_RELASZ, 24 * UINT64_C(1000000000), "': DT_RELA (0x" },
		{ DT_RELRSZ, 7, "DT_RELR has the size" },
		{ DT_RELSZ, 1, "DT_REL has the size" },
		{ DT_PLTRELSZ, 23, "DT_JMPREL has the size" },
		{ DT_RELA, TABLES_END - 23, "DT_RELA (0x18 bytes at 0x108e9) is not in" },
		{ DT_RELA, TABLES_END,
		  "DT_RELA (0x18 bytes at 0x10900) is not in the bytes of a segment" },
		{ DT_RELA, 1, "DT_RELA (0x18 bytes at 0x1) is not" },
		{ DT_RELA, UINT64_MAX, "DT_RELA (" },
		{ DT_RELA, UINT64_MAX - 23, "DT_RELA (" },
		{ DT_RELA, BSS, "DT_RELA (" },
		{ DT_REL, BSS - 8, "DT_REL (" },
		{ DT_RELR, DATA_END, "DT_RELR (" },
		{ DT_JMPREL, DYNAMIC - 1, "DT_JMPREL (" },
		{ DT_RELA, 0, "lacks relocations that it needs: DT_RELA is 0" },
		{ DT_REL, 0, "DT_REL is 0" },
		{ DT_RELR, 0, "DT_RELR is 0" },
		{ DT_JMPREL, 0, "DT_JMPREL is 0" },
		{ DT_PLTREL, 0, "is damaged: DT_PLTREL is 0, neither DT_RELA nor DT_REL" },
		{ DT_PLTREL, UINT64_MAX, "DT_PLTREL is 18446744073709551615" },
		{ DT_PLTREL, DT_RELR, "DT_PLTREL is 36" },
		{ DT_PLTREL, DT_REL, "DT_JMPREL has the size 0x18, with entries of 16 bytes" },
		{ 0x6000000f, 1, "in Android's own format" },
		{ 0x60000011, 1, "in Android's own format" },
		{ 0x6fffe000, 1, "in Android's own format" },
	};

	struct file good = new_full(false);
	struct result result = run(&good, SLIDE);
	assert_accepted(result.status, &result.err, "unchanged");
	assert_int_equal(result.count, 4);
	free(result.list);
	for (size_t i = 0; i < COUNT(tags); i++) {
		struct file file = new_full(false);

		set_tag(&file, tags[i].tag, tags[i].value);
		refuse(&file, tags[i].says, "");
	}
}

/* What GNU ld leaves of it is as good as it was, if it is not moved; what lld
 * leaves is not. */
TEST(knows_discarded_tables)
{
	struct file gnu = new_64(), moved = new_64(), lld = new_64();

	set_tag(&gnu, DT_RELA, 0);
	set_tag(&gnu, DT_RELASZ, 0);
	expect_list(&gnu, 0, NULL, 0, "not moved");
	set_tag(&moved, DT_RELA, 0);
	set_tag(&moved, DT_RELASZ, 0);
	refuse(&moved, "lacks relocations that it needs: DT_RELA is 0", ".rela.dyn");
	set_tag(&lld, DT_RELA, 0);
	set_tag(&lld, DT_RELASZ, 24);
	refuse_slid(&lld, 0, "lacks relocations that it needs: DT_RELA is 0", ".rela.dyn");
}

TEST(refuses_bad_tables_of_32_bits)
{
	static const struct bad_tag tags[] = {
		{ DT_RELAENT, 24, "the entries of DT_RELA are 0x18 bytes, not 12" },
		{ DT_RELENT, 16, "the entries of DT_REL are 0x10 bytes, not 8" },
		{ DT_RELRENT, 8, "the entries of DT_RELR are 0x8 bytes, not 4" },
		{ DT_SYMENT, 24, "the entries of DT_SYMTAB are 0x18 bytes, not 16" },
		{ DT_RELSZ, 12, "DT_REL has the size 0xc, with entries of 8 bytes" },
		{ DT_RELSZ, UINT32_MAX - 7, "DT_REL (0xfffffff8 bytes at 0x10300)" },
		{ DT_REL, UINT32_MAX - 3, "DT_REL (0x8 bytes at 0xfffffffc)" },
		{ DT_REL, 0, "lacks relocations that it needs: DT_REL is 0" },
	};

	struct file good = new_full(true);
	struct result result = run(&good, SLIDE);
	assert_accepted(result.status, &result.err, "unchanged");
	assert_int_equal(result.count, 4);
	free(result.list);
	for (size_t i = 0; i < COUNT(tags); i++) {
		struct file file = new_full(true);

		set_tag(&file, tags[i].tag, tags[i].value);
		refuse(&file, tags[i].says, "");
	}
}

TEST(refuses_tables_without_half_of_their_tags)
{
	static const struct bad_tag tags[] = {
		{ DT_RELA, 0, "is damaged: it has DT_RELASZ without DT_RELA" },
		{ DT_RELASZ, 0, "is damaged: it has DT_RELA without DT_RELASZ" },
		{ DT_REL, 0, "it has DT_RELSZ without DT_REL" },
		{ DT_RELSZ, 0, "it has DT_REL without DT_RELSZ" },
		{ DT_RELR, 0, "it has DT_RELRSZ without DT_RELR" },
		{ DT_RELRSZ, 0, "it has DT_RELR without DT_RELRSZ" },
		{ DT_JMPREL, 0, "it has DT_PLTRELSZ without DT_JMPREL" },
		{ DT_PLTRELSZ, 0, "it has DT_JMPREL without DT_PLTRELSZ" },
		{ DT_PLTREL, 0, "DT_PLTREL is 0" },
	};

	for (size_t i = 0; i < COUNT(tags); i++) {
		struct file file = new_full(false);

		drop_tag(&file, tags[i].tag);
		refuse(&file, tags[i].says, "");
	}
}

/* They can only be what they always are. */
TEST(takes_tables_without_an_entry_size)
{
	static const uint64_t tags[] = { DT_RELAENT, DT_RELENT, DT_RELRENT, DT_SYMENT };

	for (size_t i = 0; i < COUNT(tags); i++) {
		struct file file = new_full(false);

		drop_tag(&file, tags[i]);
		struct result result = run(&file, SLIDE);
		assert_accepted(result.status, &result.err, "no entry size");
		free(result.list);
	}
}

TEST(refuses_relr_that_begins_with_a_bitmap)
{
	struct file file = new_64();

	add_relr(&file, 3);
	add_relr(&file, DATA);
	refuse(&file, "is damaged: DT_RELR begins with a bitmap, not an address", "");
}

/* 64 relocations in 16 bytes, again and again: that would take a lot of memory. */
TEST(refuses_more_relocations_than_a_file_has_room_for)
{
	struct file file = new_64();

	for (size_t i = 0; i < 30; i++) {
		add_relr(&file, DATA);
		add_relr(&file, UINT64_MAX);
	}
	refuse(&file, "is damaged: it has more relocations than numbers to relocate", "");
}

TEST(refuses_relr_over_the_end_of_addresses)
{
	struct file file = new_64();

	add_relr(&file, DATA);
	add_relr(&file, 1);
	add_relr(&file, UINT64_MAX - 1);
	add_relr(&file, UINT64_MAX);
	refuse(&file, "at 0xfffffffffffffffe is outside of all segments", "");
}

TEST(refuses_shared_libraries)
{
	struct file file = new_full(false), no_name = new_64();
	size_t at = file.strings_size;

	add_symbol(&file, "libx.so.1", 0, 0, 0);
	set_tag(&file, DT_NEEDED, at);
	refuse(&file, "needs the shared library 'libx.so.1'",
	       "ld -static -pie --no-dynamic-linker");
	set_tag(&no_name, DT_NEEDED, UINT64_MAX);
	refuse(&no_name, "needs a shared library", "-static");
}

/* Nothing has to end it. */
TEST(reads_a_dynamic_section_without_an_end)
{
	struct file file = new_64();

	add_rela(&file, DATA, R_X86_64_RELATIVE, 0, 5);
	put_tags(&file);
	elf_edit(file.bytes, PH64(2, p_filesz), 8, file.tag_count * 16);
	struct result result = run_bytes(file.bytes, file.size, SLIDE);
	assert_accepted(result.status, &result.err, "no DT_NULL");
	assert_int_equal(result.count, 1);
	free(result.list);
	/* Half an entry at its end, or less than one in all, is none. */
	for (size_t size = 0; size < file.tag_count * 16; size++) {
		elf_edit(file.bytes, PH64(2, p_filesz), 8, size);
		result = run_bytes(file.bytes, file.size, SLIDE);
		free(result.list);
	}
	free(file.bytes);
}

/* It may begin at any byte. */
TEST(reads_tables_that_are_not_aligned)
{
	struct file file = new_64();

	add_symbols(&file);
	add_rela(&file, DATA, R_X86_64_64, FOO_SYMBOL, 5);
	memmove(file.bytes + TABLES_OFFSET + (RELA - DYNAMIC) + 1,
		file.bytes + TABLES_OFFSET + (RELA - DYNAMIC), 24);
	set_tag(&file, DT_RELA, RELA + 1);
	memmove(file.bytes + TABLES_OFFSET + (SYMBOLS - DYNAMIC) + 3,
		file.bytes + TABLES_OFFSET + (SYMBOLS - DYNAMIC), 4 * 24);
	set_tag(&file, DT_SYMTAB, SYMBOLS + 3);
	expect(&file, SLIDE, DATA, FOO + SLIDE + 5, 8, "not aligned");
}

/* ---- Bad files in bulk --------------------------------------------------- */

/* Damage a few bytes of the tables, often to values that are on an edge. */
static void damage(unsigned char *bytes, uint64_t *seed)
{
	static const unsigned char edges[] = { 0, 1, 2, 0x7f, 0x80, 0xff };
	/* What is in use of the tables. */
	static const struct {
		uint64_t start, size;
	} used[] = {
		{ DYNAMIC, 0x100 }, { DYNAMIC, 0x100 }, { RELA, 24 }, { REL, 16 }, { RELR, 8 },
		{ PLT, 24 }, { SYMBOLS, 96 }, { STRINGS, 24 },
	};

	for (uint64_t i = random_below(seed, 4) + 1; i > 0; i--) {
		uint64_t which = random_below(seed, COUNT(used));
		uint64_t at = used[which].start + random_below(seed, used[which].size);
		unsigned char *byte = &bytes[at - DYNAMIC + TABLES_OFFSET];

		*byte = random_below(seed, 2) == 0 ? (unsigned char)random_next(seed) :
						     edges[random_below(seed, COUNT(edges))];
	}
}

TEST(survives_damaged_tables)
{
	uint64_t seed = 1;
	unsigned int accepted = 0, refused = 0;

	for (unsigned int round = 0; round < 20000; round++) {
		struct file file = new_full(round % 2 == 1);

		put_tags(&file);
		damage(file.bytes, &seed);
		struct result result = run_bytes(file.bytes, file.size, random_next(&seed));
		free(file.bytes);
		CHECK(result.status == 0 || (result.err.class == ERROR_INPUT &&
					     strstr(result.err.text, NAME) != NULL),
		      "round %u: %s", round, result.err.text);
		*(result.status == 0 ? &accepted : &refused) += 1;
		free(result.list);
	}
	/* Else the damage is too little or too much to say anything. */
	assert_true(accepted > 1000 && refused > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(does_each_type_of_x86_64),
		cmocka_unit_test(does_x86_64_with_addends_in_place),
		cmocka_unit_test(does_each_type_of_i386),
		cmocka_unit_test(does_x32),
		cmocka_unit_test(passes_over_none),
		cmocka_unit_test(relocates_without_a_slide),
		cmocka_unit_test(slides_downwards),
		cmocka_unit_test(does_nothing_without_relocations),
		cmocka_unit_test(does_relr_of_64_bits),
		cmocka_unit_test(does_relr_of_32_bits),
		cmocka_unit_test(does_relr_after_an_empty_bitmap),
		cmocka_unit_test(does_all_tables_in_order_of_address),
		cmocka_unit_test(does_plt_with_addends_in_place),
		cmocka_unit_test(does_plt_that_is_in_both_tables),
		cmocka_unit_test(finds_places_up_to_a_segments_end),
		cmocka_unit_test(finds_its_way_among_many_segments),
		cmocka_unit_test(takes_the_last_of_an_address),
		cmocka_unit_test(refuses_to_relocate_a_result),
		cmocka_unit_test(refuses_partial_overlaps),
		cmocka_unit_test(takes_neighbours),
		cmocka_unit_test(refuses_other_types_of_x86_64),
		cmocka_unit_test(refuses_other_types_of_i386),
		cmocka_unit_test(refuses_places_without_bytes),
		cmocka_unit_test(refuses_results_that_do_not_fit),
		cmocka_unit_test(refuses_symbols_without_a_value),
		cmocka_unit_test(takes_a_symbol_of_a_section_with_a_high_number),
		cmocka_unit_test(refuses_symbols_beyond_the_table),
		cmocka_unit_test(refuses_symbols_without_a_table),
		cmocka_unit_test(does_without_names),
		cmocka_unit_test(cuts_names_that_are_long_or_do_not_end),
		cmocka_unit_test(refuses_bad_tables),
		cmocka_unit_test(knows_discarded_tables),
		cmocka_unit_test(refuses_bad_tables_of_32_bits),
		cmocka_unit_test(refuses_tables_without_half_of_their_tags),
		cmocka_unit_test(takes_tables_without_an_entry_size),
		cmocka_unit_test(refuses_relr_that_begins_with_a_bitmap),
		cmocka_unit_test(refuses_more_relocations_than_a_file_has_room_for),
		cmocka_unit_test(refuses_relr_over_the_end_of_addresses),
		cmocka_unit_test(refuses_shared_libraries),
		cmocka_unit_test(reads_a_dynamic_section_without_an_end),
		cmocka_unit_test(reads_tables_that_are_not_aligned),
		cmocka_unit_test(survives_damaged_tables),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
