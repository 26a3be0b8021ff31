/* SPDX-License-Identifier: MIT
 *
 * cpu_parse() on what QEMU 7.2 writes, and cpu_walk() and cpu_read() on page
 * tables in a memory made up here.  The rules are those of the Intel SDM,
 * volume 3, chapter 4.
 */
#include "crash/cpu.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "unit.h"

/* ---- Register dumps -------------------------------------------------------- */

/* "info registers" of a kernel that the loader's handlers stopped. */
static const char dump_64[] =
	"\n"
	"CPU#0\n"
	"RAX=00000000000005ff RBX=0000000000112000 RCX=0000000000000000 RDX=000000000000000c\n"
	"RSI=fffffe00000124bb RDI=0000000000000320 RBP=fffffe00000137b8 RSP=fffffe00000137b0\n"
	"R8 =0000000000000008 R9 =fffffe0000013000 R10=0000000000401033 R11=0000000000000011\n"
	"R12=000000000000000e R13=fffffe0000013198 R14=0000000000000014 R15=0000000000000015\n"
	"RIP=fffffe00000122b8 RFL=00000002 [-------] CPL=0 II=0 A20=1 SMM=0 HLT=1\n"
	"ES =0010 0000000000000000 ffffffff 00cf9300 DPL=0 DS   [-WA]\n"
	"CS =0008 0000000000000000 ffffffff 00af9b00 DPL=0 CS64 [-RA]\n"
	"SS =0000 0000000000000000 00000000 00000000\n"
	"DS =0010 0000000000000000 ffffffff 00cf9300 DPL=0 DS   [-WA]\n"
	"FS =0010 0000000000000000 ffffffff 00cf9300 DPL=0 DS   [-WA]\n"
	"GS =0010 0000000000000000 ffffffff 00cf9300 DPL=0 DS   [-WA]\n"
	"LDT=0000 0000000000000000 0000ffff 00008200 DPL=0 LDT\n"
	"TR =0018 fffffe00000131f0 00000067 00008900 DPL=0 TSS64-avl\n"
	"GDT=     fffffe0000013170 00000027\n"
	"IDT=     fffffe0000013260 000001ff\n"
	"CR0=80010033 CR2=0000123456789abc CR3=0000000000112000 CR4=00000620\n"
	"DR0=0000000000000000 DR1=0000000000000000 DR2=0000000000000000 DR3=0000000000000000 \n"
	"DR6=00000000ffff0ff0 DR7=0000000000000400\n"
	"EFER=0000000000000d00\n"
	"FCW=037f FSW=0000 [ST=0] FTW=00 MXCSR=00001f80\n"
	"FPR0=0000000000000000 0000 FPR1=0000000000000000 0000\n"
	"XMM00=0000000000000000 0000000000000000 XMM01=0000000000000000 0000000000000000\n";

static const struct cpu cpu_64 = {
	.is_64 = true,
	.gpr = { 0x5ff, 0x112000, 0, 0xc, 0xfffffe00000124bb, 0x320, 0xfffffe00000137b8,
		 0xfffffe00000137b0, 8, 0xfffffe0000013000, 0x401033, 0x11, 0xe, 0xfffffe0000013198,
		 0x14, 0x15 },
	.ip = 0xfffffe00000122b8, .flags = 2, .cs = 8, .tr = 0x18, .halted = true,
	.cr0 = 0x80010033, .cr2 = 0x123456789abc, .cr3 = 0x112000, .cr4 = 0x620, .efer = 0xd00,
	.idt_base = 0xfffffe0000013260, .idt_limit = 0x1ff,
};

/* Of the log: with the flags' origin, which has a name that ends in "CS". */
static const char dump_32[] =
	"EAX=0009e08c EBX=0009e078 ECX=00000006 EDX=001014ae\n"
	"ESI=00000007 EDI=000000a8 EBP=00000001 ESP=00109fd0\n"
	"EIP=00100d61 EFL=00000002 [-------] CPL=0 II=0 A20=1 SMM=0 HLT=0\n"
	"ES =0010 00000000 ffffffff 00cf9300 DPL=0 DS   [-WA]\n"
	"CS =0008 00000000 ffffffff 00cf9b00 DPL=0 CS32 [-RA]\n"
	"SS =0010 00000000 ffffffff 00cf9300 DPL=0 DS   [-WA]\n"
	"DS =0010 00000000 ffffffff 00cf9300 DPL=0 DS   [-WA]\n"
	"FS =0010 00000000 ffffffff 00cf9300 DPL=0 DS   [-WA]\n"
	"GS =0010 00000000 ffffffff 00cf9300 DPL=0 DS   [-WA]\n"
	"LDT=0000 00000000 0000ffff 00008200 DPL=0 LDT\n"
	"TR =0018 00000000 00000067 00008900 DPL=0 TSS32-avl\n"
	"GDT=     0009d800 0000001f\n"
	"IDT=     0009d820 000000ff\n"
	"CR0=00000011 CR2=00000000 CR3=00000000 CR4=00000000\n"
	"DR0=0000000000000000 DR1=0000000000000000 DR2=0000000000000000 DR3=0000000000000000 \n"
	"DR6=00000000ffff0ff0 DR7=0000000000000400\n"
	"CCS=00000004 CCD=0009e08c CCO=LOGICL\n"
	"EFER=0000000000000000\n";

static const struct cpu cpu_32 = {
	.gpr = { 0x9e08c, 0x9e078, 6, 0x1014ae, 7, 0xa8, 1, 0x109fd0 },
	.ip = 0x100d61, .flags = 2, .cs = 8, .tr = 0x18, .cr0 = 0x11,
	.idt_base = 0x9d820, .idt_limit = 0xff,
};

/* After a reset: no kinds of segments, because that is how real mode is shown. */
static const char dump_real[] =
	"\n"
	"CPU#0\n"
	"EAX=00000000 EBX=00000000 ECX=00000000 EDX=00060fb1\n"
	"ESI=00000000 EDI=00000000 EBP=00000000 ESP=00000000\n"
	"EIP=0000fff0 EFL=00000002 [-------] CPL=0 II=0 A20=1 SMM=0 HLT=0\n"
	"ES =0000 00000000 0000ffff 00009300\n"
	"CS =f000 ffff0000 0000ffff 00009b00\n"
	"SS =0000 00000000 0000ffff 00009300\n"
	"DS =0000 00000000 0000ffff 00009300\n"
	"FS =0000 00000000 0000ffff 00009300\n"
	"GS =0000 00000000 0000ffff 00009300\n"
	"LDT=0000 00000000 0000ffff 00008200\n"
	"TR =0000 00000000 0000ffff 00008b00\n"
	"GDT=     00000000 0000ffff\n"
	"IDT=     00000000 0000ffff\n"
	"CR0=60000010 CR2=00000000 CR3=00000000 CR4=00000000\n"
	"EFER=0000000000000000\n";

static const struct cpu cpu_real = {
	.gpr = { [CPU_RDX] = 0x60fb1 },
	.ip = 0xfff0, .flags = 2, .cs = 0xf000, .cr0 = 0x60000010, .idt_limit = 0xffff,
};

/* 32-bit code in long mode: its registers are narrow, the system's are wide. */
static const char dump_compatible[] =
	"EAX=00000001 EBX=00000002 ECX=00000003 EDX=00000004\n"
	"ESI=00000005 EDI=00000006 EBP=00000007 ESP=00000008\n"
	"EIP=08048000 EFL=00000202 [-------] CPL=3 II=0 A20=1 SMM=0 HLT=0\n"
	"CS =0023 00000000 ffffffff 00cffb00 DPL=3 CS32 [-RA]\n"
	"TR =0040 fffffe0000003000 00000067 00008b00 DPL=0 TSS64-busy\n"
	"GDT=     fffffe0000001000 0000007f\n"
	"IDT=     fffffe0000000000 00000fff\n"
	"CR0=80050033 CR2=00007f0000000008 CR3=0000000012345000 CR4=000006f0\n"
	"EFER=0000000000000d01\n";

static const struct cpu cpu_compatible = {
	.gpr = { 1, 2, 3, 4, 5, 6, 7, 8 },
	.ip = 0x8048000, .flags = 0x202, .cs = 0x23, .tr = 0x40, .cr0 = 0x80050033,
	.cr2 = 0x7f0000000008, .cr3 = 0x12345000, .cr4 = 0x6f0, .efer = 0xd01,
	.idt_base = 0xfffffe0000000000, .idt_limit = 0xfff,
};

static void check_cpu(const char *name, const struct cpu *cpu, const struct cpu *expected)
{
	for (int i = 0; i < CPU_GPRS; i++)
		CHECK(cpu->gpr[i] == expected->gpr[i], "%s: register %d is 0x%" PRIx64, name, i,
		      cpu->gpr[i]);
	CHECK(cpu->is_64 == expected->is_64, "%s: is_64", name);
	CHECK(cpu->ip == expected->ip, "%s: ip 0x%" PRIx64, name, cpu->ip);
	CHECK(cpu->flags == expected->flags, "%s: flags 0x%" PRIx64, name, cpu->flags);
	CHECK(cpu->cs == expected->cs, "%s: cs 0x%x", name, cpu->cs);
	CHECK(cpu->tr == expected->tr, "%s: tr 0x%x", name, cpu->tr);
	CHECK(cpu->cr0 == expected->cr0, "%s: cr0 0x%" PRIx64, name, cpu->cr0);
	CHECK(cpu->cr2 == expected->cr2, "%s: cr2 0x%" PRIx64, name, cpu->cr2);
	CHECK(cpu->cr3 == expected->cr3, "%s: cr3 0x%" PRIx64, name, cpu->cr3);
	CHECK(cpu->cr4 == expected->cr4, "%s: cr4 0x%" PRIx64, name, cpu->cr4);
	CHECK(cpu->efer == expected->efer, "%s: efer 0x%" PRIx64, name, cpu->efer);
	CHECK(cpu->idt_base == expected->idt_base, "%s: IDT at 0x%" PRIx64, name, cpu->idt_base);
	CHECK(cpu->idt_limit == expected->idt_limit, "%s: IDT limit 0x%" PRIx64, name,
	      cpu->idt_limit);
	CHECK(cpu->halted == expected->halted, "%s: halted", name);
}

static const struct {
	const char *name;
	const char *dump;
	const struct cpu *cpu;
} dumps[] = {
	{ "64-bit", dump_64, &cpu_64 },
	{ "32-bit", dump_32, &cpu_32 },
	{ "real mode", dump_real, &cpu_real },
	{ "32-bit code in long mode", dump_compatible, &cpu_compatible },
};

TEST(dumps_of_each_mode)
{
	for (size_t i = 0; i < COUNT(dumps); i++) {
		struct cpu cpu;

		CHECK(cpu_parse(&cpu, dumps[i].dump), "%s: not read", dumps[i].name);
		check_cpu(dumps[i].name, &cpu, dumps[i].cpu);
	}
}

/* The monitor ends its lines with CR LF. */
TEST(dumps_with_carriage_returns)
{
	for (size_t i = 0; i < COUNT(dumps); i++) {
		char text[2 * sizeof(dump_64)], *end = text;
		struct cpu cpu;

		for (const char *c = dumps[i].dump; *c != '\0'; c++) {
			if (*c == '\n')
				*end++ = '\r';
			*end++ = *c;
		}
		*end = '\0';
		CHECK(cpu_parse(&cpu, text), "%s: not read", dumps[i].name);
		check_cpu(dumps[i].name, &cpu, dumps[i].cpu);
	}
}

TEST(names_of_registers)
{
	assert_string_equal(cpu_register_name(&cpu_64, CPU_RAX), "RAX");
	assert_string_equal(cpu_register_name(&cpu_64, CPU_RSP), "RSP");
	assert_string_equal(cpu_register_name(&cpu_64, CPU_R8), "R8");
	assert_string_equal(cpu_register_name(&cpu_64, CPU_R15), "R15");
	assert_string_equal(cpu_register_name(&cpu_32, CPU_RAX), "EAX");
	assert_string_equal(cpu_register_name(&cpu_32, CPU_RSP), "ESP");
}

/* Cut anywhere: it is read if the instruction pointer is there, and what is whole
 * is right.  In memory of its own, so that AddressSanitizer sees reads beyond. */
TEST(dumps_that_are_cut)
{
	for (size_t i = 0; i < COUNT(dumps); i++) {
		size_t length = strlen(dumps[i].dump);
		const char *ip = strstr(dumps[i].dump, "IP=");

		for (size_t cut = 0; cut <= length; cut++) {
			char *text = strndup(dumps[i].dump, cut);
			struct cpu cpu;

			assert_non_null(text);
			bool good = cpu_parse(&cpu, text);
			free(text);
			CHECK(good == (dumps[i].dump + cut > ip + 3), "%s, %zu bytes: %d", dumps[i].name, cut,
			      good);
			if (good)
				CHECK(cpu.gpr[CPU_RSP] == dumps[i].cpu->gpr[CPU_RSP], "%s, %zu bytes: RSP",
				      dumps[i].name, cut);
		}
	}
}

TEST(dumps_that_are_none)
{
	static const char *const texts[] = {
		"", "\n", "RIP", "RIP=", "RIP =", "RIP=\n", "RIP=g", "RIP=-1", "XRIP=1", "_RIP=1", "0EIP=1",
		"RIPX=1", "RIP 1", "unknown command: 'info registers'\n", "IDT=", "CS64", "EIP= ", "EIP==1",
	};

	for (size_t i = 0; i < COUNT(texts); i++) {
		struct cpu cpu;

		memset(&cpu, 0xff, sizeof(cpu));
		CHECK(!cpu_parse(&cpu, texts[i]), "'%s' was read", texts[i]);
	}
}

TEST(dumps_that_are_odd)
{
	static const struct {
		const char *text;
		struct cpu cpu;
	} cases[] = {
		{ "EIP = 1 CS  =  12345", { .ip = 1, .cs = 0x2345 } },
		{ "RIP=ffffffffffffffff1", { .ip = UINT64_MAX } },
		{ "EIP=1 EAX=x EAX=2", { .ip = 1, .gpr = { 2 } } },
		{ "EIP=1 IDT=", { .ip = 1 } },
		{ "EIP=1 IDT=     0009d820", { .ip = 1, .idt_base = 0x9d820 } },
		{ "EIP=1 IDT=words", { .ip = 1 } },
		{ "EIP=1 CCS=5 MYCR0=6 CR00=7", { .ip = 1 } },
		{ "EIP=1 R8 =5", { .ip = 1 } },
		/* Wide registers alone do not make it 64-bit code. */
		{ "RIP=1 RAX=2 CS =0008 CS32", { .ip = 1, .gpr = { 2 }, .cs = 8 } },
		{ "EIP=1 CS =0008 x CS64 x", { .ip = 1, .cs = 8 } },
		{ "EIP=1 HLT=2", { .ip = 1, .halted = true } },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct cpu cpu;

		CHECK(cpu_parse(&cpu, cases[i].text), "'%s' was not read", cases[i].text);
		check_cpu(cases[i].text, &cpu, &cases[i].cpu);
	}
}

TEST(dumps_of_garbage)
{
	static const char *const words[] = {
		"RIP", "EIP", "RAX", "CS", "IDT=", "=", " ", "\n", "0", "ffffffffffffffffffff", "\x80\xff",
		"R8 ", "HLT=", "EFER=", " CS64 ",
	};
	uint64_t seed = 1;

	for (int round = 0; round < 2000; round++) {
		char text[512] = "";
		struct cpu cpu;

		for (uint64_t i = random_below(&seed, 20); i > 0; i--)
			strcat(text, words[random_below(&seed, COUNT(words))]);
		char *copy = strdup(text);
		assert_non_null(copy);
		cpu_parse(&cpu, copy);
		free(copy);
	}
}

/* Of several CPUs the first counts, whatever the others do. */
TEST(dumps_of_several)
{
	for (size_t i = 0; i < COUNT(dumps); i++) {
		for (size_t k = 0; k < COUNT(dumps); k++) {
			char text[2 * sizeof(dump_64) + 16], name[96];
			struct cpu cpu;

			snprintf(name, sizeof(name), "%s, then %s", dumps[i].name, dumps[k].name);
			snprintf(text, sizeof(text), "%s%sCPU#1\n%s",
				 dumps[i].dump[0] == '\n' ? "" : "CPU#0\n", dumps[i].dump, dumps[k].dump);
			CHECK(cpu_parse(&cpu, text), "%s: not read", name);
			check_cpu(name, &cpu, dumps[i].cpu);
		}
	}
}

/* ---- A memory ---------------------------------------------------------------- */

/* Pages by number; what was never written cannot be read. */
static struct {
	uint64_t address;
	unsigned char bytes[4096];
} pages[16];
static size_t page_count;

static unsigned char *find_page(uint64_t address)
{
	for (size_t i = 0; i < page_count; i++) {
		if (pages[i].address == address)
			return pages[i].bytes;
	}
	return NULL;
}

static unsigned char *make_page(uint64_t address)
{
	unsigned char *page = find_page(address);

	if (page != NULL)
		return page;
	assert_true(page_count < COUNT(pages));
	pages[page_count].address = address;
	memset(pages[page_count].bytes, 0, 4096);
	return pages[page_count++].bytes;
}

static bool read_physical(void *context, uint64_t physical, void *bytes, size_t size)
{
	unsigned char *page = find_page(physical & ~UINT64_C(4095));

	/* Asked for what lies in one page, as a guest can answer at once. */
	assert_ptr_equal(context, pages);
	assert_true(size > 0 && physical % 4096 + size <= 4096);
	if (page == NULL)
		return false;
	memcpy(bytes, page + physical % 4096, size);
	return true;
}

static const struct memory memory = { read_physical, pages };

static void put_entry(uint64_t place, unsigned int size, uint64_t entry)
{
	unsigned char *bytes = make_page(place & ~UINT64_C(4095)) + place % 4096;

	if (size == 8)
		put_le64(bytes, entry);
	else
		put_le32(bytes, (uint32_t)entry);
}

/* ---- Page walks ---------------------------------------------------------------- */

#define PG (UINT64_C(1) << 31 | 1)
#define PSE (1 << 4)
#define PAE (1 << 5)
#define LA57 (1 << 12)
#define LONG 0x500	/* EFER.LME, LMA */
#define NXE 0x800

#define P UINT64_C(1)
#define W UINT64_C(2)
#define U UINT64_C(4)
#define PS UINT64_C(0x80)
#define NX (UINT64_C(1) << 63)
/* What is not the walk's business: PWT, PCD, accessed, dirty, global, those that
 * are the system's own. */
#define NOISE UINT64_C(0x7f0000000000f78)
#define NOISE_32 UINT64_C(0xf78)

struct mode {
	const char *name;
	struct cpu cpu;
	unsigned int levels;
	unsigned int size;	/* of an entry */
	unsigned int bits;	/* of an index */
};

static const struct mode modes[] = {
	{ "4 levels", { .cr0 = PG, .cr4 = PAE, .efer = LONG | NXE, .cr3 = 0x1000 }, 4, 8, 9 },
	{ "5 levels", { .cr0 = PG, .cr4 = PAE | LA57, .efer = LONG | NXE, .cr3 = 0x1000 }, 5, 8, 9 },
	{ "PAE", { .cr0 = PG, .cr4 = PAE | PSE, .efer = NXE, .cr3 = 0x1000 }, 3, 8, 9 },
	{ "32-bit", { .cr0 = PG, .cr4 = PSE, .cr3 = 0x1000 }, 2, 4, 10 },
};

/* In all modes with an index of its own at each level. */
#define ADDRESS UINT64_C(0x0000123456789abc)
#define ADDRESS_57 UINT64_C(0x0055123456789abc)

static uint64_t address_of(const struct mode *mode)
{
	return mode->levels == 5 ? ADDRESS_57 : mode->levels == 4 ? ADDRESS : (uint32_t)ADDRESS;
}

static unsigned int index_of(const struct mode *mode, unsigned int level)
{
	uint64_t index = address_of(mode) >> (12 + (level - 1) * mode->bits);

	return (unsigned int)(index & ((1u << mode->bits) - 1));
}

/* Tables for the address: at 0x1000 the highest, and so on; the page at 0x9000.
 * bits are for the entry of each level. */
static uint64_t place_of(const struct mode *mode, unsigned int level)
{
	return 0x1000 * (uint64_t)(mode->levels - level + 1) + index_of(mode, level) * mode->size;
}

static void map_address(const struct mode *mode, const uint64_t bits[6])
{
	page_count = 0;
	for (unsigned int level = mode->levels; level > 0; level--) {
		uint64_t next = level == 1 ? 0x9000 : 0x1000 * (uint64_t)(mode->levels - level + 2);

		put_entry(place_of(mode, level), mode->size, next | bits[level]);
	}
}

TEST(not_present_at_each_level)
{
	for (size_t i = 0; i < COUNT(modes); i++) {
		const struct mode *mode = &modes[i];

		for (unsigned int level = 0; level <= mode->levels; level++) {
			uint64_t bits[6] = { 0, P, P, P, P, P };
			struct walk walk;

			/* All other bits do not make it present. */
			bits[level] = mode->size == 8 ? NX | NOISE | PS | W | U : NOISE_32 | PS | W | U;
			map_address(mode, bits);
			cpu_walk(&mode->cpu, &memory, address_of(mode), &walk);
			CHECK(walk.readable_tables, "%s, level %u: not readable", mode->name, level);
			CHECK(walk.mapped == (level == 0), "%s, level %u: mapped", mode->name, level);
			unsigned int end = level == 0 ? 1 : level;
			CHECK(walk.level == end, "%s, level %u: level %u", mode->name, level, walk.level);
			CHECK(walk.index == index_of(mode, end), "%s, level %u: index %u", mode->name, level,
			      walk.index);
			if (level == 0) {
				CHECK(walk.physical == 0x9abc, "%s: 0x%" PRIx64, mode->name, walk.physical);
				CHECK(walk.page_size == 4096, "%s: size", mode->name);
			}
		}
	}
}

TEST(unreadable_tables)
{
	for (size_t i = 0; i < COUNT(modes); i++) {
		const struct mode *mode = &modes[i];

		for (unsigned int level = 1; level <= mode->levels; level++) {
			const uint64_t bits[6] = { 0, P, P, P, P, P };
			struct walk walk;
			unsigned char byte;

			map_address(mode, bits);
			for (size_t k = 0; k < page_count; k++) {
				if (pages[k].address == (place_of(mode, level) & ~UINT64_C(4095)))
					pages[k].address = 1;
			}
			cpu_walk(&mode->cpu, &memory, address_of(mode), &walk);
			CHECK(!walk.readable_tables, "%s, level %u: readable", mode->name, level);
			CHECK(!walk.mapped, "%s, level %u: mapped", mode->name, level);
			CHECK(walk.level == level, "%s, level %u: level %u", mode->name, level, walk.level);
			CHECK(!cpu_read(&mode->cpu, &memory, address_of(mode), &byte, 1),
			      "%s, level %u: read", mode->name, level);
		}
	}
}

/* What one level takes away, all others cannot give. */
TEST(rights_of_all_levels)
{
	for (size_t i = 0; i < COUNT(modes); i++) {
		const struct mode *mode = &modes[i];
		uint64_t all = P | W | U | (mode->size == 8 ? NOISE : NOISE_32);

		for (unsigned int level = 0; level <= mode->levels; level++) {
			static const uint64_t rights[] = { W, U, NX };

			for (size_t right = 0; right < COUNT(rights); right++) {
				/* A page table has a PAT bit where others have PS. */
				uint64_t bits[6] = { 0, all | PS, all, all, all, all };
				struct walk walk;
				char name[64];
				/* PAE's top entries have no rights, 32-bit entries no NX. */
				bool counts = level > 0 && !(mode->levels == 3 && level == 3) &&
					      !(mode->size == 4 && rights[right] == NX);

				if (mode->levels == 3)
					bits[3] = P;
				if (level > 0 && !(mode->levels == 3 && level == 3 && rights[right] == NX))
					bits[level] ^= rights[right];
				map_address(mode, bits);
				cpu_walk(&mode->cpu, &memory, address_of(mode), &walk);
				snprintf(name, sizeof(name), "%s, level %u, right %zu", mode->name, level,
					 right);
				CHECK(walk.mapped && walk.physical == 0x9abc, "%s: mapped", name);
				CHECK(walk.writable == !(counts && right == 0), "%s: writable", name);
				CHECK(walk.user == !(counts && right == 1), "%s: user", name);
				CHECK(walk.executable == !(counts && right == 2), "%s: executable", name);
			}
		}
	}
}

/* ---- Single walks ------------------------------------------------------------ */

struct walk_case {
	const char *name;
	struct cpu cpu;
	uint64_t address;
	struct {
		uint64_t place;
		uint64_t value;
	} entries[5];		/* place 0: no more */
	struct walk walk;
};

#define CPU_4 { .cr0 = PG, .cr4 = PAE, .efer = LONG | NXE, .cr3 = 0x1000 }
#define CPU_5 { .cr0 = PG, .cr4 = PAE | LA57, .efer = LONG | NXE, .cr3 = 0x1000 }
#define CPU_PAE { .cr0 = PG, .cr4 = PAE, .efer = NXE, .cr3 = 0x1000 }
#define CPU_32 { .cr0 = PG, .cr4 = PSE, .cr3 = 0x1000 }
#define YES(at_level, at_index, where, size, w, u, x) \
	{ .mapped = true, .readable_tables = true, .level = (at_level), .index = (at_index), \
	  .physical = (where), .page_size = (size), .writable = (w), .user = (u), .executable = (x) }
#define NO(at_level, at_index) { .readable_tables = true, .level = (at_level), .index = (at_index) }

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

static const struct walk_case walk_cases[] = {
	{ "the last page", CPU_4, 0xffffffffffffffff,
	  { { 0x1ff8, 0x2003 }, { 0x2ff8, 0x3003 }, { 0x3ff8, 0x4003 }, { 0x4ff8, 0x5001 } },
	  YES(1, 511, 0x5fff, 4 * KIB, false, false, true) },
	{ "the page 0", CPU_4, 0,
	  { { 0x1000, 0x2007 }, { 0x2000, 0x3007 }, { 0x3000, 0x4007 }, { 0x4000, NX | 0x5007 } },
	  YES(1, 0, 0x5000, 4 * KIB, true, true, false) },
	{ "an address of 52 bits", CPU_4, 0x123,
	  { { 0x1000, 0x2003 }, { 0x2000, 0x3003 }, { 0x3000, 0x4003 },
	    { 0x4000, 0x7ffffffffffff003 } },
	  YES(1, 0, 0xffffffffff123, 4 * KIB, true, false, true) },
	{ "2 MiB", CPU_4, 0x3fffff,
	  { { 0x1000, 0x2003 }, { 0x2000, 0x3003 }, { 0x3008, 0x12200000 | PS | 3 } },
	  YES(2, 1, 0x123fffff, 2 * MIB, true, false, true) },
	/* Bit 12 of a large page's entry is its PAT. */
	{ "2 MiB with PAT", CPU_4, 0x201234,
	  { { 0x1000, 0x2003 }, { 0x2000, 0x3003 }, { 0x3008, 0x12201000 | PS | 3 } },
	  YES(2, 1, 0x12201234, 2 * MIB, true, false, true) },
	{ "1 GiB", CPU_4, 0x7fffffff,
	  { { 0x1000, 0x2003 }, { 0x2008, NX | 0x100000000 | PS | 5 } },
	  YES(3, 1, 0x13fffffff, GIB, false, false, false) },
	{ "1 GiB with PAT", CPU_4, 0x40001000,
	  { { 0x1000, 0x2003 }, { 0x2008, 0x100001000 | PS | 3 } },
	  YES(3, 1, 0x100001000, GIB, true, false, true) },
	{ "5 levels, the upper half", CPU_5, 0xff00000000000000,
	  { { 0x1800, 0x2003 }, { 0x2000, 0x3003 }, { 0x3000, 0x40000000 | PS | 3 } },
	  YES(3, 0, 0x40000000, GIB, true, false, true) },
	{ "5 levels, 2 MiB", CPU_5, 0x00ffffffffe00001,
	  { { 0x17f8, 0x2003 }, { 0x2ff8, 0x3003 }, { 0x3ff8, 0x4003 }, { 0x4ff8, 0x200000 | PS | 3 } },
	  YES(2, 511, 0x200001, 2 * MIB, true, false, true) },
	{ "an address that only 5 levels reach", CPU_5, 0x0001000000000000,
	  { { 0x1008, 0 } }, NO(5, 1) },
	/* PCID, and the bit that keeps the TLB. */
	{ "CR3 with flags", { .cr0 = PG, .cr4 = PAE, .efer = LONG, .cr3 = NX | 0x1fff }, 0,
	  { { 0x1000, 0x2003 }, { 0x2000, PS | 3 } }, YES(3, 0, 0, GIB, true, false, true) },
	{ "NX is not on", { .cr0 = PG, .cr4 = PAE, .efer = LONG, .cr3 = 0x1000 }, 0,
	  { { 0x1000, 0x2003 }, { 0x2000, 0x40000000 | PS | 3 } },
	  YES(3, 0, 0x40000000, GIB, true, false, true) },
	/* CR4.PSE means nothing there. */
	{ "long mode without CR4.PSE", CPU_4, 0x200000,
	  { { 0x1000, 0x2003 }, { 0x2000, 0x3003 }, { 0x3008, 0x400000 | PS | 3 } },
	  YES(2, 1, 0x400000, 2 * MIB, true, false, true) },
	{ "32-bit code in long mode", { .cr0 = PG, .cr4 = PAE, .efer = LONG, .cr3 = 0x1000 }, 0xc0000000,
	  { { 0x1000, 0x2003 }, { 0x2018, 0x40000000 | PS | 3 } },
	  YES(3, 3, 0x40000000, GIB, true, false, true) },

	{ "PAE, 4 KiB", CPU_PAE, 0xfffff123,
	  { { 0x1018, 0x2001 }, { 0x2ff8, 0x3007 }, { 0x3ff8, 0x123456000 | 7 } },
	  YES(1, 511, 0x123456123, 4 * KIB, true, true, true) },
	{ "PAE, 2 MiB", CPU_PAE, 0x40200010,
	  { { 0x1008, 0x2001 }, { 0x2008, NX | 0xf00200000 | PS | 3 } },
	  YES(2, 1, 0xf00200010, 2 * MIB, true, false, false) },
	/* Its top table is 32 bytes anywhere in the first 4 GiB. */
	{ "PAE, CR3 within a page", { .cr0 = PG, .cr4 = PAE, .cr3 = 0x10ff8 }, 0xc0000000,
	  { { 0x10ff8, 0x2001 }, { 0x2000, 0x200000 | PS | 3 } },
	  YES(2, 0, 0x200000, 2 * MIB, true, false, true) },
	{ "PAE, the first GiB", { .cr0 = PG, .cr4 = PAE, .cr3 = 0x10ff8 }, 0x1000,
	  { { 0x10fe0, 0x2001 }, { 0x2000, 0x3003 }, { 0x3008, 0 } }, NO(1, 1) },

	{ "32-bit, 4 KiB", CPU_32, 0xffc01fff,
	  { { 0x1ffc, 0x2007 }, { 0x2004, 0xfffff003 } },
	  YES(1, 1, 0xffffffff, 4 * KIB, true, false, true) },
	{ "32-bit, 4 MiB", CPU_32, 0xc07fffff,
	  { { 0x1c04, 0x00c00000 | PS | 7 } }, YES(2, 769, 0xffffff, 4 * MIB, true, true, true) },
	{ "32-bit, 4 MiB with PAT", CPU_32, 0xc0401000,
	  { { 0x1c04, 0x00c01000 | PS | 3 } }, YES(2, 769, 0xc01000, 4 * MIB, true, false, true) },
	{ "32-bit without PSE", { .cr0 = PG, .cr3 = 0x1000 }, 0xc0401000,
	  { { 0x1c04, 0x2000 | PS | 3 }, { 0x2004, 0x5003 } },
	  YES(1, 1, 0x5000, 4 * KIB, true, false, true) },
	{ "32-bit, PSE, not present", CPU_32, 0xc0401000,
	  { { 0x1c04, 0x00c00000 | PS | 2 } }, NO(2, 769) },
	{ "32-bit, NX is no bit of it", { .cr0 = PG, .efer = NXE, .cr3 = 0x1000 }, 0x1000,
	  { { 0x1000, 0x2003 }, { 0x2004, 0x80000003 } },
	  YES(1, 1, 0x80000000, 4 * KIB, true, false, true) },

	{ "no paging", { .cr0 = 0x11, .cr3 = 0x1000 }, 0xfffff123, { { 0, 0 } },
	  YES(0, 0, 0xfffff123, 4 * KIB, true, true, true) },
	/* CR4.PAE and EFER.LME do nothing before CR0.PG. */
	{ "no paging yet", { .cr0 = 0x11, .cr4 = PAE, .efer = 0x100, .cr3 = 0x1000 }, 0x1234, { { 0, 0 } },
	  YES(0, 0, 0x1234, 4 * KIB, true, true, true) },
	{ "LA57 without long mode", { .cr0 = PG, .cr4 = PAE | LA57, .cr3 = 0x1000 }, 0,
	  { { 0x1000, 0x2001 }, { 0x2000, 0 } }, NO(2, 0) },
	/* PSE-36: bits 13 to 20 are bits 32 to 39 of the page's address. */
	{ "32-bit, 4 MiB beyond 4 GiB", CPU_32, 0xc0400004,
	  { { 0x1c04, 0x00c00000 | 0x1a << 13 | PS | 3 } },
	  YES(2, 769, UINT64_C(0x1a00c00004), 4 * MIB, true, false, true) },
};

static void check_walk(const struct walk_case *c, const struct walk *walk)
{
	const struct walk *expected = &c->walk;

	CHECK(walk->readable_tables == expected->readable_tables, "%s: readable tables", c->name);
	CHECK(walk->mapped == expected->mapped, "%s: mapped", c->name);
	CHECK(walk->level == expected->level, "%s: level %u", c->name, walk->level);
	CHECK(walk->index == expected->index, "%s: index %u", c->name, walk->index);
	if (!expected->mapped)
		return;
	CHECK(walk->physical == expected->physical, "%s: at 0x%" PRIx64, c->name, walk->physical);
	CHECK(walk->page_size == expected->page_size, "%s: size 0x%" PRIx64, c->name,
	      walk->page_size);
	CHECK(walk->writable == expected->writable, "%s: writable", c->name);
	CHECK(walk->user == expected->user, "%s: user", c->name);
	CHECK(walk->executable == expected->executable, "%s: executable", c->name);
}

TEST(walks)
{
	for (size_t i = 0; i < COUNT(walk_cases); i++) {
		const struct walk_case *c = &walk_cases[i];
		bool narrow = !(c->cpu.efer & 0x400) && !(c->cpu.cr4 & PAE);
		struct walk walk;

		page_count = 0;
		for (size_t k = 0; k < COUNT(c->entries) && c->entries[k].place != 0; k++)
			put_entry(c->entries[k].place, narrow ? 4 : 8, c->entries[k].value);
		memset(&walk, 0xff, sizeof(walk));
		cpu_walk(&c->cpu, &memory, c->address, &walk);
		check_walk(c, &walk);
	}
}

/* All entries lead back to the table: each walk ends all the same. */
TEST(table_that_is_its_own)
{
	for (size_t i = 0; i < COUNT(modes); i++) {
		struct walk walk;

		page_count = 0;
		for (unsigned int k = 0; k < 4096 / modes[i].size; k++)
			put_entry(0x1000 + k * modes[i].size, modes[i].size, 0x1003);
		cpu_walk(&modes[i].cpu, &memory, address_of(&modes[i]), &walk);
		CHECK(walk.mapped && walk.level == 1, "%s", modes[i].name);
		CHECK(walk.physical == 0x1abc, "%s: 0x%" PRIx64, modes[i].name, walk.physical);
	}
}

/* An address that is not canonical is nowhere, though its lower bits are those of
 * a page (SDM volume 1, 3.3.7.1). */
TEST(not_canonical)
{
	static const struct {
		const char *name;
		struct cpu cpu;
		uint64_t address;
	} cases[] = {
		{ "4 levels, bit 47 alone", CPU_4, 0x0000800000000000 },
		{ "4 levels, bit 48", CPU_4, 0x0001000000000000 },
		{ "4 levels, bit 63", CPU_4, 0x8000000000000000 },
		{ "4 levels, without bit 63", CPU_4, 0x7fff800000000000 },
		{ "4 levels, without bit 47", CPU_4, 0xffff000000000000 },
		{ "5 levels, bit 56 alone", CPU_5, 0x0100000000000000 },
		{ "5 levels, bit 57", CPU_5, 0x0200000000000000 },
		{ "5 levels, without bit 56", CPU_5, 0xfe00000000000000 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct walk walk;

		page_count = 0;
		for (unsigned int k = 0; k < 512; k++)
			put_entry(0x1000 + 8 * k, 8, 0x1003);
		cpu_walk(&cases[i].cpu, &memory, cases[i].address, &walk);
		CHECK(!walk.mapped, "%s: mapped", cases[i].name);
		unsigned char byte;
		CHECK(!cpu_read(&cases[i].cpu, &memory, cases[i].address, &byte, 1), "%s: read",
		      cases[i].name);
	}
}

/* ---- Reading ------------------------------------------------------------------ */

/* Three pages from 0x400000 on, whose memory is not in that order; around them
 * nothing.  Each byte tells where it is. */
static void map_for_reading(void)
{
	page_count = 0;
	put_entry(0x1000, 8, 0x2003);
	put_entry(0x2000, 8, 0x3003);
	put_entry(0x3010, 8, 0x4003);
	put_entry(0x4000, 8, 0x9003);
	put_entry(0x4008, 8, 0x6003);
	put_entry(0x4010, 8, 0x8003);
	/* Mapped, but there is no memory. */
	put_entry(0x4018, 8, 0xfffff003);
	for (size_t i = 0; i < 4096; i++) {
		make_page(0x9000)[i] = (unsigned char)i;
		make_page(0x6000)[i] = (unsigned char)(i ^ 0x55);
		make_page(0x8000)[i] = (unsigned char)(i ^ 0xaa);
	}
}

TEST(reading_across_pages)
{
	static const struct cpu cpu = CPU_4;
	unsigned char bytes[3 * 4096];

	map_for_reading();
	assert_true(cpu_read(&cpu, &memory, 0x400000, bytes, sizeof(bytes)));
	assert_memory_equal(bytes, make_page(0x9000), 4096);
	assert_memory_equal(bytes + 4096, make_page(0x6000), 4096);
	assert_memory_equal(bytes + 8192, make_page(0x8000), 4096);
	for (size_t before = 0; before <= 16; before++) {
		memset(bytes, 0, 17);
		bytes[16] = 0x77;
		CHECK(cpu_read(&cpu, &memory, 0x401000 - before, bytes, 16), "%zu before", before);
		assert_memory_equal(bytes, make_page(0x9000) + 4096 - before, before);
		assert_memory_equal(bytes + before, make_page(0x6000), 16 - before);
		CHECK(bytes[16] == 0x77, "%zu before: too much", before);
	}
}

TEST(reading_what_is_not_all_there)
{
	static const struct cpu cpu = CPU_4;
	static const struct {
		uint64_t address;
		size_t size;
		bool good;
	} cases[] = {
		{ 0x400000, 1, true },
		{ 0x3fffff, 1, false },
		{ 0x3fffff, 2, false },
		{ 0x402fff, 1, true },
		{ 0x402fff, 2, false },
		{ 0x402ff8, 8, true },
		{ 0x402ff9, 8, false },
		{ 0x403000, 1, false },
		{ 0x404000, 1, false },
		/* Nothing can be read everywhere. */
		{ 0x404000, 0, true },
	};

	map_for_reading();
	for (size_t i = 0; i < COUNT(cases); i++) {
		unsigned char bytes[8];

		CHECK(cpu_read(&cpu, &memory, cases[i].address, bytes, cases[i].size) == cases[i].good,
		      "case %zu", i);
	}
}

TEST(reading_without_paging)
{
	static const struct cpu cpu = { .cr0 = 0x11 };
	unsigned char bytes[4];

	map_for_reading();
	assert_true(cpu_read(&cpu, &memory, 0x9001, bytes, 4));
	assert_memory_equal(bytes, make_page(0x9000) + 1, 4);
	assert_true(cpu_read(&cpu, &memory, 0x8ffe, bytes, 4));
	assert_int_equal(bytes[1], 0xff ^ 0xaa);
	assert_int_equal(bytes[2], 0);
	assert_false(cpu_read(&cpu, &memory, 0x9ffe, bytes, 4));
	/* Addresses have 32 bits. */
	page_count = 0;
	make_page(0)[0] = 0x12;
	make_page(0xfffff000)[4095] = 0x34;
	assert_true(cpu_read(&cpu, &memory, 0xffffffff, bytes, 2));
	assert_int_equal(bytes[0], 0x34);
	assert_int_equal(bytes[1], 0x12);
}

/* Larger pages are read in pieces, at the right places. */
TEST(reading_a_large_page)
{
	static const struct cpu cpu = CPU_4;
	unsigned char bytes[8];

	page_count = 0;
	put_entry(0x1000, 8, 0x2003);
	put_entry(0x2000, 8, 0x3003);
	put_entry(0x3008, 8, 0x400000 | PS | 3);
	for (size_t i = 0; i < 4096; i++) {
		make_page(0x5fe000)[i] = 0x5a;
		make_page(0x5ff000)[i] = 0xa5;
	}
	assert_true(cpu_read(&cpu, &memory, 0x3feffc, bytes, 8));
	assert_memory_equal(bytes, "\x5a\x5a\x5a\x5a\xa5\xa5\xa5\xa5", 8);
	assert_false(cpu_read(&cpu, &memory, 0x3fffff, bytes, 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dumps_of_each_mode),
		cmocka_unit_test(dumps_with_carriage_returns),
		cmocka_unit_test(names_of_registers),
		cmocka_unit_test(dumps_that_are_cut),
		cmocka_unit_test(dumps_that_are_none),
		cmocka_unit_test(dumps_that_are_odd),
		cmocka_unit_test(dumps_of_garbage),
		cmocka_unit_test(dumps_of_several),
		cmocka_unit_test(not_present_at_each_level),
		cmocka_unit_test(unreadable_tables),
		cmocka_unit_test(rights_of_all_levels),
		cmocka_unit_test(walks),
		cmocka_unit_test(table_that_is_its_own),
		cmocka_unit_test(not_canonical),
		cmocka_unit_test(reading_across_pages),
		cmocka_unit_test(reading_what_is_not_all_there),
		cmocka_unit_test(reading_without_paging),
		cmocka_unit_test(reading_a_large_page),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
