/* SPDX-License-Identifier: MIT
 *
 * What a kernel without a command line is told by QEMU's firmware configuration
 * device: words from the test (-fw_cfg name=opt/test,string=...), and what memory
 * the machine has, which the loader has no part in.  Elsewhere there are no words,
 * and the real-time clock's memory tells of the other.
 */
#ifndef WORDS_H
#define WORDS_H

#include "boot.h"

/* The next bytes of the file, as the machine's and as the directory's numbers. */
static inline uint64_t fw_cfg_number(int bytes)
{
	uint64_t value = 0;

	for (int i = 0; i < bytes; i++)
		value |= (uint64_t)in8(0x511) << 8 * i;
	return value;
}
static inline uint64_t fw_cfg_big_endian(int bytes)
{
	uint64_t value = 0;

	for (int i = 0; i < bytes; i++)
		value = value << 8 | in8(0x511);
	return value;
}

static inline bool fw_cfg_is_there(void)
{
	out16(0x510, 0);
	return fw_cfg_big_endian(4) == 0x51454d55;	/* "QEMU" */
}

/* Begin to read a file; its size, 0 if there is none. */
static inline uint64_t fw_cfg_open(const char *wanted)
{
	uint64_t count, found_size = 0, found_key = 0;
	char name[57] = { 0 };

	out16(0x510, 0x19);	/* the directory */
	count = fw_cfg_big_endian(4);
	for (uint64_t i = 0; i < count; i++) {
		uint64_t size = fw_cfg_big_endian(4), key = fw_cfg_big_endian(2);

		fw_cfg_number(2);
		for (int c = 0; c < 56; c++)
			name[c] = (char)in8(0x511);
		if (same_text(name, wanted)) {
			found_size = size;
			found_key = key;
		}
	}
	out16(0x510, (uint16_t)found_key);
	return found_size;
}

static char words[1024];

static inline size_t length_of(const char *text)
{
	size_t length = 0;

	while (text[length] != '\0')
		length++;
	return length;
}

/* Read them; one that begins with none of these would be passed over. */
static inline void read_words(const char *const *known)
{
	uint64_t size = fw_cfg_is_there() ? fw_cfg_open("opt/test") : 0;

	CHECK(size < sizeof(words), size);
	for (uint64_t i = 0; i < size; i++)
		words[i] = (char)in8(0x511);
	for (const char *word = words; *word != '\0'; word++) {
		const char *const *beginning = known;

		CHECK(*word >= ' ', *word);
		if (*word == ' ' || (word != words && word[-1] != ' '))
			continue;
		while (*beginning != NULL && find_word(word, *beginning) != word + length_of(*beginning))
			beginning++;
		if (*beginning == NULL)
			failed(word, 0);
	}
}

/* The number behind a word's beginning, or one that holds without the word. */
static inline uint64_t number_word(const char *beginning, uint64_t otherwise)
{
	const char *rest = find_word(words, beginning);

	return rest == NULL ? otherwise : read_number(rest, &rest);
}

#define MAX_RAM 16
static struct region ram[MAX_RAM];
static size_t ram_count;

static inline uint64_t cmos(uint8_t index)
{
	out8(0x70, index);
	return in8(0x71);
}

static inline void read_ram(void)
{
	if (!fw_cfg_is_there()) {
		/* In units of 64 KiB, from 16 MiB and from 4 GiB. */
		ram[ram_count++] = (struct region){ 0, 16 * MIB + ((cmos(0x35) << 8 | cmos(0x34)) << 16), KIND_RAM };
		ram[ram_count++] = (struct region){ 4 * GIB,
			(cmos(0x5d) << 16 | cmos(0x5c) << 8 | cmos(0x5b)) << 16, KIND_RAM };
		return;
	}

	uint64_t count = fw_cfg_open("etc/e820") / 20;

	for (uint64_t i = 0; i < count; i++) {
		uint64_t start = fw_cfg_number(8), size = fw_cfg_number(8);

		if (fw_cfg_number(4) != KIND_RAM)
			continue;
		CHECK(ram_count < MAX_RAM, ram_count);
		ram[ram_count++] = (struct region){ start, size, KIND_RAM };
	}
	CHECK(ram_count > 0, count);
}

#endif
