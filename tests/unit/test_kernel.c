/* SPDX-License-Identifier: MIT
 *
 * kernel_parse(): what is taken over from a good file, and that no bad one gets
 * through or does harm.
 */
#include "kernel/kernel.h"

#include <libelf.h>
#include <stdlib.h>

#include "elf_maker.h"
#include "unit.h"

#define NAME "k.elf"
#define FILE_SIZE 0x400

/* Not in the order of addresses, and with headers that are not to be loaded. */
static const Elf64_Phdr good_phdrs[] = {
	{ .p_type = PT_NOTE, .p_offset = 0x200, .p_filesz = 0x10, .p_memsz = 0x10, .p_align = 4 },
	{ .p_type = PT_LOAD, .p_flags = PF_R | PF_W, .p_offset = 0x300, .p_vaddr = 0x201300,
	  .p_paddr = 0x101300, .p_filesz = 0x80, .p_memsz = 0x1000, .p_align = 0x1000 },
	{ .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_offset = 0x200, .p_vaddr = 0x200200,
	  .p_paddr = 0x100200, .p_filesz = 0x100, .p_memsz = 0x100, .p_align = 0x1000 },
	{ .p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W },
};
/* What good_phdrs need of the file. */
#define GOOD_END 0x380

static const struct elf_spec good_64 = {
	.entry = 0x200210, .phdrs = good_phdrs, .count = COUNT(good_phdrs), .size = FILE_SIZE,
};
static const struct elf_spec good_32 = {
	.is_32 = true, .entry = 0x200210, .phdrs = good_phdrs, .count = COUNT(good_phdrs),
	.size = FILE_SIZE,
};

/* Parse a copy that is gone afterwards and has nothing behind it, so that
 * AddressSanitizer sees reads beyond the end and pointers that were kept. */
static int parse(struct kernel *kernel, const unsigned char *bytes, size_t size, struct error *err)
{
	unsigned char *copy = malloc(size);

	*err = (struct error){0};
	if (size > 0)
		memcpy(copy, bytes, size);
	int result = kernel_parse(kernel, copy, size, NAME, err);
	free(copy);
	return result;
}

static int parse_spec(struct kernel *kernel, const struct elf_spec *spec, struct error *err)
{
	size_t size;
	unsigned char *bytes = elf_make(spec, &size);
	int result = parse(kernel, bytes, size, err);

	free(bytes);
	return result;
}

/* A kernel of these headers is refused. */
static void refuse_phdrs(const Elf64_Phdr *phdrs, size_t count, const char *says)
{
	struct elf_spec spec = { .phdrs = phdrs, .count = count, .size = FILE_SIZE };
	struct kernel kernel;
	struct error err;
	int result = parse_spec(&kernel, &spec, &err);

	assert_refused(result, &err, ERROR_INPUT, says, says);
	assert_null(kernel.segments);
}

/* ---- Good files ---------------------------------------------------------- */

static void check_good(const struct kernel *kernel)
{
	assert_int_equal(kernel->type, ET_EXEC);
	assert_int_equal(kernel->entry, 0x200210);
	assert_int_equal(kernel->segment_count, 2);
	const struct segment *text = &kernel->segments[0], *data = &kernel->segments[1];
	assert_int_equal(text->index, 2);
	assert_int_equal(text->vaddr, 0x200200);
	assert_int_equal(text->flags, PF_R | PF_X);
	assert_int_equal(data->index, 1);
	assert_int_equal(data->offset, 0x300);
	assert_int_equal(data->vaddr, 0x201300);
	assert_int_equal(data->paddr, 0x101300);
	assert_int_equal(data->filesz, 0x80);
	assert_int_equal(data->memsz, 0x1000);
	assert_int_equal(data->align, 0x1000);
	assert_int_equal(data->flags, PF_R | PF_W);
	assert_true(kernel->is_elf);
	assert_true(kernel->has_gnu_stack);
	assert_false(kernel->executable_stack);
	assert_int_equal(kernel->note_count, 1);
	assert_int_equal(kernel->notes[0].offset, 0x200);
	assert_int_equal(kernel->notes[0].size, 0x10);
	assert_int_equal(kernel->notes[0].align, 4);
	assert_int_equal(kernel->dynamic.size, 0);
}

TEST(reads_elf64_sorted_by_address)
{
	struct kernel kernel;
	struct error err;

	assert_accepted(parse_spec(&kernel, &good_64, &err), &err, "ELF64");
	assert_true(kernel.is_64);
	assert_int_equal(kernel.machine, EM_X86_64);
	check_good(&kernel);
	kernel_free(&kernel);
}

TEST(reads_elf32_sorted_by_address)
{
	struct kernel kernel;
	struct error err;

	assert_accepted(parse_spec(&kernel, &good_32, &err), &err, "ELF32");
	assert_false(kernel.is_64);
	assert_int_equal(kernel.machine, EM_386);
	check_good(&kernel);
	kernel_free(&kernel);
}

TEST(reads_position_independent)
{
	struct elf_spec spec = good_64;
	struct kernel kernel;
	struct error err;

	spec.type = ET_DYN;
	assert_accepted(parse_spec(&kernel, &spec, &err), &err, "ET_DYN");
	assert_int_equal(kernel.type, ET_DYN);
	kernel_free(&kernel);
}

/* What protocols read by themselves: ranges that lie in the file, in order. */
TEST(finds_notes_and_the_dynamic_section)
{
	const Elf64_Phdr phdrs[] = {
		{ .p_type = PT_NOTE, .p_offset = FILE_SIZE - 4, .p_filesz = 4, .p_align = 8 },
		{ .p_type = PT_LOAD, .p_vaddr = 0x200000, .p_memsz = 1 },
		{ .p_type = PT_NOTE, .p_offset = 0x210 },
		{ .p_type = PT_NOTE, .p_offset = 0x220, .p_filesz = 0x20, .p_align = 4 },
		{ .p_type = PT_DYNAMIC, .p_offset = 0x300, .p_filesz = 0x100, .p_align = 8 },
	};

	for (size_t i = 0; i < 2; i++) {
		struct elf_spec spec = { .is_32 = i == 1, .phdrs = phdrs, .count = COUNT(phdrs),
					 .size = FILE_SIZE };
		struct kernel kernel;
		struct error err;

		assert_accepted(parse_spec(&kernel, &spec, &err), &err, "ranges");
		assert_int_equal(kernel.note_count, 2);
		assert_int_equal(kernel.notes[0].offset, FILE_SIZE - 4);
		assert_int_equal(kernel.notes[0].size, 4);
		assert_int_equal(kernel.notes[0].align, 8);
		assert_int_equal(kernel.notes[1].offset, 0x220);
		assert_int_equal(kernel.notes[1].size, 0x20);
		assert_int_equal(kernel.dynamic.offset, 0x300);
		assert_int_equal(kernel.dynamic.size, 0x100);
		assert_int_equal(kernel.dynamic.align, 8);
		kernel_free(&kernel);
	}
}

static const uint64_t ranges[][2] = {
	{ FILE_SIZE - 4, 5 }, { FILE_SIZE + 1, 1 }, { 0, FILE_SIZE + 1 },
	{ UINT64_MAX, 1 }, { 1, UINT64_MAX }, { UINT64_MAX, UINT64_MAX },
};

/* Most kernels with broken ones boot by a protocol that does not ask for them. */
TEST(notes_outside_of_the_file_are_empty)
{
	for (size_t i = 0; i < COUNT(ranges); i++) {
		const Elf64_Phdr phdrs[] = {
			{ .p_type = PT_LOAD, .p_vaddr = 0x200000, .p_memsz = 1 },
			{ .p_type = PT_NOTE, .p_offset = ranges[i][0], .p_filesz = ranges[i][1] },
		};
		struct elf_spec spec = { .phdrs = phdrs, .count = COUNT(phdrs), .size = FILE_SIZE };
		struct kernel kernel;
		struct error err;

		assert_accepted(parse_spec(&kernel, &spec, &err), &err, "ranges");
		for (size_t k = 0; k < kernel.note_count; k++)
			CHECK(kernel.notes[k].size == 0, "note %zu", i);
		kernel_free(&kernel);
	}
}

/* Without its relocations it would not run. */
TEST(refuses_dynamic_sections_outside_of_the_file)
{
	for (size_t i = 0; i < COUNT(ranges); i++) {
		const Elf64_Phdr phdrs[] = {
			{ .p_type = PT_LOAD, .p_vaddr = 0x200000, .p_memsz = 1 },
			{ .p_type = PT_DYNAMIC, .p_offset = ranges[i][0], .p_filesz = ranges[i][1] },
		};

		refuse_phdrs(phdrs, COUNT(phdrs), "'k.elf' is truncated: its dynamic section (program "
			     "header 1) lies beyond its end");
	}
}

TEST(reads_what_stack_is_wanted)
{
	static const struct {
		uint32_t type;
		uint32_t flags;
		bool has;
		bool executable;
	} cases[] = {
		{ PT_NULL, 0, false, false },
		{ PT_GNU_STACK, PF_R | PF_W, true, false },
		{ PT_GNU_STACK, PF_R | PF_W | PF_X, true, true },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const Elf64_Phdr phdrs[] = {
			{ .p_type = PT_LOAD, .p_vaddr = 0x200000, .p_memsz = 1 },
			{ .p_type = cases[i].type, .p_flags = cases[i].flags },
		};
		struct elf_spec spec = { .phdrs = phdrs, .count = COUNT(phdrs), .size = FILE_SIZE };
		struct kernel kernel;
		struct error err;

		assert_accepted(parse_spec(&kernel, &spec, &err), &err, "stack");
		CHECK(kernel.has_gnu_stack == cases[i].has &&
			      kernel.executable_stack == cases[i].executable,
		      "case %zu", i);
		kernel_free(&kernel);
	}
}

/* How many templates of thread-local data there are, and the last one. */
TEST(reads_thread_local_data)
{
	const Elf64_Phdr phdrs[] = {
		{ .p_type = PT_LOAD, .p_vaddr = 0x200000, .p_memsz = 1 },
		{ .p_type = PT_TLS, .p_offset = 0x300, .p_vaddr = 0x200010, .p_filesz = 0x20, .p_memsz = 0x30 },
		{ .p_type = PT_TLS, .p_vaddr = 0xffffffff80000040, .p_memsz = UINT64_C(1) << 40 },
		/* Not looked at here: what is wrong with it is a protocol's affair. */
		{ .p_type = PT_TLS, .p_vaddr = UINT64_MAX, .p_filesz = UINT64_MAX, .p_offset = UINT64_MAX },
	};

	for (size_t count = 1; count <= COUNT(phdrs); count++) {
		const Elf64_Phdr *last = &phdrs[count - 1];
		struct elf_spec spec = { .phdrs = phdrs, .count = count, .size = FILE_SIZE };
		struct kernel kernel;
		struct error err;

		assert_accepted(parse_spec(&kernel, &spec, &err), &err, "thread-local data");
		assert_int_equal(kernel.tls.count, count - 1);
		assert_int_equal(kernel.tls.vaddr, count > 1 ? last->p_vaddr : 0);
		assert_int_equal(kernel.tls.filesz, count > 1 ? last->p_filesz : 0);
		assert_int_equal(kernel.tls.memsz, count > 1 ? last->p_memsz : 0);
		assert_int_equal(kernel.segment_count, 1);
		kernel_free(&kernel);
	}
}

/* Kernels of the bootloader crate 0.10 and 0.11 have a section of this name,
 * whatever its flags; it must have something in it. */
TEST(finds_the_bootloader_crates_section)
{
	static const struct {
		const char *name;
		uint64_t flags;
		uint64_t size;
		bool has;
	} cases[] = {
		{ ".bootloader-config", 0, 0x10, true },
		{ ".bootloader-config", SHF_ALLOC, 0x10, true },
		{ ".bootloader-config", 0, 1, true },
		{ ".bootloader-config", 0, 0, false },
		{ ".bootloader-config2", 0, 0x10, false },
		{ ".bootloader-confi", 0, 0x10, false },
		{ "bootloader-config", 0, 0x10, false },
		{ "", 0, 0x10, false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const Elf64_Phdr phdr = { .p_type = PT_LOAD, .p_vaddr = 0x200000, .p_memsz = 1 };
		/* The strings: nothing, then the name. */
		const Elf64_Shdr sections[] = {
			{ .sh_type = SHT_NULL },
			{ .sh_type = SHT_STRTAB, .sh_offset = 0x200, .sh_size = 0x40 },
			{ .sh_name = 1, .sh_type = SHT_PROGBITS, .sh_flags = cases[i].flags,
			  .sh_offset = 0x300, .sh_size = cases[i].size },
			/* It need not be the last one. */
			{ .sh_name = 0, .sh_type = SHT_PROGBITS, .sh_offset = 0x310, .sh_size = 0x10 },
		};
		const struct elf_spec spec = { .phdrs = &phdr, .count = 1, .size = FILE_SIZE, .strings = 1,
					       .sections = sections, .section_count = COUNT(sections) };
		struct kernel kernel;
		struct error err;
		size_t size;
		unsigned char *bytes = elf_make(&spec, &size);

		memset(bytes + 0x200, 0, 0x40);
		memcpy(bytes + 0x201, cases[i].name, strlen(cases[i].name));
		assert_accepted(parse(&kernel, bytes, size, &err), &err, cases[i].name);
		CHECK(kernel.has_bootloader_config == cases[i].has, "case %zu", i);
		kernel_free(&kernel);
		free(bytes);
	}
}

TEST(free_twice_is_harmless)
{
	struct kernel kernel;
	struct error err;

	assert_accepted(parse_spec(&kernel, &good_64, &err), &err, "ELF64");
	kernel_free(&kernel);
	kernel_free(&kernel);
}

TEST(skips_segments_without_memory)
{
	const Elf64_Phdr phdrs[] = {
		{ .p_type = PT_LOAD, .p_vaddr = 0x200000 },
		{ .p_type = PT_LOAD, .p_flags = PF_R, .p_vaddr = 0x200000, .p_memsz = 1 },
		/* Nothing is read from it, so it may say nonsense. */
		{ .p_type = PT_LOAD, .p_offset = UINT64_MAX, .p_vaddr = 0x200000 },
	};
	struct elf_spec spec = { .phdrs = phdrs, .count = COUNT(phdrs) };
	struct kernel kernel;
	struct error err;

	assert_accepted(parse_spec(&kernel, &spec, &err), &err, "memsz 0");
	assert_int_equal(kernel.segment_count, 1);
	assert_int_equal(kernel.segments[0].index, 1);
	kernel_free(&kernel);
}

TEST(drops_flags_of_the_operating_system)
{
	const Elf64_Phdr phdr = { .p_type = PT_LOAD, .p_flags = PF_R | PF_MASKOS | PF_MASKPROC,
				  .p_vaddr = 0x200000, .p_memsz = 1 };
	struct elf_spec spec = { .phdrs = &phdr, .count = 1 };
	struct kernel kernel;
	struct error err;

	assert_accepted(parse_spec(&kernel, &spec, &err), &err, "flags");
	assert_int_equal(kernel.segments[0].flags, PF_R);
	kernel_free(&kernel);
}

TEST(takes_segment_up_to_the_end_of_addresses)
{
	const Elf64_Phdr phdrs[] = {
		{ .p_type = PT_LOAD, .p_vaddr = UINT64_MAX - 0xfff, .p_memsz = 0x1000 },
		{ .p_type = PT_LOAD, .p_vaddr = UINT64_MAX - 0x1fff, .p_memsz = 0x1000 },
	};
	struct elf_spec spec = { .phdrs = phdrs, .count = COUNT(phdrs) };
	struct kernel kernel;
	struct error err;

	assert_accepted(parse_spec(&kernel, &spec, &err), &err, "ends at 2^64");
	assert_int_equal(kernel.segment_count, 2);
	assert_int_equal(kernel.segments[1].vaddr, UINT64_MAX - 0xfff);
	kernel_free(&kernel);
}

TEST(takes_segment_up_to_the_end_of_the_file)
{
	const Elf64_Phdr phdr = { .p_type = PT_LOAD, .p_offset = 0x300, .p_vaddr = 0x200000,
				  .p_filesz = FILE_SIZE - 0x300, .p_memsz = FILE_SIZE };
	struct elf_spec spec = { .phdrs = &phdr, .count = 1, .size = FILE_SIZE };
	struct kernel kernel;
	struct error err;

	assert_accepted(parse_spec(&kernel, &spec, &err), &err, "ends with the file");
	kernel_free(&kernel);
}

/* lld gives a segment of .bss alone an offset that only fits its alignment; once
 * the file is stripped, that may lie behind its end.  Nothing is read there. */
TEST(takes_bss_whose_offset_is_beyond_the_file)
{
	const Elf64_Phdr phdrs[] = {
		{ .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_offset = 0x200, .p_vaddr = 0x200200,
		  .p_filesz = 0x100, .p_memsz = 0x100 },
		{ .p_type = PT_LOAD, .p_flags = PF_R | PF_W, .p_offset = 0x1000, .p_vaddr = 0x201000,
		  .p_memsz = 0x1000 },
	};
	struct elf_spec spec = { .phdrs = phdrs, .count = COUNT(phdrs), .size = FILE_SIZE };
	struct kernel kernel;
	struct error err;

	assert_accepted(parse_spec(&kernel, &spec, &err), &err, ".bss alone");
	assert_int_equal(kernel.segment_count, 2);
	kernel_free(&kernel);
}

/* ---- Bad files: one edit of a good one ----------------------------------- */

struct edit {
	size_t offset;
	size_t width;
	uint64_t value;
	const char *says;
};

static void refuse_edit(const struct elf_spec *good, const struct edit *edit)
{
	struct kernel kernel;
	struct error err;
	size_t size;
	unsigned char *bytes = elf_make(good, &size);

	elf_edit(bytes, edit->offset, edit->width, edit->value);
	int result = parse(&kernel, bytes, size, &err);
	free(bytes);
	assert_refused(result, &err, ERROR_INPUT, edit->says, edit->says);
	CHECK(strstr(err.text, NAME) != NULL, "'%s' does not name the file", err.text);
	CHECK(strchr(err.text, '\n') == NULL, "'%s' has more than one line", err.text);
	/* What libelf says when it has nothing to say. */
	CHECK(strstr(err.text, "no error") == NULL, "'%s' says that nothing is wrong", err.text);
	CHECK(kernel.segments == NULL && kernel.segment_count == 0, "%s: left behind", edit->says);
}

TEST(refuses_bad_elf64)
{
	static const struct edit edits[] = {
		{ EI_DATA, 1, ELFDATA2MSB, "big-endian" },
		{ EI_DATA, 1, ELFDATANONE, NAME },
		{ EH64(e_type), 2, ET_NONE, "type 0" },
		{ EH64(e_type), 2, ET_REL, "object file" },
		{ EH64(e_type), 2, ET_CORE, "core dump" },
		{ EH64(e_type), 2, 0xfe00, "type 65024" },
		{ EH64(e_machine), 2, EM_ARM, "machine 40" },
		{ EH64(e_machine), 2, EM_AARCH64, "not for an x86 PC" },
		{ EH64(e_machine), 2, EM_RISCV, "not for an x86 PC" },
		{ EH64(e_phnum), 2, 0, "PT_LOAD" },
		{ EH64(e_phnum), 2, 1, "PT_LOAD" },
		{ EH64(e_phnum), 2, 1000, "program headers" },
		{ EH64(e_phnum), 2, 0xfffe, "program headers" },
		{ EH64(e_phoff), 8, 0, "program headers" },
		{ EH64(e_phoff), 8, FILE_SIZE, "program headers" },
		{ EH64(e_phoff), 8, FILE_SIZE - 3 * sizeof(Elf64_Phdr), "program headers" },
		{ EH64(e_phoff), 8, UINT64_MAX, "program headers" },
		{ EH64(e_phoff), 8, UINT64_MAX - 0x80, "program headers" },
		{ PH64(0, p_type), 4, PT_INTERP, "PT_INTERP" },
		{ PH64(3, p_type), 4, PT_INTERP, "PT_INTERP" },
		{ PH64(2, p_filesz), 8, 0x101, "segment 2" },
		{ PH64(2, p_filesz), 8, UINT64_MAX, "segment 2" },
		{ PH64(1, p_memsz), 8, 0x7f, "segment 1" },
		{ PH64(1, p_offset), 8, FILE_SIZE - 0x7f, "truncated" },
		{ PH64(1, p_offset), 8, FILE_SIZE, "truncated" },
		{ PH64(1, p_offset), 8, FILE_SIZE + 1, "truncated" },
		/* offset + size is 0: it must not be added up. */
		{ PH64(1, p_offset), 8, UINT64_MAX - 0x7f, "truncated" },
		{ PH64(1, p_offset), 8, UINT64_MAX, "truncated" },
		{ PH64(1, p_filesz), 8, 0x101, "truncated" },
		{ PH64(1, p_vaddr), 8, UINT64_MAX - 0xffe, "wraps" },
		{ PH64(1, p_vaddr), 8, UINT64_MAX, "wraps" },
		{ PH64(1, p_memsz), 8, UINT64_MAX, "wraps" },
		{ PH64(1, p_vaddr), 8, 0x2002ff, "overlaps" },
		{ PH64(2, p_memsz), 8, 0x1101, "overlaps" },
	};

	for (size_t i = 0; i < COUNT(edits); i++)
		refuse_edit(&good_64, &edits[i]);
}

TEST(refuses_bad_elf32)
{
	static const struct edit edits[] = {
		{ EI_DATA, 1, ELFDATA2MSB, "big-endian" },
		{ EH32(e_type), 2, ET_REL, "object file" },
		{ EH32(e_type), 2, ET_CORE, "core dump" },
		{ EH32(e_machine), 2, EM_SPARC, "not for an x86 PC" },
		{ EH32(e_phnum), 2, 0, "PT_LOAD" },
		{ EH32(e_phnum), 2, 0xfffe, "program headers" },
		{ EH32(e_phoff), 4, UINT32_MAX, "program headers" },
		{ PH32(0, p_type), 4, PT_INTERP, "PT_INTERP" },
		{ PH32(2, p_filesz), 4, 0x101, "segment 2" },
		{ PH32(1, p_offset), 4, UINT32_MAX - 0x7f, "truncated" },
		{ PH32(1, p_vaddr), 4, 0x200200, "overlaps" },
	};

	for (size_t i = 0; i < COUNT(edits); i++)
		refuse_edit(&good_32, &edits[i]);
}

/* They may have a Multiboot header: that is for protocols to say. */
TEST(takes_files_that_are_not_elf)
{
	static const char *const texts[] = { "", "\177", "\177EL", "\177ELf", "ELF", "MZ",
					     "#!/bin/sh\nexit 1\n" };

	for (size_t i = 0; i < COUNT(texts); i++) {
		const unsigned char *bytes = (const unsigned char *)texts[i];
		struct kernel kernel;
		struct error err = { 0 };

		assert_accepted(kernel_parse(&kernel, bytes, strlen(texts[i]), NAME, &err), &err, texts[i]);
		assert_false(kernel.is_elf);
		assert_false(kernel_is_elf(bytes, strlen(texts[i])));
		assert_ptr_equal(kernel.bytes, bytes);
		assert_int_equal(kernel.size, strlen(texts[i]));
		assert_int_equal(kernel.segment_count, 0);
		assert_int_equal(kernel.note_count, 0);
		kernel_free(&kernel);
		assert_null(kernel.bytes);
	}
}

/* Four bytes are enough to be meant as one. */
TEST(refuses_elf_files_of_a_magic_alone)
{
	struct kernel kernel;
	struct error err;
	int result = parse(&kernel, (const unsigned char *)ELFMAG, SELFMAG, &err);

	assert_true(kernel_is_elf((const unsigned char *)ELFMAG, SELFMAG));
	assert_refused(result, &err, ERROR_INPUT, "'k.elf' is truncated: it ends in its ELF header",
		       "magic");
}

TEST(refuses_no_segments)
{
	refuse_phdrs(NULL, 0, "no segment to load");
	refuse_phdrs(good_phdrs, 1, "no segment to load");
}

/* Skipping it as empty would drop what is in the file without a word. */
TEST(refuses_file_bytes_without_memory)
{
	static const struct edit edit = { PH64(1, p_memsz), 8, 0, "segment 1" };

	refuse_edit(&good_64, &edit);
}

/* libelf knows nothing wrong then, so its message must not be asked for. */
TEST(says_what_is_wrong_with_the_class)
{
	static const struct edit edits[] = {
		{ EI_CLASS, 1, ELFCLASSNONE, NAME },
		{ EI_CLASS, 1, 3, NAME },
	};

	for (size_t i = 0; i < COUNT(edits); i++) {
		/* Forget what libelf said of other files. */
		elf_errno();
		refuse_edit(&good_64, &edits[i]);
	}
}

/* The end of a segment that is far out of the file cannot be added up. */
TEST(does_not_wrap_around_in_a_message)
{
	struct kernel kernel;
	struct error err;
	size_t size;
	unsigned char *bytes = elf_make(&good_64, &size);

	elf_edit(bytes, PH64(1, p_offset), 8, UINT64_MAX - 0x7f);
	int result = parse(&kernel, bytes, size, &err);
	free(bytes);
	assert_refused(result, &err, ERROR_INPUT, "truncated", "far out");
	CHECK(strstr(err.text, "byte 0x0 ") == NULL, "%s", err.text);
}

/* Whoever reads it must find both in their linker script. */
TEST(names_both_overlapping_segments)
{
	const Elf64_Phdr phdrs[] = {
		{ .p_type = PT_LOAD, .p_vaddr = 0x300000, .p_memsz = 0x1000 },
		{ .p_type = PT_LOAD, .p_vaddr = 0x201000, .p_memsz = 0x1000 },
		{ .p_type = PT_LOAD, .p_vaddr = 0x200000, .p_memsz = 0x1001 },
	};

	refuse_phdrs(phdrs, COUNT(phdrs), "segment 2 (0x200000-0x201001)");
	refuse_phdrs(phdrs, COUNT(phdrs), "segment 1 (0x201000-0x202000)");
}

/* A segment in the middle of another one, or at the same address as it. */
TEST(refuses_nested_and_equal_segments)
{
	const Elf64_Phdr nested[] = {
		{ .p_type = PT_LOAD, .p_vaddr = 0x200000, .p_memsz = 0x10000 },
		{ .p_type = PT_LOAD, .p_vaddr = 0x201000, .p_memsz = 1 },
	};
	const Elf64_Phdr equal[] = {
		{ .p_type = PT_LOAD, .p_vaddr = 0x200000, .p_memsz = 1 },
		{ .p_type = PT_LOAD, .p_vaddr = 0x200000, .p_memsz = 1 },
	};
	const Elf64_Phdr at_the_end[] = {
		{ .p_type = PT_LOAD, .p_vaddr = UINT64_MAX - 0xfff, .p_memsz = 0x1000 },
		{ .p_type = PT_LOAD, .p_vaddr = UINT64_MAX, .p_memsz = 1 },
	};

	refuse_phdrs(nested, COUNT(nested), "overlaps");
	refuse_phdrs(equal, COUNT(equal), "overlaps");
	refuse_phdrs(at_the_end, COUNT(at_the_end), "overlaps");
}

/* ---- Bad files in bulk --------------------------------------------------- */

/* Every prefix: those that lack something fail, the others are as good. */
static void check_prefixes(const struct elf_spec *good)
{
	size_t size;
	unsigned char *bytes = elf_make(good, &size);

	for (size_t length = 0; length <= size; length++) {
		struct kernel kernel;
		struct error err;
		int result = parse(&kernel, bytes, length, &err);

		/* Without the magic it may be anything. */
		bool lacks = length >= SELFMAG && length < GOOD_END;

		CHECK(result == (lacks ? -1 : 0), "%zu bytes: %d %s", length, result, err.text);
		CHECK(result == 0 || err.class == ERROR_INPUT, "%zu bytes: class", length);
		CHECK(result == 0 || strstr(err.text, "truncated") != NULL, "%zu bytes: %s", length,
		      err.text);
		if (length >= GOOD_END)
			check_good(&kernel);
		kernel_free(&kernel);
	}
	free(bytes);
}

TEST(refuses_truncated_elf64)
{
	check_prefixes(&good_64);
}

TEST(refuses_truncated_elf32)
{
	check_prefixes(&good_32);
}

/* What kernel.h promises of every kernel that was accepted. */
static void check_promises(const struct kernel *kernel, size_t file_size, unsigned int round)
{
	CHECK(kernel->is_elf && kernel->segment_count > 0, "round %u: no segments", round);
	for (size_t i = 0; i < kernel->note_count; i++) {
		const struct kernel_range *note = &kernel->notes[i];

		CHECK(note->size <= file_size && note->offset <= file_size - note->size,
		      "round %u: note", round);
	}
	CHECK(kernel->dynamic.size <= file_size &&
		      kernel->dynamic.offset <= file_size - kernel->dynamic.size,
	      "round %u: dynamic section", round);
	for (size_t i = 0; i < kernel->segment_count; i++) {
		const struct segment *s = &kernel->segments[i];

		CHECK(s->memsz > 0 && s->filesz <= s->memsz, "round %u: sizes", round);
		CHECK(s->filesz == 0 || (s->offset <= file_size && s->filesz <= file_size - s->offset),
		      "round %u: outside of the file", round);
		CHECK(s->vaddr <= UINT64_MAX - (s->memsz - 1), "round %u: wraps", round);
		CHECK(i == 0 || s[-1].vaddr + (s[-1].memsz - 1) < s->vaddr, "round %u: order", round);
	}
}

/* Damage a few bytes of the headers, often to values that are on an edge. */
static void damage(unsigned char *bytes, size_t headers, uint64_t *seed)
{
	static const unsigned char edges[] = { 0, 1, 2, 0x7f, 0x80, 0xff };

	for (uint64_t i = random_below(seed, 6) + 1; i > 0; i--) {
		size_t at = EI_CLASS + random_below(seed, headers - EI_CLASS);

		bytes[at] = random_below(seed, 2) == 0 ? (unsigned char)random_next(seed) :
							 edges[random_below(seed, COUNT(edges))];
	}
}

TEST(survives_damaged_headers)
{
	uint64_t seed = 1;
	unsigned int accepted = 0;

	for (unsigned int round = 0; round < 20000; round++) {
		const struct elf_spec *good = round % 2 == 0 ? &good_64 : &good_32;
		struct kernel kernel;
		struct error err;
		size_t size;
		unsigned char *bytes = elf_make(good, &size);

		damage(bytes, elf_headers_size(good), &seed);
		if (parse(&kernel, bytes, size, &err) == 0) {
			check_promises(&kernel, size, round);
			accepted++;
		} else {
			CHECK(err.class == ERROR_INPUT && err.text[0] != '\0', "round %u", round);
		}
		kernel_free(&kernel);
		free(bytes);
	}
	/* Else the damage is such that nothing behind the first check is run. */
	assert_true(accepted > 100);
}

/* ---- Names --------------------------------------------------------------- */

TEST(labels_name_number_sections_and_addresses)
{
	const struct segment a = { .index = 1, .vaddr = 0x1000, .memsz = 0x10 };
	const struct segment b = { .index = 22, .vaddr = UINT64_MAX, .memsz = 1, .sections = ".data .bss" };

	assert_string_equal(segment_label(&a).text, "segment 1 (0x1000-0x1010)");
	assert_non_null(strstr(segment_label(&b).text, "segment 22 (.data .bss, 0xffffffffffffffff-"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_elf64_sorted_by_address),
		cmocka_unit_test(reads_elf32_sorted_by_address),
		cmocka_unit_test(reads_position_independent),
		cmocka_unit_test(finds_notes_and_the_dynamic_section),
		cmocka_unit_test(notes_outside_of_the_file_are_empty),
		cmocka_unit_test(refuses_dynamic_sections_outside_of_the_file),
		cmocka_unit_test(reads_what_stack_is_wanted),
		cmocka_unit_test(reads_thread_local_data),
		cmocka_unit_test(finds_the_bootloader_crates_section),
		cmocka_unit_test(free_twice_is_harmless),
		cmocka_unit_test(skips_segments_without_memory),
		cmocka_unit_test(drops_flags_of_the_operating_system),
		cmocka_unit_test(takes_segment_up_to_the_end_of_addresses),
		cmocka_unit_test(takes_segment_up_to_the_end_of_the_file),
		cmocka_unit_test(takes_bss_whose_offset_is_beyond_the_file),
		cmocka_unit_test(refuses_bad_elf64),
		cmocka_unit_test(refuses_bad_elf32),
		cmocka_unit_test(takes_files_that_are_not_elf),
		cmocka_unit_test(refuses_elf_files_of_a_magic_alone),
		cmocka_unit_test(refuses_no_segments),
		cmocka_unit_test(refuses_file_bytes_without_memory),
		cmocka_unit_test(says_what_is_wrong_with_the_class),
		cmocka_unit_test(does_not_wrap_around_in_a_message),
		cmocka_unit_test(names_both_overlapping_segments),
		cmocka_unit_test(refuses_nested_and_equal_segments),
		cmocka_unit_test(refuses_truncated_elf64),
		cmocka_unit_test(refuses_truncated_elf32),
		cmocka_unit_test(survives_damaged_headers),
		cmocka_unit_test(labels_name_number_sections_and_addresses),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
