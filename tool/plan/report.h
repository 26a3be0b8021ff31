/* SPDX-License-Identifier: MIT
 *
 * Plans, for people and for programs: the same facts as text and as JSON.
 * Addresses are strings in JSON ("0xffffffff80200000"), because its numbers do
 * not reach that far everywhere; sizes are numbers of bytes.
 */
#ifndef MKBOOTIMG_REPORT_H
#define MKBOOTIMG_REPORT_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#include "plan/boottable.h"
#include "plan/plan.h"

/* Protocol, entry point, maps, blocks, extents, zeros, stack, areas.  places are the
 * extents' on the disk, NULL if they have none yet. */
void report_plan(FILE *out, const struct plan *plan, const struct extent_place *places);

/* The same; the caller releases. */
json_t *report_plan_json(const struct plan *plan, const struct extent_place *places);

/* "r-x" from MAP_* or PF_*. */
struct report_flags {
	char text[4];
};
struct report_flags report_flags(uint32_t flags);

/* Where a block, or something in it, will be: "at 0x200000 if that is free". */
struct report_place {
	char text[80];
};
struct report_place report_place(const struct plan_block *block, uint64_t offset);

/* A plan's protocol, and what a block is for (INFO_KIND_*), in words. */
const char *report_protocol(const struct plan *plan);
const char *report_kind(uint32_t kind);

/* Text from outside as JSON: what is not UTF-8 is shown as "?". */
json_t *report_text(const char *text);

/* An address as JSON. */
json_t *report_address(uint64_t address);

#endif
