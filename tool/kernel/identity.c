/* SPDX-License-Identifier: MIT
 *
 * Which kernel is it? See identity.h.
 */
#include "kernel/identity.h"

#include <string.h>
#include <zlib.h>

#include "bootabi.h"
#include "base/bytes.h"
#include "base/checksum.h"

static void begin_sum(struct identity *identity)
{
	identity->done = 0;
	checksum_extent_start(identity->sum);
}

void identity_begin(struct identity *identity, const struct kernel *kernel)
{
	*identity = (struct identity){ .kernel = kernel };
	begin_sum(identity);
}

/* The bytes of a segment that count: strip changes the ELF header, which may be in
 * one. */
static struct kernel_range segment_range(const struct kernel *kernel, const struct segment *segment)
{
	uint64_t skip = segment->offset == 0 ? kernel->header_size : 0;

	if (skip > segment->filesz)
		skip = segment->filesz;
	return (struct kernel_range){ .offset = segment->offset + skip, .size = segment->filesz - skip };
}

/* Sum up to so many bytes of a segment, which are whole sectors. */
static void sum_until(struct identity *identity, const unsigned char *bytes, uint64_t end)
{
	if (end <= identity->done)
		return;
	checksum_extent(identity->sum, bytes + identity->done, end - identity->done);
	identity->done = end;
}

/* All whole sectors of a segment are summed: what is left, filled up with zeros. */
static void end_segment(struct identity *identity, const unsigned char *rest, size_t size)
{
	unsigned char sector[SECTOR_SIZE] = { 0 }, sums[sizeof(identity->sum)];

	if (size > 0) {
		memcpy(sector, rest, size);
		checksum_extent(identity->sum, sector, sizeof(sector));
	}
	for (size_t i = 0; i < 4; i++)
		put_le64(sums + 8 * i, identity->sum[i]);
	identity->crc = (uint32_t)crc32(identity->crc, sums, sizeof(sums));
	identity->segment++;
	begin_sum(identity);
}

void identity_take(struct identity *identity, uint64_t end)
{
	const struct kernel *kernel = identity->kernel;

	while (identity->segment < kernel->segment_count) {
		struct kernel_range range = segment_range(kernel, &kernel->segments[identity->segment]);
		const unsigned char *bytes = kernel->bytes + range.offset;
		uint64_t reached = end > range.offset ? end - range.offset : 0;

		if (reached > range.size)
			reached = range.size;
		sum_until(identity, bytes, align_down(reached, SECTOR_SIZE));
		if (reached < range.size)
			return;
		end_segment(identity, bytes + identity->done, range.size - identity->done);
	}
}

uint32_t identity_end(struct identity *identity)
{
	identity_take(identity, UINT64_MAX);
	return identity->crc;
}

uint32_t kernel_crc(const struct kernel *kernel)
{
	struct identity identity;

	identity_begin(&identity, kernel);
	return identity_end(&identity);
}
