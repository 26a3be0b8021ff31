/* SPDX-License-Identifier: MIT
 *
 * From a kernel file to an image: what "build" does, and "run" before it runs.
 * Also the command line options that both take.
 */
#ifndef MKBOOTIMG_BUILD_H
#define MKBOOTIMG_BUILD_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "fileio.h"
#include "kernel.h"
#include "plan.h"
#include "protocol.h"

struct build_options {
	const char *output;		/* NULL: beside the kernel */
	const char *cmdline;
	uint64_t stack_size;
	uint64_t min_size;		/* of the image, bytes */
	const char *bootloader;		/* directory of loader sources, NULL: bundled */
	bool quiet;
	bool verbose;
};

#define BUILD_OPTIONS_DEFAULT { .cmdline = "", .stack_size = 64 * 1024 }

/* argp child parser; its input is a struct build_options. */
extern const struct argp build_argp;

/* A kernel file, read and planned. */
struct planned {
	struct file_view file;
	struct kernel kernel;
	const struct protocol *protocol;
	struct plan plan;
};

/* Read the kernel file at path and plan it.  The caller frees with
 * build_plan_free(). */
int build_plan(const char *path, const struct build_options *options, struct planned *planned,
	       struct error *err);
void build_plan_free(struct planned *planned);

/* What came out. */
struct build_result {
	char *path;		/* image file, NULL if anonymous; the caller frees */
	uint64_t memory;	/* bytes of memory that the plan takes */
};

/* Where the image of a kernel goes if nothing else is said: ".elf" becomes
 * ".img", any other name gets ".img" behind it.  The caller frees. */
char *build_default_output(const char *kernel);

/* Build an image of the kernel file at path.  If anonymous, it has no name and
 * stays open in *output; otherwise it is committed.  The caller ends output. */
int build_image(const char *path, const struct build_options *options, bool anonymous,
		struct output *output, struct build_result *result, struct error *err);

/* Read a size: a number and K, M, G or T; without one, times unit.  -1 if it is
 * not a size. */
int parse_size(const char *text, uint64_t unit, uint64_t *size);

#endif
