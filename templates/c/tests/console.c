/*
 * What is printed is to be seen on the screen.
 */
#include "check.h"

static volatile const char *const screen = (volatile const char *)0xb8000;

void kernel_main(const struct mkbootimg_info *info)
{
	static const char text[] = "Is anybody there?";

	(void)info;
	print(text);
	/* Every other byte is a character. */
	for (unsigned int i = 0; text[i] != '\0'; i++)
		CHECK(screen[2 * i] == text[i]);
	for (unsigned int i = 0; i < 30; i++)
		print("\n");
	CHECK(screen[0] == ' ');
	finish(true);
}
