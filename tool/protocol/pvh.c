/* SPDX-License-Identifier: MIT
 *
 * PVH: the x86/HVM direct boot ABI, as Xen defined it and QEMU's -kernel uses it
 * for Linux.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bootabi.h"
#include "protocol/flat.h"
#include "protocol/protocol.h"

int pvh_detect(const struct kernel *kernel, const char *name, struct protocol_reason *why,
	       struct error *err)
{
	struct pvh note;
	int found = pvh_find(kernel, name, &note, err);

	if (found > 0)
		snprintf(why->text, sizeof(why->text),
			 "has a Xen PHYS32_ENTRY note (PVH) at file offset 0x%" PRIx64, note.offset);
	return found;
}

static void add_modules(struct plan *plan, const struct plan_options *options, uint64_t lowest)
{
	uint32_t block = plan_modules(plan, options, lowest);
	uint32_t list = plan_info(plan, NULL, options->module_count * PVH_MOD_SIZE, 8);

	plan_put32(plan, PVH_OFF_MODULE_COUNT, (uint32_t)options->module_count);
	if (options->module_count > 0)
		plan_point64(plan, PVH_OFF_MODULES, list);
	for (size_t i = 0; i < options->module_count; i++) {
		uint32_t at = list + (uint32_t)i * PVH_MOD_SIZE;

		plan_fixup(plan, at + PVH_MOD_START, 8, block + (uint32_t)i);
		plan_put64(plan, at + PVH_MOD_BYTES, options->modules[i].size);
		plan_point64(plan, at + PVH_MOD_CMDLINE, plan_info_string(plan, options->modules[i].name));
	}
}

int pvh_plan(const struct kernel *kernel, const struct plan_options *options, const char *name,
	     struct plan *plan, struct error *err)
{
	struct pvh note;
	struct flat_request request = { .protocol = BT_PROTOCOL_PVH, .entry = &note.entry };
	struct flat_place place;

	if (pvh_find(kernel, name, &note, err) <= 0)
		return -1;
	if (flat_plan(plan, kernel, options, &request, name, &place, err) != 0)
		return -1;
	/* The ABI cannot tell of a framebuffer; the user may want one all the same. */
	plan->video = options->video != NULL ? *options->video : (struct plan_video){ .mode = VIDEO_TEXT };
	plan_info(plan, NULL, PVH_INFO_SIZE, 8);
	plan_put32(plan, PVH_OFF_MAGIC, PVH_MAGIC);
	plan_put32(plan, PVH_OFF_VERSION, 1);
	/* The arguments alone, as QEMU gives them to PVH kernels. */
	plan_point64(plan, PVH_OFF_CMDLINE, plan_info_cmdline(plan, options->cmdline));
	add_modules(plan, options, place.behind);
	return flat_finish(plan, name, err);
}
