/* SPDX-License-Identifier: MIT
 *
 * Multiboot 2 (Multiboot2 Specification 2.0).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bootabi.h"
#include "base/bytes.h"
#include "base/fileio.h"
#include "protocol/flat.h"
#include "protocol/protocol.h"
#include "kernel/sections.h"

int multiboot2_detect(const struct kernel *kernel, const char *name, struct protocol_reason *why,
		      struct error *err)
{
	struct multiboot2 header;
	int found = multiboot2_find(kernel, name, &header, err);

	if (found > 0)
		snprintf(why->text, sizeof(why->text), "has a Multiboot 2 header at file offset 0x%" PRIx64,
			 header.offset);
	return found;
}

/* 3.1.9 and 3.1.10: what the header says, unless the user said it. */
static struct plan_video choose_video(const struct multiboot2 *header,
				      const struct plan_options *options)
{
	if (options->video != NULL)
		return *options->video;
	if (header->has_framebuffer)
		return flat_video(header->width, header->height, header->depth);
	/* 3.1.4: or it requests to be told of it. */
	bool asked = header->has_console ||
		     header->requests & (1u << MB2_TAG_VBE | 1u << MB2_TAG_FRAMEBUFFER);
	return (struct plan_video){ .mode = asked ? VIDEO_TELL : VIDEO_TEXT };
}

/* 3.1.13.  Where it may not be where it was linked, it must be moved. */
static struct flat_range find_range(const struct multiboot2 *header)
{
	struct flat_range range = {
		.lowest = align_up(header->min_addr, PAGE_SIZE),
		.highest = align_down((uint64_t)header->max_addr + 1, PAGE_SIZE),
		.align = header->align,
		.anywhere = header->preference != 0,
		.top = header->preference == 2,
	};

	if (range.lowest < PLAN_LOWEST_PHYS)
		range.lowest = PLAN_LOWEST_PHYS;
	return range;
}

/* 3.6.2: begin a tag.  Returns its offset; its size is set by end_tag(). */
static uint32_t begin_tag(struct plan *plan, uint32_t type, size_t size)
{
	uint32_t tag = plan_info(plan, NULL, size, 8);

	plan_put32(plan, tag, type);
	return tag;
}

static void end_tag(struct plan *plan, uint32_t tag)
{
	plan_put32(plan, tag + 4, (uint32_t)(plan->info_size - tag));
}

/* 3.6.6 */
static void add_modules(struct plan *plan, const struct plan_options *options, uint64_t lowest)
{
	uint32_t block = plan_modules(plan, options, lowest);

	for (size_t i = 0; i < options->module_count; i++) {
		uint32_t tag = begin_tag(plan, MB2_TAG_MODULE, 16);

		plan_fixup(plan, tag + 8, 4, block + (uint32_t)i);	/* mod_start */
		plan_put32(plan, tag + 12, (uint32_t)options->modules[i].size);
		plan_fixup(plan, tag + 12, 4, block + (uint32_t)i);	/* mod_end */
		plan_info_string(plan, options->modules[i].name);
		end_tag(plan, tag);
	}
}

/* 3.6.7.  The text has three 16-bit fields and a reserved one; the header file
 * printed in the same document (4.3), every loader and every kernel have three
 * 32-bit ones, with the section headers right behind. */
static void add_sections(struct plan *plan, const struct kernel *kernel, uint64_t lowest)
{
	struct sections sections;
	uint64_t size = sections_size(kernel);

	if (size == 0)
		return;
	if (plan->info_size + size > FLAT_MAX_SECTIONS) {
		plan_warn(plan, "its section headers are too many to be handed to it");
		return;
	}
	uint32_t tag = begin_tag(plan, MB2_TAG_SECTIONS, 20);
	sections_plan(plan, kernel, lowest, 4, &sections);
	plan_put32(plan, tag + 8, sections.count);
	plan_put32(plan, tag + 12, sections.entry_size);
	plan_put32(plan, tag + 16, sections.strings);
	end_tag(plan, tag);
}

/* 3.6.23.  The image is the kernel's only block. */
static void add_load_base(struct plan *plan, uint64_t first)
{
	uint32_t tag = begin_tag(plan, MB2_TAG_LOAD_BASE, 12);

	plan_put32(plan, tag + 8, (uint32_t)first);
	plan_fixup(plan, tag + 8, 4, 0);
	end_tag(plan, tag);
}

int multiboot2_plan(const struct kernel *kernel, const struct plan_options *options,
		    const char *name, struct plan *plan, struct error *err)
{
	struct multiboot2 header;
	struct flat_request request = { .protocol = BT_PROTOCOL_MULTIBOOT2 };
	struct flat_range range;
	struct flat_place place;

	if (multiboot2_find(kernel, name, &header, err) <= 0)
		return -1;
	if (header.has_address)
		request.image = &header.image;
	if (header.has_entry)
		request.entry = &header.entry_addr;
	if (header.has_relocatable) {
		range = find_range(&header);
		request.range = &range;
	}
	if (flat_plan(plan, kernel, options, &request, name, &place, err) != 0)
		return -1;
	CLEANUP_FREE char *cmdline = flat_cmdline(options);
	plan->video = choose_video(&header, options);
	plan_info(plan, NULL, MB2_HEADER_SIZE, 8);
	uint32_t tag = begin_tag(plan, MB2_TAG_CMDLINE, 8);	/* 3.6.5 */
	plan_info_cmdline(plan, cmdline);
	end_tag(plan, tag);
	tag = begin_tag(plan, MB2_TAG_LOADER_NAME, 8);		/* 3.6.9 */
	plan_info_string(plan, FLAT_LOADER_NAME);
	end_tag(plan, tag);
	add_modules(plan, options, place.behind);
	add_sections(plan, kernel, place.behind);
	if (header.has_relocatable)
		add_load_base(plan, place.first);
	return flat_finish(plan, name, err);
}
