/* SPDX-License-Identifier: MIT
 *
 * The files that are installed along with the program.
 */
#ifndef MKBOOTIMG_SHARE_H
#define MKBOOTIMG_SHARE_H

#include "base/error.h"

/* The directory share/mkbootimg/NAME: beside the program where it was built, or in
 * ../share from where it is installed.  what is for messages ("the loader").  The
 * caller frees; NULL is a failure. */
char *share_directory(const char *name, const char *what, struct error *err);

#endif
