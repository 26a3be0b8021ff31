/* SPDX-License-Identifier: MIT
 *
 * mkbootimg.h: what a kernel that was booted by the "native" protocol gets.
 *
 *	void _start(const struct mkbootimg_info *info);
 *
 * Freestanding C (C99 and later, also valid C++); needs nothing but the
 * compiler.  x86-64 only: pointers are 8 bytes.
 *
 * Every pointer below is a virtual address that is valid at entry, or null where
 * that is said.  What they point to but for modules, the stack, the GDT, the IDT,
 * the task state segment and the page tables lie in memory of the kind
 * MKBOOTIMG_MEMORY_LOADER_RECLAIMABLE: it is the kernel's to reuse once it no
 * longer needs them.  Nothing points into usable memory.
 *
 * The layout is frozen: later versions only add fields at the end and raise
 * version and size.  Check magic, then that size covers the field you read.
 */
#ifndef MKBOOTIMG_H
#define MKBOOTIMG_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MKBOOTIMG_INFO_MAGIC	UINT64_C(0x4f464e495442494d)	/* the bytes "MIBTINFO" */
#define MKBOOTIMG_INFO_VERSION	1

/* Kinds of memory.  A number a kernel does not know is to be treated as
 * reserved. */
enum mkbootimg_memory_kind {
	MKBOOTIMG_MEMORY_USABLE = 1,		/* free RAM */
	MKBOOTIMG_MEMORY_LOADER_RECLAIMABLE = 2, /* stack, page tables, GDT, IDT, this info */
	MKBOOTIMG_MEMORY_KERNEL = 3,		/* the kernel's segments */
	MKBOOTIMG_MEMORY_MODULES = 4,		/* the modules, in whole pages */
	MKBOOTIMG_MEMORY_FRAMEBUFFER = 5,	/* pixels, where firmware says nothing else */
	MKBOOTIMG_MEMORY_ACPI_RECLAIMABLE = 6,	/* free once the ACPI tables are read */
	MKBOOTIMG_MEMORY_ACPI_NVS = 7,
	MKBOOTIMG_MEMORY_RESERVED = 8,		/* also every firmware type not known */
	MKBOOTIMG_MEMORY_BAD = 9
};

/* One region of physical memory.  The map is sorted by start; regions are
 * whole pages and never overlap; what no region covers is not memory. */
struct mkbootimg_memory_region {
	uint64_t start;		/* physical address */
	uint64_t size;		/* bytes */
	uint32_t kind;		/* enum mkbootimg_memory_kind */
	uint32_t reserved;
};

#define MKBOOTIMG_SEGMENT_EXECUTE	1
#define MKBOOTIMG_SEGMENT_WRITE		2
#define MKBOOTIMG_SEGMENT_READ		4

/* One run of kernel pages, as it is mapped.  Sorted by virtual_start. */
struct mkbootimg_segment {
	uint64_t virtual_start;
	uint64_t physical_start;
	uint64_t size;		/* bytes, whole pages */
	uint32_t flags;		/* MKBOOTIMG_SEGMENT_* */
	uint32_t reserved;
};

/* One file that was given along with the kernel.  It begins with a page; the
 * rest of its last page is clear. */
struct mkbootimg_module {
	const void *start;	/* in the physical map */
	uint64_t physical_start;
	uint64_t size;		/* bytes */
	const char *name;	/* NUL-terminated */
};

enum mkbootimg_framebuffer_kind {
	MKBOOTIMG_FRAMEBUFFER_NONE = 0,
	MKBOOTIMG_FRAMEBUFFER_TEXT = 1,	/* VGA text: a character and an attribute byte per cell */
	MKBOOTIMG_FRAMEBUFFER_RGB = 2	/* pixels of bits_per_pixel, in whole bytes, lowest first */
};

struct mkbootimg_framebuffer {
	uint64_t physical_address;
	uint32_t width;		/* pixels, or characters */
	uint32_t height;
	uint32_t pitch;		/* bytes from one line to the next */
	uint8_t kind;		/* enum mkbootimg_framebuffer_kind */
	uint8_t bits_per_pixel;	/* or per character cell */
	uint8_t red_position;	/* first bit of the red field, and its width in bits */
	uint8_t red_size;
	uint8_t green_position;
	uint8_t green_size;
	uint8_t blue_position;
	uint8_t blue_size;
	uint32_t reserved;
};

struct mkbootimg_info {
	uint64_t magic;		/* MKBOOTIMG_INFO_MAGIC */
	uint32_t version;	/* MKBOOTIMG_INFO_VERSION or later */
	uint32_t size;		/* bytes in this structure */

	const struct mkbootimg_memory_region *memory_map;
	uint64_t memory_map_count;

	const char *command_line;	/* NUL-terminated, never a null pointer */
	uint64_t command_line_length;	/* bytes without the NUL */

	const struct mkbootimg_module *modules;	/* in the order given; null if there are none */
	uint64_t module_count;

	const struct mkbootimg_segment *kernel_segments;
	uint64_t kernel_segment_count;

	/* Lowest address and first address after the highest, of all segments
	 * together: there may be holes between them. */
	uint64_t kernel_virtual_start;
	uint64_t kernel_virtual_end;
	uint64_t kernel_physical_start;
	uint64_t kernel_physical_end;

	/* The page below stack_virtual_start is not mapped. */
	uint64_t stack_virtual_start;
	uint64_t stack_virtual_end;
	uint64_t stack_physical_start;
	uint64_t stack_physical_end;

	/* Physical address p, below physical_memory_size, is mapped at
	 * physical_memory_offset + p, readable and writable. */
	uint64_t physical_memory_offset;
	uint64_t physical_memory_size;

	uint64_t rsdp;			/* physical address of the ACPI RSDP, 0 if none was found */

	uint64_t tsc_loader_start;	/* TSC at the loader's first instructions */
	uint64_t tsc_hand_off;		/* TSC just before the kernel's first */

	struct mkbootimg_framebuffer framebuffer;

	uint32_t boot_drive;		/* BIOS drive number, 0x80 for the first disk */
	uint32_t reserved;
};

#ifdef __cplusplus
}
#endif

#endif
