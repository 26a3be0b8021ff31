/* SPDX-License-Identifier: MIT
 *
 * Lists of words, and command lines told apart by argp's tables.
 */
#include "base/words.h"

#include <stdlib.h>

#include "base/options.h"
#include "unit.h"

TEST(measures_distances)
{
	static const struct {
		const char *left, *right;
		size_t distance;
	} cases[] = {
		{ "", "", 0 },	       { "", "abc", 3 },	{ "abc", "", 3 },
		{ "abc", "abc", 0 },   { "abc", "abd", 1 },	{ "abc", "ab", 1 },
		{ "abc", "xabc", 1 },  { "kitten", "sitting", 3 }, { "timout", "timeout", 1 },
		{ "memroy", "memory", 2 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t distance = words_distance(cases[i].left, cases[i].right);

		CHECK(distance == cases[i].distance, "'%s', '%s': %zu", cases[i].left, cases[i].right, distance);
		assert_int_equal(words_distance(cases[i].right, cases[i].left), distance);
	}
}

TEST(takes_lists_apart)
{
	static const char *const words[] = { "auto", "bootloader-0.9", "kvm" };
	const char *list = "auto, bootloader-0.9,kvm", *word;
	size_t length;

	for (size_t i = 0; i < COUNT(words); i++) {
		word = words_next(&list, &length);
		assert_non_null(word);
		assert_int_equal(length, strlen(words[i]));
		assert_memory_equal(word, words[i], length);
	}
	assert_null(words_next(&list, &length));
	list = "";
	assert_null(words_next(&list, &length));
}

TEST(suggests_only_what_is_alike)
{
	static const struct {
		const char *word, *nearest;
	} cases[] = {
		{ "tgc", "tcg" },	       { "tcgg", "tcg" },	 { "multibot2", "multiboot2" },
		{ "multiboot3", "multiboot1" }, { "elf", NULL },	 { "", NULL },
		{ "k", NULL },		       { "TCG", "tcg" },
				       { "multiboot", "multiboot1" }, { "natve", "native" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		char *nearest = words_nearest("auto, native, multiboot1, multiboot2, tcg, kvm", cases[i].word);

		CHECK((nearest == NULL) == (cases[i].nearest == NULL) &&
			      (nearest == NULL || strcmp(nearest, cases[i].nearest) == 0),
		      "'%s': '%s'", cases[i].word, nearest != NULL ? nearest : "(none)");
		free(nearest);
	}
}

/* ---- Command lines ------------------------------------------------------------ */

static const struct argp_option child_options[] = {
	{ "format", 'f', "NAME", 0, "", 0 },
	{ "former", 500, "X", 0, "", 0 },
	{ 0 },
};
static const struct argp child = { .options = child_options };
static const struct argp_child children[] = { { .argp = &child }, { 0 } };
static const struct argp_option options[] = {
	{ "quiet", 'q', NULL, 0, "", 0 },
	{ "hidden", 'H', "X", OPTION_HIDDEN, "", 0 },
	{ NULL, 0, NULL, OPTION_DOC, "a heading", 1 },
	{ "output", 'o', "FILE", 0, "", 1 },
	{ 0 },
};
static const struct argp argp = { .options = options, .children = children };

TEST(tells_words_apart)
{
	/* A letter for each word: Option, Value, Argument, End, Unknown. */
	static const struct {
		const char *words[8];
		const char *kinds;
		bool in_order;
	} cases[] = {
		{ { "k", "-q", "k" }, "AOA", false },
		{ { "k", "-q", "--output" }, "AAA", true },
		{ { "-q", "--output", "--quiet", "k" }, "OOVA", true },
		{ { "--output=--quiet", "k" }, "OA", false },
		{ { "--out", "x", "--qui", "k" }, "OVOA", false },
		{ { "--form", "k", "--former", "x", "--forme", "x" }, "OAOVOV", false },
		{ { "-qo", "x", "-qox", "k", "-fo", "k" }, "OVOAOA", false },
		{ { "--", "-q", "--output" }, "EAA", false },
		{ { "-o", "--", "--", "--" }, "OVEA", false },
		{ { "-", "--hidden", "k", "--x=y" }, "AUAU", false },
		{ { "-x", "k", "" }, "OAA", false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct options_walk walk = { .argp = &argp, .in_order = cases[i].in_order };
		char kinds[9] = "";

		for (size_t j = 0; cases[i].words[j] != NULL; j++)
			kinds[j] = "OVAEU"[options_step(&walk, cases[i].words[j])];
		CHECK(strcmp(kinds, cases[i].kinds) == 0, "%zu: %s, not %s", i, kinds, cases[i].kinds);
	}
}

TEST(finds_values_in_words)
{
	static const struct {
		const char *word, *option, *value;
	} cases[] = {
		{ "--output=x", "output", "x" }, { "--output=", "output", "" }, { "--output", NULL, NULL },
		{ "-ox", "output", "x" },	 { "-qox", "output", "x" },	{ "-o", NULL, NULL },
		{ "-q", NULL, NULL },		 { "--former=a=b", "former", "a=b" }, { "x=y", NULL, NULL },
		{ "--none=x", NULL, NULL },	 { "", NULL, NULL },		{ "-xox", "output", "x" },
	};
	const struct options_walk walk = { .argp = &argp };

	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *value = NULL;
		const struct argp_option *option = options_value(&walk, cases[i].word, &value);

		CHECK((option == NULL) == (cases[i].option == NULL) &&
			      (option == NULL || (strcmp(option->name, cases[i].option) == 0 &&
						  strcmp(value, cases[i].value) == 0)),
		      "'%s'", cases[i].word);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(measures_distances),
		cmocka_unit_test(takes_lists_apart),
		cmocka_unit_test(suggests_only_what_is_alike),
		cmocka_unit_test(tells_words_apart),
		cmocka_unit_test(finds_values_in_words),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
