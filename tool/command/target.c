/* SPDX-License-Identifier: MIT
 *
 * What is booted, and the machine; see target.h.
 */
#include "command/target.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command/values.h"
#include "image/image.h"
#include "run/runner.h"

#define MEMORY_DEFAULT (UINT64_C(128) * 1024 * 1024)
#define MEMORY_MAX (UINT64_C(1) << 50)

/* What a machine needs beside the plan's memory: the first MiB, page tables
 * that depend on the machine, firmware tables, and some air for the kernel. */
#define MEMORY_OVERHEAD (UINT64_C(16) * 1024 * 1024)

#define CPUS_MAX 255

/* Bytes of an image that are copied to run it. */
#define COPY_MAX (UINT64_C(16) * 1024 * 1024)

/* ---- Options --------------------------------------------------------------- */

enum {
	OPT_HEADLESS = 3000,
	OPT_MEMORY,
	OPT_CPUS,
	OPT_SERIAL,
	OPT_DISK,
	OPT_SYMBOLS,
	OPT_QEMU,
};

const struct argp_option machine_options_list[] = {
	{ "memory", OPT_MEMORY, "SIZE", 0, "Memory of the machine (default 128M, or what the kernel needs)", 0 },
	{ "cpus", OPT_CPUS, "N", 0, "Processors of the machine (default 1)", 0 },
	{ "disk", OPT_DISK, "KIND", 0, "How the image is attached: ahci (default), cd, ide, nvme, usb, virtio", 0 },
	{ "symbols", OPT_SYMBOLS, "FILE", 0, "Take the symbols from FILE (default: the kernel, or the one beside IMAGE)", 0 },
	{ "qemu", OPT_QEMU, "PROGRAM", 0, "The QEMU to run (default " QEMU_DEFAULT ")", 0 },
	{ 0 },
};

const struct argp_option console_options_list[] = {
	{ "headless", OPT_HEADLESS, NULL, 0, "No window; COM1 and port 0xe9 on standard output", 0 },
	{ "serial", OPT_SERIAL, "FILE", 0, "Write COM1 to FILE instead of standard output", 0 },
	{ 0 },
};

static bool parse_cpus(const char *text, unsigned int *cpus)
{
	char *end;
	long number = strtol(text, &end, 10);

	*cpus = (unsigned int)number;
	return end != text && *end == '\0' && number >= 1 && number <= CPUS_MAX;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct machine_options *options = state->input;

	switch (key) {
	case OPT_HEADLESS:
		options->headless = true;
		return 0;
	case OPT_MEMORY:
		/* As QEMU's -m: a bare number is MiB. */
		if (parse_size(arg, 1 << 20, &options->memory) != 0 || options->memory == 0 ||
		    options->memory > MEMORY_MAX)
			argp_error(state, "--memory: '%s' is not a size (a number and K, M, G or T)", arg);
		return 0;
	case OPT_CPUS:
		if (!parse_cpus(arg, &options->cpus))
			argp_error(state, "--cpus: '%s' is not a number from 1 to %d", arg, CPUS_MAX);
		return 0;
	case OPT_SERIAL:
		options->serial = arg;
		return 0;
	case OPT_DISK:
		if (!qemu_disk_known(arg))
			values_refuse(state, "disk", arg, INT_MAX);
		options->disk = arg;
		return 0;
	case OPT_SYMBOLS:
		options->symbols = arg;
		return 0;
	case OPT_QEMU:
		options->qemu = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp machine_argp = { .options = machine_options_list, .parser = parse };
const struct argp console_argp = { .options = console_options_list, .parser = parse };

/* ---- What is booted -------------------------------------------------------- */

/* Have QEMU inherit the file without a name. */
static void hand_over_output(struct target *target)
{
	target->own_copy = true;
	target->path = format_string("/dev/fd/%d", target->output.fd);
	fcntl(target->output.fd, F_SETFD, 0);
}

/* What leaves an image as it is costs QEMU more than a small copy.  If there is none,
 * QEMU does it. */
static void copy_image(struct target *target, const struct file_view *file)
{
	struct error ignored;

	if (output_begin(&target->output, NULL, &ignored) != 0)
		return;
	if (file_copy_cheaply(target->output.fd, file, COPY_MAX))
		hand_over_output(target);
	else
		output_end(&target->output);
}

/* A disk, as far as it is needed to know what it is. */
static int prepare_disk(struct target *target, const struct file_view *disk, struct error *err)
{
	if (!image_is_bootable(disk->bytes, disk->size)) {
		error_set(err, ERROR_INPUT, 0, "'%s' is neither an ELF kernel nor a bootable disk image",
			  target->name);
		return error_hint(err, "an image's first sector ends with the bytes 55 AA");
	}
	target->own_image = image_is_ours(disk->bytes, disk->size);
	if (target->own_image) {
		struct image image;

		if (image_read(&image, disk, false, err) != 0)
			return -1;
		/* What is wrong with a damaged one, its loader will say. */
		if (image.has_plan) {
			target->memory = plan_memory(&image.plan);
			target->facts = origin_facts(&image.plan);
		}
		image_free(&image);
	}
	return 0;
}

/* An image of another format: what it is, its disk's start tells. */
static int prepare_foreign(struct target *target, const struct file_view *file, struct error *err)
{
	struct output raw;
	struct file_view disk;

	int status = format_read(target->format, file, target->name, true, &raw, err);
	if (status == 0)
		status = file_view_of(&disk, raw.fd, target->name, err);
	if (status == 0) {
		status = prepare_disk(target, &disk, err);
		file_close(&disk);
	}
	output_end(&raw);
	return status;
}

static int prepare_image(struct target *target, const struct build_options *options, bool named,
			 const struct file_view *file, struct error *err)
{
	target->format = format_detect(file->bytes, file->size);
	bool foreign = format_is_foreign(target->format);
	if (options->given && (foreign || image_is_bootable(file->bytes, file->size))) {
		error_set(err, ERROR_USAGE, 0, "'%s' is an image already: what a kernel is given, or built with, cannot be changed",
			  target->name);
		return error_hint(err, "give them to 'mkbootimg build'");
	}
	if ((foreign ? prepare_foreign(target, file, err) : prepare_disk(target, file, err)) != 0)
		return -1;
	if (!foreign && target->own_image && !named)
		copy_image(target, file);
	if (target->path == NULL)
		target->path = format_string("%s", target->name);
	return 0;
}

static int prepare_kernel(struct target *target, const struct build_options *options, bool named,
			  struct error *err)
{
	/* An image without a name, unless somebody is to see it. */
	bool anonymous = options->output == NULL && !named;
	struct build_result result;

	if (build_image(target->name, options, anonymous, &target->output, &result, err) != 0)
		return -1;
	target->own_image = true;
	target->memory = result.memory;
	target->facts = result.facts;
	target->path = result.path;
	target->format = result.format;
	if (anonymous)
		hand_over_output(target);
	return 0;
}

int target_open(struct target *target, const char *name, const struct build_options *options,
		bool named, struct error *err)
{
	struct file_view file;

	*target = (struct target){ .name = name, .output.fd = -1 };
	if (file_open_disk(&file, name, err) != 0)
		return -1;
	target->is_kernel = build_is_kernel(file.bytes, file.size);
	int status = target->is_kernel ? 0 : prepare_image(target, options, named, &file, err);
	file_close(&file);
	return target->is_kernel ? prepare_kernel(target, options, named, err) : status;
}

void target_close(struct target *target)
{
	output_end(&target->output);
	free(target->path);
}

/* ---- The machine ----------------------------------------------------------- */

static bool is_set(const char *variable)
{
	const char *value = getenv(variable);

	return value != NULL && value[0] != '\0';
}

const char *target_display(const struct machine_options *options, char *const *user,
			   const char *command, bool quiet)
{
	const char *display, *why = NULL;

	if (options->headless || qemu_user_has(user, "-display") || qemu_user_has(user, "-nographic"))
		return "none";
	if (!is_set("DISPLAY") && !is_set("WAYLAND_DISPLAY")) {
		display = "none";
		why = "there is no display to open a window on";
	} else {
		display = runner_find_display(options->qemu);
		if (strcmp(display, "none") == 0)
			why = "this QEMU cannot open windows (Debian and Ubuntu: apt install qemu-system-gui)";
	}
	if (why != NULL && !quiet)
		fprintf(stderr, "mkbootimg: %s: %s: running as with --headless\n", command, why);
	return display;
}

char *target_console(void)
{
	struct stat st;

	if (fstat(STDOUT_FILENO, &st) == 0 && S_ISSOCK(st.st_mode))
		return format_string("socket,fd=%d", STDOUT_FILENO);
	CLEANUP_CLOSE int fd = open("/dev/stdout", O_WRONLY | O_APPEND | O_CLOEXEC);
	return format_string("%s", fd >= 0 ? "file,path=/dev/stdout,append=on" : "null");
}

int target_memory(const struct target *target, const struct machine_options *options,
		  uint64_t *memory, struct error *err)
{
	uint64_t needed = target->memory + MEMORY_OVERHEAD;

	*memory = needed > MEMORY_DEFAULT ? needed : MEMORY_DEFAULT;
	if (options->memory == 0)
		return 0;
	*memory = options->memory;
	if (*memory >= target->memory)
		return 0;
	error_set(err, ERROR_INPUT, 0, "'%s' needs %" PRIu64 " MiB of memory, more than --memory gives",
		  target->name, needed >> 20);
	return error_hint(err, "leave --memory out, or give it at least that");
}

int target_check_disk(const struct target *target, const struct machine_options *options,
		      struct error *err)
{
	if (options->disk == NULL || strcmp(options->disk, "cd") != 0 || target->format == format_find("iso"))
		return 0;
	error_set(err, ERROR_USAGE, 0, "'%s' is no ISO image, and no other boots from a CD", target->name);
	return error_hint(err, "make one with 'mkbootimg build -f iso', or leave --disk out");
}

/* QEMU would open it, too, but say less. */
int target_check_serial(const struct machine_options *options, struct error *err)
{
	if (options->serial == NULL)
		return 0;
	CLEANUP_CLOSE int fd = open(options->serial, O_WRONLY | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0666);
	/* A FIFO that nobody reads yet. */
	if (fd < 0 && errno != ENXIO)
		return error_set(err, ERROR_SYSTEM, errno, "cannot write '%s'", options->serial);
	return 0;
}
