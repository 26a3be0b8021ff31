/* SPDX-License-Identifier: MIT
 *
 * Test kernel "unordered": segments in descending order that begin and end in
 * mid-page and share pages, one of no size, and 32 MiB of .bss (unordered.ld).
 */
#include "boot.h"

#define IN(section_name) __attribute__((section(section_name), used))
#define ONES 1251
#define TWOS 26
#define ZEROS 751
#define THREES 9

static const volatile uint32_t ones[ONES] IN(".first") = { [0 ... ONES - 1] = 0x11111111 };
static volatile uint32_t twos[TWOS] IN(".second") = { [0 ... TWOS - 1] = 0x22222222 };
static volatile uint32_t zeros[ZEROS] IN(".secondbss");
static const volatile uint32_t threes[THREES] IN(".third") = { [0 ... THREES - 1] = 0x33333333 };

static volatile uint32_t big[32 * MIB / 4];

static void check_words(const volatile uint32_t *words, size_t count, uint32_t value)
{
	for (size_t i = 0; i < count; i++)
		CHECK(words[i] == value, (uintptr_t)&words[i]);
}

void kernel(const struct boot *boot)
{
	check_words(ones, ONES, 0x11111111);
	check_words(twos, TWOS, 0x22222222);
	check_words(zeros, ZEROS, 0);
	check_words(threes, THREES, 0x33333333);
	check_words(big, sizeof(big) / sizeof(big[0]), 0);
	print("all segments are there\n");
	finish_as_told(boot);
}
