/* SPDX-License-Identifier: MIT
 *
 * The native protocol: an ELF64 x86-64 kernel, entered in long mode with its
 * segments mapped where it was linked (longmode.h), and struct mkbootimg_info.
 */
#include <string.h>

#include "bootabi.h"
#include "base/bytes.h"
#include "protocol/longmode.h"
#include "protocol/protocol.h"

#define DEFAULT_STACK UINT64_C(0x10000)

#define PHYSMAP_SLOT 256		/* 0xffff800000000000 */
#define HANDOFF_SLOT 508		/* 0xfffffe0000000000 */

/* Find room for the hand-off area and the physical map beside the kernel: the
 * usual places, or else the nearest free ones: down, and up, or in the lower half. */
static int place_areas(struct plan *plan, const char *name, struct error *err)
{
	unsigned int handoff = HANDOFF_SLOT, physmap = PHYSMAP_SLOT;
	bool used[SLOTS];

	longmode_used(plan, used);
	while (handoff > 0 && used[handoff])
		handoff--;
	used[handoff] = true;
	while (physmap < SLOTS && used[physmap])
		physmap++;
	if (physmap == SLOTS)
		for (physmap = 1; physmap < PHYSMAP_SLOT && used[physmap]; physmap++)
			;
	if (handoff == 0 || used[physmap])
		return error_set(err, ERROR_INPUT, 0,
				 "'%s' is scattered over the whole address space: no room for the stack and the physical map",
				 name);
	plan->handoff_virt = longmode_slot(handoff);
	plan->physmap_virt = longmode_slot(physmap);
	plan->physmap_max = longmode_free(used, physmap);
	return 0;
}

/* ---- What the kernel is told ----------------------------------------------- */

/* One entry for each map. */
static void add_segments(struct plan *plan)
{
	plan_put64(plan, INFO_OFF_SEGMENT_COUNT, plan->map_count);
	for (size_t i = 0; i < plan->map_count; i++) {
		const struct plan_map *map = &plan->maps[i];
		uint32_t at = plan_info(plan, NULL, SEGMENT_SIZE, 8);

		if (i == 0)
			plan_point64(plan, INFO_OFF_SEGMENTS, at);
		plan_put64(plan, at + SEGMENT_OFF_VIRT, map->virt);
		plan_put64(plan, at + SEGMENT_OFF_PHYS, map->offset);
		plan_fixup(plan, at + SEGMENT_OFF_PHYS, 8, map->block);
		plan_put64(plan, at + SEGMENT_OFF_SIZE, map->length);
		plan_put32(plan, at + SEGMENT_OFF_FLAGS, map->flags);
	}
}

static void add_modules(struct plan *plan, const struct plan_options *options)
{
	if (options->module_count == 0)
		return;
	uint32_t block = plan_modules(plan, options, PLAN_LOWEST_PHYS);
	uint32_t list = plan_info(plan, NULL, options->module_count * MODULE_SIZE, 8);

	plan_point64(plan, INFO_OFF_MODULES, list);
	plan_put64(plan, INFO_OFF_MODULE_COUNT, options->module_count);
	for (size_t i = 0; i < options->module_count; i++) {
		uint32_t at = list + (uint32_t)i * MODULE_SIZE;

		plan_put64(plan, at + MODULE_OFF_START, plan->physmap_virt);
		plan_fixup(plan, at + MODULE_OFF_START, 8, block + (uint32_t)i);
		plan_fixup(plan, at + MODULE_OFF_PHYS, 8, block + (uint32_t)i);
		plan_put64(plan, at + MODULE_OFF_SIZE, options->modules[i].size);
		plan_point64(plan, at + MODULE_OFF_NAME, plan_info_string(plan, options->modules[i].name));
	}
}

/* struct mkbootimg_info first, what it points to behind it. */
static void make_info(struct plan *plan, const struct plan_options *options)
{
	const struct plan_map *last = &plan->maps[plan->map_count - 1];

	plan_info(plan, NULL, INFO_SIZE, 8);
	plan_put64(plan, INFO_OFF_MAGIC, INFO_MAGIC);
	plan_put32(plan, INFO_OFF_VERSION, INFO_VERSION);
	plan_put32(plan, INFO_OFF_SIZE, INFO_SIZE);
	plan_put64(plan, INFO_OFF_KERNEL_VSTART, plan->maps[0].virt);
	plan_put64(plan, INFO_OFF_KERNEL_VEND, last->virt + last->length);
	plan_put64(plan, INFO_OFF_PHYSMAP, plan->physmap_virt);
	add_segments(plan);
	add_modules(plan, options);
	plan_point64(plan, INFO_OFF_CMDLINE, plan_info_cmdline(plan, options->cmdline));
	plan_put64(plan, INFO_OFF_CMDLINE_LEN, strlen(options->cmdline));
}

/* Its stack is not what everybody expects. */
static void warn_stack(const struct kernel *kernel, struct plan *plan)
{
	if (!kernel->has_gnu_stack)
		plan_warn(plan, "the file does not say what stack it needs (no PT_GNU_STACK); it gets one that is not executable");
	else if (kernel->executable_stack)
		plan_warn(plan, "the file asks for an executable stack (PT_GNU_STACK); it gets one that is not");
}

int native_plan(const struct kernel *kernel, const struct plan_options *options, const char *name,
		struct plan *plan, struct error *err)
{
	if (longmode_plan(kernel, options, name, plan, err) != 0)
		return -1;
	if (place_areas(plan, name, err) != 0) {
		plan_free(plan);
		return -1;
	}
	warn_stack(kernel, plan);
	make_info(plan, options);
	plan->protocol = BT_PROTOCOL_NATIVE;
	plan->stack_size = align_up(options->stack_size != 0 ? options->stack_size : DEFAULT_STACK, PAGE_SIZE);
	/* The screen is always told of. */
	plan->video = options->video != NULL ? *options->video : (struct plan_video){ .mode = VIDEO_TELL };
	return longmode_finish(plan, name, err);
}

int native_detect(const struct kernel *kernel, const char *name, struct protocol_reason *why,
		  struct error *err)
{
	(void)name;
	(void)err;
	return longmode_fits(kernel, why);
}
