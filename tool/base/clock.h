/* SPDX-License-Identifier: MIT
 *
 * The time that passes, for deadlines.
 */
#ifndef MKBOOTIMG_CLOCK_H
#define MKBOOTIMG_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Nanoseconds and milliseconds since some moment. */
static inline int64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline int64_t clock_ms(void)
{
	return clock_ns() / 1000000;
}

#endif
