/* SPDX-License-Identifier: MIT
 *
 * The small parts of building: options on the command line, sizes in them, names
 * of images.
 */
#include "build.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bootabi.h"
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
		char *image = build_default_output(cases[i].kernel);

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
}

TEST(options_that_are_given)
{
	static const char *const words[] = {
		"-ofile", "-ca b", "--stack-size=1", "--size=1M", "--protocol=native", "-mfile",
		"--video=text", "--kernel-base=0", "--bootloader=dir",
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
	static const char *const names[] = { "native", "multiboot1", "multiboot2", "pvh" };
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
	static const char *const protocols[] = { "", "Native", "multiboot", "multiboot3", "native " };
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
		refuse_word(word, "' is none of auto, native, multiboot1, multiboot2, pvh");
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
		cmocka_unit_test(refuses_wrong_options),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
