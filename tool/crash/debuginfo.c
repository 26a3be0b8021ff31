/* SPDX-License-Identifier: MIT
 *
 * Functions and lines at addresses, by debug information; see symbols.h.
 *
 * libdw checks what it reads, but it trusts that a file is not made to keep it
 * busy: it is only asked what takes one pass over something, and how long all of
 * that takes is limited.
 */
#include <dwarf.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "crash/symbols.h"
#include "crash/symbols_file.h"

/* All look-ups in a file may take this long, in nanoseconds: some thousands of
 * them, if it was not made to take long. */
#define MOST_TIME INT64_C(3000000000)
/* How deep entries are nested. */
#define MOST_DEPTH 100
/* Functions inlined into each other at an address. */
#define MOST_INLINED 64

/* ---- Attributes ---------------------------------------------------------- */

/* A text of debug information, copied: libdw does not look for its end. */
struct text {
	char bytes[1024];
};

/* If from is one of these bytes, it does not go on behind them. */
static void limit(size_t *most, const char *from, const unsigned char *bytes, size_t size)
{
	uintptr_t within = (uintptr_t)from - (uintptr_t)bytes;

	if (within < size && size - within < *most)
		*most = size - within;
}

static const char *take_text(const struct symbols *s, struct text *text, const char *from)
{
	size_t most = sizeof(text->bytes) - 1;

	if (from == NULL)
		return NULL;
	limit(&most, from, s->bytes, s->size);
	for (size_t i = 0; i < s->section_count; i++)
		limit(&most, from, s->sections[i].text, s->sections[i].text_size);
	symbols_copy(text->bytes, sizeof(text->bytes), from, strnlen(from, most));
	return text->bytes;
}

static const char *text_attribute(const struct symbols *s, Dwarf_Die *die, unsigned int name,
				  struct text *text)
{
	Dwarf_Attribute attribute;

	return take_text(s, text, dwarf_formstring(dwarf_attr_integrate(die, name, &attribute)));
}

static const char *linkage_name(const struct symbols *s, Dwarf_Die *die, struct text *text)
{
	const char *name = text_attribute(s, die, DW_AT_linkage_name, text);

	return name != NULL ? name : text_attribute(s, die, DW_AT_MIPS_linkage_name, text);
}

static unsigned int number_attribute(Dwarf_Die *die, unsigned int name)
{
	Dwarf_Attribute attribute;
	Dwarf_Word value = 0;

	if (dwarf_formudata(dwarf_attr(die, name, &attribute), &value) != 0 || value > INT32_MAX)
		return 0;
	return (unsigned int)value;
}

/* What debug information has at an address. */
struct place {
	uint64_t address;		/* as linked */
	Dwarf_Die unit;
	Dwarf_Die functions[MOST_INLINED];	/* the one that is not inlined first */
	size_t count;
	int64_t deadline;
	Dwarf_Off reached;		/* the entry visited last */
};

static bool is_late(const struct place *place)
{
	return clock_ns() >= place->deadline;
}

/* ---- What a function is nested in ---------------------------------------- */

static bool is_scope(int tag)
{
	return tag == DW_TAG_namespace || tag == DW_TAG_module || tag == DW_TAG_class_type ||
	       tag == DW_TAG_structure_type || tag == DW_TAG_union_type ||
	       tag == DW_TAG_enumeration_type;
}

/* Go to where a function, inlined or defined elsewhere, is declared. */
static void find_declaration(Dwarf_Die *die)
{
	static const unsigned int links[] = { DW_AT_abstract_origin, DW_AT_specification };

	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		Dwarf_Attribute attribute;
		Dwarf_Die other;

		if (dwarf_formref_die(dwarf_attr(die, links[i], &attribute), &other) != NULL)
			*die = other;
	}
}

/* Go to the child that an entry of this unit is in, or is. */
static bool find_child(struct place *place, Dwarf_Die *die, Dwarf_Off entry)
{
	Dwarf_Die next;

	if (dwarf_child(die, die) != 0 || dwarf_dieoffset(die) > entry)
		return false;
	while (dwarf_siblingof(die, &next) == 0 && dwarf_dieoffset(&next) <= entry) {
		if (is_late(place))
			return false;
		*die = next;
	}
	return true;
}

/* A function's name as its source has it, with what it is nested in, if all of
 * that fits into size. */
static const char *plain_name(const struct symbols *s, struct place *place, Dwarf_Die *function,
			      struct text *text, size_t size)
{
	Dwarf_Die declaration = *function, die;
	struct text name, scope;
	size_t used = 0;

	if (text_attribute(s, function, DW_AT_name, &name) == NULL)
		return NULL;
	find_declaration(&declaration);
	Dwarf_Off entry = dwarf_dieoffset(&declaration);
	text->bytes[0] = '\0';
	if (dwarf_diecu(&declaration, &die, NULL, NULL) != NULL) {
		for (unsigned int i = 0; i < MOST_DEPTH && find_child(place, &die, entry) &&
					 dwarf_dieoffset(&die) != entry; i++) {
			if (!is_scope(dwarf_tag(&die)) ||
			    text_attribute(s, &die, DW_AT_name, &scope) == NULL)
				continue;
			int added = snprintf(text->bytes + used, sizeof(text->bytes) - used, "%s::",
					     scope.bytes);
			used += (size_t)added;
			if (used + strlen(name.bytes) >= size)
				break;
		}
	}
	if (used + strlen(name.bytes) >= size)
		used = 0;
	symbols_copy(text->bytes + used, sizeof(text->bytes) - used, name.bytes, strlen(name.bytes));
	return text->bytes;
}

/* ---- Which entries an address is in -------------------------------------- */

static bool has_ranges(Dwarf_Die *die)
{
	return dwarf_hasattr(die, DW_AT_low_pc) || dwarf_hasattr(die, DW_AT_ranges);
}

static bool walk(struct place *place, Dwarf_Die *parent, unsigned int depth);

/* Go into an entry, if the address may be in it.  Returns whether that was it. */
static bool visit(struct place *place, Dwarf_Die *die, unsigned int depth)
{
	switch (dwarf_tag(die)) {
	case DW_TAG_subprogram:
		if (dwarf_haspc(die, place->address) <= 0)
			return false;
		place->count = 0;	/* a function's function is not inlined */
		break;
	case DW_TAG_inlined_subroutine:
		if (dwarf_haspc(die, place->address) <= 0)
			return false;
		break;
	case DW_TAG_lexical_block:
	case DW_TAG_try_block:
	case DW_TAG_catch_block:
		if (has_ranges(die) && dwarf_haspc(die, place->address) <= 0)
			return false;
		return walk(place, die, depth);
	default:
		return is_scope(dwarf_tag(die)) && walk(place, die, depth);
	}
	if (place->count < MOST_INLINED) {
		place->functions[place->count++] = *die;
		walk(place, die, depth);
	}
	return true;
}

static bool walk(struct place *place, Dwarf_Die *parent, unsigned int depth)
{
	Dwarf_Die die;

	if (depth > MOST_DEPTH)
		return true;	/* nobody writes that; the way back would be as long */
	if (dwarf_child(parent, &die) != 0)
		return false;
	do {
		/* Entries follow each other in the file; those of a damaged one may lead
		 * back into what was visited. */
		if (is_late(place) || dwarf_dieoffset(&die) <= place->reached)
			return true;
		place->reached = dwarf_dieoffset(&die);
		if (visit(place, &die, depth + 1))
			return true;
	} while (dwarf_siblingof(&die, &die) == 0);
	return false;
}

/* ---- Lines --------------------------------------------------------------- */

/* The line of the source that an address belongs to. */
static Dwarf_Line *find_line(Dwarf_Die *unit, uint64_t linked)
{
	Dwarf_Lines *lines;
	size_t count;
	Dwarf_Line *found = NULL;

	if (dwarf_getsrclines(unit, &lines, &count) != 0)
		return NULL;
	for (size_t i = 0; i + 1 < count; i++) {
		Dwarf_Line *line = dwarf_onesrcline(lines, i);
		Dwarf_Addr from, to;
		bool end;

		if (dwarf_lineaddr(line, &from) == 0 && from <= linked &&
		    dwarf_lineaddr(dwarf_onesrcline(lines, i + 1), &to) == 0 && linked < to &&
		    dwarf_lineendsequence(line, &end) == 0 && !end)
			found = line;
	}
	return found;
}

/* ---- All of it ----------------------------------------------------------- */

static bool is_in_unit(Dwarf_Die *unit, uint64_t linked, bool by_lines)
{
	if (!by_lines)
		return dwarf_haspc(unit, linked) > 0;
	/* NASM gives but one range, from its first section to its last, which is
	 * wrong if they are linked in another order. */
	return dwarf_srclang(unit) == DW_LANG_Mips_Assembler && find_line(unit, linked) != NULL;
}

static bool search_units(const struct symbols *s, struct place *place, bool by_lines)
{
	Dwarf_CU *cu = NULL;
	uint8_t type;

	/* What is in other files is not wanted: no sub-DIE is asked for. */
	while (dwarf_get_units(s->dwarf, cu, &cu, NULL, &type, &place->unit, NULL) == 0) {
		if (is_late(place))
			return false;
		if ((type == DW_UT_compile || type == DW_UT_partial) &&
		    is_in_unit(&place->unit, place->address, by_lines))
			return true;
	}
	return false;
}

/* Find the unit that the address is in: by the file's index, if it has one. */
static bool find_unit(const struct symbols *s, struct place *place)
{
	return dwarf_addrdie(s->dwarf, place->address, &place->unit) != NULL ||
	       search_units(s, place, false) || search_units(s, place, true);
}

/* Make a path relative to the compilation directory. */
static const char *relative(const char *path, const char *directory)
{
	size_t length = directory != NULL ? strlen(directory) : 0;

	while (length > 0 && directory[length - 1] == '/')
		length--;
	if (length > 0 && strncmp(path, directory, length) == 0 && path[length] == '/')
		path += length + strspn(path + length, "/");
	while (strncmp(path, "./", 2) == 0)
		path += 1 + strspn(path + 1, "/");
	return path;
}

/* Where the path is too long, its end says more. */
static void put_file(const struct symbols *s, struct place *place, struct symbol_frame *frame,
		     const char *path)
{
	struct text text, directory;

	if (take_text(s, &text, path) == NULL)
		return;
	path = relative(text.bytes, text_attribute(s, &place->unit, DW_AT_comp_dir, &directory));
	size_t length = strlen(path), most = sizeof(frame->file) - 1;
	if (length <= most)
		snprintf(frame->file, sizeof(frame->file), "%.*s", (int)most, path);
	else
		snprintf(frame->file, sizeof(frame->file), "...%.*s", (int)most - 3, path + length - most + 3);
}

/* The place in the source where the address's own instruction comes from. */
static void put_line(const struct symbols *s, struct place *place, struct symbol_frame *frame)
{
	Dwarf_Line *line = find_line(&place->unit, place->address);
	int number = 0;

	if (line == NULL)
		return;
	put_file(s, place, frame, dwarf_linesrc(line, NULL, NULL));
	if (dwarf_lineno(line, &number) == 0 && number > 0)
		frame->line = (unsigned int)number;
}

/* The place in the source where a function was inlined. */
static void put_call(const struct symbols *s, struct place *place, struct symbol_frame *frame,
		     Dwarf_Die *inlined)
{
	Dwarf_Files *files;
	size_t count;
	unsigned int file = number_attribute(inlined, DW_AT_call_file);

	if (dwarf_getsrcfiles(&place->unit, &files, &count) == 0 && file < count)
		put_file(s, place, frame, dwarf_filesrc(files, file, NULL, NULL));
	frame->line = number_attribute(inlined, DW_AT_call_line);
}

/* Fill in the frames of the functions at a place, the first of which is cleared. */
static size_t put_frames(const struct symbols *s, struct place *place, struct symbol_frame *frames,
			 size_t most)
{
	size_t count = 1;

	for (size_t i = place->count; i-- > 0;) {
		Dwarf_Die *function = &place->functions[i];
		struct symbol_frame *frame = &frames[count - 1];
		struct text linkage, plain;
		Dwarf_Addr start;

		symbols_put_name(frame->function, sizeof(frame->function),
				 linkage_name(s, function, &linkage),
				 plain_name(s, place, function, &plain, sizeof(frame->function)));
		if (i == 0) {
			if (dwarf_entrypc(function, &start) == 0 && start <= place->address)
				frame->offset = place->address - start;
			break;
		}
		frame->inlined = true;
		if (count == most)
			break;
		frames[count] = (struct symbol_frame){0};
		put_call(s, place, &frames[count++], function);
	}
	return count;
}

size_t symbols_find_debug(const struct symbols *s, uint64_t linked, struct symbol_frame *frames,
			  size_t most)
{
	int64_t started = clock_ns();
	struct place place = { .address = linked, .deadline = started + MOST_TIME - *s->time_taken };
	size_t count = 1;

	frames[0] = (struct symbol_frame){0};
	if (s->dwarf == NULL || is_late(&place))
		return count;
	if (find_unit(s, &place)) {
		place.reached = dwarf_dieoffset(&place.unit);
		walk(&place, &place.unit, 0);
		put_line(s, &place, &frames[0]);
		count = put_frames(s, &place, frames, most);
	}
	*s->time_taken += clock_ns() - started;
	return count;
}
