/* SPDX-License-Identifier: MIT
 *
 * Cargo's answers: the settings of a package, and its dependency on the bootloader
 * crate.
 */
#include "config/cargo.h"

#include <stdlib.h>

#include "config/dependency.h"
#include "base/fileio.h"
#include "fuzz.h"
#include "unit.h"

/* They are those of the table, whole. */
static void check_words(const struct cargo_package *package, const char *key, char *const *words)
{
	const json_t *list = json_object_get(cargo_values(package, "bootimage"), key);
	size_t count = 0;

	for (; words != NULL && words[count] != NULL; count++) {
		const json_t *word = json_array_get(list, count);

		CHECK(json_is_string(word) && strlen(words[count]) == json_string_length(word) &&
			      strcmp(words[count], json_string_value(word)) == 0,
		      "word %zu is another one: %s", count, words[count]);
	}
	assert_int_equal(count, json_array_size(list));
}

static void read_settings(const struct cargo_package *package, bool is_test)
{
	struct cargo_settings settings;
	struct error err = { 0 };

	if (cargo_read(&settings, package, is_test, &err) == 0) {
		CHECK(settings.timeout >= 0 && settings.timeout <= 1e9 && settings.success_code >= -1 && settings.success_code <= 255,
		      "settings out of range");
		CHECK(settings.command == NULL || settings.command[0] != NULL, "a command without a program");
		check_words(package, "run-command", settings.command);
		check_words(package, is_test ? "test-args" : "run-args", settings.args);
	} else {
		fuzz_check_error(&err);
	}
	cargo_settings_free(&settings);
}

static void find(const struct cargo_package *package)
{
	struct dependency dependency;
	struct error err = { 0 };

	if (dependency_find(&dependency, package, &err) != 0) {
		fuzz_check_error(&err);
		return;
	}
	CHECK(!dependency.known || dependency.version != NULL, "it is known without a version");
	CHECK((dependency.crate.stack_address | dependency.crate.boot_info_address |
	       dependency.crate.physical_memory_offset) % 4096 == 0,
	      "an address is on no page");
}

static void use(const struct cargo_package *package)
{
	struct build_options options = BUILD_OPTIONS_DEFAULT;
	struct capture capture;
	struct error err = { 0 };

	capture_begin(&capture, &stderr);
	int status = dependency_use(&options, package, &err);
	free(capture_end(&capture));
	if (status != 0)
		fuzz_check_error(&err);
	if (options.unknown_crate.class != ERROR_NONE)
		fuzz_check_error(&options.unknown_crate);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cargo_package package = {
		.manifest = format_string("Cargo.toml"),
		.metadata = json_loadb((const char *)data, size, 0, NULL),
	};

	package.package = json_array_get(json_object_get(package.metadata, "packages"), 0);
	error_set(&package.refusal, ERROR_SYSTEM, 0, "cargo does not work");
	read_settings(&package, false);
	read_settings(&package, true);
	find(&package);
	use(&package);
	cargo_close(&package);
	return 0;
}
