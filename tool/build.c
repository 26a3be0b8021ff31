/* SPDX-License-Identifier: MIT
 *
 * Building an image; see build.h.
 */
#include "build.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bootabi.h"
#include "boottable.h"
#include "image.h"
#include "kernel.h"
#include "loader.h"
#include "plan.h"
#include "protocol.h"

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

static void print_plan(const char *path, const struct protocol *protocol, const struct plan *plan,
		       const struct loader *loader)
{
	printf("%s: protocol %s, entry point 0x%" PRIx64 ", stack %" PRIu64 " KiB\n", path,
	       protocol->name, plan->entry, plan->stack_size / 1024);
	for (size_t i = 0; i < plan->map_count; i++) {
		const struct plan_map *map = &plan->maps[i];
		const struct plan_block *block = &plan->blocks[map->block];
		char where[32] = "anywhere";

		if (block->phys != BLOCK_ANYWHERE)
			snprintf(where, sizeof(where), "0x%" PRIx64, block->phys + map->offset);
		printf("  0x%016" PRIx64 "-0x%016" PRIx64 " %c%c%c at %s\n", map->virt,
		       map->virt + map->length, map->flags & MAP_READ ? 'r' : '-',
		       map->flags & MAP_WRITE ? 'w' : '-', map->flags & MAP_EXECUTE ? 'x' : '-', where);
	}
	printf("  loader %zu bytes, boot table %zu bytes, %zu extents, %zu page tables at most\n",
	       loader->size, boottable_size(plan), plan->extent_count, (size_t)plan->table_pages);
}

static void warn(const char *path, const struct plan *plan)
{
	for (size_t i = 0; i < plan->map_count; i++) {
		const struct plan_map *map = &plan->maps[i];

		if ((map->flags & (MAP_WRITE | MAP_EXECUTE)) == (MAP_WRITE | MAP_EXECUTE)) {
			fprintf(stderr,
				"mkbootimg: build: warning: '%s': the pages at 0x%" PRIx64
				" are both writable and executable\n",
				path, map->virt);
			return;
		}
	}
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
		if (!options->quiet)
			warn(path, plan);
		if (options->verbose)
			print_plan(path, protocol, plan, &loader);
		if (options->verbose && !anonymous)
			printf("%s: %" PRIu64 " bytes, of which %" PRIu64 " are the kernel's\n", target,
			       summary.size, summary.stored);
		result->memory = plan_memory(plan);
		result->path = target;
		target = NULL;
	}
	loader_free(&loader);
	return status;
}

int build_image(const char *path, const struct build_options *options, bool anonymous,
		struct output *output, struct build_result *result, struct error *err)
{
	struct plan_options plan_options = { .cmdline = options->cmdline,
					     .stack_size = options->stack_size };
	struct file_view file;
	struct kernel kernel;
	struct plan plan;

	*output = (struct output){ .fd = -1 };
	*result = (struct build_result){0};
	if (file_open(&file, path, err) != 0)
		return -1;
	int status = kernel_parse(&kernel, file.bytes, file.size, path, err);
	if (status == 0) {
		const struct protocol *protocol = protocol_find(&kernel, path, err);

		status = protocol == NULL ? -1 : protocol->plan(&kernel, &plan_options, path, &plan, err);
		if (status == 0) {
			status = boottable_check(&plan, path, err);
			if (status == 0)
				status = write_image(path, options, protocol, &plan, &file, anonymous, output,
						     result, err);
			plan_free(&plan);
		}
		kernel_free(&kernel);
	}
	file_close(&file);
	return status;
}
