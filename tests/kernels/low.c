/* SPDX-License-Identifier: MIT
 *
 * Test kernel "low": has a segment in memory that firmware uses, below 1 MiB;
 * each word of it is checked, then written.
 */
#include "boot.h"

extern volatile uint32_t low_data[], low_data_end[], low_clear[], low_clear_end[];

void kernel(const struct boot *boot)
{
	size_t words = (size_t)(low_data_end - low_data);

	for (size_t i = 0; i < words; i++)
		CHECK(low_data[i] == 0x10c00000 + i, (uintptr_t)&low_data[i]);
	for (volatile uint32_t *word = low_clear; word < low_clear_end; word++)
		CHECK(*word == 0, (uintptr_t)word);
	/* It is the kernel's to write; what the loader left must not be in it. */
	for (volatile uint32_t *word = low_data; word < low_clear_end; word++)
		*word = ~0u;
	__asm__ volatile("mov %%ds, %%eax; mov %%eax, %%ds; mov %%eax, %%es; mov %%eax, %%ss" : : : "eax");
	print("the low segment is there, at ");
	print_hex((uintptr_t)low_data);
	print("\n");
	finish_as_told(boot);
}
