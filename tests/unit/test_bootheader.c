/* SPDX-License-Identifier: MIT
 *
 * multiboot1_find(), multiboot2_find(), pvh_find(): headers made by hand, each
 * rule of the specifications kept and broken, and each sentence.
 */
#include "kernel/bootheader.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "elf_maker.h"
#include "unit.h"

#define NAME "k.elf"

#define MAGIC_1 0x1badb002u
#define WINDOW_1 0x2000
#define VIDEO (1u << 2)
#define ADDRESS (1u << 16)

#define MAGIC_2 0xe85250d6u
#define WINDOW_2 0x8000
#define OPTIONAL (1u << 16)	/* in a tag's first word */
#define END 0, 8

/* The file under test; zero where nothing was put. */
static unsigned char file[0x9000];
static size_t file_size;

static void start(size_t size)
{
	assert_true(size <= sizeof(file));
	memset(file, 0, sizeof(file));
	file_size = size;
}

static void put_words(size_t at, const uint32_t *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		put_le32(file + at + 4 * i, words[i]);
}

#define PUT(at, ...) \
	put_words(at, (const uint32_t[]){ __VA_ARGS__ }, COUNT(((const uint32_t[]){ __VA_ARGS__ })))

/* The magic fields of a Multiboot 1 header. */
static void put_1(size_t at, uint32_t flags)
{
	PUT(at, MAGIC_1, flags, -(MAGIC_1 + flags));
}

/* Those of a Multiboot 2 header. */
static void put_2(size_t at, uint32_t architecture, uint32_t length)
{
	PUT(at, MAGIC_2, architecture, length, -(MAGIC_2 + architecture + length));
}

/* A Multiboot 2 header with these words of tags. */
#define PUT_2(at, ...) \
	do { \
		const uint32_t words_[] = { __VA_ARGS__ }; \
		put_2(at, 0, 16 + sizeof(words_)); \
		put_words((at) + 16, words_, COUNT(words_)); \
	} while (0)

/* The file as a kernel: flat, or, if there is a segment, ELF.  It has nothing
 * behind it, so that AddressSanitizer sees reads beyond the end. */
static struct kernel as_kernel(struct segment *segment)
{
	unsigned char *copy = malloc(file_size);

	if (file_size > 0)
		memcpy(copy, file, file_size);
	return (struct kernel){ .bytes = copy, .size = file_size, .is_elf = segment != NULL,
				.segments = segment, .segment_count = segment != NULL };
}

static int find_1_in(struct segment *segment, struct multiboot1 *header, struct error *err)
{
	struct kernel kernel = as_kernel(segment);

	*err = (struct error){0};
	int result = multiboot1_find(&kernel, NAME, header, err);
	free((void *)(uintptr_t)kernel.bytes);
	return result;
}

static int find_2_in(struct segment *segment, struct multiboot2 *header, struct error *err)
{
	struct kernel kernel = as_kernel(segment);

	*err = (struct error){0};
	int result = multiboot2_find(&kernel, NAME, header, err);
	free((void *)(uintptr_t)kernel.bytes);
	return result;
}

/* What every refusal has: the file's name, one line, and what to do. */
static void check_sentence(int result, const struct error *err, const char *says, const char *hints)
{
	CHECK(result == -1, "%s: result %d", says, result);
	assert_refused(result, err, ERROR_INPUT, says, "refused");
	CHECK(strncmp(err->text, "'" NAME "'", strlen(NAME) + 2) == 0, "'%s' does not begin with "
	      "the file", err->text);
	CHECK(strchr(err->text, '\n') == NULL, "'%s' has more than one line", err->text);
	CHECK(strchr(err->hint, '\n') == NULL, "'%s' has more than one line", err->hint);
	CHECK(hints[0] != '\0' && strstr(err->hint, hints) != NULL, "%s: '%s' lacks '%s'",
	      err->text, err->hint, hints);
}

static void found_1(struct multiboot1 *header)
{
	struct error err;
	int result = find_1_in(NULL, header, &err);

	CHECK(result == 1, "not found: %d %s", result, err.text);
}

static void found_2(struct multiboot2 *header)
{
	struct error err;
	int result = find_2_in(NULL, header, &err);

	CHECK(result == 1, "not found: %d %s", result, err.text);
}

static void none_1(const char *what)
{
	struct multiboot1 header;
	struct error err;
	int result = find_1_in(NULL, &header, &err);

	CHECK(result == 0, "%s: %d %s", what, result, err.text);
}

static void none_2(const char *what)
{
	struct multiboot2 header;
	struct error err;
	int result = find_2_in(NULL, &header, &err);

	CHECK(result == 0, "%s: %d %s", what, result, err.text);
}

static void refuse_1(const char *says, const char *hints)
{
	struct multiboot1 header;
	struct error err;
	int result = find_1_in(NULL, &header, &err);

	check_sentence(result, &err, says, hints);
}

static void refuse_2(const char *says, const char *hints)
{
	struct multiboot2 header;
	struct error err;
	int result = find_2_in(NULL, &header, &err);

	check_sentence(result, &err, says, hints);
}

/* ---- Multiboot 1: where -------------------------------------------------- */

TEST(finds_no_multiboot1)
{
	static const size_t sizes[] = { 0, 1, 4, 11, 12, 13, WINDOW_1, WINDOW_1 + 1, 0x9000 };

	for (size_t i = 0; i < COUNT(sizes); i++) {
		start(sizes[i]);
		none_1("zeros");
		memset(file, 0xff, file_size);
		none_1("ones");
	}
	/* What a boot loader has, or a kernel that checks EAX. */
	start(0x100);
	PUT(0x20, MAGIC_1, 0x12345678, 0);
	none_1("a constant");
	start(0x100);
	put_2(0x20, 0, 16);
	none_1("the other version");
}

TEST(finds_multiboot1)
{
	static const size_t places[] = { 0, 4, 0x34, 0x1000, WINDOW_1 - 16, WINDOW_1 - 12 };

	for (size_t i = 0; i < COUNT(places); i++) {
		struct multiboot1 header;

		start(0x9000);
		put_1(places[i], 3);
		found_1(&header);
		assert_int_equal(header.offset, places[i]);
		assert_int_equal(header.flags, 3);
		assert_false(header.has_address);
		assert_false(header.has_video);
	}
}

TEST(finds_multiboot1_that_ends_with_the_file)
{
	struct multiboot1 header;

	start(12);
	put_1(0, 0);
	found_1(&header);
	start(0x100c);
	put_1(0x1000, 0);
	found_1(&header);
	assert_int_equal(header.offset, 0x1000);
	file_size--;
	none_1("a byte is missing");
}

TEST(takes_the_first_valid_multiboot1)
{
	struct multiboot1 header;

	start(0x1000);
	PUT(0x100, MAGIC_1, 3, 0);	/* wrong checksum */
	put_1(0x203, 1);		/* not aligned */
	put_1(0x300, 2);
	put_1(0x400, 3);
	found_1(&header);
	assert_int_equal(header.offset, 0x300);
	assert_int_equal(header.flags, 2);
}

TEST(refuses_multiboot1_with_wrong_checksum)
{
	start(0x1000);
	PUT(0x104, MAGIC_1, 0x10003, 0x1234);
	refuse_1("'k.elf' has a Multiboot 1 header at file offset 0x104 whose checksum is wrong "
		 "(0x1234, should be 0xe4514ffb)", "-(magic + flags)");
	/* So it is right: */
	struct multiboot1 header;
	start(0x1000);
	PUT(0x104, MAGIC_1, 3, 0xe4524ffb);
	found_1(&header);
}

/* A false alarm would keep a kernel from booting by other means. */
TEST(passes_over_implausible_multiboot1)
{
	start(0x1000);
	PUT(0x100, MAGIC_1, 8, 0);
	none_1("flags bit 3");
	PUT(0x100, MAGIC_1, 0x20003, 0);
	none_1("flags bit 17");
	PUT(0x100, 0, 0, 0);
	PUT(0x102, MAGIC_1, 3, 0);
	none_1("neither aligned nor a checksum");
	PUT(0x102, 0, 0, 0);
	file_size = 0x9000;
	PUT(WINDOW_1, MAGIC_1, 3, 0);
	none_1("neither in the window nor a checksum");
}

TEST(refuses_misaligned_multiboot1)
{
	for (size_t i = 1; i < 4; i++) {
		start(0x1000);
		put_1(0x100 + i, 3);
		refuse_1("which is not 4-byte aligned", ".balign 4");
	}
	start(0x1000);
	put_1(0x1000 - 12 - 1, 3);
	refuse_1("'k.elf' has a Multiboot 1 header at file offset 0xff3, which is not",
		 ".balign 4");
}

TEST(refuses_multiboot1_beyond_the_window)
{
	static const size_t places[] = { WINDOW_1 - 8, WINDOW_1 - 4, WINDOW_1, 0x8000,
					 0x9000 - 12 };

	for (size_t i = 0; i < COUNT(places); i++) {
		start(0x9000);
		put_1(places[i], 3);
		refuse_1("beyond the first 8 KiB, where loaders look for it", "linker script");
	}
	refuse_1("'k.elf' has a Multiboot 1 header that lies at file offset 0x8ff4, beyond",
		 ".text");
	start(0x9000);
	put_1(0x4002, 3);
	none_1("not aligned either");
}

/* Symbols and debug information of an ELF file hold what they like. */
TEST(looks_beyond_the_window_only_at_what_is_loaded)
{
	struct segment segment = { .offset = 0x1000, .filesz = 0x4000, .memsz = 0x4000 };
	struct multiboot1 header;
	struct error err;

	start(0x9000);
	put_1(0x5000, 3);
	assert_int_equal(find_1_in(&segment, &header, &err), 0);
	put_1(0x5000 - 8, 3);
	assert_int_equal(find_1_in(&segment, &header, &err), 0);
	put_1(0x5000 - 12, 3);
	check_sentence(find_1_in(&segment, &header, &err), &err, "0x4ff4, beyond", "linker script");
	/* But in the window it may be anywhere. */
	segment.filesz = 0;
	put_1(0x100, 3);
	assert_int_equal(find_1_in(&segment, &header, &err), 1);
}

/* ---- Multiboot 1: flags and fields --------------------------------------- */

TEST(refuses_undefined_multiboot1_features)
{
	static const char *const says[] = {
		"feature bit 3,", "feature bit 4,", "feature bit 5,", "feature bit 6,",
		"feature bit 7,", "feature bit 8,", "feature bit 9,", "feature bit 10,",
		"feature bit 11,", "feature bit 12,", "feature bit 13,", "feature bit 14,",
		"feature bit 15,",
	};

	for (unsigned int i = 0; i < COUNT(says); i++) {
		start(0x1000);
		put_1(0x100, 3 | 1u << (i + 3));
		refuse_1(says[i], "clear bits 3 to 15");
	}
	refuse_1("'k.elf': Multiboot 1 header at file offset 0x100: it asks for feature bit 15, "
		 "which the Multiboot 1 specification does not define", "0x8003");
}

TEST(ignores_optional_multiboot1_features)
{
	struct multiboot1 header;

	start(0x1000);
	put_1(0x100, 0xfffe0003);
	found_1(&header);
	assert_int_equal(header.flags, 0xfffe0003);
	assert_false(header.has_address);
}

/* At 0x100, so that 0x100000 is the file's first byte. */
static void put_addresses(uint32_t header, uint32_t load, uint32_t load_end, uint32_t bss_end,
			  uint32_t entry)
{
	start(0x1000);
	put_1(0x100, ADDRESS | 3);
	PUT(0x10c, header, load, load_end, bss_end, entry);
}

static void check_image(const struct header_image *image, uint64_t offset, uint64_t filesz,
			uint32_t paddr, uint64_t memsz)
{
	assert_int_equal(image->offset, offset);
	assert_int_equal(image->filesz, filesz);
	assert_int_equal(image->paddr, paddr);
	assert_int_equal(image->memsz, memsz);
}

TEST(reads_multiboot1_addresses)
{
	struct multiboot1 header;

	put_addresses(0x100100, 0x100040, 0x100800, 0x102000, 0x100200);
	found_1(&header);
	assert_true(header.has_address);
	assert_false(header.has_video);
	assert_int_equal(header.header_addr, 0x100100);
	assert_int_equal(header.load_addr, 0x100040);
	assert_int_equal(header.load_end_addr, 0x100800);
	assert_int_equal(header.bss_end_addr, 0x102000);
	assert_int_equal(header.entry_addr, 0x100200);
	check_image(&header.image, 0x40, 0x7c0, 0x100040, 0x1fc0);
}

TEST(reads_multiboot1_addresses_at_their_limits)
{
	struct multiboot1 header;

	/* All of the file, no .bss. */
	put_addresses(0x100100, 0x100000, 0, 0, 0x100fff);
	found_1(&header);
	check_image(&header.image, 0, 0x1000, 0x100000, 0x1000);
	put_addresses(0x100100, 0x100000, 0x101000, 0x101000, 0x100000);
	found_1(&header);
	check_image(&header.image, 0, 0x1000, 0x100000, 0x1000);
	/* Only the header's magic, as long as it is not empty. */
	put_addresses(0x100100, 0x100100, 0x100101, 0, 0x100100);
	found_1(&header);
	check_image(&header.image, 0x100, 1, 0x100100, 1);
	/* From 0, and up to 4 GiB. */
	put_addresses(0x100, 0, 0, 0xffffffff, 0xfffffffe);
	found_1(&header);
	check_image(&header.image, 0, 0x1000, 0, 0xffffffff);
	put_addresses(0xfffff100, 0xfffff000, 0, 0, 0xffffffff);
	found_1(&header);
	check_image(&header.image, 0, 0x1000, 0xfffff000, 0x1000);
}

TEST(refuses_wrong_multiboot1_addresses)
{
	static const struct {
		uint32_t fields[5];
		const char *says, *hints;
	} cases[] = {
		{ { 0x100100, 0x100101, 0, 0, 0x100200 },
		  "load_addr 0x100101 is above header_addr 0x100100", "load_addr is" },
		{ { 0, 0xffffffff, 0, 0, 0 }, "is above header_addr 0x0", "load_addr is" },
		{ { 0x100100, 0xfffff, 0, 0, 0x100200 },
		  "load_addr 0xfffff is 0x101 below header_addr, but the file has only 0x100 bytes "
		  "in front",
		  "header_addr must be" },
		{ { 0xffffffff, 0, 0, 0, 0 },
		  "0xffffffff below header_addr", "header_addr must be" },
		{ { 0x100100, 0x100000, 0x100000, 0, 0x100000 },
		  "load_end_addr 0x100000 is not above load_addr 0x100000", "end of .data" },
		{ { 0x100100, 0x100000, 1, 0, 0x100000 },
		  "load_end_addr 0x1 is not above", "end of .data" },
		{ { 0x100100, 0x100000, 0x101001, 0, 0x100000 },
		  "from load_addr 0x100000 to load_end_addr 0x101001 are 0x1001 bytes, but from "
		  "file offset 0x0 on the file has only 0x1000", "not of .bss" },
		{ { 0x100100, 0x100080, 0x101001, 0, 0x100080 },
		  "from file offset 0x80 on", "not of .bss" },
		{ { 0x100100, 0x100000, 0xffffffff, 0, 0x100000 }, "load_end_addr 0xffffffff are",
		  "not of .bss" },
		{ { 0xfffff101, 0xfffff001, 0, 0, 0xfffff001 },
		  "loaded at load_addr 0xfffff001, the file's 0x1000 bytes would reach beyond "
		  "4 GiB", "physical" },
		{ { 0x100100, 0x100000, 0x100800, 0x1007ff, 0x100000 },
		  "bss_end_addr 0x1007ff is below the end of what is loaded, 0x100800",
		  "end of .bss" },
		{ { 0x100100, 0x100000, 0, 0x100fff, 0x100000 }, "what is loaded, 0x101000",
		  "load_end_addr is 0" },
		{ { 0x100100, 0x100000, 0x100800, 0x100900, 0xfffff },
		  "entry_addr 0xfffff is outside of what the header loads, 0x100000-0x100900",
		  "first instr" },
		{ { 0x100100, 0x100000, 0x100800, 0x100900, 0x100900 },
		  "entry_addr 0x100900 is outside", "first instr" },
		{ { 0x100100, 0x100000, 0x100800, 0, 0x100800 },
		  "0x100000-0x100800", "first instr" },
		{ { 0xfffff100, 0xfffff000, 0, 0, 0 }, "0xfffff000-0x100000000", "first instr" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const uint32_t *fields = cases[i].fields;

		put_addresses(fields[0], fields[1], fields[2], fields[3], fields[4]);
		refuse_1(cases[i].says, cases[i].hints);
		refuse_1("'k.elf': Multiboot 1 header at file offset 0x100: ", cases[i].hints);
	}
}

TEST(reads_multiboot1_video)
{
	struct multiboot1 header;

	/* The fields for addresses have their place, but mean nothing. */
	start(0x1000);
	put_1(0x100, VIDEO);
	PUT(0x10c, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0, 1024, 768, 32);
	found_1(&header);
	assert_false(header.has_address);
	assert_true(header.has_video);
	assert_int_equal(header.mode_type, 0);
	assert_int_equal(header.width, 1024);
	assert_int_equal(header.height, 768);
	assert_int_equal(header.depth, 32);

	put_addresses(0x100100, 0x100000, 0, 0, 0x100000);
	put_1(0x100, VIDEO | ADDRESS);
	PUT(0x120, 1, 80, 25, 0);
	found_1(&header);
	assert_true(header.has_address && header.has_video);
	assert_int_equal(header.mode_type, 1);
	assert_int_equal(header.width, 80);

	PUT(0x120, 2, 80, 25, 0);
	refuse_1("video mode type 2, which", "0 for graphics and 1 for text");
	PUT(0x120, 0xffffffff);
	refuse_1("video mode type 4294967295, which", "clear bit 2");
}

/* The later fields must lie in the file and in the window too. */
TEST(refuses_multiboot1_fields_beyond_an_end)
{
	static const struct {
		uint32_t flags, size;
	} cases[] = { { ADDRESS, 32 }, { VIDEO, 48 }, { ADDRESS | VIDEO, 48 } };

	for (size_t i = 0; i < COUNT(cases); i++) {
		uint32_t flags = cases[i].flags, size = cases[i].size;
		struct multiboot1 header;

		start(size);
		put_1(0, flags);
		found_1(&header);
		file_size--;
		refuse_1("bytes long, but the file ends at 0x", "clear bit 2 of its flags");
		file_size = 12;
		refuse_1("the file ends at 0xc", "and bit 16");

		start(0x9000);
		put_1(WINDOW_1 - size, flags);
		PUT(WINDOW_1 - size + 12, 0x100000 + WINDOW_1 - size, 0x100000, 0, 0, 0x100000);
		found_1(&header);
		start(0x9000);
		put_1(WINDOW_1 - size + 4, flags);
		refuse_1("bytes long and ends beyond the first 8 KiB", "linker script");
	}
	refuse_1("header at file offset 0x1fd4: it is 0x30 bytes long", ".text");
}

/* ---- Multiboot 2: where -------------------------------------------------- */

TEST(finds_no_multiboot2)
{
	static const size_t sizes[] = { 0, 1, 15, 16, 17, WINDOW_2, WINDOW_2 + 1, 0x9000 };

	for (size_t i = 0; i < COUNT(sizes); i++) {
		start(sizes[i]);
		none_2("zeros");
		memset(file, 0xff, file_size);
		none_2("ones");
	}
	start(0x100);
	PUT(0x20, MAGIC_2, 0x12345678, 24, 0);
	none_2("a constant");
	start(0x100);
	put_1(0x20, 3);
	none_2("the other version");
}

TEST(finds_multiboot2)
{
	static const size_t places[] = { 0, 8, 0x40, 0x1000, WINDOW_1, WINDOW_2 - 24 };

	for (size_t i = 0; i < COUNT(places); i++) {
		struct multiboot2 header;

		start(0x9000);
		PUT_2(places[i], END);
		found_2(&header);
		assert_int_equal(header.offset, places[i]);
		assert_int_equal(header.length, 24);
		assert_int_equal(header.requests, 0);
		assert_false(header.has_address || header.has_entry || header.has_console ||
			     header.has_framebuffer || header.module_align ||
			     header.has_relocatable);
	}
}

TEST(takes_the_first_valid_multiboot2)
{
	struct multiboot2 header;

	start(0x1000);
	PUT(0x100, MAGIC_2, 0, 24, 0, END);
	PUT_2(0x204, END);
	PUT_2(0x300, END);
	PUT_2(0x400, 6, 8, END);
	found_2(&header);
	assert_int_equal(header.offset, 0x300);
	assert_false(header.module_align);
}

TEST(refuses_multiboot2_with_wrong_checksum)
{
	start(0x1000);
	PUT(0x108, MAGIC_2, 0, 24, 0x1234, END);
	refuse_2("'k.elf' has a Multiboot 2 header at file offset 0x108 whose checksum is wrong "
		 "(0x1234, should be 0x17adaf12)", "-(magic + architecture + header_length)");
	PUT(0x108, MAGIC_2, 4, 16, 0);
	refuse_2("should be 0x17adaf16", "modulo 2^32");
	PUT(0x108, MAGIC_2, 0, 32768, 0);
	refuse_2("whose checksum is wrong", "make it");
}

TEST(passes_over_implausible_multiboot2)
{
	static const uint32_t cases[][2] = {
		{ 1, 24 }, { 3, 24 }, { 5, 24 }, { 0, 0 }, { 0, 15 }, { 0, 32769 },
		{ 4, 0xffffffff },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		start(0x1000);
		PUT(0x100, MAGIC_2, cases[i][0], cases[i][1], 0);
		none_2("implausible");
	}
	start(0x9000);
	PUT(0x104, MAGIC_2, 0, 24, 0);
	none_2("neither aligned nor a checksum");
	PUT(WINDOW_2, MAGIC_2, 0, 24, 0);
	none_2("neither in the window nor a checksum");
}

TEST(refuses_misaligned_multiboot2)
{
	for (size_t i = 1; i < 8; i++) {
		start(0x1000);
		PUT_2(0x100 + i, END);
		refuse_2("which is not 8-byte aligned", ".balign 8");
	}
	refuse_2("'k.elf' has a Multiboot 2 header at file offset 0x107, which", "multiple of 8");
}

TEST(refuses_multiboot2_beyond_the_window)
{
	static const size_t places[] = { WINDOW_2 - 8, WINDOW_2, 0x8800, 0x9000 - 16 };

	for (size_t i = 0; i < COUNT(places); i++) {
		start(0x9000);
		put_2(places[i], 0, 16);
		refuse_2("beyond the first 32 KiB, where loaders look for it", "linker script");
	}
	/* It begins in the window, and so is seen; its tags are not. */
	start(0x9000);
	PUT_2(WINDOW_2 - 16, END);
	refuse_2("it is 0x18 bytes long and ends beyond the first 32 KiB", "linker script");
	start(0x9000);
	PUT_2(WINDOW_2 + 4, END);
	none_2("not aligned either");
}

/* ---- Multiboot 2: magic fields and the list of tags ---------------------- */

TEST(refuses_other_architectures)
{
	start(0x1000);
	put_2(0x100, 4, 24);
	PUT(0x110, END);
	refuse_2("'k.elf': Multiboot 2 header at file offset 0x100: it is for architecture 4 "
		 "(MIPS), not for a PC", "0 for i386");
	put_2(0x100, 62, 24);
	refuse_2("it is for architecture 62, not for a PC", "0 for i386");
}

TEST(refuses_wrong_header_lengths)
{
	static const uint32_t small[] = { 0, 1, 15 };

	for (size_t i = 0; i < COUNT(small); i++) {
		start(0x1000);
		put_2(0x100, 0, small[i]);
		PUT(0x110, END);
		refuse_2("less than 16", "counts from the magic");
	}
	for (uint32_t i = 16; i < 24; i++) {
		start(0x1000);
		put_2(0x100, 0, i);
		PUT(0x110, END);
		refuse_2("bytes have no end tag", "header_length");
	}
	start(0x118);
	PUT_2(0x100, END);
	file_size--;
	refuse_2("it is 0x18 bytes long, but the file ends at 0x117", "counts from the magic");
	start(0x1000);
	put_2(0x100, 0, 0xf01);
	refuse_2("it is 0xf01 bytes long, but the file ends at 0x1000", "counts from the magic");
	put_2(0x100, 0, 0xffffffff);
	refuse_2("it is 0xffffffff bytes long, but the file ends", "counts from the magic");
}

TEST(accepts_bytes_behind_the_end_tag)
{
	struct multiboot2 header;

	start(0x1000);
	PUT_2(0x100, END, 0x1234, 0);
	found_2(&header);
	assert_int_equal(header.length, 32);
	put_2(0x100, 0, 27);
	found_2(&header);
}

TEST(refuses_tags_that_do_not_add_up)
{
	static const struct {
		uint32_t words[6];
		const char *says;
	} cases[] = {
		{ { 0, 0 }, "the tag at its offset 0x10 (type 0, end) has size 0, less than 8" },
		{ { 0, 7 }, "(type 0, end) has size 7, less than 8" },
		{ { 0, 9 }, "the end tag at its offset 0x10 has size 9, not 8" },
		{ { 0, 16 }, "has size 16, not 8" },
		{ { 0, 0xffffffff },
		  "has size 4294967295 and ends beyond the header, which is 40 bytes long" },
		{ { 6, 0 }, "(type 6, module alignment) has size 0, less than 8" },
		{ { 6, 7 }, "has size 7, less than 8" },
		{ { 6, 25 }, "has size 25 and ends beyond the header" },
		{ { 6, 24 }, "bytes have no end tag" },
		{ { 6, 23 }, "bytes have no end tag" },
		{ { 6, 8, 6, 8, 6, 8 }, "its 40 bytes have no end tag" },
		{ { 6, 8, 6, 17 },
		  "at its offset 0x18 (type 6, module alignment) has size 17 and ends" },
		{ { 1, 4 }, "(type 1, information request) has size 4, less than 8" },
		{ { 2, 23 }, "(type 2, address) has size 23, less than 24" },
		{ { 3, 8 }, "(type 3, entry address) has size 8, less than 12" },
		{ { 4, 11 }, "(type 4, console flags) has size 11, less than 12" },
		{ { 5, 16 }, "(type 5, framebuffer) has size 16, less than 20" },
		{ { 7, 4 }, "(type 7, EFI boot services) has size 4, less than 8" },
		{ { 8, 8 }, "(type 8, EFI i386 entry) has size 8, less than 12" },
		{ { 9, 8 }, "(type 9, EFI amd64 entry) has size 8, less than 12" },
		{ { 10, 20 }, "(type 10, relocatable) has size 20, less than 24" },
		{ { OPTIONAL | 99, 4 }, "(type 99, unknown) has size 4, less than 8" },
		{ { OPTIONAL | 99, 32 }, "(type 99, unknown) has size 32 and ends beyond" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const uint32_t *words = cases[i].words;

		start(0x1000);
		PUT_2(0x100, words[0], words[1], words[2], words[3], words[4], words[5]);
		refuse_2(cases[i].says, ".balign 8");
	}
}

/* The commonest mistake: a framebuffer tag is 20 bytes long, and what follows
 * it without padding is read from its middle. */
TEST(says_what_is_wrong_when_padding_was_forgotten)
{
	start(0x1000);
	PUT_2(0x100, 5, 20, 1024, 768, 32, END);
	refuse_2("bytes have no end tag", ".balign 8");
	start(0x1000);
	PUT_2(0x100, 5, 20, 1024, 768, 32, 6, 8, END);
	refuse_2("(type 8, EFI i386 entry) has size 0", ".balign 8");
	start(0x1000);
	PUT_2(0x100, 3, 12, 0x100000, 4, 12, 3, END);
	refuse_2("at its offset 0x20 (type 12, unknown) has size 3, less than 8", ".balign 8");
	/* What is read as a tag may look like one. */
	start(0x1000);
	PUT_2(0x100, 3, 12, 0x100000, 4, 12, 8, END);
	refuse_2("requires tag type 12 at its offset 0x20, which mkbootimg does not know",
		 ".balign 8");
}

TEST(accepts_padding_in_a_size)
{
	struct multiboot2 header;

	start(0x1000);
	PUT_2(0x100, 5, 24, 1024, 768, 32, 0, 3, 16, 0x100000, 0, END);
	found_2(&header);
	assert_true(header.has_framebuffer && header.has_entry);
}

TEST(refuses_unknown_required_tags)
{
	struct multiboot2 header;

	start(0x1000);
	PUT_2(0x100, 11, 8, END);
	refuse_2("it requires tag type 11 at its offset 0x10, which mkbootimg does not know",
		 "set bit 0 (optional)");
	PUT_2(0x100, 0xffff, 8, END);
	refuse_2("tag type 65535", "set bit 0");
	/* The other bits of flags mean nothing. */
	PUT_2(0x100, 0xfffe0000 | 11, 8, END);
	refuse_2("tag type 11", "set bit 0");
	PUT_2(0x100, 0xffff0000 | 11, 12, 0xffffffff, 0, 6, 8, END);
	found_2(&header);
	assert_true(header.module_align);
}

/* ---- Multiboot 2: the tags ----------------------------------------------- */

TEST(reads_information_requests)
{
	static const uint32_t given[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 14, 15, 21 };
	struct multiboot2 header;

	for (size_t i = 0; i < COUNT(given); i++) {
		start(0x1000);
		PUT_2(0x100, 1, 12, given[i], 0, END);
		found_2(&header);
		assert_int_equal(header.requests, 1u << given[i]);
	}
	start(0x1000);
	PUT_2(0x100, 1, 8, 1, 20, 4, 6, 14, 0, OPTIONAL | 1, 12, 8, 0, END);
	found_2(&header);
	assert_int_equal(header.requests, 1u << 4 | 1u << 6 | 1u << 14 | 1u << 8);
}

TEST(refuses_required_information_it_cannot_give)
{
	static const struct {
		uint32_t type;
		const char *says;
	} cases[] = {
		{ 10, "type 10 (APM table), which mkbootimg cannot give" },
		{ 11, "type 11 (EFI 32-bit system table), which mkbootimg cannot give" },
		{ 12, "type 12 (EFI 64-bit system table), which mkbootimg cannot give" },
		{ 16, "type 16 (networking information), which mkbootimg cannot give" },
		{ 17, "type 17 (EFI memory map), which mkbootimg cannot give" },
		{ 18, "type 18 (EFI boot services not terminated), which mkbootimg cannot give" },
		{ 19, "type 19 (EFI 32-bit image handle), which mkbootimg cannot give" },
		{ 20, "type 20 (EFI 64-bit image handle), which mkbootimg cannot give" },
		{ 22, "type 22, which mkbootimg does not know" },
		{ 32, "type 32, which mkbootimg does not know" },
		{ 0xffffffff, "type 4294967295, which mkbootimg does not know" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct multiboot2 header;

		start(0x1000);
		PUT_2(0x100, 1, 16, 6, cases[i].type, END);
		refuse_2(cases[i].says, "set bit 0 (optional)");
		PUT_2(0x100, OPTIONAL | 1, 16, 6, cases[i].type, END);
		found_2(&header);
		assert_true(header.requests & 1u << 6);
	}
	start(0x1000);
	PUT_2(0x100, 1, 14, 6, 8, END);
	refuse_2("the information request tag at its offset 0x10 has size 14, which is not a "
		 "multiple of 4", "4 for each");
}

/* At 0x100, as put_addresses(); has_entry as entry is not 0. */
static void put_tags(uint32_t header, uint32_t load, uint32_t load_end, uint32_t bss_end,
		     uint32_t entry)
{
	start(0x1000);
	PUT_2(0x100, 2, 24, header, load, load_end, bss_end, 3, 12, entry, 0, END);
}

TEST(reads_multiboot2_addresses)
{
	struct multiboot2 header;

	put_tags(0x100100, 0x100040, 0x100800, 0x102000, 0x100200);
	found_2(&header);
	assert_true(header.has_address && header.has_entry);
	assert_int_equal(header.header_addr, 0x100100);
	assert_int_equal(header.load_addr, 0x100040);
	assert_int_equal(header.load_end_addr, 0x100800);
	assert_int_equal(header.bss_end_addr, 0x102000);
	assert_int_equal(header.entry_addr, 0x100200);
	check_image(&header.image, 0x40, 0x7c0, 0x100040, 0x1fc0);
	/* In another order, and optional, they are the same. */
	PUT_2(0x100, OPTIONAL | 3, 12, 0x100fff, 0, OPTIONAL | 2, 24, 0x100100, 0x100000, 0, 0,
	      END);
	found_2(&header);
	check_image(&header.image, 0, 0x1000, 0x100000, 0x1000);
}

TEST(loads_from_the_beginning_for_load_addr_minus_one)
{
	struct multiboot2 header;

	put_tags(0x100100, 0xffffffff, 0x100800, 0, 0x100000);
	found_2(&header);
	assert_int_equal(header.load_addr, 0x100000);
	check_image(&header.image, 0, 0x800, 0x100000, 0x800);
	put_tags(0x100, 0xffffffff, 0, 0, 0);
	found_2(&header);
	check_image(&header.image, 0, 0x1000, 0, 0x1000);
	put_tags(0xff, 0xffffffff, 0, 0, 0);
	refuse_2("load_addr is -1, to load the file from its beginning, but header_addr 0xff is "
		 "less than the header's file offset", "header_addr must be");
}

/* The rest is the same code as for Multiboot 1. */
TEST(refuses_wrong_multiboot2_addresses)
{
	put_tags(0x100100, 0x100101, 0, 0, 0x100200);
	refuse_2("'k.elf': Multiboot 2 header at file offset 0x100: load_addr 0x100101 is above",
		 "load_addr is");
	put_tags(0x100100, 0x100000, 0x101001, 0, 0x100200);
	refuse_2("are 0x1001 bytes", "not of .bss");
	put_tags(0x100100, 0x100000, 0, 0x100fff, 0x100200);
	refuse_2("bss_end_addr 0x100fff is below", "load_end_addr is 0");
	put_tags(0x100100, 0xffffffff, 0x100000, 0, 0x100200);
	refuse_2("load_end_addr 0x100000 is not above load_addr 0x100000", "end of .data");
	put_tags(0x100100, 0x100000, 0x100800, 0, 0x100800);
	refuse_2("entry_addr 0x100800 is outside", "first instr");
}

TEST(refuses_address_tag_without_entry_tag)
{
	struct multiboot2 header;

	start(0x1000);
	PUT_2(0x100, 2, 24, 0x100100, 0x100000, 0, 0, END);
	refuse_2("it has an address tag but no entry address tag", "type 3");
	/* The other way round it goes with the ELF program headers. */
	PUT_2(0x100, 3, 12, 0x12345678, 0, END);
	found_2(&header);
	assert_true(header.has_entry);
	assert_false(header.has_address);
	assert_int_equal(header.entry_addr, 0x12345678);
}

TEST(reads_console_flags)
{
	struct multiboot2 header;

	start(0x1000);
	PUT_2(0x100, 4, 12, 3, 0, END);
	found_2(&header);
	assert_true(header.has_console);
	assert_int_equal(header.console_flags,
			 MULTIBOOT2_CONSOLE_REQUIRED | MULTIBOOT2_CONSOLE_EGA_TEXT);
	PUT_2(0x100, 4, 12, 0, 0, END);
	found_2(&header);
	PUT_2(0x100, 4, 12, 2, 0, END);
	found_2(&header);
	PUT_2(0x100, 4, 12, 1, 0, END);
	refuse_2("it requires a console (console_flags bit 0) but supports none", "set bit 1");
	PUT_2(0x100, 4, 12, 1, 0, 5, 20, 0, 0, 0, 0, END);
	found_2(&header);
	assert_int_equal(header.console_flags, MULTIBOOT2_CONSOLE_REQUIRED);
}

TEST(reads_framebuffer)
{
	struct multiboot2 header;

	start(0x1000);
	PUT_2(0x100, 5, 20, 1024, 768, 32, 0, END);
	found_2(&header);
	assert_true(header.has_framebuffer);
	assert_false(header.framebuffer_optional);
	assert_int_equal(header.width, 1024);
	assert_int_equal(header.height, 768);
	assert_int_equal(header.depth, 32);
	PUT_2(0x100, OPTIONAL | 5, 20, 0, 0, 0, 0, END);
	found_2(&header);
	assert_true(header.has_framebuffer && header.framebuffer_optional);
	assert_int_equal(header.width, 0);
}

TEST(ignores_tags_for_efi)
{
	struct multiboot2 header;

	start(0x1000);
	PUT_2(0x100, 7, 8, 8, 12, 0x1234, 0, 9, 12, 0x5678, 0, END);
	found_2(&header);
	assert_false(header.has_entry);
}

TEST(reads_relocatable)
{
	struct multiboot2 header;

	start(0x1000);
	PUT_2(0x100, 10, 24, 0x100000, 0xffffffff, 0x200000, 2, END);
	found_2(&header);
	assert_true(header.has_relocatable);
	assert_int_equal(header.min_addr, 0x100000);
	assert_int_equal(header.max_addr, 0xffffffff);
	assert_int_equal(header.align, 0x200000);
	assert_int_equal(header.preference, 2);
	PUT_2(0x100, 10, 24, 0x100000, 0x100000, 0x80000000, 0, END);
	found_2(&header);
	assert_int_equal(header.align, 0x80000000);
	PUT_2(0x100, 10, 24, 0, 0, 0, 1, END);
	found_2(&header);
	assert_int_equal(header.align, 1);
}

TEST(refuses_wrong_relocatable)
{
	start(0x1000);
	PUT_2(0x100, 10, 24, 0x100001, 0x100000, 0x1000, 0, END);
	refuse_2("its relocatable tag has min_addr 0x100001 above max_addr 0x100000", "highest");
	PUT_2(0x100, 10, 24, 0, 0x100000, 0x1800, 0, END);
	refuse_2("its relocatable tag asks for alignment 0x1800, which is not a power of two",
		 "0x1000");
	PUT_2(0x100, 10, 24, 0, 0x100000, 0xffffffff, 0, END);
	refuse_2("alignment 0xffffffff", "0x1000");
	PUT_2(0x100, 10, 24, 0, 0x100000, 0x1000, 3, END);
	refuse_2("its relocatable tag has preference 3, which", "1 for the lowest");
}

TEST(takes_the_last_of_equal_tags)
{
	struct multiboot2 header;

	start(0x1000);
	PUT_2(0x100, 3, 12, 1, 0, 3, 12, 2, 0, 5, 20, 640, 480, 32, 0, OPTIONAL | 5, 20, 800, 600,
	      24, 0, END);
	found_2(&header);
	assert_int_equal(header.entry_addr, 2);
	assert_int_equal(header.width, 800);
	assert_true(header.framebuffer_optional);
	/* Only what counts is checked. */
	PUT_2(0x100, 2, 24, 0, 0xfffffff0, 1, 1, 3, 12, 0x100000, 0, 2, 24, 0x100100, 0x100000, 0,
	      0, END);
	found_2(&header);
	check_image(&header.image, 0, 0x1000, 0x100000, 0x1000);
}

/* ---- PVH ----------------------------------------------------------------- */

#define NOTE_AT 0x200
#define XEN 0x6e6558	/* "Xen" */

/* Find the note in an ELF file with the words at NOTE_AT as notes of this
 * alignment. */
static int find_note_in(bool is_32, uint64_t align, const uint32_t *words, size_t count,
			struct pvh *note, struct error *err)
{
	const Elf64_Phdr phdrs[] = {
		{ .p_type = PT_LOAD, .p_vaddr = 0x100000, .p_memsz = 1 },
		{ .p_type = PT_NOTE, .p_offset = NOTE_AT, .p_filesz = 4 * count, .p_align = align },
	};
	const struct elf_spec spec = { .is_32 = is_32, .phdrs = phdrs, .count = COUNT(phdrs),
				       .size = NOTE_AT + 4 * count };
	struct kernel kernel;
	size_t size;
	unsigned char *bytes = elf_make(&spec, &size);

	for (size_t i = 0; i < count; i++)
		put_le32(bytes + NOTE_AT + 4 * i, words[i]);
	*err = (struct error){0};
	assert_accepted(kernel_parse(&kernel, bytes, size, NAME, err), err, "notes");
	int result = pvh_find(&kernel, NAME, note, err);
	kernel_free(&kernel);
	free(bytes);
	return result;
}

/* In both classes; the entry point and the file offset if there is a note. */
static void check_note(uint64_t align, const uint32_t *words, size_t count, int expected,
		       uint32_t entry, uint64_t offset)
{
	for (int is_32 = 0; is_32 <= 1; is_32++) {
		struct pvh note;
		struct error err;
		int result = find_note_in(is_32, align, words, count, &note, &err);

		CHECK(result == expected, "result %d, not %d: %s", result, expected, err.text);
		if (result == 1) {
			assert_int_equal(note.entry, entry);
			assert_int_equal(note.offset, offset);
		}
	}
}

static void refuse_note(const uint32_t *words, size_t count, const char *says, const char *hints)
{
	struct pvh note;
	struct error err;

	check_sentence(find_note_in(false, 4, words, count, &note, &err), &err, says, hints);
}

#define WORDS(...) \
	(const uint32_t[]){ __VA_ARGS__ }, COUNT(((const uint32_t[]){ __VA_ARGS__ }))

TEST(finds_entry_note)
{
	static const uint64_t aligns[] = { 0, 1, 4, 8, 0x1000 };

	for (size_t i = 0; i < COUNT(aligns); i++) {
		check_note(aligns[i], WORDS(4, 4, 18, XEN, 0x100020), 1, 0x100020, NOTE_AT);
		check_note(aligns[i], WORDS(4, 8, 18, XEN, 0xffffffff, 0), 1, 0xffffffff, NOTE_AT);
	}
}

TEST(finds_entry_note_behind_others)
{
	/* "GNU", then Xen's guest name "x" (type 6). */
	check_note(4, WORDS(4, 0, 1, 0x554e47, 4, 2, 6, XEN, 'x', 4, 4, 18, XEN, 0x100020), 1,
		   0x100020, NOTE_AT + 9 * 4);
	/* What is behind it, even if it is damaged, does not matter. */
	check_note(4, WORDS(4, 4, 18, XEN, 1, 4, 4, 18, XEN, 2), 1, 1, NOTE_AT);
	check_note(4, WORDS(4, 4, 18, XEN, 1, 0xffffffff, 0xffffffff, 1), 1, 1, NOTE_AT);
}

/* With 8, names and values are padded to 8 bytes: 4 bytes of padding here. */
TEST(honours_the_alignment_of_notes)
{
	check_note(8, WORDS(4, 4, 5, XEN, 1, 0, 4, 4, 18, XEN, 0x100020), 1, 0x100020,
		   NOTE_AT + 6 * 4);
	check_note(4, WORDS(4, 4, 5, XEN, 1, 4, 4, 18, XEN, 0x100020), 1, 0x100020,
		   NOTE_AT + 5 * 4);
	/* The last value's padding need not be there, but may. */
	check_note(8, WORDS(4, 4, 18, XEN, 0x100020), 1, 0x100020, NOTE_AT);
	check_note(8, WORDS(4, 4, 18, XEN, 0x100020, 0), 1, 0x100020, NOTE_AT);
}

TEST(finds_no_entry_note)
{
	check_note(4, WORDS(0), 0, 0, 0);
	check_note(4, WORDS(4, 4, 17, XEN, 1), 0, 0, 0);
	check_note(4, WORDS(4, 4, 19, XEN, 1), 0, 0, 0);
	check_note(4, WORDS(4, 4, 18, 0x554e47, 1), 0, 0, 0);
	check_note(4, WORDS(3, 4, 18, XEN, 1), 0, 0, 0);
	check_note(4, WORDS(5, 4, 18, XEN, 0, 1), 0, 0, 0);
	/* Other notes may be as damaged as they like. */
	check_note(4, WORDS(0xffffffff, 4, 18, XEN, 1), 0, 0, 0);
	check_note(4, WORDS(4, 0xffffffff, 1, XEN, 1), 0, 0, 0);
	check_note(4, WORDS(4, 4, 18), 0, 0, 0);
}

TEST(finds_no_note_without_notes)
{
	const Elf64_Phdr phdr = { .p_type = PT_LOAD, .p_vaddr = 0x100000, .p_memsz = 1 };
	const struct elf_spec spec = { .phdrs = &phdr, .count = 1 };
	struct kernel kernel;
	struct pvh note;
	struct error err;
	size_t size;
	unsigned char *bytes = elf_make(&spec, &size);

	assert_accepted(kernel_parse(&kernel, bytes, size, NAME, &err), &err, "no notes");
	assert_int_equal(pvh_find(&kernel, NAME, &note, &err), 0);
	kernel_free(&kernel);
	free(bytes);
	kernel = (struct kernel){ .bytes = file, .size = 100 };
	assert_int_equal(pvh_find(&kernel, NAME, &note, &err), 0);
}

TEST(refuses_wrong_entry_note)
{
	refuse_note(WORDS(4, 8, 18, XEN, 0, 1), "'k.elf': Xen note PHYS32_ENTRY at file offset "
		    "0x200: its entry point 0x100000000 is above 4 GiB", "virtual base");
	refuse_note(WORDS(4, 8, 18, XEN, 0x80100000, 0xffffffff), "0xffffffff80100000",
		    "virtual base");
	refuse_note(WORDS(4, 0, 18, XEN), "its value is 0 bytes long, not 4 or 8", ".long");
	refuse_note(WORDS(4, 2, 18, XEN, 0), "its value is 2 bytes long", ".quad");
	refuse_note(WORDS(4, 12, 18, XEN, 0, 0, 0), "its value is 12 bytes long", ".quad");
	refuse_note(WORDS(4, 4, 18, XEN), "its value, 4 bytes long, is cut off", "PT_NOTE");
	refuse_note(WORDS(4, 0xffffffff, 18, XEN, 0), "its value, 4294967295 bytes long, is cut",
		    "PT_NOTE");
	refuse_note(WORDS(4, 4, 5, XEN, 0, 4, 8, 18, XEN, 0), "at file offset 0x214: its value, 8 "
		    "bytes", "PT_NOTE");
}

TEST(finds_entry_note_in_a_later_segment)
{
	const Elf64_Phdr phdrs[] = {
		{ .p_type = PT_NOTE, .p_offset = 0x200, .p_filesz = 0x10, .p_align = 8 },
		{ .p_type = PT_NOTE, .p_offset = 0x10000, .p_filesz = 0x10, .p_align = 4 },
		{ .p_type = PT_LOAD, .p_vaddr = 0x100000, .p_memsz = 1 },
		{ .p_type = PT_NOTE, .p_offset = 0x222, .p_filesz = 0x14, .p_align = 4 },
	};
	const struct elf_spec spec = { .phdrs = phdrs, .count = COUNT(phdrs), .size = 0x300 };
	struct kernel kernel;
	struct pvh note;
	struct error err;
	size_t size;
	unsigned char *bytes = elf_make(&spec, &size);

	memcpy(file, bytes, size);
	PUT(0x200, 4, 0, 1, 0x554e47);
	PUT(0x222, 4, 4, 18, XEN, 0x100020);	/* not even aligned */
	memcpy(bytes, file, size);
	assert_accepted(kernel_parse(&kernel, bytes, size, NAME, &err), &err, "notes");
	assert_int_equal(pvh_find(&kernel, NAME, &note, &err), 1);
	assert_int_equal(note.offset, 0x222);
	assert_int_equal(note.entry, 0x100020);
	kernel_free(&kernel);
	free(bytes);
}

/* All program headers on the same bytes would make the search long. */
TEST(refuses_overlapping_notes)
{
	Elf64_Phdr phdrs[4];
	struct elf_spec spec = { .phdrs = phdrs, .count = COUNT(phdrs), .size = 0x400 };
	struct kernel kernel;
	struct pvh note;
	struct error err = {0};
	size_t size;

	phdrs[0] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_vaddr = 0x100000, .p_memsz = 1 };
	for (size_t i = 1; i < COUNT(phdrs); i++)
		phdrs[i] = (Elf64_Phdr){ .p_type = PT_NOTE, .p_offset = 0x200, .p_filesz = 0x200 };
	unsigned char *bytes = elf_make(&spec, &size);
	memset(bytes + 0x200, 0, 0x200);
	assert_accepted(kernel_parse(&kernel, bytes, size, NAME, &err), &err, "notes");
	check_sentence(pvh_find(&kernel, NAME, &note, &err), &err, "'k.elf' has overlapping notes: "
		       "its PT_NOTEs together are larger than the file", "readelf -l");
	kernel_free(&kernel);
	free(bytes);
}

/* ---- Bad files in bulk --------------------------------------------------- */

/* Every prefix of a file with all there is. */
TEST(survives_truncation)
{
	start(0x200);
	put_1(0x40, ADDRESS | VIDEO | 3);
	PUT(0x4c, 0x100040, 0x100000, 0, 0x200000, 0x100100, 0, 1024, 768, 32);
	PUT_2(0x80, 1, 12, 6, 0, 2, 24, 0x100080, 0x100000, 0, 0x200000, 3, 12, 0x100100, 0, 4, 12,
	      3, 0, 5, 20, 1024, 768, 32, 0, 6, 8, 10, 24, 0x100000, 0xffffffff, 0x1000, 1, END);
	for (; file_size > 0; file_size--) {
		struct multiboot1 header_1;
		struct multiboot2 header_2;
		struct error err;
		int result_1 = find_1_in(NULL, &header_1, &err);
		int result_2 = find_2_in(NULL, &header_2, &err);

		CHECK(result_1 == (file_size >= 0x70 ? 1 : file_size >= 0x4c ? -1 : 0),
		      "1, 0x%zx: %d", file_size, result_1);
		CHECK(result_2 == (file_size >= 0x118 ? 1 : file_size >= 0x90 ? -1 : 0),
		      "2, 0x%zx: %d", file_size, result_2);
	}
}

static void check_promise(bool has_address, const struct header_image *image, uint32_t entry)
{
	if (!has_address)
		return;
	assert_true(image->filesz > 0 && image->offset < file_size);
	assert_true(image->filesz <= file_size - image->offset);
	assert_true(image->memsz >= image->filesz);
	assert_true(image->paddr + image->memsz <= UINT64_C(0x100000000));
	assert_true(entry >= image->paddr && entry - image->paddr < image->memsz);
}

/* Put words on an edge, and set the checksum right, so that what is behind it
 * is read. */
static void damage_words(size_t from, size_t to, uint64_t *seed)
{
	static const uint32_t edges[] = { 0, 1, 2, 4, 7, 8, 12, 16, 20, 24, 0x1000, 0x8000,
					  0x100000, 0x100080, 0x7fffffff, 0x80000000, 0xfffffff8,
					  0xffffffff };

	for (uint64_t i = random_below(seed, 4); i > 0; i--) {
		size_t at = from + 4 * random_below(seed, (to - from) / 4);

		put_le32(file + at, edges[random_below(seed, COUNT(edges))]);
	}
}

TEST(survives_damage)
{
	unsigned int accepted_1 = 0, accepted_2 = 0;
	uint64_t seed = 1;

	for (unsigned int round = 0; round < 20000; round++) {
		struct multiboot1 header_1;
		struct multiboot2 header_2;
		struct error err;

		start(0x130);
		PUT(0x4c, 0x100040, 0x100000, 0, 0x200000, 0x100100, 0, 1024, 768, 32);
		PUT(0x90, 1, 12, 6, 0, 2, 24, 0x100080, 0x100000, 0, 0x200000, 3, 12, 0x100100, 0,
		    4, 12, 3, 0, 5, 20, 1024, 768, 32, 0, 6, 8, 10, 24, 0x100000, 0xffffffff,
		    0x1000, 1, END);
		damage_words(0x4c, 0x118, &seed);
		put_1(0x40, ADDRESS | (random_below(&seed, 2) ? VIDEO : 0));
		put_2(0x80, 0, random_below(&seed, 4) ? 0x98 : (uint32_t)random_below(&seed, 0xc0));
		int result_1 = find_1_in(NULL, &header_1, &err);
		if (result_1 == 1)
			check_promise(header_1.has_address, &header_1.image, header_1.entry_addr);
		int result_2 = find_2_in(NULL, &header_2, &err);
		if (result_2 == 1)
			check_promise(header_2.has_address, &header_2.image, header_2.entry_addr);
		accepted_1 += result_1 == 1;
		accepted_2 += result_2 == 1;
	}
	/* Else the damage is such that nothing behind the first check is run. */
	assert_true(accepted_1 > 1000 && accepted_1 < 19000);
	assert_true(accepted_2 > 1000 && accepted_2 < 19000);
}

TEST(survives_damaged_notes)
{
	uint64_t seed = 1;
	unsigned int accepted = 0;

	for (unsigned int round = 0; round < 5000; round++) {
		uint32_t words[] = { 4, 4, 5, XEN, 1, 4, 8, 18, XEN, 0x100020, 0 };
		struct pvh note;
		struct error err;

		for (uint64_t i = random_below(&seed, 3); i > 0; i--)
			words[random_below(&seed, COUNT(words))] = (uint32_t)random_next(&seed) >>
								   random_below(&seed, 32);
		size_t cut = random_below(&seed, 4) ? 0 : random_below(&seed, COUNT(words));
		accepted += find_note_in(round % 2, round % 3 ? 4 : 8, words, COUNT(words) - cut,
					 &note, &err) == 1;
	}
	assert_true(accepted > 100 && accepted < 4900);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_no_multiboot1),
		cmocka_unit_test(finds_multiboot1),
		cmocka_unit_test(finds_multiboot1_that_ends_with_the_file),
		cmocka_unit_test(takes_the_first_valid_multiboot1),
		cmocka_unit_test(refuses_multiboot1_with_wrong_checksum),
		cmocka_unit_test(passes_over_implausible_multiboot1),
		cmocka_unit_test(refuses_misaligned_multiboot1),
		cmocka_unit_test(refuses_multiboot1_beyond_the_window),
		cmocka_unit_test(looks_beyond_the_window_only_at_what_is_loaded),
		cmocka_unit_test(refuses_undefined_multiboot1_features),
		cmocka_unit_test(ignores_optional_multiboot1_features),
		cmocka_unit_test(reads_multiboot1_addresses),
		cmocka_unit_test(reads_multiboot1_addresses_at_their_limits),
		cmocka_unit_test(refuses_wrong_multiboot1_addresses),
		cmocka_unit_test(reads_multiboot1_video),
		cmocka_unit_test(refuses_multiboot1_fields_beyond_an_end),
		cmocka_unit_test(finds_no_multiboot2),
		cmocka_unit_test(finds_multiboot2),
		cmocka_unit_test(takes_the_first_valid_multiboot2),
		cmocka_unit_test(refuses_multiboot2_with_wrong_checksum),
		cmocka_unit_test(passes_over_implausible_multiboot2),
		cmocka_unit_test(refuses_misaligned_multiboot2),
		cmocka_unit_test(refuses_multiboot2_beyond_the_window),
		cmocka_unit_test(refuses_other_architectures),
		cmocka_unit_test(refuses_wrong_header_lengths),
		cmocka_unit_test(accepts_bytes_behind_the_end_tag),
		cmocka_unit_test(refuses_tags_that_do_not_add_up),
		cmocka_unit_test(says_what_is_wrong_when_padding_was_forgotten),
		cmocka_unit_test(accepts_padding_in_a_size),
		cmocka_unit_test(refuses_unknown_required_tags),
		cmocka_unit_test(reads_information_requests),
		cmocka_unit_test(refuses_required_information_it_cannot_give),
		cmocka_unit_test(reads_multiboot2_addresses),
		cmocka_unit_test(loads_from_the_beginning_for_load_addr_minus_one),
		cmocka_unit_test(refuses_wrong_multiboot2_addresses),
		cmocka_unit_test(refuses_address_tag_without_entry_tag),
		cmocka_unit_test(reads_console_flags),
		cmocka_unit_test(reads_framebuffer),
		cmocka_unit_test(ignores_tags_for_efi),
		cmocka_unit_test(reads_relocatable),
		cmocka_unit_test(refuses_wrong_relocatable),
		cmocka_unit_test(takes_the_last_of_equal_tags),
		cmocka_unit_test(finds_entry_note),
		cmocka_unit_test(finds_entry_note_behind_others),
		cmocka_unit_test(honours_the_alignment_of_notes),
		cmocka_unit_test(finds_no_entry_note),
		cmocka_unit_test(finds_no_note_without_notes),
		cmocka_unit_test(refuses_wrong_entry_note),
		cmocka_unit_test(finds_entry_note_in_a_later_segment),
		cmocka_unit_test(refuses_overlapping_notes),
		cmocka_unit_test(survives_truncation),
		cmocka_unit_test(survives_damage),
		cmocka_unit_test(survives_damaged_notes),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
