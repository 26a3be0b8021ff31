/* SPDX-License-Identifier: MIT
 *
 * The dependency on the bootloader crate; see dependency.h.
 */
#include "config/dependency.h"

#include <stdio.h>
#include <string.h>

#include "bootabi.h"
#include "command/command.h"

#define CRATE_NAME "bootloader"
#define PROTOCOL_NAME "bootloader-0.9"
#define STACK_PAGES_MAX ((json_int_t)(STACK_MAX / PAGE_SIZE))

static const struct cargo_key keys[] = {
	{ "kernel-stack-address", CARGO_STRING },
	{ "kernel-stack-size", CARGO_NUMBER },
	{ "boot-info-address", CARGO_STRING },
	{ "physical-memory-offset", CARGO_STRING },
};
static const struct cargo_table bootloader = { "bootloader", keys, sizeof(keys) / sizeof(keys[0]) };

/* ---- Finding it ---------------------------------------------------------- */

/* Is it 0.9?  Of a requirement ("^0.9.20", ">=0.9, <0.10") one part must name it. */
static bool is_known(const char *version)
{
	for (const char *part = version; *part != '\0'; part += *part == ',') {
		part += strspn(part, " ");
		if (*part != '<') {
			part += strspn(part, "^~=> ");
			if (strncmp(part, "0.9", 3) == 0 && (part[3] < '0' || part[3] > '9'))
				return true;
		}
		part += strcspn(part, ",");
	}
	return false;
}

static uint32_t read_features(const json_t *names)
{
	uint32_t features = 0;
	const json_t *name;
	size_t i;

	json_array_foreach(names, i, name) {
		if (json_is_string(name))
			features |= crate_feature(json_string_value(name));
	}
	return features;
}

/* One of perhaps several: of several versions, or for several targets. */
static void add(struct dependency *dependency, const char *version, const json_t *features)
{
	bool known = version != NULL && is_known(version);

	if (version == NULL || (dependency->known && !known))
		return;
	if (known && !dependency->known)
		dependency->crate = (struct crate_options){ .has_features = true };
	if (dependency->version == NULL || known)
		dependency->version = version;
	dependency->known = known;
	if (known)
		dependency->crate.features |= read_features(features);
}

static bool has_text(const json_t *object, const char *key, const char *text)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value != NULL && text != NULL && strcmp(value, text) == 0;
}

/* The object in an array that has this id. */
static const json_t *find_id(const json_t *array, const char *id)
{
	const json_t *object;
	size_t i;

	json_array_foreach(array, i, object) {
		if (has_text(object, "id", id))
			return object;
	}
	return NULL;
}

/* Is it one of the kernel itself, not of tests or of a build script? */
static bool is_normal(const json_t *dependency)
{
	const json_t *kind;
	size_t i;

	json_array_foreach(json_object_get(dependency, "dep_kinds"), i, kind) {
		if (json_is_null(json_object_get(kind, "kind")))
			return true;
	}
	return false;
}

/* As it was resolved: features are those that any package wants. */
static void find_resolved(struct dependency *found, const struct cargo_package *package)
{
	const json_t *nodes = json_object_get(json_object_get(package->metadata, "resolve"), "nodes");
	const json_t *packages = json_object_get(package->metadata, "packages"), *dependency;
	const json_t *node = find_id(nodes, json_string_value(json_object_get(package->package, "id")));
	size_t i;

	json_array_foreach(json_object_get(node, "deps"), i, dependency) {
		const char *id = json_string_value(json_object_get(dependency, "pkg"));
		const json_t *crate = find_id(packages, id);

		if (is_normal(dependency) && has_text(crate, "name", CRATE_NAME))
			add(found, json_string_value(json_object_get(crate, "version")),
			    json_object_get(find_id(nodes, id), "features"));
	}
}

/* As the manifest has it. */
static void find_declared(struct dependency *found, const struct cargo_package *package)
{
	const json_t *dependency;
	size_t i;

	json_array_foreach(json_object_get(package->package, "dependencies"), i, dependency) {
		if (json_is_null(json_object_get(dependency, "kind")) && has_text(dependency, "name", CRATE_NAME))
			add(found, json_string_value(json_object_get(dependency, "req")),
			    json_object_get(dependency, "features"));
	}
}

/* ---- Its configuration --------------------------------------------------- */

static int read_address(uint64_t *address, const json_t *values, const char *key, const char *manifest,
			struct error *err)
{
	const char *text = json_string_value(json_object_get(values, key));

	if (text == NULL || crate_parse_address(text, address) == 0)
		return 0;
	return cargo_refuse(manifest, &bootloader, key,
			    "is not an address on a page boundary (a multiple of 0x1000)", err);
}

static int read_table(struct dependency *dependency, const struct cargo_package *package,
		      struct error *err)
{
	const json_t *values = cargo_values(package, bootloader.name);
	const json_t *pages = json_object_get(values, "kernel-stack-size");
	const char *manifest = package->manifest;
	struct crate_options *crate = &dependency->crate;

	if (cargo_check(values, &bootloader, manifest, err) != 0 ||
	    read_address(&crate->stack_address, values, "kernel-stack-address", manifest, err) != 0 ||
	    read_address(&crate->boot_info_address, values, "boot-info-address", manifest, err) != 0 ||
	    read_address(&crate->physical_memory_offset, values, "physical-memory-offset", manifest, err) != 0)
		return -1;
	if (pages == NULL)
		return 0;
	if (json_integer_value(pages) < 1 || json_integer_value(pages) > STACK_PAGES_MAX)
		return cargo_refuse(manifest, &bootloader, "kernel-stack-size",
				    "is not a number of pages from 1 to 65536", err);
	dependency->stack_size = (uint64_t)json_integer_value(pages) * PAGE_SIZE;
	return 0;
}

int dependency_find(struct dependency *dependency, const struct cargo_package *package,
		    struct error *err)
{
	*dependency = (struct dependency){ .resolved = json_is_object(json_object_get(package->metadata, "resolve")) };
	if (dependency->resolved)
		find_resolved(dependency, package);
	else
		find_declared(dependency, package);
	return dependency->known ? read_table(dependency, package, err) : 0;
}

/* ---- What follows from it ------------------------------------------------ */

bool dependency_matters(const struct build_options *options)
{
	return options->protocol == NULL || strcmp(options->protocol, PROTOCOL_NAME) == 0;
}

/* The kernel expects a loader that we are not; it may have a header all the same. */
static void note_unknown(struct build_options *options, const struct dependency *dependency,
			 const struct cargo_package *package)
{
	struct error *unknown = &options->unknown_crate;

	if (!dependency->resolved && strcmp(dependency->version, "*") == 0) {
		error_set(unknown, ERROR_INPUT, 0,
			  "'%s': which version of bootloader the package depends on is not known: %s",
			  package->manifest, package->refusal.text);
		error_hint(unknown, "if it is 0.9, give --protocol " PROTOCOL_NAME " and --features");
		return;
	}
	error_set(unknown, ERROR_INPUT, 0,
		  "'%s': the package depends on bootloader %s, whose protocol is not supported", package->manifest,
		  dependency->version);
	error_hint(unknown, "use bootloader 0.9, name another --protocol, or boot an image that the crate makes "
			    "(mkbootimg run IMAGE)");
}

/* An address for what is not mapped means nothing. */
static int check_offset(struct dependency *dependency, const struct build_options *options,
			const struct cargo_package *package, struct error *err)
{
	const struct crate_options *crate = options->crate.has_features ? &options->crate : &dependency->crate;

	if (dependency->crate.physical_memory_offset == 0 || (crate->features & CRATE_MAP_PHYSICAL_MEMORY) != 0)
		return 0;
	dependency->crate.physical_memory_offset = 0;
	if (options->crate.has_features)
		return 0;
	cargo_refuse(package->manifest, &bootloader, "physical-memory-offset",
		     "is for the feature map_physical_memory, which the dependency on bootloader does not have", err);
	return error_hint(err, "add features = [\"map_physical_memory\"] to it");
}

int dependency_use(struct build_options *options, const struct cargo_package *package,
		   struct error *err)
{
	const char *name = json_string_value(json_object_get(package->package, "name"));
	struct dependency dependency;

	if (!dependency_matters(options))
		return 0;
	if (dependency_find(&dependency, package, err) != 0)
		return -1;
	if (!dependency.known) {
		if (dependency.version != NULL && options->protocol == NULL)
			note_unknown(options, &dependency, package);
		return 0;
	}
	if (check_offset(&dependency, options, package, err) != 0)
		return -1;
	if (!dependency.resolved && !options->crate.has_features && !options->quiet) {
		CLEANUP_FREE char *text = format_string(
			"%s: of bootloader's features, only those that it names at the dependency count",
			package->refusal.text);

		warning_print(command_context.command->name, package->manifest, text);
	}
	if (options->protocol == NULL) {
		options->protocol = PROTOCOL_NAME;
		snprintf(options->protocol_reason.text, sizeof(options->protocol_reason.text),
			 "is of package '%s', which depends on bootloader %s", name != NULL ? name : "",
			 dependency.version);
	}
	crate_merge(&options->crate, &dependency.crate);
	if (options->stack_size == 0)
		options->stack_size = dependency.stack_size;
	return 0;
}
