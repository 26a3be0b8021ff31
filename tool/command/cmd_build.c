/* SPDX-License-Identifier: MIT
 *
 * mkbootimg build: write a bootable disk image of a kernel.
 */
#include <argp.h>
#include <limits.h>
#include <stdlib.h>

#include "command/build.h"
#include "command/command.h"
#include "command/values.h"
#include "config/config.h"

static const char doc[] = "Write a disk image that boots KERNEL, an ELF file.";

struct arguments {
	struct build_options build;
	const char *kernel;
};

enum {
	OPT_DEPFILE = 7000,
};

static const struct argp_option options_list[] = {
	{ "format", 'f', "NAME", 0, "Write the image as " FORMAT_NAMES " (default: by the extension of -o, or raw)", 0 },
	{ "depfile", OPT_DEPFILE, "FILE", OPTION_NOT_IN_FILE, "Write to FILE, for make, what the image depends on", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &arguments->build;
		return 0;
	case 'f':
		arguments->build.format = format_find(arg);
		if (arguments->build.format == NULL)
			values_refuse(state, "format", arg, INT_MAX);
		return 0;
	case OPT_DEPFILE:
		arguments->build.depfile = arg;
		return 0;
	case ARGP_KEY_ARG:
		if (arguments->kernel != NULL)
			argp_error(state, "more than one kernel: '%s' and '%s'", arguments->kernel, arg);
		arguments->kernel = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "no kernel given");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = { { &build_argp, 0, NULL, 0 }, { 0 } };
const struct argp build_command_argp = { .options = options_list,
					 .parser = parse,
					 .args_doc = "KERNEL",
					 .doc = doc,
					 .children = children };

int command_build(int argc, char **argv, struct error *err)
{
	struct arguments arguments = { .build = BUILD_OPTIONS_DEFAULT };
	struct output output;
	struct build_result result;

	if (command_parse(argc, argv, &arguments, err) != 0)
		return STATUS_USAGE;
	int status = build_image(arguments.kernel, &arguments.build, false, &output, &result, err);
	output_end(&output);
	if (status == 0 && !arguments.build.quiet) {
		CLEANUP_FREE char *quoted = command_quote(result.path);

		command_next_step("mkbootimg run %s", quoted);
	}
	free(result.path);
	build_options_free(&arguments.build);
	if (status == 0)
		return STATUS_OK;
	return err->class == ERROR_USAGE ? STATUS_USAGE : STATUS_FAILURE;
}
