/*
 * What start.c, and so the kernel and each test, begins with.
 */
#ifndef KERNEL_H
#define KERNEL_H

#include "mkbootimg.h"

void kernel_main(const struct mkbootimg_info *info);

#endif
