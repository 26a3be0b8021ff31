/* SPDX-License-Identifier: MIT
 *
 * protocol_find(): which protocol boots a file, why, and what else it offers.
 */
#include "protocol/protocol.h"

#include <stdio.h>
#include <stdlib.h>

#include "bootabi.h"
#include "base/bytes.h"
#include "elf_maker.h"
#include "unit.h"

#define NAME "k.elf"
#define MIB UINT64_C(0x100000)

/* ---- Files --------------------------------------------------------------- */

#define HEADER_1 0x400
#define HEADER_2 0x500
#define NOTE 0x600
#define STRINGS 0x700
#define CONFIG 0x800

enum kind { ELF32, ELF64, X32, ELF64_386, FLAT };

/* What a file has; WRONG_... are headers with a mistake, CRATE... the section of later
 * versions of the bootloader crate. */
enum {
	MB2 = 1,
	MB1 = 2,
	PVH = 4,
	WRONG_MB2 = 8,
	WRONG_MB1 = 16,
	WRONG_PVH = 32,
	CRATE = 64,
	CRATE_LOADED = 128,
};

static void put_words(unsigned char *at, const uint32_t *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		put_le32(at + 4 * i, words[i]);
}

static void put_headers(unsigned char *bytes, unsigned int has)
{
	uint32_t mb1[] = { 0x1badb002, 3, -(0x1badb002u + 3) };
	uint32_t mb2[] = { 0xe85250d6, 0, 24, -(0xe85250d6u + 24), 0, 8 };
	uint32_t pvh[] = { 4, 4, 18, 0x006e6558 /* Xen */, MIB };

	/* A wrong sum, and a value of three bytes. */
	mb1[2] += (has & WRONG_MB1) != 0;
	mb2[3] += (has & WRONG_MB2) != 0;
	pvh[1] -= (has & WRONG_PVH) != 0;
	if (has & (MB1 | WRONG_MB1))
		put_words(bytes + HEADER_1, mb1, COUNT(mb1));
	if (has & (MB2 | WRONG_MB2))
		put_words(bytes + HEADER_2, mb2, COUNT(mb2));
	if (has & (PVH | WRONG_PVH))
		put_words(bytes + NOTE, pvh, COUNT(pvh));
	if (has & (CRATE | CRATE_LOADED))
		memcpy(bytes + STRINGS, "\0.bootloader-config", sizeof("\0.bootloader-config"));
}

/* The caller frees. */
static unsigned char *make_file(enum kind kind, unsigned int has, size_t *size)
{
	const Elf64_Phdr phdrs[] = {
		{ .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_offset = 0x1000, .p_vaddr = MIB,
		  .p_paddr = MIB, .p_filesz = 0x100, .p_memsz = 0x100 },
		{ .p_type = PT_NOTE, .p_offset = NOTE, .p_filesz = 20, .p_align = 4 },
	};
	const Elf64_Shdr sections[] = {
		{ .sh_type = SHT_NULL },
		{ .sh_type = SHT_STRTAB, .sh_offset = STRINGS,
		  .sh_size = sizeof("\0.bootloader-config") },
		{ .sh_name = 1, .sh_type = SHT_PROGBITS, .sh_offset = CONFIG, .sh_size = 0x10,
		  .sh_flags = has & CRATE_LOADED ? SHF_ALLOC : 0, .sh_addr = MIB },
	};
	const struct elf_spec spec = {
		.is_32 = kind == ELF32 || kind == X32, .phdrs = phdrs, .entry = MIB, .size = 0x2000,
		.count = has & (PVH | WRONG_PVH) ? 2 : 1, .sections = sections, .strings = 1,
		.section_count = has & (CRATE | CRATE_LOADED) ? COUNT(sections) : 0,
		.machine = kind == X32 ? EM_X86_64 : kind == ELF64_386 ? EM_386 : 0,
	};
	unsigned char *bytes = elf_make(&spec, size);

	if (kind == FLAT)
		memset(bytes, 'x', SELFMAG);
	put_headers(bytes, has);
	return bytes;
}

/* Choose for such a file; 0 or -1, as if protocol_find() returned that. */
static int choose(enum kind kind, unsigned int has, const char *wanted,
		  struct protocol_choice *choice, struct error *err)
{
	struct kernel kernel;
	size_t size;
	unsigned char *bytes = make_file(kind, has, &size);

	*err = (struct error){0};
	assert_accepted(kernel_parse(&kernel, bytes, size, NAME, err), err, "parse");
	const struct protocol *protocol = protocol_find(&kernel, wanted, NAME, choice, err);
	CHECK(protocol == choice->protocol, "two answers");
	kernel_free(&kernel);
	free(bytes);
	return protocol != NULL ? 0 : -1;
}

#define HAS_MB1 "has a Multiboot 1 header at file offset 0x400"
#define HAS_MB2 "has a Multiboot 2 header at file offset 0x500"
#define HAS_PVH "has a Xen PHYS32_ENTRY note (PVH) at file offset 0x600"
#define IS_64 "is an x86-64 ELF64 file"
#define IS_32 "is an ELF32 file without the header or note of another protocol"
#define BAD_MB1 "'k.elf' has a Multiboot 1 header at file offset 0x400 whose checksum is wrong"
#define BAD_MB2 "'k.elf' has a Multiboot 2 header at file offset 0x500 whose checksum is wrong"
#define BAD_PVH "'k.elf': Xen note PHYS32_ENTRY at file offset 0x600: its value is 3 bytes long"
#define LATER_CRATE \
	"'k.elf' is a kernel of the bootloader crate 0.10 or 0.11 (it has a section .bootloader-config), whose protocol is not supported yet"

/* ---- Automatic ----------------------------------------------------------- */

/* The first row that matches wins; what else the file asks for is told. */
TEST(chooses_by_what_the_file_has)
{
	static const struct {
		enum kind kind;
		unsigned int has;
		const char *name;
		const char *reason;
		const char *others;
	} cases[] = {
		{ ELF32, MB2, "multiboot2", HAS_MB2, "" },
		{ ELF64, MB2, "multiboot2", HAS_MB2, "" },
		{ FLAT, MB2, "multiboot2", HAS_MB2, "" },
		{ ELF32, MB2 | MB1, "multiboot2", HAS_MB2, "multiboot1" },
		{ ELF64, MB2 | PVH, "multiboot2", HAS_MB2, "pvh" },
		{ ELF64, MB2 | MB1 | PVH, "multiboot2", HAS_MB2, "multiboot1, pvh" },
		{ ELF32, MB1, "multiboot1", HAS_MB1, "" },
		{ ELF64, MB1, "multiboot1", HAS_MB1, "" },
		{ FLAT, MB1, "multiboot1", HAS_MB1, "" },
		{ FLAT, MB1 | MB2, "multiboot2", HAS_MB2, "multiboot1" },
		{ ELF32, MB1 | PVH, "multiboot1", HAS_MB1, "pvh" },
		{ ELF32, PVH, "pvh", HAS_PVH, "" },
		{ ELF64, PVH, "pvh", HAS_PVH, "" },
		{ ELF64_386, PVH, "pvh", HAS_PVH, "" },
		{ X32, MB2, "multiboot2", HAS_MB2, "" },
		{ ELF64, 0, "native", IS_64, "" },
		{ ELF32, 0, "multiboot1", IS_32, "" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct protocol_choice choice;
		struct error err;

		assert_accepted(choose(cases[i].kind, cases[i].has, NULL, &choice, &err), &err, "choose");
		CHECK(strcmp(choice.protocol->name, cases[i].name) == 0, "case %zu: %s", i,
		      choice.protocol->name);
		CHECK(strcmp(choice.reason.text, cases[i].reason) == 0, "case %zu: because it %s", i,
		      choice.reason.text);
		CHECK(strcmp(choice.others, cases[i].others) == 0, "case %zu: '%s'", i, choice.others);
		assert_int_equal(choice.problem.class, ERROR_NONE);
		assert_false(choice.forced);
	}
}

/* A wrong header is passed over if another one is right, and told of. */
TEST(passes_over_wrong_headers)
{
	static const struct {
		enum kind kind;
		unsigned int has;
		const char *name;
		const char *others;
		const char *problem;
	} cases[] = {
		{ ELF32, WRONG_MB2 | MB1, "multiboot1", "", BAD_MB2 },
		{ ELF64, WRONG_MB2 | PVH, "pvh", "", BAD_MB2 },
		{ ELF64, WRONG_MB2 | MB1 | PVH, "multiboot1", "pvh", BAD_MB2 },
		{ ELF64, WRONG_MB1 | PVH, "pvh", "", BAD_MB1 },
		{ FLAT, WRONG_MB1 | MB2, "multiboot2", "", BAD_MB1 },
		{ ELF32, MB2 | WRONG_MB1 | PVH, "multiboot2", "pvh", BAD_MB1 },
		{ ELF32, MB1 | WRONG_PVH, "multiboot1", "", BAD_PVH },
		/* The first one counts. */
		{ ELF32, WRONG_MB2 | WRONG_MB1 | PVH, "pvh", "", BAD_MB2 },
		{ ELF32, WRONG_MB2 | MB1 | WRONG_PVH, "multiboot1", "", BAD_MB2 },
		/* The crate's section is no header, but passed over likewise. */
		{ ELF64, CRATE | MB2, "multiboot2", "", LATER_CRATE },
		{ ELF64, CRATE_LOADED | MB1 | PVH, "multiboot1", "pvh", LATER_CRATE },
		{ ELF64, CRATE | PVH, "pvh", "", LATER_CRATE },
		{ ELF32, CRATE | MB1, "multiboot1", "", LATER_CRATE },
		{ ELF64, CRATE | WRONG_MB1 | PVH, "pvh", "", BAD_MB1 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct protocol_choice choice;
		struct error err;

		assert_accepted(choose(cases[i].kind, cases[i].has, NULL, &choice, &err), &err, "choose");
		CHECK(strcmp(choice.protocol->name, cases[i].name) == 0, "case %zu: %s", i,
		      choice.protocol->name);
		CHECK(strcmp(choice.others, cases[i].others) == 0, "case %zu: '%s'", i, choice.others);
		CHECK(choice.problem.class == ERROR_INPUT &&
			      strstr(choice.problem.text, cases[i].problem) != NULL,
		      "case %zu: '%s'", i, choice.problem.text);
	}
}

/* Whoever wrote a header wants it to be used: not native, nor plain. */
TEST(refuses_wrong_headers_alone)
{
	static const struct {
		enum kind kind;
		unsigned int has;
		const char *says;
	} cases[] = {
		{ ELF64, WRONG_MB2, BAD_MB2 },
		{ ELF32, WRONG_MB2, BAD_MB2 },
		{ FLAT, WRONG_MB2, BAD_MB2 },
		{ ELF64, WRONG_MB1, BAD_MB1 },
		{ ELF32, WRONG_MB1, BAD_MB1 },
		{ FLAT, WRONG_MB1, BAD_MB1 },
		{ ELF64, WRONG_PVH, BAD_PVH },
		{ ELF32, WRONG_PVH, BAD_PVH },
		{ ELF64, WRONG_MB2 | WRONG_MB1 | WRONG_PVH, BAD_MB2 },
		{ ELF32, WRONG_MB1 | WRONG_PVH, BAD_MB1 },
		{ ELF64, CRATE | WRONG_MB2, BAD_MB2 },
		{ ELF64, CRATE_LOADED | WRONG_PVH, BAD_PVH },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct protocol_choice choice;
		struct error err;
		int result = choose(cases[i].kind, cases[i].has, NULL, &choice, &err);

		assert_refused(result, &err, ERROR_INPUT, cases[i].says, cases[i].says);
		assert_string_not_equal(err.hint, "");
	}
}

/* They would find another BootInfo than they expect, or none. */
TEST(refuses_kernels_of_later_crates)
{
	static const struct {
		enum kind kind;
		unsigned int has;
		const char *wanted;
	} cases[] = {
		{ ELF64, CRATE, NULL },
		{ ELF64, CRATE_LOADED, NULL },
		{ ELF32, CRATE, NULL },
		{ ELF64, CRATE, "bootloader-0.9" },
		{ ELF64, CRATE_LOADED, "bootloader-0.9" },
		{ ELF64, CRATE | MB2, "bootloader-0.9" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct protocol_choice choice;
		struct error err;
		int result = choose(cases[i].kind, cases[i].has, cases[i].wanted, &choice, &err);

		assert_refused(result, &err, ERROR_INPUT, LATER_CRATE, "crate");
		assert_string_equal(err.text, LATER_CRATE);
		assert_string_equal(err.hint,
				    "boot it from an image that its crate makes (mkbootimg run IMAGE), use bootloader 0.9, or name another --protocol");
	}
}

TEST(refuses_files_of_no_protocol)
{
	struct protocol_choice choice;
	struct error err;
	int result = choose(FLAT, 0, NULL, &choice, &err);

	assert_refused(result, &err, ERROR_INPUT, "'k.elf' is not an ELF file", "flat");
	assert_string_equal(err.hint, "give the linked kernel, not a flat binary or a disk image");
}

/* Nobody enters code for long mode with short pointers, nor the reverse, unless
 * a header says how. */
TEST(refuses_mixtures_without_a_header)
{
	struct protocol_choice choice;
	struct error err;
	int result = choose(X32, 0, NULL, &choice, &err);

	assert_refused(result, &err, ERROR_INPUT, "'k.elf' is an ELF32 file with x86-64 code, and has no "
		       "header that says how to enter it", "x32");
	result = choose(ELF64_386, 0, NULL, &choice, &err);
	assert_refused(result, &err, ERROR_INPUT, "'k.elf' is an ELF64 file with 32-bit code, and has no "
		       "header that says how to enter it", "ELF64 for i386");
}

/* ---- Asked for ----------------------------------------------------------- */

TEST(takes_what_is_asked_for)
{
	static const struct {
		enum kind kind;
		unsigned int has;
		const char *name;
		const char *reason;
	} cases[] = {
		{ ELF64, MB2 | MB1 | PVH, "multiboot2", HAS_MB2 },
		{ ELF64, MB2 | MB1 | PVH, "multiboot1", HAS_MB1 },
		{ ELF64, MB2 | MB1 | PVH, "pvh", HAS_PVH },
		{ ELF64, MB2 | MB1 | PVH, "native", IS_64 },
		{ ELF32, MB2 | PVH, "multiboot1", IS_32 },
		{ ELF32, 0, "multiboot1", IS_32 },
		{ ELF64, 0, "native", IS_64 },
		{ FLAT, MB1 | MB2, "multiboot1", HAS_MB1 },
		/* What is wrong with others is no matter then. */
		{ ELF64, WRONG_MB2 | WRONG_MB1 | PVH, "pvh", HAS_PVH },
		{ ELF64, WRONG_MB2, "native", IS_64 },
		{ ELF64, CRATE, "native", IS_64 },
		{ ELF64, CRATE_LOADED, "native", IS_64 },
		{ ELF64, CRATE | MB1, "multiboot1", HAS_MB1 },
		{ ELF32, CRATE, "multiboot1", IS_32 },
		/* Never found, only asked for. */
		{ ELF64, 0, "bootloader-0.9", IS_64 },
		{ ELF64, MB2 | WRONG_MB1 | PVH, "bootloader-0.9", IS_64 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct protocol_choice choice;
		struct error err;

		assert_accepted(choose(cases[i].kind, cases[i].has, cases[i].name, &choice, &err), &err,
				cases[i].name);
		CHECK(strcmp(choice.protocol->name, cases[i].name) == 0, "case %zu: %s", i,
		      choice.protocol->name);
		CHECK(strcmp(choice.reason.text, cases[i].reason) == 0, "case %zu: because it %s", i,
		      choice.reason.text);
		assert_true(choice.forced);
		assert_string_equal(choice.others, "");
		assert_int_equal(choice.problem.class, ERROR_NONE);
	}
}

#define CANNOT(name) "'k.elf' cannot be booted by " name ": it "

TEST(refuses_what_the_file_cannot)
{
	static const struct {
		enum kind kind;
		unsigned int has;
		const char *name;
		const char *says;
	} cases[] = {
		{ ELF64, MB1 | PVH, "multiboot2",
		  CANNOT("multiboot2") "does not have a Multiboot 2 header in its first 32 KiB" },
		{ ELF64, MB2 | PVH, "multiboot1",
		  CANNOT("multiboot1") "does not have a Multiboot 1 header in its first 8 KiB" },
		{ ELF64, MB2 | MB1, "pvh", CANNOT("pvh") "does not have a Xen PHYS32_ENTRY note (PVH)" },
		{ ELF32, MB1, "native", CANNOT("native") "is not an x86-64 ELF64 file" },
		{ X32, 0, "native", CANNOT("native") "is not an x86-64 ELF64 file" },
		{ ELF64_386, 0, "native", CANNOT("native") "is not an x86-64 ELF64 file" },
		{ FLAT, 0, "multiboot1",
		  CANNOT("multiboot1") "does not have a Multiboot 1 header in its first 8 KiB" },
		{ FLAT, MB1, "pvh", CANNOT("pvh") "does not have a Xen PHYS32_ENTRY note (PVH)" },
		{ FLAT, MB1, "native", "'k.elf' is not an ELF file" },
		{ ELF32, MB1, "bootloader-0.9", CANNOT("bootloader-0.9") "is not an x86-64 ELF64 file" },
		{ X32, 0, "bootloader-0.9", CANNOT("bootloader-0.9") "is not an x86-64 ELF64 file" },
		{ ELF64_386, 0, "bootloader-0.9", CANNOT("bootloader-0.9") "is not an x86-64 ELF64 file" },
		{ FLAT, MB2, "bootloader-0.9", "'k.elf' is not an ELF file" },
		{ ELF32, WRONG_MB1 | MB2, "multiboot1", BAD_MB1 },
		{ ELF64, WRONG_MB2 | MB1, "multiboot2", BAD_MB2 },
		{ ELF64, WRONG_PVH | MB1, "pvh", BAD_PVH },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct protocol_choice choice;
		struct error err;
		int result = choose(cases[i].kind, cases[i].has, cases[i].name, &choice, &err);

		assert_refused(result, &err, ERROR_INPUT, cases[i].says, cases[i].says);
	}
}

/* ---- The table ----------------------------------------------------------- */

TEST(protocols_by_name_and_number)
{
	static const struct {
		const char *name;
		uint32_t number;
		const char *option;
	} cases[] = {
		{ "native", BT_PROTOCOL_NATIVE, "PROTOCOL_NATIVE" },
		{ "multiboot1", BT_PROTOCOL_MULTIBOOT1, "PROTOCOL_MULTIBOOT1" },
		{ "multiboot2", BT_PROTOCOL_MULTIBOOT2, "PROTOCOL_MULTIBOOT2" },
		{ "pvh", BT_PROTOCOL_PVH, "PROTOCOL_PVH" },
		{ "bootloader-0.9", BT_PROTOCOL_BOOTLOADER_09, "PROTOCOL_BOOTLOADER_09" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct protocol *protocol = protocol_by_number(cases[i].number);

		assert_non_null(protocol);
		assert_string_equal(protocol->name, cases[i].name);
		assert_string_equal(protocol->loader_option, cases[i].option);
		assert_true(protocol_exists(cases[i].name));
		assert_true(protocol->by_name == (cases[i].number == BT_PROTOCOL_BOOTLOADER_09));
	}
	assert_false(protocol_exists("auto"));
	assert_false(protocol_exists(""));
	assert_false(protocol_exists("Native"));
	assert_false(protocol_exists("bootloader"));
	assert_false(protocol_exists("bootloader-0.90"));
	assert_null(protocol_by_number(0));
	assert_null(protocol_by_number(UINT32_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chooses_by_what_the_file_has),
		cmocka_unit_test(passes_over_wrong_headers),
		cmocka_unit_test(refuses_wrong_headers_alone),
		cmocka_unit_test(refuses_kernels_of_later_crates),
		cmocka_unit_test(refuses_files_of_no_protocol),
		cmocka_unit_test(refuses_mixtures_without_a_header),
		cmocka_unit_test(takes_what_is_asked_for),
		cmocka_unit_test(refuses_what_the_file_cannot),
		cmocka_unit_test(protocols_by_name_and_number),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
