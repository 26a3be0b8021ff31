/* SPDX-License-Identifier: MIT
 *
 * How the program and its commands parse their arguments: by argp, which -h and -V and a
 * suggestion for a misspelt option are added to.
 */
#ifndef MKBOOTIMG_ARGUMENTS_H
#define MKBOOTIMG_ARGUMENTS_H

#include <argp.h>

#include "base/error.h"

/* A parser around another, which has the options that all have; its input is that of
 * the other. */
struct arguments_root {
	struct argp argp;
	struct argp_child children[2];
};
void arguments_root(struct arguments_root *root, const struct argp *argp);

/* argp_parse().  -1, and an error, if there is no such long option. */
int arguments_parse(const struct argp *argp, int argc, char **argv, unsigned int flags, void *input,
		    struct error *err);

#endif
