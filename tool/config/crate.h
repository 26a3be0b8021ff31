/* SPDX-License-Identifier: MIT
 *
 * How the Rust crate bootloader 0.9 is configured: by its cargo features, and by
 * [package.metadata.bootloader] of the kernel's Cargo.toml.  Neither can be seen in
 * the kernel's file, so they come from cargo (cargo.h) or from the user.
 */
#ifndef MKBOOTIMG_CRATE_H
#define MKBOOTIMG_CRATE_H

#include <stdbool.h>
#include <stdint.h>

/* Cargo features. */
#define CRATE_MAP_PHYSICAL_MEMORY 1u
#define CRATE_RECURSIVE_PAGE_TABLE 2u
#define CRATE_SSE 4u
#define CRATE_VGA_320X200 8u

struct crate_options {
	bool has_features;		/* they were said, be it none */
	uint32_t features;		/* CRATE_* above */
	/* Virtual addresses, whole pages; 0: not given. */
	uint64_t stack_address;		/* of the guard page, which the stack follows */
	uint64_t boot_info_address;
	uint64_t physical_memory_offset;
};

/* The value of a feature's name; 0 if there is none of that name. */
uint32_t crate_feature(const char *name);

/* The names of all features: "map_physical_memory, recursive_page_table, ...". */
#define CRATE_FEATURE_NAMES "map_physical_memory, recursive_page_table, sse, vga_320x200"

/* Read names with commas between them, or none.  -1 if one is no feature: then
 * *wrong begins with it, wrong_length bytes long. */
int crate_parse_features(const char *text, uint32_t *features, const char **wrong, int *wrong_length);

/* Read an address as the crate has them: decimal, or hexadecimal after 0x; any "_"
 * among the digits is passed over.  -1 if it is none, or is 0 or not on a page. */
int crate_parse_address(const char *text, uint64_t *address);

/* The name of an option that is given; NULL if none is. */
const char *crate_given(const struct crate_options *options);

/* Take over what is not given in options from others. */
void crate_merge(struct crate_options *options, const struct crate_options *others);

#endif
