/* SPDX-License-Identifier: MIT
 *
 * Another program than QEMU that boots an image: all that is known of it is how it
 * ends.
 */
#ifndef MKBOOTIMG_PLAIN_H
#define MKBOOTIMG_PLAIN_H

#include "base/error.h"

/* Run a command, for at most timeout seconds, or without end if that is 0.  Returns
 * its exit status, or -1 if it could not be run or was killed by a signal, or -2 if
 * it took too long, and was killed. */
int plain_run(char *const *command, double timeout, struct error *err);

#endif
