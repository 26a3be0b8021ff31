/* SPDX-License-Identifier: MIT
 *
 * An image as a picture, SVG: what lies on the disk, where it goes in physical
 * memory, and where that is mapped.  The same image gives the same picture.
 */
#ifndef MKBOOTIMG_DRAWING_H
#define MKBOOTIMG_DRAWING_H

#include <stdint.h>
#include <stdio.h>

#include "image/image.h"

/* Draw an image of size bytes, as image_read() has it.  name is its title. */
void drawing_write(FILE *out, const char *name, const struct image *image, uint64_t size);

#endif
