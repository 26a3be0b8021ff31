/* SPDX-License-Identifier: MIT
 *
 * mkbootimg.conf; see config.h.
 *
 * libinih splits lines into sections, keys and values.  It tells its callback no
 * line number, and cuts what is too long for it without a word, so the lines come
 * from a reader of ours, which counts them and refuses those.
 */
#include "config/config.h"

#include <errno.h>
#include <ini.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fileio.h"
#include "base/options.h"
#include "plan/plan.h"

/* ---- Finding it ---------------------------------------------------------- */

static bool exists(const char *directory, const char *name)
{
	CLEANUP_FREE char *path = format_string("%s%s", directory, name);
	struct stat st;

	return lstat(path, &st) == 0;
}

/* Is a directory the last to look at?  prefix is "" or ends with a slash. */
static bool is_last(const char *prefix)
{
	CLEANUP_FREE char *here = format_string("%s.", prefix);
	CLEANUP_FREE char *above = format_string("%s..", prefix);
	struct stat st, st_above;

	return exists(prefix, ".git") || stat(here, &st) != 0 || stat(above, &st_above) != 0 ||
	       (st.st_dev == st_above.st_dev && st.st_ino == st_above.st_ino);
}

/* A file can name a program to run, so nobody must be able to put one into /tmp for
 * those who work below it. */
static int check_owner(const char *path, struct error *err)
{
	struct stat link, file, here;

	/* What cannot be looked at cannot be read, and that will be said. */
	if (lstat(path, &link) != 0 || stat(path, &file) != 0 || stat(".", &here) != 0)
		return 0;
	const uid_t owners[] = { link.st_uid, file.st_uid };
	for (size_t i = 0; i < 2; i++) {
		if (owners[i] == geteuid() || owners[i] == 0 || owners[i] == here.st_uid)
			continue;
		error_set(err, ERROR_USAGE, 0, "'%s' is somebody else's (user %lu)", path,
			  (unsigned long)owners[i]);
		return error_hint(err, "if you trust it, say so with --config '%s'; otherwise give --no-config",
				  path);
	}
	return 0;
}

int config_find(char **path, struct error *err)
{
	CLEANUP_FREE char *prefix = format_string("%s", "");

	*path = NULL;
	while (!exists(prefix, CONFIG_NAME)) {
		if (is_last(prefix) || strlen(prefix) > PATH_MAX - 100)
			return 0;
		char *above = format_string("../%s", prefix);
		free(prefix);
		prefix = above;
	}
	*path = format_string("%s%s", prefix, CONFIG_NAME);
	return check_owner(*path, err);
}

/* ---- Reading ------------------------------------------------------------- */

struct reader {
	struct config *config;
	const struct config_section *sections;
	size_t section_count;
	const char *next;	/* line */
	const char *end;
	unsigned int line;
	struct error *err;
};

/* Complain about the current line. */
static int __attribute__((format(printf, 2, 3))) refuse(const struct reader *r, const char *format,
							...)
{
	char text[sizeof(r->err->text) / 2];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return error_set(r->err, ERROR_USAGE, 0, "%s:%u: %s", r->config->path, r->line, text);
}

static const struct config_section *find_section(const struct reader *r, const char *name)
{
	for (size_t i = 0; i < r->section_count; i++) {
		if (strcmp(r->sections[i].name, name) == 0)
			return &r->sections[i];
	}
	return NULL;
}

/* Sections as a list, for messages.  The caller frees. */
static char *list_sections(const struct reader *r)
{
	char *list = format_string("%s", "");

	for (size_t i = 0; i < r->section_count; i++) {
		char *longer = format_string("%s%s[%s]", list, i > 0 ? ", " : "", r->sections[i].name);

		free(list);
		list = longer;
	}
	return list;
}

static int refuse_section(const struct reader *r, const char *name)
{
	CLEANUP_FREE char *list = list_sections(r);

	refuse(r, "there is no section [%s]", name);
	return error_hint(r->err, "the sections are %s", list);
}

/* A line that begins a section.  libinih would take its first 49 letters for its
 * name, and drop what comes behind it. */
static int check_section(const struct reader *r, const char *line)
{
	const char *close = strchr(line, ']');

	if (close == NULL) {
		refuse(r, "the section's name has no end");
		return error_hint(r->err, "write it like [run]");
	}
	CLEANUP_FREE char *name = format_string("%.*s", (int)(close - line - 1), line + 1);
	const char *rest = close + 1 + strspn(close + 1, " \t");

	if (find_section(r, name) == NULL)
		return refuse_section(r, name);
	if (*rest == '\0' || *rest == ';' || *rest == '#')
		return 0;
	refuse(r, "behind [%s] there is '%.100s'", name, rest);
	return error_hint(r->err, "put each key on a line of its own");
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

/* Take the next line, without white space around it, which libinih would take for
 * the continuation of a value. */
static void take_line(struct reader *r, const char **start, const char **end)
{
	const char *newline = memchr(r->next, '\n', (size_t)(r->end - r->next));

	*start = r->next;
	*end = newline != NULL ? newline : r->end;
	r->next = newline != NULL ? newline + 1 : r->end;
	/* The mark that some editors put before UTF-8. */
	if (r->line++ == 0 && *end - *start >= 3 && memcmp(*start, "\xef\xbb\xbf", 3) == 0)
		*start += 3;
	while (*start < *end && is_blank(**start))
		++*start;
	while (*start < *end && is_blank((*end)[-1]))
		--*end;
}

/* As fgets, for libinih. */
static char *read_line(char *buffer, int size, void *stream)
{
	struct reader *r = stream;
	const char *start, *end;

	if (r->err->class != ERROR_NONE || r->next == r->end)
		return NULL;
	take_line(r, &start, &end);
	size_t length = (size_t)(end - start);
	if (length > 0 && (*start == '#' || *start == ';'))
		length = 0;	/* of any length, then */
	if (memchr(start, '\0', length) != NULL) {
		refuse(r, "there is a NUL byte");
		error_hint(r->err, "write it as plain text, in UTF-8");
		return NULL;
	}
	if (length >= (size_t)size) {
		refuse(r, "the line is longer than %d bytes", size - 1);
		error_hint(r->err, "give that option on the command line");
		return NULL;
	}
	memcpy(buffer, start, length);
	buffer[length] = '\0';
	return buffer[0] == '[' && check_section(r, buffer) != 0 ? NULL : buffer;
}

static int refuse_key(const struct reader *r, const struct config_section *section, const char *name)
{
	refuse(r, "[%s] has no key '%s'", section->name, name);
	for (size_t i = 0; i < r->section_count; i++) {
		const struct argp_option *option = options_find(r->sections[i].argp, name);

		if (option != NULL && !(option->flags & OPTION_NOT_IN_FILE))
			return error_hint(r->err, "it is a key of [%s]", r->sections[i].name);
	}
	return error_hint(r->err,
			  "the nearest one is '%s'; keys are the long options of 'mkbootimg %s --help'",
			  options_nearest(section->argp, name, OPTION_NOT_IN_FILE), section->name);
}

/* Is a value one of two words? */
static bool is_one_of(const char *value, const char *word, const char *other)
{
	return strcasecmp(value, word) == 0 || strcasecmp(value, other) == 0;
}

/* Does an option's argument name a file?  A program is looked for in PATH unless it
 * has a slash. */
static bool names_file(const struct argp_option *option, const char *value)
{
	return strncmp(option->arg, "FILE", 4) == 0 || strncmp(option->arg, "DIR", 3) == 0 ||
	       (strcmp(option->arg, "PROGRAM") == 0 && strchr(value, '/') != NULL);
}

/* "--KEY=VALUE"; files are relative to the directory of the one that names them. */
static char *make_argument(const struct config *config, const struct argp_option *option,
			   const char *value)
{
	const char *slash = strrchr(config->path, '/');
	int length = slash != NULL ? (int)(slash - config->path) + 1 : 0;

	if (!names_file(option, value) || value[0] == '/' || value[0] == '\0')
		length = 0;
	return format_string("--%s=%.*s%s", option->name, length, config->path, value);
}

/* A key and its value, from libinih. */
static int take_entry(void *user, const char *section_name, const char *name, const char *value)
{
	struct reader *r = user;
	const struct config_section *section = find_section(r, section_name);
	char *argument = NULL;

	if (r->err->class != ERROR_NONE)
		return 0;
	if (section == NULL) {
		CLEANUP_FREE char *list = list_sections(r);

		refuse(r, "'%s' comes before any section", name);
		error_hint(r->err, "the sections are %s", list);
		return 0;
	}
	const struct argp_option *option = options_find(section->argp, name);
	if (option == NULL) {
		refuse_key(r, section, name);
		return 0;
	}
	if (option->flags & OPTION_NOT_IN_FILE) {
		refuse(r, "'%s' is for the command line only", name);
		error_hint(r->err, "give --%s when you want it", name);
		return 0;
	}
	bool yes = is_one_of(value, "true", "yes");
	if (option->arg == NULL && !yes && !is_one_of(value, "false", "no")) {
		refuse(r, "'%s' is '%.100s', which is neither true nor false", name, value);
		error_hint(r->err, "write true or yes, false or no");
		return 0;
	}
	if (option->arg != NULL)
		argument = make_argument(r->config, option, value);
	else if (yes)
		argument = format_string("--%s", name);
	*plan_append(r->config->entries, r->config->entry_count) =
		(struct config_entry){ r->line, section, option, argument };
	return 1;
}

int config_read(struct config *config, const char *path, const struct config_section *sections,
		size_t section_count, struct error *err)
{
	CLEANUP_FREE unsigned char *bytes = NULL;
	size_t size;

	*config = (struct config){ .path = format_string("%s", path) };
	*err = (struct error){ .class = ERROR_NONE };
	if (file_read(path, &bytes, &size, err) != 0) {
		err->class = ERROR_USAGE;
		return error_hint(err, "--config names another file, --no-config does without");
	}
	struct reader r = { .config = config,
			    .sections = sections,
			    .section_count = section_count,
			    .next = (const char *)bytes,
			    .end = (const char *)bytes + size,
			    .err = err };
	int bad_line = ini_parse_stream(read_line, &r, take_entry, &r);
	/* It goes on behind a line that it does not understand; the first counts. */
	if (bad_line > 0 && (err->class == ERROR_NONE || (unsigned int)bad_line < r.line)) {
		r.line = (unsigned int)bad_line;
		refuse(&r, "this is neither a [section], nor 'key = value', nor a comment");
		return error_hint(err, "a switch is set by 'key = true'");
	}
	if (bad_line < 0)
		return error_set(err, ERROR_SYSTEM, 0, "cannot read '%s': out of memory", path);
	return err->class == ERROR_NONE ? 0 : -1;
}

void config_free(struct config *config)
{
	for (size_t i = 0; i < config->entry_count; i++)
		free(config->entries[i].argument);
	free(config->entries);
	free(config->path);
	*config = (struct config){ 0 };
}

/* ---- Applying it --------------------------------------------------------- */

/* What the parser below needs. */
struct redirection {
	void *input;
	FILE *errors;
};

/* Above a command's parser: have errors written where we can read them. */
static error_t redirect(int key, char *arg, struct argp_state *state)
{
	const struct redirection *redirection = state->input;

	(void)arg;
	if (key != ARGP_KEY_INIT)
		return ARGP_ERR_UNKNOWN;
	state->child_inputs[0] = redirection->input;
	state->err_stream = redirection->errors;
	return 0;
}

static int apply_entry(const struct config *config, const struct config_entry *entry,
		       const struct argp *argp, void *input, struct error *err)
{
	static char name[] = "file", nothing[] = "";
	/* With something behind the option argp does not miss the kernel. */
	char *words[] = { name, entry->argument, nothing, NULL };
	const struct argp_child children[] = { { .argp = argp }, { 0 } };
	const struct argp root = { .parser = redirect, .children = children };
	CLEANUP_FREE char *text = NULL;
	size_t size;
	int left;
	struct redirection redirection = { input, open_memstream(&text, &size) };

	if (redirection.errors == NULL)
		return error_set(err, ERROR_SYSTEM, errno, "cannot read '%s'", config->path);
	argp_parse(&root, 3, words, ARGP_NO_EXIT | ARGP_NO_HELP | ARGP_NO_ARGS, &left, &redirection);
	if (fclose(redirection.errors) != 0 || size == 0)
		return 0;
	/* "file: --key: what is wrong", and then what else argp thinks of. */
	text[strcspn(text, "\n")] = '\0';
	error_set(err, ERROR_USAGE, 0, "%s:%u: %s", config->path, entry->line, text + strlen(name) + 2);
	return error_hint(err, "repair it, or give --no-config to do without");
}

int config_apply(const struct config *config, const char *const *sections,
		 const struct argp *argp, void *input, struct error *err)
{
	const struct config_entry **chosen = NULL;
	size_t count = 0;
	int status = 0;

	for (; *sections != NULL; sections++) {
		for (size_t i = 0; i < config->entry_count; i++) {
			const struct config_entry *entry = &config->entries[i];

			if (strcmp(entry->section->name, *sections) == 0 &&
			    options_find(argp, entry->option->name) != NULL)
				*plan_append(chosen, count) = entry;
		}
	}
	for (size_t i = 0; i < count && status == 0; i++) {
		bool on = chosen[i]->argument != NULL;

		/* A switch can be on and then off. */
		for (size_t j = i + 1; chosen[i]->option->arg == NULL && j < count; j++)
			on &= strcmp(chosen[j]->option->name, chosen[i]->option->name) != 0;
		if (on)
			status = apply_entry(config, chosen[i], argp, input, err);
	}
	free(chosen);
	return status;
}
