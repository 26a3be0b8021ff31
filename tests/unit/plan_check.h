/* SPDX-License-Identifier: MIT
 *
 * What must hold of every plan of the native protocol: after the loader has done
 * what it says, each page of the kernel is mapped with the right flags and holds
 * the right bytes, nothing else is touched, and the kernel is told of it.
 */
#ifndef MKBOOTIMG_PLAN_CHECK_H
#define MKBOOTIMG_PLAN_CHECK_H

#include "kernel.h"
#include "plan.h"

/* Fail the running test if the plan is not one for this kernel, whose addresses
 * are those where it is to run. */
void plan_check(const struct kernel *kernel, const struct plan_options *options,
		const struct plan *plan);

/* What holds of fixups whatever the protocol: they lie in the info, apart from
 * each other, and name blocks that there are.  And of patches: each is wholly in
 * bytes of the kernel file, and they ascend. */
void plan_check_fixups(const struct plan *plan);
void plan_check_patches(const struct plan *plan);

#endif
