/* SPDX-License-Identifier: MIT
 *
 * Names that C++ and Rust compilers give to functions, made readable.  Only the
 * simple ones: those that a backtrace of a kernel is full of.
 */
#ifndef MKBOOTIMG_DEMANGLE_H
#define MKBOOTIMG_DEMANGLE_H

#include <stdbool.h>
#include <stddef.h>

/* Is this such a name (_Z..., _R...)? */
bool demangle_is_mangled(const char *name);

/* Write the function's or variable's name, with what it is nested in and without
 * its parameters, cut to size: _ZN6kernel4initEi is kernel::init.  Returns false
 * and writes nothing if the name is not mangled, or with templates, operators
 * or in Rust's newer way. */
bool demangle(const char *name, char *text, size_t size);

#endif
