/* SPDX-License-Identifier: MIT
 *
 * Boot headers; see bootheader.h.
 */
#include "kernel/bootheader.h"

#include <gelf.h>
#include <inttypes.h>
#include <libelf.h>
#include <string.h>

#include "base/bytes.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* MB1 3.1.2, flags. */
#define MB1_VIDEO (1u << 2)
#define MB1_ADDRESS (1u << 16)
#define MB1_REQUIREMENTS 0xffffu
#define MB1_DEFINED_REQUIREMENTS 7u

/* MB1 3.1.1: where the header ends, without and with its later fields. */
#define MB1_MAGIC_END 12
#define MB1_ADDRESS_END 32
#define MB1_VIDEO_END 48

/* MB2 3.1.2. */
#define MB2_I386 0
#define MB2_MIPS 4

/* MB2 3.1.3. */
#define MB2_TAG_HEADER 8
#define MB2_TAG_ALIGN 8
#define MB2_OPTIONAL 1u

enum mb2_tag_type {
	MB2_END,
	MB2_REQUEST,
	MB2_ADDRESS,
	MB2_ENTRY,
	MB2_CONSOLE,
	MB2_FRAMEBUFFER,
	MB2_MODULE_ALIGN,
	MB2_EFI_BOOT_SERVICES,
	MB2_EFI_I386_ENTRY,
	MB2_EFI_AMD64_ENTRY,
	MB2_RELOCATABLE,
};

/* xen/include/public/elfnote.h. */
#define XEN_NOTE_NAME "Xen"
#define XEN_PHYS32_ENTRY 18

/* ---- Where a header is --------------------------------------------------- */

/* What the two versions of Multiboot share: 32-bit words from the magic to the
 * checksum, which makes their sum 0, somewhere near the file's beginning. */
struct format {
	const char *name;
	uint32_t magic;
	unsigned int align;
	unsigned int window;	/* bytes from the file's beginning */
	unsigned int size;	/* to behind the checksum, the last word */
	const char *checksum;	/* how to make it */
	bool (*is_plausible)(const unsigned char *header);
};

/* Is this a header whose checksum is wrong, rather than a loader's constant or
 * chance?  Only one that asks for nothing unusual is worth a complaint, as the
 * kernel may boot by other means. */
static bool is_plausible_1(const unsigned char *header)
{
	return (get_le32(header + 4) & ~(MB1_DEFINED_REQUIREMENTS | MB1_ADDRESS)) == 0;
}

static bool is_plausible_2(const unsigned char *header)
{
	uint32_t architecture = get_le32(header + 4), length = get_le32(header + 8);

	return (architecture == MB2_I386 || architecture == MB2_MIPS) && length >= 16 &&
	       length <= 32768;
}

/* MB1 3.1 and 3.1.2. */
static const struct format multiboot1_format = {
	.name = "Multiboot 1",
	.magic = 0x1badb002,
	.align = 4,
	.window = 8192,
	.size = MB1_MAGIC_END,
	.checksum = "-(magic + flags)",
	.is_plausible = is_plausible_1,
};

/* MB2 3.1 and 3.1.2. */
static const struct format multiboot2_format = {
	.name = "Multiboot 2",
	.magic = 0xe85250d6,
	.align = 8,
	.window = 32768,
	.size = 16,
	.checksum = "-(magic + architecture + header_length)",
	.is_plausible = is_plausible_2,
};

/* 0 if the checksum is right, else what it is too large by. */
static uint32_t sum_words(const unsigned char *words, unsigned int size)
{
	uint32_t sum = 0;

	for (unsigned int i = 0; i < size; i += 4)
		sum += get_le32(words + i);
	return sum;
}

/* A header is looked for no farther than this, to say that it is in the wrong place. */
#define MOST_SEARCHED (UINT64_C(8) * 1024 * 1024)

enum wanted { VALID, PLAUSIBLE };

/* The first header of that kind that is whole between from and to, at from or
 * some steps behind it. */
static bool scan(const struct kernel *kernel, const struct format *format, enum wanted wanted,
		 uint64_t from, uint64_t to, unsigned int step, uint64_t *offset)
{
	for (uint64_t at = from; at + format->size <= to; at += step) {
		const unsigned char *header = kernel->bytes + at;

		if (get_le32(header) != format->magic)
			continue;
		if (wanted == VALID ? sum_words(header, format->size) == 0 :
				      format->is_plausible(header)) {
			*offset = at;
			return true;
		}
	}
	return false;
}

/* Up to where a header that is in the wrong place is looked for: where the file's
 * bytes get into memory.  Behind it an ELF file has symbols and debug information,
 * often most of it; and a file that is no kernel at all may be a disk's copy. */
static uint64_t search_end(const struct kernel *kernel)
{
	uint64_t end = kernel->is_elf ? 0 : kernel->size;

	for (size_t i = 0; i < kernel->segment_count; i++) {
		uint64_t segment_end = kernel->segments[i].offset + kernel->segments[i].filesz;

		if (segment_end > end)
			end = segment_end;
	}
	return end < MOST_SEARCHED ? end : MOST_SEARCHED;
}

static int refuse_misaligned(const struct format *format, const char *name, uint64_t offset,
			     struct error *err)
{
	error_set(err, ERROR_INPUT, 0,
		  "'%s' has a %s header at file offset 0x%" PRIx64 ", which is not %u-byte aligned",
		  name, format->name, offset, format->align);
	return error_hint(err, "loaders pass over it: write .balign %u in front of it, and have "
			  "its section begin at a multiple of %u in the file", format->align,
			  format->align);
}

static int refuse_checksum(const struct format *format, const char *name,
			   const unsigned char *header, uint64_t offset, struct error *err)
{
	uint32_t checksum = get_le32(header + format->size - 4);

	error_set(err, ERROR_INPUT, 0,
		  "'%s' has a %s header at file offset 0x%" PRIx64
		  " whose checksum is wrong (0x%" PRIx32 ", should be 0x%" PRIx32 ")",
		  name, format->name, offset, checksum, checksum - sum_words(header, format->size));
	return error_hint(err, "make it %s, modulo 2^32", format->checksum);
}

static int refuse_beyond(const struct format *format, const char *name, uint64_t offset,
			 struct error *err)
{
	error_set(err, ERROR_INPUT, 0,
		  "'%s' has a %s header that lies at file offset 0x%" PRIx64
		  ", beyond the first %u KiB, where loaders look for it",
		  name, format->name, offset, format->window / 1024);
	return error_hint(err, "put its section first in the linker script, in front of .text");
}

/* The first header that loaders would find wins; if there is none, one that
 * they would just not find is a mistake. */
static int find(const struct kernel *kernel, const struct format *format, const char *name,
		uint64_t *offset, struct error *err)
{
	uint64_t window = kernel->size < format->window ? kernel->size : format->window;

	if (scan(kernel, format, VALID, 0, window, format->align, offset))
		return 1;
	if (scan(kernel, format, VALID, 0, window, 1, offset))
		return refuse_misaligned(format, name, *offset, err);
	if (scan(kernel, format, PLAUSIBLE, 0, window, format->align, offset))
		return refuse_checksum(format, name, kernel->bytes + *offset, *offset, err);
	/* One that begins in the window and ends outside counts as outside. */
	if (scan(kernel, format, VALID, format->window - format->size, search_end(kernel),
		 format->align, offset))
		return refuse_beyond(format, name, *offset, err);
	return 0;
}

/* The header, which begins in the file and in the window, must end there. */
static int check_extent(const struct kernel *kernel, const struct format *format, uint64_t offset,
			uint64_t size, struct error *err)
{
	if (size > kernel->size - offset)
		return error_set(err, ERROR_INPUT, 0,
				 "it is 0x%" PRIx64 " bytes long, but the file ends at 0x%zx", size,
				 kernel->size);
	if (size > format->window - offset) {
		error_set(err, ERROR_INPUT, 0,
			  "it is 0x%" PRIx64 " bytes long and ends beyond the first %u KiB", size,
			  format->window / 1024);
		return error_hint(err, "put its section first in the linker script, in front of "
				  ".text");
	}
	return 0;
}

/* Say which header it is about. */
static int wrap(const struct format *format, const char *name, uint64_t offset, struct error *err)
{
	return error_wrap(err, "'%s': %s header at file offset 0x%" PRIx64, name, format->name,
			  offset);
}

/* ---- Address fields, MB1 3.1.3 and MB2 3.1.5 ----------------------------- */

struct addresses {
	uint32_t header;
	uint32_t load;
	uint32_t load_end;
	uint32_t bss_end;
};

/* In both versions they are four words in the same order. */
static struct addresses get_addresses(const unsigned char *fields)
{
	return (struct addresses){
		.header = get_le32(fields),
		.load = get_le32(fields + 4),
		.load_end = get_le32(fields + 8),
		.bss_end = get_le32(fields + 12),
	};
}

/* From where in the file. */
static int place_start(const struct addresses *addresses, uint64_t offset,
		       struct header_image *image, struct error *err)
{
	if (addresses->load > addresses->header) {
		error_set(err, ERROR_INPUT, 0,
			  "load_addr 0x%" PRIx32 " is above header_addr 0x%" PRIx32,
			  addresses->load, addresses->header);
		return error_hint(err, "load_addr is the address of the first byte to load, and "
				  "the header must be loaded too");
	}
	if (addresses->header - addresses->load > offset) {
		error_set(err, ERROR_INPUT, 0,
			  "load_addr 0x%" PRIx32 " is 0x%" PRIx32 " below header_addr, but the "
			  "file has only 0x%" PRIx64 " bytes in front of the header",
			  addresses->load, addresses->header - addresses->load, offset);
		return error_hint(err, "header_addr must be the address of the header's first "
				  "byte, and what lies between the two must lie between them in "
				  "the file too");
	}
	image->paddr = addresses->load;
	image->offset = offset - (addresses->header - addresses->load);
	return 0;
}

/* Up to where in the file. */
static int place_end(const struct kernel *kernel, const struct addresses *addresses,
		     struct header_image *image, struct error *err)
{
	image->filesz = kernel->size - image->offset;
	if (addresses->load_end == 0)
		return 0;
	if (addresses->load_end <= addresses->load) {
		error_set(err, ERROR_INPUT, 0,
			  "load_end_addr 0x%" PRIx32 " is not above load_addr 0x%" PRIx32,
			  addresses->load_end, addresses->load);
		return error_hint(err, "make it the address of the end of .data, or 0 to load all "
				  "of the file");
	}
	if (addresses->load_end - addresses->load > image->filesz) {
		error_set(err, ERROR_INPUT, 0,
			  "from load_addr 0x%" PRIx32 " to load_end_addr 0x%" PRIx32
			  " are 0x%" PRIx32 " bytes, but from file offset 0x%" PRIx64
			  " on the file has only 0x%" PRIx64, addresses->load, addresses->load_end,
			  addresses->load_end - addresses->load, image->offset, image->filesz);
		return error_hint(err, "make load_end_addr the address of the end of .data, not of "
				  ".bss");
	}
	image->filesz = addresses->load_end - addresses->load;
	return 0;
}

/* Up to where in memory; the rest is .bss. */
static int place_bss(const struct addresses *addresses, struct header_image *image,
		     struct error *err)
{
	uint64_t load_end = image->paddr + image->filesz;

	if (load_end > UINT64_C(0x100000000)) {
		error_set(err, ERROR_INPUT, 0,
			  "loaded at load_addr 0x%" PRIx32 ", the file's 0x%" PRIx64
			  " bytes would reach beyond 4 GiB", addresses->load, image->filesz);
		return error_hint(err, "address fields are physical addresses: subtract the "
				  "kernel's virtual base");
	}
	image->memsz = image->filesz;
	if (addresses->bss_end == 0)
		return 0;
	if (addresses->bss_end < load_end) {
		error_set(err, ERROR_INPUT, 0,
			  "bss_end_addr 0x%" PRIx32
			  " is below the end of what is loaded, 0x%" PRIx64, addresses->bss_end,
			  load_end);
		return addresses->load_end == 0 ?
			error_hint(err, "load_end_addr is 0, so all of the file is loaded: make it "
				   "the address of the end of .data") :
			error_hint(err, "make it the address of the end of .bss, or 0 if there is "
				   "none");
	}
	image->memsz = addresses->bss_end - addresses->load;
	return 0;
}

static int place_image(const struct kernel *kernel, const struct addresses *addresses,
		       uint64_t offset, struct header_image *image, struct error *err)
{
	if (place_start(addresses, offset, image, err) != 0 ||
	    place_end(kernel, addresses, image, err) != 0)
		return -1;
	return place_bss(addresses, image, err);
}

static int check_entry(const struct header_image *image, uint32_t entry, struct error *err)
{
	if (entry >= image->paddr && entry - image->paddr < image->memsz)
		return 0;
	error_set(err, ERROR_INPUT, 0,
		  "entry_addr 0x%" PRIx32
		  " is outside of what the header loads, 0x%" PRIx32 "-0x%" PRIx64, entry,
		  image->paddr, image->paddr + image->memsz);
	return error_hint(err, "entry_addr is the physical address of the first instruction, which "
			  "must lie between load_addr and load_end_addr");
}

/* ---- Multiboot 1 --------------------------------------------------------- */

static int check_flags(const struct multiboot1 *header, struct error *err)
{
	uint32_t undefined = header->flags & MB1_REQUIREMENTS & ~MB1_DEFINED_REQUIREMENTS;
	unsigned int bit = 0;

	if (undefined == 0)
		return 0;
	while (!(undefined >> bit & 1))
		bit++;
	error_set(err, ERROR_INPUT, 0,
		  "it asks for feature bit %u, which the Multiboot 1 specification does not define",
		  bit);
	return error_hint(err, "clear bits 3 to 15 of its flags (they are 0x%" PRIx32
			  ") and make its checksum anew", header->flags);
}

static int read_addresses(const struct kernel *kernel, const unsigned char *bytes,
			  struct multiboot1 *header, struct error *err)
{
	struct addresses addresses = get_addresses(bytes + 12);

	header->has_address = true;
	header->header_addr = addresses.header;
	header->load_addr = addresses.load;
	header->load_end_addr = addresses.load_end;
	header->bss_end_addr = addresses.bss_end;
	header->entry_addr = get_le32(bytes + 28);
	if (place_image(kernel, &addresses, header->offset, &header->image, err) != 0)
		return -1;
	return check_entry(&header->image, header->entry_addr, err);
}

static int read_video(const unsigned char *bytes, struct multiboot1 *header, struct error *err)
{
	header->has_video = true;
	header->mode_type = get_le32(bytes + 32);
	header->width = get_le32(bytes + 36);
	header->height = get_le32(bytes + 40);
	header->depth = get_le32(bytes + 44);
	if (header->mode_type <= 1)
		return 0;
	error_set(err, ERROR_INPUT, 0,
		  "it asks for video mode type %" PRIu32 ", which the Multiboot 1 specification "
		  "does not define", header->mode_type);
	return error_hint(err, "mode_type, at offset 32 of the header, is 0 for graphics and 1 for "
			  "text; without video fields, clear bit 2 of its flags");
}

/* The video fields are at their place whether or not there are addresses. */
static int check_size(const struct kernel *kernel, const struct multiboot1 *header,
		      struct error *err)
{
	uint64_t size = MB1_MAGIC_END;

	if (header->flags & MB1_ADDRESS)
		size = MB1_ADDRESS_END;
	if (header->flags & MB1_VIDEO)
		size = MB1_VIDEO_END;
	if (check_extent(kernel, &multiboot1_format, header->offset, size, err) == 0)
		return 0;
	if (err->hint[0] == '\0')
		error_hint(err, "clear bit 2 of its flags (0x%" PRIx32 ") if it has no video "
			   "fields, and bit 16 if it has no address fields", header->flags);
	return -1;
}

static int read_multiboot1(const struct kernel *kernel, struct multiboot1 *header,
			   struct error *err)
{
	const unsigned char *bytes = kernel->bytes + header->offset;

	header->flags = get_le32(bytes + 4);
	if (check_flags(header, err) != 0 || check_size(kernel, header, err) != 0)
		return -1;
	if ((header->flags & MB1_ADDRESS) && read_addresses(kernel, bytes, header, err) != 0)
		return -1;
	if (header->flags & MB1_VIDEO)
		return read_video(bytes, header, err);
	return 0;
}

int multiboot1_find(const struct kernel *kernel, const char *name, struct multiboot1 *header,
		    struct error *err)
{
	*header = (struct multiboot1){0};
	int found = find(kernel, &multiboot1_format, name, &header->offset, err);
	if (found != 1)
		return found;
	if (read_multiboot1(kernel, header, err) != 0)
		return wrap(&multiboot1_format, name, header->offset, err);
	return 1;
}

/* ---- Multiboot 2 --------------------------------------------------------- */

struct tag {
	const unsigned char *bytes;
	uint32_t at;		/* in the header */
	uint16_t type;
	bool is_optional;
	uint32_t size;
};

/* The header's tags.  More than these bytes is accepted, as there may be
 * padding in the size. */
static const struct {
	const char *name;
	uint32_t size;
} tags[] = {
	[MB2_END] = { "end", 8 },				/* MB2 3.1.3 */
	[MB2_REQUEST] = { "information request", 8 },		/* MB2 3.1.4 */
	[MB2_ADDRESS] = { "address", 24 },			/* MB2 3.1.5 */
	[MB2_ENTRY] = { "entry address", 12 },			/* MB2 3.1.6 */
	[MB2_EFI_I386_ENTRY] = { "EFI i386 entry", 12 },	/* MB2 3.1.7 */
	[MB2_EFI_AMD64_ENTRY] = { "EFI amd64 entry", 12 },	/* MB2 3.1.8 */
	[MB2_CONSOLE] = { "console flags", 12 },		/* MB2 3.1.9 */
	[MB2_FRAMEBUFFER] = { "framebuffer", 20 },		/* MB2 3.1.10 */
	[MB2_MODULE_ALIGN] = { "module alignment", 8 },		/* MB2 3.1.11 */
	[MB2_EFI_BOOT_SERVICES] = { "EFI boot services", 8 },	/* MB2 3.1.12 */
	[MB2_RELOCATABLE] = { "relocatable", 24 },		/* MB2 3.1.13 */
};

/* The information that a header can request, by the types of MB2 3.6, and
 * whether a kernel that cannot do without it can have it. */
static const struct {
	const char *name;
	bool is_given;
} information[] = {
	{ "end", true },
	{ "boot command line", true },
	{ "boot loader name", true },
	{ "modules", true },
	{ "basic memory information", true },
	{ "BIOS boot device", true },
	{ "memory map", true },
	{ "VBE info", true },
	{ "framebuffer info", true },
	{ "ELF symbols", true },
	{ "APM table", false },
	{ "EFI 32-bit system table", false },
	{ "EFI 64-bit system table", false },
	{ "SMBIOS tables", true },
	{ "ACPI old RSDP", true },
	{ "ACPI new RSDP", true },
	{ "networking information", false },
	{ "EFI memory map", false },
	{ "EFI boot services not terminated", false },
	{ "EFI 32-bit image handle", false },
	{ "EFI 64-bit image handle", false },
	{ "image load base physical address", true },
};

static int refuse_request(uint32_t type, struct error *err)
{
	if (type < COUNT(information))
		error_set(err, ERROR_INPUT, 0,
			  "it requires information of type %" PRIu32 " (%s), which mkbootimg "
			  "cannot give", type, information[type].name);
	else
		error_set(err, ERROR_INPUT, 0,
			  "it requires information of type %" PRIu32 ", which mkbootimg does not "
			  "know", type);
	return error_hint(err, "if the kernel can do without it, set bit 0 (optional) of the flags "
			  "of the information request tag");
}

static int read_request(const struct tag *tag, struct multiboot2 *header, struct error *err)
{
	if (tag->size % 4 != 0) {
		error_set(err, ERROR_INPUT, 0,
			  "the information request tag at its offset 0x%" PRIx32
			  " has size %" PRIu32 ", which is not a multiple of 4", tag->at,
			  tag->size);
		return error_hint(err, "its size is 8 and 4 for each request");
	}
	for (uint32_t i = MB2_TAG_HEADER; i < tag->size; i += 4) {
		uint32_t type = get_le32(tag->bytes + i);

		if (!tag->is_optional &&
		    (type >= COUNT(information) || !information[type].is_given))
			return refuse_request(type, err);
		if (type < 32)
			header->requests |= UINT32_C(1) << type;
	}
	return 0;
}

static int read_relocatable(const struct tag *tag, struct multiboot2 *header, struct error *err)
{
	header->has_relocatable = true;
	header->min_addr = get_le32(tag->bytes + 8);
	header->max_addr = get_le32(tag->bytes + 12);
	header->align = get_le32(tag->bytes + 16);
	header->preference = get_le32(tag->bytes + 20);
	if (header->align == 0)
		header->align = 1;
	if (header->min_addr > header->max_addr) {
		error_set(err, ERROR_INPUT, 0,
			  "its relocatable tag has min_addr 0x%" PRIx32
			  " above max_addr 0x%" PRIx32, header->min_addr, header->max_addr);
		return error_hint(err, "max_addr is the highest address for the end of the image");
	}
	if ((header->align & (header->align - 1)) != 0) {
		error_set(err, ERROR_INPUT, 0,
			  "its relocatable tag asks for alignment 0x%" PRIx32 ", which is not a "
			  "power of two", header->align);
		return error_hint(err, "most kernels want 0x1000 or 0x200000");
	}
	if (header->preference > 2) {
		error_set(err, ERROR_INPUT, 0,
			  "its relocatable tag has preference %" PRIu32 ", which the Multiboot 2 "
			  "specification does not define", header->preference);
		return error_hint(err, "it is 0 for none, 1 for the lowest, 2 for the highest "
				  "address");
	}
	return 0;
}

static void read_address_tag(const struct tag *tag, struct multiboot2 *header)
{
	struct addresses addresses = get_addresses(tag->bytes + 8);

	header->has_address = true;
	header->header_addr = addresses.header;
	header->load_addr = addresses.load;
	header->load_end_addr = addresses.load_end;
	header->bss_end_addr = addresses.bss_end;
}

static void read_framebuffer(const struct tag *tag, struct multiboot2 *header)
{
	header->has_framebuffer = true;
	header->framebuffer_optional = tag->is_optional;
	header->width = get_le32(tag->bytes + 8);
	header->height = get_le32(tag->bytes + 12);
	header->depth = get_le32(tag->bytes + 16);
}

static int refuse_tag(const struct tag *tag, struct error *err)
{
	error_set(err, ERROR_INPUT, 0,
		  "it requires tag type %u at its offset 0x%" PRIx32 ", which mkbootimg does not "
		  "know", tag->type, tag->at);
	return error_hint(err, "set bit 0 (optional) of the tag's flags if the kernel can do "
			  "without it; if there should be no such tag, see that each begins at a "
			  "multiple of 8 bytes (.balign 8)");
}

/* Of tags of one type the last one counts, as for GRUB.  The EFI tags say what
 * the kernel can do elsewhere (MB2 3.1.7, 3.1.8, 3.1.12). */
static int read_tag(const struct tag *tag, struct multiboot2 *header, struct error *err)
{
	switch (tag->type) {
	case MB2_REQUEST:
		return read_request(tag, header, err);
	case MB2_ADDRESS:
		read_address_tag(tag, header);
		return 0;
	case MB2_ENTRY:
		header->has_entry = true;
		header->entry_addr = get_le32(tag->bytes + 8);
		return 0;
	case MB2_CONSOLE:
		header->has_console = true;
		header->console_flags = get_le32(tag->bytes + 8);
		return 0;
	case MB2_FRAMEBUFFER:
		read_framebuffer(tag, header);
		return 0;
	case MB2_MODULE_ALIGN:
		header->module_align = true;
		return 0;
	case MB2_EFI_BOOT_SERVICES:
	case MB2_EFI_I386_ENTRY:
	case MB2_EFI_AMD64_ENTRY:
		return 0;
	case MB2_RELOCATABLE:
		return read_relocatable(tag, header, err);
	default:
		return tag->is_optional ? 0 : refuse_tag(tag, err);
	}
}

/* What to do about a list of tags that cannot be followed; most often padding
 * was forgotten. */
static int hint_tags(struct error *err)
{
	return error_hint(err, "begin each tag at a multiple of 8 bytes (.balign 8), end them with "
			  "one of type 0, flags 0, size 8, and count that in header_length");
}

static int check_tag(const struct tag *tag, uint32_t length, struct error *err)
{
	const char *known = tag->type < COUNT(tags) ? tags[tag->type].name : "unknown";
	uint32_t least = tag->type < COUNT(tags) ? tags[tag->type].size : MB2_TAG_HEADER;

	if (tag->size < least) {
		error_set(err, ERROR_INPUT, 0,
			  "the tag at its offset 0x%" PRIx32 " (type %u, %s) has size %" PRIu32
			  ", less than %" PRIu32, tag->at, tag->type, known, tag->size, least);
		return hint_tags(err);
	}
	if (tag->size > length - tag->at) {
		error_set(err, ERROR_INPUT, 0,
			  "the tag at its offset 0x%" PRIx32 " (type %u, %s) has size %" PRIu32
			  " and ends beyond the header, which is %" PRIu32 " bytes long", tag->at,
			  tag->type, known, tag->size, length);
		return hint_tags(err);
	}
	if (tag->type == MB2_END && tag->size != MB2_TAG_HEADER) {
		error_set(err, ERROR_INPUT, 0,
			  "the end tag at its offset 0x%" PRIx32 " has size %" PRIu32 ", not 8",
			  tag->at, tag->size);
		return hint_tags(err);
	}
	return 0;
}

/* MB2 3.1.3.  The header lies in the file. */
static int read_tags(const unsigned char *bytes, struct multiboot2 *header, struct error *err)
{
	for (uint64_t at = multiboot2_format.size; at + MB2_TAG_HEADER <= header->length;) {
		const struct tag tag = {
			.bytes = bytes + at,
			.at = (uint32_t)at,
			.type = get_le16(bytes + at),
			.is_optional = get_le16(bytes + at + 2) & MB2_OPTIONAL,
			.size = get_le32(bytes + at + 4),
		};

		if (check_tag(&tag, header->length, err) != 0)
			return -1;
		if (tag.type == MB2_END)
			return 0;
		if (read_tag(&tag, header, err) != 0)
			return -1;
		at += align_up(tag.size, MB2_TAG_ALIGN);
	}
	error_set(err, ERROR_INPUT, 0, "its %" PRIu32 " bytes have no end tag", header->length);
	return hint_tags(err);
}

/* MB2 3.1.5: a load_addr of -1 is that of the file's first byte. */
static int resolve_load_addr(struct multiboot2 *header, struct error *err)
{
	if (header->load_addr != UINT32_MAX)
		return 0;
	if (header->header_addr < header->offset) {
		error_set(err, ERROR_INPUT, 0,
			  "load_addr is -1, to load the file from its beginning, but header_addr "
			  "0x%" PRIx32 " is less than the header's file offset",
			  header->header_addr);
		return error_hint(err, "header_addr must be the address of the header's first "
				  "byte, with all of the file up to it below");
	}
	header->load_addr = header->header_addr - (uint32_t)header->offset;
	return 0;
}

/* Which entry point the ELF header of an image that is loaded by address has is
 * unsaid; GRUB refuses it too. */
static int place_by_tags(const struct kernel *kernel, struct multiboot2 *header, struct error *err)
{
	if (!header->has_entry) {
		error_set(err, ERROR_INPUT, 0, "it has an address tag but no entry address tag");
		return error_hint(err, "add an entry address tag (type 3), or for an ELF file "
				  "leave out the address tag (type 2)");
	}
	if (resolve_load_addr(header, err) != 0)
		return -1;
	const struct addresses addresses = {
		.header = header->header_addr,
		.load = header->load_addr,
		.load_end = header->load_end_addr,
		.bss_end = header->bss_end_addr,
	};
	if (place_image(kernel, &addresses, header->offset, &header->image, err) != 0)
		return -1;
	return check_entry(&header->image, header->entry_addr, err);
}

/* MB2 3.1.9: a console that it supports must be there. */
static int check_console(const struct multiboot2 *header, struct error *err)
{
	if (!header->has_console || !(header->console_flags & MULTIBOOT2_CONSOLE_REQUIRED) ||
	    (header->console_flags & MULTIBOOT2_CONSOLE_EGA_TEXT) || header->has_framebuffer)
		return 0;
	error_set(err, ERROR_INPUT, 0,
		  "it requires a console (console_flags bit 0) but supports none: neither EGA text "
		  "(bit 1) nor a framebuffer (tag type 5)");
	return error_hint(err, "set bit 1 of console_flags, add a framebuffer tag, or clear bit 0");
}

static int check_architecture(uint32_t architecture, struct error *err)
{
	if (architecture == MB2_I386)
		return 0;
	error_set(err, ERROR_INPUT, 0, "it is for architecture %" PRIu32 "%s, not for a PC",
		  architecture, architecture == MB2_MIPS ? " (MIPS)" : "");
	return error_hint(err, "architecture is 0 for i386, which a 64-bit kernel is entered as "
			  "too");
}

static int check_length(const struct kernel *kernel, const struct multiboot2 *header,
			struct error *err)
{
	if (header->length < multiboot2_format.size) {
		error_set(err, ERROR_INPUT, 0, "its header_length is %" PRIu32 ", less than 16",
			  header->length);
		return error_hint(err, "header_length counts from the magic to the end of the end "
				  "tag");
	}
	if (check_extent(kernel, &multiboot2_format, header->offset, header->length, err) == 0)
		return 0;
	if (err->hint[0] == '\0')
		error_hint(err, "header_length counts from the magic to the end of the end tag");
	return -1;
}

static int read_multiboot2(const struct kernel *kernel, struct multiboot2 *header,
			   struct error *err)
{
	const unsigned char *bytes = kernel->bytes + header->offset;

	header->length = get_le32(bytes + 8);
	if (check_architecture(get_le32(bytes + 4), err) != 0 ||
	    check_length(kernel, header, err) != 0 || read_tags(bytes, header, err) != 0)
		return -1;
	if (header->has_address && place_by_tags(kernel, header, err) != 0)
		return -1;
	return check_console(header, err);
}

int multiboot2_find(const struct kernel *kernel, const char *name, struct multiboot2 *header,
		    struct error *err)
{
	*header = (struct multiboot2){0};
	int found = find(kernel, &multiboot2_format, name, &header->offset, err);
	if (found != 1)
		return found;
	if (read_multiboot2(kernel, header, err) != 0)
		return wrap(&multiboot2_format, name, header->offset, err);
	return 1;
}

/* ---- PVH ----------------------------------------------------------------- */

/* Numbers are 4 or 8 bytes long, as the note says (elfnote.h). */
static int read_note(const unsigned char *desc, uint64_t size, struct pvh *note, struct error *err)
{
	if (size != 4 && size != 8) {
		error_set(err, ERROR_INPUT, 0,
			  "its value is %" PRIu64 " bytes long, not 4 or 8", size);
		return error_hint(err, "write the entry point's physical address as one .long or "
				  ".quad");
	}
	uint64_t entry = size == 4 ? get_le32(desc) : get_le64(desc);
	if (entry > UINT32_MAX) {
		error_set(err, ERROR_INPUT, 0,
			  "its entry point 0x%" PRIx64 " is above 4 GiB", entry);
		return error_hint(err, "it is a physical address, where 32-bit code runs without "
				  "paging: subtract the kernel's virtual base");
	}
	note->entry = (uint32_t)entry;
	return 1;
}

static bool is_entry_note(uint64_t name_size, uint64_t type, const unsigned char *note_name)
{
	return name_size == sizeof(XEN_NOTE_NAME) && type == XEN_PHYS32_ENTRY &&
	       memcmp(note_name, XEN_NOTE_NAME, sizeof(XEN_NOTE_NAME)) == 0;
}

/* libelf stops at a note that it cannot follow, and at a last one whose value
 * lacks its padding.  Others' notes are no concern of ours, but this one must
 * not be passed over. */
static int read_rest(const unsigned char *rest, size_t size, struct pvh *note, struct error *err)
{
	const size_t name_at = sizeof(Elf32_Nhdr), desc_at = name_at + sizeof(XEN_NOTE_NAME);

	if (size < desc_at || !is_entry_note(get_le32(rest), get_le32(rest + 8), rest + name_at))
		return 0;
	uint32_t desc_size = get_le32(rest + 4);
	if (desc_size <= size - desc_at)
		return read_note(rest + desc_at, desc_size, note, err);
	error_set(err, ERROR_INPUT, 0, "its value, %" PRIu32 " bytes long, is cut off", desc_size);
	return error_hint(err, "see that the linker script keeps the whole note section in its "
			  "PT_NOTE");
}

/* The first such note in one PT_NOTE. */
static int find_note(const struct kernel *kernel, const struct kernel_range *range, Elf *elf,
		     struct pvh *note, struct error *err)
{
	/* Whatever else p_align says, names and values are padded to 4 bytes. */
	Elf_Type type = range->align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR;
	Elf_Data *data = elf_getdata_rawchunk(elf, (int64_t)range->offset, range->size, type);
	size_t at = 0, next, name_at, desc_at;
	GElf_Nhdr header;

	note->offset = range->offset;
	if (data == NULL)
		return error_set(err, ERROR_INPUT, 0, "libelf cannot read it: %s", elf_errmsg(-1));
	for (; (next = gelf_getnote(data, at, &header, &name_at, &desc_at)) > 0; at = next) {
		const unsigned char *bytes = kernel->bytes + range->offset;

		note->offset = range->offset + at;
		if (is_entry_note(header.n_namesz, header.n_type, bytes + name_at))
			return read_note(bytes + desc_at, header.n_descsz, note, err);
	}
	note->offset = range->offset + at;
	return read_rest(kernel->bytes + note->offset, range->size - at, note, err);
}

static int find_in_notes(const struct kernel *kernel, const char *name, Elf *elf, struct pvh *note,
			 struct error *err)
{
	/* Program headers may all name the same bytes: 65535 times a large file
	 * would take forever. */
	uint64_t left = kernel->size;

	for (size_t i = 0; i < kernel->note_count; i++) {
		const struct kernel_range *range = &kernel->notes[i];

		if (range->size == 0)
			continue;
		if (range->size > left) {
			error_set(err, ERROR_INPUT, 0,
				  "'%s' has overlapping notes: its PT_NOTEs together are larger "
				  "than the file", name);
			return error_hint(err, "look at its program headers with readelf -l");
		}
		left -= range->size;
		int found = find_note(kernel, range, elf, note, err);
		if (found < 0)
			return error_wrap(err,
					  "'%s': Xen note PHYS32_ENTRY at file offset 0x%" PRIx64,
					  name, note->offset);
		if (found > 0)
			return 1;
	}
	return 0;
}

int pvh_find(const struct kernel *kernel, const char *name, struct pvh *note, struct error *err)
{
	*note = (struct pvh){0};
	if (kernel->note_count == 0)
		return 0;
	elf_version(EV_CURRENT);
	elf_errno();	/* forget what an earlier file did */
	/* libelf's prototype lacks const; it only reads what it did not make. */
	Elf *elf = elf_memory((char *)(uintptr_t)kernel->bytes, kernel->size);
	int result = find_in_notes(kernel, name, elf, note, err);
	elf_end(elf);
	if (result == 0)
		*note = (struct pvh){0};	/* how far the search went */
	return result;
}
