/* SPDX-License-Identifier: MIT
 *
 * mkbootimg.conf: read, and its values parsed as the commands parse them.
 */
#include "command/build.h"
#include "command/command.h"
#include "config/config.h"
#include "fuzz.h"
#include "command/target.h"
#include "unit.h"

static const struct config_section sections[] = {
	{ "build", &build_command_argp },
	{ "run", &run_command_argp },
	{ "test", &test_command_argp },
};

/* A command that has the options of all of them whose values can be wrong in many
 * ways. */
struct input {
	struct build_options build;
	struct machine_options machine;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct input *input = state->input;

	(void)arg;
	if (key != ARGP_KEY_INIT)
		return ARGP_ERR_UNKNOWN;
	state->child_inputs[0] = &input->build;
	state->child_inputs[1] = &input->machine;
	state->child_inputs[2] = &input->machine;
	return 0;
}

static const struct argp_child children[] = {
	{ .argp = &build_argp }, { .argp = &machine_argp }, { .argp = &console_argp }, { 0 },
};
static const struct argp argp = { .parser = parse, .children = children };

static void check_entries(const struct config *config)
{
	for (size_t i = 0; i < config->entry_count; i++) {
		const struct config_entry *entry = &config->entries[i];

		CHECK(entry->line > 0 && entry->section != NULL && entry->option != NULL, "entry %zu", i);
		CHECK(entry->argument == NULL || strncmp(entry->argument, "--", 2) == 0, "entry %zu: %s", i,
		      entry->argument);
		CHECK(entry->argument != NULL || entry->option->arg == NULL, "entry %zu has no value", i);
	}
}

static void apply(const struct config *config, const char *const *names)
{
	struct input input = { BUILD_OPTIONS_DEFAULT, MACHINE_OPTIONS_DEFAULT };
	struct error err = { 0 };

	if (config_apply(config, names, &argp, &input, &err) != 0)
		fuzz_check_error(&err);
	/* Nobody's hand gave any of it. */
	assert_false(input.build.given);
	build_options_free(&input.build);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const build[] = { "build", NULL }, *const test[] = { "run", "test", NULL };
	struct config config;
	struct error err;

	if (config_read(&config, fuzz_file(data, size), sections, COUNT(sections), &err) == 0) {
		assert_int_equal(err.class, ERROR_NONE);
		check_entries(&config);
		apply(&config, build);
		apply(&config, test);
	} else {
		fuzz_check_error(&err);
	}
	config_free(&config);
	return 0;
}
