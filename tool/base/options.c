/* SPDX-License-Identifier: MIT
 *
 * argp's tables; see options.h.
 */
#include "base/options.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "base/fileio.h"
#include "base/words.h"

static bool is_end(const struct argp_option *option)
{
	return option->name == NULL && option->key == 0 && option->doc == NULL && option->group == 0;
}

void options_each(const struct argp *argp, void (*visit)(const struct argp_option *option, void *context),
		  void *context)
{
	for (const struct argp_option *o = argp->options; o != NULL && !is_end(o); o++) {
		if (o->name != NULL && !(o->flags & (OPTION_DOC | OPTION_ALIAS | OPTION_HIDDEN)))
			visit(o, context);
	}
	for (const struct argp_child *c = argp->children; c != NULL && c->argp != NULL; c++)
		options_each(c->argp, visit, context);
}

/* ---- By name ------------------------------------------------------------------ */

struct search {
	const char *name;
	int letter;
	int without;			/* flags */
	const struct argp_option *found;
	size_t matches;			/* of the beginning of a name */
	size_t distance;
};

static void visit_name(const struct argp_option *option, void *context)
{
	struct search *search = context;

	if (search->found == NULL && strcmp(option->name, search->name) == 0)
		search->found = option;
}

const struct argp_option *options_find(const struct argp *argp, const char *name)
{
	struct search search = { .name = name };

	options_each(argp, visit_name, &search);
	return search.found;
}

static void visit_near(const struct argp_option *option, void *context)
{
	struct search *search = context;
	size_t distance = words_distance(search->name, option->name);

	if ((option->flags & search->without) == 0 && distance < search->distance) {
		search->distance = distance;
		search->found = option;
	}
}

const char *options_nearest(const struct argp *argp, const char *name, int without)
{
	struct search search = { .name = name, .without = without, .distance = SIZE_MAX };

	options_each(argp, visit_near, &search);
	return search.found != NULL ? search.found->name : NULL;
}

static void visit_start(const struct argp_option *option, void *context)
{
	struct search *search = context;

	if (strncmp(option->name, search->name, strlen(search->name)) == 0) {
		search->found = option;
		search->matches++;
	}
}

static void visit_letter(const struct argp_option *option, void *context)
{
	struct search *search = context;

	if (option->key == search->letter)
		search->found = option;
}

static const struct argp_option *find_letter(const struct argp *argp, char letter)
{
	struct search search = { .letter = letter };

	if (isgraph((unsigned char)letter))
		options_each(argp, visit_letter, &search);
	return search.found;
}

/* ---- Command lines ------------------------------------------------------------ */

/* "--name" or "--name=value": a name may be cut short, as long as it is one option's. */
static enum options_word step_long(struct options_walk *walk, const char *word)
{
	const char *equals = strchr(word, '=');
	CLEANUP_FREE char *name = format_string("%.*s", (int)strcspn(word + 2, "="), word + 2);
	struct search search = { .name = name };
	const struct argp_option *option = options_find(walk->argp, name);

	if (option == NULL) {
		options_each(walk->argp, visit_start, &search);
		option = search.found;
	}
	if (option == NULL)
		return OPTIONS_UNKNOWN;
	if (option->arg != NULL && equals == NULL && search.matches <= 1)
		walk->pending = option;
	return OPTIONS_OPTION;
}

enum options_word options_step(struct options_walk *walk, const char *word)
{
	if (walk->pending != NULL) {
		walk->pending = NULL;
		return OPTIONS_VALUE;
	}
	if (walk->ended || word[0] != '-' || word[1] == '\0') {
		walk->arguments++;
		walk->ended |= walk->in_order;
		return OPTIONS_ARGUMENT;
	}
	if (strcmp(word, "--") == 0) {
		walk->ended = true;
		return OPTIONS_END;
	}
	if (word[1] == '-')
		return step_long(walk, word);
	for (const char *letter = word + 1; *letter != '\0'; letter++) {
		const struct argp_option *option = find_letter(walk->argp, *letter);

		if (option == NULL || option->arg == NULL)
			continue;
		if (letter[1] == '\0')
			walk->pending = option;
		break;
	}
	return OPTIONS_OPTION;
}

const struct argp_option *options_value(const struct options_walk *walk, const char *word,
					const char **value)
{
	if (strncmp(word, "--", 2) == 0) {
		const char *equals = strchr(word, '=');
		CLEANUP_FREE char *name = format_string("%.*s", (int)strcspn(word + 2, "="), word + 2);

		*value = equals != NULL ? equals + 1 : NULL;
		return equals != NULL ? options_find(walk->argp, name) : NULL;
	}
	for (const char *letter = word + 1; word[0] == '-' && *letter != '\0'; letter++) {
		const struct argp_option *option = find_letter(walk->argp, *letter);

		*value = letter + 1;
		if (option != NULL && option->arg != NULL)
			return **value != '\0' ? option : NULL;
	}
	return NULL;
}
