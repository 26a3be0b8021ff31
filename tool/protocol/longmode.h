/* SPDX-License-Identifier: MIT
 *
 * What the protocols share that enter an x86-64 kernel in long mode, with its
 * segments mapped where it was linked: native and bootloader-0.9.
 */
#ifndef MKBOOTIMG_LONGMODE_H
#define MKBOOTIMG_LONGMODE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "kernel/kernel.h"
#include "plan/plan.h"
#include "protocol/protocol.h"

/* Entries of the level 4 table, and what each covers. */
#define SLOTS 512
#define SLOT_SIZE (UINT64_C(512) << 30)

/* Is the kernel an x86-64 ELF64 file?  Then why says so. */
bool longmode_fits(const struct kernel *kernel, struct protocol_reason *why);

/* Begin a plan: blocks, extents, zeros and maps of the kernel's segments, its entry
 * point, warnings.  The maps are sorted and are all the kernel's.  On success the
 * caller completes it and ends with longmode_finish(), or frees it. */
int longmode_plan(const struct kernel *kernel, const struct plan_options *options, const char *name,
		  struct plan *plan, struct error *err);

/* The last step, when all maps are there, sorted: count tables, check sizes.  After a
 * failure the plan is freed. */
int longmode_finish(struct plan *plan, const char *name, struct error *err);

/* Virtual addresses: is one canonical; where a slot begins. */
bool longmode_canonical(uint64_t address);
uint64_t longmode_slot(unsigned int slot);

/* Which slots are not free: the lowest, where memory is mapped one to one, and those
 * that the plan's maps touch; or a range of addresses. */
void longmode_used(const struct plan *plan, bool used[SLOTS]);
void longmode_mark(bool used[SLOTS], uint64_t start, uint64_t size);

/* Bytes that are free from the start of a slot on, up to the next used one or the
 * end of its half of the address space. */
uint64_t longmode_free(const bool used[SLOTS], unsigned int slot);

#endif
