/* SPDX-License-Identifier: MIT
 *
 * Building an image; see build.h.
 */
#include "build.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bootabi.h"
#include "boottable.h"
#include "image.h"
#include "loader.h"
#include "report.h"

#define STACK_MAX (UINT64_C(256) * 1024 * 1024)

enum {
	OPT_STACK_SIZE = 1000,
	OPT_SIZE,
	OPT_BOOTLOADER,
};

static const struct argp_option options_list[] = {
	{ "output", 'o', "FILE", 0, "Write the image to FILE (default: beside the kernel, .elf becomes .img)", 0 },
	{ "cmdline", 'c', "STRING", 0, "Give the kernel this command line", 0 },
	{ "stack-size", OPT_STACK_SIZE, "SIZE", 0, "Give the kernel a stack of SIZE bytes (default 64K)", 0 },
	{ "size", OPT_SIZE, "SIZE", 0, "Make the image at least SIZE large", 0 },
	{ "bootloader", OPT_BOOTLOADER, "DIR", 0, "Use the loader whose sources are in DIR", 0 },
	{ "quiet", 'q', NULL, 0, "Print errors only", 0 },
	{ "verbose", 'v', NULL, 0, "Print the plan", 0 },
	{ 0 },
};

int parse_size(const char *text, uint64_t unit, uint64_t *size)
{
	static const char suffixes[] = "KMGT";
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return -1;
	errno = 0;
	/* 010 is ten: nobody who writes a size means octal. */
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	uint64_t value = strtoull(text, &end, hex ? 16 : 10);
	if (errno != 0)
		return -1;
	if (*end != '\0') {
		const char *suffix = strchr(suffixes, *end >= 'a' ? *end - ('a' - 'A') : *end);

		if (suffix == NULL || end[1] != '\0')
			return -1;
		unit = UINT64_C(1024) << 10 * (suffix - suffixes);
	}
	if (value > UINT64_MAX / unit)
		return -1;
	*size = value * unit;
	return 0;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct build_options *options = state->input;

	switch (key) {
	case 'o':
		options->output = arg;
		return 0;
	case 'c':
		options->cmdline = arg;
		return 0;
	case OPT_STACK_SIZE:
		if (parse_size(arg, 1, &options->stack_size) != 0 || options->stack_size == 0 ||
		    options->stack_size > STACK_MAX)
			argp_error(state, "--stack-size: '%s' is not a size from 1 to 256M", arg);
		return 0;
	case OPT_SIZE:
		if (parse_size(arg, 1, &options->min_size) != 0)
			argp_error(state, "--size: '%s' is not a size (a number and K, M, G or T)", arg);
		return 0;
	case OPT_BOOTLOADER:
		options->bootloader = arg;
		return 0;
	case 'q':
		options->quiet = true;
		return 0;
	case 'v':
		options->verbose = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp build_argp = { .options = options_list, .parser = parse_option };

char *build_default_output(const char *kernel)
{
	size_t length = strlen(kernel);

	if (length > 4 && strcmp(kernel + length - 4, ".elf") == 0 && kernel[length - 5] != '/')
		length -= 4;
	return format_string("%.*s.img", (int)length, kernel);
}

/* The steps from a plan on. */
static int write_image(const char *path, const struct build_options *options,
		       const struct protocol *protocol, const struct plan *plan,
		       const struct file_view *file, bool anonymous, struct output *output,
		       struct build_result *result, struct error *err)
{
	CLEANUP_FREE char *target = NULL;
	struct loader loader;
	struct image_summary summary;
	struct stat st;

	if (!anonymous) {
		target = options->output != NULL ? format_string("%s", options->output) :
						   build_default_output(path);
		if (stat(target, &st) == 0 && st.st_dev == file->device && st.st_ino == file->inode) {
			error_set(err, ERROR_USAGE, 0, "the output '%s' is the kernel itself", target);
			return error_hint(err, "name another file with -o");
		}
	}
	if (loader_get(&loader, options->bootloader, protocol->loader_option, err) != 0)
		return -1;
	int status = output_begin(output, target, err);
	if (status == 0)
		status = image_write(output, target != NULL ? target : "temporary image", plan, file, &loader,
				     options->min_size, &summary, err);
	if (status == 0 && !anonymous)
		status = output_commit(output, err);
	if (status == 0) {
		for (size_t i = 0; !options->quiet && i < plan->warning_count; i++)
			warning_print("build", path, plan->warnings[i].text);
		if (options->verbose) {
			printf("%s: %s because it is %s\n", path, protocol->name, protocol->reason);
			report_plan(stdout, plan);
			printf("loader %zu bytes, boot table %zu bytes, image %" PRIu64
			       " bytes, of which %" PRIu64 " are the kernel's\n",
			       loader.size, boottable_size(plan), summary.size, summary.stored);
		}
		result->memory = plan_memory(plan);
		result->path = target;
		target = NULL;
	}
	loader_free(&loader);
	return status;
}

int build_plan(const char *path, const struct build_options *options, struct planned *planned,
	       struct error *err)
{
	struct plan_options plan_options = { .cmdline = options->cmdline,
					     .stack_size = options->stack_size };

	*planned = (struct planned){ .file.fd = -1 };
	if (file_open(&planned->file, path, err) != 0)
		return -1;
	int status = kernel_parse(&planned->kernel, planned->file.bytes, planned->file.size, path, err);
	if (status == 0) {
		planned->protocol = protocol_find(&planned->kernel, path, err);
		status = planned->protocol == NULL ?
				 -1 :
				 planned->protocol->plan(&planned->kernel, &plan_options, path,
							 &planned->plan, err);
	}
	if (status == 0)
		status = boottable_check(&planned->plan, path, err);
	if (status != 0)
		build_plan_free(planned);
	return status;
}

void build_plan_free(struct planned *planned)
{
	plan_free(&planned->plan);
	kernel_free(&planned->kernel);
	file_close(&planned->file);
}

int build_image(const char *path, const struct build_options *options, bool anonymous,
		struct output *output, struct build_result *result, struct error *err)
{
	struct planned planned;

	*output = (struct output){ .fd = -1 };
	*result = (struct build_result){0};
	if (build_plan(path, options, &planned, err) != 0)
		return -1;
	int status = write_image(path, options, planned.protocol, &planned.plan, &planned.file, anonymous,
				 output, result, err);
	build_plan_free(&planned);
	return status;
}
