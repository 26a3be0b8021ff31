/* SPDX-License-Identifier: MIT
 *
 * The bytes of the test kernel "packed", on the host and in the guest: words out of
 * some hundred, which shrink about as code does, and now and then a run of one byte,
 * or of bytes that do not shrink.
 */
#ifndef PACKED_BYTES_H
#define PACKED_BYTES_H

#include <stdint.h>

#define PACKED_BYTES 1500001

struct packed_bytes {
	uint32_t state;
	uint32_t word;		/* 0: one byte again and again; 1: any bytes */
	uint32_t at, left;	/* in it */
};

static inline uint32_t packed_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* The next byte; it all begins with state 1 and zeros. */
static inline uint8_t packed_next(struct packed_bytes *p)
{
	if (p->left == 0) {
		uint32_t r = packed_random(&p->state);

		p->word = 2 + (r & 511);
		p->at = 0;
		p->left = 3 + (r >> 9) % 10;
		if ((r >> 16 & 127) == 0) {
			p->word = r >> 23 & 1;
			p->left = 1 + (r >> 24) * (p->word == 0 ? 20 : 1);
		}
	}
	p->left--;
	p->at++;
	if (p->word == 1)
		return (uint8_t)(packed_random(&p->state) >> 8);
	return p->word == 0 ? 0x90 : (uint8_t)((p->word * 16 + p->at) * 0x9e3779b1u >> 17);
}

#endif
