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
#define PUT_EHDR(bytes, spec, ehdr, phdr, default_machine) \
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

static void put_headers_32(unsigned char *bytes, const struct elf_spec *spec)
{
	put_ident(bytes, ELFCLASS32);
	PUT_EHDR(bytes, spec, Elf32_Ehdr, Elf32_Phdr, EM_386);
	for (size_t i = 0; i < spec->count; i++)
		PUT_PHDR(bytes + PH32(i, p_type), Elf32_Phdr, &spec->phdrs[i]);
}

static void put_headers_64(unsigned char *bytes, const struct elf_spec *spec)
{
	put_ident(bytes, ELFCLASS64);
	PUT_EHDR(bytes, spec, Elf64_Ehdr, Elf64_Phdr, EM_X86_64);
	for (size_t i = 0; i < spec->count; i++)
		PUT_PHDR(bytes + PH64(i, p_type), Elf64_Phdr, &spec->phdrs[i]);
}

unsigned char *elf_make(const struct elf_spec *spec, size_t *size)
{
	size_t headers = elf_headers_size(spec);

	*size = spec->size > headers ? spec->size : headers;
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
