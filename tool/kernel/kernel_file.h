/* SPDX-License-Identifier: MIT
 *
 * Kernels' and modules' files, opened; those that come gzip-compressed are unpacked
 * where that is meant.
 */
#ifndef MKBOOTIMG_KERNEL_FILE_H
#define MKBOOTIMG_KERNEL_FILE_H

#include "base/error.h"
#include "base/fileio.h"

/* Open a kernel's file, which must not be empty.  If it is a gzip file, the view is
 * of what that holds. */
int kernel_file_open(struct file_view *file, const char *path, struct error *err);

/* Open a module's file, which may be empty.  Only what is code to be run is unpacked,
 * an ELF file or a Linux kernel (bzImage): of all else, such as an initial RAM disk,
 * the kernel expects what the file holds. */
int module_file_open(struct file_view *file, const char *path, struct error *err);

#endif
