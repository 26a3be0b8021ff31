/* SPDX-License-Identifier: MIT
 *
 * mkbootimg build: write a bootable disk image of a kernel.
 */
#include <argp.h>
#include <stdlib.h>

#include "command/build.h"
#include "command/command.h"

static const char doc[] = "Write a disk image that boots KERNEL, an ELF file.";

struct arguments {
	struct build_options build;
	const char *kernel;
};

static const struct argp_option options_list[] = {
	{ "format", 'f', "NAME", 0, "Write the image as " FORMAT_NAMES " (default: by the extension of -o, or raw)", 0 },
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
			argp_error(state, "--format: '%s' is none of " FORMAT_NAMES, arg);
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

	if (command_parse(&build_command_argp, argc, argv, 0, &arguments, err) != 0)
		return STATUS_USAGE;
	int status = build_image(arguments.kernel, &arguments.build, false, &output, &result, err);
	output_end(&output);
	free(result.path);
	build_options_free(&arguments.build);
	if (status == 0)
		return STATUS_OK;
	return err->class == ERROR_USAGE ? STATUS_USAGE : STATUS_FAILURE;
}
