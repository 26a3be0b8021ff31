/* SPDX-License-Identifier: MIT
 *
 * KVM, the host's virtualization: is it there, and is it worth it?
 */
#ifndef MKBOOTIMG_KVM_H
#define MKBOOTIMG_KVM_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

/* Can it be opened? */
int kvm_check(struct error *err);

/* Does it run a small guest, in 16-bit and in 64-bit code, about as fast as the
 * host runs the same?  That takes some milliseconds, in a process of its own, so ask
 * early: kvm_ask().  The answer, when in doubt no, is waited for by kvm_is_fast(); or
 * nobody wants it any more, kvm_forget(), as is the case when it was given. */
struct kvm_question {
	pid_t pid;	/* 0: there is none */
	int done;	/* becomes readable when it ends */
};
struct kvm_question kvm_ask(void);
bool kvm_is_fast(struct kvm_question *question);
void kvm_forget(struct kvm_question *question);

#endif
