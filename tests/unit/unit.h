/* SPDX-License-Identifier: MIT
 *
 * What the unit tests share: cmocka with the headers it needs, and assertions
 * that say more than it does.
 */
#ifndef MKBOOTIMG_UNIT_H
#define MKBOOTIMG_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A test, as cmocka calls it. */
#define TEST(name) static void name(void **state __attribute__((unused)))

/* For loops, where the line alone does not tell which round failed. */
#define CHECK(condition, ...) \
	do { \
		if (!(condition)) { \
			print_error(__VA_ARGS__); \
			print_error("\n"); \
			assert_true(condition); \
		} \
	} while (0)

/* A call failed with this class of error and a sentence that holds says; what
 * is for the message. */
static inline void assert_refused(int result, const struct error *err, enum error_class class,
				  const char *says, const char *what)
{
	CHECK(result == -1, "%s: accepted", what);
	CHECK(err->class == class, "%s: class %d, not %d: %s", what, (int)err->class, (int)class,
	      err->text);
	CHECK(strstr(err->text, says) != NULL, "%s: '%s' lacks '%s'", what, err->text, says);
}

/* A call succeeded. */
static inline void assert_accepted(int result, const struct error *err, const char *what)
{
	CHECK(result == 0, "%s: %s", what, err->text);
}

/* Pseudo-random numbers that are the same everywhere (splitmix64), so that a
 * failure comes again. */
static inline uint64_t random_next(uint64_t *seed)
{
	uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* From 0 to below. */
static inline uint64_t random_below(uint64_t *seed, uint64_t below)
{
	return random_next(seed) % below;
}

#endif
