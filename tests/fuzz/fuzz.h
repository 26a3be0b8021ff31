/* SPDX-License-Identifier: MIT
 *
 * What the fuzz targets share.  A target is a file fuzz_NAME.c with the function
 * that libFuzzer calls, LLVMFuzzerTestOneInput(); replay.c calls it for the files
 * in corpus/NAME.  What must hold is checked as in unit tests (unit.h): a check
 * that fails aborts, which is what libFuzzer looks for.
 */
#ifndef MKBOOTIMG_FUZZ_H
#define MKBOOTIMG_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "plan/boottable.h"
#include "base/error.h"
#include "plan/plan.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Have what is printed to stdout or stderr kept in memory.  The caller frees what
 * the end gives, a string, after the check that it is fit for a terminal. */
struct capture {
	FILE **stream;
	FILE *saved;
	char *text;
	size_t size;
};
void capture_begin(struct capture *capture, FILE **stream);
char *capture_end(struct capture *capture);

/* An error that was returned says something, and is fit to be printed. */
void fuzz_check_error(const struct error *err);

/* Every index, offset and length of a plan lies in what it is one of; its text and
 * its JSON can be made, with the extents' places. */
void fuzz_check_plan(const struct plan *plan, const struct extent_place *places);

/* A boot table can be read back, and is the same when it is written again. */
void fuzz_check_table(const struct plan *plan, const struct extent_place *places);

/* "mkbootimg inspect" of these bytes, as text and as JSON: what it prints is fit for
 * a terminal, and is JSON if it is asked for. */
void fuzz_inspect(const uint8_t *data, size_t size);

/* A file with these bytes, under a name that stays the same.  It is the next call's
 * too. */
const char *fuzz_file(const uint8_t *data, size_t size);

#endif
