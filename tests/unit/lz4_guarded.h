/* SPDX-License-Identifier: MIT
 *
 * The loader's LZ4 decoder (bootloader/lz4.inc), run as a program of the host's, where
 * whatever it must not touch cannot be touched; and one that is too simple to
 * be wrong, to compare it with.
 */
#ifndef MKBOOTIMG_LZ4_GUARDED_H
#define MKBOOTIMG_LZ4_GUARDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The most that is decoded here at once. */
#define LZ4_MOST_BYTES ((size_t)4 * 1024 * 1024)

/* Bytes of its code. */
extern const uint32_t lz4_code_bytes;

/* Decode a block with it, which must become that many bytes; false if it says that
 * the block is damaged.  Fails unless it stays in the block and in the output, gives
 * the same every time, and, where that succeeds, has written every byte. */
bool lz4_guarded(const uint8_t *block, size_t size, uint8_t *output, size_t bytes);

/* The same, byte by byte, as the format's description has it. */
bool lz4_reference(const uint8_t *block, size_t size, uint8_t *output, size_t bytes);

/* Unpack the chunks that are stored of an extent (include/bootabi.h) with it.  Fails
 * unless they are as they should be and make exactly that many bytes. */
void lz4_unpack_chunks(const uint8_t *stored, uint64_t stored_size, uint8_t *output, uint64_t bytes);

#endif
