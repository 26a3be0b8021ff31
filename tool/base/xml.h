/* SPDX-License-Identifier: MIT
 *
 * Text in XML.
 */
#ifndef MKBOOTIMG_XML_H
#define MKBOOTIMG_XML_H

#include <stdio.h>

/* Print text as content or in an attribute's double quotes.  XML 1.0 has no control
 * characters but the ends of lines, and this no other bytes than ASCII's: "?". */
void print_xml(FILE *out, const char *text);

#endif
