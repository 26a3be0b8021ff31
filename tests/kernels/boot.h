/* SPDX-License-Identifier: MIT
 *
 * What a kernel is told, whichever protocol told it, so that one source serves
 * as a kernel of every protocol: boot32.c and boot64.c read it from the
 * protocol's own format, check its shape on the way, and call kernel().
 */
#ifndef BOOT_H
#define BOOT_H

#include "guest.h"

/* Memory kinds are E820's numbers. */
#define KIND_RAM 1
#define KIND_RESERVED 2
#define KIND_ACPI_RECLAIMABLE 3
#define KIND_ACPI_NVS 4
#define KIND_BAD 5

#define MAX_REGIONS 1400
#define MAX_MODULES 80

struct region {
	uint64_t start;
	uint64_t size;
	uint32_t kind;
};

struct module {
	const uint8_t *bytes;
	uint32_t size;
	const char *name;	/* "" if there is none */
};

/* Only pixels count: depth 0 if there is no linear framebuffer. */
struct framebuffer {
	uint64_t address;
	uint32_t width, height, pitch;
	uint8_t depth;
	uint8_t red_position, red_size, green_position, green_size, blue_position, blue_size;
};

struct boot {
	const char *protocol;		/* "multiboot1", as the option is spelt */
	const char *command_line;	/* "" if there is none */
	struct region regions[MAX_REGIONS];
	size_t region_count;
	struct module modules[MAX_MODULES];
	size_t module_count;
	struct framebuffer framebuffer;
};

void kernel(const struct boot *boot);

/* A word of a text that begins so: what follows that beginning, or NULL. */
static inline const char *find_word(const char *text, const char *beginning)
{
	for (const char *c = text; *c != '\0'; c++) {
		size_t length = 0;

		if (c != text && c[-1] != ' ')
			continue;
		while (beginning[length] != '\0' && c[length] == beginning[length])
			length++;
		if (beginning[length] == '\0')
			return c + length;
	}
	return NULL;
}

/* The number at the start of a text, 0x before a hexadecimal one; *rest becomes
 * what follows. */
static inline uint64_t read_number(const char *text, const char **rest)
{
	uint64_t value = 0, base = 10;

	if (text[0] == '0' && text[1] == 'x') {
		base = 16;
		text += 2;
	}
	for (;; text++) {
		uint64_t digit;

		if (*text >= '0' && *text <= '9')
			digit = (uint64_t)(*text - '0');
		else if (base == 16 && *text >= 'a' && *text <= 'f')
			digit = (uint64_t)(*text - 'a' + 10);
		else
			break;
		value = value * base + digit;
	}
	*rest = text;
	return value;
}

/* The verdict: "code=N" on the command line asks for another than success. */
static inline __attribute__((noreturn)) void finish_as_told(const struct boot *boot)
{
	const char *code = find_word(boot->command_line, "code=");

	finish(code == NULL ? GUEST_PASS : (uint8_t)read_number(code, &code));
}

#endif
