/* SPDX-License-Identifier: MIT
 *
 * Text in XML; see xml.h.
 */
#include "base/xml.h"

void print_xml(FILE *out, const char *text)
{
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '<')
			fputs("&lt;", out);
		else if (c == '>')
			fputs("&gt;", out);
		else if (c == '&')
			fputs("&amp;", out);
		else if (c == '"')
			fputs("&quot;", out);
		else if (c == '\n')
			fputs("&#10;", out);
		else if (c != '\r')
			putc(c < 0x20 || c >= 0x7f ? '?' : c, out);
	}
}
