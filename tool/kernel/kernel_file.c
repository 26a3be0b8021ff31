/* SPDX-License-Identifier: MIT
 *
 * Kernels' and modules' files; see kernel_file.h.
 */
#include "kernel/kernel_file.h"

#include <string.h>

#include "base/gzip.h"
#include "kernel/kernel.h"

/* Linux's setup header (Documentation/arch/x86/boot.rst, "header"). */
#define LINUX_MAGIC "HdrS"
#define LINUX_OFF_MAGIC 0x202

int kernel_file_open(struct file_view *file, const char *path, struct error *err)
{
	if (file_open(file, path, err) != 0)
		return -1;
	return gzip_is(file->bytes, file->size) ? gzip_unpack(file, path, err) : 0;
}

static bool is_code(const unsigned char *bytes, size_t size)
{
	return kernel_is_elf(bytes, size) ||
	       (size >= LINUX_OFF_MAGIC + strlen(LINUX_MAGIC) &&
		memcmp(bytes + LINUX_OFF_MAGIC, LINUX_MAGIC, strlen(LINUX_MAGIC)) == 0);
}

int module_file_open(struct file_view *file, const char *path, struct error *err)
{
	unsigned char start[LINUX_OFF_MAGIC + sizeof(LINUX_MAGIC)];

	if (file_open_any(file, path, err) != 0)
		return -1;
	size_t size = gzip_peek(file->bytes, file->size, start, sizeof(start));
	return is_code(start, size) ? gzip_unpack(file, path, err) : 0;
}
