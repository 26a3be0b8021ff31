/* SPDX-License-Identifier: MIT
 *
 * mkbootimg complete: how a command line may go on.
 *
 * The shells' files in completions/ ask this, so what they offer is what the tables
 * of commands, options and values have, and nothing need be generated.
 */
#include <argp.h>
#include <glob.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fileio.h"
#include "base/options.h"
#include "base/words.h"
#include "command/arguments.h"
#include "command/command.h"
#include "command/table.h"
#include "command/values.h"
#include "flash/device.h"

static const char doc[] =
	"Say how a command line may go on, for the completion of shells: the WORDs are those behind "
	"'mkbootimg', the last one unfinished and maybe empty.\v"
	"Each line is a word, and behind a tab what it means.  ':files', ':directories' or ':programs' stands "
	"for such names; behind its tab is what the last word begins with and is no part of the name.";

struct arguments {
	char **words;
	int count;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	(void)arg;
	switch (key) {
	case ARGP_KEY_ARGS:
		arguments->words = state->argv + state->next;
		arguments->count = state->argc - state->next;
		state->next = state->argc;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "no word given");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp complete_command_argp = { .parser = parse, .args_doc = "-- WORD...", .doc = doc };

/* ---- What there is ------------------------------------------------------------- */

static bool begins(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

static void offer_commands(const char *start)
{
	for (const struct command *command = command_table; command->name != NULL; command++) {
		if (begins(command->name, start))
			printf("%s\t%s\n", command->name, command->summary);
	}
}

static void offer_option(const struct argp_option *option, void *context)
{
	const char *start = context;
	bool has_letter = option->key > ' ' && option->key <= '~';

	if (has_letter && start[1] == '\0')
		printf("-%c\t%s\n", option->key, option->doc);
	if (start[1] == '\0' || begins(option->name, start + 2))
		printf("--%s%s\t%s\n", option->name, option->arg != NULL ? "=" : "", option->doc);
}

static void offer_names(const char *kind, const char *prefix, int length)
{
	printf(":%s\t%.*s\n", kind, length, prefix);
}

/* One of some words; of a LIST, which has commas between, one more. */
static void offer_words(const char *words, const struct argp_option *option, const char *word, const char *start)
{
	const char *comma = strrchr(start, ',');
	size_t length;
	const char *next;

	if (strcmp(option->arg, "LIST") == 0 && comma != NULL)
		start = comma + 1;
	while ((next = words_next(&words, &length)) != NULL) {
		if (strlen(start) <= length && strncmp(next, start, strlen(start)) == 0)
			printf("%.*s%.*s\n", (int)(start - word), word, (int)length, next);
	}
}

/* The value of an option, which begins at start in word. */
static void offer_value(const struct argp_option *option, const char *word, const char *start)
{
	const char *words = values_of(option->name);

	if (words != NULL)
		offer_words(words, option, word, start);
	else if (begins(option->arg, "FILE"))
		offer_names("files", word, (int)(start - word));
	else if (begins(option->arg, "DIR"))
		offer_names("directories", word, (int)(start - word));
	else if (begins(option->arg, "PROGRAM"))
		offer_names("programs", word, (int)(start - word));
}

/* What flash takes: sticks and the like, and what they are. */
static void offer_devices(const char *start)
{
	glob_t found = { 0 };
	size_t offered = 0;

	if (glob("/sys/block/*", 0, NULL, &found) != 0)
		found.gl_pathc = 0;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		CLEANUP_FREE char *path = format_string("/dev/%s", path_name(found.gl_pathv[i]));
		struct device device = { 0 };
		struct error err;
		struct stat st;

		if (begins(path, start) && stat(path, &st) == 0 &&
		    device_read(&device, st.st_rdev, path, &device_system, &err) == 0 && device.removable &&
		    device.size > 0 && !device.loop) {
			printf("%s\t%" PRIu64 " MB ", path, device.size / 1000000);
			print_escaped(stdout, device.model);
			putchar('\n');
			offered++;
		}
		device_free(&device);
	}
	globfree(&found);
	if (offered == 0)
		offer_names("files", "", 0);
}

/* The name of an argument in args_doc, "KERNEL|IMAGE [QEMU-ARG...]", by its number; the
 * last one may be repeated.  NULL: there is none. */
static const char *argument_name(const char *args_doc, size_t number)
{
	const char *name = args_doc;

	for (; number > 0; number--) {
		const char *end = name + strcspn(name, " ");

		if (*end == '\0')
			return strstr(name, "...");
		name = end + 1;
	}
	return name + (*name == '[');
}

static void offer_argument(const char *args_doc, size_t number, const char *start)
{
	const char *name = argument_name(args_doc, number);

	if (name == NULL || begins(name, "--"))
		return;
	if (begins(name, "COMMAND"))
		offer_commands(start);
	else if (begins(name, "DEVICE"))
		offer_devices(start);
	else
		offer_names(begins(name, "DIRECTORY") ? "directories" : "files", "", 0);
}

/* ---- Where we are ---------------------------------------------------------------- */

static void complete(const struct arguments *arguments)
{
	struct arguments_root root;
	const struct argp *argp = &main_argp;
	struct options_walk walk = { .argp = &root.argp, .in_order = true };
	struct error err;
	char *word = arguments->words[arguments->count - 1];
	const char *start;

	arguments_root(&root, argp);
	for (int i = 0; i < arguments->count - 1; i++) {
		if (options_step(&walk, arguments->words[i]) != OPTIONS_ARGUMENT || argp != &main_argp)
			continue;
		const struct command *command = command_find(arguments->words[i], &err);
		if (command == NULL)
			return;
		argp = command->argp;
		arguments_root(&root, argp);
		walk = (struct options_walk){ .argp = &root.argp, .in_order = command->passes_on };
	}
	const struct argp_option *option = walk.ended ? NULL : options_value(&walk, word, &start);
	if (walk.pending != NULL)
		offer_value(walk.pending, word, word);
	else if (option != NULL && option->arg != NULL)
		offer_value(option, word, start);
	else if (word[0] == '-' && !walk.ended && (word[1] == '\0' || word[1] == '-'))
		options_each(&root.argp, offer_option, word);
	else
		offer_argument(argp->args_doc, walk.arguments, word);
}

int command_complete(int argc, char **argv, struct error *err)
{
	struct arguments arguments = { 0 };

	if (command_parse(argc, argv, &arguments, err) != 0)
		return STATUS_USAGE;
	complete(&arguments);
	return STATUS_OK;
}
