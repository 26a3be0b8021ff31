/* SPDX-License-Identifier: MIT
 *
 * Kernel files; see kernel.h.
 */
#include "kernel/kernel.h"

#include <gelf.h>
#include <inttypes.h>
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Looking up each section in each segment is not worth more than this. */
#define MOST_LOOKUPS 4000000

struct segment_label segment_label(const struct segment *segment)
{
	struct segment_label label;

	snprintf(label.text, sizeof(label.text), "segment %u (%s%s0x%" PRIx64 "-0x%" PRIx64 ")",
		 segment->index, segment->sections, segment->sections[0] != '\0' ? ", " : "",
		 segment->vaddr, segment->vaddr + segment->memsz);
	return label;
}

/* What the file is, if it is not something to boot. */
static int check_type(const GElf_Ehdr *header, const char *name, struct error *err)
{
	switch (header->e_type) {
	case ET_EXEC:
	case ET_DYN:
		return 0;
	case ET_REL:
		error_set(err, ERROR_INPUT, 0, "'%s' is an object file, not a linked kernel", name);
		return error_hint(err, "link it first, for example with: ld -o kernel.elf '%s'", name);
	case ET_CORE:
		return error_set(err, ERROR_INPUT, 0, "'%s' is a core dump, not a kernel", name);
	default:
		return error_set(err, ERROR_INPUT, 0, "'%s' has the unknown ELF type %u", name,
				 header->e_type);
	}
}

bool kernel_is_elf(const unsigned char *bytes, size_t size)
{
	return size >= SELFMAG && memcmp(bytes, ELFMAG, SELFMAG) == 0;
}

static int check_header(const unsigned char *bytes, size_t size, const char *name,
			struct error *err)
{
	if (size > EI_CLASS && bytes[EI_CLASS] != ELFCLASS32 && bytes[EI_CLASS] != ELFCLASS64)
		return error_set(err, ERROR_INPUT, 0, "'%s' has the unknown ELF class %u", name,
				 bytes[EI_CLASS]);
	if (size < EI_NIDENT ||
	    size < (bytes[EI_CLASS] == ELFCLASS32 ? sizeof(Elf32_Ehdr) : sizeof(Elf64_Ehdr)))
		return error_set(err, ERROR_INPUT, 0, "'%s' is truncated: it ends in its ELF header",
				 name);
	if (bytes[EI_DATA] != ELFDATA2LSB)
		return error_set(err, ERROR_INPUT, 0,
				 "'%s' is big-endian: it is not for an x86 PC", name);
	return 0;
}

/* A program header's bytes of the file; none if they are not all there. */
static struct kernel_range file_range(const struct kernel *kernel, const GElf_Phdr *phdr)
{
	if (phdr->p_offset > kernel->size || phdr->p_filesz > kernel->size - phdr->p_offset)
		return (struct kernel_range){0};
	return (struct kernel_range){ phdr->p_offset, phdr->p_filesz, phdr->p_align };
}

/* Take over one program header; adds a segment if there is something to load. */
static int add_segment(struct kernel *kernel, const GElf_Phdr *phdr, unsigned int index,
		       const char *name, struct error *err)
{
	if (phdr->p_type == PT_DYNAMIC) {
		kernel->dynamic = file_range(kernel, phdr);
		if (kernel->dynamic.size < phdr->p_filesz)
			return error_set(err, ERROR_INPUT, 0,
					 "'%s' is truncated: its dynamic section (program header %u) lies beyond its end",
					 name, index);
	}
	if (phdr->p_type == PT_NOTE && phdr->p_filesz > 0)
		kernel->notes[kernel->note_count++] = file_range(kernel, phdr);
	if (phdr->p_type == PT_TLS)
		kernel->tls = (struct kernel_tls){ kernel->tls.count + 1, phdr->p_vaddr, phdr->p_filesz,
						   phdr->p_memsz };
	if (phdr->p_type == PT_GNU_STACK) {
		kernel->has_gnu_stack = true;
		kernel->executable_stack = phdr->p_flags & PF_X;
	}
	if (phdr->p_type == PT_INTERP) {
		error_set(err, ERROR_INPUT, 0,
			  "'%s' needs a dynamic loader (program header %u, PT_INTERP)", name, index);
		return error_hint(err, "link it statically: -static, -nostdlib, and -no-pie or -static-pie");
	}
	if (phdr->p_type != PT_LOAD || (phdr->p_memsz == 0 && phdr->p_filesz == 0))
		return 0;

	struct segment *segment = &kernel->segments[kernel->segment_count];
	*segment = (struct segment){
		.index = index,
		/* Of a segment without file bytes, linkers write what they like. */
		.offset = phdr->p_filesz > 0 ? phdr->p_offset : 0,
		.vaddr = phdr->p_vaddr,
		.paddr = phdr->p_paddr,
		.filesz = phdr->p_filesz,
		.memsz = phdr->p_memsz,
		.align = phdr->p_align,
		.flags = phdr->p_flags & (PF_R | PF_W | PF_X),
	};
	kernel->segment_count++;
	return 0;
}

/* What must hold for every segment, now that its sections' names are known. */
static int check_segment(const struct segment *segment, size_t file_size, const char *name,
			 struct error *err)
{
	if (segment->filesz > segment->memsz)
		return error_set(err, ERROR_INPUT, 0,
				 "'%s': %s is larger in the file (0x%" PRIx64 " bytes) than in memory",
				 name, segment_label(segment).text, segment->filesz);
	if (segment->memsz - 1 > UINT64_MAX - segment->vaddr)
		return error_set(err, ERROR_INPUT, 0,
				 "'%s': segment %u at 0x%" PRIx64 " wraps around the end of the address space",
				 name, segment->index, segment->vaddr);
	if (segment->offset > file_size || segment->filesz > file_size - segment->offset)
		return error_set(err, ERROR_INPUT, 0,
				 "'%s' is truncated: %s is 0x%" PRIx64 " bytes from 0x%" PRIx64
				 " on, but the file ends at 0x%zx",
				 name, segment_label(segment).text, segment->filesz, segment->offset, file_size);
	return 0;
}

static int compare_segments(const void *left, const void *right)
{
	const struct segment *a = left, *b = right;

	if (a->vaddr != b->vaddr)
		return a->vaddr < b->vaddr ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

static int sort_segments(struct kernel *kernel, const char *name, struct error *err)
{
	qsort(kernel->segments, kernel->segment_count, sizeof(kernel->segments[0]),
	      compare_segments);
	for (size_t i = 1; i < kernel->segment_count; i++) {
		const struct segment *low = &kernel->segments[i - 1], *high = &kernel->segments[i];

		if (high->vaddr - low->vaddr < low->memsz)
			return error_set(err, ERROR_INPUT, 0, "'%s': %s overlaps %s", name,
					 segment_label(low).text, segment_label(high).text);
	}
	return 0;
}

/* Append a name from the file, if there is room; what could upset a terminal, in
 * whatever encoding, becomes "?". */
static void add_name(char *names, size_t size, const char *name)
{
	size_t used = strlen(names);

	if (strnlen(name, size) + 1 >= size - used)
		return;
	snprintf(names + used, size - used, "%s%s", used > 0 ? " " : "", name);
	for (char *c = names + used; *c != '\0'; c++) {
		if ((unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7f)
			*c = '?';
	}
}

/* A string of a section of strings.  One that does not end with a NUL is none: its
 * last string has no end, and to look for each one's would take for ever. */
static const char *string_at(Elf *elf, size_t section, size_t offset)
{
	Elf_Scn *scn = elf_getscn(elf, section);
	GElf_Shdr shdr;
	Elf_Data *data;

	if (scn == NULL || gelf_getshdr(scn, &shdr) == NULL || shdr.sh_type != SHT_STRTAB ||
	    (data = elf_getdata(scn, NULL)) == NULL || data->d_buf == NULL || offset >= data->d_size)
		return NULL;
	const char *strings = data->d_buf;
	return strings[data->d_size - 1] == '\0' ? strings + offset : NULL;
}

/* Names are a help for messages: what cannot be read is passed over. */
static void name_sections(struct kernel *kernel, Elf *elf)
{
	size_t strings, sections = 0;

	if (elf_getshdrstrndx(elf, &strings) != 0 || elf_getshdrnum(elf, &sections) != 0 ||
	    sections > MOST_LOOKUPS / kernel->segment_count)
		return;
	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(elf, scn)) != NULL;) {
		GElf_Shdr shdr;
		const char *name;

		if (gelf_getshdr(scn, &shdr) == NULL || shdr.sh_size == 0 ||
		    (name = string_at(elf, strings, shdr.sh_name)) == NULL)
			continue;
		kernel->has_bootloader_config |= strcmp(name, ".bootloader-config") == 0;
		if (!(shdr.sh_flags & SHF_ALLOC))
			continue;
		for (size_t i = 0; i < kernel->segment_count; i++) {
			if (shdr.sh_addr - kernel->segments[i].vaddr < kernel->segments[i].memsz)
				add_name(kernel->segments[i].sections,
					 sizeof(kernel->segments[i].sections), name);
		}
		if (strncmp(name, ".debug", 6) == 0 || strncmp(name, ".zdebug", 7) == 0)
			add_name(kernel->debug_section, sizeof(kernel->debug_section), name);
	}
}

/* How well a symbol names the entry point: a function, or _start, rather than a
 * linker script's label. */
static int rank_symbol(const GElf_Sym *symbol, const char *name)
{
	if (symbol->st_shndx == SHN_UNDEF || symbol->st_shndx == SHN_ABS || name == NULL ||
	    name[0] == '\0' || GELF_ST_TYPE(symbol->st_info) == STT_SECTION)
		return 0;
	if (GELF_ST_TYPE(symbol->st_info) == STT_FUNC)
		return 3;
	return strcmp(name, "_start") == 0 ? 2 : 1;
}

static void find_entry_symbol(struct kernel *kernel, Elf *elf)
{
	int best = 0;

	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(elf, scn)) != NULL;) {
		GElf_Shdr shdr;
		GElf_Sym symbol;
		Elf_Data *data;

		if (gelf_getshdr(scn, &shdr) == NULL || shdr.sh_type != SHT_SYMTAB ||
		    (data = elf_getdata(scn, NULL)) == NULL)
			continue;
		for (int i = 1; gelf_getsym(data, i, &symbol) != NULL; i++) {
			if (symbol.st_value != kernel->entry)
				continue;
			const char *name = string_at(elf, shdr.sh_link, symbol.st_name);
			int rank = rank_symbol(&symbol, name);
			if (rank > best) {
				best = rank;
				kernel->entry_symbol[0] = '\0';
				add_name(kernel->entry_symbol, sizeof(kernel->entry_symbol), name);
			}
		}
	}
}

static int read_segments(struct kernel *kernel, Elf *elf, const GElf_Ehdr *header, size_t file_size,
			 const char *name, struct error *err)
{
	size_t count = 0;

	if (elf_getphdrnum(elf, &count) != 0 || (count == 0 && header->e_phnum != 0))
		return error_set(err, ERROR_INPUT, 0,
				 "'%s' is truncated: its program headers lie beyond its end", name);
	/* libelf checks the table against the file; a count that cannot fit must
	 * not reach calloc all the same. */
	if (count > file_size / sizeof(Elf32_Phdr))
		return error_set(err, ERROR_INPUT, 0,
				 "'%s' is truncated: it cannot hold its %zu program headers", name, count);
	kernel->segments = calloc(count + 1, sizeof(kernel->segments[0]));
	kernel->notes = calloc(count + 1, sizeof(kernel->notes[0]));
	if (kernel->segments == NULL || kernel->notes == NULL)
		return error_set(err, ERROR_SYSTEM, 0, "out of memory for '%s'", name);
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr phdr;

		if (gelf_getphdr(elf, (int)i, &phdr) == NULL)
			return error_set(err, ERROR_INPUT, 0,
					 "'%s' is truncated: its program headers lie beyond its end", name);
		if (add_segment(kernel, &phdr, (unsigned int)i, name, err) != 0)
			return -1;
	}
	if (kernel->segment_count == 0) {
		error_set(err, ERROR_INPUT, 0, "'%s' has no segment to load (PT_LOAD)", name);
		return error_hint(err, "link it with a linker script or with -nostdlib, and look at readelf -l");
	}
	name_sections(kernel, elf);
	find_entry_symbol(kernel, elf);
	for (size_t i = 0; i < kernel->segment_count; i++) {
		if (check_segment(&kernel->segments[i], file_size, name, err) != 0)
			return -1;
	}
	return sort_segments(kernel, name, err);
}

static int read_elf(struct kernel *kernel, Elf *elf, size_t file_size, const char *name,
		    struct error *err)
{
	GElf_Ehdr header;

	if (elf == NULL || elf_kind(elf) != ELF_K_ELF || gelf_getehdr(elf, &header) == NULL)
		return error_set(err, ERROR_INPUT, 0, "'%s' has a damaged ELF header: %s", name,
				 elf_errmsg(-1));
	if (check_type(&header, name, err) != 0)
		return -1;
	if (header.e_machine != EM_X86_64 && header.e_machine != EM_386) {
		error_set(err, ERROR_INPUT, 0, "'%s' is not for an x86 PC (ELF machine %u)", name,
			  header.e_machine);
		return error_hint(err, "build it for x86_64, for example with x86_64-linux-gnu-gcc");
	}
	kernel->is_64 = gelf_getclass(elf) == ELFCLASS64;
	kernel->machine = header.e_machine;
	kernel->type = header.e_type;
	kernel->entry = header.e_entry;
	kernel->header_size = header.e_ehsize;
	if (header.e_phoff == header.e_ehsize)
		kernel->header_size += (uint64_t)header.e_phnum * header.e_phentsize;
	return read_segments(kernel, elf, &header, file_size, name, err);
}

int kernel_parse(struct kernel *kernel, const unsigned char *bytes, size_t size, const char *name,
		 struct error *err)
{
	*kernel = (struct kernel){ .bytes = bytes, .size = size };
	if (!kernel_is_elf(bytes, size))
		return 0;
	kernel->is_elf = true;
	if (check_header(bytes, size, name, err) != 0)
		return -1;
	elf_version(EV_CURRENT);
	elf_errno();	/* forget what an earlier file did */
	/* libelf's prototype lacks const; it only reads what it did not make. */
	Elf *elf = elf_memory((char *)(uintptr_t)bytes, size);
	int result = read_elf(kernel, elf, size, name, err);
	elf_end(elf);
	if (result != 0)
		kernel_free(kernel);
	return result;
}

bool kernel_only_headers(const struct kernel *kernel, const struct segment *segment,
			 uint64_t bytes)
{
	if (segment->offset != 0 || segment->filesz == 0)
		return false;
	for (uint64_t i = kernel->header_size; i < bytes && i < segment->filesz; i++) {
		if (kernel->bytes[i] != 0)
			return false;
	}
	return true;
}

void kernel_free(struct kernel *kernel)
{
	free(kernel->segments);
	free(kernel->notes);
	*kernel = (struct kernel){0};
}
