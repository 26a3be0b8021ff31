/* SPDX-License-Identifier: MIT
 *
 * The boot table (include/bootabi.h): written from a plan and its places on
 * the disk, and read back.
 */
#ifndef MKBOOTIMG_BOOTTABLE_H
#define MKBOOTIMG_BOOTTABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "plan/plan.h"

/* Where an extent lies, how it is stored, and the sum of that (include/bootabi.h,
 * "Extent sum"). */
struct extent_place {
	uint64_t lba;		/* relative to the base */
	uint32_t method;	/* EXTENT_RAW or EXTENT_LZ4 */
	uint64_t stored;	/* bytes on the disk */
	uint64_t sum[4];
};

/* Bytes the table of a plan takes. */
size_t boottable_size(const struct plan *plan);

/* Refuse a plan that is more than the loader has room for. */
int boottable_check(const struct plan *plan, const char *name, struct error *err);

/* Write the table of a plan that passed boottable_check() into bytes, of
 * boottable_size(); places has one entry for each extent. */
void boottable_encode(const struct plan *plan, const struct extent_place *places,
		      unsigned char *bytes);

/* Read a table back.  Nothing in it is trusted: every offset, count and index is
 * checked, so that the plan can be used like one of our own; it has no pieces.
 * The caller releases with plan_free() and free(*places). */
int boottable_decode(const unsigned char *bytes, size_t size, struct plan *plan,
		     struct extent_place **places, struct error *err);

#endif
