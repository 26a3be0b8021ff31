/* SPDX-License-Identifier: MIT
 *
 * The loader's LZ4 decoder, between guard pages, since no sanitizer watches
 * assembly: it does what the format says, of good blocks and bad ones.  An input is a
 * size, what is wrong with the block, and the block; or bytes that are packed
 * first, and then damaged.
 */
#include <lz4.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "fuzz.h"
#include "lz4_guarded.h"
#include "unit.h"

#define MOST_OUTPUT 100000
#define HEADER_SIZE 8

static void check_block(const uint8_t *block, size_t size, size_t bytes)
{
	static uint8_t ours[MOST_OUTPUT], wanted[MOST_OUTPUT];
	bool good = lz4_reference(block, size, wanted, bytes);

	CHECK(lz4_guarded(block, size, ours, bytes) == good, "it is good: %d", good);
	CHECK(!good || memcmp(ours, wanted, bytes) == 0, "it becomes something else");
}

/* What the bytes are packed, with one of them changed. */
static void check_packed(const uint8_t *bytes, size_t size, size_t where, uint8_t change)
{
	int room = LZ4_compressBound((int)size);
	uint8_t *packed = malloc((size_t)room), *exact;

	if (packed == NULL)
		abort();
	size_t got = (size_t)LZ4_compress_default((const char *)bytes, (char *)packed, (int)size, room);
	exact = malloc(got);
	if (exact == NULL)
		abort();
	memcpy(exact, packed, got);
	exact[where % got] ^= change;
	check_block(exact, got, size);
	free(exact);
	free(packed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < HEADER_SIZE)
		return 0;
	uint32_t bytes = get_le32(data), where = get_le16(data + 4);
	if (size - HEADER_SIZE <= MOST_OUTPUT && (data[6] & 1) != 0)
		check_packed(data + HEADER_SIZE, size - HEADER_SIZE, where, data[7]);
	else if (size - HEADER_SIZE <= LZ4_MOST_BYTES)
		check_block(data + HEADER_SIZE, size - HEADER_SIZE, bytes % MOST_OUTPUT);
	return 0;
}
