/* SPDX-License-Identifier: MIT
 *
 * Parsing arguments; see arguments.h.
 */
#include "command/arguments.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fileio.h"
#include "base/options.h"
#include "base/words.h"
#include "command/table.h"
#include "config/config.h"

enum {
	OPT_USAGE = 500,
};

/* As argp's own, but with -h. */
static const struct argp_option options_list[] = {
	{ "help", 'h', NULL, OPTION_NOT_IN_FILE, "Give this help list", -1 },
	{ NULL, '?', NULL, OPTION_HIDDEN, NULL, -1 },
	{ "usage", OPT_USAGE, NULL, OPTION_NOT_IN_FILE, "Give a short usage message", -1 },
	{ "version", 'V', NULL, OPTION_NOT_IN_FILE, "Print program version", -1 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	(void)arg;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = state->input;
		return 0;
	case 'h':
	case '?':
		argp_state_help(state, state->out_stream, ARGP_HELP_STD_HELP);
		return 0;
	case OPT_USAGE:
		argp_state_help(state, state->out_stream, ARGP_HELP_USAGE | ARGP_HELP_EXIT_OK);
		return 0;
	case 'V':
		fprintf(state->out_stream, "%s\n", argp_program_version);
		exit(0);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

void arguments_root(struct arguments_root *root, const struct argp *argp)
{
	*root = (struct arguments_root){ .children = { { .argp = argp } } };
	root->argp = (struct argp){ .options = options_list, .parser = parse, .children = root->children };
}

/* There is no such option: which was meant, or where is it one? */
static int refuse_option(const struct argp *argp, char **argv, const char *word, struct error *err)
{
	CLEANUP_FREE char *name = format_string("%.*s", (int)strcspn(word + 2, "="), word + 2);
	const char *nearest = options_nearest(argp, name, 0);

	error_set(err, ERROR_USAGE, 0, "there is no option '--%s'", name);
	if (options_find(&main_argp, name) != NULL)
		return error_hint(err, "it comes before the command: 'mkbootimg --%s ...'", name);
	if (nearest != NULL && words_alike(name, nearest))
		return error_hint(err, "did you mean '--%s'?", nearest);
	return error_hint(err, "'%s --help' lists the options", argv[0]);
}

int arguments_parse(const struct argp *argp, int argc, char **argv, unsigned int flags, void *input,
		    struct error *err)
{
	struct arguments_root root;

	arguments_root(&root, argp);
	struct options_walk walk = { .argp = &root.argp, .in_order = (flags & ARGP_IN_ORDER) != 0 };
	for (int i = 1; i < argc; i++) {
		if (options_step(&walk, argv[i]) == OPTIONS_UNKNOWN)
			return refuse_option(&root.argp, argv, argv[i], err);
	}
	argp_parse(&root.argp, argc, argv, flags | ARGP_NO_HELP, NULL, input);
	return 0;
}
