/* SPDX-License-Identifier: MIT
 *
 * The headers by which a kernel file says that it wants a boot protocol: found,
 * checked, and read into values.  No I/O, no printing, no opinion on placement.
 *
 * Each search returns 1 when there is a header that can be honoured, 0 when
 * there is none, and -1, with a sentence, when there is one but it is wrong or
 * asks for what we lack.  Nothing in the file is trusted.  The Multiboot
 * headers are looked for in the file's bytes, so that a flat binary is as good
 * as an ELF file.
 *
 * "MB1 3.1.2" is that section of the Multiboot Specification 0.6.96, "MB2 3.1.2"
 * of the Multiboot2 Specification 2.0.
 */
#ifndef MKBOOTIMG_BOOTHEADER_H
#define MKBOOTIMG_BOOTHEADER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "kernel/kernel.h"

/* What a header's address fields come to: one segment that takes the place of
 * the ELF program headers.  It was checked: the bytes lie in the file, and the
 * memory ends at or below 4 GiB. */
struct header_image {
	uint64_t offset;	/* in the file */
	uint64_t filesz;	/* > 0 */
	uint32_t paddr;
	uint64_t memsz;		/* >= filesz; with .bss */
};

struct multiboot1 {
	uint64_t offset;	/* of the header in the file */
	uint32_t flags;		/* MB1 3.1.2; bits 0 and 1 we honour always */
	bool has_address;	/* MB1 3.1.3, flags bit 16: all up to image */
	uint32_t header_addr;	/* of the header's first byte */
	uint32_t load_addr;	/* of the first byte to load */
	uint32_t load_end_addr;	/* behind the last one; 0: load all the file */
	uint32_t bss_end_addr;	/* 0: no .bss */
	uint32_t entry_addr;	/* in image */
	struct header_image image;
	bool has_video;		/* MB1 3.1.4, flags bit 2: all below */
	uint32_t mode_type;	/* 0: linear graphics, 1: EGA text */
	uint32_t width;		/* pixels or characters; 0: any */
	uint32_t height;	/* likewise */
	uint32_t depth;		/* bits per pixel; 0: text, or any */
};

/* MB2 3.1.9, bits of console_flags. */
#define MULTIBOOT2_CONSOLE_REQUIRED 1u	/* some console must be there */
#define MULTIBOOT2_CONSOLE_EGA_TEXT 2u	/* the kernel can do EGA text */

struct multiboot2 {
	uint64_t offset;	/* of the header in the file */
	uint32_t length;	/* MB2 3.1.2, header_length: with the tags */
	uint32_t requests;	/* MB2 3.1.4, tag 1: bit N is for information type N */
	bool has_address;	/* MB2 3.1.5, tag 2: all up to image */
	uint32_t header_addr;	/* of the header's first byte */
	uint32_t load_addr;	/* of the first byte to load; a -1 in the file is resolved */
	uint32_t load_end_addr;	/* behind the last one; 0: load all the file */
	uint32_t bss_end_addr;	/* 0: no .bss */
	struct header_image image;
	bool has_entry;		/* MB2 3.1.6, tag 3; always if has_address */
	uint32_t entry_addr;	/* physical; in image if there is one, else unchecked */
	bool has_console;	/* MB2 3.1.9, tag 4 */
	uint32_t console_flags;
	bool has_framebuffer;	/* MB2 3.1.10, tag 5: all up to depth */
	bool framebuffer_optional;
	uint32_t width;		/* pixels or characters; 0: any */
	uint32_t height;	/* likewise */
	uint32_t depth;		/* bits per pixel; 0: text, or any */
	bool module_align;	/* MB2 3.1.11, tag 6; we honour it always */
	bool has_relocatable;	/* MB2 3.1.13, tag 10: all below */
	uint32_t min_addr;	/* nothing of the image below */
	uint32_t max_addr;	/* nor above; >= min_addr */
	uint32_t align;		/* a power of two; a 0 in the file is 1 here */
	uint32_t preference;	/* 0: none, 1: as low as possible, 2: as high */
};

/* The Xen ELF note XEN_ELFNOTE_PHYS32_ENTRY (xen/include/public/elfnote.h) of
 * the "x86/HVM direct boot ABI" (docs/misc/pvh.pandoc). */
struct pvh {
	uint64_t offset;	/* of the note in the file */
	uint32_t entry;		/* physical; unchecked */
};

int multiboot1_find(const struct kernel *kernel, const char *name, struct multiboot1 *header,
		    struct error *err);
int multiboot2_find(const struct kernel *kernel, const char *name, struct multiboot2 *header,
		    struct error *err);
int pvh_find(const struct kernel *kernel, const char *name, struct pvh *note, struct error *err);

#endif
