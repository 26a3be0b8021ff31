/* SPDX-License-Identifier: MIT
 *
 * The kernel of the examples: says hello, and ends the machine with success if it is
 * told to, or is a test.
 */
#include <mkbootimg.h>

static void out(unsigned short port, unsigned char value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

void _start(const struct mkbootimg_info *info)
{
	for (const char *text = "Hello from a kernel: "; *text != '\0'; text++)
		out(0xe9, (unsigned char)*text);
	for (const char *text = (const char *)info->command_line; *text != '\0'; text++)
		out(0xe9, (unsigned char)*text);
	out(0xe9, '\n');
	out(0xf4, 0x10);
	for (;;)
		__asm__ volatile("hlt");
}
