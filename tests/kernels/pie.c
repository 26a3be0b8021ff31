/* SPDX-License-Identifier: MIT
 *
 * Test kernel "pie": a position-independent one, full of pointers that somebody
 * has to relocate.  "base=N" on its command line says where it lies.
 */
#include "guest.h"

void _start(const struct mkbootimg_info *info);

/* The linker's: the first byte of the image. */
extern const char __ehdr_start[] __attribute__((visibility("hidden")));

#define FOUR(m, n) m(n) m(n + 1) m(n + 2) m(n + 3)
#define SIXTEEN(m, n) FOUR(m, n) FOUR(m, n + 4) FOUR(m, n + 8) FOUR(m, n + 12)
#define SIXTY_FOUR(m, n) SIXTEEN(m, n) SIXTEEN(m, n + 16) SIXTEEN(m, n + 32) SIXTEEN(m, n + 48)
#define ALL(m) SIXTY_FOUR(m, 0) SIXTY_FOUR(m, 64) SIXTY_FOUR(m, 128) SIXTY_FOUR(m, 192)
#define COUNT 256

static uint64_t numbers[COUNT];

/* One after the other, */
#define DENSE(n) &numbers[n],
static uint64_t *dense[COUNT] = { ALL(DENSE) };

/* with gaps between them, */
struct entry {
	uint64_t index;
	uint64_t *number;
	uint64_t unused[3];
};
#define SPARSE(n) { n, &numbers[n], { 0 } },
static const struct entry sparse[COUNT] = { ALL(SPARSE) };

/* and at odd addresses. */
struct odd {
	char c;
	uint64_t *number;
} __attribute__((packed));
#define ODD(n) { 'o', &numbers[n] },
static struct odd odd[COUNT] = { ALL(ODD) };

static uint64_t add(uint64_t value)
{
	return value + 1;
}
static uint64_t twice(uint64_t value)
{
	return value * 2;
}
static uint64_t (*const functions[])(uint64_t) = { add, twice, add };
static const char *const texts[] = { "relocated", "at", NULL };
static const char *const *const pointer_to_pointers = texts;

/* As if the compiler did not know what is in it. */
#define UNKNOWN(pointer)                         \
	({                                       \
		__auto_type p = pointer;         \
		__asm__ volatile("" : "+r"(p)); \
		p;                               \
	})

static void check_base(const char *line, uint64_t base)
{
	const char *c = line;
	uint64_t wanted = 0;

	if (!(c[0] == 'b' && c[1] == 'a' && c[2] == 's' && c[3] == 'e' && c[4] == '='))
		return;
	for (c += 7; *c != '\0'; c++)	/* 0x behind the = */
		wanted = wanted * 16 + (uint64_t)(*c <= '9' ? *c - '0' : *c - 'a' + 10);
	CHECK(base == wanted, base);
}

void _start(const struct mkbootimg_info *info)
{
	uint64_t base = (uint64_t)__ehdr_start;

	CHECK(info->magic == MKBOOTIMG_INFO_MAGIC, info->magic);
	print("the image lies at ");
	print_hex(base);
	print("\n");
	check_base(info->command_line, base);
	CHECK(info->kernel_virtual_start == base, info->kernel_virtual_start);
	for (uint64_t i = 0; i < COUNT; i++) {
		CHECK(UNKNOWN(&dense[0])[i] == &numbers[i], i);
		CHECK(UNKNOWN(&sparse[0])[i].number == &numbers[i], i);
		CHECK(UNKNOWN(&sparse[0])[i].index == i, i);
		CHECK(UNKNOWN(&odd[0])[i].number == &numbers[i], i);
		CHECK(odd[i].c == 'o', i);
	}
	CHECK(UNKNOWN(&functions[0])[0](1) == 2, functions[0]);
	CHECK(UNKNOWN(&functions[0])[1](21) == 42, functions[1]);
	CHECK(same_text(UNKNOWN(UNKNOWN(&pointer_to_pointers)[0])[0], "relocated"), texts[0]);
	CHECK(UNKNOWN(&texts[0])[2] == NULL, 0);
	print("every pointer is right\n");
	finish(GUEST_PASS);
}
