/* SPDX-License-Identifier: MIT
 *
 * KVM, the host's virtualization: is it there, and is it worth it?
 */
#ifndef MKBOOTIMG_KVM_H
#define MKBOOTIMG_KVM_H

#include <stdbool.h>

#include "base/error.h"

/* Can it be opened? */
int kvm_check(struct error *err);

/* Does it run a small guest, in 16-bit and in 64-bit code, about as fast as the
 * host runs the same?  Takes some milliseconds at most; when in doubt, no. */
bool kvm_is_fast(void);

#endif
