/* SPDX-License-Identifier: MIT
 *
 * mkbootimg new: a kernel project that builds and boots, from a template.
 */
#include <argp.h>
#include <ctype.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fileio.h"
#include "base/share.h"
#include "command/command.h"
#include "command/values.h"
#include "project/project.h"
#include "project/template.h"

enum {
	OPT_LANG = 6000,
};

static const char doc[] =
	"Start a kernel project in DIRECTORY, which is made if it is not there: a kernel that says Hello World, "
	"with tests, that 'make run', 'make test' and 'make debug' boot.  No file is ever overwritten.\v"
	"Exit status: 0; 1 if it could not be done; 2 usage.";

static const struct argp_option options_list[] = {
	{ "lang", OPT_LANG, "LANGUAGE", 0, "The kernel is to be in c (default), asm or rust", 0 },
	{ 0 },
};

/* Each has a template of its name, which is one of PROJECT_LANGUAGE_NAMES. */
static const struct language {
	const char *name;
	bool is_package;	/* cargo's, whose names are restricted */
} languages[] = {
	{ .name = "c" },
	{ .name = "asm" },
	{ .name = "rust", .is_package = true },
};
#define LANGUAGE_COUNT (sizeof(languages) / sizeof(languages[0]))

struct arguments {
	const char *directory;
	const struct language *language;
};

static const struct language *find_language(const char *name)
{
	for (size_t i = 0; i < LANGUAGE_COUNT; i++) {
		if (strcmp(name, languages[i].name) == 0)
			return &languages[i];
	}
	return NULL;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case OPT_LANG:
		arguments->language = find_language(arg);
		if (arguments->language == NULL)
			values_refuse(state, "lang", arg, INT_MAX);
		return 0;
	case ARGP_KEY_ARG:
		if (arguments->directory != NULL)
			argp_error(state, "more than one directory: '%s' and '%s'", arguments->directory, arg);
		arguments->directory = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "no directory given");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* What cargo takes, in ASCII. */
static int check_package_name(const char *name, struct error *err)
{
	bool good = !isdigit((unsigned char)name[0]);

	for (const char *c = name; *c != '\0'; c++)
		good &= (unsigned char)*c < 0x80 && (isalnum((unsigned char)*c) || *c == '-' || *c == '_');
	if (good)
		return 0;
	error_set(err, ERROR_USAGE, 0, "'%s' is no name for a cargo package", name);
	return error_hint(err, "name the directory with letters, digits, '-' and '_' only, and no digit first");
}

/* For someone who looks on. */
static void print_next_step(const char *directory)
{
	CLEANUP_FREE char *quoted = command_quote(directory);

	if (strcmp(directory, ".") == 0)
		command_next_step("make run");
	else
		command_next_step("cd %s && make run", quoted);
}

static int start_project(const struct arguments *arguments, struct error *err)
{
	const struct language *language = arguments->language;
	CLEANUP_FREE char *name = project_name(arguments->directory, err);
	struct template template;

	if (name == NULL || (language->is_package && check_package_name(name, err) != 0))
		return -1;
	CLEANUP_FREE char *templates = share_directory("templates", "the templates", err);
	if (templates == NULL)
		return -1;
	CLEANUP_FREE char *source = format_string("%s/%s", templates, language->name);
	int result = template_read(&template, source, name, err);
	if (result == 0)
		result = project_write(arguments->directory, &template, err);
	template_free(&template);
	return result;
}

const struct argp new_command_argp = { .options = options_list,
					  .parser = parse,
					  .args_doc = "DIRECTORY",
					  .doc = doc };

int command_new(int argc, char **argv, struct error *err)
{
	struct arguments arguments = { .language = &languages[0] };

	if (command_parse(argc, argv, &arguments, err) != 0)
		return STATUS_USAGE;
	if (start_project(&arguments, err) != 0)
		return err->class == ERROR_USAGE ? STATUS_USAGE : STATUS_FAILURE;
	print_next_step(arguments.directory);
	return STATUS_OK;
}
