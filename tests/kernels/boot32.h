/* SPDX-License-Identifier: MIT
 *
 * For test kernels that look at a 32-bit protocol's own formats: the registers
 * as they were at entry (boot32.asm), and the structures of Multiboot 0.6.96,
 * Multiboot 2 and the PVH boot ABI.
 */
#ifndef BOOT32_H
#define BOOT32_H

#include "boot.h"

/* ---- Entry --------------------------------------------------------------- */

struct entered {
	uint32_t eax, ebx, ecx, edx, esi, edi, ebp, esp, eflags, cr0, cr4;
	uint32_t pvh;		/* 1 if by PVH's own entry point */
	uint16_t cs, ds, es, ss, fs, gs, tr;
	uint16_t gdt_limit;
	uint32_t gdt_base;
};

extern struct entered entered;

/* boot32.ld's: all segments lie between these. */
extern char kernel_start[], kernel_end[];

/* An address that a protocol gave. */
#define AT(type, address) ((const type *)(uintptr_t)(address))

/* ---- Multiboot 1 --------------------------------------------------------- */

#define MB1_MAGIC 0x2badb002

#define MB1_MEMORY (1u << 0)
#define MB1_BOOT_DEVICE (1u << 1)
#define MB1_CMDLINE (1u << 2)
#define MB1_MODULES (1u << 3)
#define MB1_AOUT (1u << 4)
#define MB1_ELF (1u << 5)
#define MB1_MMAP (1u << 6)
#define MB1_DRIVES (1u << 7)
#define MB1_CONFIG (1u << 8)
#define MB1_NAME (1u << 9)
#define MB1_APM (1u << 10)
#define MB1_VBE (1u << 11)
#define MB1_FRAMEBUFFER (1u << 12)

struct mb1_info {
	uint32_t flags;
	uint32_t mem_lower, mem_upper;
	uint32_t boot_device;
	uint32_t cmdline;
	uint32_t mods_count, mods_addr;
	uint32_t elf_num, elf_size, elf_addr, elf_shndx;
	uint32_t mmap_length, mmap_addr;
	uint32_t drives_length, drives_addr;
	uint32_t config_table;
	uint32_t boot_loader_name;
	uint32_t apm_table;
	uint32_t vbe_control_info, vbe_mode_info;
	uint16_t vbe_mode, vbe_interface_seg, vbe_interface_off, vbe_interface_len;
	uint64_t framebuffer_addr;
	uint32_t framebuffer_pitch, framebuffer_width, framebuffer_height;
	uint8_t framebuffer_bpp, framebuffer_type;
	uint8_t colours[6];
} __attribute__((packed));
_Static_assert(offsetof(struct mb1_info, framebuffer_addr) == 88, "as specified");

struct mb1_module {
	uint32_t start, end, string, reserved;
};

struct mb1_region {
	uint32_t size;		/* of what follows */
	uint64_t start, length;
	uint32_t kind;
} __attribute__((packed));

/* ---- Multiboot 2 --------------------------------------------------------- */

#define MB2_MAGIC 0x36d76289

enum {
	MB2_END = 0,
	MB2_CMDLINE = 1,
	MB2_NAME = 2,
	MB2_MODULE = 3,
	MB2_MEMORY = 4,
	MB2_BOOT_DEVICE = 5,
	MB2_MMAP = 6,
	MB2_VBE = 7,
	MB2_FRAMEBUFFER = 8,
	MB2_ELF = 9,
	MB2_SMBIOS = 13,
	MB2_ACPI_OLD = 14,
	MB2_ACPI_NEW = 15,
	MB2_LOAD_BASE = 21,
};

/* A tag, with the fields of those that are looked at. */
struct mb2_tag {
	uint32_t type, size;
	union {
		char text[1];
		struct {
			uint32_t start, end;
			char string[1];
		} module;
		struct {
			uint32_t lower, upper;
		} memory;
		struct {
			uint32_t drive, partition, sub_partition;
		} boot_device;
		struct {
			uint32_t entry_size, entry_version;
			uint8_t entries[1];
		} mmap;
		struct {
			uint16_t mode, interface[3];
			uint8_t control_info[512], mode_info[256];
		} vbe;
		struct {
			uint64_t address;
			uint32_t pitch, width, height;
			uint8_t bpp, type;
			uint16_t reserved;
			uint8_t colours[6];
		} __attribute__((packed)) framebuffer;
		struct {
			uint32_t num, entry_size, shndx;
			uint8_t headers[1];
		} elf;
		struct {
			uint8_t major, minor, reserved[6];
			uint8_t tables[1];
		} smbios;
		uint8_t rsdp[1];
		uint32_t load_base;
	};
} __attribute__((packed));
_Static_assert(offsetof(struct mb2_tag, framebuffer.colours) == 32, "as GRUB has it");

struct mb2_region {
	uint64_t start, length;
	uint32_t kind, zero;
};

/* The next tag of a type after one (NULL: the first), or NULL. */
const struct mb2_tag *mb2_find(uint32_t type, const struct mb2_tag *after);

/* ---- PVH ----------------------------------------------------------------- */

#define PVH_MAGIC 0x336ec578

struct pvh_info {
	uint32_t magic, version, flags, module_count;
	uint64_t modules, cmdline, rsdp, memmap;
	uint32_t memmap_entries, reserved;
};
_Static_assert(sizeof(struct pvh_info) == 56, "as specified");

struct pvh_module {
	uint64_t start, size, cmdline, reserved;
};

struct pvh_region {
	uint64_t start, size;
	uint32_t kind, reserved;
};

#endif
