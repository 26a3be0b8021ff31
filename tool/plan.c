/* SPDX-License-Identifier: MIT
 *
 * What every plan shares; see plan.h.
 */
#include "plan.h"

#include <stdlib.h>

#include "bootabi.h"

uint64_t plan_memory(const struct plan *plan)
{
	uint64_t total = plan->stack_size + (uint64_t)plan->table_pages * PAGE_SIZE;

	for (size_t i = 0; i < plan->block_count; i++)
		total += plan->blocks[i].size;
	return total;
}

void plan_free(struct plan *plan)
{
	free(plan->blocks);
	free(plan->pieces);
	free(plan->extents);
	free(plan->zeros);
	free(plan->maps);
	free(plan->cmdline);
	*plan = (struct plan){0};
}
