/* SPDX-License-Identifier: MIT
 *
 * The words of the test kernel "data", on the host and in the guest.
 */
#ifndef DATA_WORDS_H
#define DATA_WORDS_H

#include <stdint.h>

#define DATA_BYTES (48ul * 1024 * 1024)

/* No two words are alike, so a misplaced, repeated or missing sector shows. */
static inline uint64_t data_word(uint64_t index)
{
	uint64_t x = (index + 1) * 0x9e3779b97f4a7c15;

	return x ^ x >> 29;
}

#endif
