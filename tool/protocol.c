/* SPDX-License-Identifier: MIT
 *
 * The table of protocols; see protocol.h.
 */
#include "protocol.h"

#include <stddef.h>

/* In the order in which "auto" tries them. */
static const struct protocol protocols[] = {
	{ "native", "PROTOCOL_NATIVE", native_detect, native_plan },
};

const struct protocol *protocol_find(const struct kernel *kernel, const char *name,
				     struct error *err)
{
	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
		if (protocols[i].detect(kernel))
			return &protocols[i];
	}
	error_set(err, ERROR_INPUT, 0, "'%s' is a 32-bit kernel, which is not supported yet", name);
	error_hint(err, "build it for x86-64 (-m64), as an ELF64 file");
	return NULL;
}
