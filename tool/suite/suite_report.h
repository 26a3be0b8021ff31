/* SPDX-License-Identifier: MIT
 *
 * What came of a suite, for programs to read: TAP while it runs, JUnit's XML at
 * its end.
 */
#ifndef MKBOOTIMG_SUITE_REPORT_H
#define MKBOOTIMG_SUITE_REPORT_H

#include <stdio.h>

#include "base/error.h"
#include "suite/suite.h"

/* The version and the plan. */
void tap_begin(FILE *out, size_t count);
/* One test point; why, as YAML, if it has not passed. */
void tap_test(FILE *out, size_t number, const struct suite_test *test);

/* Write a file in the form that CI systems read (JUnit: one testsuite). */
int junit_write(const char *path, const struct suite_test *tests, size_t count,
		struct error *err);

#endif
