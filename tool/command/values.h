/* SPDX-License-Identifier: MIT
 *
 * Options that take one of some words (or, of --features, some): which these are, for
 * messages and for completion.
 */
#ifndef MKBOOTIMG_VALUES_H
#define MKBOOTIMG_VALUES_H

#include <argp.h>

/* The words for an option's value, with commas between; NULL if it is of another kind. */
const char *values_of(const char *option);

/* For argp parsers: refuse a word, which is length bytes long, and say what there is. */
void values_refuse(const struct argp_state *state, const char *option, const char *word, int length);

#endif
