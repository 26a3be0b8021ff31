/* SPDX-License-Identifier: MIT
 *
 * The loader's decoder between guard pages; see lz4_guarded.h.
 */
#include "lz4_guarded.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/bytes.h"
#include "bootabi.h"
#include "unit.h"

int lz4_call(const void *block, size_t size, void *output, size_t bytes);

/* No offset reaches over this. */
#define GUARD ((size_t)64 * 1024)

/* Memory that may be touched, with some before and behind it that may not. */
static unsigned char *make_arena(void)
{
	unsigned char *arena = mmap(NULL, GUARD + LZ4_MOST_BYTES + GUARD, PROT_NONE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (arena == MAP_FAILED || mprotect(arena + GUARD, LZ4_MOST_BYTES, PROT_READ | PROT_WRITE) != 0)
		abort();
	return arena + GUARD;
}

/* Where size bytes lie in it: right before the guard, or right behind it. */
static unsigned char *place(unsigned char *arena, size_t size, bool at_end)
{
	return at_end ? arena + LZ4_MOST_BYTES - size : arena;
}

/* Is what lies beside the output, up to a page of it, still all fill? */
static bool is_clean(const unsigned char *arena, const unsigned char *output, size_t bytes,
		     unsigned char fill)
{
	const unsigned char *end = output + bytes;
	size_t before = output - arena < PAGE_SIZE ? (size_t)(output - arena) : PAGE_SIZE;
	size_t left = (size_t)(arena + LZ4_MOST_BYTES - end), behind = left < PAGE_SIZE ? left : PAGE_SIZE;

	for (size_t i = 0; i < before; i++) {
		if (output[-1 - (ptrdiff_t)i] != fill)
			return false;
	}
	for (size_t i = 0; i < behind; i++) {
		if (end[i] != fill)
			return false;
	}
	return true;
}

/* Fill the output, and a page on either side. */
static void fill_around(unsigned char *arena, unsigned char *output, size_t bytes, unsigned char fill)
{
	unsigned char *from = output - arena < PAGE_SIZE ? arena : output - PAGE_SIZE;
	unsigned char *end = arena + LZ4_MOST_BYTES, *to = output + bytes;

	to = end - to < PAGE_SIZE ? end : to + PAGE_SIZE;
	memset(from, fill, (size_t)(to - from));
}

static bool decode_at(const uint8_t *block, size_t size, uint8_t *output, size_t bytes, bool at_end,
		      unsigned char fill)
{
	static unsigned char *blocks, *outputs;

	if (blocks == NULL) {
		blocks = make_arena();
		outputs = make_arena();
	}
	unsigned char *in = place(blocks, size, at_end), *out = place(outputs, bytes, at_end);
	memcpy(in, block, size);
	fill_around(outputs, out, bytes, fill);
	int result = lz4_call(in, size, out, bytes);
	CHECK(result == 0 || result == 1, "it answers %d", result);
	CHECK(is_clean(outputs, out, bytes, fill), "it writes beside its output");
	CHECK(memcmp(in, block, size) == 0, "it writes into the block");
	memcpy(output, out, bytes);
	return result == 0;
}

bool lz4_guarded(const uint8_t *block, size_t size, uint8_t *output, size_t bytes)
{
	CHECK(size <= LZ4_MOST_BYTES && bytes <= LZ4_MOST_BYTES, "too large");
	unsigned char *again = malloc(bytes + 1);
	if (again == NULL)
		abort();
	bool first = decode_at(block, size, output, bytes, true, 0x5a);
	bool second = decode_at(block, size, again, bytes, false, 0xa5);
	CHECK(first == second, "what lies around it matters");
	CHECK(!first || memcmp(output, again, bytes) == 0, "bytes are not written");
	free(again);
	return first;
}

/* A length whose nibble is 15 goes on; false if the block ends before. */
static bool read_length(const uint8_t *block, size_t size, size_t *at, size_t *length)
{
	if (*length != 15)
		return true;
	while (*at < size) {
		uint8_t byte = block[(*at)++];

		*length += byte;
		if (byte != 255)
			return true;
	}
	return false;
}

bool lz4_reference(const uint8_t *block, size_t size, uint8_t *output, size_t bytes)
{
	size_t at = 0, done = 0;

	while (at < size) {
		uint8_t token = block[at++];
		size_t literals = token >> 4, match = token & 15;

		if (!read_length(block, size, &at, &literals) || literals > size - at ||
		    literals > bytes - done)
			return false;
		for (; literals > 0; literals--)
			output[done++] = block[at++];
		if (at == size)
			return done == bytes;
		if (size - at < 2)
			return false;
		size_t offset = get_le16(block + at);
		at += 2;
		if (!read_length(block, size, &at, &match) || offset == 0 || offset > done ||
		    match + 4 > bytes - done)
			return false;
		for (match += 4; match > 0; match--, done++)
			output[done] = output[done - offset];
	}
	return false;
}

void lz4_unpack_chunks(const uint8_t *stored, uint64_t stored_size, uint8_t *output, uint64_t bytes)
{
	const size_t most = CHUNK_SECTORS * SECTOR_SIZE;

	while (stored_size > 0) {
		size_t size = stored_size < most ? (size_t)stored_size : most;
		assert_true(size > CHUNK_HEADER_SIZE);
		uint32_t length = get_le32(stored + CHUNK_OFF_LENGTH), block_size = get_le32(stored + CHUNK_OFF_STORED);
		const uint8_t *block = stored + CHUNK_HEADER_SIZE;

		assert_true(length > 0 && length <= bytes && block_size <= length);
		assert_true(block_size <= size - CHUNK_HEADER_SIZE);
		/* The last one ends with its block; before it, filling is 0. */
		assert_true(stored_size > most || block_size == size - CHUNK_HEADER_SIZE);
		for (size_t i = block_size; i < size - CHUNK_HEADER_SIZE; i++)
			assert_int_equal(block[i], 0);
		if (block_size == length)
			memcpy(output, block, length);
		else
			assert_true(lz4_guarded(block, block_size, output, length));
		output += length;
		bytes -= length;
		stored += size;
		stored_size -= size;
	}
	assert_int_equal(bytes, 0);
}
