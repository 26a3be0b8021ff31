/* SPDX-License-Identifier: MIT
 *
 * Relocations; see relocate.h.
 *
 * The tables are found as a dynamic loader finds them: through the dynamic
 * section, by virtual address.  Section headers are not needed.  In the formulas
 * S is a symbol's value, A the addend, P the relocated place, B the slide.
 */
#include "kernel/relocate.h"

#include <gelf.h>
#include <inttypes.h>
#include <libelf.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

/* Newer than some elf.h. */
#ifndef DT_RELR
#define DT_RELRSZ 35
#define DT_RELR 36
#define DT_RELRENT 37
#endif

/* lld's --pack-dyn-relocs=android; in no elf.h. */
#define DT_ANDROID_REL 0x6000000f
#define DT_ANDROID_RELA 0x60000011
#define DT_ANDROID_RELR 0x6fffe000

#define TAG_COUNT (DT_RELRENT + 1)

#define STATIC_HINT "link statically: ld -static -pie --no-dynamic-linker, or gcc -static-pie"
#define KEEP_HINT "let the linker script keep .rela.dyn, .rel.dyn and .relr.dyn in a loaded segment"

/* ---- Relocation types ---------------------------------------------------- */

enum formula {
	UNKNOWN = 0,	/* a gap in the tables below */
	NEEDS_LINKER,	/* not for a linked file */
	NEEDS_LOADER,
	NEEDS_TLS,
	NEEDS_CALL,	/* of a function in the kernel that returns the value */
	NOTHING,
	SLIDE,		/* B + A */
	SYMBOL,		/* S */
	SYMBOL_ADDEND,	/* S + A */
	SYMBOL_PLACE,	/* S + A - P */
};

enum number {
	WORD = 0,	/* as large as an address: by the ELF class, nothing can overflow */
	EIGHT_BYTES,
	FOUR_UNSIGNED,
	FOUR_SIGNED,
};

struct type {
	const char *name;
	enum formula formula;
	enum number number;
};

#define TYPE(type, ...) [type] = { #type, __VA_ARGS__ }

static const struct type types_x86_64[] = {
	TYPE(R_X86_64_NONE, NOTHING, WORD),
	TYPE(R_X86_64_64, SYMBOL_ADDEND, EIGHT_BYTES),
	TYPE(R_X86_64_PC32, SYMBOL_PLACE, FOUR_SIGNED),
	TYPE(R_X86_64_PLT32, NEEDS_LINKER, WORD),
	TYPE(R_X86_64_COPY, NEEDS_LOADER, WORD),
	TYPE(R_X86_64_GLOB_DAT, SYMBOL, WORD),
	TYPE(R_X86_64_JUMP_SLOT, SYMBOL, WORD),
	TYPE(R_X86_64_RELATIVE, SLIDE, WORD),
	TYPE(R_X86_64_32, SYMBOL_ADDEND, FOUR_UNSIGNED),
	TYPE(R_X86_64_32S, SYMBOL_ADDEND, FOUR_SIGNED),
	TYPE(R_X86_64_16, NEEDS_LINKER, WORD),
	TYPE(R_X86_64_PC16, NEEDS_LINKER, WORD),
	TYPE(R_X86_64_8, NEEDS_LINKER, WORD),
	TYPE(R_X86_64_PC8, NEEDS_LINKER, WORD),
	TYPE(R_X86_64_DTPMOD64, NEEDS_TLS, WORD),
	TYPE(R_X86_64_DTPOFF64, NEEDS_TLS, WORD),
	TYPE(R_X86_64_TPOFF64, NEEDS_TLS, WORD),
	TYPE(R_X86_64_DTPOFF32, NEEDS_TLS, WORD),
	TYPE(R_X86_64_TPOFF32, NEEDS_TLS, WORD),
	TYPE(R_X86_64_PC64, SYMBOL_PLACE, EIGHT_BYTES),
	TYPE(R_X86_64_SIZE32, NEEDS_LOADER, WORD),
	TYPE(R_X86_64_SIZE64, NEEDS_LOADER, WORD),
	TYPE(R_X86_64_TLSDESC, NEEDS_TLS, WORD),
	TYPE(R_X86_64_IRELATIVE, NEEDS_CALL, WORD),
	TYPE(R_X86_64_RELATIVE64, SLIDE, EIGHT_BYTES),
};

static const struct type types_386[] = {
	TYPE(R_386_NONE, NOTHING, WORD),
	TYPE(R_386_32, SYMBOL_ADDEND, WORD),
	TYPE(R_386_PC32, SYMBOL_PLACE, WORD),
	TYPE(R_386_PLT32, NEEDS_LINKER, WORD),
	TYPE(R_386_COPY, NEEDS_LOADER, WORD),
	TYPE(R_386_GLOB_DAT, SYMBOL, WORD),
	TYPE(R_386_JMP_SLOT, SYMBOL, WORD),
	TYPE(R_386_RELATIVE, SLIDE, WORD),
	TYPE(R_386_TLS_TPOFF, NEEDS_TLS, WORD),
	TYPE(R_386_16, NEEDS_LINKER, WORD),
	TYPE(R_386_PC16, NEEDS_LINKER, WORD),
	TYPE(R_386_8, NEEDS_LINKER, WORD),
	TYPE(R_386_PC8, NEEDS_LINKER, WORD),
	TYPE(R_386_TLS_DTPMOD32, NEEDS_TLS, WORD),
	TYPE(R_386_TLS_DTPOFF32, NEEDS_TLS, WORD),
	TYPE(R_386_TLS_TPOFF32, NEEDS_TLS, WORD),
	TYPE(R_386_SIZE32, NEEDS_LOADER, WORD),
	TYPE(R_386_TLS_DESC, NEEDS_TLS, WORD),
	TYPE(R_386_IRELATIVE, NEEDS_CALL, WORD),
};

static const struct type *find_type(const struct kernel *kernel, uint64_t number)
{
	static const struct type unknown = { .formula = UNKNOWN };

	if (kernel->machine == EM_386)
		return number < sizeof(types_386) / sizeof(types_386[0]) ? &types_386[number] :
									   &unknown;
	return number < sizeof(types_x86_64) / sizeof(types_x86_64[0]) ? &types_x86_64[number] :
									 &unknown;
}

static uint32_t width_of(const struct kernel *kernel, enum number number)
{
	return number == EIGHT_BYTES || (number == WORD && kernel->is_64) ? 8 : 4;
}

/* ---- What is known of the file ------------------------------------------- */

/* A relocation to be, with what decides between two of one address. */
struct change {
	struct relocation relocation;
	size_t order;	/* in which a loader would come to it */
	bool in_place;	/* the value is made from the bytes that were there */
};

struct relocator {
	const struct kernel *kernel;
	const char *name;
	uint64_t slide;
	Elf *elf;
	bool has[TAG_COUNT];		/* is the tag in the dynamic section? */
	uint64_t value[TAG_COUNT];
	Elf_Data *symbols;		/* NULL if there are none */
	size_t symbol_count;		/* at most: the table's size is written nowhere */
	struct kernel_range strings;
	struct change *changes;
	size_t change_count;
	size_t room;
};

/* How many bytes of the file follow address in its segment; 0 if none do. */
static uint64_t bytes_at(const struct kernel *kernel, uint64_t address, uint64_t *offset)
{
	size_t low = 0, high = kernel->segment_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (kernel->segments[middle].vaddr <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return 0;
	const struct segment *segment = &kernel->segments[low - 1];
	uint64_t into = address - segment->vaddr;
	if (into >= segment->filesz)
		return 0;
	*offset = segment->offset + into;
	return segment->filesz - into;
}

/* Is address in what a segment has in memory but not in the file? */
static bool in_bss(const struct kernel *kernel, uint64_t address)
{
	for (size_t i = 0; i < kernel->segment_count; i++) {
		const struct segment *segment = &kernel->segments[i];

		if (address - segment->vaddr < segment->memsz)
			return address - segment->vaddr >= segment->filesz;
	}
	return false;
}

static bool get_symbol(const struct relocator *r, uint64_t index, GElf_Sym *symbol)
{
	return index < r->symbol_count && gelf_getsym(r->symbols, (int)index, symbol) != NULL;
}

/* A string of DT_STRTAB, for messages; "" if it is not there. */
struct text {
	char text[61];
};

static struct text get_string(const struct relocator *r, uint64_t at)
{
	struct text text = {0};

	if (at >= r->strings.size)
		return text;
	const char *start = (const char *)r->kernel->bytes + r->strings.offset + at;
	uint64_t rest = r->strings.size - at;
	size_t most = rest < sizeof(text.text) ? rest : sizeof(text.text) - 1;
	memcpy(text.text, start, strnlen(start, most));
	return text;
}

/* What to call a relocation: "the relocation R_X86_64_64 at 0x1234 (symbol 'foo')". */
struct label {
	char text[200];
};

static struct label label_of(const struct relocator *r, const GElf_Rela *entry)
{
	const struct type *type = find_type(r->kernel, GELF_R_TYPE(entry->r_info));
	uint64_t index = GELF_R_SYM(entry->r_info);
	struct text symbol_name = {0};
	struct label label;
	char number[32];
	GElf_Sym symbol;

	snprintf(number, sizeof(number), "of type %" PRIu64, (uint64_t)GELF_R_TYPE(entry->r_info));
	int used = snprintf(label.text, sizeof(label.text), "the relocation %s at 0x%" PRIx64,
			    type->name != NULL ? type->name : number, (uint64_t)entry->r_offset);
	if (index == 0)
		return label;
	if (get_symbol(r, index, &symbol))
		symbol_name = get_string(r, symbol.st_name);
	if (symbol_name.text[0] != '\0')
		snprintf(label.text + used, sizeof(label.text) - (size_t)used, " (symbol '%s')",
			 symbol_name.text);
	else
		snprintf(label.text + used, sizeof(label.text) - (size_t)used,
			 " (symbol number %" PRIu64 ")", index);
	return label;
}

/* ---- One relocation ------------------------------------------------------ */

static int refuse_type(const struct relocator *r, const GElf_Rela *entry, enum formula formula,
		       struct error *err)
{
	struct label label = label_of(r, entry);

	if (formula == UNKNOWN || formula == NEEDS_LINKER) {
		error_set(err, ERROR_INPUT, 0, "'%s': %s cannot be done in a linked file", r->name,
			  label.text);
		return error_hint(err, "compile with -fpie and link with -pie:"
				  " then the linker does it");
	}
	error_set(err, ERROR_INPUT, 0, "'%s': %s cannot be done without a dynamic loader", r->name,
		  label.text);
	if (formula == NEEDS_TLS)
		return error_hint(err, "compile with -ftls-model=local-exec and link with -no-pie");
	if (formula == NEEDS_CALL)
		return error_hint(err, "leave out functions that are chosen at run time"
				  " (ifunc, target_clones; a C library may have some)");
	return error_hint(err, STATIC_HINT);
}

/* Find the relocated bytes in the file. */
static int find_place(const struct relocator *r, const GElf_Rela *entry, uint32_t width,
		      uint64_t *offset, struct error *err)
{
	uint64_t address = entry->r_offset;
	uint64_t found = bytes_at(r->kernel, address, offset);

	if (found >= width)
		return 0;
	if (found == 0 && in_bss(r->kernel, address)) {
		error_set(err, ERROR_INPUT, 0,
			  "'%s': %s is in .bss, which has no bytes in the file", r->name,
			  label_of(r, entry).text);
		return error_hint(err, "in the linker script, move what has an initial value"
				  " to .data");
	}
	error_set(err, ERROR_INPUT, 0, "'%s': %s is %s", r->name, label_of(r, entry).text,
		  found > 0 ? "not wholly in a segment's bytes" : "outside of all segments");
	return error_hint(err, "compare readelf -r with readelf -l;"
			  " a linker script must not drop what is relocated");
}

static int refuse_undefined(const struct relocator *r, const GElf_Rela *entry, struct error *err)
{
	error_set(err, ERROR_INPUT, 0, "'%s': %s needs a symbol that is not defined", r->name,
		  label_of(r, entry).text);
	return error_hint(err, "define it, or declare it weak if it may be 0;"
			  " -z defs makes ld find such");
}

/* S, with the slide in it. */
static int get_value(const struct relocator *r, const GElf_Rela *entry, uint64_t *value,
		     struct error *err)
{
	uint64_t index = GELF_R_SYM(entry->r_info);
	GElf_Sym symbol;

	*value = 0;
	if (index == STN_UNDEF)
		return 0;
	if (!get_symbol(r, index, &symbol))
		return error_set(err, ERROR_INPUT, 0,
				 "'%s': %s needs a symbol that the symbol table (DT_SYMTAB)"
				 " does not have", r->name, label_of(r, entry).text);
	if (symbol.st_shndx == SHN_UNDEF && GELF_ST_BIND(symbol.st_info) == STB_WEAK)
		return 0;
	/* Reserved numbers are common symbols, which have no address yet. */
	if (symbol.st_shndx == SHN_UNDEF ||
	    (symbol.st_shndx >= SHN_LORESERVE && symbol.st_shndx != SHN_ABS &&
	     symbol.st_shndx != SHN_XINDEX))
		return refuse_undefined(r, entry, err);
	if (GELF_ST_TYPE(symbol.st_info) == STT_TLS)
		return refuse_type(r, entry, NEEDS_TLS, err);
	if (GELF_ST_TYPE(symbol.st_info) == STT_GNU_IFUNC)
		return refuse_type(r, entry, NEEDS_CALL, err);
	*value = symbol.st_value + (symbol.st_shndx == SHN_ABS ? 0 : r->slide);
	return 0;
}

/* The addresses of a 32-bit file wrap around; only a 64-bit one can have an
 * address that its four bytes do not hold. */
static bool fits(const struct kernel *kernel, enum number number, uint64_t value)
{
	if (!kernel->is_64 || width_of(kernel, number) == 8)
		return true;
	return (number == FOUR_SIGNED ? value + 0x80000000 : value) <= UINT32_MAX;
}

static int add_change(struct relocator *r, const struct change *change, struct error *err)
{
	/* A few words of DT_RELR make a great many relocations. */
	if (r->change_count >= r->kernel->size / sizeof(uint32_t))
		return error_set(err, ERROR_INPUT, 0,
				 "'%s' is damaged: it has more relocations than numbers"
				 " to relocate", r->name);
	if (r->change_count == r->room) {
		size_t room = r->room * 2 + 64;
		struct change *changes = reallocarray(r->changes, room, sizeof(changes[0]));

		if (changes == NULL)
			return error_set(err, ERROR_SYSTEM, 0,
					 "out of memory for the relocations of '%s'", r->name);
		r->changes = changes;
		r->room = room;
	}
	r->changes[r->change_count] = *change;
	r->changes[r->change_count].order = r->change_count;
	r->change_count++;
	return 0;
}

static uint64_t read_addend(const unsigned char *bytes, uint32_t width)
{
	return width == 8 ? get_le64(bytes) : (uint64_t)(int64_t)(int32_t)get_le32(bytes);
}

/* in_place: the addend is not in the entry, but where the result goes. */
static int do_entry(struct relocator *r, const GElf_Rela *entry, bool in_place, struct error *err)
{
	const struct type *type = find_type(r->kernel, GELF_R_TYPE(entry->r_info));
	uint32_t width = width_of(r->kernel, type->number);
	uint64_t value = r->slide, offset = 0;

	if (type->formula == NOTHING)
		return 0;
	if (type->formula < NOTHING)
		return refuse_type(r, entry, type->formula, err);
	if (find_place(r, entry, width, &offset, err) != 0 ||
	    (type->formula != SLIDE && get_value(r, entry, &value, err) != 0))
		return -1;
	in_place = in_place && type->formula != SYMBOL;
	if (in_place)
		value += read_addend(r->kernel->bytes + offset, width);
	else if (type->formula != SYMBOL)
		value += (uint64_t)entry->r_addend;
	if (type->formula == SYMBOL_PLACE)
		value -= entry->r_offset + r->slide;
	if (!fits(r->kernel, type->number, value)) {
		error_set(err, ERROR_INPUT, 0,
			  "'%s': %s has the result 0x%" PRIx64
			  ", which does not fit into its 4 bytes", r->name,
			  label_of(r, entry).text, value);
		return error_hint(err, "compile with -fpie; in assembler, take addresses"
				  " relative to %%rip or as 8 bytes");
	}
	struct change change = {
		.relocation = { entry->r_offset, width == 8 ? value : (uint32_t)value, width },
		.in_place = in_place,
	};
	return add_change(r, &change, err);
}

/* ---- Tables -------------------------------------------------------------- */

/* A table of the dynamic section and the tags that describe it. */
struct table {
	const char *name;
	const char *size_name;
	int tag;
	int size_tag;
	int entry_tag;		/* 0 if there is none */
};

static const struct table table_rela = { "DT_RELA", "DT_RELASZ", DT_RELA, DT_RELASZ, DT_RELAENT };
static const struct table table_rel = { "DT_REL", "DT_RELSZ", DT_REL, DT_RELSZ, DT_RELENT };
static const struct table table_relr = { "DT_RELR", "DT_RELRSZ", DT_RELR, DT_RELRSZ, DT_RELRENT };
static const struct table table_plt = { "DT_JMPREL", "DT_PLTRELSZ", DT_JMPREL, DT_PLTRELSZ, 0 };

static int check_entry_size(const struct relocator *r, int tag, uint64_t size, const char *table,
			    struct error *err)
{
	if (!r->has[tag] || r->value[tag] == size)
		return 0;
	return error_set(err, ERROR_INPUT, 0,
			 "'%s' is damaged: the entries of %s are 0x%" PRIx64 " bytes, not %" PRIu64,
			 r->name, table, r->value[tag], size);
}

/* Where a table lies in the file; size 0 if there is none. */
static int find_table(const struct relocator *r, const struct table *table, uint64_t entry_size,
		      struct kernel_range *range, struct error *err)
{
	uint64_t address = r->value[table->tag], size = r->value[table->size_tag];

	*range = (struct kernel_range){0};
	/* What a linker leaves of a table that its script discards.  GNU ld, which
	 * makes the size 0 too, has the numbers for slide 0 in the segments; lld has
	 * zeros there. */
	if (r->has[table->tag] && address == 0 && (size != 0 || r->slide != 0)) {
		error_set(err, ERROR_INPUT, 0, "'%s' lacks relocations that it needs: %s is 0",
			  r->name, table->name);
		return error_hint(err, KEEP_HINT);
	}
	if (r->has[table->size_tag] ? size == 0 : !r->has[table->tag])
		return 0;
	if (!r->has[table->tag] || !r->has[table->size_tag])
		return error_set(err, ERROR_INPUT, 0, "'%s' is damaged: it has %s without %s",
				 r->name, r->has[table->tag] ? table->name : table->size_name,
				 r->has[table->tag] ? table->size_name : table->name);
	if (check_entry_size(r, table->entry_tag, entry_size, table->name, err) != 0)
		return -1;
	/* libelf counts entries with int. */
	if (size % entry_size != 0 || size / entry_size > INT_MAX)
		return error_set(err, ERROR_INPUT, 0,
				 "'%s' is damaged: %s has the size 0x%" PRIx64
				 ", with entries of %" PRIu64 " bytes", r->name, table->name, size,
				 entry_size);
	if (bytes_at(r->kernel, address, &range->offset) < size) {
		error_set(err, ERROR_INPUT, 0,
			  "'%s': %s (0x%" PRIx64 " bytes at 0x%" PRIx64
			  ") is not in the bytes of a segment", r->name, table->name, size,
			  address);
		return error_hint(err, KEEP_HINT);
	}
	range->size = size;
	return 0;
}

static Elf_Data *get_data(const struct relocator *r, const struct kernel_range *range,
			  Elf_Type type, const char *what, struct error *err)
{
	Elf_Data *data = elf_getdata_rawchunk(r->elf, (int64_t)range->offset, range->size, type);

	if (data == NULL)
		error_set(err, ERROR_INPUT, 0, "'%s': cannot read %s: %s", r->name, what,
			  elf_errmsg(-1));
	return data;
}

static size_t file_size_of(const struct relocator *r, Elf_Type type)
{
	return gelf_fsize(r->elf, type, 1, EV_CURRENT);
}

static int do_rela(struct relocator *r, const struct table *table, struct error *err)
{
	struct kernel_range range;
	GElf_Rela entry;
	Elf_Data *data;

	if (find_table(r, table, file_size_of(r, ELF_T_RELA), &range, err) != 0)
		return -1;
	if (range.size == 0)
		return 0;
	if ((data = get_data(r, &range, ELF_T_RELA, table->name, err)) == NULL)
		return -1;
	for (int i = 0; gelf_getrela(data, i, &entry) != NULL; i++) {
		if (do_entry(r, &entry, false, err) != 0)
			return -1;
	}
	return 0;
}

static int do_rel(struct relocator *r, const struct table *table, struct error *err)
{
	struct kernel_range range;
	Elf_Data *data;
	GElf_Rel rel;

	if (find_table(r, table, file_size_of(r, ELF_T_REL), &range, err) != 0)
		return -1;
	if (range.size == 0)
		return 0;
	if ((data = get_data(r, &range, ELF_T_REL, table->name, err)) == NULL)
		return -1;
	for (int i = 0; gelf_getrel(data, i, &rel) != NULL; i++) {
		GElf_Rela entry = { .r_offset = rel.r_offset, .r_info = rel.r_info };

		if (do_entry(r, &entry, true, err) != 0)
			return -1;
	}
	return 0;
}

static int do_plt(struct relocator *r, struct error *err)
{
	if (r->value[DT_PLTRELSZ] != 0 && r->value[DT_PLTREL] != DT_RELA &&
	    r->value[DT_PLTREL] != DT_REL)
		return error_set(err, ERROR_INPUT, 0,
				 "'%s' is damaged: DT_PLTREL is %" PRIu64
				 ", neither DT_RELA nor DT_REL", r->name, r->value[DT_PLTREL]);
	return r->value[DT_PLTREL] == DT_REL ? do_rel(r, &table_plt, err) :
					       do_rela(r, &table_plt, err);
}

/* One word of DT_RELR: an address to relocate (even), or which of the words from
 * *next on to relocate (odd, from the second bit on). */
static int do_relr_word(struct relocator *r, uint64_t word, uint64_t *next, struct error *err)
{
	uint64_t width = r->kernel->is_64 ? 8 : 4;
	uint64_t type = r->kernel->machine == EM_386 ? R_386_RELATIVE : R_X86_64_RELATIVE;
	GElf_Rela entry = { .r_info = GELF_R_INFO(UINT64_C(0), type) };

	if (word % 2 == 0) {
		entry.r_offset = word;
		*next = word + width;
		return do_entry(r, &entry, true, err);
	}
	entry.r_offset = *next;
	for (uint64_t bits = word >> 1; bits != 0; bits >>= 1) {
		if (bits % 2 != 0 && do_entry(r, &entry, true, err) != 0)
			return -1;
		entry.r_offset += width;
	}
	*next += (width * 8 - 1) * width;
	return 0;
}

static int do_relr(struct relocator *r, struct error *err)
{
	size_t width = r->kernel->is_64 ? 8 : 4;
	struct kernel_range range;
	uint64_t next = 0;

	if (find_table(r, &table_relr, width, &range, err) != 0)
		return -1;
	for (size_t i = 0; i < range.size; i += width) {
		const unsigned char *at = r->kernel->bytes + range.offset + i;
		uint64_t word = width == 8 ? get_le64(at) : get_le32(at);

		if (i == 0 && word % 2 != 0)
			return error_set(err, ERROR_INPUT, 0,
					 "'%s' is damaged: DT_RELR begins with a bitmap,"
					 " not an address", r->name);
		if (do_relr_word(r, word, &next, err) != 0)
			return -1;
	}
	return 0;
}

/* ---- The dynamic section ------------------------------------------------- */

/* Strings are for messages alone: what is not there is not missed. */
static void find_strings(struct relocator *r)
{
	uint64_t size = r->has[DT_STRTAB] ?
			bytes_at(r->kernel, r->value[DT_STRTAB], &r->strings.offset) : 0;

	r->strings.size = size < r->value[DT_STRSZ] ? size : r->value[DT_STRSZ];
}

static int find_symbols(struct relocator *r, struct error *err)
{
	size_t entry_size = file_size_of(r, ELF_T_SYM);
	uint64_t address = r->value[DT_SYMTAB], strings = r->value[DT_STRTAB];
	struct kernel_range range = {0};

	if (address == 0)
		return 0;
	if (check_entry_size(r, DT_SYMENT, entry_size, "DT_SYMTAB", err) != 0)
		return -1;
	/* It ends somewhere before the strings, which linkers put behind it, and
	 * before its segment does. */
	uint64_t size = bytes_at(r->kernel, address, &range.offset);
	if (strings > address && strings - address < size)
		size = strings - address;
	r->symbol_count = size / entry_size < INT_MAX ? size / entry_size : INT_MAX;
	if (r->symbol_count == 0)
		return 0;
	range.size = r->symbol_count * entry_size;
	r->symbols = get_data(r, &range, ELF_T_SYM, "DT_SYMTAB", err);
	return r->symbols == NULL ? -1 : 0;
}

static int take_tag(struct relocator *r, const GElf_Dyn *dyn, struct error *err)
{
	if (dyn->d_tag == DT_ANDROID_REL || dyn->d_tag == DT_ANDROID_RELA ||
	    dyn->d_tag == DT_ANDROID_RELR) {
		error_set(err, ERROR_INPUT, 0, "'%s' has its relocations in Android's own format",
			  r->name);
		return error_hint(err, "link without --pack-dyn-relocs,"
				  " or with --pack-dyn-relocs=relr");
	}
	if (dyn->d_tag >= 0 && dyn->d_tag < TAG_COUNT) {
		r->has[dyn->d_tag] = true;
		r->value[dyn->d_tag] = dyn->d_un.d_val;
	}
	return 0;
}

static int read_dynamic(struct relocator *r, struct error *err)
{
	size_t entry_size = file_size_of(r, ELF_T_DYN);
	struct kernel_range range = r->kernel->dynamic;
	GElf_Dyn dyn;
	Elf_Data *data;

	if (range.size < entry_size)
		return 0;
	if ((data = get_data(r, &range, ELF_T_DYN, "PT_DYNAMIC", err)) == NULL)
		return -1;
	size_t count = range.size / entry_size < INT_MAX ? range.size / entry_size : INT_MAX;
	for (size_t i = 0; i < count; i++) {
		if (gelf_getdyn(data, (int)i, &dyn) == NULL || dyn.d_tag == DT_NULL)
			break;
		if (take_tag(r, &dyn, err) != 0)
			return -1;
	}
	return 0;
}

static int refuse_library(const struct relocator *r, struct error *err)
{
	struct text library = get_string(r, r->value[DT_NEEDED]);

	if (library.text[0] != '\0')
		error_set(err, ERROR_INPUT, 0, "'%s' needs the shared library '%s'", r->name,
			  library.text);
	else
		error_set(err, ERROR_INPUT, 0, "'%s' needs a shared library (DT_NEEDED)", r->name);
	return error_hint(err, STATIC_HINT);
}

/* ---- The result ---------------------------------------------------------- */

static int compare_changes(const void *left, const void *right)
{
	const struct change *a = left, *b = right;

	if (a->relocation.address != b->relocation.address)
		return a->relocation.address < b->relocation.address ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

/* Leave one change per address.  The last one holds, unless it would be made
 * from the result of another one: no linker means that. */
static int merge_changes(struct relocator *r, struct error *err)
{
	size_t kept = 0;

	if (r->change_count == 0)
		return 0;
	qsort(r->changes, r->change_count, sizeof(r->changes[0]), compare_changes);
	for (size_t i = 1; i < r->change_count; i++) {
		const struct relocation *last = &r->changes[kept].relocation;
		const struct relocation *next = &r->changes[i].relocation;

		if (next->address - last->address >= last->width)
			kept++;
		else if (next->address != last->address || next->width != last->width ||
			 r->changes[i].in_place)
			return error_set(err, ERROR_INPUT, 0,
					 "'%s' is damaged: its relocations at 0x%" PRIx64
					 " and 0x%" PRIx64 " change the same bytes", r->name,
					 last->address, next->address);
		r->changes[kept] = r->changes[i];
	}
	r->change_count = kept + 1;
	return 0;
}

static int make_list(const struct relocator *r, struct relocation **list, size_t *count,
		     struct error *err)
{
	if (r->change_count == 0)
		return 0;
	*list = calloc(r->change_count, sizeof((*list)[0]));
	if (*list == NULL)
		return error_set(err, ERROR_SYSTEM, 0, "out of memory for the relocations of '%s'",
				 r->name);
	for (size_t i = 0; i < r->change_count; i++)
		(*list)[i] = r->changes[i].relocation;
	*count = r->change_count;
	return 0;
}

/* In the order of dynamic loaders: DT_RELR before what may override it. */
static int do_tables(struct relocator *r, struct error *err)
{
	if (read_dynamic(r, err) != 0)
		return -1;
	find_strings(r);
	if (r->has[DT_NEEDED])
		return refuse_library(r, err);
	if (find_symbols(r, err) != 0 || do_relr(r, err) != 0 || do_rel(r, &table_rel, err) != 0 ||
	    do_rela(r, &table_rela, err) != 0 || do_plt(r, err) != 0)
		return -1;
	return merge_changes(r, err);
}

int relocate(const struct kernel *kernel, uint64_t slide, const char *name,
	     struct relocation **list, size_t *count, struct error *err)
{
	struct relocator r = { .kernel = kernel, .name = name, .slide = slide };
	int result;

	*list = NULL;
	*count = 0;
	if (kernel->dynamic.size == 0)
		return 0;
	elf_version(EV_CURRENT);
	elf_errno();	/* forget what an earlier file did */
	/* libelf's prototype lacks const; it only reads what it did not make. */
	r.elf = elf_memory((char *)(uintptr_t)kernel->bytes, kernel->size);
	if (r.elf == NULL)
		return error_set(err, ERROR_INPUT, 0, "'%s' has a damaged ELF header: %s", name,
				 elf_errmsg(-1));
	result = do_tables(&r, err);
	if (result == 0)
		result = make_list(&r, list, count, err);
	free(r.changes);
	elf_end(r.elf);
	return result;
}
