/* SPDX-License-Identifier: MIT
 *
 * How libFuzzer changes inputs that are made of words: kernels, images, symbols.
 * Left alone it seldom comes to a size or an offset that is just too large, or to
 * two of them whose sum overflows; so half of the changes write such words.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "unit.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

#define WORD 8
/* Headers and tables are small, and lie in front. */
#define FRONT 512
/* What belongs together lies together. */
#define NEAR 8	/* words */

/* A word somewhere in the input, aligned as its fields are. */
static size_t choose(size_t size, uint64_t *seed)
{
	size_t most = size > FRONT && random_below(seed, 4) != 0 ? FRONT : size;

	return random_below(seed, (most - WORD) / 4 + 1) * 4;
}

static uint64_t choose_value(const uint8_t *data, size_t size, size_t at, uint64_t *seed)
{
	uint64_t delta = random_below(seed, 33) - 16;
	size_t other = at + random_below(seed, 2 * NEAR) * 4;

	other = other < NEAR * 4 || other - NEAR * 4 > size - WORD ? at : other - NEAR * 4;
	if (random_below(seed, 4) == 0)
		delta *= 0x1000;
	switch (random_below(seed, 8)) {
	case 0:
		return delta;
	case 1:
		return size + delta;
	case 2:
		return (UINT64_C(1) << random_below(seed, 64)) + delta;
	case 3:
		return get_le64(data + other) + delta;
	case 4:
		return delta - get_le64(data + other);
	case 5:
		return size - get_le64(data + other) + delta;
	default:
		return get_le64(data + at) + delta;
	}
}

static void change_word(uint8_t *data, size_t size, uint64_t *seed)
{
	size_t at = choose(size, seed);
	uint64_t value = choose_value(data, size, at, seed);

	switch (random_below(seed, 4)) {
	case 0:
		put_le16(data + at, (uint16_t)value);
		break;
	case 1:
		put_le32(data + at, (uint32_t)value);
		break;
	default:
		put_le64(data + at, value);
	}
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	uint64_t random = seed;

	if (size < WORD || random_below(&random, 2) == 0)
		return LLVMFuzzerMutate(data, size, max_size);
	for (uint64_t i = random_below(&random, 3) + 1; i > 0; i--)
		change_word(data, size, &random);
	return size;
}
