/* SPDX-License-Identifier: MIT
 *
 * Plans as text and JSON; see report.h.
 */
#include "plan/report.h"

#include <inttypes.h>

#include "bootabi.h"
#include "base/error.h"
#include "protocol/protocol.h"

struct report_flags report_flags(uint32_t flags)
{
	return (struct report_flags){ {
		flags & MAP_READ ? 'r' : '-',
		flags & MAP_WRITE ? 'w' : '-',
		flags & MAP_EXECUTE ? 'x' : '-',
		'\0',
	} };
}

json_t *report_address(uint64_t address)
{
	return json_sprintf("0x%" PRIx64, address);
}

json_t *report_text(const char *text)
{
	json_t *string = json_string(text);
	char clean[BT_MAX_CMDLINE + 1];
	size_t i;

	if (string != NULL)
		return string;
	for (i = 0; i < sizeof(clean) - 1 && text[i] != '\0'; i++)
		clean[i] = (unsigned char)text[i] < 0x80 ? text[i] : '?';
	clean[i] = '\0';
	return json_string(clean);
}

const char *report_protocol(const struct plan *plan)
{
	const struct protocol *protocol = protocol_by_number(plan->protocol);

	return protocol != NULL ? protocol->name : "unknown";
}

const char *report_kind(uint32_t kind)
{
	switch (kind) {
	case INFO_KIND_MODULES:
		return "module or symbols";
	case INFO_KIND_STACK:
		return "stack";
	case INFO_KIND_BOOT_INFO:
		return "BootInfo";
	default:
		return "kernel";
	}
}

static const char *const video_modes[] = {
	[VIDEO_TEXT] = "text",
	[VIDEO_TELL] = "text, told to the kernel",
	[VIDEO_PREFER] = "preferred",
	[VIDEO_REQUIRE] = "required",
	[VIDEO_BIOS] = "the firmware's",
};

static const char *video_mode(const struct plan_video *video)
{
	return video->mode <= VIDEO_BIOS ? video_modes[video->mode] : "unknown";
}

static void print_video(FILE *out, const struct plan_video *video)
{
	fputs("screen: ", out);
	if (video->mode == VIDEO_BIOS) {
		fprintf(out, "mode 0x%02x, ", video->width);
	} else if (video->mode > VIDEO_TELL) {
		if (video->width != 0 || video->height != 0)
			fprintf(out, "%ux%u, ", video->width, video->height);
		else
			fputs("graphics of any size, ", out);
		if (video->depth != 0)
			fprintf(out, "%u bits a pixel, ", video->depth);
	}
	fprintf(out, "%s\n", video_mode(video));
}

struct report_place report_place(const struct plan_block *block, uint64_t offset)
{
	const char *top = block->flags & BLOCK_TOP ? ", as high as possible" : "";
	struct report_place place;

	if (block->phys != BLOCK_ANYWHERE)
		snprintf(place.text, sizeof(place.text), "at 0x%" PRIx64 "%s", block->phys + offset,
			 block->flags & BLOCK_FIXED ? "" : " if that is free");
	else if (block->lowest > PLAN_LOWEST_PHYS || block->highest < PLAN_HIGHEST_PHYS)
		snprintf(place.text, sizeof(place.text), "in 0x%" PRIx64 "-0x%" PRIx64 "%s", block->lowest,
			 block->highest, top);
	else
		snprintf(place.text, sizeof(place.text), "anywhere in physical memory%s", top);
	return place;
}

/* The blocks, but for those that maps have told of. */
static void print_blocks(FILE *out, const struct plan *plan)
{
	fputs("placed:\n", out);
	for (size_t i = 0; i < plan->block_count; i++) {
		const struct plan_block *block = &plan->blocks[i];

		fprintf(out, "  block %zu: %" PRIu64 " KiB, %s, %s\n", i, block->size / 1024,
			report_kind(block->kind), report_place(block, 0).text);
	}
}

static void print_maps(FILE *out, const struct plan *plan)
{
	fputs("mapped:\n", out);
	for (size_t i = 0; i < plan->map_count; i++) {
		const struct plan_map *map = &plan->maps[i];

		fprintf(out, "  0x%016" PRIx64 " + 0x%-9" PRIx64 " %s  %s\n", map->virt, map->length,
			report_flags(map->flags).text, report_place(&plan->blocks[map->block], map->offset).text);
	}
}

/* What else is mapped. */
static void print_areas(FILE *out, const struct plan *plan)
{
	if (plan->physmap_max != 0)
		fprintf(out, "physical memory mapped at 0x%" PRIx64 "\n", plan->physmap_virt);
	if (plan->handoff_virt != 0)
		fprintf(out, "hand-off area at 0x%" PRIx64 "\n", plan->handoff_virt);
	if (plan_has_stack(plan))
		fprintf(out, "stack 0x%" PRIx64 "-0x%" PRIx64 ", guard page at 0x%" PRIx64 "\n",
			plan->stack_top - plan->stack_size, plan->stack_top - 1,
			plan->stack_top - plan->stack_size - PAGE_SIZE);
	if (plan->info_block != BLOCK_NONE)
		fprintf(out, "BootInfo at 0x%" PRIx64 "\n", plan->info_virt);
	if (plan->recursive != 0)
		fprintf(out, "page tables mapped at entry %u of level 4\n", plan->recursive);
	if (plan->sse)
		fputs("SSE switched on\n", out);
}

static const char *method_name(uint32_t method)
{
	return method == EXTENT_LZ4 ? "lz4" : "raw";
}

static double stored_ratio(const struct plan_extent *extent, const struct extent_place *place)
{
	return (double)place->stored / (double)extent->length;
}

static void print_extents(FILE *out, const struct plan *plan, const struct extent_place *places)
{
	fputs("loaded:\n", out);
	for (size_t i = 0; i < plan->extent_count; i++) {
		const struct plan_extent *extent = &plan->extents[i];

		fprintf(out, "  extent %zu: %" PRIu64 " bytes to block %" PRIu32 " + 0x%" PRIx64, i, extent->length,
			extent->block, extent->offset);
		if (places != NULL)
			fprintf(out, ", stored as %s: %" PRIu64 " bytes, %.1f %%", method_name(places[i].method),
				places[i].stored, 100 * stored_ratio(extent, &places[i]));
		fputc('\n', out);
	}
}

void report_plan(FILE *out, const struct plan *plan, const struct extent_place *places)
{
	fprintf(out, "protocol %s, entry point 0x%" PRIx64 ", stack %" PRIu64 " KiB\n",
		report_protocol(plan), plan->entry, plan->stack_size / 1024);
	fputs("command line \"", out);
	print_escaped(out, plan->cmdline);
	fputs("\"\n", out);
	print_video(out, &plan->video);
	print_blocks(out, plan);
	if (plan->map_count > 0)
		print_maps(out, plan);
	print_extents(out, plan, places);
	fputs("cleared:\n", out);
	for (size_t i = 0; i < plan->zero_count; i++)
		fprintf(out, "  %" PRIu64 " bytes of block %" PRIu32 " + 0x%" PRIx64 "\n",
			plan->zeros[i].length, plan->zeros[i].block, plan->zeros[i].offset);
	if (plan->patch_count > 0)
		fprintf(out, "relocated: %zu places\n", plan->patch_count);
	fprintf(out, "told to the kernel: %zu bytes, %zu addresses in them\n", plan->info_size,
		plan->fixup_count);
	print_areas(out, plan);
	fprintf(out, "needs %" PRIu64 " KiB of memory\n", plan_memory(plan) / 1024);
}

static json_t *blocks_json(const struct plan *plan)
{
	json_t *list = json_array();

	for (size_t i = 0; i < plan->block_count; i++) {
		const struct plan_block *block = &plan->blocks[i];

		json_array_append_new(list, json_pack("{s:o, s:I, s:I, s:I, s:o, s:o, s:b, s:b, s:s}",
						      "wanted",
						      block->phys == BLOCK_ANYWHERE ?
							      json_null() :
							      report_address(block->phys),
						      "size", (json_int_t)block->size, "align",
						      (json_int_t)block->align, "phase",
						      (json_int_t)block->phase, "lowest",
						      report_address(block->lowest), "highest",
						      report_address(block->highest), "fixed",
						      (block->flags & BLOCK_FIXED) != 0, "top",
						      (block->flags & BLOCK_TOP) != 0, "kind",
						      report_kind(block->kind)));
	}
	return list;
}

static json_t *maps_json(const struct plan *plan)
{
	json_t *list = json_array();

	for (size_t i = 0; i < plan->map_count; i++) {
		const struct plan_map *map = &plan->maps[i];

		json_array_append_new(list, json_pack("{s:o, s:I, s:s, s:i, s:I}", "virtual",
						      report_address(map->virt), "size",
						      (json_int_t)map->length, "flags",
						      report_flags(map->flags).text, "block", (int)map->block,
						      "offset", (json_int_t)map->offset));
	}
	return list;
}

static json_t *extents_json(const struct plan *plan, const struct extent_place *places)
{
	json_t *list = json_array();

	for (size_t i = 0; i < plan->extent_count; i++) {
		const struct plan_extent *extent = &plan->extents[i];

		json_t *object = json_pack("{s:i, s:I, s:I}", "block", (int)extent->block, "offset",
					   (json_int_t)extent->offset, "size", (json_int_t)extent->length);
		if (places != NULL)
			json_object_update_new(object, json_pack("{s:I, s:s, s:I, s:f}", "lba",
								 (json_int_t)places[i].lba, "method",
								 method_name(places[i].method), "stored",
								 (json_int_t)places[i].stored, "ratio",
								 stored_ratio(extent, &places[i])));
		json_array_append_new(list, object);
	}
	return list;
}

static json_t *zeros_json(const struct plan *plan)
{
	json_t *list = json_array();

	for (size_t i = 0; i < plan->zero_count; i++) {
		const struct plan_zero *zero = &plan->zeros[i];

		json_array_append_new(list, json_pack("{s:i, s:I, s:I}", "block", (int)zero->block, "offset",
						      (json_int_t)zero->offset, "size",
						      (json_int_t)zero->length));
	}
	return list;
}

static json_t *video_json(const struct plan_video *video)
{
	bool numbered = video->mode == VIDEO_BIOS;
	json_t *object = json_pack("{s:i, s:i, s:i, s:s}", "width", numbered ? 0 : video->width, "height",
				   video->height, "depth", video->depth, "mode", video_mode(video));

	if (numbered)
		json_object_set_new(object, "number", json_integer(video->width));
	return object;
}

json_t *report_plan_json(const struct plan *plan, const struct extent_place *places)
{
	json_t *object = json_pack(
		"{s:s, s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:I}", "protocol",
		report_protocol(plan), "entry", report_address(plan->entry), "command_line",
		report_text(plan->cmdline), "stack_size", (json_int_t)plan->stack_size, "maps",
		maps_json(plan), "blocks", blocks_json(plan), "extents", extents_json(plan, places), "zeros",
		zeros_json(plan), "video", video_json(&plan->video), "info_size",
		(json_int_t)plan->info_size, "fixups", (json_int_t)plan->fixup_count, "memory",
		(json_int_t)plan_memory(plan));

	if (plan->physmap_max != 0)
		json_object_set_new(object, "physical_map", report_address(plan->physmap_virt));
	if (plan->handoff_virt != 0)
		json_object_set_new(object, "hand_off_area", report_address(plan->handoff_virt));
	if (plan_has_stack(plan))
		json_object_set_new(object, "stack_top", report_address(plan->stack_top));
	if (plan->info_block != BLOCK_NONE)
		json_object_set_new(object, "boot_info", report_address(plan->info_virt));
	if (plan->recursive != 0)
		json_object_set_new(object, "recursive_entry", json_integer(plan->recursive));
	if (plan->protocol == BT_PROTOCOL_BOOTLOADER_09)
		json_object_set_new(object, "sse", json_boolean(plan->sse));
	return object;
}
