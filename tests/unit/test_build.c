/* SPDX-License-Identifier: MIT
 *
 * The small parts of building: options on the command line, sizes in them, names
 * of images, and what becomes of the bootloader crate's options.
 */
#include "command/build.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bootabi.h"
#include "elf_maker.h"
#include "unit.h"

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define TIB (1024 * GIB)

TEST(reads_sizes)
{
	static const struct {
		const char *text;
		uint64_t unit;
		uint64_t size;
	} cases[] = {
		{ "0", 1, 0 },
		{ "1", 1, 1 },
		{ "512", 1, 512 },
		{ "64K", 1, 64 * KIB },
		{ "64k", 1, 64 * KIB },
		{ "3M", 1, 3 * MIB },
		{ "3m", 1, 3 * MIB },
		{ "2G", 1, 2 * GIB },
		{ "2g", 1, 2 * GIB },
		{ "1T", 1, TIB },
		{ "1t", 1, TIB },
		{ "0T", 1, 0 },
		{ "0x10", 1, 16 },
		{ "0x10K", 1, 16 * KIB },
		/* A suffix replaces the unit, it does not multiply it. */
		{ "128", MIB, 128 * MIB },
		{ "128K", MIB, 128 * KIB },
		{ "0", MIB, 0 },
		{ "18446744073709551615", 1, UINT64_MAX },
		{ "0xffffffffffffffff", 1, UINT64_MAX },
		{ "16777215T", 1, UINT64_C(16777215) * TIB },
		{ "17592186044415", MIB, UINT64_C(17592186044415) * MIB },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t size = 12345;

		CHECK(parse_size(cases[i].text, cases[i].unit, &size) == 0, "'%s' refused", cases[i].text);
		CHECK(size == cases[i].size, "'%s' is %llu", cases[i].text, (unsigned long long)size);
	}
}

TEST(refuses_what_is_no_size)
{
	static const char *const texts[] = {
		"", " ", "K", "x", "-1", "+1", " 1", "1 ", "1 K", "1KB", "1KiB", "1KK", "1P", "1B", "1.5M",
		"1e3", "0x", "0xg", "1,000", "1\n", "K1", "-0", "--1", "1-", "0x-1", "nan", "\xff", "1\xff",
		"1\x0b", "1+\x0b",
		/* Too much: in the number, and in the product. */
		"18446744073709551616", "99999999999999999999999999", "0x10000000000000000",
		"16777216T", "17179869184G", "17592186044416M", "18014398509481984K",
		"18446744073709551615K",
	};

	for (size_t i = 0; i < COUNT(texts); i++) {
		uint64_t size = 12345;

		CHECK(parse_size(texts[i], 1, &size) == -1, "'%s' is %llu", texts[i],
		      (unsigned long long)size);
		/* The default stays. */
		CHECK(size == 12345, "'%s' changed the size", texts[i]);
	}
}

TEST(refuses_overflow_by_the_unit)
{
	uint64_t size;

	assert_int_equal(parse_size("17592186044416", MIB, &size), -1);
	assert_int_equal(parse_size("18446744073709551615", 2, &size), -1);
}

/* People who pad with zeros mean decimal. */
TEST(leading_zeros_are_decimal)
{
	uint64_t size = 0;

	assert_int_equal(parse_size("010M", 1, &size), 0);
	assert_int_equal(size, 10 * MIB);
	assert_int_equal(parse_size("08", 1, &size), 0);
	assert_int_equal(size, 8);
}

TEST(names_of_images)
{
	static const struct {
		const char *kernel;
		const char *image;
	} cases[] = {
		{ "kernel.elf", "kernel.img" },
		{ "kernel", "kernel.img" },
		{ "a/b/kernel.elf", "a/b/kernel.img" },
		{ "/kernel.elf", "/kernel.img" },
		{ "./kernel", "./kernel.img" },
		{ "a.elf/kernel", "a.elf/kernel.img" },
		{ "kernel.elf.elf", "kernel.elf.img" },
		{ "kernel.ELF", "kernel.ELF.img" },
		{ "kernel.elf2", "kernel.elf2.img" },
		{ "kernel.bin", "kernel.bin.img" },
		{ "kernelelf", "kernelelf.img" },
		{ "x.elf", "x.img" },
		/* A name that is only the suffix would leave nothing of itself. */
		{ ".elf", ".elf.img" },
		{ "a/.elf", "a/.elf.img" },
		{ "%s%n.elf", "%s%n.img" },
		/* An image of its own, not the kernel itself. */
		{ "kernel.img", "kernel.img.img" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		char *image = build_default_output(cases[i].kernel, ".img");

		CHECK(strcmp(image, cases[i].image) == 0, "'%s' becomes '%s'", cases[i].kernel, image);
		free(image);
	}
}

/* ---- Options ------------------------------------------------------------- */

#define MOST_WORDS 8

/* Parse a command line of these words, as "build" does. */
static struct build_options parse_words(const char *const *words)
{
	struct build_options options = BUILD_OPTIONS_DEFAULT;
	char *argv[MOST_WORDS + 2] = { (char[]){ "build" } };
	int argc = 1;

	for (size_t i = 0; i < MOST_WORDS && words[i] != NULL; i++)
		argv[argc++] = (char *)(uintptr_t)words[i];
	assert_int_equal(argp_parse(&build_argp, argc, argv, 0, NULL, &options), 0);
	return options;
}

#define PARSE(...) parse_words((const char *const[MOST_WORDS]){ __VA_ARGS__ })

TEST(options_by_default)
{
	struct build_options options = PARSE(NULL);

	assert_false(options.given);
	assert_string_equal(options.cmdline, "");
	/* The protocol's default. */
	assert_int_equal(options.stack_size, 0);
	assert_null(options.protocol);
	assert_false(options.has_video);
	assert_false(options.has_kernel_base);
	assert_int_equal(options.module_count, 0);
	assert_null(crate_given(&options.crate));
}

TEST(options_that_are_given)
{
	static const char *const words[] = {
		"-ofile", "-ca b", "--stack-size=1", "--size=1M", "--protocol=native", "-mfile",
		"--video=text", "--kernel-base=0", "--bootloader=dir", "--features=", "--features=sse",
		"--kernel-stack-size=1", "--kernel-stack-address=4096", "--boot-info-address=4096",
		"--physical-memory-offset=4096",
	};

	for (size_t i = 0; i < COUNT(words); i++) {
		struct build_options options = PARSE(words[i]);

		CHECK(options.given, "%s", words[i]);
		free(options.modules);
	}
	struct build_options options = PARSE("-q", "-v", "--protocol=auto");
	assert_false(options.given);
	assert_true(options.quiet && options.verbose);
}

TEST(reads_protocols_and_modules)
{
	static const char *const names[] = { "native", "multiboot1", "multiboot2", "pvh", "bootloader-0.9" };
	struct build_options options;

	for (size_t i = 0; i < COUNT(names); i++) {
		options = PARSE("--protocol", names[i]);
		assert_string_equal(options.protocol, names[i]);
	}
	options = PARSE("--protocol=pvh", "--protocol=auto");
	assert_null(options.protocol);
	options = PARSE("-m", "a", "--module=b=c", "-md=");
	assert_int_equal(options.module_count, 3);
	assert_string_equal(options.modules[0], "a");
	assert_string_equal(options.modules[1], "b=c");
	assert_string_equal(options.modules[2], "d=");
	free(options.modules);
}

TEST(reads_video_modes)
{
	static const struct {
		const char *text;
		struct plan_video video;
	} cases[] = {
		{ "text", { 0, 0, 0, VIDEO_TELL } },
		{ "640x480", { 640, 480, 0, VIDEO_REQUIRE } },
		{ "1024x768x32", { 1024, 768, 32, VIDEO_REQUIRE } },
		{ "1024x768x24", { 1024, 768, 24, VIDEO_REQUIRE } },
		{ "800x600x16", { 800, 600, 16, VIDEO_REQUIRE } },
		{ "800x600x15", { 800, 600, 15, VIDEO_REQUIRE } },
		{ "65535x65535", { 65535, 65535, 0, VIDEO_REQUIRE } },
		{ "1x1", { 1, 1, 0, VIDEO_REQUIRE } },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct build_options options = PARSE("--video", cases[i].text);

		assert_true(options.has_video);
		CHECK(memcmp(&options.video, &cases[i].video, sizeof(options.video)) == 0, "%s",
		      cases[i].text);
	}
}

TEST(reads_addresses_and_stacks)
{
	struct build_options options = PARSE("--kernel-base=0xffffffff80000000", "--stack-size=256M");

	assert_true(options.has_kernel_base);
	assert_int_equal(options.kernel_base, UINT64_C(0xffffffff80000000));
	assert_int_equal(options.stack_size, 256 * MIB);
	options = PARSE("--kernel-base=2M", "--stack-size=1");
	assert_int_equal(options.kernel_base, 2 * MIB);
	assert_int_equal(options.stack_size, 1);
}

/* --kernel-stack-size is --stack-size in pages: the later one counts. */
TEST(reads_stacks_in_pages)
{
	static const struct {
		const char *text;
		uint64_t size;
	} cases[] = {
		{ "1", 4 * KIB },
		{ "512", 2 * MIB },
		{ "65536", 256 * MIB },
	};
	struct build_options options;

	for (size_t i = 0; i < COUNT(cases); i++) {
		options = PARSE("--kernel-stack-size", cases[i].text);
		CHECK(options.stack_size == cases[i].size, "%s pages: %llu bytes", cases[i].text,
		      (unsigned long long)options.stack_size);
		assert_null(crate_given(&options.crate));
	}
	options = PARSE("--stack-size=64K", "--kernel-stack-size=2");
	assert_int_equal(options.stack_size, 8 * KIB);
	options = PARSE("--kernel-stack-size=2", "--stack-size=64K");
	assert_int_equal(options.stack_size, 64 * KIB);
}

TEST(reads_options_of_the_bootloader_crate)
{
	struct build_options options =
		PARSE("--features=map_physical_memory,sse", "--kernel-stack-address=0xFFFF_8000_0000_0000",
		      "--boot-info-address=0x1000", "--physical-memory-offset=1073741824");

	assert_true(options.crate.has_features);
	assert_int_equal(options.crate.features, CRATE_MAP_PHYSICAL_MEMORY | CRATE_SSE);
	assert_int_equal(options.crate.stack_address, UINT64_C(0xffff800000000000));
	assert_int_equal(options.crate.boot_info_address, 0x1000);
	assert_int_equal(options.crate.physical_memory_offset, GIB);
	/* None is something that is said; a later list replaces the one before. */
	options = PARSE("--features", "");
	assert_true(options.crate.has_features);
	assert_int_equal(options.crate.features, 0);
	options = PARSE("--features=sse", "--features", "vga_320x200, recursive_page_table");
	assert_int_equal(options.crate.features, CRATE_VGA_320X200 | CRATE_RECURSIVE_PAGE_TABLE);
	options = PARSE("--features=sse", "--features=");
	assert_int_equal(options.crate.features, 0);
	/* Each goes where it belongs. */
	options = PARSE("--kernel-stack-address=0x5000");
	assert_string_equal(crate_given(&options.crate), "kernel-stack-address");
	options = PARSE("--boot-info-address=0x5000");
	assert_string_equal(crate_given(&options.crate), "boot-info-address");
	options = PARSE("--physical-memory-offset=0x5000");
	assert_string_equal(crate_given(&options.crate), "physical-memory-offset");
}

/* What an option that is wrong makes a program print before it ends. */
static void parse_in_child(const char *word, int output)
{
	const char *const words[MOST_WORDS] = { word };

	dup2(output, STDERR_FILENO);
	argp_err_exit_status = 42;
	parse_words(words);
	_exit(0);
}

static void refuse_word(const char *word, const char *says)
{
	char text[2000];
	size_t used = 0;
	int pipes[2], status;

	assert_int_equal(pipe(pipes), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		parse_in_child(word, pipes[1]);
	close(pipes[1]);
	for (ssize_t got; used < sizeof(text) - 1 &&
			  (got = read(pipes[0], text + used, sizeof(text) - 1 - used)) > 0;)
		used += (size_t)got;
	text[used] = '\0';
	close(pipes[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 42, "%s: status 0x%x: %s", word, status, text);
	CHECK(strstr(text, says) != NULL, "%s: '%s' lacks '%s'", word, text, says);
}

TEST(refuses_wrong_options)
{
	static const char *const protocols[] = {
		"", "Native", "multiboot", "multiboot3", "native ", "bootloader", "bootloader-0.11",
	};
	static const char *const modes[] = {
		"", "x", "1024", "1024x", "x768", "0x768", "1024x0", "01024x768", "65536x1", "1x65536",
		"1024x768x", "1024x768x8", "1024x768x33", "1024x768x032", "1024x768x32x", "1024x768 ",
		"1024X768", "-1x1", "+1x1", "1e3x768", "TEXT", "text ", "99999999999999999999x1",
	};
	static const char *const stacks[] = { "", "0", "0K", "257M", "268435457", "x", "-1" };
	static const char *const bases[] = {
		"", "1", "0x1001", "0xfff", "x", "-4096", "0x10000000000000000",
	};
	char word[100];

	for (size_t i = 0; i < COUNT(protocols); i++) {
		snprintf(word, sizeof(word), "--protocol=%s", protocols[i]);
		refuse_word(word, "' is none of auto, native, multiboot1, multiboot2, pvh, bootloader-0.9");
	}
	for (size_t i = 0; i < COUNT(modes); i++) {
		snprintf(word, sizeof(word), "--video=%s", modes[i]);
		refuse_word(word, "' is neither text nor a mode like 1024x768 or 1024x768x32");
	}
	for (size_t i = 0; i < COUNT(stacks); i++) {
		snprintf(word, sizeof(word), "--stack-size=%s", stacks[i]);
		refuse_word(word, "' is not a size from 1 to 256M");
	}
	for (size_t i = 0; i < COUNT(bases); i++) {
		snprintf(word, sizeof(word), "--kernel-base=%s", bases[i]);
		refuse_word(word, "' is not an address on a page boundary (a multiple of 0x1000)");
	}
	refuse_word("--size=x", "--size: 'x' is not a size");
}

TEST(refuses_wrong_options_of_the_bootloader_crate)
{
	static const struct {
		const char *list;
		const char *wrong;
	} features[] = {
		{ "x", "'x'" },
		{ "sse2", "'sse2'" },
		{ "sse,,bogus,vga_320x200", "'bogus'" },
		{ "sse ss", "'ss'" },
	};
	static const char *const pages[] = {
		"", "0", "-1", "+1", "01", "1K", "512 ", " 512", "0x200", "65537", "18446744073709551617",
	};
	static const char *const addresses[] = { "", "0", "0x0", "4K", "0x1001", "-4096", "0x10000000000000000" };
	static const char *const names[] = {
		"kernel-stack-address", "boot-info-address", "physical-memory-offset",
	};
	char word[100], says[200];

	for (size_t i = 0; i < COUNT(features); i++) {
		snprintf(word, sizeof(word), "--features=%s", features[i].list);
		snprintf(says, sizeof(says),
			 "--features: %s is none of map_physical_memory, recursive_page_table, sse, vga_320x200",
			 features[i].wrong);
		refuse_word(word, says);
	}
	for (size_t i = 0; i < COUNT(pages); i++) {
		snprintf(word, sizeof(word), "--kernel-stack-size=%s", pages[i]);
		snprintf(says, sizeof(says),
			 "--kernel-stack-size: '%s' is not a number of pages from 1 to 65536\n", pages[i]);
		refuse_word(word, says);
	}
	for (size_t i = 0; i < COUNT(addresses) * COUNT(names); i++) {
		const char *name = names[i % COUNT(names)], *address = addresses[i / COUNT(names)];

		snprintf(word, sizeof(word), "--%s=%s", name, address);
		snprintf(says, sizeof(says),
			 "--%s: '%s' is not an address on a page boundary (a multiple of 0x1000)\n", name,
			 address);
		refuse_word(word, says);
	}
}

/* ---- Plans of the bootloader crate's kernels --------------------------------- */

/* Plan an ELF64 kernel of one page at 2 MiB, which may have a Multiboot 1 header and
 * the section of the crate's later versions.  The file's name is gone afterwards. */
static int plan_file(bool has_header, bool has_section, const struct build_options *options,
		     struct planned *planned, struct error *err)
{
	static const uint32_t header[] = { 0x1badb002, 3, -(0x1badb002u + 3) };
	static const char strings[] = "\0.bootloader-config";
	const Elf64_Phdr phdr = { .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_offset = 0x1000,
				  .p_vaddr = 2 * MIB, .p_paddr = 2 * MIB, .p_filesz = 0x100, .p_memsz = 0x100 };
	const Elf64_Shdr sections[] = {
		{ .sh_type = SHT_NULL },
		{ .sh_type = SHT_STRTAB, .sh_offset = 0x500, .sh_size = sizeof(strings) },
		{ .sh_name = 1, .sh_type = SHT_PROGBITS, .sh_offset = 0x600, .sh_size = 8 },
	};
	const struct elf_spec spec = { .phdrs = &phdr, .count = 1, .entry = 2 * MIB, .size = 0x1100,
				       .sections = sections, .strings = 1,
				       .section_count = has_section ? COUNT(sections) : 0 };
	char path[] = "/tmp/test_build.XXXXXX";
	int fd = mkstemp(path);
	size_t size;
	unsigned char *bytes = elf_make(&spec, &size);

	memcpy(bytes + 0x500, strings, sizeof(strings));
	for (size_t i = 0; has_header && i < COUNT(header); i++)
		elf_edit(bytes, 0x400 + 4 * i, 4, header[i]);
	assert_true(fd >= 0 && write(fd, bytes, size) == (ssize_t)size && close(fd) == 0);
	free(bytes);
	*err = (struct error){0};
	int result = build_plan(path, options, planned, err);
	unlink(path);
	return result;
}

/* An option of the crate's with another protocol would do nothing. */
TEST(refuses_options_for_other_kernels)
{
	static const char *const options[][2] = {
		{ "features", "--features=" },
		{ "features", "--features=sse" },
		{ "kernel-stack-address", "--kernel-stack-address=0x1000" },
		{ "boot-info-address", "--boot-info-address=0x1000" },
		{ "physical-memory-offset", "--physical-memory-offset=0x200000" },
	};
	char says[200];

	for (size_t i = 0; i < 2 * COUNT(options); i++) {
		const char *const *option = options[i / 2];
		struct build_options asked = PARSE(option[1]);
		struct planned planned;
		struct error err;

		asked.protocol = i % 2 == 0 ? NULL : "multiboot1";
		snprintf(says, sizeof(says), "--%s is for kernels of the bootloader crate, and this one is booted by %s",
			 option[0], i % 2 == 0 ? "native" : "multiboot1");
		assert_refused(plan_file(i % 2 != 0, false, &asked, &planned, &err), &err, ERROR_USAGE, says,
			       option[1]);
		assert_string_equal(err.text, says);
		assert_string_equal(err.hint, "add --protocol bootloader-0.9, or leave it out");
	}
}

/* The stack's size is everybody's. */
TEST(stack_in_pages_is_for_all_kernels)
{
	struct build_options asked = PARSE("--kernel-stack-size=3");
	struct planned planned;
	struct error err;

	assert_accepted(plan_file(false, false, &asked, &planned, &err), &err, "native");
	assert_int_equal(planned.plan.protocol, BT_PROTOCOL_NATIVE);
	assert_int_equal(planned.plan.stack_size, 12 * KIB);
	build_plan_free(&planned);
}

TEST(options_reach_the_plan)
{
	struct build_options asked =
		PARSE("--protocol=bootloader-0.9", "--features=map_physical_memory,recursive_page_table,sse",
		      "--kernel-stack-size=7", "--kernel-stack-address=0x40000000",
		      "--boot-info-address=0x50000000", "--physical-memory-offset=0x60000000");
	struct planned planned;
	struct error err;

	assert_accepted(plan_file(false, false, &asked, &planned, &err), &err, "bootloader-0.9");
	assert_int_equal(planned.plan.protocol, BT_PROTOCOL_BOOTLOADER_09);
	assert_true(planned.choice.forced);
	assert_int_equal(planned.plan.stack_size, 28 * KIB);
	assert_int_equal(planned.plan.stack_top, 0x40008000);
	assert_int_equal(planned.plan.info_virt, 0x50000000);
	assert_int_equal(planned.plan.physmap_virt, 0x60000000);
	assert_int_equal(planned.plan.recursive, 1);
	assert_true(planned.plan.sse);
	build_plan_free(&planned);
}

TEST(refuses_what_the_bootloader_crate_does_not_have)
{
	struct planned planned;
	struct error err;
	struct build_options asked = PARSE("--protocol=bootloader-0.9", "-ca");

	assert_refused(plan_file(false, false, &asked, &planned, &err), &err, ERROR_USAGE,
		       "--cmdline cannot be handed over", "-c");
	asked = PARSE("--protocol=bootloader-0.9", "-m/proc/self/exe");
	assert_refused(plan_file(false, false, &asked, &planned, &err), &err, ERROR_USAGE,
		       "--module cannot be handed over", "-m");
	build_options_free(&asked);
	asked = PARSE("--protocol=bootloader-0.9", "--video=1024x768");
	assert_refused(plan_file(false, false, &asked, &planned, &err), &err, ERROR_USAGE,
		       "the screen of a bootloader-0.9 kernel", "--video");
}

/* With a header for another protocol it boots all the same, but that is said. */
TEST(warns_of_kernels_of_later_crates)
{
	const struct build_options asked = BUILD_OPTIONS_DEFAULT;
	struct planned planned;
	struct error err;

	assert_refused(plan_file(false, true, &asked, &planned, &err), &err, ERROR_INPUT,
		       "is a kernel of the bootloader crate 0.10 or 0.11", "section");
	assert_accepted(plan_file(true, true, &asked, &planned, &err), &err, "section and header");
	assert_int_equal(planned.plan.protocol, BT_PROTOCOL_MULTIBOOT1);
	assert_int_equal(planned.plan.warning_count, 1);
	assert_non_null(strstr(planned.plan.warnings[0].text, "passed over: '/tmp/test_build."));
	assert_non_null(strstr(planned.plan.warnings[0].text,
			       "is a kernel of the bootloader crate 0.10 or 0.11 (it has a section .bootloader-config), whose protocol is not supported yet"));
	build_plan_free(&planned);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_sizes),
		cmocka_unit_test(refuses_what_is_no_size),
		cmocka_unit_test(refuses_overflow_by_the_unit),
		cmocka_unit_test(leading_zeros_are_decimal),
		cmocka_unit_test(names_of_images),
		cmocka_unit_test(options_by_default),
		cmocka_unit_test(options_that_are_given),
		cmocka_unit_test(reads_protocols_and_modules),
		cmocka_unit_test(reads_video_modes),
		cmocka_unit_test(reads_addresses_and_stacks),
		cmocka_unit_test(reads_stacks_in_pages),
		cmocka_unit_test(reads_options_of_the_bootloader_crate),
		cmocka_unit_test(refuses_wrong_options),
		cmocka_unit_test(refuses_wrong_options_of_the_bootloader_crate),
		cmocka_unit_test(refuses_options_for_other_kernels),
		cmocka_unit_test(stack_in_pages_is_for_all_kernels),
		cmocka_unit_test(options_reach_the_plan),
		cmocka_unit_test(refuses_what_the_bootloader_crate_does_not_have),
		cmocka_unit_test(warns_of_kernels_of_later_crates),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
