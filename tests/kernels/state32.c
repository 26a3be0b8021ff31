/* SPDX-License-Identifier: MIT
 *
 * Test kernel "state32": checks what a kernel of a 32-bit protocol is promised at
 * its entry, from inside; prints its command line and modules.  Words of the
 * command line:
 *	full	check what mkbootimg promises, not only what every loader of
 *		the protocol gives
 *	text	it is told of the text screen
 *	noacpi	the machine has no ACPI tables
 *	code=N	the verdict, if all is well
 */
#include "boot32.h"

static bool full, has_acpi;

static const struct boot *boot;

/* ---- Registers ----------------------------------------------------------- */

static uint64_t descriptor(uint16_t selector)
{
	CHECK((selector | 7) <= entered.gdt_limit, selector);
	return AT(uint64_t, entered.gdt_base)[selector >> 3];
}

static uint32_t base_of(uint64_t d)
{
	return (uint32_t)(d >> 16 & 0xffffff) | (uint32_t)(d >> 56) << 24;
}

static uint32_t limit_of(uint64_t d)
{
	uint32_t limit = (uint32_t)(d & 0xffff) | (uint32_t)(d >> 32 & 0xf0000);

	return d >> 55 & 1 ? limit << 12 | 0xfff : limit;
}

/* Flat, 32-bit, present, of ring 0; type without "accessed". */
static void check_descriptor(uint16_t selector, uint32_t type)
{
	uint64_t d = descriptor(selector);

	CHECK(base_of(d) == 0, d);
	CHECK(limit_of(d) == 0xffffffff, d);
	CHECK((d >> 40 & 0xfe) == type, d);
	CHECK((d >> 53 & 3) == 2, d);	/* D, not L */
}

static void check_registers(void)
{
	CHECK(entered.cr0 & 1, entered.cr0);			/* PE */
	CHECK((entered.cr0 & 1u << 31) == 0, entered.cr0);	/* PG */
	CHECK((entered.eflags & 1u << 17) == 0, entered.eflags);	/* VM */
	CHECK((entered.eflags & 1u << 9) == 0, entered.eflags);		/* IF */
	if (!full)
		return;
	CHECK(entered.cs == 0x08, entered.cs);
	CHECK(entered.ds == 0x10, entered.ds);
	CHECK(entered.es == 0x10, entered.es);
	CHECK(entered.ss == 0x10, entered.ss);
	CHECK(entered.fs == 0x10, entered.fs);
	CHECK(entered.gs == 0x10, entered.gs);
	check_descriptor(0x08, 0x9a);
	check_descriptor(0x10, 0x92);
	CHECK((entered.eflags & 1u << 8) == 0, entered.eflags);		/* TF */
	CHECK((entered.eflags & 1u << 10) == 0, entered.eflags);	/* DF */
	/* The GDT stays valid: load from it again. */
	__asm__ volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%ss; mov %0, %%fs; mov %0, %%gs"
			 :
			 : "r"(0x10));
	__asm__ volatile("ljmp $0x08, $1f; 1:");
}

/* PVH says more. */
static void check_pvh_registers(void)
{
	uint64_t d;

	if (!entered.pvh || !full)
		return;
	CHECK((entered.cr0 & ~0x10u) == 1, entered.cr0);	/* PE; ET cannot be cleared */
	CHECK(entered.cr4 == 0, entered.cr4);
	d = descriptor(entered.tr);
	CHECK((d >> 40 & 0xff) == 0x8b, d);	/* a busy 32-bit TSS */
	CHECK(base_of(d) == 0, d);
	CHECK(limit_of(d) == 0x67, d);
}

/* With A20 off, what has bit 20 set is also where it is clear. */
static void check_a20(void)
{
	static volatile uint32_t here;
	const volatile uint32_t *there = (const volatile uint32_t *)((uintptr_t)&here ^ MIB);
	bool differs = false;

	for (uint32_t value = 1; value <= 3; value++) {
		here = value;
		differs |= *there != value;
	}
	CHECK(differs, (uintptr_t)&here);
}

/* ---- Who lies where ------------------------------------------------------ */

struct claim {
	const char *what;
	uint64_t start, end;
};

static struct claim claims[256];
static size_t claim_count;

static bool is_ram(uint64_t start, uint64_t end)
{
	for (size_t i = 0; i < boot->region_count; i++) {
		const struct region *region = &boot->regions[i];

		if (region->kind == KIND_RAM && start >= region->start &&
		    end <= region->start + region->size)
			return true;
	}
	return false;
}

/* Memory that is in use: it must be RAM, and nobody else's. */
static void claim(const char *what, uint64_t start, uint64_t size)
{
	const struct claim *other = NULL;

	if (size == 0 || !full)
		return;
	for (size_t i = 0; i < claim_count; i++)
		if (start < claims[i].end && claims[i].start < start + size)
			other = &claims[i];
	if (other != NULL || !is_ram(start, start + size)) {
		print(what);
		print(other != NULL ? " overlaps " : " is not in RAM");
		print(other != NULL ? other->what : "");
		print("\n");
		failed("memory is not its own", start);
	}
	CHECK(claim_count < sizeof(claims) / sizeof(claims[0]), claim_count);
	claims[claim_count++] = (struct claim){ what, start, start + size };
}

static uint32_t text_size(const char *text)
{
	uint32_t length = 0;

	while (text[length] != '\0')
		length++;
	return length + 1;
}

static void claim_text(const char *what, uint32_t address)
{
	CHECK(address != 0, 0);
	claim(what, address, text_size(AT(char, address)));
}

/* What the firmware keeps of the memory below 640 KiB, by its count of KiB and its
 * pointer to the extended BIOS data area, as far as these can be true. */
static void claim_firmware(void)
{
	volatile uint32_t data_area = 0x400;
	uint32_t end = *AT(uint16_t, data_area + 0x13) * 1024u;
	uint32_t extended = *AT(uint16_t, data_area + 0x0e) * 16u;

	if (extended >= 0x80000 && extended < end)
		end = extended;
	if (full && end < 0xa0000)
		claims[claim_count++] = (struct claim){ "the firmware's memory", end, 0xa0000 };
}

/* What the loader leaves besides the information.  The stack must be usable: at
 * least 1 KiB of it. */
static void claim_machine(void)
{
	volatile uint32_t *top = (volatile uint32_t *)(uintptr_t)entered.esp;

	claim("the kernel", (uintptr_t)kernel_start, (uintptr_t)(kernel_end - kernel_start));
	claim("the GDT", entered.gdt_base, entered.gdt_limit + 1u);
	if (!full)
		return;
	claim_firmware();
	CHECK(entered.esp % 4 == 0, entered.esp);
	claim("the stack", entered.esp - 1024, 1024);
	for (int i = 1; i <= 256; i++)
		top[-i] = (uint32_t)i;
	for (int i = 1; i <= 256; i++)
		CHECK(top[-i] == (uint32_t)i, i);
}

/* ---- What all tell ------------------------------------------------------- */

/* The RAM that goes on from an address, in KiB. */
static uint32_t ram_from(uint64_t address)
{
	uint64_t end = address;

	for (size_t i = 0; i < boot->region_count; i++) {
		const struct region *region = &boot->regions[i];

		if (region->kind == KIND_RAM && region->start <= end && region->start + region->size > end)
			end = region->start + region->size;
	}
	return (uint32_t)((end - address) >> 10);
}

static void check_memory(uint32_t lower, uint32_t upper)
{
	CHECK(lower == ram_from(0), lower);
	CHECK(upper == ram_from(MIB), upper);
	CHECK(lower >= 500 && lower <= 640, lower);
	CHECK(upper >= 14 * 1024, upper);	/* of 16 MiB, less what the firmware keeps */
}

static void check_regions(void)
{
	uint64_t end = 0;

	CHECK(boot->region_count >= 4, boot->region_count);
	for (size_t i = 0; i < boot->region_count; i++) {
		const struct region *region = &boot->regions[i];

		CHECK(region->size > 0, i);
		CHECK(region->start >= end, region->start);
		end = region->start + region->size;
		CHECK(end > region->start, end);
		CHECK(region->kind >= KIND_RAM, region->kind);
	}
}

static void check_modules(void)
{
	for (size_t i = 0; i < boot->module_count; i++) {
		const struct module *module = &boot->modules[i];
		uint32_t sum = 0;

		CHECK((uintptr_t)module->bytes % PAGE == 0, (uintptr_t)module->bytes);
		CHECK(!full || module->bytes >= (const uint8_t *)kernel_end, (uintptr_t)module->bytes);
		claim("a module", (uintptr_t)module->bytes, module->size);
		for (uint32_t j = 0; j < module->size; j++)
			sum = sum * 31 + module->bytes[j];
		print("module: ");
		print_decimal(module->size);
		print(" bytes, ");
		print_hex(sum);
		print(", ");
		print(module->name);
		print("\n");
	}
}

static void check_rsdp(const uint8_t *rsdp, uint32_t size)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < 8; i++)
		CHECK(rsdp[i] == (uint8_t)"RSD PTR "[i], i);
	for (uint32_t i = 0; i < size; i++)
		sum = (uint8_t)(sum + rsdp[i]);
	CHECK(sum == 0, sum);
}

/* Type 2 is text. */
static void check_screen(uint64_t address, const uint32_t pitch_width_height[3], uint8_t bpp, uint8_t type)
{
	if (find_word(boot->command_line, "text") == NULL)
		return;
	CHECK(type == 2, type);
	CHECK(address == 0xb8000, address);
	CHECK(pitch_width_height[0] == 160, pitch_width_height[0]);
	CHECK(pitch_width_height[1] == 80, pitch_width_height[1]);
	CHECK(pitch_width_height[2] == 25, pitch_width_height[2]);
	CHECK(bpp == 16, bpp);
}

/* ---- ELF sections -------------------------------------------------------- */

/* What matters of a section header, of either class. */
struct section {
	uint32_t name, type, link, flags;
	uint64_t address, size;
};

#define SECTION_SYMTAB 2
#define SECTION_STRTAB 3
#define SECTION_ALLOC 2

static struct section section_at(const uint8_t *headers, uint32_t size, uint32_t index)
{
	const uint32_t *w = (const uint32_t *)(const void *)(headers + size * index);

	if (size == 40)
		return (struct section){ w[0], w[1], w[6], w[2], w[3], w[5] };
	return (struct section){ w[0], w[1], w[10], w[2], w[4] | (uint64_t)w[5] << 32,
				 w[8] | (uint64_t)w[9] << 32 };
}

/* The value of a symbol; there must be one of that name. */
static uint64_t symbol(const struct section *symbols, const char *names, const char *name, bool wide)
{
	uint32_t size = wide ? 24 : 16;

	for (uint32_t at = 0; at < symbols->size; at += size) {
		const uint32_t *w = AT(uint32_t, (uint32_t)symbols->address + at);

		if (same_text(names + w[0], name))
			return wide ? w[2] | (uint64_t)w[3] << 32 : w[1];
	}
	failed(name, symbols->address);
}

static void check_sections(const uint8_t *headers, uint32_t count, uint32_t size, uint32_t shndx)
{
	bool found = false;

	CHECK(size == 40 || size == 64, size);
	CHECK(count > 0 && shndx > 0 && shndx < count, shndx);
	struct section names = section_at(headers, size, shndx);
	CHECK(names.type == SECTION_STRTAB && names.address != 0, names.address);
	CHECK(same_text(AT(char, (uint32_t)names.address + names.name), ".shstrtab"), names.name);
	for (uint32_t i = 0; i < count; i++) {
		struct section section = section_at(headers, size, i);

		CHECK(section.address >> 32 == 0, section.address);
		if (section.address == 0)
			continue;
		if (section.flags & SECTION_ALLOC) {
			CHECK(section.address >= (uintptr_t)kernel_start &&
				      section.address + section.size <= (uintptr_t)kernel_end,
			      section.address);
			continue;
		}
		claim(AT(char, (uint32_t)names.address + section.name), section.address, section.size);
		if (section.type != SECTION_SYMTAB)
			continue;
		found = true;
		struct section texts = section_at(headers, size, section.link);
		CHECK(section.link < count && texts.type == SECTION_STRTAB && texts.address != 0, section.link);
		CHECK(symbol(&section, AT(char, texts.address), "kernel", size == 64) == (uintptr_t)kernel,
		      section.address);
		CHECK(symbol(&section, AT(char, texts.address), "kernel_end", size == 64) ==
			      (uintptr_t)kernel_end,
		      section.address);
	}
	CHECK(found, count);
}

/* ---- Multiboot 1 --------------------------------------------------------- */

static void check_multiboot1(void)
{
	const struct mb1_info *info = AT(struct mb1_info, entered.ebx);
	const uint32_t wanted = MB1_MEMORY | MB1_BOOT_DEVICE | MB1_CMDLINE | MB1_ELF | MB1_MMAP | MB1_NAME;

	CHECK((info->flags & (MB1_MEMORY | MB1_CMDLINE | MB1_MMAP)) ==
		      (MB1_MEMORY | MB1_CMDLINE | MB1_MMAP),
	      info->flags);
	if (!full)
		return;
	CHECK((info->flags & wanted) == wanted, info->flags);
	CHECK((info->flags & MB1_AOUT) == 0, info->flags);
	CHECK(info->flags >> 13 == 0, info->flags);
	claim("the Multiboot information", entered.ebx, sizeof(*info));
	claim("the memory map", info->mmap_addr, info->mmap_length);
	claim_text("the command line", info->cmdline);
	claim_text("the loader's name", info->boot_loader_name);
	claim("the section headers", info->elf_addr, (uint64_t)info->elf_num * info->elf_size);
	if (info->flags & MB1_MODULES)
		claim("the module list", info->mods_addr, info->mods_count * sizeof(struct mb1_module));
	for (uint32_t i = 0; i < boot->module_count; i++)
		claim_text("a module's name", AT(struct mb1_module, info->mods_addr)[i].string);
	for (uint32_t i = 0; i < boot->region_count; i++)
		CHECK(AT(struct mb1_region, info->mmap_addr)[i].size == 20, i);

	uint32_t sizes[3] = { info->framebuffer_pitch, info->framebuffer_width, info->framebuffer_height };
	check_screen(info->framebuffer_addr, sizes, info->framebuffer_bpp,
		     info->flags & MB1_FRAMEBUFFER ? info->framebuffer_type : 0);
	check_memory(info->mem_lower, info->mem_upper);
	CHECK(info->boot_device == 0x8000ffff, info->boot_device);
	CHECK(same_text(AT(char, info->boot_loader_name), "mkbootimg"), info->boot_loader_name);
	check_sections(AT(uint8_t, info->elf_addr), info->elf_num, info->elf_size, info->elf_shndx);
}

/* ---- Multiboot 2 --------------------------------------------------------- */

/* The one tag of a type; it must be there. */
static const struct mb2_tag *the_tag(uint32_t type)
{
	const struct mb2_tag *tag = mb2_find(type, NULL);

	CHECK(tag != NULL, type);
	CHECK(mb2_find(type, tag) == NULL, type);
	return tag;
}

/* Structures, each with its texts behind it, to the one of type 127. */
static void check_smbios(const struct mb2_tag *tag)
{
	const uint8_t *at = tag->smbios.tables, *end = (const uint8_t *)tag + tag->size;
	uint8_t type;

	CHECK(tag->smbios.major >= 2 && tag->smbios.major <= 3, tag->smbios.major);
	do {
		CHECK(at + 4 <= end && at[1] >= 4 && at + at[1] <= end, at - tag->smbios.tables);
		type = at[0];
		for (at += at[1]; at + 2 <= end && (at[0] != 0 || at[1] != 0); at++)
			;
		at += 2;
	} while (type != 127);
	CHECK(at <= end, at - tag->smbios.tables);
}

/* ACPI 1 has a table pointer of 20 bytes, later ones of 36 and more. */
static void check_acpi(void)
{
	const struct mb2_tag *old = mb2_find(MB2_ACPI_OLD, NULL), *new = mb2_find(MB2_ACPI_NEW, NULL);

	CHECK((old != NULL || new != NULL) == has_acpi, has_acpi);
	if (old != NULL) {
		CHECK(old->size == 8 + 20, old->size);
		check_rsdp(old->rsdp, 20);
	}
	if (new != NULL) {
		CHECK(new->size >= 8 + 36, new->size);
		CHECK(new->rsdp[15] >= 2, new->rsdp[15]);
		check_rsdp(new->rsdp, 20);
		check_rsdp(new->rsdp, *(const uint32_t *)(const void *)(new->rsdp + 20));
	}
}

static void check_screen_tag(const struct mb2_tag *tag)
{
	uint32_t sizes[3] = { 0 };

	if (tag == NULL) {
		check_screen(0, sizes, 0, 0);
		return;
	}
	sizes[0] = tag->framebuffer.pitch;
	sizes[1] = tag->framebuffer.width;
	sizes[2] = tag->framebuffer.height;
	check_screen(tag->framebuffer.address, sizes, tag->framebuffer.bpp, tag->framebuffer.type);
}

static void check_multiboot2(void)
{
	const struct mb2_tag *tag;

	if (!full)
		return;
	check_screen_tag(mb2_find(MB2_FRAMEBUFFER, NULL));
	claim("the Multiboot information", entered.ebx, *AT(uint32_t, entered.ebx));
	tag = the_tag(MB2_CMDLINE);
	CHECK(tag->size == 8 + text_size(tag->text), tag->size);
	tag = the_tag(MB2_NAME);
	CHECK(same_text(tag->text, "mkbootimg"), tag->size);
	CHECK(tag->size == 8 + text_size(tag->text), tag->size);
	for (tag = NULL; (tag = mb2_find(MB2_MODULE, tag)) != NULL;)
		CHECK(tag->size == 16 + text_size(tag->module.string), tag->size);
	tag = the_tag(MB2_MEMORY);
	CHECK(tag->size == 16, tag->size);
	check_memory(tag->memory.lower, tag->memory.upper);
	tag = the_tag(MB2_BOOT_DEVICE);
	CHECK(tag->size == 20, tag->size);
	CHECK(tag->boot_device.drive == 0x80, tag->boot_device.drive);
	CHECK(tag->boot_device.partition == 0, tag->boot_device.partition);
	CHECK(tag->boot_device.sub_partition == 0xffffffff, tag->boot_device.sub_partition);
	CHECK(the_tag(MB2_MMAP)->mmap.entry_size == 24, 0);
	tag = the_tag(MB2_ELF);
	CHECK(tag->size == 20 + tag->elf.num * tag->elf.entry_size, tag->size);
	check_sections(tag->elf.headers, tag->elf.num, tag->elf.entry_size, tag->elf.shndx);
	tag = mb2_find(MB2_SMBIOS, NULL);
	if (tag != NULL)
		check_smbios(tag);
	check_acpi();
	/* Only a kernel that may be moved is told where it is. */
	CHECK(mb2_find(MB2_LOAD_BASE, NULL) == NULL, 0);
}

/* ---- PVH ----------------------------------------------------------------- */

static void check_pvh(void)
{
	const struct pvh_info *info = AT(struct pvh_info, entered.ebx);

	CHECK((info->rsdp != 0) == has_acpi, info->rsdp);
	if (has_acpi)
		check_rsdp(AT(uint8_t, info->rsdp), 20);
	if (!full)
		return;
	CHECK(entered.ebx % 4 == 0, entered.ebx);
	CHECK(info->modules % 8 == 0 && info->memmap % 8 == 0, info->memmap);
	claim("the start information", entered.ebx, sizeof(*info));
	claim("the memory map", info->memmap, info->memmap_entries * sizeof(struct pvh_region));
	claim_text("the command line", (uint32_t)info->cmdline);
	claim("the module list", info->modules, info->module_count * sizeof(struct pvh_module));
	for (uint32_t i = 0; i < info->module_count; i++) {
		const struct pvh_module *module = AT(struct pvh_module, info->modules) + i;

		if (module->cmdline != 0)
			claim_text("a module's name", (uint32_t)module->cmdline);
	}
}

/* ---- All ----------------------------------------------------------------- */

void kernel(const struct boot *given)
{
	boot = given;
	full = find_word(boot->command_line, "full") != NULL;
	has_acpi = find_word(boot->command_line, "noacpi") == NULL;
	print("entered by ");
	print(boot->protocol);
	print("\n<");
	print(boot->command_line);
	print(">\n");
	check_registers();
	check_pvh_registers();
	check_a20();
	check_regions();
	claim_machine();
	if (entered.pvh)
		check_pvh();
	else if (entered.eax == MB1_MAGIC)
		check_multiboot1();
	else
		check_multiboot2();
	check_modules();
	print("every promise of the entry state holds\n");
	finish_as_told(boot);
}
