/* SPDX-License-Identifier: MIT
 *
 * The words that options take; see values.h.
 */
#include "command/values.h"

#include <stddef.h>
#include <string.h>

#include "base/fileio.h"
#include "base/words.h"
#include "command/build.h"
#include "config/crate.h"
#include "image/format.h"
#include "project/project.h"
#include "protocol/protocol.h"
#include "run/qemu.h"

static const struct {
	const char *option;
	const char *words;
} values[] = {
	{ "accel", QEMU_ACCEL_NAMES },
	{ "compress", BUILD_COMPRESS_NAMES },
	{ "disk", QEMU_DISK_NAMES },
	{ "features", CRATE_FEATURE_NAMES },
	{ "format", FORMAT_NAMES },
	{ "lang", PROJECT_LANGUAGE_NAMES },
	{ "protocol", "auto, " PROTOCOL_NAMES },
};

const char *values_of(const char *option)
{
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		if (strcmp(values[i].option, option) == 0)
			return values[i].words;
	}
	return NULL;
}

void values_refuse(const struct argp_state *state, const char *option, const char *word, int length)
{
	const char *words = values_of(option);
	CLEANUP_FREE char *wrong = format_string("%.*s", length, word);
	CLEANUP_FREE char *nearest = words_nearest(words, wrong);

	if (nearest != NULL)
		argp_error(state, "--%s: '%s' is none of %s; did you mean '%s'?", option, wrong, words, nearest);
	else
		argp_error(state, "--%s: '%s' is none of %s", option, wrong, words);
}
