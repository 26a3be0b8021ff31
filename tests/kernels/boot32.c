/* SPDX-License-Identifier: MIT
 *
 * Reads what Multiboot 1, Multiboot 2 and PVH tell into one form (boot.h).  What
 * is not as the protocol's specification has it ends the machine.
 */
#include "boot32.h"

void boot32(void);

static struct boot boot;

static const struct mb2_tag *mb2_first, *mb2_end;

static void add_region(uint64_t start, uint64_t size, uint32_t kind)
{
	CHECK(boot.region_count < MAX_REGIONS, boot.region_count);
	boot.regions[boot.region_count++] = (struct region){ start, size, kind };
}

static void add_module(uint64_t start, uint64_t size, uint64_t name)
{
	CHECK(boot.module_count < MAX_MODULES, boot.module_count);
	CHECK(start >> 32 == 0 && (start + size) >> 32 == 0, start);
	boot.modules[boot.module_count++] = (struct module){
		AT(uint8_t, start), (uint32_t)size, name == 0 ? "" : AT(char, name)
	};
}

/* The same in both Multiboots; type 1 is pixels. */
static void set_framebuffer(uint64_t address, const uint32_t pitch_width_height[3], uint8_t bpp,
			    uint8_t type, const uint8_t colours[6])
{
	if (type != 1)
		return;
	boot.framebuffer = (struct framebuffer){
		.address = address,
		.pitch = pitch_width_height[0],
		.width = pitch_width_height[1],
		.height = pitch_width_height[2],
		.depth = bpp,
		.red_position = colours[0],
		.red_size = colours[1],
		.green_position = colours[2],
		.green_size = colours[3],
		.blue_position = colours[4],
		.blue_size = colours[5],
	};
}

/* The firmware's own words (VBE 3.0, 4.3 and 4.4) must be of the same mode. */
static void check_vbe(const uint8_t *control, const uint8_t *mode)
{
	for (size_t i = 0; i < 4; i++)
		CHECK(control[i] == (uint8_t)"VESA"[i], i);
	if (boot.framebuffer.depth == 0)
		return;
	CHECK(*AT(uint16_t, mode + 18) == boot.framebuffer.width, *AT(uint16_t, mode + 18));
	CHECK(*AT(uint16_t, mode + 20) == boot.framebuffer.height, *AT(uint16_t, mode + 20));
	CHECK(mode[25] == boot.framebuffer.depth, mode[25]);
	CHECK(*AT(uint32_t, mode + 40) == boot.framebuffer.address, *AT(uint32_t, mode + 40));
}

/* ---- Multiboot 1 --------------------------------------------------------- */

static void read_multiboot1(void)
{
	const struct mb1_info *info = AT(struct mb1_info, entered.ebx);
	uint32_t offset = 0;

	boot.protocol = "multiboot1";
	CHECK(entered.ebx % 4 == 0, entered.ebx);
	boot.command_line = info->flags & MB1_CMDLINE ? AT(char, info->cmdline) : "";
	if (info->flags & MB1_MMAP)
		while (offset < info->mmap_length) {
			const struct mb1_region *region = AT(struct mb1_region, info->mmap_addr + offset);

			CHECK(region->size >= 20, region->size);
			add_region(region->start, region->length, region->kind);
			offset += region->size + 4;
			CHECK(offset <= info->mmap_length, offset);
		}
	if (info->flags & MB1_MODULES)
		for (uint32_t i = 0; i < info->mods_count; i++) {
			const struct mb1_module *module = AT(struct mb1_module, info->mods_addr) + i;

			CHECK(module->start <= module->end, module->start);
			CHECK(module->reserved == 0, module->reserved);
			add_module(module->start, module->end - module->start, module->string);
		}
	if (info->flags & MB1_FRAMEBUFFER) {
		uint32_t sizes[3] = { info->framebuffer_pitch, info->framebuffer_width,
				      info->framebuffer_height };

		set_framebuffer(info->framebuffer_addr, sizes, info->framebuffer_bpp,
				info->framebuffer_type, info->colours);
	}
	if (info->flags & MB1_VBE)
		check_vbe(AT(uint8_t, info->vbe_control_info), AT(uint8_t, info->vbe_mode_info));
}

/* ---- Multiboot 2 --------------------------------------------------------- */

static const struct mb2_tag *mb2_next(const struct mb2_tag *tag)
{
	return AT(struct mb2_tag, ((uintptr_t)tag + tag->size + 7) & ~7u);
}

const struct mb2_tag *mb2_find(uint32_t type, const struct mb2_tag *after)
{
	const struct mb2_tag *tag = after == NULL ? mb2_first : mb2_next(after);

	for (; tag < mb2_end; tag = mb2_next(tag))
		if (tag->type == type)
			return tag;
	return NULL;
}

/* Tags follow each other, each 8-aligned, to an end tag at the very end. */
static void check_tags(void)
{
	const uint32_t *info = AT(uint32_t, entered.ebx);
	const struct mb2_tag *tag;

	CHECK(entered.ebx % 8 == 0, entered.ebx);
	CHECK(info[1] == 0, info[1]);
	mb2_first = AT(struct mb2_tag, entered.ebx + 8);
	mb2_end = AT(struct mb2_tag, entered.ebx + info[0]);
	for (tag = mb2_first; tag < mb2_end && tag->type != MB2_END; tag = mb2_next(tag))
		CHECK(tag->size >= 8, tag->type);
	CHECK(tag < mb2_end && tag->type == MB2_END && tag->size == 8, (uintptr_t)tag);
	CHECK((uintptr_t)tag + 8 == entered.ebx + info[0], info[0]);
}

static void read_multiboot2(void)
{
	const struct mb2_tag *tag;

	boot.protocol = "multiboot2";
	check_tags();
	tag = mb2_find(MB2_CMDLINE, NULL);
	boot.command_line = tag == NULL ? "" : tag->text;
	tag = mb2_find(MB2_MMAP, NULL);
	if (tag != NULL) {
		CHECK(tag->mmap.entry_size >= 24 && tag->mmap.entry_size % 8 == 0, tag->mmap.entry_size);
		CHECK(tag->mmap.entry_version == 0, tag->mmap.entry_version);
		CHECK((tag->size - 16) % tag->mmap.entry_size == 0, tag->size);
		for (uint32_t at = 16; at < tag->size; at += tag->mmap.entry_size) {
			const struct mb2_region *region = AT(struct mb2_region, (uintptr_t)tag + at);

			CHECK(region->zero == 0, region->zero);
			add_region(region->start, region->length, region->kind);
		}
	}
	for (tag = NULL; (tag = mb2_find(MB2_MODULE, tag)) != NULL;) {
		CHECK(tag->module.start <= tag->module.end, tag->module.start);
		add_module(tag->module.start, tag->module.end - tag->module.start,
			   (uintptr_t)tag->module.string);
	}
	tag = mb2_find(MB2_FRAMEBUFFER, NULL);
	if (tag != NULL) {
		uint32_t sizes[3] = { tag->framebuffer.pitch, tag->framebuffer.width,
				      tag->framebuffer.height };

		CHECK(tag->framebuffer.type != 1 || tag->size == 38, tag->size);
		set_framebuffer(tag->framebuffer.address, sizes, tag->framebuffer.bpp,
				tag->framebuffer.type, tag->framebuffer.colours);
	}
	tag = mb2_find(MB2_VBE, NULL);
	if (tag != NULL) {
		CHECK(tag->size == 784, tag->size);
		check_vbe(tag->vbe.control_info, tag->vbe.mode_info);
	}
}

/* ---- PVH ----------------------------------------------------------------- */

static void read_pvh(void)
{
	const struct pvh_info *info = AT(struct pvh_info, entered.ebx);

	boot.protocol = "pvh";
	CHECK(info->magic == PVH_MAGIC, info->magic);
	CHECK(info->version == 1, info->version);
	CHECK(info->flags == 0, info->flags);
	CHECK(info->reserved == 0, info->reserved);
	CHECK((info->modules | info->cmdline | info->rsdp | info->memmap) >> 32 == 0, info->modules);
	boot.command_line = info->cmdline == 0 ? "" : AT(char, info->cmdline);
	for (uint32_t i = 0; i < info->memmap_entries; i++) {
		const struct pvh_region *region = AT(struct pvh_region, info->memmap) + i;

		CHECK(region->reserved == 0, region->reserved);
		add_region(region->start, region->size, region->kind);
	}
	for (uint32_t i = 0; i < info->module_count; i++) {
		const struct pvh_module *module = AT(struct pvh_module, info->modules) + i;

		CHECK(module->reserved == 0, module->reserved);
		add_module(module->start, module->size, module->cmdline);
	}
}

/* ---- Entry --------------------------------------------------------------- */

void boot32(void)
{
	if (entered.pvh)
		read_pvh();
	else if (entered.eax == MB1_MAGIC)
		read_multiboot1();
	else if (entered.eax == MB2_MAGIC)
		read_multiboot2();
	else
		failed("no protocol's magic number in EAX", entered.eax);
	kernel(&boot);
	failed("the kernel returned", 0);
}
