/* SPDX-License-Identifier: MIT
 *
 * ELF files made in memory from lists of headers, so that a bad one is a small
 * edit of a good one.  Nothing is checked: what a test asks for is what
 * it gets.
 */
#ifndef MKBOOTIMG_ELF_MAKER_H
#define MKBOOTIMG_ELF_MAKER_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf_spec {
	bool is_32;
	uint16_t type;			/* 0: ET_EXEC */
	uint16_t machine;		/* 0: EM_X86_64, or EM_386 if is_32 */
	uint64_t entry;
	const Elf64_Phdr *phdrs;	/* for ELF32 too, cut to 32 bits */
	size_t count;
	size_t size;			/* of the file, if that is more than its headers */
	const Elf64_Shdr *sections;	/* their headers lie behind size; for ELF32 too */
	size_t section_count;
	uint16_t strings;		/* e_shstrndx */
};

/* Bytes up to the end of the program headers. */
size_t elf_headers_size(const struct elf_spec *spec);

/* The file; behind the headers each byte differs from its neighbours.  The
 * caller frees. */
unsigned char *elf_make(const struct elf_spec *spec, size_t *size);

/* Places of header fields in an ELF64 and an ELF32 file, for edits. */
#define EH64(field) offsetof(Elf64_Ehdr, field)
#define EH32(field) offsetof(Elf32_Ehdr, field)
#define PH64(index, field) \
	(sizeof(Elf64_Ehdr) + (index) * sizeof(Elf64_Phdr) + offsetof(Elf64_Phdr, field))
#define PH32(index, field) \
	(sizeof(Elf32_Ehdr) + (index) * sizeof(Elf32_Phdr) + offsetof(Elf32_Phdr, field))

/* Replace a little-endian field of width bytes. */
void elf_edit(unsigned char *bytes, size_t offset, size_t width, uint64_t value);

/* Bytes of a dynamic section and its table of relocations. */
#define ELF_DYNAMIC_SIZE(count) (sizeof(Elf64_Dyn) * 4 + sizeof(Elf64_Rela) * (count))

/* Have each of these addresses relocated (R_X86_64_RELATIVE, or R_386_RELATIVE
 * with the addend in place): a dynamic section at an offset of the file, its
 * table behind it.  They are loaded at address. */
struct elf_relative {
	uint64_t address;
	uint64_t addend;		/* ELF64 only */
};
void elf_put_dynamic(unsigned char *bytes, bool is_32, size_t offset, uint64_t address,
		     const struct elf_relative *places, size_t count);

/* Place of section headers that elf_make() wrote, for edits. */
size_t elf_sections_offset(const struct elf_spec *spec);

#endif
