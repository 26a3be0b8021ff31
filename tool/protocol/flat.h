/* SPDX-License-Identifier: MIT
 *
 * What the 32-bit protocols (Multiboot 1 and 2, PVH, plain ELF32) share: the
 * kernel lies at fixed physical addresses below 4 GiB, p_paddr's or those of a
 * Multiboot header, and is entered with paging off.
 *
 * From segments to the plan: those that share pages or lie close together are
 * one block, which the loader must get where it wants to be (BLOCK_FIXED), or
 * refuse.  Exactly the bytes of p_filesz are loaded, exactly those up to p_memsz
 * cleared.  Blocks may lie in LOW_KERNEL_START-LOW_KERNEL_END: the loader puts
 * them there when it no longer needs the firmware.
 */
#ifndef MKBOOTIMG_FLAT_H
#define MKBOOTIMG_FLAT_H

#include <stdbool.h>
#include <stdint.h>

#include "bootabi.h"
#include "kernel/bootheader.h"
#include "base/error.h"
#include "kernel/kernel.h"
#include "plan/plan.h"

/* Where a kernel may be moved as a whole (MB2 3.1.13). */
struct flat_range {
	uint64_t lowest;	/* address of its first byte */
	uint64_t highest;	/* of the first byte after its last */
	uint64_t align;
	bool anywhere;		/* prefers any place to where it is linked */
	bool top;		/* as high as possible */
};

/* Bytes that a table of section headers may take of the info, so that no kernel is
 * refused for it. */
#define FLAT_MAX_SECTIONS (LOW_MAX_INFO - 4096)

struct flat_request {
	uint32_t protocol;			/* BT_PROTOCOL_* */
	const struct header_image *image;	/* instead of the program headers, or NULL */
	const uint32_t *entry;			/* physical, or NULL: the ELF header's */
	const struct flat_range *range;		/* NULL: it cannot be moved */
};

/* The name that kernels are told, which decides what some make of their command
 * line. */
#define FLAT_LOADER_NAME "mkbootimg"

struct flat_place {
	uint64_t behind;	/* modules go there or above, because there are kernels that take
				   the memory right behind themselves without asking */
	uint64_t first;		/* offset of the image's first byte in block 0 */
};

/* Plan segments, entry point and stack.  On success the caller goes on with info
 * and modules. */
int flat_plan(struct plan *plan, const struct kernel *kernel, const struct plan_options *options,
	      const struct flat_request *request, const char *name, struct flat_place *place,
	      struct error *err);

/* Last, when the info is made: refuse what does not fit.  On failure the plan is
 * released. */
int flat_finish(struct plan *plan, const char *name, struct error *err);

/* "KERNEL-NAME CMDLINE", as QEMU's -kernel and -append give it to Multiboot
 * kernels.  The caller frees. */
char *flat_cmdline(const struct plan_options *options);

/* The graphics mode that a header asks for; 0 is no preference. */
struct plan_video flat_video(uint32_t width, uint32_t height, uint32_t depth);

#endif
