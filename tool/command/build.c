/* SPDX-License-Identifier: MIT
 *
 * Building an image; see build.h.
 */
#include "command/build.h"
#include "command/command.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bootabi.h"
#include "base/gzip.h"
#include "command/values.h"
#include "plan/boottable.h"
#include "config/config.h"
#include "image/loader.h"
#include "kernel/kernel_file.h"
#include "plan/report.h"

#define MODULE_MAX PLAN_MOST_MEMORY

enum {
	OPT_PROTOCOL = 1000,
	OPT_VIDEO,
	OPT_STACK_SIZE,
	OPT_KERNEL_BASE,
	OPT_SIZE,
	OPT_COMPRESS,
	OPT_BOOTLOADER,
	OPT_FEATURES,
	OPT_STACK_PAGES,
	OPT_STACK_ADDRESS,
	OPT_PHYSICAL_MEMORY_OFFSET,
	OPT_BOOT_INFO_ADDRESS,
};

const struct argp_option plan_options_list[] = {
	{ "cmdline", 'c', "STRING", 0, "Give the kernel this command line", 0 },
	{ "module", 'm', "FILE[=NAME]", 0, "Load FILE along with the kernel; may be repeated", 0 },
	{ "protocol", OPT_PROTOCOL, "NAME", 0, "Enter the kernel by this protocol: auto, " PROTOCOL_NAMES, 0 },
	{ "video", OPT_VIDEO, "MODE", 0, "Set the screen to text or to WIDTHxHEIGHT[xBPP]", 0 },
	{ "stack-size", OPT_STACK_SIZE, "SIZE", 0, "Give the kernel a stack of SIZE bytes (default 64K; bootloader-0.9: 2M)", 0 },
	{ "kernel-base", OPT_KERNEL_BASE, "ADDR", 0, "Put a position-independent kernel at ADDR (default 0x200000)", 0 },
	{ "kernel-stack-size", OPT_STACK_PAGES, "PAGES", 0, "Likewise --stack-size, in pages of 4 KiB", 0 },
	{ NULL, 0, NULL, OPTION_DOC, "For kernels of the bootloader crate 0.9:", 5 },
	{ "features", OPT_FEATURES, "LIST", 0, "The crate's cargo features, with commas between: " CRATE_FEATURE_NAMES, 5 },
	{ "kernel-stack-address", OPT_STACK_ADDRESS, "ADDR", 0, "Put the stack, and the guard page below it, at ADDR", 5 },
	{ "physical-memory-offset", OPT_PHYSICAL_MEMORY_OFFSET, "ADDR", 0, "Map all memory at ADDR (map_physical_memory)", 5 },
	{ "boot-info-address", OPT_BOOT_INFO_ADDRESS, "ADDR", 0, "Put BootInfo at ADDR", 5 },
	{ 0 },
};

static const struct argp_option options_list[] = {
	{ "output", 'o', "FILE", 0, "Write the image to FILE (default: beside the kernel, .elf becomes .img)", 0 },
	{ "size", OPT_SIZE, "SIZE", 0, "Make the image at least SIZE large", 0 },
	{ "compress", OPT_COMPRESS, "METHOD", 0, "Compress what is loaded: none (default), auto (where it loads sooner), lz4", 0 },
	{ "bootloader", OPT_BOOTLOADER, "DIR", 0, "Use the loader whose sources are in DIR", 0 },
	{ "quiet", 'q', NULL, 0, "Print errors only", 0 },
	{ "verbose", 'v', NULL, 0, "Print the plan, and run: where the time went", 0 },
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

/* A number from 1 to most, and what follows it. */
static bool parse_number(const char **text, unsigned long most, unsigned long *number)
{
	char *end;

	if (**text < '1' || **text > '9')
		return false;
	*number = strtoul(*text, &end, 10);
	*text = end;
	return *number <= most;
}

/* "text", or WIDTHxHEIGHT[xBPP]. */
static int parse_video(const char *text, struct plan_video *video)
{
	unsigned long width, height, depth = 0;

	if (strcmp(text, "text") == 0) {
		*video = (struct plan_video){ .mode = VIDEO_TELL };
		return 0;
	}
	if (!parse_number(&text, UINT16_MAX, &width) || *text++ != 'x' ||
	    !parse_number(&text, UINT16_MAX, &height))
		return -1;
	if (*text == 'x') {
		text++;
		if (!parse_number(&text, 32, &depth) ||
		    (depth != 15 && depth != 16 && depth != 24 && depth != 32))
			return -1;
	}
	if (*text != '\0')
		return -1;
	*video = (struct plan_video){ (uint16_t)width, (uint16_t)height, (uint8_t)depth, VIDEO_REQUIRE };
	return 0;
}

static void parse_features(const char *text, struct crate_options *crate, const struct argp_state *state)
{
	const char *wrong;
	int length;

	crate->has_features = true;
	if (crate_parse_features(text, &crate->features, &wrong, &length) != 0)
		values_refuse(state, "features", wrong, length);
}

static void parse_address(const char *option, const char *text, uint64_t *address,
			  const struct argp_state *state)
{
	if (crate_parse_address(text, address) != 0)
		argp_error(state, "--%s: '%s' is not an address on a page boundary (a multiple of 0x1000)",
			   option, text);
}

/* An option was given that matters to kernels only.  A file's are for the kernels
 * among what it is read for. */
static void note_given(struct build_options *options, const struct argp_state *state)
{
	options->given |= !OPTION_FROM_FILE(state);
}

static error_t parse_plan_option(int key, char *arg, struct argp_state *state)
{
	struct build_options *options = state->input;
	const char *number = arg;
	unsigned long pages;

	switch (key) {
	case 'c':
		note_given(options, state);
		options->cmdline = arg;
		return 0;
	case 'm':
		note_given(options, state);
		*plan_append(options->modules, options->module_count) = arg;
		return 0;
	case OPT_PROTOCOL:
		options->protocol = strcmp(arg, "auto") == 0 ? NULL : arg;
		if (options->protocol != NULL)
			note_given(options, state);
		if (options->protocol != NULL && !protocol_exists(arg))
			values_refuse(state, "protocol", arg, INT_MAX);
		return 0;
	case OPT_VIDEO:
		note_given(options, state);
		options->has_video = true;
		if (parse_video(arg, &options->video) != 0)
			argp_error(state, "--video: '%s' is neither text nor a mode like 1024x768 or 1024x768x32", arg);
		return 0;
	case OPT_STACK_SIZE:
		note_given(options, state);
		if (parse_size(arg, 1, &options->stack_size) != 0 || options->stack_size == 0 ||
		    options->stack_size > STACK_MAX)
			argp_error(state, "--stack-size: '%s' is not a size from 1 to 256M", arg);
		return 0;
	case OPT_KERNEL_BASE:
		note_given(options, state);
		options->has_kernel_base = true;
		if (parse_size(arg, 1, &options->kernel_base) != 0 || options->kernel_base % PAGE_SIZE != 0)
			argp_error(state, "--kernel-base: '%s' is not an address on a page boundary (a multiple of 0x1000)",
				   arg);
		return 0;
	case OPT_STACK_PAGES:
		note_given(options, state);
		if (parse_number(&number, STACK_MAX / PAGE_SIZE, &pages) && *number == '\0')
			options->stack_size = pages * PAGE_SIZE;
		else
			argp_error(state, "--kernel-stack-size: '%s' is not a number of pages from 1 to %d", arg,
				   (int)(STACK_MAX / PAGE_SIZE));
		return 0;
	case OPT_FEATURES:
		note_given(options, state);
		parse_features(arg, &options->crate, state);
		return 0;
	case OPT_STACK_ADDRESS:
		note_given(options, state);
		parse_address("kernel-stack-address", arg, &options->crate.stack_address, state);
		return 0;
	case OPT_PHYSICAL_MEMORY_OFFSET:
		note_given(options, state);
		parse_address("physical-memory-offset", arg, &options->crate.physical_memory_offset, state);
		return 0;
	case OPT_BOOT_INFO_ADDRESS:
		note_given(options, state);
		parse_address("boot-info-address", arg, &options->crate.boot_info_address, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp plan_argp = { .options = plan_options_list, .parser = parse_plan_option };

static int parse_compress(const char *text, enum compress *compress)
{
	static const char *const names[] = {
		[COMPRESS_NONE] = "none",
		[COMPRESS_AUTO] = "auto",
		[COMPRESS_LZ4] = "lz4",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(text, names[i]) == 0) {
			*compress = (enum compress)i;
			return 0;
		}
	}
	return -1;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct build_options *options = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = options;
		return 0;
	case 'o':
		note_given(options, state);
		options->output = arg;
		return 0;
	case OPT_SIZE:
		note_given(options, state);
		if (parse_size(arg, 1, &options->image.min_size) != 0)
			argp_error(state, "--size: '%s' is not a size (a number and K, M, G or T)", arg);
		return 0;
	case OPT_COMPRESS:
		note_given(options, state);
		if (parse_compress(arg, &options->image.compress) != 0)
			values_refuse(state, "compress", arg, INT_MAX);
		return 0;
	case OPT_BOOTLOADER:
		note_given(options, state);
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

static const struct argp_child build_children[] = { { .argp = &plan_argp }, { 0 } };
const struct argp build_argp = { .options = options_list,
				 .parser = parse_option,
				 .children = build_children };

void build_options_free(struct build_options *options)
{
	free(options->modules);
	options->modules = NULL;
	options->module_count = 0;
}

char *build_default_output(const char *kernel, const char *extension)
{
	size_t length = strlen(kernel);

	if (length > 4 && strcmp(kernel + length - 4, ".elf") == 0 && kernel[length - 5] != '/')
		length -= 4;
	return format_string("%.*s%s", (int)length, kernel, extension);
}

bool build_is_kernel(const unsigned char *bytes, size_t size)
{
	struct kernel flat = { .bytes = bytes, .size = size };

	/* A gzip file is no disk: what is in it must be a kernel. */
	return kernel_is_elf(bytes, size) || gzip_is(bytes, size) ||
	       (!image_is_bootable(bytes, size) && !format_is_foreign(format_detect(bytes, size)) &&
		protocol_asked_for(&flat));
}

void build_print_choice(FILE *out, const char *path, const struct protocol_choice *choice)
{
	print_escaped(out, path);
	fprintf(out, ": %s because it ", choice->protocol->name);
	print_escaped(out, choice->reason.text);
	if (choice->forced)
		fputs(", and it was asked for", out);
	if (choice->others[0] != '\0')
		fprintf(out, "; it also offers %s (--protocol)", choice->others);
	fputc('\n', out);
}

void build_print_unpacked(FILE *out, const struct planned *planned)
{
	for (size_t i = 0; i < planned->file_count; i++) {
		const struct file_view *file = &planned->files[i];

		if (file->packed_size == 0)
			continue;
		if (i == 0) {
			fputs("the kernel", out);
		} else {
			fputs("module '", out);
			print_escaped(out, planned->modules[i - 1].name);
			fputc('\'', out);
		}
		fprintf(out, " is a gzip file: %zu bytes, unpacked %zu\n", file->packed_size, file->size);
	}
}

/* ---- Planning -------------------------------------------------------------- */

/* "FILE[=NAME]"; a name that is not given is the file's, without directories.
 * The caller frees *file; *name points into it or into text. */
static void split_module(const char *text, char **file, const char **name)
{
	const char *equals = strchr(text, '=');
	size_t length = equals != NULL ? (size_t)(equals - text) : strlen(text);

	*file = format_string("%.*s", (int)length, text);
	*name = equals != NULL ? equals + 1 : path_name(*file);
}

/* Open the modules' files, behind the kernel's. */
static int open_modules(const struct build_options *options, struct planned *planned,
			struct error *err)
{
	for (size_t i = 0; i < options->module_count; i++) {
		CLEANUP_FREE char *path = NULL;
		const char *name;
		struct plan_module *module = plan_append(planned->modules, planned->module_count);
		struct file_view *file = plan_append(planned->files, planned->file_count);

		file->fd = -1;
		split_module(options->modules[i], &path, &name);
		module->name = format_string("%s", name);
		if (module_file_open(file, path, err) != 0)
			return error_wrap(err, "module");
		if (file->size > MODULE_MAX)
			return error_set(err, ERROR_INPUT, 0, "module '%s' is larger than 3 GiB", path);
		module->size = file->size;
	}
	return 0;
}

/* Nothing that was asked for is passed over in silence. */
static int check_crate(const struct crate_options *crate, const struct protocol *protocol,
		       struct error *err)
{
	const char *given = crate_given(crate);

	if (given == NULL || protocol->number == BT_PROTOCOL_BOOTLOADER_09)
		return 0;
	error_set(err, ERROR_USAGE, 0, "--%s is for kernels of the bootloader crate, and this one is booted by %s",
		  given, protocol->name);
	return error_hint(err, "add --protocol bootloader-0.9, or leave it out");
}

int build_plan(const char *path, const struct build_options *options, struct planned *planned,
	       struct error *err)
{
	*planned = (struct planned){0};
	struct file_view *file = plan_append(planned->files, planned->file_count);
	file->fd = -1;
	if (kernel_file_open(file, path, err) != 0 ||
	    kernel_parse(&planned->kernel, file->bytes, file->size, path, err) != 0 ||
	    open_modules(options, planned, err) != 0) {
		build_plan_free(planned);
		return -1;
	}
	struct plan_options plan_options = {
		.cmdline = options->cmdline,
		.kernel_name = path_name(path),
		.stack_size = options->stack_size,
		.modules = planned->modules,
		.module_count = planned->module_count,
		.video = options->has_video ? &options->video : NULL,
		.kernel_base = options->has_kernel_base ? &options->kernel_base : NULL,
		.crate = options->crate,
	};
	const struct protocol *protocol =
		protocol_find(&planned->kernel, options->protocol, path, &planned->choice, err);
	if (protocol != NULL && protocol->asked_for == NULL && options->unknown_crate.class != ERROR_NONE) {
		*err = options->unknown_crate;
		protocol = NULL;
	}
	if (protocol != NULL && options->protocol_reason.text[0] != '\0') {
		planned->choice.reason = options->protocol_reason;
		planned->choice.forced = false;
	}
	if (protocol != NULL && check_crate(&options->crate, protocol, err) == 0 &&
	    protocol->plan(&planned->kernel, &plan_options, path, &planned->plan, err) == 0 &&
	    boottable_check(&planned->plan, path, err) == 0) {
		if (planned->choice.problem.class != ERROR_NONE)
			plan_warn(&planned->plan, "passed over: %s", planned->choice.problem.text);
		return 0;
	}
	build_plan_free(planned);
	return -1;
}

void build_plan_free(struct planned *planned)
{
	plan_free(&planned->plan);
	kernel_free(&planned->kernel);
	for (size_t i = 0; i < planned->module_count; i++)
		free(planned->modules[i].name);
	for (size_t i = 0; i < planned->file_count; i++)
		file_close(&planned->files[i]);
	free(planned->modules);
	free(planned->files);
	*planned = (struct planned){0};
}

/* ---- Writing ---------------------------------------------------------------- */

/* An output that is one of the inputs would be gone before it was read. */
int build_check_output(const char *target, const char *option, const char *first,
		       const struct file_view *files, size_t count, struct error *err)
{
	struct stat st;

	if (stat(target, &st) != 0)
		return 0;
	for (size_t i = 0; i < count; i++) {
		if (st.st_dev != files[i].device || st.st_ino != files[i].inode)
			continue;
		error_set(err, ERROR_USAGE, 0, "the output '%s' is %s itself", target, i == 0 ? first : "a module");
		return error_hint(err, "name another file with %s", option);
	}
	return 0;
}

/* What --compress auto decided, and why. */
static void tell_samples(const struct plan *plan, const struct image_summary *summary)
{
	for (size_t i = 0; i < plan->extent_count; i++) {
		double percent = summary->samples[i] / 10.0;

		if (summary->samples[i] == 0)
			continue;
		if (summary->places[i].method == EXTENT_LZ4)
			printf("extent %zu is compressed: its samples shrink to %.1f %%\n", i, percent);
		else
			printf("extent %zu is not compressed: its samples shrink to %.1f %%, and from %.1f %% on nothing loads sooner\n",
			       i, percent, COMPRESS_WORTH / 10.0);
	}
}

/* What was done, for the user to read. */
static void tell(const char *path, const struct build_options *options,
		 const struct planned *planned, const struct loader *loader,
		 const struct image_summary *summary)
{
	for (size_t i = 0; !options->quiet && i < planned->plan.warning_count; i++)
		warning_print("build", path, planned->plan.warnings[i].text);
	if (!options->verbose)
		return;
	build_print_choice(stdout, path, &planned->choice);
	build_print_unpacked(stdout, planned);
	report_plan(stdout, &planned->plan, summary->places);
	tell_samples(&planned->plan, summary);
	printf("loader %zu bytes, boot table %zu bytes, image %" PRIu64 " bytes, of which %" PRIu64
	       " are the kernel's\n",
	       loader->size, boottable_size(&planned->plan), summary->size, summary->stored);
}

/* What to write: as was said, else as the output is called, else raw. */
static const struct image_format *choose_format(const struct build_options *options)
{
	const struct image_format *format = options->format;

	if (format == NULL && options->output != NULL)
		format = format_of_path(options->output);
	return format != NULL ? format : format_find("raw");
}

/* Make the file of a format: of a raw image without a name, where it is not that. */
static int write_format(const struct image_format *format, struct output *output, const char *target,
			const struct build_options *options, struct planned *planned,
			const struct loader *loader, struct image_summary *summary, struct error *err)
{
	const char *name = target != NULL ? target : "temporary image";
	struct output raw;

	if (format->write == NULL)
		return image_write(output, name, &planned->plan, &planned->kernel, planned->files, loader,
				   &options->image, summary, err);
	int status = output_begin(&raw, NULL, err);
	if (status == 0)
		status = image_write(&raw, "temporary image", &planned->plan, &planned->kernel, planned->files,
				     loader, &options->image, summary, err);
	if (status == 0)
		status = format->write(format, raw.fd, output->fd, target, err);
	output_end(&raw);
	return status;
}

/* A name as make reads it. */
static void print_name(FILE *out, const char *name)
{
	for (; *name != '\0'; name++) {
		if (*name == ' ' || *name == '#')
			putc('\\', out);
		else if (*name == '$')
			putc('$', out);
		putc(*name, out);
	}
}

/* A rule for make, or ninja: of what files the image was made. */
static int write_depfile(const char *target, const char *path, const struct build_options *options,
			 struct error *err)
{
	struct stat image, depfile;

	if (stat(target, &image) == 0 && stat(options->depfile, &depfile) == 0 &&
	    image.st_dev == depfile.st_dev && image.st_ino == depfile.st_ino) {
		error_set(err, ERROR_USAGE, 0, "the output '%s' is the image itself", options->depfile);
		return error_hint(err, "name another file with --depfile");
	}
	FILE *out = fopen(options->depfile, "we");
	if (out == NULL)
		return error_set(err, ERROR_SYSTEM, errno, "cannot write '%s'", options->depfile);
	print_name(out, target);
	fputs(": ", out);
	print_name(out, path);
	for (size_t i = 0; i < options->module_count; i++) {
		CLEANUP_FREE char *file = NULL;
		const char *name;

		split_module(options->modules[i], &file, &name);
		fputs(" \\\n ", out);
		print_name(out, file);
	}
	if (command_config_path() != NULL) {
		fputs(" \\\n ", out);
		print_name(out, command_config_path());
	}
	putc('\n', out);
	bool failed = ferror(out);
	if (fclose(out) != 0 || failed)
		return error_set(err, ERROR_SYSTEM, errno, "cannot write '%s'", options->depfile);
	return 0;
}

/* The steps from a plan on. */
static int write_image(const char *path, const struct build_options *options,
		       struct planned *planned, bool anonymous, struct output *output,
		       struct build_result *result, struct error *err)
{
	CLEANUP_FREE char *target = NULL;
	struct loader loader;
	struct image_summary summary = {0};

	if (!anonymous) {
		result->format = choose_format(options);
		target = options->output != NULL ? format_string("%s", options->output) :
						   build_default_output(path, result->format->extension);
		if (build_check_output(target, "-o", "the kernel", planned->files, planned->file_count, err) != 0 ||
		    (options->depfile != NULL &&
		     build_check_output(options->depfile, "--depfile", "the kernel", planned->files,
					planned->file_count, err) != 0))
			return -1;
	}
	if (loader_get(&loader, options->bootloader, planned->choice.protocol->loader_option, err) != 0)
		return -1;
	int status = output_begin(output, target, err);
	if (status == 0)
		status = write_format(result->format, output, target, options, planned, &loader, &summary, err);
	if (status == 0 && !anonymous)
		status = output_commit(output, err);
	if (status == 0 && target != NULL && options->depfile != NULL)
		status = write_depfile(target, path, options, err);
	if (status == 0) {
		tell(path, options, planned, &loader, &summary);
		result->memory = plan_memory(&planned->plan);
		result->facts = origin_facts(&planned->plan);
		result->facts.fresh = true;
		result->path = target;
		target = NULL;
	}
	image_summary_free(&summary);
	loader_free(&loader);
	return status;
}

int build_image(const char *path, const struct build_options *options, bool anonymous,
		struct output *output, struct build_result *result, struct error *err)
{
	struct planned planned;

	*output = (struct output){ .fd = -1 };
	*result = (struct build_result){ .format = format_find("raw") };
	if (build_plan(path, options, &planned, err) != 0)
		return -1;
	int status = write_image(path, options, &planned, anonymous, output, result, err);
	build_plan_free(&planned);
	return status;
}
