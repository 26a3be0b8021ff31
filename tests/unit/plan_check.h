/* SPDX-License-Identifier: MIT
 *
 * What must hold of every plan of a kernel that is entered in long mode: after the
 * loader has done what it says, each page of the kernel is mapped with the right
 * flags and holds the right bytes, nothing else is touched, and, of the native
 * protocol, the kernel is told of it.
 */
#ifndef MKBOOTIMG_PLAN_CHECK_H
#define MKBOOTIMG_PLAN_CHECK_H

#include "kernel/kernel.h"
#include "plan/plan.h"

/* Fail the running test if the plan does not leave this kernel in memory, whose
 * addresses are those where it is to run.  Its blocks come first; those behind are
 * the protocol's: they are written from start to end, stacks not at all. */
void plan_check_kernel(const struct kernel *kernel, const struct plan *plan, size_t kernel_blocks);

/* And if it is not one of the native protocol. */
void plan_check(const struct kernel *kernel, const struct plan_options *options,
		const struct plan *plan);

/* What holds of fixups whatever the protocol: they lie in the info, apart from
 * each other, and name blocks that there are.  And of patches: each is wholly in
 * bytes of the kernel file, and they ascend. */
void plan_check_fixups(const struct plan *plan);
void plan_check_patches(const struct plan *plan);

/* A little-endian word of the info. */
uint64_t plan_info_word(const struct plan *plan, size_t offset, size_t width);

#endif
