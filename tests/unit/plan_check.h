/* SPDX-License-Identifier: MIT
 *
 * What must hold of every plan of the native protocol: after the loader has done
 * what it says, each page of the kernel is mapped with the right flags and holds
 * the right bytes, and nothing else is touched.
 */
#ifndef MKBOOTIMG_PLAN_CHECK_H
#define MKBOOTIMG_PLAN_CHECK_H

#include "kernel.h"
#include "plan.h"

/* Fail the running test if the plan is not one for this kernel. */
void plan_check(const struct kernel *kernel, const struct plan *plan);

#endif
