/* SPDX-License-Identifier: MIT
 *
 * The smallest kernel in C: no header, no library, nothing but this.
 */
void _start(void);

void _start(void)
{
	const char *text = "Hello World!";
	volatile char *screen = (volatile char *)0xb8000;

	for (int i = 0; text[i] != '\0'; i++) {
		screen[2 * i] = text[i];
		screen[2 * i + 1] = 0x0f;
	}
	for (;;)
		;
}
