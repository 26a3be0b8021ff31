/* SPDX-License-Identifier: MIT
 *
 * A package's dependency on the bootloader crate: it says how the package's kernel
 * is to be booted, since the crate's users link it for its BootInfo.
 */
#ifndef MKBOOTIMG_DEPENDENCY_H
#define MKBOOTIMG_DEPENDENCY_H

#include <stdbool.h>
#include <stdint.h>

#include "command/build.h"
#include "config/cargo.h"
#include "config/crate.h"
#include "base/error.h"

/* What was found. */
struct dependency {
	const char *version;		/* or what is required of it; NULL: there is no dependency */
	bool known;			/* 0.9, and what follows is read */
	bool resolved;			/* as cargo built it, not only as the manifest has it */
	struct crate_options crate;	/* features, and [package.metadata.bootloader] */
	uint64_t stack_size;		/* bytes; 0: not said */
};

/* Look for it; it points into package.  An error is one of [package.metadata.bootloader]. */
int dependency_find(struct dependency *dependency, const struct cargo_package *package,
		    struct error *err);

/* Boot the kernel as the dependency wants, unless the user wants another protocol.
 * What the user says counts more. */
int dependency_use(struct build_options *options, const struct cargo_package *package,
		   struct error *err);

/* Can a dependency matter to these options? */
bool dependency_matters(const struct build_options *options);

#endif
