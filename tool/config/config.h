/* SPDX-License-Identifier: MIT
 *
 * mkbootimg.conf: options that a directory gives to those who work in it.
 *
 * Its keys are the long options of the commands, looked up in their argp tables,
 * and its values go to the same parsers, so an option is described once.
 */
#ifndef MKBOOTIMG_CONFIG_H
#define MKBOOTIMG_CONFIG_H

#include <argp.h>
#include <stddef.h>

#include "base/error.h"

#define CONFIG_NAME "mkbootimg.conf"

/* In argp_option.flags: it is for one call, so no file can have it. */
#define OPTION_NOT_IN_FILE 0x1000

/* For argp parsers: is this option from a file, and not from the user's hand? */
#define OPTION_FROM_FILE(state) (((state)->flags & ARGP_NO_EXIT) != 0)

/* A section that a file may have, and whose options are its keys. */
struct config_section {
	const char *name;
	const struct argp *argp;
};

struct config_entry {
	unsigned int line;
	const struct config_section *section;
	const struct argp_option *option;
	char *argument;		/* "--KEY=VALUE", "--KEY", or NULL for a switch that is off */
};

struct config {
	char *path;		/* as for messages */
	struct config_entry *entries;
	size_t entry_count;
};

/* The file in the current directory or the nearest one above it, for the caller to
 * free; NULL if there is none.  Fails if it is somebody else's. */
int config_find(char **path, struct error *err);

/* Read a file; sections must stay.  The caller frees with config_free(), also after
 * a failure. */
int config_read(struct config *config, const char *path, const struct config_section *sections,
		size_t section_count, struct error *err);
void config_free(struct config *config);

/* Parse the values of these sections, one after the other, as argp would parse
 * options into input.  Options that argp does not have are left out: a command may
 * know only some of another's.  Strings of config are kept in input. */
int config_apply(const struct config *config, const char *const *sections,
		 const struct argp *argp, void *input, struct error *err);

#endif
