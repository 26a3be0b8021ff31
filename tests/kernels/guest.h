/* SPDX-License-Identifier: MIT
 *
 * What the test kernels share: a kernel here checks one thing from inside, says
 * on COM1 what it found wrong, and ends the machine with its verdict.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#ifdef __x86_64__
#include <mkbootimg.h>
#endif

#define GUEST_PASS 0x10		/* QEMU exits 33 */
#define GUEST_FAIL 0x20		/* QEMU exits 65 */

#define PAGE 4096ul
#define MIB (1024ul * 1024)
#define GIB (1024ul * MIB)

static inline void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void out16(uint16_t port, uint16_t value)
{
	__asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline uint8_t in8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

/* Until COM1 is ready for a byte (0x20) or has sent all (0x40): QEMU's always is,
 * others lose what comes too early.  Where there is no COM1 it is never, or at
 * once. */
static inline void wait_com1(uint8_t status)
{
	for (uint32_t i = 0; i < 1u << 20 && !(in8(0x3fd) & status); i++)
		;
}

/* QEMU's firmware leaves COM1 at 8 bits, 1 stop bit, no parity; others at 5. */
static __attribute__((noinline, unused)) void put(char c)
{
	if (in8(0x3fb) != 3) {
		out8(0x3fb, 0x80);	/* 115200 baud */
		out8(0x3f8, 1);
		out8(0x3f9, 0);
		out8(0x3fb, 3);
	}
	wait_com1(0x20);
	out8(0x3f8, (uint8_t)c);
}

static inline void print(const char *text)
{
	while (*text != '\0')
		put(*text++);
}

static inline void print_hex(uint64_t value)
{
	print("0x");
	for (int shift = 60; shift >= 0; shift -= 4)
		put("0123456789abcdef"[value >> shift & 15]);
}

static inline void print_decimal(uint32_t value)
{
	if (value >= 10)
		print_decimal(value / 10);
	put((char)('0' + value % 10));
}

/* Say the verdict on COM1, then end the machine: QEMU by port 0xf4, Bochs, which
 * cannot tell a verdict, by a word to port 0x8900. */
static inline __attribute__((noreturn)) void finish(uint8_t code)
{
	print("verdict: 0x");
	put("0123456789abcdef"[code >> 4]);
	put("0123456789abcdef"[code & 15]);
	put('\n');
	wait_com1(0x40);
	for (;;) {
		out8(0xf4, code);
		for (const char *c = "Shutdown"; *c != '\0'; c++)
			out8(0x8900, (uint8_t)*c);
	}
}

static inline __attribute__((noreturn)) void failed(const char *what, uint64_t value)
{
	print("FAILED: ");
	print(what);
	print(" (");
	print_hex(value);
	print(")\n");
	finish(GUEST_FAIL);
}

/* Check a condition; the value is printed if it does not hold. */
#define CHECK(condition, value)                                   \
	do {                                                      \
		if (!(condition))                                 \
			failed(#condition, (uint64_t)(value));    \
	} while (0)

static inline bool same_text(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

#ifdef __x86_64__

/* A page table entry for an address, found by walking the tables; 0 if it is
 * not mapped.  *size becomes the page's size. */
static inline uint64_t walk(const struct mkbootimg_info *info, uint64_t address, uint64_t *size)
{
	uint64_t table;

	__asm__ volatile("mov %%cr3, %0" : "=r"(table));
	for (int shift = 39;; shift -= 9) {
		const uint64_t *entries =
			(const uint64_t *)(info->physical_memory_offset + (table & 0x000ffffffffff000));
		uint64_t entry = entries[address >> shift & 511];

		*size = 1ul << shift;
		if (!(entry & 1))
			return 0;
		if (shift == 12 || (entry & 0x80))
			return entry;
		table = entry;
	}
}

#define ENTRY_WRITE (1ul << 1)
#define ENTRY_NX (1ul << 63)

/* Where an address is mapped to. */
static inline uint64_t translate(const struct mkbootimg_info *info, uint64_t address)
{
	uint64_t size, entry = walk(info, address, &size);

	return (entry & 0x000ffffffffff000 & ~(size - 1)) | (address & (size - 1));
}

#endif

#endif
