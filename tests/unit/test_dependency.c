/* SPDX-License-Identifier: MIT
 *
 * The dependency on the bootloader crate: found in cargo's answers, and what
 * follows from it.
 */
#include "config/dependency.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/fileio.h"
#include "unit.h"

#define MAP CRATE_MAP_PHYSICAL_MEMORY
#define RECURSIVE CRATE_RECURSIVE_PAGE_TABLE

/* ---- What cargo answers -------------------------------------------------- */

/* A package "k" with these dependencies and this [package.metadata], in the form
 * that cargo gives with --no-deps, or, if nodes are given, in the resolved one: with
 * further packages, too. */
struct answer {
	const char *dependencies;
	const char *metadata;
	const char *packages;	/* ", {...}" */
	const char *deps;	/* the node's */
	const char *nodes;	/* ", {...}" */
};

/* The caller ends with cargo_close(). */
static struct cargo_package make_package(const struct answer *answer)
{
	CLEANUP_FREE char *nodes = answer->deps == NULL ?
					   format_string("null") :
					   format_string("{\"nodes\":[{\"id\":\"k 0\",\"features\":[\"sse\"],\"deps\":[%s]}%s]}",
							 answer->deps, answer->nodes);
	CLEANUP_FREE char *text =
		format_string("{\"packages\":[{\"name\":\"k\",\"id\":\"k 0\",\"dependencies\":[%s],\"metadata\":%s}%s],\"resolve\":%s}",
			      answer->dependencies != NULL ? answer->dependencies : "",
			      answer->metadata != NULL ? answer->metadata : "null",
			      answer->packages != NULL ? answer->packages : "", nodes);
	struct cargo_package package = { .manifest = format_string("Cargo.toml") };

	package.metadata = json_loads(text, 0, NULL);
	CHECK(package.metadata != NULL, "no JSON: %s", text);
	package.package = json_array_get(json_object_get(package.metadata, "packages"), 0);
	error_set(&package.refusal, ERROR_SYSTEM, 0, "cargo does not work");
	return package;
}

static int find(struct dependency *dependency, const struct answer *answer, char version[32], struct error *err)
{
	struct cargo_package package = make_package(answer);
	int status = dependency_find(dependency, &package, err);

	snprintf(version, 32, "%s", dependency->version != NULL ? dependency->version : "none");
	cargo_close(&package);
	return status;
}

#define DECLARED(name, req, kind, features) \
	"{\"name\":\"" name "\",\"req\":\"" req "\",\"kind\":" kind ",\"features\":[" features "]}"

TEST(finds_what_the_manifest_declares)
{
	static const struct {
		const char *dependencies, *version;
		bool known;
		uint32_t features;
	} cases[] = {
		{ "", "none", false, 0 },
		{ DECLARED("spin", "^0.9", "null", "\"sse\""), "none", false, 0 },
		{ DECLARED("bootloader", "^0.9.33", "null", ""), "^0.9.33", true, 0 },
		{ DECLARED("bootloader", "^0.9", "null", "\"sse\",\"map_physical_memory\",\"binary\",\"dep:x\""), "^0.9",
		  true, MAP | CRATE_SSE },
		{ DECLARED("bootloader", "=0.9.3", "null", "\"vga_320x200\""), "=0.9.3", true, CRATE_VGA_320X200 },
		{ DECLARED("bootloader", "~0.9", "null", ""), "~0.9", true, 0 },
		{ DECLARED("bootloader", "0.9.*", "null", ""), "0.9.*", true, 0 },
		{ DECLARED("bootloader", ">=0.9.5, <0.10", "null", ""), ">=0.9.5, <0.10", true, 0 },
		{ DECLARED("bootloader", "<0.10, >= 0.9", "null", ""), "<0.10, >= 0.9", true, 0 },
		{ DECLARED("bootloader", "<0.9", "null", ""), "<0.9", false, 0 },
		{ DECLARED("bootloader", "^0.11", "null", "\"sse\""), "^0.11", false, 0 },
		{ DECLARED("bootloader", "^0.8.1", "null", ""), "^0.8.1", false, 0 },
		{ DECLARED("bootloader", "^0.90", "null", ""), "^0.90", false, 0 },
		{ DECLARED("bootloader", "^10.9", "null", ""), "^10.9", false, 0 },
		{ DECLARED("bootloader", "*", "null", ""), "*", false, 0 },
		{ DECLARED("bootloader", "", "null", ""), "", false, 0 },
		/* Of tests, or of a build script. */
		{ DECLARED("bootloader", "^0.9", "\"dev\"", ""), "none", false, 0 },
		{ DECLARED("bootloader", "^0.9", "\"build\"", ""), "none", false, 0 },
		/* For several targets, and another version under another name. */
		{ DECLARED("bootloader", "^0.9", "null", "\"sse\"") "," DECLARED("bootloader", "^0.9", "null", "\"recursive_page_table\""),
		  "^0.9", true, RECURSIVE | CRATE_SSE },
		{ DECLARED("bootloader", "^0.11", "null", "\"sse\"") "," DECLARED("bootloader", "^0.9", "null", "\"map_physical_memory\"") ","
		  DECLARED("bootloader", "^0.10", "null", "\"recursive_page_table\""), "^0.9", true, MAP },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct dependency dependency;
		char version[32];
		struct error err;

		assert_accepted(find(&dependency, &(struct answer){ .dependencies = cases[i].dependencies }, version, &err), &err,
				cases[i].dependencies);
		CHECK(strcmp(version, cases[i].version) == 0, "%s: %s", cases[i].dependencies, version);
		CHECK(dependency.known == cases[i].known && dependency.crate.has_features == cases[i].known,
		      "%s: known: %d", cases[i].dependencies, dependency.known);
		CHECK(dependency.crate.features == cases[i].features, "%s: features %u", cases[i].dependencies,
		      dependency.crate.features);
		assert_false(dependency.resolved);
	}
}

#define CRATE(version) ",{\"name\":\"bootloader\",\"id\":\"b " version "\",\"version\":\"" version "\"}"
#define NODE(version, features) ",{\"id\":\"b " version "\",\"features\":[" features "],\"deps\":[]}"
#define DEP(package, kinds) "{\"name\":\"x\",\"pkg\":\"" package "\",\"dep_kinds\":[" kinds "]}"
#define NORMAL "{\"kind\":null,\"target\":null}"
#define FOR_TARGET "{\"kind\":null,\"target\":\"cfg(target_os = \\\"none\\\")\"}"
#define FOR_TESTS "{\"kind\":\"dev\",\"target\":null}"
#define FOR_BUILD "{\"kind\":\"build\",\"target\":null}"

TEST(finds_what_cargo_resolved)
{
	static const struct {
		struct answer answer;
		const char *version;
		bool known;
		uint32_t features;
	} cases[] = {
		/* What it was resolved to counts, not what was declared. */
		{ { .dependencies = DECLARED("bootloader", ">=0.8", "null", ""), .packages = CRATE("0.9.33"),
		    .deps = DEP("b 0.9.33", NORMAL), .nodes = NODE("0.9.33", "\"default\",\"recursive_page_table\"") },
		  "0.9.33", true, RECURSIVE },
		{ { .packages = CRATE("0.9.0-alpha"), .deps = DEP("b 0.9.0-alpha", FOR_TARGET),
		    .nodes = NODE("0.9.0-alpha", "\"sse\"") }, "0.9.0-alpha", true, CRATE_SSE },
		{ { .packages = CRATE("0.9.9"), .deps = DEP("b 0.9.9", FOR_TESTS "," NORMAL), .nodes = NODE("0.9.9", "") },
		  "0.9.9", true, 0 },
		{ { .packages = CRATE("0.11.3"), .deps = DEP("b 0.11.3", NORMAL), .nodes = NODE("0.11.3", "\"sse\"") },
		  "0.11.3", false, 0 },
		{ { .packages = CRATE("0.9.9"), .deps = DEP("b 0.9.9", FOR_TESTS), .nodes = NODE("0.9.9", "\"sse\"") },
		  "none", false, 0 },
		{ { .packages = CRATE("0.9.9"), .deps = DEP("b 0.9.9", FOR_BUILD), .nodes = NODE("0.9.9", "\"sse\"") },
		  "none", false, 0 },
		/* An optional one that is not wanted; somebody else's. */
		{ { .dependencies = DECLARED("bootloader", "^0.9", "null", "\"sse\""), .deps = "", .nodes = "" }, "none", false, 0 },
		{ { .packages = CRATE("0.9.9"), .deps = "", .nodes = ",{\"id\":\"other\",\"deps\":[" DEP("b 0.9.9", NORMAL) "]}"
		    NODE("0.9.9", "\"sse\"") }, "none", false, 0 },
		{ { .packages = CRATE("0.11.3") CRATE("0.9.9"), .deps = DEP("b 0.11.3", NORMAL) "," DEP("b 0.9.9", NORMAL),
		    .nodes = NODE("0.11.3", "\"sse\"") NODE("0.9.9", "\"map_physical_memory\"") }, "0.9.9", true, MAP },
		/* Nonsense is nothing. */
		{ { .packages = CRATE("0.9.9"), .deps = "null,1,{},{\"pkg\":7,\"dep_kinds\":3}," DEP("gone", NORMAL), .nodes = ",1,{}" },
		  "none", false, 0 },
		{ { .packages = ",{\"name\":\"bootloader\",\"id\":\"b\",\"version\":9}", .deps = DEP("b", NORMAL), .nodes = "" },
		  "none", false, 0 },
		{ { .packages = CRATE("0.9.9"), .deps = DEP("b 0.9.9", NORMAL), .nodes = ",{\"id\":\"b 0.9.9\",\"features\":[1,null]}" },
		  "0.9.9", true, 0 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct dependency dependency;
		char version[32];
		struct error err;

		assert_accepted(find(&dependency, &cases[i].answer, version, &err), &err, cases[i].answer.deps);
		CHECK(strcmp(version, cases[i].version) == 0, "%zu: %s", i, version);
		CHECK(dependency.known == cases[i].known, "%zu: known: %d", i, dependency.known);
		CHECK(dependency.crate.features == cases[i].features, "%zu: features %u", i, dependency.crate.features);
		assert_true(dependency.resolved);
	}
}

/* ---- [package.metadata.bootloader] --------------------------------------- */

TEST(reads_the_keys)
{
	static const struct answer answer = {
		.dependencies = DECLARED("bootloader", "^0.9", "null", "\"map_physical_memory\""),
		.metadata = "{\"bootloader\":{\"kernel-stack-address\":\"0xFFFFFF8000000000\",\"kernel-stack-size\":65536,"
			    "\"boot-info-address\":\"0x1_0000_0000\",\"physical-memory-offset\":\"1099511627776\"},\"other\":1}",
	};
	struct dependency dependency;
	char version[32];
	struct error err;

	assert_accepted(find(&dependency, &answer, version, &err), &err, "all keys");
	assert_true(dependency.crate.stack_address == UINT64_C(0xffffff8000000000));
	assert_true(dependency.crate.boot_info_address == UINT64_C(0x100000000));
	assert_true(dependency.crate.physical_memory_offset == UINT64_C(0x10000000000));
	assert_true(dependency.stack_size == UINT64_C(0x10000000));
}

TEST(says_which_key_is_wrong)
{
	static const struct {
		const char *table, *says;
	} cases[] = {
		{ "[]", "package.metadata.bootloader is not a table" },
		{ "{\"stack-size\":1}", "[package.metadata.bootloader]: 'stack-size' is none of its keys" },
		{ "{\"kernel-stack-size\":\"4\"}", "'kernel-stack-size' is not a whole number" },
		{ "{\"kernel-stack-size\":0}", "'kernel-stack-size' is not a number of pages from 1 to 65536" },
		{ "{\"kernel-stack-size\":-1}", "'kernel-stack-size' is not a number of pages" },
		{ "{\"kernel-stack-size\":65537}", "'kernel-stack-size' is not a number of pages" },
		{ "{\"kernel-stack-address\":4096}", "'kernel-stack-address' is not a string" },
		{ "{\"boot-info-address\":true}", "'boot-info-address' is not a string" },
		{ "{\"boot-info-address\":\"0x1001\"}", "'boot-info-address' is not an address on a page boundary" },
		{ "{\"physical-memory-offset\":\"high\"}", "'physical-memory-offset' is not an address" },
		{ "{\"physical-memory-offset\":\"\"}", "'physical-memory-offset' is not an address" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		CLEANUP_FREE char *metadata = format_string("{\"bootloader\":%s}", cases[i].table);
		struct dependency dependency;
		char version[32];
		struct error err;

		assert_refused(find(&dependency,
				    &(struct answer){ .dependencies = DECLARED("bootloader", "^0.9", "null", ""),
						      .metadata = metadata }, version, &err),
			       &err, ERROR_USAGE, cases[i].says, cases[i].table);
		CHECK(strstr(err.text, "'Cargo.toml': ") == err.text, "%s", err.text);
		if (strstr(cases[i].table, "4096") != NULL)
			assert_string_equal(err.hint, "write \"0x1000\"");
		/* It is the table of the crate that is depended on. */
		assert_accepted(find(&dependency, &(struct answer){ .metadata = metadata }, version, &err), &err,
				"no dependency");
		assert_accepted(find(&dependency,
				     &(struct answer){ .dependencies = DECLARED("bootloader", "^0.11", "null", ""),
						       .metadata = metadata }, version, &err), &err, "of 0.11");
	}
}

/* ---- What follows -------------------------------------------------------- */

static int use(struct build_options *options, const char *dependencies, const char *table, struct error *err)
{
	CLEANUP_FREE char *metadata = format_string("{\"bootloader\":%s}", table);
	struct cargo_package package = make_package(&(struct answer){ .dependencies = dependencies, .metadata = metadata });

	options->quiet = true;
	err->hint[0] = '\0';
	int status = dependency_use(options, &package, err);
	cargo_close(&package);
	return status;
}

static const char depends[] = DECLARED("bootloader", "^0.9", "null", "\"map_physical_memory\"");
static const char keys_of_table[] = "{\"physical-memory-offset\":\"0x10000000000\",\"kernel-stack-size\":3}";

TEST(a_dependency_names_the_protocol)
{
	struct build_options options = BUILD_OPTIONS_DEFAULT;
	struct error err;

	assert_accepted(use(&options, depends, keys_of_table, &err), &err, "nothing is given");
	assert_string_equal(options.protocol, "bootloader-0.9");
	assert_string_equal(options.protocol_reason.text, "is of package 'k', which depends on bootloader ^0.9");
	assert_int_equal(options.crate.features, MAP);
	assert_true(options.crate.has_features);
	assert_true(options.crate.physical_memory_offset == UINT64_C(0x10000000000));
	assert_int_equal(options.stack_size, 3 * 4096);
	/* An image may be given all the same. */
	assert_false(options.given);
	assert_int_equal(options.unknown_crate.class, ERROR_NONE);

	options = (struct build_options)BUILD_OPTIONS_DEFAULT;
	assert_accepted(use(&options, "", "{\"x\":1}", &err), &err, "no dependency");
	assert_null(options.protocol);
	assert_false(options.crate.has_features);
}

TEST(what_the_user_says_counts_more)
{
	struct build_options options = { .protocol = "bootloader-0.9", .stack_size = 4096,
					 .crate = { .has_features = true, .features = RECURSIVE } };
	struct error err;

	assert_accepted(use(&options, depends, keys_of_table, &err), &err, "features");
	assert_int_equal(options.crate.features, RECURSIVE);
	assert_int_equal(options.stack_size, 4096);
	assert_string_equal(options.protocol_reason.text, "");
	/* There is nothing that it could be the address of. */
	assert_true(options.crate.physical_memory_offset == 0);

	options = (struct build_options){ .protocol = "bootloader-0.9", .crate.physical_memory_offset = 0x200000 };
	assert_accepted(use(&options, depends, keys_of_table, &err), &err, "an address");
	assert_int_equal(options.crate.features, MAP);
	assert_true(options.crate.physical_memory_offset == 0x200000);

	/* By another protocol, nothing of it, not even what is wrong. */
	options = (struct build_options){ .protocol = "native" };
	assert_accepted(use(&options, depends, "{\"x\":1}", &err), &err, "another protocol");
	assert_string_equal(options.protocol, "native");
	assert_false(options.crate.has_features);
	assert_int_equal(options.stack_size, 0);
}

TEST(an_offset_needs_its_feature)
{
	static const char without[] = DECLARED("bootloader", "^0.9", "null", "\"sse\"");
	struct build_options options = BUILD_OPTIONS_DEFAULT;
	struct error err;

	assert_refused(use(&options, without, keys_of_table, &err), &err, ERROR_USAGE,
		       "'physical-memory-offset' is for the feature map_physical_memory", "without it");
	assert_string_equal(err.hint, "add features = [\"map_physical_memory\"] to it");
	options.crate = (struct crate_options){ .has_features = true, .features = MAP };
	assert_accepted(use(&options, without, keys_of_table, &err), &err, "with the user's");
	assert_true(options.crate.physical_memory_offset == UINT64_C(0x10000000000));
}

TEST(another_version_is_no_reason_to_guess)
{
	struct build_options options = BUILD_OPTIONS_DEFAULT;
	struct error err;

	assert_accepted(use(&options, DECLARED("bootloader", "^0.11.3", "null", ""), "{\"x\":1}", &err), &err, "0.11");
	assert_null(options.protocol);
	assert_refused(-1, &options.unknown_crate, ERROR_INPUT,
		       "'Cargo.toml': the package depends on bootloader ^0.11.3, whose protocol is not supported", "0.11");

	options = (struct build_options)BUILD_OPTIONS_DEFAULT;
	assert_accepted(use(&options, DECLARED("bootloader", "*", "null", ""), "{}", &err), &err, "any");
	assert_refused(-1, &options.unknown_crate, ERROR_INPUT, "is not known: cargo does not work", "any");

	options = (struct build_options){ .protocol = "bootloader-0.9" };
	assert_accepted(use(&options, DECLARED("bootloader", "^0.11", "null", ""), "{\"x\":1}", &err), &err, "named");
	assert_int_equal(options.unknown_crate.class, ERROR_NONE);
	assert_false(options.crate.has_features);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_the_manifest_declares),
		cmocka_unit_test(finds_what_cargo_resolved),
		cmocka_unit_test(reads_the_keys),
		cmocka_unit_test(says_which_key_is_wrong),
		cmocka_unit_test(a_dependency_names_the_protocol),
		cmocka_unit_test(what_the_user_says_counts_more),
		cmocka_unit_test(an_offset_needs_its_feature),
		cmocka_unit_test(another_version_is_no_reason_to_guess),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
