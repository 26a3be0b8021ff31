/* SPDX-License-Identifier: MIT
 *
 * The table of protocols; see protocol.h.
 */
#include "protocol.h"

#include <stddef.h>

#include "bootabi.h"

/* In the order in which "auto" tries them. */
static const struct protocol protocols[] = {
	{
		.name = "native",
		.number = BT_PROTOCOL_NATIVE,
		.reason = "an x86-64 ELF64 file without the header or note of another protocol",
		.loader_option = "PROTOCOL_NATIVE",
		.detect = native_detect,
		.plan = native_plan,
	},
};
#define PROTOCOL_COUNT (sizeof(protocols) / sizeof(protocols[0]))

const struct protocol *protocol_find(const struct kernel *kernel, const char *name,
				     struct error *err)
{
	for (size_t i = 0; i < PROTOCOL_COUNT; i++) {
		if (protocols[i].detect(kernel))
			return &protocols[i];
	}
	error_set(err, ERROR_INPUT, 0, "'%s' is a 32-bit kernel, which is not supported yet", name);
	error_hint(err, "build it for x86-64 (-m64), as an ELF64 file");
	return NULL;
}

const struct protocol *protocol_by_number(uint32_t number)
{
	for (size_t i = 0; i < PROTOCOL_COUNT; i++) {
		if (protocols[i].number == number)
			return &protocols[i];
	}
	return NULL;
}
