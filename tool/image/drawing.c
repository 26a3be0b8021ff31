/* SPDX-License-Identifier: MIT
 *
 * Images as pictures; see drawing.h.
 *
 * Three columns of boxes: disk, physical memory, virtual memory.  Each is laid out
 * from top to bottom first, then all of it is drawn.  Boxes are as high as their text,
 * because what matters ranges from bytes to terabytes.
 */
#include "image/drawing.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "bootabi.h"
#include "base/bytes.h"
#include "base/xml.h"
#include "plan/report.h"

#define MARGIN 20
#define COLUMN_WIDTH 330
#define COLUMN_GAP 60
#define COLUMN_TOP 112		/* below title and headings */
#define WIDTH (2 * MARGIN + 3 * COLUMN_WIDTH + 2 * COLUMN_GAP)
#define LINE 16
#define PADDING 6
#define SPACE 6			/* between boxes that are no neighbours */
#define LINE_MOST 52		/* characters that a box is wide enough for */
#define CMDLINE_MOST 140	/* and of the command line */

#define SECTOR0_RANGES_END SECTOR_SIZE
#define IDENTITY_END UINT64_C(0x100000000)
#define LOW_MEMORY_END UINT64_C(0xc0000)
#define LEVEL4_SHIFT 39

enum column { DISK, PHYSICAL, VIRTUAL };

struct box {
	enum column column;
	const char *class;
	int y, height;
	char lines[2][LINE_MOST + 1];	/* the second may be "" */
};

/* From the right edge of a column to the left one of the next. */
struct link {
	enum column from;
	const char *class;
	int from_y, to_y;
};

/* What becomes of a piece of a block. */
struct part {
	uint32_t block;
	uint64_t offset, length;
	size_t extent;		/* or NO_EXTENT: it is cleared */
	int y;			/* its middle */
};
#define NO_EXTENT SIZE_MAX

/* What lies in virtual memory. */
struct region {
	uint64_t start;
	uint64_t length;	/* 0: that depends on the machine */
	const char *what;	/* NULL: a map of the plan's */
	const char *rights;	/* "r-x", or blank: not the same everywhere */
	const char *class;
	const struct plan_map *map;
};

struct drawing {
	const struct image *image;
	uint64_t size;
	struct box *boxes;
	size_t box_count;
	struct link *links;
	size_t link_count;
	struct part *parts;	/* of all blocks, sorted */
	size_t part_count;
	struct region *regions;	/* sorted */
	size_t region_count;
	int *extent_y;		/* of each extent on the disk, 0: it is not there */
	int *block_y;		/* of each block's head */
	int end[3];		/* of each column */
};

/* ---- Laying out ------------------------------------------------------------- */

/* Add a box to a column; gives the y of its middle. */
static int add_box(struct drawing *d, enum column column, const char *class, const char *second,
		   const char *format, ...) __attribute__((format(printf, 5, 6)));
static int add_box(struct drawing *d, enum column column, const char *class, const char *second,
		   const char *format, ...)
{
	struct box *box = plan_append(d->boxes, d->box_count);
	va_list args;

	*box = (struct box){ .column = column, .class = class, .y = d->end[column] };
	va_start(args, format);
	vsnprintf(box->lines[0], sizeof(box->lines[0]), format, args);
	va_end(args);
	snprintf(box->lines[1], sizeof(box->lines[1]), "%s", second);
	box->height = (second[0] != '\0' ? 2 : 1) * LINE + PADDING;
	d->end[column] += box->height;
	return box->y + box->height / 2;
}

static void add_link(struct drawing *d, enum column from, const char *class, int from_y, int to_y)
{
	struct link *link = plan_append(d->links, d->link_count);

	*link = (struct link){ from, class, from_y, to_y };
}

struct size_text {
	char text[28];
};

/* "12 KiB", without rounding. */
static struct size_text size_text(uint64_t size)
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB" };
	struct size_text text;
	size_t unit = 0;

	for (; unit < 3 && size != 0 && size % 1024 == 0; unit++)
		size /= 1024;
	snprintf(text.text, sizeof(text.text), "%" PRIu64 " %s", size, units[unit]);
	return text;
}

struct text {
	char text[96];
};

/* "sectors 2048-2066, 9728 bytes" */
static struct text sectors_text(uint64_t start, uint64_t end)
{
	uint64_t first = start / SECTOR_SIZE, last = (end - 1) / SECTOR_SIZE;
	struct text text;

	if (first == last)
		snprintf(text.text, sizeof(text.text), "sector %" PRIu64 ", %s", first,
			 size_text(end - start).text);
	else
		snprintf(text.text, sizeof(text.text), "sectors %" PRIu64 "-%" PRIu64 ", %s", first, last,
			 size_text(end - start).text);
	return text;
}

/* ---- The disk ----------------------------------------------------------------- */

static int compare_ranges(const void *left, const void *right)
{
	const struct image_range *a = *(const struct image_range *const *)left;
	const struct image_range *b = *(const struct image_range *const *)right;

	return a->offset != b->offset ? (a->offset > b->offset) - (a->offset < b->offset) : (a > b) - (a < b);
}

static void lay_out_range(struct drawing *d, const struct image_range *range)
{
	size_t index = (size_t)(range - d->image->ranges);
	bool is_extent = index >= d->image->first_extent_range;
	const char *check = range->check == IMAGE_GOOD ? ", checksum ok" :
			    range->check == IMAGE_WRONG ? ", checksum wrong" : "";
	const char *class = range->check == IMAGE_WRONG ? "wrong" : is_extent ? "loaded" : "loader";
	struct text where = range->length > 0 ? sectors_text(range->offset, range->offset + range->length) :
						(struct text){ "beyond the end of the image" };

	if (!is_extent) {
		add_box(d, DISK, class, where.text, "%s%s", range->what, check);
		return;
	}
	size_t extent = index - d->image->first_extent_range;
	d->extent_y[extent] = add_box(d, DISK, class, where.text, "%s%s%s", range->what,
				      d->image->places[extent].method == EXTENT_LZ4 ? " (LZ4)" : "", check);
}

static void lay_out_gap(struct drawing *d, uint64_t start, uint64_t end)
{
	if (start < end)
		add_box(d, DISK, "hole", "", "empty: %s", sectors_text(start, end).text);
}

static void lay_out_disk(struct drawing *d)
{
	const struct image *image = d->image;
	const struct image_range **sorted = calloc(image->range_count, sizeof(sorted[0]));
	size_t count = 0;
	uint64_t done = SECTOR0_RANGES_END;

	if (sorted == NULL)
		abort();
	/* Sector 0 is one box, whatever is in it. */
	for (size_t i = 0; i < image->range_count; i++)
		if (image->ranges[i].offset >= SECTOR0_RANGES_END)
			sorted[count++] = &image->ranges[i];
	qsort(sorted, count, sizeof(sorted[0]), compare_ranges);
	add_box(d, DISK, "loader", sectors_text(0, SECTOR0_RANGES_END).text, "stage 1, partition table");
	for (size_t i = 0; i < count; i++) {
		uint64_t end = sorted[i]->offset + sorted[i]->length;

		lay_out_gap(d, done, sorted[i]->offset);
		lay_out_range(d, sorted[i]);
		end = align_up(end, SECTOR_SIZE);
		done = end > done ? end : done;
	}
	lay_out_gap(d, done, d->size);
	free(sorted);
}

/* ---- Physical memory ------------------------------------------------------------ */

static int compare_parts(const void *left, const void *right)
{
	const struct part *a = left, *b = right;

	if (a->block != b->block)
		return a->block < b->block ? -1 : 1;
	return (a->offset > b->offset) - (a->offset < b->offset);
}

static void find_parts(struct drawing *d)
{
	const struct plan *plan = &d->image->plan;

	for (size_t i = 0; i < plan->extent_count; i++)
		*plan_append(d->parts, d->part_count) =
			(struct part){ .block = plan->extents[i].block, .offset = plan->extents[i].offset,
				       .length = plan->extents[i].length, .extent = i };
	for (size_t i = 0; i < plan->zero_count; i++)
		*plan_append(d->parts, d->part_count) =
			(struct part){ .block = plan->zeros[i].block, .offset = plan->zeros[i].offset,
				       .length = plan->zeros[i].length, .extent = NO_EXTENT };
	if (d->part_count > 0)
		qsort(d->parts, d->part_count, sizeof(d->parts[0]), compare_parts);
}

static void lay_out_part(struct drawing *d, struct part *part)
{
	struct size_text length = size_text(part->length);

	if (part->extent == NO_EXTENT) {
		part->y = add_box(d, PHYSICAL, "cleared", "", "+0x%" PRIx64 ": %s, cleared", part->offset,
				  length.text);
		return;
	}
	part->y = add_box(d, PHYSICAL, "loaded", "", "+0x%" PRIx64 ": %s, extent %zu", part->offset,
			  length.text, part->extent);
	if (d->extent_y[part->extent] != 0)
		add_link(d, DISK, "loading", d->extent_y[part->extent], part->y);
}

static void lay_out_blocks(struct drawing *d)
{
	const struct plan *plan = &d->image->plan;
	size_t part = 0, count = 0;

	find_parts(d);
	for (uint32_t i = 0; i < plan->block_count; i++) {
		const struct plan_block *block = &plan->blocks[i];

		*plan_append(d->block_y, count) =
			add_box(d, PHYSICAL, "block", report_place(block, 0).text,
				"block %" PRIu32 ": %s, %s", i, report_kind(block->kind),
				size_text(block->size).text);
		for (; part < d->part_count && d->parts[part].block == i; part++)
			lay_out_part(d, &d->parts[part]);
		d->end[PHYSICAL] += SPACE;
	}
}

/* Where in the picture a place in a block is. */
static int place_y(const struct drawing *d, uint32_t block, uint64_t offset)
{
	for (size_t i = 0; i < d->part_count; i++) {
		const struct part *part = &d->parts[i];

		if (part->block == block && offset >= part->offset && offset - part->offset < part->length)
			return part->y;
	}
	return d->block_y[block];
}

/* ---- Virtual memory --------------------------------------------------------------- */

static int compare_regions(const void *left, const void *right)
{
	const struct region *a = left, *b = right;

	return (a->start > b->start) - (a->start < b->start);
}

static void add_region(struct drawing *d, uint64_t start, uint64_t length, const char *what,
		       const char *rights)
{
	struct region *region = plan_append(d->regions, d->region_count);

	*region = (struct region){ .start = start, .length = length, .what = what, .rights = rights,
				   .class = "area" };
}

static const char *rights_class(uint32_t flags)
{
	if (flags & MAP_EXECUTE)
		return flags & MAP_WRITE ? "writable-code" : "code";
	return flags & MAP_WRITE ? "data" : "constant";
}

/* What the loader maps for each kernel of a protocol. */
static void find_areas(struct drawing *d)
{
	const struct plan *plan = &d->image->plan;
	bool native = plan->protocol == BT_PROTOCOL_NATIVE;

	if (native)
		add_region(d, PAGE_SIZE, IDENTITY_END - PAGE_SIZE, "the first 4 GiB, one to one", "rw-");
	else
		add_region(d, PAGE_SIZE, LOW_MEMORY_END - PAGE_SIZE, "low memory, one to one", "rwx");
	if (plan->physmap_max != 0)
		add_region(d, plan->physmap_virt, 0, "all physical memory", native ? "rw-" : "rwx");
	if (plan->handoff_virt != 0)
		add_region(d, plan->handoff_virt, 0, "hand-off: guard page, stack, info, GDT", "   ");
	if (plan->recursive != 0) {
		uint64_t upper = plan->recursive >= 256 ? UINT64_MAX << (LEVEL4_SHIFT + 9) : 0;

		add_region(d, upper | (uint64_t)plan->recursive << LEVEL4_SHIFT, UINT64_C(1) << LEVEL4_SHIFT,
			   "page tables, recursively", "rw-");
	}
	if (plan_has_stack(plan))
		add_region(d, plan->stack_top - plan->stack_size - PAGE_SIZE, PAGE_SIZE,
			   "guard page of the stack", "---");
}

static void lay_out_region(struct drawing *d, const struct region *region)
{
	struct text place;

	if (region->length == 0)
		snprintf(place.text, sizeof(place.text), "0x%016" PRIx64, region->start);
	else
		snprintf(place.text, sizeof(place.text), "0x%016" PRIx64 ", %s", region->start,
			 size_text(region->length).text);
	if (region->map == NULL) {
		add_box(d, VIRTUAL, region->class, place.text, "%s  %s", region->rights, region->what);
		return;
	}
	const struct plan_map *map = region->map;
	int y = add_box(d, VIRTUAL, region->class, place.text, "%s  %s: block %" PRIu32 " + 0x%" PRIx64,
			report_flags(map->flags).text, report_kind(d->image->plan.blocks[map->block].kind),
			map->block, map->offset);
	add_link(d, PHYSICAL, "mapping", place_y(d, map->block, map->offset), y);
}

static void lay_out_maps(struct drawing *d)
{
	const struct plan *plan = &d->image->plan;
	uint64_t done = 0;

	if (plan->map_count == 0) {
		add_box(d, VIRTUAL, "hole", "", "paging is off: addresses are physical");
		return;
	}
	for (size_t i = 0; i < plan->map_count; i++) {
		const struct plan_map *map = &plan->maps[i];

		*plan_append(d->regions, d->region_count) =
			(struct region){ .start = map->virt, .length = map->length,
					 .class = rights_class(map->flags), .map = map };
	}
	find_areas(d);
	qsort(d->regions, d->region_count, sizeof(d->regions[0]), compare_regions);
	for (size_t i = 0; i < d->region_count; i++) {
		const struct region *region = &d->regions[i];

		/* Neighbours touch. */
		if (i > 0 && region->start != done)
			d->end[VIRTUAL] += SPACE;
		lay_out_region(d, region);
		done = region->start + region->length;
	}
}

/* ---- Drawing ----------------------------------------------------------------------- */

/* Plain colours first, for what knows no other; they are light. */
static const char style[] =
	"text{font:12px ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#1f2328}\n"
	".title{font-weight:bold;font-size:15px}.heading{font-weight:bold;font-size:13px}\n"
	".note,.hole-text{fill:#59636e}\n"
	".paper{fill:#ffffff}rect{stroke:#59636e;stroke-width:1}.paper{stroke:none}\n"
	".loader{fill:#e8dcf7}.loaded{fill:#cfe4ff}.cleared,.hole{fill:#ffffff;stroke-dasharray:4 3}\n"
	".block{fill:#eaeef2}.area{fill:#eaeef2}.wrong{fill:#ffb8b0}\n"
	".code{fill:#cfe4ff}.constant{fill:#f6eec4}.data{fill:#cdeed3}.writable-code{fill:#ffb8b0}\n"
	"path{fill:none;stroke-width:1.5}.loading{stroke:#0969da}.mapping{stroke:#59636e}\n"
	"@media (prefers-color-scheme:dark){\n"
	"text{fill:#f0f6fc}.note,.hole-text{fill:#9198a1}\n"
	".paper{fill:#0d1117}rect{stroke:#9198a1}\n"
	".loader{fill:#3c2a5e}.loaded{fill:#123e70}.cleared,.hole{fill:#0d1117}\n"
	".block{fill:#262c36}.area{fill:#262c36}.wrong{fill:#7d1f1a}\n"
	".code{fill:#123e70}.constant{fill:#4d4210}.data{fill:#144b27}.writable-code{fill:#7d1f1a}\n"
	".loading{stroke:#4493f8}.mapping{stroke:#9198a1}}\n";

static int column_x(enum column column)
{
	return MARGIN + (int)column * (COLUMN_WIDTH + COLUMN_GAP);
}

static void draw_text(FILE *out, const char *class, int x, int y, const char *text)
{
	fprintf(out, "<text class=\"%s\" x=\"%d\" y=\"%d\" xml:space=\"preserve\">", class, x, y);
	print_xml(out, text);
	fputs("</text>\n", out);
}

static void draw_box(FILE *out, const struct box *box)
{
	int x = column_x(box->column), y = box->y + LINE;

	fprintf(out, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>\n", box->class, x,
		box->y, COLUMN_WIDTH, box->height);
	for (size_t i = 0; i < 2 && box->lines[i][0] != '\0'; i++, y += LINE)
		draw_text(out, strcmp(box->class, "hole") == 0 ? "hole-text" : "label", x + PADDING, y,
			  box->lines[i]);
}

static void draw_link(FILE *out, const struct link *link)
{
	int from = column_x(link->from) + COLUMN_WIDTH, to = from + COLUMN_GAP, middle = (from + to) / 2;

	fprintf(out, "<path class=\"%s\" d=\"M%d %dC%d %d %d %d %d %d\"/>\n", link->class, from, link->from_y,
		middle, link->from_y, middle, link->to_y, to, link->to_y);
}

/* What is said above the columns. */
static void draw_title(FILE *out, const char *name, const struct image *image)
{
	char line[CMDLINE_MOST + 40];

	draw_text(out, "title", MARGIN, 32, name);
	if (!image->has_plan) {
		draw_text(out, "note", MARGIN, 54, "It will not boot:");
		draw_text(out, "note", MARGIN, 72, image->problem.text);
		return;
	}
	const struct plan *plan = &image->plan;
	snprintf(line, sizeof(line), "%s, entry point 0x%" PRIx64 ", needs %" PRIu64 " KiB of memory",
		 report_protocol(plan), plan->entry, plan_memory(plan) / 1024);
	draw_text(out, "note", MARGIN, 54, line);
	bool longer = strlen(plan->cmdline) > CMDLINE_MOST;
	snprintf(line, sizeof(line), "command line: %.*s%s", CMDLINE_MOST, plan->cmdline, longer ? "..." : "");
	if (plan->cmdline[0] != '\0')
		draw_text(out, "note", MARGIN, 72, line);
}

static void draw(FILE *out, const struct drawing *d, const char *name)
{
	static const char *const headings[] = { "Disk", "Physical memory", "Virtual memory" };
	int height = 0;

	for (size_t i = 0; i < 3; i++)
		height = d->end[i] > height ? d->end[i] : height;
	height += MARGIN;
	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" "
		"role=\"img\">\n<title>",
		WIDTH, height, WIDTH, height);
	print_xml(out, name);
	fprintf(out, "</title>\n<style>\n%s</style>\n<rect class=\"paper\" width=\"%d\" height=\"%d\"/>\n",
		style, WIDTH, height);
	draw_title(out, name, d->image);
	for (size_t i = 0; i < (d->image->has_plan ? 3 : 1); i++)
		draw_text(out, "heading", column_x((enum column)i), COLUMN_TOP - PADDING - 2, headings[i]);
	for (size_t i = 0; i < d->link_count; i++)
		draw_link(out, &d->links[i]);
	for (size_t i = 0; i < d->box_count; i++)
		draw_box(out, &d->boxes[i]);
	fputs("</svg>\n", out);
}

void drawing_write(FILE *out, const char *name, const struct image *image, uint64_t size)
{
	struct drawing d = { .image = image, .size = size, .end = { COLUMN_TOP, COLUMN_TOP, COLUMN_TOP } };
	size_t count = 0;

	while (count < image->plan.extent_count)
		*plan_append(d.extent_y, count) = 0;
	lay_out_disk(&d);
	if (image->has_plan) {
		lay_out_blocks(&d);
		lay_out_maps(&d);
	}
	draw(out, &d, name);
	free(d.boxes);
	free(d.links);
	free(d.parts);
	free(d.regions);
	free(d.extent_y);
	free(d.block_y);
}
