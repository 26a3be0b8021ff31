/* SPDX-License-Identifier: MIT
 *
 * Options as argp's tables have them: looked up, looked through, and told apart from
 * arguments on a command line that is not to be parsed (yet).
 */
#ifndef MKBOOTIMG_OPTIONS_H
#define MKBOOTIMG_OPTIONS_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>

/* Call visit for each option that is not hidden, children's too. */
void options_each(const struct argp *argp, void (*visit)(const struct argp_option *option, void *context),
		  void *context);

/* The option of a long name, or NULL. */
const struct argp_option *options_find(const struct argp *argp, const char *name);

/* The long name that is most like name, of options without any of these flags; NULL
 * if there is none at all. */
const char *options_nearest(const struct argp *argp, const char *name, int without);

/* ---- Command lines ------------------------------------------------------------ */

enum options_word {
	OPTIONS_OPTION,		/* or several, "-qv" */
	OPTIONS_VALUE,		/* of the option before */
	OPTIONS_ARGUMENT,
	OPTIONS_END,		/* "--" */
	OPTIONS_UNKNOWN,	/* a long option that there is not */
};

struct options_walk {
	const struct argp *argp;
	bool in_order;			/* nothing behind the first argument is an option */
	const struct argp_option *pending;	/* the next word is its value */
	bool ended;			/* no more options come */
	size_t arguments;		/* so many that are no options */
};

/* What the next word is. */
enum options_word options_step(struct options_walk *walk, const char *word);

/* The option whose value a word holds, "--name=value" or "-nvalue", and where that
 * begins; NULL if it holds none. */
const struct argp_option *options_value(const struct options_walk *walk, const char *word,
					const char **value);

#endif
