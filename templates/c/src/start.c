/*
 * The first code that runs.  mkbootimg enters in 64-bit long mode, with a stack and the
 * address of what it tells as the first argument: all that C needs.
 */
#include "console.h"
#include "kernel.h"
#include "machine.h"

void _start(const struct mkbootimg_info *info);

void _start(const struct mkbootimg_info *info)
{
	console_setup();
	if (info->magic != MKBOOTIMG_INFO_MAGIC) {
		print("This is not mkbootimg's information.\n");
		finish(false);
	}
	kernel_main(info);
	halt();
}
