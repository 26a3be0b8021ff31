/* SPDX-License-Identifier: MIT
 *
 * From KERNEL or IMAGE to something QEMU boots, and the machine around it: what
 * "run" and "debug" share, command line options included, some of which "test" passes on.
 */
#ifndef MKBOOTIMG_TARGET_H
#define MKBOOTIMG_TARGET_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

#include "command/build.h"
#include "base/error.h"
#include "base/fileio.h"
#include "crash/origin.h"
#include "run/qemu.h"

struct machine_options {
	bool headless;
	uint64_t memory;	/* 0: not given */
	unsigned int cpus;	/* 0: not given */
	const char *serial;	/* NULL: standard output */
	const char *symbols;	/* NULL: found */
	const char *disk;	/* NULL: the command line of QEMU has it */
	const char *qemu;
};

#define DISK_DEFAULT "ahci"
#define MACHINE_OPTIONS_DEFAULT { .disk = DISK_DEFAULT, .qemu = QEMU_DEFAULT }

/* argp child parsers; their input is a struct machine_options.  What the machine is
 * like, for test too; and where one sees it. */
extern const struct argp_option machine_options_list[];
extern const struct argp_option console_options_list[];
extern const struct argp machine_argp;
extern const struct argp console_argp;

/* What is to be booted, ready for QEMU. */
struct target {
	const char *name;	/* as the user gave it */
	struct output output;	/* a kernel's image, meanwhile */
	char *path;		/* for QEMU */
	const struct image_format *format;	/* of the file there */
	bool own_copy;		/* what is there nobody else has, and it goes with us */
	uint64_t memory;	/* that its plan takes */
	bool is_kernel;
	bool own_image;
	struct origin_facts facts;
};

/* Read name, a kernel or an image, and build the image of a kernel: without a
 * name, unless it is to be seen (named); so is the copy of an image of ours.  Also after a failure the caller ends
 * with target_close(). */
int target_open(struct target *target, const char *name, const struct build_options *options,
		bool named, struct error *err);
void target_close(struct target *target);

/* The machine's memory, or an error if the kernel cannot fit. */
int target_memory(const struct target *target, const struct machine_options *options,
		  uint64_t *memory, struct error *err);

/* What goes after -display: a window, if there is a place for one.  Why not, is
 * said in command's name, unless quiet. */
const char *target_display(const struct machine_options *options, char *const *user,
			   const char *command, bool quiet);

/* A character device for port 0xe9 that writes to standard output, beside COM1.
 * The caller frees. */
char *target_console(void);

/* Can the machine boot it from the disk that was chosen? */
int target_check_disk(const struct target *target, const struct machine_options *options,
		      struct error *err);

/* Can the file for COM1 be written? */
int target_check_serial(const struct machine_options *options, struct error *err);

#endif
