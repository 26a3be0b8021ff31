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
#include <stdio.h>

#include "config/crate.h"
#include "base/error.h"
#include "base/fileio.h"
#include "kernel/kernel.h"
#include "image/image.h"
#include "crash/origin.h"
#include "image/format.h"
#include "plan/plan.h"
#include "protocol/protocol.h"

/* Bytes of stack that may be asked for, at most. */
#define STACK_MAX (UINT64_C(256) * 1024 * 1024)

/* What --compress takes, for messages. */
#define BUILD_COMPRESS_NAMES "none, auto, lz4"

struct build_options {
	const char *output;		/* NULL: beside the kernel */
	const struct image_format *format;	/* NULL: what the output's name says, or raw */
	const char *cmdline;
	uint64_t stack_size;		/* 0: the protocol's default */
	struct image_options image;
	const char *protocol;		/* NULL: automatic */
	struct protocol_reason protocol_reason;	/* for protocol, if it is not the user's; or "" */
	struct error unknown_crate;	/* with a kernel that has no header; ERROR_NONE: all is well */
	const char **modules;		/* "FILE[=NAME]", in order */
	size_t module_count;
	bool has_video;
	struct plan_video video;
	bool has_kernel_base;
	uint64_t kernel_base;
	struct crate_options crate;	/* for bootloader-0.9 */
	const char *depfile;		/* for make: what the image was made of; NULL: none */
	const char *bootloader;		/* directory of loader sources, NULL: bundled */
	bool given;			/* on the command line: one that matters to kernels only */
	bool quiet;
	bool verbose;
};

#define BUILD_OPTIONS_DEFAULT { .cmdline = "" }

/* argp child parsers; their input is a struct build_options.  Those that change
 * the plan, and all. */
extern const struct argp_option plan_options_list[];
extern const struct argp plan_argp;
extern const struct argp build_argp;

/* Release what the parsers allocated. */
void build_options_free(struct build_options *options);

/* A kernel file, read and planned. */
struct planned {
	struct file_view *files;	/* the kernel's, then the modules' */
	size_t file_count;
	struct plan_module *modules;
	size_t module_count;
	struct kernel kernel;
	struct protocol_choice choice;
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
	const struct image_format *format;
	uint64_t memory;	/* bytes of memory that the plan takes */
	struct origin_facts facts;
};

/* Is the file a kernel, good or bad: an ELF file, a gzip file, or, if it is no disk
 * image, a flat binary with a Multiboot header? */
bool build_is_kernel(const unsigned char *bytes, size_t size);

/* Tell what was chosen and why, warnings included. */
void build_print_choice(FILE *out, const char *path, const struct protocol_choice *choice);

/* Tell which of its files were unpacked, if any. */
void build_print_unpacked(FILE *out, const struct planned *planned);

/* Where the image of a kernel goes if nothing else is said: ".elf" becomes the
 * extension (".img"), any other name gets it behind it.  The caller frees. */
char *build_default_output(const char *kernel, const char *extension);

/* Refuse to write a file, named by an option ("-o"), that is one of those that are
 * read: the first, which is what it is called here ("the kernel"), or a module. */
int build_check_output(const char *target, const char *option, const char *first,
		       const struct file_view *files, size_t count, struct error *err);

/* Build an image of the kernel file at path.  If anonymous, it is raw, has no name and
 * stays open in *output; otherwise it is committed.  The caller ends output. */
int build_image(const char *path, const struct build_options *options, bool anonymous,
		struct output *output, struct build_result *result, struct error *err);

/* Read a size: a number and K, M, G or T; without one, times unit.  -1 if it is
 * not a size. */
int parse_size(const char *text, uint64_t unit, uint64_t *size);

#endif
