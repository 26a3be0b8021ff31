/* SPDX-License-Identifier: MIT
 *
 * origin_open(): which file's symbols explain a crash; what the runner gets of it.
 */
#include "crash/origin.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bootabi.h"
#include "elf_maker.h"
#include "kernel/identity.h"
#include "unit.h"

static char directory[] = "/tmp/test_origin.XXXXXX";
static unsigned char *kernel_bytes;
static size_t kernel_size;
static struct origin_facts facts = { .protocol = BT_PROTOCOL_NATIVE };

/* ---- Files ------------------------------------------------------------------------- */

/* What a file may be. */
enum content {
	ABSENT,
	KERNEL,
	STRIPPED,	/* other headers, more behind, the same segments */
	CHANGED,	/* a byte of a segment is another */
	OTHER,		/* another kernel, 32-bit */
	CUT,		/* the kernel, but not all of it */
	IMAGE,		/* not ELF */
	EMPTY,
	DIRECTORY,
	FIFO,
	SECRET,		/* the kernel, but it cannot be read */
};

static const Elf64_Phdr phdrs[] = {
	{ .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_offset = 0x1000, .p_vaddr = 0x200000,
	  .p_paddr = 0x200000, .p_filesz = 0x800, .p_memsz = 0x1000 },
	{ .p_type = PT_LOAD, .p_flags = PF_R | PF_W, .p_offset = 0x1800, .p_vaddr = 0x201000,
	  .p_paddr = 0x201000, .p_filesz = 0x100, .p_memsz = 0x2000 },
};

static unsigned char *make_kernel(bool is_32, size_t *size)
{
	const struct elf_spec spec = { .is_32 = is_32, .entry = 0x200000, .phdrs = phdrs,
				       .count = is_32 ? 1 : 2, .size = 0x2000 };

	return elf_make(&spec, size);
}

static void path_of(char path[128], const char *name)
{
	snprintf(path, 128, "%s/%s", directory, name);
}

static void put_file(const char *name, enum content content)
{
	char path[128];

	path_of(path, name);
	if (content == ABSENT)
		return;
	if (content == DIRECTORY || content == FIFO) {
		assert_int_equal(content == FIFO ? mkfifo(path, 0600) : mkdir(path, 0700), 0);
		return;
	}
	size_t size = kernel_size;
	unsigned char *bytes = malloc(size);
	assert_non_null(bytes);
	memcpy(bytes, kernel_bytes, size);
	if (content == STRIPPED) {
		size -= 0x100;
		elf_edit(bytes, EH64(e_flags), 4, 1);
	} else if (content == CHANGED) {
		bytes[0x1850] ^= 1;
	} else if (content == OTHER) {
		free(bytes);
		bytes = make_kernel(true, &size);
	} else if (content == CUT) {
		size = 0x1801;
	} else if (content == IMAGE) {
		memset(bytes, 0xeb, size);
	} else if (content == EMPTY) {
		size = 0;
	}
	FILE *file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
	free(bytes);
	if (content == SECRET)
		assert_int_equal(chmod(path, 0), 0);
}

static void remove_file(const char *name)
{
	char path[128];

	path_of(path, name);
	remove(path);
}

static int set_up(void **state __attribute__((unused)))
{
	struct kernel kernel;
	struct error err;

	if (mkdtemp(directory) == NULL)
		return -1;
	kernel_bytes = make_kernel(false, &kernel_size);
	if (kernel_parse(&kernel, kernel_bytes, kernel_size, "kernel", &err) != 0)
		return -1;
	facts.kernel_crc = kernel_crc(&kernel);
	kernel_free(&kernel);
	return 0;
}

static int clean_up(void **state __attribute__((unused)))
{
	free(kernel_bytes);
	return rmdir(directory);
}

/* Is it this file, or none (NULL)? */
static void check_file(struct file_view *file, const char *name, const char *what)
{
	struct stat st;
	char path[128];

	if (name == NULL) {
		CHECK(file->fd == -1 && file->bytes == NULL && file->size == 0, "%s: a file is open", what);
		return;
	}
	path_of(path, name);
	CHECK(file->fd >= 0, "%s: no file", what);
	assert_int_equal(stat(path, &st), 0);
	CHECK(file->inode == st.st_ino && file->device == st.st_dev, "%s: another file", what);
	CHECK(file->size == (size_t)st.st_size && file->bytes != NULL, "%s: its bytes", what);
}

/* ---- Looking for one ---------------------------------------------------------------- */

struct place {
	const char *name;
	enum content content;
};

static const struct {
	const char *what;
	const char *booted;
	struct place files[3];		/* name NULL: no more */
	const char *found;		/* NULL: none */
} cases[] = {
	{ "the kernel itself", "k.elf", { { "k.elf", KERNEL } }, "k.elf" },
	{ "a kernel of any name", "k", { { "k", KERNEL } }, "k" },
	{ "a kernel by the name of an image", "k.img", { { "k.img", KERNEL }, { "k.elf", KERNEL } },
	  "k.img" },
	{ "the kernel, stripped", "k.elf", { { "k.elf", STRIPPED } }, "k.elf" },
	{ "it was changed meanwhile", "k.elf", { { "k.elf", CHANGED } }, NULL },
	{ "it is gone meanwhile", "k.elf", { { "k.elf", ABSENT } }, NULL },

	{ "beside an image", "k.img", { { "k.img", IMAGE }, { "k.elf", KERNEL } }, "k.elf" },
	{ "beside an image, bare", "k.img", { { "k.img", IMAGE }, { "k", KERNEL } }, "k" },
	{ "beside an image of another format", "k.iso", { { "k.iso", IMAGE }, { "k.elf", KERNEL } }, "k.elf" },
	{ "beside one of a longer extension", "k.qcow2", { { "k.qcow2", IMAGE }, { "k", KERNEL } }, "k" },
	{ "both", "k.img", { { "k.img", IMAGE }, { "k.elf", KERNEL }, { "k", KERNEL } }, "k.elf" },
	{ "the first is another one's", "k.img",
	  { { "k.img", IMAGE }, { "k.elf", OTHER }, { "k", KERNEL } }, "k" },
	{ "the first was changed", "k.img", { { "k.img", IMAGE }, { "k.elf", CHANGED }, { "k", KERNEL } },
	  "k" },
	{ "the first is a directory", "k.img",
	  { { "k.img", IMAGE }, { "k.elf", DIRECTORY }, { "k", KERNEL } }, "k" },
	{ "the first is a FIFO", "k.img", { { "k.img", IMAGE }, { "k.elf", FIFO }, { "k", KERNEL } }, "k" },
	{ "the first is empty", "k.img", { { "k.img", IMAGE }, { "k.elf", EMPTY }, { "k", KERNEL } }, "k" },
	{ "the first is cut", "k.img", { { "k.img", IMAGE }, { "k.elf", CUT }, { "k", KERNEL } }, "k" },
	{ "the first is not ELF", "k.img", { { "k.img", IMAGE }, { "k.elf", IMAGE }, { "k", KERNEL } },
	  "k" },
	{ "stripped", "k.img", { { "k.img", IMAGE }, { "k.elf", STRIPPED } }, "k.elf" },
	{ "another one's, both", "k.img", { { "k.img", IMAGE }, { "k.elf", OTHER }, { "k", CHANGED } },
	  NULL },
	{ "nothing", "k.img", { { "k.img", IMAGE } }, NULL },
	{ "the image is gone", "k.img", { { "k.elf", KERNEL } }, "k.elf" },

	{ "an image of another name", "k.bin", { { "k.bin", IMAGE }, { "k.elf", KERNEL }, { "k", KERNEL } },
	  NULL },
	{ "an image without an extension", "k", { { "k", IMAGE }, { "k.elf", KERNEL } }, NULL },
	{ "two extensions", "k.elf.img", { { "k.elf.img", IMAGE }, { "k.elf", KERNEL } }, "k.elf" },
	{ "a name that ends alike", "kimg", { { "kimg", IMAGE }, { "k.elf", KERNEL } }, NULL },
	{ "nothing but the extension", ".img", { { ".img", IMAGE }, { ".elf", OTHER } }, NULL },
};

TEST(looks_for_the_kernel)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct file_view file;
		struct error err = { 0 };
		char booted[128];

		for (size_t k = 0; k < COUNT(cases[i].files) && cases[i].files[k].name != NULL; k++)
			put_file(cases[i].files[k].name, cases[i].files[k].content);
		path_of(booted, cases[i].booted);
		memset(&file, 0xff, sizeof(file));
		assert_accepted(origin_open(&file, NULL, booted, &facts, &err), &err, cases[i].what);
		CHECK(err.class == ERROR_NONE && err.text[0] == '\0', "%s: %s", cases[i].what, err.text);
		check_file(&file, cases[i].found, cases[i].what);
		file_close(&file);
		for (size_t k = 0; k < COUNT(cases[i].files) && cases[i].files[k].name != NULL; k++)
			remove_file(cases[i].files[k].name);
	}
}

/* In the current directory, where names have no "/". */
TEST(short_names)
{
	static const char *const names[] = { "", "k", ".img", "img", "k.img" };
	char before[4096];

	assert_non_null(getcwd(before, sizeof(before)));
	assert_int_equal(chdir(directory), 0);
	put_file("k.elf", KERNEL);
	for (size_t i = 0; i < COUNT(names); i++) {
		struct file_view file;
		struct error err = { 0 };

		assert_accepted(origin_open(&file, NULL, names[i], &facts, &err), &err, names[i]);
		check_file(&file, strcmp(names[i], "k.img") == 0 ? "k.elf" : NULL, names[i]);
		file_close(&file);
	}
	remove_file("k.elf");
	assert_int_equal(chdir(before), 0);
}

/* An image that another loader is on says nothing of its kernel. */
TEST(nothing_is_known_of_the_kernel)
{
	static const struct origin_facts nothing;
	struct file_view file;
	struct error err = { 0 };
	char booted[128];

	put_file("k.elf", KERNEL);
	path_of(booted, "k.elf");
	assert_accepted(origin_open(&file, NULL, booted, &nothing, &err), &err, "no facts");
	check_file(&file, NULL, "no facts");
	/* What the user names counts all the same. */
	assert_accepted(origin_open(&file, booted, "/nowhere/k.img", &nothing, &err), &err, "wanted");
	check_file(&file, "k.elf", "wanted");
	file_close(&file);
	remove_file("k.elf");
}

/* What was just made from a file needs no proof, but is it a file that has symbols? */
TEST(fresh_is_not_read)
{
	static const enum content contents[] = { KERNEL, OTHER, IMAGE };
	struct origin_facts fresh = facts;
	char booted[128];

	fresh.fresh = true;
	path_of(booted, "k.elf");
	for (size_t i = 0; i < COUNT(contents); i++) {
		struct file_view file;
		struct error err = { 0 };

		put_file("k.elf", contents[i]);
		assert_accepted(origin_open(&file, NULL, booted, &fresh, &err), &err, "fresh");
		check_file(&file, contents[i] != IMAGE ? "k.elf" : NULL, "fresh");
		file_close(&file);
		remove_file("k.elf");
	}
}

TEST(each_fact_counts)
{
	struct origin_facts wrong = facts;
	struct file_view file;
	struct error err = { 0 };
	char booted[128];

	wrong.kernel_crc ^= 0x80000000;
	put_file("k.elf", KERNEL);
	path_of(booted, "k.img");
	assert_accepted(origin_open(&file, NULL, booted, &wrong, &err), &err, "wrong CRC");
	check_file(&file, NULL, "wrong CRC");
	remove_file("k.elf");
}

/* ---- The one that the user names -------------------------------------------------------- */

TEST(wanted_is_taken)
{
	/* Whatever is in it: a separate file with symbols has no segments of the kernel. */
	static const enum content contents[] = { KERNEL, STRIPPED, CHANGED, OTHER, CUT, IMAGE };
	struct error err = { 0 };
	char wanted[128], booted[128];

	path_of(wanted, "symbols");
	path_of(booted, "k.img");
	put_file("k.elf", KERNEL);
	for (size_t i = 0; i < COUNT(contents); i++) {
		struct file_view file;

		put_file("symbols", contents[i]);
		assert_accepted(origin_open(&file, wanted, booted, &facts, &err), &err, "wanted");
		check_file(&file, "symbols", "wanted");
		file_close(&file);
		remove_file("symbols");
	}
	remove_file("k.elf");
}

TEST(wanted_must_be_there)
{
	static const struct {
		enum content content;
		enum error_class class;
		const char *says;
	} refused[] = {
		{ ABSENT, ERROR_SYSTEM, "No such file" },
		{ DIRECTORY, ERROR_INPUT, "is a directory" },
		{ FIFO, ERROR_INPUT, "is not a regular file" },
		{ EMPTY, ERROR_INPUT, "is empty" },
		{ SECRET, ERROR_SYSTEM, "Permission denied" },
	};
	char wanted[128], booted[128];

	path_of(wanted, "symbols");
	path_of(booted, "k.elf");
	put_file("k.elf", KERNEL);
	for (size_t i = 0; i < COUNT(refused); i++) {
		struct file_view file;
		struct error err = { 0 };

		/* Nothing is secret to root. */
		if (refused[i].content == SECRET && geteuid() == 0)
			continue;
		put_file("symbols", refused[i].content);
		int result = origin_open(&file, wanted, booted, &facts, &err);
		assert_refused(result, &err, refused[i].class, refused[i].says, refused[i].says);
		CHECK(strncmp(err.text, "--symbols: ", 11) == 0, "%s", err.text);
		CHECK(strstr(err.text, wanted) != NULL, "%s", err.text);
		check_file(&file, NULL, refused[i].says);
		remove_file("symbols");
	}
	remove_file("k.elf");
}

/* ---- Facts --------------------------------------------------------------------------------- */

TEST(facts_of_plans)
{
	static struct plan_map map;
	static struct plan_block stack = { .kind = INFO_KIND_STACK };
	static const struct {
		uint32_t protocol;
		uint64_t stack_top;
		uint64_t guard;
		bool physical;
	} plans[] = {
		{ BT_PROTOCOL_NATIVE, 0, 0xfffffe0000000000, false },
		{ BT_PROTOCOL_BOOTLOADER_09, 0x10000012000, 0x10000001000, false },
		/* Up to the end of the address space. */
		{ BT_PROTOCOL_BOOTLOADER_09, 0, 0xfffffffffffef000, false },
		/* The stack of the others is not guarded. */
		{ BT_PROTOCOL_MULTIBOOT1, 0, 0, true },
		{ BT_PROTOCOL_MULTIBOOT2, 0, 0, true },
		{ BT_PROTOCOL_PVH, 0, 0, true },
	};

	for (size_t i = 0; i < COUNT(plans); i++) {
		const struct plan plan = { .protocol = plans[i].protocol, .kernel_crc = 0x12345678,
					   .slide = 0x9000, .stack_size = 65536,
					   .entry = 0x201000, .entry_block = BLOCK_NONE,
					   .handoff_virt = 0xfffffe0000000000,
					   .stack_top = plans[i].stack_top, .blocks = &stack,
					   .block_count = plans[i].protocol == BT_PROTOCOL_BOOTLOADER_09,
					   .maps = &map, .map_count = !plans[i].physical };
		const struct file_view file = { .fd = 5, .bytes = kernel_bytes, .size = kernel_size };
		struct origin_facts f = origin_facts(&plan);
		struct run_kernel kernel = origin_kernel(&file, i == 0, &f);

		assert_int_equal(f.protocol, plans[i].protocol);
		assert_int_equal(f.kernel_crc, 0x12345678);
		assert_true(f.slide == 0x9000);
		assert_false(f.moves);
		assert_true(f.entry == 0x201000);
		assert_true(f.guard == plans[i].guard);
		assert_true(f.long_mode == !plans[i].physical);
		assert_true(f.stack_size == 65536);
		assert_int_equal(kernel.fd, 5);
		assert_int_equal(kernel.crc, 0x12345678);
		assert_true(kernel.sure == (i == 0));
		assert_true(kernel.slide == 0x9000);
		assert_true(kernel.physical == plans[i].physical);
		assert_true(kernel.stack.guard == plans[i].guard);
		assert_true(kernel.stack.size == 65536);
		assert_true(kernel.stack.has_idt == (plans[i].protocol == BT_PROTOCOL_NATIVE));
	}
}

/* Only in a block that the loader places is the entry point not known. */
TEST(entry_in_a_block)
{
	struct plan_block blocks[] = { { .flags = BLOCK_FIXED }, { 0 } };
	struct plan plan = { .protocol = BT_PROTOCOL_MULTIBOOT2, .entry = 0x201000, .entry_offset = 0x40,
			     .blocks = blocks, .block_count = COUNT(blocks) };
	struct origin_facts fixed = origin_facts(&plan);

	assert_false(fixed.moves);
	assert_true(fixed.entry == 0x201000);
	plan.entry_block = 1;
	struct origin_facts placed = origin_facts(&plan);
	assert_true(placed.moves);
	assert_true(placed.entry == 0x40);
}

TEST(kernel_of_no_file)
{
	const struct file_view file = { .fd = -1 };
	struct run_kernel kernel = origin_kernel(&file, false, &facts);
	unsigned char *bytes;
	size_t size;

	assert_false(origin_read(&kernel, &bytes, &size));
	assert_null(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(looks_for_the_kernel),
		cmocka_unit_test(short_names),
		cmocka_unit_test(nothing_is_known_of_the_kernel),
		cmocka_unit_test(fresh_is_not_read),
		cmocka_unit_test(each_fact_counts),
		cmocka_unit_test(wanted_is_taken),
		cmocka_unit_test(wanted_must_be_there),
		cmocka_unit_test(facts_of_plans),
		cmocka_unit_test(entry_in_a_block),
		cmocka_unit_test(kernel_of_no_file),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, set_up, clean_up);
}
