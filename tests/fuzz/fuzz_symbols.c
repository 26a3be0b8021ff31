/* SPDX-License-Identifier: MIT
 *
 * Kernel files, for their symbols, lines and stack frames: looked up, and unwound
 * with a memory that holds what leads on.  What is no ELF file is a symbol's name.
 */
#include "crash/symbols.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/fileio.h"
#include "crash/demangle.h"
#include "fuzz.h"
#include "kernel/kernel.h"
#include "unit.h"

#define ENTRY_OFFSET 0x18	/* of e_entry, in an ELF header of either class */
#define STACK 0x7000
#define FRAMES_MOST 5
#define UNWOUND_MOST 24

/* ---- A machine that crashed ---------------------------------------------- */

/* What memory holds depends on the address alone, so that reading it again, or in
 * other pieces, gives the same. */
struct machine {
	uint64_t entry;
	uint64_t slide;
};

/* Addresses of code and of the stack, and some that are neither. */
static uint64_t make_word(const struct machine *machine, uint64_t seed)
{
	uint64_t random = random_next(&seed);

	switch (random % 8) {
	case 0:
		return random;
	case 1:
		return UINT64_MAX - (random >> 8) % 64;
	case 2:
	case 3:
	case 4:
		return STACK + (random >> 8) % 64 * 8;
	default:
		return machine->entry + machine->slide + (random >> 8) % 0x400 - 0x100;
	}
}

static bool read_memory(void *context, uint64_t address, void *bytes, size_t size)
{
	unsigned char *next = bytes, word[8];

	for (size_t i = 0; i < size; i++) {
		uint64_t at = address + i;

		put_le64(word, make_word(context, at / sizeof(word)));
		next[i] = word[at % sizeof(word)];
	}
	/* A page that is not there. */
	return address / 4096 % 16 != 15;
}

/* ---- Looking up ---------------------------------------------------------- */

static void check_text(const char *text, size_t size)
{
	CHECK(memchr(text, '\0', size) != NULL, "a text has no end");
}

static void find(const struct symbols *symbols, uint64_t address, bool return_address)
{
	/* Of exactly its size, so that a sanitizer sees what is written behind it. */
	size_t most = 1 + address % FRAMES_MOST, name_size = 1 + address % 60;
	CLEANUP_FREE struct symbol_frame *frames = calloc(most, sizeof(*frames));
	CLEANUP_FREE char *name = malloc(name_size);
	uint64_t offset;

	if (frames == NULL || name == NULL)
		abort();
	size_t count = symbols_find(symbols, address, return_address, frames, most);
	CHECK(count <= most, "more frames than there is room for");
	for (size_t i = 0; i < count; i++) {
		check_text(frames[i].function, sizeof(frames[i].function));
		check_text(frames[i].file, sizeof(frames[i].file));
		CHECK(frames[i].inlined || i == count - 1, "what is not inlined is the last frame");
	}
	if (symbols_data(symbols, address, name, name_size, &offset))
		check_text(name, name_size);
}

static void unwind(const struct symbols *symbols, struct machine *machine, uint64_t seed)
{
	struct symbols_registers registers = { .is_64 = seed % 4 != 0 };
	uint64_t addresses[UNWOUND_MOST];
	size_t most = seed % (COUNT(addresses) + 1);

	for (size_t i = 0; i < COUNT(registers.value); i++)
		registers.value[i] = make_word(machine, seed * COUNT(registers.value) + i);
	/* Often enough that it gets somewhere, the frame and the stack are good. */
	registers.value[registers.is_64 ? 16 : 8] = machine->entry + machine->slide + seed * 7 % 0x100;
	registers.value[registers.is_64 ? 7 : 4] = STACK;
	registers.value[registers.is_64 ? 6 : 5] = STACK + seed % 8 * 8;
	CHECK(symbols_unwind(symbols, &registers, read_memory, machine, addresses, most) <= most,
	      "more return addresses than there is room for");
}

static void use(const unsigned char *bytes, size_t size, uint64_t slide, bool physical)
{
	struct machine machine = { get_le64(bytes + ENTRY_OFFSET), slide };

	if (bytes[4] == 1)	/* EI_CLASS: 32 bits */
		machine.entry = (uint32_t)machine.entry;
	/* It may keep nothing of what it is given. */
	unsigned char *copy = malloc(size);
	if (copy == NULL)
		abort();
	memcpy(copy, bytes, size);
	struct symbols *symbols = symbols_open(copy, size, slide);
	free(copy);
	if (symbols == NULL)
		abort();
	if (physical)
		symbols_allow_physical(symbols);
	symbols_any(symbols);
	for (uint64_t i = 0; i < 24; i++) {
		/* The entry point itself is among them. */
		find(symbols, machine.entry + slide + i * 0x15 - 2 * 0x15, i % 2);
		unwind(symbols, &machine, i);
	}
	for (uint64_t i = 0; i < 8; i++)
		find(symbols, make_word(&machine, i), i % 2);
	symbols_close(symbols);
}

/* ---- Names --------------------------------------------------------------- */

static void read_name(const char *name)
{
	static const size_t sizes[] = { 0, 1, 2, 20, 300 };

	demangle_is_mangled(name);
	for (size_t i = 0; i < COUNT(sizes); i++) {
		CLEANUP_FREE char *text = malloc(sizes[i] + 1);

		if (text == NULL)
			abort();
		text[0] = 'x';
		if (demangle(name, text, sizes[i]))
			check_text(text, sizes[i]);
		else
			CHECK(text[0] == 'x', "something is written of what is not mangled");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (kernel_is_elf(data, size) && size >= ENTRY_OFFSET + 8) {
		use(data, size, 0, false);
		use(data, size, 0x10000, true);
	} else {
		char *name = strndup((const char *)data, size);

		if (name == NULL)
			abort();
		read_name(name);
		free(name);
	}
	return 0;
}
