/* SPDX-License-Identifier: MIT
 *
 * Kernel files of images; see origin.h.
 */
#include "crash/origin.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bootabi.h"
#include "image/format.h"
#include "kernel/identity.h"
#include "kernel/kernel_file.h"

struct origin_facts origin_facts(const struct plan *plan)
{
	bool native = plan->protocol == BT_PROTOCOL_NATIVE;
	bool moves = plan->entry_block != BLOCK_NONE &&
		     (plan->blocks[plan->entry_block].flags & BLOCK_FIXED) == 0;

	return (struct origin_facts){
		.protocol = plan->protocol,
		.kernel_crc = plan->kernel_crc,
		.slide = plan->slide,
		.moves = moves,
		.entry = moves ? plan->entry_offset : plan->entry,
		.long_mode = plan->map_count > 0,
		/* The hand-off area begins with it (bootloader/native.inc). */
		.guard = native ? plan->handoff_virt :
			 plan_has_stack(plan) ? plan->stack_top - plan->stack_size - PAGE_SIZE : 0,
		.stack_size = plan->stack_size,
	};
}

#define STEP (1024 * 1024)	/* bytes summed before their memory is given back */

/* Does a file hold the kernel with that sum? */
static bool fits(const struct file_view *file, uint32_t crc)
{
	struct kernel kernel;
	struct identity identity;
	struct error ignored;

	if (!kernel_is_elf(file->bytes, file->size) ||
	    kernel_parse(&kernel, file->bytes, file->size, "", &ignored) != 0)
		return false;
	identity_begin(&identity, &kernel);
	for (uint64_t done = 0; file->size - done > STEP; done += STEP) {
		identity_take(&identity, done + STEP);
		file_forget(file, done, done + STEP);
	}
	bool same = identity_end(&identity) == crc;
	kernel_free(&kernel);
	return same;
}

/* Open a file if it is the kernel; one that is known to be (sure) is not read
 * for that: origin_read() is, when it matters. */
static bool try_open(struct file_view *file, const char *path, bool sure, const struct origin_facts *facts)
{
	struct error ignored;

	if (kernel_file_open(file, path, &ignored) != 0)
		return false;
	if (sure ? kernel_is_elf(file->bytes, file->size) : fits(file, facts->kernel_crc))
		return true;
	file_close(file);
	return false;
}

int origin_open(struct file_view *file, const char *wanted, const char *booted,
		const struct origin_facts *facts, struct error *err)
{
	const struct image_format *format = format_of_path(booted);

	*file = (struct file_view){ .fd = -1 };
	if (wanted != NULL) {
		if (kernel_file_open(file, wanted, err) != 0)
			return error_wrap(err, "--symbols");
		return 0;
	}
	if (facts->protocol == 0 || try_open(file, booted, facts->fresh, facts))
		return 0;
	if (format != NULL) {
		int length = (int)(strlen(booted) - strlen(format->extension));
		CLEANUP_FREE char *elf = format_string("%.*s.elf", length, booted);
		CLEANUP_FREE char *bare = format_string("%.*s", length, booted);

		if (!try_open(file, elf, false, facts))
			try_open(file, bare, false, facts);
	}
	return 0;
}

struct run_kernel origin_kernel(const struct file_view *file, bool sure,
				const struct origin_facts *facts)
{
	return (struct run_kernel){
		.fd = file->fd,
		.sure = sure,
		.crc = facts->kernel_crc,
		.slide = facts->slide,
		.physical = !facts->long_mode,
		.stack = { facts->guard, facts->stack_size, facts->protocol == BT_PROTOCOL_NATIVE },
	};
}

bool origin_read(const struct run_kernel *kernel, unsigned char **bytes, size_t *size)
{
	struct stat st;

	*bytes = NULL;
	if (kernel->fd < 0 || fstat(kernel->fd, &st) != 0)
		return false;
	*size = (size_t)st.st_size;
	*bytes = malloc(*size + 1);
	for (size_t done = 0; *bytes != NULL && done < *size;) {
		ssize_t n = pread(kernel->fd, *bytes + done, *size - done, (off_t)done);

		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	const struct file_view copy = { .fd = -1, .bytes = *bytes, .size = *size };
	return *bytes != NULL && (kernel->sure || fits(&copy, kernel->crc));
}
