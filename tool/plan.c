/* SPDX-License-Identifier: MIT
 *
 * What every plan shares; see plan.h.
 */
#include "plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "bootabi.h"

uint64_t plan_memory(const struct plan *plan)
{
	uint64_t total = plan->stack_size + (uint64_t)plan->table_pages * PAGE_SIZE;

	for (size_t i = 0; i < plan->block_count; i++)
		total += plan->blocks[i].size;
	return total;
}

void plan_warn(struct plan *plan, const char *format, ...)
{
	va_list args;

	if (plan->warning_count == PLAN_WARNINGS)
		return;
	va_start(args, format);
	vsnprintf(plan->warnings[plan->warning_count].text, sizeof(plan->warnings[0].text), format, args);
	va_end(args);
	plan->warning_count++;
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
