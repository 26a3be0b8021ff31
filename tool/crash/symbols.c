/* SPDX-License-Identifier: MIT
 *
 * Functions and objects at addresses, by the symbol table; see symbols.h.
 */
#include "crash/symbols.h"

#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "crash/demangle.h"
#include "crash/symbols_file.h"

/* Padding behind a function still counts as the function: it is where one that
 * must not return goes on. */
#define MOST_PADDING 16
/* A symbol's bytes that are looked at before it is taken. */
#define MOST_LABEL 128

struct symbols_segment {
	uint64_t vaddr;
	uint64_t paddr;
	uint64_t memsz;
	uint64_t offset;	/* in the file */
	uint64_t filesz;	/* <= memsz, all of it in the file */
};

struct symbols_name {
	uint64_t value;
	uint64_t size;
	uint64_t end;		/* of the section or segment; value if it is in none */
	const char *name;	/* not "" */
	unsigned char type;	/* STT_NOTYPE... */
	unsigned char bind;	/* STB_LOCAL... */
};

void symbols_copy(char *text, size_t size, const char *from, size_t length)
{
	if (length > size - 1)
		length = size - 1;
	memcpy(text, from, length);
	text[length] = '\0';
}

/* ---- Reading the file ---------------------------------------------------- */

static bool read_segments(struct symbols *s)
{
	size_t count = 0;

	if (elf_getphdrnum(s->elf, &count) != 0 || count > s->size / sizeof(Elf32_Phdr))
		return true;
	s->segments = calloc(count + 1, sizeof(s->segments[0]));
	if (s->segments == NULL)
		return false;
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr phdr;

		if (gelf_getphdr(s->elf, (int)i, &phdr) == NULL || phdr.p_type != PT_LOAD)
			continue;
		bool in_file = phdr.p_offset <= s->size && phdr.p_filesz <= s->size - phdr.p_offset &&
			       phdr.p_filesz <= phdr.p_memsz;
		s->segments[s->segment_count++] = (struct symbols_segment){
			.vaddr = phdr.p_vaddr,
			.paddr = phdr.p_paddr,
			.memsz = phdr.p_memsz,
			.offset = phdr.p_offset,
			.filesz = in_file ? phdr.p_filesz : 0,
		};
	}
	return true;
}

static bool read_sections(struct symbols *s)
{
	size_t count = 0, strings = 0;
	Elf_Scn *scn = NULL;

	if (elf_getshdrnum(s->elf, &count) != 0 || elf_getshdrstrndx(s->elf, &strings) != 0 ||
	    count > s->size / sizeof(Elf32_Shdr))
		return true;
	s->sections = calloc(count + 1, sizeof(s->sections[0]));
	if (s->sections == NULL)
		return false;
	while ((scn = elf_nextscn(s->elf, scn)) != NULL && elf_ndxscn(scn) < count) {
		struct symbols_section *section = &s->sections[elf_ndxscn(scn)];
		GElf_Shdr shdr;
		Elf_Data *data;

		s->section_count = elf_ndxscn(scn) + 1;
		if (gelf_getshdr(scn, &shdr) == NULL)
			continue;
		section->addr = shdr.sh_addr;
		section->name = elf_strptr(s->elf, strings, shdr.sh_name);
		if ((shdr.sh_flags & SHF_ALLOC) && !(shdr.sh_flags & SHF_TLS))
			section->size = shdr.sh_size;
		/* libdw goes by names, so any section may hold debug information; and it was
		 * here, so what was compressed is not any more. */
		if (shdr.sh_type != SHT_NOBITS && (data = elf_getdata(scn, NULL)) != NULL) {
			section->text = data->d_buf;
			section->text_size = data->d_buf != NULL ? data->d_size : 0;
		}
	}
	return true;
}

/* Where what a symbol without a size stands for must end. */
static uint64_t end_of_symbol(const struct symbols *s, const GElf_Sym *symbol)
{
	if (symbol->st_shndx < s->section_count) {
		const struct symbols_section *section = &s->sections[symbol->st_shndx];

		/* Labels of ends lie behind their section. */
		if (symbol->st_value - section->addr < section->size)
			return section->addr + section->size;
		return symbol->st_value;
	}
	for (size_t i = 0; i < s->segment_count; i++) {
		const struct symbols_segment *segment = &s->segments[i];

		if (symbol->st_value - segment->vaddr < segment->memsz)
			return segment->vaddr + segment->memsz;
	}
	return symbol->st_value;
}

static bool is_name_wanted(const GElf_Sym *symbol, const char *name)
{
	unsigned char type = GELF_ST_TYPE(symbol->st_info);

	return symbol->st_shndx != SHN_UNDEF && symbol->st_shndx != SHN_ABS &&
	       (type == STT_NOTYPE || type == STT_FUNC || type == STT_OBJECT ||
		type == STT_GNU_IFUNC) &&
	       /* What assemblers make up for themselves. */
	       name[0] != '\0' && strncmp(name, ".L", 2) != 0;
}

static bool read_table(struct symbols *s, Elf_Scn *scn, const GElf_Shdr *shdr)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	Elf_Data *text = elf_getdata(elf_getscn(s->elf, shdr->sh_link), NULL);

	if (data == NULL || text == NULL || data->d_buf == NULL || text->d_buf == NULL)
		return true;
	const char *names = text->d_buf;
	const char *last = memrchr(names, '\0', text->d_size);
	size_t names_size = last != NULL ? (size_t)(last - names) + 1 : 0;
	size_t count = data->d_size / (s->is_64 ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym));

	s->names = calloc(count + 1, sizeof(s->names[0]));
	if (s->names == NULL)
		return false;
	for (size_t i = 0; i < count && i < INT32_MAX; i++) {
		GElf_Sym symbol;

		if (gelf_getsym(data, (int)i, &symbol) == NULL || symbol.st_name >= names_size ||
		    !is_name_wanted(&symbol, names + symbol.st_name))
			continue;
		s->names[s->name_count++] = (struct symbols_name){
			.value = symbol.st_value,
			.size = symbol.st_size,
			.end = end_of_symbol(s, &symbol),
			.name = names + symbol.st_name,
			.type = GELF_ST_TYPE(symbol.st_info),
			.bind = GELF_ST_BIND(symbol.st_info),
		};
	}
	return true;
}

/* Read the symbol table, or what strip leaves of it, if a dynamic loader would
 * need that. */
static bool read_names(struct symbols *s)
{
	static const GElf_Word types[] = { SHT_SYMTAB, SHT_DYNSYM };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		Elf_Scn *scn = NULL;
		GElf_Shdr shdr;

		while (s->name_count == 0 && (scn = elf_nextscn(s->elf, scn)) != NULL) {
			if (gelf_getshdr(scn, &shdr) == NULL || shdr.sh_type != types[i])
				continue;
			free(s->names);
			s->names = NULL;
			if (!read_table(s, scn, &shdr))
				return false;
		}
	}
	return true;
}

static bool read_file(struct symbols *s)
{
	elf_version(EV_CURRENT);
	s->elf = elf_memory((char *)s->bytes, s->size);
	GElf_Ehdr header;
	if (s->elf == NULL || elf_kind(s->elf) != ELF_K_ELF || gelf_getehdr(s->elf, &header) == NULL ||
	    header.e_ident[EI_DATA] != ELFDATA2LSB ||
	    (header.e_machine != EM_X86_64 && header.e_machine != EM_386)) {
		elf_end(s->elf);
		s->elf = NULL;
		return true;
	}
	s->is_64 = gelf_getclass(s->elf) == ELFCLASS64;
	s->dwarf = dwarf_begin_elf(s->elf, DWARF_C_READ, NULL);
	s->eh_frame = dwarf_getcfi_elf(s->elf);
	if (s->dwarf != NULL)
		s->debug_frame = dwarf_getcfi(s->dwarf);
	return read_segments(s) && read_sections(s) && read_names(s);
}

struct symbols *symbols_open(const unsigned char *bytes, size_t size, uint64_t slide)
{
	struct symbols *symbols = calloc(1, sizeof(*symbols));

	if (symbols == NULL)
		return NULL;
	/* libelf marks in place which sections it has decompressed: the bytes have to
	 * be ours. */
	*symbols = (struct symbols){ .bytes = malloc(size + 1), .size = size, .slide = slide,
				     .time_taken = calloc(1, sizeof(*symbols->time_taken)) };
	if (symbols->bytes != NULL && size > 0)
		memcpy(symbols->bytes, bytes, size);
	if (symbols->bytes == NULL || symbols->time_taken == NULL || !read_file(symbols)) {
		symbols_close(symbols);
		return NULL;
	}
	return symbols;
}

void symbols_close(struct symbols *symbols)
{
	if (symbols == NULL)
		return;
	if (symbols->eh_frame != NULL)
		dwarf_cfi_end(symbols->eh_frame);
	dwarf_end(symbols->dwarf);
	elf_end(symbols->elf);
	free(symbols->segments);
	free(symbols->sections);
	free(symbols->names);
	free(symbols->time_taken);
	free(symbols->bytes);
	free(symbols);
}

void symbols_allow_physical(struct symbols *symbols)
{
	symbols->allow_physical = true;
}

bool symbols_any(const struct symbols *symbols)
{
	return symbols->name_count > 0;
}

/* ---- Addresses ----------------------------------------------------------- */

static uint64_t cut_address(const struct symbols *s, uint64_t address)
{
	return s->is_64 ? address : (uint32_t)address;
}

bool symbols_linked(const struct symbols *symbols, uint64_t address, uint64_t *linked)
{
	/* 64-bit code in an ELF32 file stays below 4 GiB. */
	if (address != cut_address(symbols, address))
		return false;
	address = cut_address(symbols, address - symbols->slide);
	for (size_t i = 0; i < symbols->segment_count; i++) {
		const struct symbols_segment *segment = &symbols->segments[i];

		if (address - segment->vaddr < segment->memsz) {
			*linked = address;
			return true;
		}
	}
	for (size_t i = 0; symbols->allow_physical && i < symbols->segment_count; i++) {
		const struct symbols_segment *segment = &symbols->segments[i];

		if (address - segment->paddr < segment->memsz) {
			*linked = address - segment->paddr + segment->vaddr;
			return true;
		}
	}
	return false;
}

size_t symbols_code(const struct symbols *symbols, uint64_t linked, unsigned char *code,
		    size_t size)
{
	for (size_t i = 0; i < symbols->segment_count; i++) {
		const struct symbols_segment *segment = &symbols->segments[i];
		uint64_t within = linked - segment->vaddr;

		if (within >= segment->filesz)
			continue;
		if (size > segment->filesz - within)
			size = segment->filesz - within;
		memcpy(code, symbols->bytes + segment->offset + within, size);
		return size;
	}
	return 0;
}

/* ---- Names --------------------------------------------------------------- */

static bool covers(const struct symbols_name *name, uint64_t linked)
{
	return linked - name->value < name->size;
}

/* How much a symbol says, of several at an address. */
static int rank_name(const struct symbols_name *name)
{
	int rank = name->type != STT_NOTYPE ? 4 : 0;

	return rank + (name->bind == STB_GLOBAL ? 2 : name->bind == STB_WEAK ? 1 : 0);
}

/* Does a say more of an address than b?  Both lie at or below it. */
static bool is_better(const struct symbols_name *a, const struct symbols_name *b, uint64_t linked)
{
	if (b == NULL)
		return true;
	if (covers(a, linked) != covers(b, linked))
		return covers(a, linked);
	if (a->value != b->value)
		return a->value > b->value;
	if (rank_name(a) != rank_name(b))
		return rank_name(a) > rank_name(b);
	/* Places that linker scripts mark are called __NAME. */
	return strncmp(a->name, "__", 2) != 0 && strncmp(b->name, "__", 2) == 0;
}

typedef bool name_filter(const struct symbols_name *name);

/* The symbol that a label lies in; if in none, the label. */
static const struct symbols_name *find_cover(const struct symbols *s,
					     const struct symbols_name *label, name_filter *wanted)
{
	const struct symbols_name *best = label;

	for (size_t i = 0; i < s->name_count; i++) {
		if (covers(&s->names[i], label->value) && wanted(&s->names[i]) &&
		    is_better(&s->names[i], best, label->value))
			best = &s->names[i];
	}
	return best;
}

/* The symbol that an address belongs to: the innermost that covers it, else the
 * nearest label below. */
static const struct symbols_name *find_name(const struct symbols *s, uint64_t linked,
					    name_filter *wanted)
{
	const struct symbols_name *best = NULL;

	for (size_t i = 0; i < s->name_count; i++) {
		const struct symbols_name *name = &s->names[i];

		if (name->value <= linked && (linked < name->end || covers(name, linked)) &&
		    wanted(name) && is_better(name, best, linked))
			best = name;
	}
	/* A label in a function does not reach beyond it. */
	if (best != NULL && !covers(best, linked))
		best = find_cover(s, best, wanted);
	if (best != NULL && best->size > 0 && linked - best->value >= best->size &&
	    linked - best->value - best->size >= MOST_PADDING)
		return NULL;
	return best;
}

static bool is_anything(const struct symbols_name *name __attribute__((unused)))
{
	return true;
}

static bool is_code(const struct symbols_name *name)
{
	return name->type != STT_OBJECT;
}

/* NASM's local labels (function.label) are symbols like functions. */
static bool is_function(const struct symbols_name *name)
{
	return is_code(name) && (name->type != STT_NOTYPE || name->bind != STB_LOCAL ||
				 memchr(name->name, '.', strnlen(name->name, MOST_LABEL)) == NULL);
}

bool symbols_function(const struct symbols *symbols, uint64_t linked, uint64_t *start,
		      uint64_t *end)
{
	const struct symbols_name *name = find_name(symbols, linked, is_function);

	if (name == NULL)
		return false;
	*start = name->value;
	*end = name->size > 0 ? name->value + name->size : name->end;
	for (size_t i = 0; name->size == 0 && i < symbols->name_count; i++) {
		const struct symbols_name *next = &symbols->names[i];

		if (next->value > linked && next->value < *end && is_function(next))
			*end = next->value;
	}
	return true;
}

void symbols_put_name(char *text, size_t size, const char *linkage, const char *plain)
{
	if (linkage != NULL && demangle(linkage, text, size))
		return;
	if (linkage == NULL || (plain != NULL && demangle_is_mangled(linkage)))
		linkage = plain;
	if (linkage != NULL)
		symbols_copy(text, size, linkage, strlen(linkage));
}

bool symbols_data(const struct symbols *symbols, uint64_t address, char *name, size_t size,
		  uint64_t *offset)
{
	uint64_t linked;

	if (size == 0 || !symbols_linked(symbols, address, &linked))
		return false;
	const struct symbols_name *found = find_name(symbols, linked, is_anything);
	if (found != NULL) {
		symbols_put_name(name, size, found->name, NULL);
		*offset = linked - found->value;
		return true;
	}
	for (size_t i = 0; i < symbols->section_count; i++) {
		const struct symbols_section *section = &symbols->sections[i];

		if (linked - section->addr < section->size && section->name != NULL &&
		    section->name[0] != '\0') {
			symbols_copy(name, size, section->name, strlen(section->name));
			*offset = linked - section->addr;
			return true;
		}
	}
	return false;
}

/* ---- Both together ------------------------------------------------------- */

size_t symbols_find(const struct symbols *symbols, uint64_t address, bool return_address,
		    struct symbol_frame *frames, size_t most)
{
	uint64_t linked;

	if (most == 0 || !symbols_linked(symbols, address - return_address, &linked))
		return 0;
	size_t count = symbols_find_debug(symbols, linked, frames, most);
	struct symbol_frame *last = &frames[count - 1];
	const struct symbols_name *name = find_name(symbols, linked, is_code);
	/* The symbol says more of the whole function: parts that were split off, and
	 * those that are in no debug information. */
	if (name != NULL && !last->inlined) {
		char plain[sizeof(last->function)];

		memcpy(plain, last->function, sizeof(plain));
		symbols_put_name(last->function, sizeof(last->function), name->name,
				 plain[0] != '\0' ? plain : NULL);
		last->offset = linked - name->value;
	}
	if (!last->inlined && last->function[0] != '\0')
		last->offset += return_address;
	return last->function[0] != '\0' || last->file[0] != '\0' ? count : 0;
}
