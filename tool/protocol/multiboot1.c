/* SPDX-License-Identifier: MIT
 *
 * Multiboot 1 (Multiboot Specification 0.6.96), and ELF32 kernels without any
 * header, which are entered the same way.
 */
#include <elf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "bootabi.h"
#include "base/fileio.h"
#include "protocol/flat.h"
#include "protocol/protocol.h"
#include "kernel/sections.h"

int multiboot1_detect(const struct kernel *kernel, const char *name, struct protocol_reason *why,
		      struct error *err)
{
	struct multiboot1 header;
	int found = multiboot1_find(kernel, name, &header, err);

	if (found > 0)
		snprintf(why->text, sizeof(why->text), "has a Multiboot 1 header at file offset 0x%" PRIx64,
			 header.offset);
	return found;
}

int plain32_detect(const struct kernel *kernel, const char *name, struct protocol_reason *why,
		   struct error *err)
{
	(void)name;
	(void)err;
	if (!kernel->is_elf || kernel->is_64 || kernel->machine != EM_386)
		return 0;
	snprintf(why->text, sizeof(why->text),
		 "is an ELF32 file without the header or note of another protocol");
	return 1;
}

/* 3.1.4: what the header says, unless the user said it. */
static struct plan_video choose_video(const struct multiboot1 *header,
				      const struct plan_options *options)
{
	if (options->video != NULL)
		return *options->video;
	if (!header->has_video)
		return (struct plan_video){ .mode = VIDEO_TEXT };
	if (header->mode_type == 1)
		return (struct plan_video){ .mode = VIDEO_TELL };
	return flat_video(header->width, header->height, header->depth);
}

/* 3.3, "mods_*". */
static uint32_t add_modules(struct plan *plan, const struct plan_options *options, uint64_t lowest)
{
	uint32_t block = plan_modules(plan, options, lowest);
	uint32_t list = plan_info(plan, NULL, options->module_count * MB1_MOD_SIZE, 4);

	plan_put32(plan, MB1_OFF_MODS_COUNT, (uint32_t)options->module_count);
	plan_point32(plan, MB1_OFF_MODS_ADDR, list);
	for (size_t i = 0; i < options->module_count; i++) {
		uint32_t at = list + (uint32_t)i * MB1_MOD_SIZE;

		plan_fixup(plan, at + MB1_MOD_START, 4, block + (uint32_t)i);
		plan_put32(plan, at + MB1_MOD_END, (uint32_t)options->modules[i].size);
		plan_fixup(plan, at + MB1_MOD_END, 4, block + (uint32_t)i);
		plan_point32(plan, at + MB1_MOD_STRING, plan_info_string(plan, options->modules[i].name));
	}
	return MB1_HAS_MODULES;
}

/* 3.3, "syms", the ELF form. */
static uint32_t add_sections(struct plan *plan, const struct kernel *kernel, uint64_t lowest)
{
	struct sections sections;

	if (plan->info_size + sections_size(kernel) > FLAT_MAX_SECTIONS) {
		plan_warn(plan, "its section headers are too many to be handed to it");
		return 0;
	}
	sections_plan(plan, kernel, lowest, 8, &sections);
	if (sections.count == 0)
		return 0;
	plan_put32(plan, MB1_OFF_SYMS, sections.count);
	plan_put32(plan, MB1_OFF_SYMS + 4, sections.entry_size);
	plan_point32(plan, MB1_OFF_SYMS + 8, sections.offset);
	plan_put32(plan, MB1_OFF_SYMS + 12, sections.strings);
	return MB1_HAS_SECTIONS;
}

int multiboot1_plan(const struct kernel *kernel, const struct plan_options *options,
		    const char *name, struct plan *plan, struct error *err)
{
	struct multiboot1 header = { 0 };
	struct flat_request request = { .protocol = BT_PROTOCOL_MULTIBOOT1 };
	uint32_t flags = MB1_HAS_CMDLINE | MB1_HAS_LOADER_NAME;
	struct flat_place place;

	if (multiboot1_find(kernel, name, &header, err) < 0)
		return -1;
	if (header.has_address) {
		request.image = &header.image;
		request.entry = &header.entry_addr;
	}
	if (flat_plan(plan, kernel, options, &request, name, &place, err) != 0)
		return -1;
	CLEANUP_FREE char *cmdline = flat_cmdline(options);
	plan->video = choose_video(&header, options);
	plan_info(plan, NULL, MB1_INFO_SIZE, 8);
	plan_point32(plan, MB1_OFF_CMDLINE, plan_info_cmdline(plan, cmdline));
	plan_point32(plan, MB1_OFF_LOADER_NAME, plan_info_string(plan, FLAT_LOADER_NAME));
	flags |= add_modules(plan, options, place.behind);
	flags |= add_sections(plan, kernel, place.behind);
	plan_put32(plan, MB1_OFF_FLAGS, flags);
	return flat_finish(plan, name, err);
}
