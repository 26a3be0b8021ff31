/* SPDX-License-Identifier: MIT
 *
 * A new project: a template's files, written all or not at all.
 */
#ifndef MKBOOTIMG_PROJECT_H
#define MKBOOTIMG_PROJECT_H

#include "base/error.h"
#include "project/template.h"

/* What a project may be in, for messages. */
#define PROJECT_LANGUAGE_NAMES "c, asm, rust"

/* What a project in a directory, which need not be there, is called: the last part of
 * its path.  The caller frees; NULL is a failure. */
char *project_name(const char *directory, struct error *err);

/* Write the files into a directory, which is made if it is not there.  What is there
 * is never touched: if it is in the way, nothing is written.  When something fails, or a
 * signal comes that ends the program, what was written is removed. */
int project_write(const char *directory, const struct template *template, struct error *err);

#endif
