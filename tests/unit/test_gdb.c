/* SPDX-License-Identifier: MIT
 *
 * gdb_*() and debugger_place(): what GDB is told of a machine and its kernel.
 */
#include "debug/gdb.h"

#include <stdio.h>
#include <stdlib.h>

#include "bootabi.h"
#include "debug/debugger.h"
#include "unit.h"

static char *script_of(const struct gdb_setup *setup)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	gdb_write_script(out, setup);
	fclose(out);
	return text;
}

static char *description_of(int bits)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	gdb_write_description(out, bits);
	fclose(out);
	return text;
}

/* ---- Words ---------------------------------------------------------------- */

TEST(words_are_quoted)
{
	static const struct {
		const char *word, *quoted;
	} cases[] = {
		{ "/a/k-1_2.elf", "/a/k-1_2.elf" },
		{ "/a b/'k'", "/a\\ b/\\'k\\'" },
		{ "/\\\"$;~", "/\\\\\\\"\\$\\;\\~" },
		{ "/\xc3\xa4", "/\xc3\xa4" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		char *quoted = gdb_quote(cases[i].word);

		assert_string_equal(quoted, cases[i].quoted);
		free(quoted);
	}
}

/* ---- Scripts --------------------------------------------------------------- */

TEST(script_for_64_bit_code)
{
	struct gdb_setup setup = { .directory = "/d", .connection = "/d/gdb", .bits = 64, .kernel = "/k.elf",
				   .kernel_is_64 = true, .slide = 0x200000, .has_stop = true, .stop = 0x201000 };
	char *script = script_of(&setup);

	assert_string_equal(script, "symbol-file -o 0x200000 /k.elf\n"
				    "exec-file /k.elf\n"
				    "target remote /d/gdb\n"
				    "hbreak *0x201000\n"
				    "continue\n");
	free(script);
}

/* GDB refuses a 64-bit program for a 32-bit CPU as it connects, and the reverse. */
TEST(script_for_32_bit_code)
{
	struct gdb_setup setup = { .directory = "/d", .connection = "localhost:1", .bits = 32, .changes = true,
				   .kernel = "/k.elf", .has_stop = true, .stop = 0x100000 };
	char *script = script_of(&setup);

	assert_non_null(strstr(script, "symbol-file /k.elf\n"));
	assert_non_null(strstr(script, "set tdesc filename /d/bits32.xml\ntarget remote localhost:1\nexec-file\n"));
	assert_non_null(strstr(script, "set may-write-registers off\n"));
	assert_non_null(strstr(script, "define hook-stop\n"));
	free(script);

	setup.kernel_is_64 = true;
	script = script_of(&setup);
	assert_non_null(strstr(script, "\ntarget remote localhost:1\nexec-file\nset tdesc filename /d/bits32.xml\n"));
	free(script);
}

TEST(script_without_a_kernel)
{
	struct gdb_setup setup = { .directory = "/d", .connection = "/d/gdb", .bits = 16, .changes = true,
				   .loader = "/d/loader.o", .loader_address = 0x7c00 };
	char *script = script_of(&setup);

	assert_null(strstr(script, "exec-file"));
	assert_null(strstr(script, "\nsymbol-file"));
	assert_null(strstr(script, "continue"));
	assert_non_null(strstr(script, "add-symbol-file /d/loader.o 0x7c00\n"));
	assert_non_null(strstr(script, "set tdesc filename /d/bits16.xml\ntarget remote"));
	free(script);
}

TEST(script_with_physical_addresses)
{
	struct gdb_setup setup = { .directory = "/d", .connection = "/d/gdb", .bits = 32, .kernel = "/k.elf",
				   .has_physical = true, .physical_slide = -UINT64_C(0xc0000000) };
	char *script = script_of(&setup);

	assert_non_null(strstr(script, "symbol-file /k.elf\nadd-symbol-file /k.elf -o 0xffffffff40000000\n"));
	free(script);
}

TEST(command_line)
{
	char **arguments = gdb_arguments("gdb-multiarch", "/a dir");
	char *line = qemu_quote(arguments);

	assert_string_equal(line, "gdb-multiarch -q -x '/a dir/commands'");
	free(line);
	qemu_free(arguments);
}

/* ---- Descriptions ----------------------------------------------------------- */

#define MOST_REGISTERS 200

/* Bits of each register by its number, and the numbers of some by name. */
struct description {
	unsigned int bits[MOST_REGISTERS];
	char names[MOST_REGISTERS][16];
	unsigned int count;
};

static void read_description(const char *text, struct description *description)
{
	*description = (struct description){ .count = 0 };
	for (const char *at = text; (at = strstr(at, "<reg ")) != NULL; at++) {
		char name[16], type[16];
		unsigned int bits, number;

		assert_int_equal(sscanf(at, "<reg name=\"%15[^\"]\" bitsize=\"%u\" type=\"%15[^\"]\" regnum=\"%u\"/>", name,
					&bits, type, &number),
				 4);
		assert_true(number < MOST_REGISTERS);
		assert_int_equal(description->bits[number], 0);	/* twice? */
		description->bits[number] = bits;
		memcpy(description->names[number], name, sizeof(name));
		description->count++;
	}
}

/* Where a register lies in what the stub sends. */
static unsigned int offset_of(const struct description *description, const char *name)
{
	unsigned int offset = 0;

	for (unsigned int i = 0; i < description->count; i++) {
		if (strcmp(description->names[i], name) == 0)
			return offset;
		offset += description->bits[i] / 8;
	}
	CHECK(false, "no %s", name);
	return 0;
}

TEST(descriptions_are_of_what_the_stub_sends)
{
	static const struct {
		const char *name;
		unsigned int offset;
	} places[] = { { "eax", 0 },	  { "ebx", 8 },	     { "ecx", 16 },    { "edx", 24 },	 { "esi", 32 },
		       { "edi", 40 },	  { "ebp", 48 },     { "esp", 56 },    { "eip", 128 },	 { "eflags", 136 },
		       { "cs", 140 },	  { "gs", 160 },     { "fs_base", 164 }, { "cr0", 188 }, { "efer", 228 },
		       { "st0", 236 },	  { "fctrl", 316 },  { "fop", 344 },   { "xmm0", 348 },	 { "xmm15", 588 },
		       { "mxcsr", 604 } };

	for (int bits = 16; bits <= 32; bits += 16) {
		char *text = description_of(bits);
		struct description description;

		assert_non_null(strstr(text, bits == 16 ? "<architecture>i8086<" : "<architecture>i386<"));
		read_description(text, &description);
		for (size_t i = 0; i < COUNT(places); i++)
			CHECK(offset_of(&description, places[i].name) == places[i].offset, "%s", places[i].name);
		assert_string_equal(description.names[description.count - 1], "mxcsr");
		free(text);
	}
}

/* ---- Where a kernel is -------------------------------------------------------- */

static struct gdb_setup placed(struct segment segment, uint64_t entry, struct origin_facts facts,
			       uint64_t entered)
{
	struct gdb_setup setup = { .directory = "/d" };
	struct kernel kernel = { .is_64 = facts.long_mode,
				 .entry = entry,
				 .segments = &segment,
				 .segment_count = 1 };

	debugger_place(&setup, &kernel, &facts, entered);
	return setup;
}

TEST(native_kernels_run_at_their_slide)
{
	struct origin_facts facts = { .long_mode = true, .slide = 0x200000, .entry = 0x201000 };
	struct gdb_setup setup =
		placed((struct segment){ .vaddr = 0x1000, .paddr = 0x5000, .memsz = 0x1000 }, 0x1000, facts, 0);

	assert_true(setup.kernel_is_64);
	assert_int_equal(setup.slide, 0x200000);
	assert_false(setup.has_physical);
}

TEST(high_kernels_run_at_physical_addresses_too)
{
	struct origin_facts facts = { .protocol = BT_PROTOCOL_MULTIBOOT1, .entry = 0x100010 };
	struct segment segment = { .vaddr = 0xc0100000, .paddr = 0x100000, .memsz = 0x1000 };

	for (int physical = 0; physical < 2; physical++) {
		struct gdb_setup setup = placed(segment, physical ? 0x100010 : 0xc0100010, facts, 0x100010);

		assert_int_equal(setup.slide, 0);
		assert_true(setup.has_physical);
		assert_int_equal(setup.physical_slide, -UINT64_C(0xc0000000));
	}
}

TEST(moved_kernels_run_where_they_were_put)
{
	/* Linked at 0x200040, its block at 0x200000; put to 0x2e00000. */
	struct origin_facts facts = { .protocol = BT_PROTOCOL_MULTIBOOT2, .moves = true, .entry = 0x70 };
	struct segment segment = { .vaddr = 0x200040, .paddr = 0x200040, .memsz = 0x1000 };
	struct gdb_setup setup = placed(segment, 0x200070, facts, 0x2e00070);

	assert_int_equal(setup.slide, 0x2c00000);
	assert_false(setup.has_physical);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_quoted),
		cmocka_unit_test(script_for_64_bit_code),
		cmocka_unit_test(script_for_32_bit_code),
		cmocka_unit_test(script_without_a_kernel),
		cmocka_unit_test(script_with_physical_addresses),
		cmocka_unit_test(command_line),
		cmocka_unit_test(descriptions_are_of_what_the_stub_sends),
		cmocka_unit_test(native_kernels_run_at_their_slide),
		cmocka_unit_test(high_kernels_run_at_physical_addresses_too),
		cmocka_unit_test(moved_kernels_run_where_they_were_put),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
