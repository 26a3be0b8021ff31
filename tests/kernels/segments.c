/* SPDX-License-Identifier: MIT
 *
 * Test kernel "segments": 120 segments besides its own, 64 KiB apart and
 * further, in no order; odd ones have .bss behind them (segments.awk makes
 * them).  Each begins with its number.
 */
#include "guest.h"

void _start(const struct mkbootimg_info *info);

#define COUNT 120

struct place {
	const uint64_t *start;
	const uint64_t *data_end;
	const uint64_t *end;
};
extern const struct place places[COUNT];

void _start(const struct mkbootimg_info *info)
{
	CHECK(info->kernel_segment_count > COUNT, info->kernel_segment_count);
	for (uint64_t i = 0; i < COUNT; i++) {
		const struct place *place = &places[i];

		CHECK(*place->start == i, i);
		for (const uint64_t *word = place->start; word < place->data_end; word++)
			CHECK(*word == i, i);
		for (const uint64_t *word = place->data_end; word < place->end; word++)
			CHECK(*word == 0, i);
	}
	print("all segments are there\n");
	finish(GUEST_PASS);
}
