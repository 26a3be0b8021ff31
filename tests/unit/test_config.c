/* SPDX-License-Identifier: MIT
 *
 * mkbootimg.conf, with commands of our own; and [package.metadata.bootimage].
 */
#include "config/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/cargo.h"
#include "base/fileio.h"
#include "unit.h"

/* ---- Two commands -------------------------------------------------------- */

enum { OPT_ONCE = 100, OPT_SAME };

/* What options were parsed, one letter each, and their values. */
struct seen {
	char text[256];
	bool from_file;
};

static void see(struct seen *seen, const char *name, const char *value)
{
	size_t used = strlen(seen->text);

	snprintf(seen->text + used, sizeof(seen->text) - used, "%s=%s;", name, value);
}

static error_t parse_common(int key, char *arg, struct argp_state *state)
{
	if (key != 'f')
		return ARGP_ERR_UNKNOWN;
	see(state->input, "file", arg);
	return 0;
}

static const struct argp_option common_options[] = {
	{ "file", 'f', "FILE[=NAME]", 0, "", 0 },
	{ 0 },
};
static const struct argp common = { .options = common_options, .parser = parse_common };

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = state->input;
		return 0;
	case 's':
		see(state->input, "switch", "on");
		((struct seen *)state->input)->from_file = OPTION_FROM_FILE(state);
		return 0;
	case 'n':
		if (strcmp(arg, "7") != 0)
			argp_error(state, "--number: '%s' is not 7", arg);
		see(state->input, "number", arg);
		return 0;
	case 'p':
		see(state->input, "program", arg);
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "nothing given");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option big_options[] = {
	{ NULL, 0, NULL, 0, "A header:", 1 },
	{ "switch", 's', NULL, 0, "", 1 },
	{ "alias", 0, NULL, OPTION_ALIAS, "", 1 },
	{ "number", 'n', "N", 0, "", 1 },
	{ "program", 'p', "PROGRAM", 0, "", 1 },
	{ "once", OPT_ONCE, NULL, OPTION_NOT_IN_FILE, "", 1 },
	{ "hidden", OPT_SAME, NULL, OPTION_HIDDEN, "", 1 },
	{ 0 },
};
static const struct argp_child children[] = { { .argp = &common }, { 0 } };
static const struct argp big = { .options = big_options, .parser = parse, .children = children };

static const struct config_section sections[] = { { "small", &common }, { "big", &big } };

/* ---- Helpers ------------------------------------------------------------- */

static char *directory;

static int make_directory(void **state)
{
	(void)state;
	directory = format_string("/tmp/mkbootimg-unit.XXXXXX");
	return mkdtemp(directory) == NULL;
}

static int remove_directory(void **state)
{
	CLEANUP_FREE char *path = format_string("%s/c", directory);

	(void)state;
	unlink(path);
	rmdir(directory);
	free(directory);
	return 0;
}

/* Read a file that holds these bytes. */
static int read_bytes(struct config *config, const void *bytes, size_t size, struct error *err)
{
	CLEANUP_FREE char *path = format_string("%s/c", directory);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
	return config_read(config, path, sections, COUNT(sections), err);
}

static int read_text(struct config *config, const char *text, struct error *err)
{
	return read_bytes(config, text, strlen(text), err);
}

#define APPLY(config, argp, seen, err, ...) \
	config_apply(config, (const char *const[]){ __VA_ARGS__, NULL }, argp, seen, err)

/* ---- Tests --------------------------------------------------------------- */

TEST(applies_sections_in_order)
{
	struct config config;
	struct seen seen = { .text = "" };
	struct error err;

	assert_accepted(read_text(&config, "[big]\nswitch=yes\nnumber = 7\n[small]\nfile = /a=b c\n", &err), &err, "read");
	assert_accepted(APPLY(&config, &big, &seen, &err, "small", "big"), &err, "applied");
	assert_string_equal(seen.text, "file=/a=b c;switch=on;number=7;");
	assert_true(seen.from_file);
	/* Another command knows only some. */
	seen = (struct seen){ .text = "" };
	assert_accepted(APPLY(&config, &common, &seen, &err, "small", "big"), &err, "applied");
	assert_string_equal(seen.text, "file=/a=b c;");
	config_free(&config);
}

TEST(the_last_of_a_switch_counts)
{
	struct config config;
	struct seen seen = { .text = "" };
	struct error err;

	assert_accepted(read_text(&config, "[big]\nswitch=yes\nswitch=no\nnumber=7\nnumber=7\n", &err), &err, "read");
	assert_accepted(APPLY(&config, &big, &seen, &err, "big"), &err, "applied");
	assert_string_equal(seen.text, "number=7;number=7;");
	config_free(&config);
}

TEST(files_are_beside_the_file)
{
	struct config config;
	struct seen seen = { .text = "" };
	struct error err;

	assert_accepted(read_text(&config, "[big]\nfile=a/b=c\nfile=/d\nfile=\nprogram=p\nprogram=./p\n", &err), &err, "read");
	assert_accepted(APPLY(&config, &big, &seen, &err, "big"), &err, "applied");
	CLEANUP_FREE char *want = format_string("file=%s/a/b=c;file=/d;file=;program=p;program=%s/./p;",
						directory, directory);
	assert_string_equal(seen.text, want);
	config_free(&config);
}

TEST(says_what_is_wrong_and_where)
{
	static const struct {
		const char *text, *says, *hint;
	} cases[] = {
		{ "[big]\nnumbre=7", "c:2: [big] has no key 'numbre'", "the nearest one is 'number'" },
		{ "[small]\nnumber=7", "c:2: [small] has no key 'number'", "it is a key of [big]" },
		{ "[big]\nonce=yes", "c:2: 'once' is for the command line only", "--once" },
		{ "[big]\nhidden=yes", "c:2: [big] has no key 'hidden'", "the nearest" },
		{ "[big]\nalias=yes", "c:2: [big] has no key 'alias'", "the nearest" },
		{ "[big]\n\n\nswitch=1", "c:4: 'switch' is '1'", "true or yes" },
		{ "[bog]\n", "c:1: there is no section [bog]", "[small], [big]" },
		{ "switch=yes\n", "c:1: 'switch' comes before any section", "[small], [big]" },
		{ "[big]\nswitch\nnumbre=1", "c:2: this is neither", "'key = true'" },
		{ "[big]\nnumbre=1\nswitch", "c:2: [big] has no key", "nearest" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct config config;
		struct error err;

		assert_refused(read_text(&config, cases[i].text, &err), &err, ERROR_USAGE, cases[i].says, cases[i].text);
		CHECK(strstr(err.hint, cases[i].hint) != NULL, "%s: '%s'", cases[i].text, err.hint);
		config_free(&config);
	}
}

TEST(says_what_an_option_refuses)
{
	struct config config;
	struct seen seen = { .text = "" };
	struct error err;

	assert_accepted(read_text(&config, "[big]\nswitch=yes\nnumber=8\n", &err), &err, "read");
	assert_refused(APPLY(&config, &big, &seen, &err, "big"), &err, ERROR_USAGE, "c:3: --number: '8' is not 7", "8");
	config_free(&config);
}

/* Every prefix and many a change of a good file is read or refused, no more. */
TEST(survives_changes)
{
	static const char good[] = "\xef\xbb\xbf# c\r\n[big]\r\nswitch = yes ; c\n\tnumber: 7\n[small]\nfile=a b\n";
	uint64_t seed = 1;

	for (size_t i = 0; i < 3000; i++) {
		char bytes[sizeof(good)];
		size_t size = i < sizeof(good) ? i : sizeof(good) - 1;
		struct config config;
		struct seen seen = { .text = "" };
		struct error err;

		memcpy(bytes, good, sizeof(good));
		for (size_t j = 0; i >= sizeof(good) && j <= random_below(&seed, 4); j++)
			bytes[random_below(&seed, size)] = (char)random_next(&seed);
		if (read_bytes(&config, bytes, size, &err) == 0)
			APPLY(&config, &big, &seen, &err, "small", "big");
		else
			CHECK(err.class == ERROR_USAGE && strstr(err.text, "c:") != NULL, "%s", err.text);
		config_free(&config);
	}
}

/* ---- Cargo --------------------------------------------------------------- */

static int parse_table(struct cargo_settings *settings, const char *text, bool is_test, struct error *err)
{
	json_t *table = json_loads(text, JSON_DECODE_ANY, NULL);

	assert_non_null(table);
	int status = cargo_parse(settings, table, is_test, "Cargo.toml", err);
	json_decref(table);
	return status;
}

TEST(a_package_that_says_nothing)
{
	struct cargo_settings settings;
	struct error err;

	for (int is_test = 0; is_test <= 1; is_test++) {
		assert_accepted(cargo_parse(&settings, NULL, is_test, "Cargo.toml", &err), &err, "nothing");
		assert_null(settings.command);
		assert_null(settings.args);
		assert_int_equal(settings.success_code, -1);
		assert_false(settings.reboots);
		assert_true(settings.timeout == (is_test ? 300 : 0));
		cargo_settings_free(&settings);
	}
}

TEST(a_package_that_says_all)
{
	static const char text[] =
		"{\"build-command\":[\"b\"],\"run-command\":[\"q\",\"{}\"],\"run-args\":[\"r\"],\"test-args\":[\"t\",\"u\"],"
		"\"test-timeout\":9,\"test-success-exit-code\":35,\"test-no-reboot\":false}";
	struct cargo_settings settings;
	struct error err;

	assert_accepted(parse_table(&settings, text, true, &err), &err, "a test");
	assert_string_equal(settings.command[0], "q");
	assert_string_equal(settings.command[1], "{}");
	assert_null(settings.command[2]);
	assert_string_equal(settings.args[1], "u");
	assert_null(settings.args[2]);
	assert_true(settings.timeout == 9 && settings.success_code == 35 && settings.reboots);
	cargo_settings_free(&settings);

	/* What is for tests does not touch a program. */
	assert_accepted(parse_table(&settings, text, false, &err), &err, "a program");
	assert_string_equal(settings.args[0], "r");
	assert_null(settings.args[1]);
	assert_true(settings.timeout == 0 && settings.success_code == -1 && !settings.reboots);
	cargo_settings_free(&settings);
}

/* Also where it would not count. */
TEST(a_package_that_is_wrong)
{
	static const char *const texts[] = {
		"{\"x\":1}", "[]", "\"x\"", "{\"run-args\":[1]}", "{\"run-args\":{}}", "{\"run-command\":[]}",
		"{\"test-timeout\":0}", "{\"test-timeout\":1.5}", "{\"test-timeout\":9223372036854775807}",
		"{\"test-success-exit-code\":-1}", "{\"test-no-reboot\":null}", "{\"build-command\":1}",
	};

	for (size_t i = 0; i < 2 * COUNT(texts); i++) {
		struct cargo_settings settings;
		struct error err;

		assert_refused(parse_table(&settings, texts[i / 2], i % 2, &err), &err, ERROR_USAGE, "'Cargo.toml': ",
			       texts[i / 2]);
		cargo_settings_free(&settings);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(applies_sections_in_order),
		cmocka_unit_test(the_last_of_a_switch_counts),
		cmocka_unit_test(files_are_beside_the_file),
		cmocka_unit_test(says_what_is_wrong_and_where),
		cmocka_unit_test(says_what_an_option_refuses),
		cmocka_unit_test(survives_changes),
		cmocka_unit_test(a_package_that_says_nothing),
		cmocka_unit_test(a_package_that_says_all),
		cmocka_unit_test(a_package_that_is_wrong),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
