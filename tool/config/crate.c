/* SPDX-License-Identifier: MIT
 *
 * The bootloader crate's configuration; see crate.h.
 */
#include "config/crate.h"

#include <stddef.h>
#include <string.h>

#include "bootabi.h"

static const struct {
	const char *name;
	uint32_t feature;
} features_list[] = {
	{ "map_physical_memory", CRATE_MAP_PHYSICAL_MEMORY },
	{ "recursive_page_table", CRATE_RECURSIVE_PAGE_TABLE },
	{ "sse", CRATE_SSE },
	{ "vga_320x200", CRATE_VGA_320X200 },
};

static uint32_t find_feature(const char *name, size_t length)
{
	for (size_t i = 0; i < sizeof(features_list) / sizeof(features_list[0]); i++) {
		if (strlen(features_list[i].name) == length && memcmp(features_list[i].name, name, length) == 0)
			return features_list[i].feature;
	}
	return 0;
}

uint32_t crate_feature(const char *name)
{
	return find_feature(name, strlen(name));
}

int crate_parse_features(const char *text, uint32_t *features, const char **wrong, int *wrong_length)
{
	static const char separators[] = ", ";

	*features = 0;
	for (text += strspn(text, separators); *text != '\0'; text += strspn(text, separators)) {
		size_t length = strcspn(text, separators);
		uint32_t feature = find_feature(text, length);

		if (feature == 0) {
			*wrong = text;
			*wrong_length = (int)length;
			return -1;
		}
		*features |= feature;
		text += length;
	}
	return 0;
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

int crate_parse_address(const char *text, uint64_t *address)
{
	unsigned int base = 10;
	uint64_t value = 0;

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		base = 16;
		text += 2;
	}
	text += strspn(text, "_");
	do {
		unsigned int digit = (unsigned int)digit_value(*text);

		if (digit >= base || value > (UINT64_MAX - digit) / base)
			return -1;
		value = value * base + digit;
		text++;
		text += strspn(text, "_");
	} while (*text != '\0');
	if (value == 0 || value % PAGE_SIZE != 0)
		return -1;
	*address = value;
	return 0;
}

const char *crate_given(const struct crate_options *options)
{
	if (options->has_features)
		return "features";
	if (options->stack_address != 0)
		return "kernel-stack-address";
	if (options->boot_info_address != 0)
		return "boot-info-address";
	return options->physical_memory_offset != 0 ? "physical-memory-offset" : NULL;
}

void crate_merge(struct crate_options *options, const struct crate_options *others)
{
	if (!options->has_features) {
		options->has_features = others->has_features;
		options->features = others->features;
	}
	if (options->stack_address == 0)
		options->stack_address = others->stack_address;
	if (options->boot_info_address == 0)
		options->boot_info_address = others->boot_info_address;
	if (options->physical_memory_offset == 0)
		options->physical_memory_offset = others->physical_memory_offset;
}
