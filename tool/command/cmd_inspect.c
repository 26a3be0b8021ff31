/* SPDX-License-Identifier: MIT
 *
 * mkbootimg inspect: show what would be done with a kernel, or what an image
 * holds.
 */
#include <argp.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plan/boottable.h"
#include "command/build.h"
#include "command/command.h"
#include "image/drawing.h"
#include "image/image.h"
#include "plan/report.h"

enum {
	OPT_JSON = 3000,
	OPT_SVG,
};

static const char doc[] =
	"Show the plan for KERNEL, an ELF file, or what IMAGE, a disk image, holds, with its checksums "
	"verified.\v"
	"Exit status: 0; 1 if it cannot be booted, or a checksum is wrong; 2 usage.";

static const struct argp_option options_list[] = {
	{ "json", OPT_JSON, NULL, 0, "Print JSON", 0 },
	{ "svg", OPT_SVG, "FILE", 0, "Draw disk and memory into FILE instead (SVG)", 0 },
	{ 0 },
};

struct arguments {
	struct build_options build;
	const char *file;
	bool json;
	const char *svg;		/* NULL: no picture */
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &arguments->build;
		return 0;
	case OPT_JSON:
		arguments->json = true;
		return 0;
	case OPT_SVG:
		arguments->svg = arg;
		return 0;
	case ARGP_KEY_ARG:
		if (arguments->file != NULL)
			argp_error(state, "more than one file: '%s' and '%s'", arguments->file, arg);
		arguments->file = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "no kernel or image given");
		return 0;
	case ARGP_KEY_END:
		if (arguments->json && arguments->svg != NULL)
			argp_error(state, "--json and --svg: one at a time");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Print JSON; takes the reference. */
static void print_json(json_t *object)
{
	json_dumpf(object, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(object);
}

/* ---- Pictures ------------------------------------------------------------ */

/* Draw an image for who asked about a file, which may be the kernel that it is of. */
static int draw(const struct arguments *arguments, const struct image *image, uint64_t size,
		struct error *err)
{
	CLEANUP_FREE char *text = NULL;
	size_t length;
	FILE *memory = open_memstream(&text, &length);

	if (memory == NULL)
		return error_set(err, ERROR_SYSTEM, 0, "out of memory");
	drawing_write(memory, path_name(arguments->file), image, size);
	if (fclose(memory) != 0)
		return error_set(err, ERROR_SYSTEM, 0, "out of memory");
	return output_text(arguments->svg, text, length, err);
}

/* A kernel's picture is that of its image, which is made for that only. */
static int draw_kernel(const struct arguments *arguments, struct error *err)
{
	struct build_options options = arguments->build;
	struct build_result result;
	struct output output;
	struct file_view disk = { .fd = -1 };
	struct image image;

	options.quiet = true;
	int status = build_image(arguments->file, &options, true, &output, &result, err);
	if (status == 0)
		status = file_view_of(&disk, output.fd, "temporary image", err);
	if (status == 0)
		status = image_read(&image, &disk, true, err);
	if (status == 0) {
		status = draw(arguments, &image, disk.size, err);
		image_free(&image);
	}
	file_close(&disk);
	output_end(&output);
	return status;
}

/* ---- Kernels ------------------------------------------------------------- */

static void print_kernel(const char *path, const struct planned *planned)
{
	const struct kernel *kernel = &planned->kernel;

	build_print_choice(stdout, path, &planned->choice);
	build_print_unpacked(stdout, planned);
	for (size_t i = 0; i < kernel->segment_count; i++) {
		const struct segment *segment = &kernel->segments[i];

		printf("%s %s: %" PRIu64 " bytes from file offset 0x%" PRIx64 ", %" PRIu64
		       " of zeros; p_paddr 0x%" PRIx64 "\n",
		       segment_label(segment).text, report_flags(segment->flags).text, segment->filesz,
		       segment->offset, segment->memsz - segment->filesz, segment->paddr);
	}
	if (kernel->entry_symbol[0] != '\0')
		printf("entry symbol %s\n", kernel->entry_symbol);
	report_plan(stdout, &planned->plan, NULL);
	printf("boot table %zu bytes\n", boottable_size(&planned->plan));
	for (size_t i = 0; i < planned->plan.warning_count; i++) {
		fputs("warning: ", stdout);
		print_escaped(stdout, planned->plan.warnings[i].text);
		putchar('\n');
	}
}

static json_t *segments_json(const struct kernel *kernel)
{
	json_t *list = json_array();

	for (size_t i = 0; i < kernel->segment_count; i++) {
		const struct segment *segment = &kernel->segments[i];

		json_array_append_new(
			list, json_pack("{s:i, s:o, s:o, s:o, s:o, s:I, s:I, s:s}", "index",
					(int)segment->index, "sections", report_text(segment->sections), "virtual",
					report_address(segment->vaddr), "physical", report_address(segment->paddr),
					"file_offset", report_address(segment->offset), "file_size",
					(json_int_t)segment->filesz, "memory_size", (json_int_t)segment->memsz,
					"flags", report_flags(segment->flags).text));
	}
	return list;
}

static json_t *warnings_json(const struct plan *plan)
{
	json_t *list = json_array();

	for (size_t i = 0; i < plan->warning_count; i++)
		json_array_append_new(list, report_text(plan->warnings[i].text));
	return list;
}

/* The files that were unpacked: the kernel's, whose name is null, and modules'. */
static json_t *unpacked_json(const struct planned *planned)
{
	json_t *list = json_array();

	for (size_t i = 0; i < planned->file_count; i++) {
		const struct file_view *file = &planned->files[i];

		if (file->packed_size > 0)
			json_array_append_new(list, json_pack("{s:o, s:s, s:I, s:I}", "module",
							      i > 0 ? report_text(planned->modules[i - 1].name) :
								      json_null(),
							      "format", "gzip", "packed_size",
							      (json_int_t)file->packed_size, "size",
							      (json_int_t)file->size));
	}
	return list;
}

static int inspect_kernel(const struct arguments *arguments, struct error *err)
{
	struct planned planned;

	int status = build_plan(arguments->file, &arguments->build, &planned, err);
	if (status != 0)
		return status;
	if (arguments->svg != NULL) {
		status = build_check_output(arguments->svg, "--svg", "the kernel", planned.files,
					    planned.file_count, err);
		if (status == 0)
			status = draw_kernel(arguments, err);
	} else if (arguments->json) {
		print_json(json_pack("{s:o, s:s, s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:I}", "file",
				     report_text(arguments->file), "kind", "kernel", "unpacked",
				     unpacked_json(&planned), "reason",
				     planned.choice.reason.text, "also_offers", planned.choice.others,
				     "entry_symbol",
				     report_text(planned.kernel.entry_symbol), "segments", segments_json(&planned.kernel),
				     "plan", report_plan_json(&planned.plan, NULL), "warnings",
				     warnings_json(&planned.plan), "boot_table_size",
				     (json_int_t)boottable_size(&planned.plan)));
	} else {
		print_kernel(arguments->file, &planned);
	}
	build_plan_free(&planned);
	return status;
}

/* ---- Images -------------------------------------------------------------- */

#define COUNT_STEP (1024 * 1024)	/* bytes counted before their memory is given back */

/* Bytes other than 0 in [from, to), without reading holes. */
static uint64_t count_nonzero(const struct file_view *file, uint64_t from, uint64_t to)
{
	uint64_t count = 0;

	while (from < to) {
		off_t data = lseek(file->fd, (off_t)from, SEEK_DATA);
		off_t hole = data < 0 ? -1 : lseek(file->fd, data, SEEK_HOLE);
		uint64_t end = hole < 0 || (uint64_t)hole > to ? to : (uint64_t)hole;

		if (data < 0 || (uint64_t)data >= to)
			break;
		if (end - (uint64_t)data > COUNT_STEP)
			end = (uint64_t)data + COUNT_STEP;
		for (uint64_t i = (uint64_t)data; i < end; i++)
			count += file->bytes[i] != 0;
		file_forget(file, (uint64_t)data, end);
		from = end;
	}
	return count;
}

static const char *check_name(enum image_check check)
{
	return check == IMAGE_GOOD ? "ok" : check == IMAGE_WRONG ? "wrong" : NULL;
}

static int compare_ranges(const void *left, const void *right)
{
	const struct image_range *a = left, *b = right;

	return a->offset < b->offset ? -1 : a->offset > b->offset;
}

/* What an image holds, ready to be told. */
struct contents {
	const struct image *image;
	const struct file_view *file;	/* the disk */
	const char *format;		/* of the file that it is in */
	struct image_range *ranges;	/* the image's, sorted */
	uint64_t explained;		/* bytes other than 0 in them */
	uint64_t unexplained;		/* and elsewhere */
	bool wrong;			/* a checksum is, or there is no plan */
};

static int gather(struct contents *c, struct error *err)
{
	uint64_t done = 0;

	c->ranges = calloc(c->image->range_count, sizeof(c->ranges[0]));
	if (c->ranges == NULL)
		return error_set(err, ERROR_SYSTEM, 0, "out of memory");
	for (size_t i = 0; i < c->image->range_count; i++)
		c->ranges[i] = c->image->ranges[i];
	qsort(c->ranges, c->image->range_count, sizeof(c->ranges[0]), compare_ranges);
	c->wrong = !c->image->has_plan;
	for (size_t i = 0; i < c->image->range_count; i++) {
		uint64_t start = c->ranges[i].offset, end = start + c->ranges[i].length;

		c->wrong |= c->ranges[i].check == IMAGE_WRONG;
		c->unexplained += count_nonzero(c->file, done, start);
		c->explained += count_nonzero(c->file, start > done ? start : done, end);
		done = end > done ? end : done;
	}
	c->unexplained += count_nonzero(c->file, done, c->file->size);
	return 0;
}

static void print_image(const char *path, const struct contents *c)
{
	print_escaped(stdout, path);
	printf(": %s, %zu bytes, disk signature %08" PRIx32 ", partition from sector %" PRIu64 "\n", c->format,
	       c->file->size, c->image->disk_id, c->image->base);
	for (size_t i = 0; i < c->image->range_count; i++) {
		const struct image_range *range = &c->ranges[i];
		const char *check = check_name(range->check);

		printf("  0x%09" PRIx64 " + 0x%-9" PRIx64 " %s%s%s\n", range->offset, range->length,
		       range->what, check != NULL ? ", checksum " : "", check != NULL ? check : "");
	}
	printf("bytes other than zero: %" PRIu64 " explained, %" PRIu64 " not\n", c->explained,
	       c->unexplained);
	if (c->image->has_plan)
		report_plan(stdout, &c->image->plan, c->image->places);
}

static json_t *ranges_json(const struct contents *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->image->range_count; i++) {
		const struct image_range *range = &c->ranges[i];

		json_array_append_new(
			list, json_pack("{s:I, s:I, s:I, s:s, s:s?}", "offset", (json_int_t)range->offset, "size",
					(json_int_t)range->length, "nonzero",
					(json_int_t)count_nonzero(c->file, range->offset,
								  range->offset + range->length),
					"what", range->what, "checksum", check_name(range->check)));
	}
	return list;
}

/* The plan, and for each of its extents where it lies. */
static json_t *image_plan_json(const struct image *image)
{
	if (!image->has_plan)
		return json_null();
	json_t *plan = report_plan_json(&image->plan, image->places), *extents = json_object_get(plan, "extents");
	for (size_t i = 0; i < image->plan.extent_count; i++) {
		const struct image_range *range = &image->ranges[image->first_extent_range + i];

		json_object_update_new(json_array_get(extents, i),
				       json_pack("{s:I, s:s?}", "image_offset", (json_int_t)range->offset,
						 "checksum", check_name(range->check)));
	}
	return plan;
}

static int inspect_disk(const struct arguments *arguments, const struct image_format *format,
			const struct file_view *file, struct error *err)
{
	struct image image;
	struct contents contents = { .image = &image, .file = file, .format = format->name };

	if (!image_is_ours(file->bytes, file->size)) {
		error_set(err, ERROR_INPUT, 0, "'%s' is neither an ELF kernel nor an image of mkbootimg",
			  arguments->file);
		return error_hint(err, "give a kernel, or what 'mkbootimg build' wrote");
	}
	if (image_read(&image, file, true, err) != 0)
		return -1;
	int status = gather(&contents, err);
	if (status == 0 && arguments->svg != NULL)
		status = draw(arguments, &image, file->size, err);
	else if (status == 0 && arguments->json)
		print_json(json_pack("{s:o, s:s, s:s, s:I, s:o, s:I, s:o, s:I, s:I, s:o}", "file",
				     report_text(arguments->file), "kind", "image", "format", format->name,
				     "size", (json_int_t)file->size, "disk_signature", report_address(image.disk_id), "base",
				     (json_int_t)image.base, "ranges", ranges_json(&contents),
				     "nonzero_explained", (json_int_t)contents.explained,
				     "nonzero_unexplained", (json_int_t)contents.unexplained, "plan",
				     image_plan_json(&image)));
	else if (status == 0)
		print_image(arguments->file, &contents);
	if (status == 0 && contents.wrong) {
		if (image.has_plan)
			error_set(err, ERROR_INPUT, 0, "a checksum is wrong");
		else
			*err = image.problem;
		status = error_wrap(err, "'%s' will not boot", arguments->file);
		error_hint(err, "write the image anew with 'mkbootimg build'");
	}
	free(contents.ranges);
	image_free(&image);
	return status;
}

/* An image of another format is looked at as the raw one that it stands for. */
static int inspect_foreign(const struct arguments *arguments, const struct image_format *format,
			   const struct file_view *file, struct error *err)
{
	struct output raw;
	struct file_view disk;

	int status = format_read(format, file, arguments->file, false, &raw, err);
	if (status == 0)
		status = file_view_of(&disk, raw.fd, arguments->file, err);
	if (status == 0) {
		status = inspect_disk(arguments, format, &disk, err);
		file_close(&disk);
	}
	output_end(&raw);
	return status;
}

static int inspect_image(const struct arguments *arguments, const struct file_view *file,
			 struct error *err)
{
	const struct image_format *format = format_detect(file->bytes, file->size);

	if (arguments->build.given) {
		error_set(err, ERROR_USAGE, 0, "'%s' is an image already: options for planning are for kernels",
			  arguments->file);
		return error_hint(err, "inspect the kernel that it was built from");
	}
	if (arguments->svg != NULL &&
	    build_check_output(arguments->svg, "--svg", "the image", file, 1, err) != 0)
		return -1;
	return format_is_foreign(format) ? inspect_foreign(arguments, format, file, err) :
					   inspect_disk(arguments, format, file, err);
}

static const struct argp_child children[] = {
	{ .argp = &plan_argp, .header = "Planning a kernel as with build:" }, { 0 }
};
const struct argp inspect_command_argp = { .options = options_list,
					  .parser = parse,
					  .children = children,
					  .args_doc = "KERNEL|IMAGE",
					  .doc = doc };

int command_inspect(int argc, char **argv, struct error *err)
{
	struct arguments arguments = { .build = BUILD_OPTIONS_DEFAULT };
	struct file_view file;

	if (command_parse(argc, argv, &arguments, err) != 0)
		return STATUS_USAGE;
	int status = file_open_disk(&file, arguments.file, err);
	if (status == 0) {
		status = build_is_kernel(file.bytes, file.size) ? inspect_kernel(&arguments, err) :
								  inspect_image(&arguments, &file, err);
		file_close(&file);
	}
	build_options_free(&arguments.build);
	if (status == 0)
		return STATUS_OK;
	return err->class == ERROR_USAGE ? STATUS_USAGE : STATUS_FAILURE;
}
