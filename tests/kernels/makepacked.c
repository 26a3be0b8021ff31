/* SPDX-License-Identifier: MIT
 *
 * Writes the bytes of the test kernel "packed" to standard output.
 */
#include <stdio.h>

#include "packed_bytes.h"

int main(void)
{
	struct packed_bytes bytes = { .state = 1 };

	for (uint32_t i = 0; i < PACKED_BYTES; i++)
		putchar(packed_next(&bytes));
	return fflush(stdout) != 0;
}
