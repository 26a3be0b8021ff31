/* SPDX-License-Identifier: MIT
 *
 * bootabi.h: everything the host tool and the loader must agree on.
 *
 * Only "#define NAME value" lines, without casts or suffixes, so that the
 * same file serves C and, turned into %define by one sed, NASM.  C binds its
 * structures to the offsets with static_assert (tool/plan/boottable.c); NASM places
 * its fields with them.
 *
 * All integers are little-endian.  "LBA" is always a number of 512-byte
 * sectors from the start of the partition that holds the loader (the base),
 * never from the start of the disk, so the same bytes boot at any offset.
 *
 * Raise BT_VERSION with every change to anything below that a built image
 * holds, and INFO_VERSION with every change to struct mkbootimg_info.
 */
#ifndef MKBOOTIMG_BOOTABI_H
#define MKBOOTIMG_BOOTABI_H

/* ---- Disk geometry ------------------------------------------------------ */

#define SECTOR_SIZE		512
#define PAGE_SIZE		4096

/* ---- Sector 0 (stage 1): fields the host fills in ----------------------- */

#define S1_OFF_MAGIC		0x003	/* u64: S1_MAGIC, filled in by the assembler */
#define S1_OFF_PACKET		0x1a4	/* disk address packet that reads stage 2 (INT 13h AH=42h) */
#define S1_OFF_SECTORS		0x1a6	/* u16 in it: sectors of stage 2, 1 to S1_MAX_SECTORS */
#define S1_OFF_BASE		0x1ac	/* u64 in it: absolute sector of the base */
#define S1_OFF_SUM		0x1b4	/* u32: sum of stage 2 */
#define S1_OFF_DISK_ID		0x1b8	/* u32: disk signature, from the content */
#define S1_OFF_VARIABLES	0x1bc	/* 2 bytes, 0 on the disk: the loader's */
#define S1_OFF_PARTITION	0x1be	/* the one 16-byte partition entry */
#define S1_OFF_SIGNATURE	0x1fe	/* 55 AA */
#define S1_MAGIC		0x474d49544f4f424d	/* "MBOOTIMG" */
/* Sum of stage 2: over its little-endian dwords d, from s = 0:
 * s = s * S1_SUM_FACTOR + d, modulo 2^32. */
#define S1_SUM_FACTOR		101
#define S1_MAX_SECTORS		32	/* 16 KiB: what stage 2's place in memory holds */

/* ---- Stage 2: fields the host fills in, from its first byte ------------- */

#define S2_OFF_TABLE_LBA	4	/* u32: LBA of the boot table */
#define S2_OFF_TABLE_BYTES	8	/* u32: its length in bytes, at most BT_MAX_BYTES */
#define S2_OFF_SUM		16	/* 4 x u64: extent sum of stage 2 with this field 0 */

/* ---- Boot table: header ------------------------------------------------- */

#define BT_MAGIC		0x454c424154544f42	/* "BOTTABLE", offset 0, u64 */
#define BT_VERSION		4

#define BT_OFF_MAGIC		0	/* u64 */
#define BT_OFF_VERSION		8	/* u32: BT_VERSION */
#define BT_OFF_LENGTH		12	/* u32: bytes in the whole table */
#define BT_OFF_CRC		16	/* u32: CRC-32 (zlib's) of the table with this field 0 */
#define BT_OFF_PROTOCOL		20	/* u32: BT_PROTOCOL_* */
#define BT_OFF_ENTRY		24	/* u64: entry point: virtual, or an offset in ENTRY_BLOCK */
#define BT_OFF_BLOCKS		32	/* u32: offset of the block records in the table */
#define BT_OFF_BLOCK_COUNT	36	/* u32 */
#define BT_OFF_EXTENTS		40	/* u32: offset of the extent records, 16-byte aligned */
#define BT_OFF_EXTENT_COUNT	44	/* u32 */
#define BT_OFF_ZEROS		48	/* u32: offset of the zero records */
#define BT_OFF_ZERO_COUNT	52	/* u32 */
#define BT_OFF_MAPS		56	/* u32: offset of the map records */
#define BT_OFF_MAP_COUNT	60	/* u32 */
#define BT_OFF_INFO		64	/* u32: offset of the info, see "Info" */
#define BT_OFF_INFO_SIZE	68	/* u32: its bytes */
#define BT_OFF_FIXUPS		72	/* u32: offset of the fixup records */
#define BT_OFF_FIXUP_COUNT	76	/* u32 */
#define BT_OFF_CMDLINE		80	/* u32: offset of the command line in the table (it lies
					   in the info), NUL after it */
#define BT_OFF_CMDLINE_LEN	84	/* u32: its length without the NUL */
#define BT_OFF_STACK_SIZE	88	/* u64: bytes, whole pages */
#define BT_OFF_ENTRY_BLOCK	96	/* u32: index of the block that holds the entry point, or
					   BLOCK_NONE where it is virtual */
#define BT_OFF_TABLE_PAGES	100	/* u32: page tables that the map records need at most */
#define BT_OFF_HANDOFF_VIRT	104	/* u64: virtual start of the hand-off area, 512 GiB aligned */
#define BT_OFF_PHYSMAP_VIRT	112	/* u64: where all RAM is mapped, 2 MiB aligned */
#define BT_OFF_PHYSMAP_MAX	120	/* u64: bytes of address space free there; 0: it is not mapped */
#define BT_OFF_VIDEO_WIDTH	128	/* u16: pixels; 0: any */
#define BT_OFF_VIDEO_HEIGHT	130	/* u16: lines; 0: any */
#define BT_OFF_VIDEO_DEPTH	132	/* u8: bits a pixel; 0: any */
#define BT_OFF_VIDEO		133	/* u8: VIDEO_* */
#define BT_OFF_RECURSIVE	134	/* u16: level 4 entry that is to refer to its own table; 0: none */
#define BT_OFF_SLIDE		136	/* u64: added to the addresses in the kernel's file */
#define BT_OFF_KERNEL_CRC	144	/* u32: CRC-32 of the extent sums of its segments' bytes as in
					   the file, each without the ELF's headers and filled
					   up with zeros, in the order of their addresses; not
					   the loader's business */
#define BT_OFF_INFO_BLOCK	148	/* u32: index of the block that the info is copied to, or
					   BLOCK_NONE where the loader finds room for it */
#define BT_OFF_INFO_VIRT	152	/* u64: and there, its address as the kernel sees it */
#define BT_OFF_STACK_TOP	160	/* u64: end of a stack that has a map record (0: of the
					   address space), or 0 */
#define BT_OFF_FLAGS		168	/* u32: BT_SSE */
#define BT_OFF_RESERVED		172	/* u32: 0 */
#define BT_HEADER_SIZE		176

#define BT_SSE			1	/* the kernel is entered with SSE on; native: always */

#define BT_PROTOCOL_NATIVE	1
#define BT_PROTOCOL_MULTIBOOT1	2	/* also plain 32-bit kernels */
#define BT_PROTOCOL_MULTIBOOT2	3
#define BT_PROTOCOL_PVH		4
#define BT_PROTOCOL_BOOTLOADER_09 5

#define VIDEO_TEXT		0	/* 80x25 characters, and the kernel is not told */
#define VIDEO_TELL		1	/* likewise, and the kernel is told */
#define VIDEO_PREFER		2	/* a linear framebuffer: the mode, or the nearest below it */
#define VIDEO_REQUIRE		3	/* that mode, or the loader fails */
#define VIDEO_BIOS		4	/* WIDTH is the number of a mode of the firmware's (INT 10h
					   AH=00h): set anew, and the kernel is not told */

/* What the loader has room for (bootloader/layout.inc). */
#define BT_MAX_BYTES		131072	/* whole table */
#define BT_MAX_CMDLINE		4095	/* bytes without the NUL */
#define BT_MAX_BLOCKS		1024

/* Memory below 1 MiB, for protocols whose kernels may be linked there.  Below
 * it lie the firmware's interrupt vectors and data; above it the loader keeps
 * stack, GDT and info, of at most these sizes. */
#define LOW_KERNEL_START	0x1000
#define LOW_KERNEL_END		0x80000
#define LOW_MAX_STACK		65536
#define LOW_MAX_INFO		49152

/* ---- Boot table: block record, a piece of physical memory to find -------- */

#define BLOCK_OFF_PHYS		0	/* u64: wanted address, or BLOCK_ANYWHERE */
#define BLOCK_OFF_SIZE		8	/* u64: bytes, whole pages */
#define BLOCK_OFF_ALIGN		16	/* u64: when placed elsewhere: a power of two >= PAGE_SIZE */
#define BLOCK_OFF_PHASE		24	/* u64: address modulo align, so that large pages fit */
#define BLOCK_OFF_LOWEST	32	/* u64: when placed elsewhere: not below this address */
#define BLOCK_OFF_HIGHEST	40	/* u64: and its end not above this one */
#define BLOCK_OFF_KIND		48	/* u32: memory kind (INFO_KIND_*) it becomes */
#define BLOCK_OFF_FLAGS		52	/* u32: BLOCK_* below */
#define BLOCK_OFF_LOADED	56	/* u64: 0; where it waits until firmware is done (the loader's) */
#define BLOCK_SIZE		64
#define BLOCK_ANYWHERE		0xffffffffffffffff
#define BLOCK_NONE		0xffffffff	/* no block's index */
#define BLOCK_FIXED		1	/* nowhere else: fail if that memory is not free */
#define BLOCK_TOP		2	/* elsewhere means as high as possible */

/* ---- Boot table: extent record, sectors to copy into a block ------------- */

#define EXTENT_OFF_BLOCK	0	/* u32: index of the block */
#define EXTENT_OFF_METHOD	4	/* u32: EXTENT_RAW or EXTENT_LZ4 */
#define EXTENT_OFF_OFFSET	8	/* u64: byte offset in the block */
#define EXTENT_OFF_LENGTH	16	/* u64: bytes in memory, > 0 */
#define EXTENT_OFF_LBA		24	/* u64: first sector, relative to the base */
#define EXTENT_OFF_STORED	32	/* u64: bytes on the disk, in whole sectors filled up with zeros */
#define EXTENT_OFF_RESERVED	40	/* u64: 0 */
#define EXTENT_OFF_SUM		48	/* 4 x u64, 16-byte aligned: see "Extent sum" */
#define EXTENT_SIZE		80
#define EXTENT_RAW		0	/* method: bytes as they are; STORED = LENGTH */
#define EXTENT_LZ4		1	/* method: in chunks, see below */

/* Chunks: what is stored of an EXTENT_LZ4.  Each is CHUNK_SECTORS long, but the last,
 * which ends where STORED does.  Behind its header comes one LZ4 block (lz4.org,
 * "LZ4 Block Format"), which depends on no other, then filling; or, if that would be
 * no smaller, the bytes as they are: then both sizes are the same. */
#define CHUNK_SECTORS		127	/* what the loader reads in one piece */
#define CHUNK_OFF_LENGTH	0	/* u32: bytes in memory, > 0 */
#define CHUNK_OFF_STORED	4	/* u32: bytes of the block */
#define CHUNK_HEADER_SIZE	8

/* Extent sum: over whole sectors, the filling included.  Its state is T and U, each
 * of two u64 lanes; all four begin with EXTENT_FACTOR.  All additions are lane by lane,
 * modulo 2^64.  Of a sector, T takes the 16 vectors of 16 bytes that begin at its bytes
 * 31 * k, and U those at 31 * k + 16: they are added, and subtracted from k = 8 on.  So
 * it matters where in a sector a word is.  Then U += lo32(T) * EXTENT_FACTOR; T, as one
 * number of 128 bits, is turned right by 32 bits; T += U; and U += the last 16 bytes of
 * the sector.  The sum is T.lane0, T.lane1, U.lane0, U.lane1.  Every step can be undone:
 * so a change within 16 bytes in a row always shows. */
#define EXTENT_FACTOR		0x9e3779b1

/* ---- Boot table: zero record, bytes of a block to clear ------------------ */

#define ZERO_OFF_BLOCK		0	/* u32 */
#define ZERO_OFF_RESERVED	4	/* u32: 0 */
#define ZERO_OFF_OFFSET		8	/* u64 */
#define ZERO_OFF_LENGTH		16	/* u64: bytes */
#define ZERO_SIZE		24

/* ---- Boot table: map record, pages to map ------------------------------- */

#define MAP_OFF_VIRT		0	/* u64: page aligned, canonical */
#define MAP_OFF_BLOCK		8	/* u32 */
#define MAP_OFF_FLAGS		12	/* u32: MAP_* below, the bits of ELF's p_flags */
#define MAP_OFF_OFFSET		16	/* u64: page-aligned offset in the block */
#define MAP_OFF_LENGTH		24	/* u64: bytes, whole pages */
#define MAP_SIZE		32
#define MAP_EXECUTE		1
#define MAP_WRITE		2
#define MAP_READ		4

/* ---- Boot table: info, and fixup records -------------------------------- */

/* Info: what the kernel is told, in its protocol's own format, as far as the
 * host knows it.  The loader copies it to where the kernel will find it, adds
 * the addresses that it chose (the fixups), and fills in what only the machine
 * knows. */

/* A fixup adds an address to a little-endian field of the info. */
#define FIXUP_OFF_OFFSET	0	/* u32: of the field, from the start of the info */
#define FIXUP_OFF_WIDTH		4	/* u32: bytes of the field, 4 or 8 */
#define FIXUP_OFF_BLOCK		8	/* u32: block whose physical address is added, or BLOCK_NONE:
					   the address of the info as the kernel sees it */
#define FIXUP_OFF_RESERVED	12	/* u32: 0 */
#define FIXUP_SIZE		16

/* ---- Hand-off: struct mkbootimg_info (include/mkbootimg.h) --------------- */

#define INFO_MAGIC		0x4f464e495442494d	/* "MIBTINFO" */
#define INFO_VERSION		1

#define INFO_OFF_MAGIC		0
#define INFO_OFF_VERSION	8
#define INFO_OFF_SIZE		12
#define INFO_OFF_MEMORY		16
#define INFO_OFF_MEMORY_COUNT	24
#define INFO_OFF_CMDLINE	32
#define INFO_OFF_CMDLINE_LEN	40
#define INFO_OFF_MODULES	48
#define INFO_OFF_MODULE_COUNT	56
#define INFO_OFF_SEGMENTS	64
#define INFO_OFF_SEGMENT_COUNT	72
#define INFO_OFF_KERNEL_VSTART	80
#define INFO_OFF_KERNEL_VEND	88
#define INFO_OFF_KERNEL_PSTART	96
#define INFO_OFF_KERNEL_PEND	104
#define INFO_OFF_STACK_VSTART	112
#define INFO_OFF_STACK_VEND	120
#define INFO_OFF_STACK_PSTART	128
#define INFO_OFF_STACK_PEND	136
#define INFO_OFF_PHYSMAP	144
#define INFO_OFF_PHYSMAP_SIZE	152
#define INFO_OFF_RSDP		160
#define INFO_OFF_TSC_START	168
#define INFO_OFF_TSC_HANDOFF	176
#define INFO_OFF_FB_ADDRESS	184
#define INFO_OFF_FB_WIDTH	192
#define INFO_OFF_FB_HEIGHT	196
#define INFO_OFF_FB_PITCH	200
#define INFO_OFF_FB_KIND	204
#define INFO_OFF_FB_BPP		205
#define INFO_OFF_FB_RED		206
#define INFO_OFF_BOOT_DRIVE	216
#define INFO_SIZE		224

/* One region of the memory map. */
#define REGION_OFF_START	0	/* u64: page aligned */
#define REGION_OFF_SIZE		8	/* u64: whole pages */
#define REGION_OFF_KIND		16	/* u32: INFO_KIND_* */
#define REGION_OFF_RESERVED	20	/* u32: 0 */
#define REGION_SIZE		24

/* One mapped run of kernel pages. */
#define SEGMENT_OFF_VIRT	0	/* u64 */
#define SEGMENT_OFF_PHYS	8	/* u64 */
#define SEGMENT_OFF_SIZE	16	/* u64 */
#define SEGMENT_OFF_FLAGS	24	/* u32: MAP_* */
#define SEGMENT_OFF_RESERVED	28	/* u32: 0 */
#define SEGMENT_SIZE		32

/* One module. */
#define MODULE_OFF_START	0	/* u64: virtual, in the physical map */
#define MODULE_OFF_PHYS		8	/* u64 */
#define MODULE_OFF_SIZE		16	/* u64: bytes */
#define MODULE_OFF_NAME		24	/* u64: virtual */
#define MODULE_SIZE		32

/* Memory kinds: where regions overlap, the higher number wins, so the order
 * is from the most to the least free.  0 is "nothing known here". */
#define INFO_KIND_USABLE		1
#define INFO_KIND_LOADER_RECLAIMABLE	2
#define INFO_KIND_KERNEL		3
#define INFO_KIND_MODULES		4
#define INFO_KIND_FRAMEBUFFER		5
#define INFO_KIND_ACPI_RECLAIMABLE	6
#define INFO_KIND_ACPI_NVS		7
#define INFO_KIND_RESERVED		8
#define INFO_KIND_BAD			9
/* Only in the loader, for protocols that tell of these. */
#define INFO_KIND_STACK			10
#define INFO_KIND_BOOT_INFO		11
#define INFO_KIND_PAGE_TABLES		12
#define INFO_KIND_LOADER		13
#define INFO_KIND_FRAME_ZERO		14

#define INFO_FB_NONE		0
#define INFO_FB_TEXT		1
#define INFO_FB_RGB		2

/* ---- Hand-off: struct BootInfo of the Rust crate bootloader 0.9 ----------- */

/* repr(C).  The memory map comes first; which of the fields behind it there are
 * depends on the crate's features, each 8-byte aligned, in this order:
 *	recursive_page_table_addr	u64, with "recursive_page_table"
 *	physical_memory_offset		u64, with "map_physical_memory"
 *	tls_template			3 x u64: start, bytes in the file, bytes in memory
 *	_non_exhaustive			u8
 */
#define BL09_OFF_REGIONS	0	/* BL09_REGIONS records */
#define BL09_OFF_REGION_COUNT	1536	/* u64: of those in use, which come first */
#define BL09_OFF_FEATURES	1544	/* the fields that depend on features */
#define BL09_REGIONS		64

#define BL09_REGION_START	0	/* u64: number of the first page frame */
#define BL09_REGION_END		8	/* u64: and of the first behind the region */
#define BL09_REGION_TYPE	16	/* u32: BL09_*; u32 0 follows */
#define BL09_REGION_SIZE	24

#define BL09_USABLE		0
#define BL09_RESERVED		2
#define BL09_ACPI_RECLAIMABLE	3
#define BL09_ACPI_NVS		4
#define BL09_BAD		5
#define BL09_KERNEL		6
#define BL09_STACK		7
#define BL09_PAGE_TABLE		8
#define BL09_BOOTLOADER		9
#define BL09_FRAME_ZERO		10
#define BL09_EMPTY		11	/* of records that are not in use */
#define BL09_BOOT_INFO		12

/* ---- Hand-off: Multiboot information (Multiboot 0.6.96, 3.3) -------------- */

#define MB1_OFF_FLAGS		0	/* u32: MB1_HAS_* */
#define MB1_OFF_MEM_LOWER	4	/* u32: KiB from 0 */
#define MB1_OFF_MEM_UPPER	8	/* u32: KiB from 1 MiB to the first hole */
#define MB1_OFF_BOOT_DEVICE	12	/* u32: drive in the highest byte, then partitions */
#define MB1_OFF_CMDLINE		16	/* u32 */
#define MB1_OFF_MODS_COUNT	20	/* u32 */
#define MB1_OFF_MODS_ADDR	24	/* u32: MB1_MOD_* records */
#define MB1_OFF_SYMS		28	/* 4 x u32: num, size, addr, shndx of the section headers */
#define MB1_OFF_MMAP_LENGTH	44	/* u32: bytes */
#define MB1_OFF_MMAP_ADDR	48	/* u32 */
#define MB1_OFF_LOADER_NAME	64	/* u32 */
#define MB1_OFF_VBE_CONTROL	72	/* u32: address of the VbeInfoBlock */
#define MB1_OFF_VBE_MODE_INFO	76	/* u32: address of the ModeInfoBlock */
#define MB1_OFF_VBE_MODE	80	/* u16; 3 words of the protected-mode interface follow: 0 */
#define MB1_OFF_FRAMEBUFFER	88	/* address u64, pitch, width, height u32, bpp, type u8, and
					   6 bytes of colour field positions and sizes */
#define MB1_INFO_SIZE		120

#define MB1_HAS_MEMORY		0x0001
#define MB1_HAS_BOOT_DEVICE	0x0002
#define MB1_HAS_CMDLINE		0x0004
#define MB1_HAS_MODULES		0x0008
#define MB1_HAS_SECTIONS	0x0020
#define MB1_HAS_MMAP		0x0040
#define MB1_HAS_LOADER_NAME	0x0200
#define MB1_HAS_VBE		0x0800
#define MB1_HAS_FRAMEBUFFER	0x1000

#define MB1_MOD_START		0	/* u32 */
#define MB1_MOD_END		4	/* u32: behind its last byte */
#define MB1_MOD_STRING		8	/* u32 */
#define MB1_MOD_SIZE		16

#define MB1_BOOT_MAGIC		0x2badb002	/* EAX at entry (3.2) */

/* ---- Hand-off: Multiboot 2 information (Multiboot 2.0, 3.6) --------------- */

#define MB2_OFF_TOTAL_SIZE	0	/* u32, then u32 0; tags of u32 type, u32 size, 8-byte aligned */
#define MB2_HEADER_SIZE		8

#define MB2_TAG_END		0
#define MB2_TAG_CMDLINE		1
#define MB2_TAG_LOADER_NAME	2
#define MB2_TAG_MODULE		3
#define MB2_TAG_MEMORY		4
#define MB2_TAG_BOOT_DEVICE	5
#define MB2_TAG_MMAP		6
#define MB2_TAG_VBE		7
#define MB2_TAG_FRAMEBUFFER	8
#define MB2_TAG_SECTIONS	9
#define MB2_TAG_SMBIOS		13
#define MB2_TAG_ACPI_OLD	14
#define MB2_TAG_ACPI_NEW	15
#define MB2_TAG_LOAD_BASE	21

#define MB2_BOOT_MAGIC		0x36d76289	/* EAX at entry (3.5) */

/* ---- Hand-off: struct hvm_start_info (x86/HVM direct boot ABI, version 1) -- */

#define PVH_OFF_MAGIC		0	/* u32 */
#define PVH_OFF_VERSION		4	/* u32: 1, has the memory map */
#define PVH_OFF_FLAGS		8	/* u32: 0 */
#define PVH_OFF_MODULE_COUNT	12	/* u32 */
#define PVH_OFF_MODULES		16	/* u64: PVH_MOD_* records */
#define PVH_OFF_CMDLINE		24	/* u64 */
#define PVH_OFF_RSDP		32	/* u64 */
#define PVH_OFF_MMAP		40	/* u64: records of u64 address, u64 size, u32 type, u32 0 */
#define PVH_OFF_MMAP_COUNT	48	/* u32 */
#define PVH_INFO_SIZE		56

#define PVH_MOD_START		0	/* u64 */
#define PVH_MOD_BYTES		8	/* u64 */
#define PVH_MOD_CMDLINE		16	/* u64 */
#define PVH_MOD_SIZE		32

#define PVH_MAGIC		0x336ec578

/* ---- Ports between guest and runner ------------------------------------- */

#define PORT_DEBUG_CONSOLE	0xe9	/* reads back its own number when it is there */
#define PORT_RUNNER		0xea	/* likewise; only "mkbootimg run" provides it */
#define RUNNER_HANDOFF		4	/* byte on PORT_RUNNER: the kernel is entered next;
					   everything before it is a loader message */
/* After RUNNER_HANDOFF the loader waits a little for the runner, which may have to
 * prepare for what the kernel does, and answers by writing RUNNER_READY to this
 * port through QEMU: the page register of DMA channel 3, where nothing is. */
#define PORT_READY		0x82
#define RUNNER_READY		0xa5
#define RUNNER_PATIENCE		0x800000	/* reads of that port */
#define RUNNER_FAULT		5	/* behind that: before and after the early fault report */
#define RUNNER_TIMES		6	/* before RUNNER_HANDOFF: TIME_COUNT u64 follow, little-endian:
					   ticks of the TSC, which began with the machine, by part */
#define TIME_FIRMWARE		0
#define TIME_START		1	/* the loader: stages 1 and 2, boot table, memory map */
#define TIME_READ		2	/* disk reads of extents */
#define TIME_COPY		3	/* what was read, to where it belongs, and its sum */
#define TIME_UNPACK		4	/* likewise of compressed extents */
#define TIME_CLEAR		5	/* .bss and the like */
#define TIME_SCREEN		6	/* video mode */
#define TIME_TABLES		7	/* page tables, and what the kernel is told */
#define TIME_COUNT		8

#endif
