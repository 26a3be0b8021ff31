/* SPDX-License-Identifier: MIT
 *
 * Test kernel "modules": prints each module as cksum(1) would, its name after
 * that.  They must lie at pages of their own.
 */
#include "boot.h"
#include "cksum.h"

void kernel(const struct boot *boot)
{
	for (size_t i = 0; i < boot->module_count; i++) {
		const struct module *module = &boot->modules[i];
		uintptr_t start = (uintptr_t)module->bytes;

		CHECK(start % PAGE == 0, start);
		for (size_t j = 0; j < i; j++) {
			uintptr_t other = (uintptr_t)boot->modules[j].bytes;

			CHECK(start + module->size <= other || start >= other + boot->modules[j].size, start);
		}
		print_decimal(cksum(module->bytes, module->size));
		print(" ");
		print_decimal(module->size);
		print(" ");
		print(module->name);
		print("\n");
	}
	finish_as_told(boot);
}
