/* SPDX-License-Identifier: MIT
 *
 * A template of a project: the files in a directory, in which @NAME@ stands for the
 * project's name.
 */
#ifndef MKBOOTIMG_TEMPLATE_H
#define MKBOOTIMG_TEMPLATE_H

#include <stddef.h>

#include "base/error.h"

struct template_file {
	char *path;		/* from the project's directory on, "src/main.c" */
	unsigned char *bytes;
	size_t size;
};

struct template {
	struct template_file *files;	/* sorted, those of a directory together */
	size_t count;
};

/* Read all files in a directory and below it, and fill in the name.  The caller frees
 * with template_free(), also after a failure. */
int template_read(struct template *template, const char *directory, const char *name, struct error *err);
void template_free(struct template *template);

#endif
