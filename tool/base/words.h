/* SPDX-License-Identifier: MIT
 *
 * Lists of words, as messages have them: "auto, tcg, kvm".  What a person may have
 * meant by a word that is in none.
 */
#ifndef MKBOOTIMG_WORDS_H
#define MKBOOTIMG_WORDS_H

#include <stdbool.h>
#include <stddef.h>

/* Take the next word off a list: its length, and *list stands behind it.  NULL at
 * the end. */
const char *words_next(const char **list, size_t *length);

/* How many letters must be inserted, removed or replaced. */
size_t words_distance(const char *left, const char *right);

/* Is a word so like another that it may be meant by it? */
bool words_alike(const char *word, const char *other);

/* The word of a list that is most like word, if it is alike; for the caller to free,
 * else NULL. */
char *words_nearest(const char *list, const char *word);

#endif
