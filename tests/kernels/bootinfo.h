/* SPDX-License-Identifier: MIT
 *
 * struct BootInfo as kernels of the Rust crate bootloader 0.9 know it (repr(C)).
 * The crate's features that the kernel was built with decide which fields there
 * are: FEATURE_MAP, FEATURE_RECURSIVE, each 0 or 1.
 */
#ifndef BOOTINFO_H
#define BOOTINFO_H

#include <stddef.h>
#include <stdint.h>

enum bootinfo_type {
	BOOTINFO_USABLE,
	BOOTINFO_IN_USE,
	BOOTINFO_RESERVED,
	BOOTINFO_ACPI_RECLAIMABLE,
	BOOTINFO_ACPI_NVS,
	BOOTINFO_BAD,
	BOOTINFO_KERNEL,
	BOOTINFO_KERNEL_STACK,
	BOOTINFO_PAGE_TABLE,
	BOOTINFO_BOOTLOADER,
	BOOTINFO_FRAME_ZERO,
	BOOTINFO_EMPTY,
	BOOTINFO_BOOT_INFO,
	BOOTINFO_TYPES
};

#define BOOTINFO_REGIONS 64

/* Frames of 4 KiB, by number; end is the first one behind. */
struct bootinfo_region {
	uint64_t start, end;
	uint32_t type, padding;
};

struct bootinfo_tls {
	uint64_t start, file_size, memory_size;
};

/* One layout for each two features; the kernel's own is struct bootinfo. */
#define BOOTINFO(name, fields)                                    \
	struct name {                                             \
		struct bootinfo_region regions[BOOTINFO_REGIONS]; \
		uint64_t region_count;                            \
		fields                                            \
		struct bootinfo_tls tls;                          \
		uint8_t non_exhaustive;                           \
	}
#define BOOTINFO_R uint64_t recursive_page_table_addr;
#define BOOTINFO_M uint64_t physical_memory_offset;

BOOTINFO(bootinfo_none, );
BOOTINFO(bootinfo_r, BOOTINFO_R);
BOOTINFO(bootinfo_m, BOOTINFO_M);
BOOTINFO(bootinfo_mr, BOOTINFO_R BOOTINFO_M);

#define BOOTINFO_ASSERT(name, member, at) \
	_Static_assert(offsetof(struct name, member) == (at), #name "." #member)
#define BOOTINFO_ASSERT_ALL(name, tls_at)                                              \
	BOOTINFO_ASSERT(name, region_count, 1536);                                     \
	BOOTINFO_ASSERT(name, tls, tls_at);                                            \
	BOOTINFO_ASSERT(name, non_exhaustive, (tls_at) + 24);                          \
	_Static_assert(sizeof(struct name) == (tls_at) + 32, "size of struct " #name)

_Static_assert(sizeof(struct bootinfo_region) == 24, "size of a region");
_Static_assert(offsetof(struct bootinfo_region, type) == 16, "type of a region");
BOOTINFO_ASSERT_ALL(bootinfo_none, 1544);
BOOTINFO_ASSERT_ALL(bootinfo_r, 1552);
BOOTINFO_ASSERT_ALL(bootinfo_m, 1552);
BOOTINFO_ASSERT_ALL(bootinfo_mr, 1560);
BOOTINFO_ASSERT(bootinfo_r, recursive_page_table_addr, 1544);
BOOTINFO_ASSERT(bootinfo_m, physical_memory_offset, 1544);
BOOTINFO_ASSERT(bootinfo_mr, recursive_page_table_addr, 1544);
BOOTINFO_ASSERT(bootinfo_mr, physical_memory_offset, 1552);

#if FEATURE_MAP && FEATURE_RECURSIVE
#define bootinfo bootinfo_mr
#elif FEATURE_MAP
#define bootinfo bootinfo_m
#elif FEATURE_RECURSIVE
#define bootinfo bootinfo_r
#else
#define bootinfo bootinfo_none
#endif

/* 0 without the feature. */
static inline uint64_t bootinfo_physical_map(const struct bootinfo *info)
{
#if FEATURE_MAP
	return info->physical_memory_offset;
#else
	(void)info;
	return 0;
#endif
}
static inline uint64_t bootinfo_recursive(const struct bootinfo *info)
{
#if FEATURE_RECURSIVE
	return info->recursive_page_table_addr;
#else
	(void)info;
	return 0;
#endif
}

#endif
