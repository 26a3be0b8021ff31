/* SPDX-License-Identifier: MIT
 *
 * Test kernel "packed": holds bytes that compress, of which each must be there; prints
 * what cksum(1) would say of all of itself, but for .bss.
 */
#include "boot.h"
#include "cksum.h"
#include "packed_bytes.h"

extern const uint8_t packed[], packed_end[];
extern uint8_t kernel_start[], kernel_data_end[];

void kernel(const struct boot *boot)
{
	struct packed_bytes bytes = { .state = 1 };
	uint32_t size = (uint32_t)(kernel_data_end - kernel_start);

	CHECK(packed_end - packed == PACKED_BYTES, packed_end - packed);
	for (uint32_t i = 0; i < PACKED_BYTES; i++)
		CHECK(packed[i] == packed_next(&bytes), i);
	print_decimal(cksum(kernel_start, size));
	print(" ");
	print_decimal(size);
	print(" itself\n");
	finish_as_told(boot);
}
