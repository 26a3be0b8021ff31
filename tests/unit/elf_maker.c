/* SPDX-License-Identifier: MIT
 *
 * ELF files made in memory; see elf_maker.h.
 */
#include "elf_maker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELD(bytes, type, field, value) \
	elf_edit(bytes, offsetof(type, field), sizeof(((type *)0)->field), value)

size_t elf_headers_size(const struct elf_spec *spec)
{
	return spec->is_32 ? sizeof(Elf32_Ehdr) + spec->count * sizeof(Elf32_Phdr) :
			     sizeof(Elf64_Ehdr) + spec->count * sizeof(Elf64_Phdr);
}

/* Behind all else, aligned for either class. */
size_t elf_sections_offset(const struct elf_spec *spec)
{
	size_t headers = elf_headers_size(spec);

	return ((spec->size > headers ? spec->size : headers) + 7) / 8 * 8;
}

static size_t file_size(const struct elf_spec *spec)
{
	size_t headers = elf_headers_size(spec);
	size_t each = spec->is_32 ? sizeof(Elf32_Shdr) : sizeof(Elf64_Shdr);

	if (spec->section_count > 0)
		return elf_sections_offset(spec) + spec->section_count * each;
	return spec->size > headers ? spec->size : headers;
}

void elf_edit(unsigned char *bytes, size_t offset, size_t width, uint64_t value)
{
	for (size_t i = 0; i < width; i++, value >>= 8)
		bytes[offset + i] = (unsigned char)value;
}

static void put_ident(unsigned char *bytes, unsigned char class)
{
	memcpy(bytes, ELFMAG, SELFMAG);
	bytes[EI_CLASS] = class;
	bytes[EI_DATA] = ELFDATA2LSB;
	bytes[EI_VERSION] = EV_CURRENT;
}

/* The two classes have the same fields, at other places: one text for both. */
#define PUT_EHDR(bytes, spec, ehdr, phdr, shdr, default_machine) \
	do { \
		FIELD(bytes, ehdr, e_type, (spec)->type != 0 ? (spec)->type : ET_EXEC); \
		FIELD(bytes, ehdr, e_machine, \
			(spec)->machine != 0 ? (spec)->machine : (default_machine)); \
		FIELD(bytes, ehdr, e_version, EV_CURRENT); \
		FIELD(bytes, ehdr, e_entry, (spec)->entry); \
		FIELD(bytes, ehdr, e_phoff, (spec)->count > 0 ? sizeof(ehdr) : 0); \
		FIELD(bytes, ehdr, e_ehsize, sizeof(ehdr)); \
		FIELD(bytes, ehdr, e_phentsize, sizeof(phdr)); \
		FIELD(bytes, ehdr, e_phnum, (spec)->count); \
		if ((spec)->section_count == 0) \
			break; \
		FIELD(bytes, ehdr, e_shoff, elf_sections_offset(spec)); \
		FIELD(bytes, ehdr, e_shentsize, sizeof(shdr)); \
		FIELD(bytes, ehdr, e_shnum, (spec)->section_count); \
		FIELD(bytes, ehdr, e_shstrndx, (spec)->strings); \
	} while (0)

#define PUT_PHDR(bytes, type, from) \
	do { \
		FIELD(bytes, type, p_type, (from)->p_type); \
		FIELD(bytes, type, p_flags, (from)->p_flags); \
		FIELD(bytes, type, p_offset, (from)->p_offset); \
		FIELD(bytes, type, p_vaddr, (from)->p_vaddr); \
		FIELD(bytes, type, p_paddr, (from)->p_paddr); \
		FIELD(bytes, type, p_filesz, (from)->p_filesz); \
		FIELD(bytes, type, p_memsz, (from)->p_memsz); \
		FIELD(bytes, type, p_align, (from)->p_align); \
	} while (0)

#define PUT_SHDR(bytes, type, from) \
	do { \
		FIELD(bytes, type, sh_name, (from)->sh_name); \
		FIELD(bytes, type, sh_type, (from)->sh_type); \
		FIELD(bytes, type, sh_flags, (from)->sh_flags); \
		FIELD(bytes, type, sh_addr, (from)->sh_addr); \
		FIELD(bytes, type, sh_offset, (from)->sh_offset); \
		FIELD(bytes, type, sh_size, (from)->sh_size); \
		FIELD(bytes, type, sh_link, (from)->sh_link); \
		FIELD(bytes, type, sh_info, (from)->sh_info); \
		FIELD(bytes, type, sh_addralign, (from)->sh_addralign); \
		FIELD(bytes, type, sh_entsize, (from)->sh_entsize); \
	} while (0)

static void put_headers_32(unsigned char *bytes, const struct elf_spec *spec)
{
	put_ident(bytes, ELFCLASS32);
	PUT_EHDR(bytes, spec, Elf32_Ehdr, Elf32_Phdr, Elf32_Shdr, EM_386);
	for (size_t i = 0; i < spec->count; i++)
		PUT_PHDR(bytes + PH32(i, p_type), Elf32_Phdr, &spec->phdrs[i]);
	unsigned char *sections = bytes + elf_sections_offset(spec);
	for (size_t i = 0; i < spec->section_count; i++)
		PUT_SHDR(sections + i * sizeof(Elf32_Shdr), Elf32_Shdr, &spec->sections[i]);
}

static void put_headers_64(unsigned char *bytes, const struct elf_spec *spec)
{
	put_ident(bytes, ELFCLASS64);
	PUT_EHDR(bytes, spec, Elf64_Ehdr, Elf64_Phdr, Elf64_Shdr, EM_X86_64);
	for (size_t i = 0; i < spec->count; i++)
		PUT_PHDR(bytes + PH64(i, p_type), Elf64_Phdr, &spec->phdrs[i]);
	unsigned char *sections = bytes + elf_sections_offset(spec);
	for (size_t i = 0; i < spec->section_count; i++)
		PUT_SHDR(sections + i * sizeof(Elf64_Shdr), Elf64_Shdr, &spec->sections[i]);
}

unsigned char *elf_make(const struct elf_spec *spec, size_t *size)
{
	size_t headers = elf_headers_size(spec);

	*size = file_size(spec);
	unsigned char *bytes = calloc(*size, 1);
	if (bytes == NULL) {
		fputs("out of memory\n", stderr);
		abort();
	}
	for (size_t i = headers; i < *size; i++)
		bytes[i] = (unsigned char)(1 + i % 251);
	if (spec->is_32)
		put_headers_32(bytes, spec);
	else
		put_headers_64(bytes, spec);
	return bytes;
}

void elf_put_dynamic(unsigned char *bytes, bool is_32, size_t offset, uint64_t address,
		     const struct elf_relative *places, size_t count)
{
	size_t word = is_32 ? 4 : 8, table = 8 * word, each = (is_32 ? 2 : 3) * word;
	const uint64_t tags[][2] = {
		{ is_32 ? DT_REL : DT_RELA, address + table },
		{ is_32 ? DT_RELSZ : DT_RELASZ, count * each },
		{ is_32 ? DT_RELENT : DT_RELAENT, each },
		{ DT_NULL, 0 },
	};

	for (size_t i = 0; i < 4; i++) {
		elf_edit(bytes, offset + 2 * i * word, word, tags[i][0]);
		elf_edit(bytes, offset + (2 * i + 1) * word, word, tags[i][1]);
	}
	for (size_t i = 0; i < count; i++) {
		size_t at = offset + table + i * each;

		elf_edit(bytes, at, word, places[i].address);
		elf_edit(bytes, at + word, word, is_32 ? R_386_RELATIVE : R_X86_64_RELATIVE);
		if (!is_32)
			elf_edit(bytes, at + 2 * word, word, places[i].addend);
	}
}
