/* SPDX-License-Identifier: MIT
 *
 * The loader's binary: assembled from its sources by NASM, kept in the user's
 * cache, or, where there is no NASM, the one that was built along with us.
 */
#ifndef MKBOOTIMG_LOADER_H
#define MKBOOTIMG_LOADER_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct loader {
	unsigned char *bytes;	/* sector 0, then stage 2; whole sectors */
	size_t size;
};

/* Get the loader that is assembled with an option (struct protocol).
 * directory holds its sources; NULL for the bundled ones.  The caller frees
 * with loader_free(). */
int loader_get(struct loader *loader, const char *directory, const char *option,
	       struct error *err);
void loader_free(struct loader *loader);

/* Assemble it as an ELF object file (path) with symbols and lines, for a debugger:
 * its .text is the loader, and begins where sector 0 lies in memory. */
int loader_symbols(const char *directory, const char *option, const char *path,
		   struct error *err);

#endif
