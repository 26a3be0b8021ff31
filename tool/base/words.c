/* SPDX-License-Identifier: MIT
 *
 * Lists of words, and what was meant; see words.h.
 */
#include "base/words.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/fileio.h"

const char *words_next(const char **list, size_t *length)
{
	const char *word = *list + strspn(*list, ", ");

	*length = strcspn(word, ",");
	*list = word + *length;
	return *length > 0 ? word : NULL;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

size_t words_distance(const char *left, const char *right)
{
	size_t width = strlen(right);
	/* row[j]: from what was seen of left to the first j letters of right. */
	CLEANUP_FREE size_t *row = calloc(width + 1, sizeof(*row));

	if (row == NULL)
		abort();
	for (size_t j = 0; j <= width; j++)
		row[j] = j;
	for (size_t i = 1; left[i - 1] != '\0'; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= width; j++) {
			size_t replaced = diagonal + (left[i - 1] != right[j - 1]);

			diagonal = row[j];
			row[j] = least(replaced, least(row[j], row[j - 1]) + 1);
		}
	}
	return row[width];
}

bool words_alike(const char *word, const char *other)
{
	size_t length = strlen(word);

	return strcasecmp(word, other) == 0 ||
	       (length > 1 && words_distance(word, other) <= 1 + length / 3);
}

char *words_nearest(const char *list, const char *word)
{
	char *nearest = NULL;
	size_t best = SIZE_MAX, length;
	const char *next;

	while ((next = words_next(&list, &length)) != NULL) {
		char *candidate = format_string("%.*s", (int)length, next);
		size_t distance = words_distance(word, candidate);
		char *worse = candidate;

		if (distance < best && words_alike(word, candidate)) {
			best = distance;
			worse = nearest;
			nearest = candidate;
		}
		free(worse);
	}
	return nearest;
}
