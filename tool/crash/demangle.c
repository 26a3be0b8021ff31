/* SPDX-License-Identifier: MIT
 *
 * Readable names; see demangle.h.  Of the grammar (Itanium C++ ABI 5.1) this is
 * taken:
 *
 *	_Z [St] COMPONENT ...
 *	_Z N [qualifiers] COMPONENT... E ...
 *
 * with COMPONENT a length and as many bytes, a constructor or a destructor.
 * Rust's older mangling is that, with a hash as last component and escapes.
 */
#include "crash/demangle.h"

#include <stdio.h>
#include <string.h>

/* A name nested deeper is left as it is. */
#define MOST_COMPONENTS 32

#define RUST_HASH_LENGTH 17	/* "h" and 16 digits */

struct component {
	const char *start;
	size_t length;
	bool destructor;	/* of this name */
};

struct parts {
	struct component list[MOST_COMPONENTS];
	size_t count;
	const char *rest;	/* what follows the name */
};

/* Text that ends where its room does. */
struct output {
	char *text;
	size_t size;
	size_t used;
};

static void put(struct output *out, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length && out->used + 1 < out->size; i++)
		out->text[out->used++] = bytes[i];
}

static void put_text(struct output *out, const char *text)
{
	put(out, text, strlen(text));
}

/* ---- Taking apart -------------------------------------------------------- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Take a length and that many bytes. */
static bool take_source_name(const char **name, struct component *component)
{
	const char *p = *name;
	size_t length = 0;

	if (!is_digit(*p))
		return false;
	while (is_digit(*p)) {
		length = length * 10 + (size_t)(*p++ - '0');
		if (length > 100000)
			return false;
	}
	if (length == 0 || strnlen(p, length) < length)
		return false;
	*component = (struct component){ .start = p, .length = length };
	*name = p + length;
	return true;
}

static bool take_component(const char **name, struct parts *parts)
{
	const char *p = *name;

	if (parts->count == MOST_COMPONENTS)
		return false;
	struct component *next = &parts->list[parts->count];
	if (p[0] == 'S' && p[1] == 't' && parts->count == 0) {
		*next = (struct component){ .start = "std", .length = 3 };
		*name = p + 2;
	} else if ((p[0] == 'C' || p[0] == 'D') && is_digit(p[1]) && parts->count > 0) {
		*next = next[-1];
		next->destructor = p[0] == 'D';
		*name = p + 2;
	} else {
		*name = p + (*p == 'L');	/* internal linkage */
		if (!take_source_name(name, next))
			return false;
	}
	parts->count++;
	return true;
}

static bool take_apart(const char *name, struct parts *parts)
{
	parts->count = 0;
	if (strncmp(name, "_Z", 2) != 0)
		return false;
	name += 2;
	bool nested = *name == 'N';
	if (nested)
		name += 1 + strspn(name + 1, "rVKRO");
	bool more = true;
	while (more) {
		bool in_std = strncmp(name, "St", 2) == 0;

		if (!take_component(&name, parts))
			return false;
		more = nested ? *name != 'E' : in_std && parts->count == 1;
	}
	parts->rest = name + nested;
	/* Arguments of a template: half a name would mislead. */
	return *parts->rest != 'I';
}

/* ---- Putting together ---------------------------------------------------- */

static bool is_rust_hash(const struct component *component)
{
	return component->length == RUST_HASH_LENGTH && component->start[0] == 'h' &&
	       strspn(component->start + 1, "0123456789abcdef") >= RUST_HASH_LENGTH - 1;
}

/* Write what an escape ("$LT$", or "$u7b$" for a character) stands for.  Returns
 * its length, 0 if it is not one. */
static size_t put_escape(struct output *out, const char *p, size_t length)
{
	static const struct {
		const char *escape, *text;
	} escapes[] = {
		{ "$SP$", "@" }, { "$BP$", "*" }, { "$RF$", "&" }, { "$LT$", "<" },
		{ "$GT$", ">" }, { "$LP$", "(" }, { "$RP$", ")" }, { "$C$", "," },
	};
	unsigned int code;
	int end = 0;

	for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++) {
		size_t escape_length = strlen(escapes[i].escape);
		if (length >= escape_length && memcmp(p, escapes[i].escape, escape_length) == 0) {
			put_text(out, escapes[i].text);
			return escape_length;
		}
	}
	if (sscanf(p, "$u%2x$%n", &code, &end) != 1 || end == 0 || (size_t)end > length ||
	    code < ' ' || code > '~')
		return 0;
	put(out, &(char){ (char)code }, 1);
	return (size_t)end;
}

static void put_rust(struct output *out, const struct component *component)
{
	const char *p = component->start, *end = p + component->length;

	/* An underscore goes before an escape that would begin the name. */
	if (end - p >= 2 && p[0] == '_' && p[1] == '$')
		p++;
	while (p < end) {
		size_t taken = *p == '$' ? put_escape(out, p, (size_t)(end - p)) : 0;

		if (taken == 0 && end - p >= 2 && p[0] == '.' && p[1] == '.') {
			put_text(out, "::");
			taken = 2;
		} else if (taken == 0) {
			put(out, p, 1);
			taken = 1;
		}
		p += taken;
	}
}

static void put_cplusplus(struct output *out, const struct component *component)
{
	static const char anonymous[] = "_GLOBAL__N_";

	if (component->destructor)
		put_text(out, "~");
	if (component->length >= strlen(anonymous) &&
	    memcmp(component->start, anonymous, strlen(anonymous)) == 0)
		put_text(out, "(anonymous namespace)");
	else
		put(out, component->start, component->length);
}

bool demangle_is_mangled(const char *name)
{
	return strncmp(name, "_Z", 2) == 0 || strncmp(name, "_R", 2) == 0;
}

bool demangle(const char *name, char *text, size_t size)
{
	struct parts parts;
	struct output out = { .text = text, .size = size };

	if (size == 0 || !take_apart(name, &parts))
		return false;
	bool rust = parts.count > 1 && is_rust_hash(&parts.list[parts.count - 1]);
	if (rust)
		parts.count--;
	for (size_t i = 0; i < parts.count; i++) {
		if (i > 0)
			put_text(&out, "::");
		(rust ? put_rust : put_cplusplus)(&out, &parts.list[i]);
	}
	/* Parts of a function that compilers split off: ".cold", ".part.0". */
	const char *suffix = strchr(parts.rest, '.');
	if (suffix != NULL && !rust)
		put_text(&out, suffix);
	text[out.used] = '\0';
	return true;
}
