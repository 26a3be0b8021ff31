/* SPDX-License-Identifier: MIT
 *
 * crash_examine(), crash_print() and crash_json() on evidence made up here: a log,
 * a memory with page tables, a kernel with symbols.
 */
#include "crash/crash.h"

#include <elf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "elf_maker.h"
#include "unit.h"

/* ---- A machine ------------------------------------------------------------------ */

/* The first 2 MiB are mapped to themselves where there are pages, behind four
 * levels of tables. */
#define TABLES 0x1000u
#define CODE 0x10000u
#define STACK 0x20000u		/* nothing is mapped below it */
#define DATA 0x21000u
#define READ_ONLY 0x22000u
#define USER 0x23000u
#define VICTIM (CODE + 0x200)	/* what dies, */
#define CALLER (CODE + 0x115)	/* and where it returns to */
#define TOP (STACK + 0xf00)	/* of the stack */
#define GUARD UINT64_C(0xfffffe0000000000)

#define PAGES 0x24
static unsigned char physical[PAGES * 4096];
static bool is_there[PAGES];

static bool read_physical(void *context, uint64_t address, void *bytes, size_t size)
{
	assert_ptr_equal(context, physical);
	if (address > sizeof(physical) - size || !is_there[address / 4096])
		return false;
	memcpy(bytes, physical + address, size);
	return true;
}

static const struct memory memory = { read_physical, physical };

static void add_page(uint64_t address, uint64_t bits)
{
	is_there[address / 4096] = true;
	put_le64(physical + TABLES + 3 * 4096 + address / 4096 * 8, address | bits);
}

static void make_machine(void)
{
	memset(physical, 0, sizeof(physical));
	memset(is_there, 0, sizeof(is_there));
	for (uint64_t i = 0; i < 4; i++) {
		is_there[TABLES / 4096 + i] = true;
		if (i < 3)
			put_le64(physical + TABLES + i * 4096, (TABLES + (i + 1) * 4096) | 7);
	}
	add_page(CODE, 1);
	add_page(STACK, UINT64_C(1) << 63 | 3);
	add_page(DATA, UINT64_C(1) << 63 | 3);
	add_page(READ_ONLY, UINT64_C(1) << 63 | 1);
	add_page(USER, 7);
	memset(physical + CODE, 0x90, 4096);
	/* The call that the return address lies behind. */
	memcpy(physical + CALLER - 5, "\xe8\xe6\x00\x00\x00", 5);
	put_le64(physical + TOP, CALLER);
}

/* An exception as it is in QEMU's log. */
struct event {
	unsigned int vector;
	uint32_t error;
	bool hardware;
	bool software;
	bool narrow;			/* 32-bit code without paging */
	uint64_t ip, sp, cr2;		/* 0: VICTIM, TOP, nothing */
	uint64_t cr0, cr4;		/* in addition to what is on */
	uint64_t cr4_off;
	uint64_t idt, idt_limit;	/* limit 0: room for all entries */
	unsigned int tr;
};
#define NO_IP UINT64_MAX	/* an instruction pointer of 0 */
#define NO_IDT UINT64_MAX	/* a limit of 0 */
#define CR0_TS 8
#define CR0_EM 4
#define OSFXSR 0x200

static void add_event(FILE *out, const struct event *event)
{
	uint64_t ip = event->ip == NO_IP ? 0 : event->ip != 0 ? event->ip : VICTIM;
	uint64_t sp = event->sp != 0 ? event->sp : TOP;
	uint64_t limit = event->idt_limit == NO_IDT ? 0 : event->idt_limit != 0 ? event->idt_limit : 0xfff;

	if (event->hardware)
		fprintf(out, "Servicing hardware INT=0x%02x\n", event->vector);
	fprintf(out, "     0: v=%02x e=%04x i=%d cpl=0 IP=0008:%016" PRIx64 "\n", event->vector,
		event->error, event->software, ip);
	if (event->narrow)
		fprintf(out,
			"EAX=000000a1 EBX=00000000 ECX=00000000 EDX=00000000\n"
			"ESI=00000000 EDI=00000000 EBP=00000000 ESP=%08" PRIx64 "\n"
			"EIP=%08" PRIx64 " EFL=00000002 [-------] CPL=0 II=0 A20=1 SMM=0 HLT=0\n"
			"CS =0008 00000000 ffffffff 00cf9b00 DPL=0 CS32 [-RA]\n"
			"TR =%04x 00000000 00000067 00008900 DPL=0 TSS32-avl\n"
			"IDT=     %08" PRIx64 " %08" PRIx64 "\n"
			"CR0=%08" PRIx64 " CR2=%08" PRIx64 " CR3=00000000 CR4=%08" PRIx64 "\n"
			"EFER=0000000000000000\n",
			sp, ip, event->tr, event->idt, limit, 0x11 | event->cr0, event->cr2, event->cr4);
	else
		fprintf(out,
			"RAX=00000000000000a1 RBX=0000000000000000 RCX=0000000000000000 RDX=0000000000000000\n"
			"RSI=0000000000000000 RDI=0000000000000000 RBP=0000000000000000 RSP=%016" PRIx64 "\n"
			"R8 =0000000000000000 R9 =0000000000000000 R10=0000000000000000 R11=0000000000000000\n"
			"R12=0000000000000000 R13=0000000000000000 R14=0000000000000000 R15=00000000000000f5\n"
			"RIP=%016" PRIx64 " RFL=00000246 [---Z-P-] CPL=0 II=0 A20=1 SMM=0 HLT=0\n"
			"CS =0008 0000000000000000 ffffffff 00af9b00 DPL=0 CS64 [-RA]\n"
			"TR =%04x fffffe00000131f0 00000067 00008900 DPL=0 TSS64-avl\n"
			"IDT=     %016" PRIx64 " %08" PRIx64 "\n"
			"CR0=%08" PRIx64 " CR2=%016" PRIx64 " CR3=%016x CR4=%08" PRIx64 "\n"
			"EFER=0000000000000d00\n",
			sp, ip, event->tr, event->idt, limit, 0x80010033 | event->cr0, event->cr2, TABLES,
			(0x620 | event->cr4) & ~event->cr4_off);
}

/* The caller frees. */
static char *make_log(const struct event *events, size_t count, bool triple_fault)
{
	char *log = NULL;
	size_t size;
	FILE *out = open_memstream(&log, &size);

	assert_non_null(out);
	for (size_t i = 0; i < count; i++)
		add_event(out, &events[i]);
	if (triple_fault)
		fputs("Triple fault\n", out);
	assert_int_equal(fclose(out), 0);
	return log;
}

/* A kernel with these symbols in its file: a function that calls, one that dies,
 * a table that is read-only. */
static struct symbols *make_symbols(const char *caller, const char *victim, const char *table)
{
	const Elf64_Phdr phdrs[] = {
		{ .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_offset = 0x1000, .p_vaddr = CODE,
		  .p_paddr = CODE, .p_filesz = 0x1000, .p_memsz = 0x1000 },
		{ .p_type = PT_LOAD, .p_flags = PF_R, .p_offset = 0x2000, .p_vaddr = READ_ONLY,
		  .p_paddr = READ_ONLY, .p_filesz = 0x1000, .p_memsz = 0x1000 },
	};
	const Elf64_Shdr sections[] = {
		{ .sh_type = SHT_NULL },
		{ .sh_type = SHT_PROGBITS, .sh_flags = SHF_ALLOC | SHF_EXECINSTR, .sh_addr = CODE,
		  .sh_offset = 0x1000, .sh_size = 0x1000, .sh_addralign = 16 },
		{ .sh_type = SHT_PROGBITS, .sh_flags = SHF_ALLOC, .sh_addr = READ_ONLY, .sh_offset = 0x2000,
		  .sh_size = 0x1000, .sh_addralign = 16 },
		{ .sh_type = SHT_SYMTAB, .sh_offset = 0x3000, .sh_size = 4 * sizeof(Elf64_Sym), .sh_link = 4,
		  .sh_info = 1, .sh_entsize = sizeof(Elf64_Sym), .sh_addralign = 8 },
		{ .sh_type = SHT_STRTAB, .sh_offset = 0x3800, .sh_size = 0x800, .sh_addralign = 1 },
	};
	const struct elf_spec spec = { .entry = CODE, .phdrs = phdrs, .count = COUNT(phdrs), .size = 0x4000,
				       .sections = sections, .section_count = COUNT(sections), .strings = 4 };
	const char *const names[] = { caller, victim, table };
	Elf64_Sym symbols[4] = {
		{ 0 },
		{ .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), .st_shndx = 1, .st_value = CODE + 0x100,
		  .st_size = 0x40 },
		{ .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), .st_shndx = 1, .st_value = VICTIM,
		  .st_size = 0x40 },
		{ .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT), .st_shndx = 2, .st_value = READ_ONLY,
		  .st_size = 0x20 },
	};
	size_t size, used = 1;
	unsigned char *bytes = elf_make(&spec, &size);

	memset(bytes + 0x3800, 0, 0x800);
	for (size_t i = 0; i < COUNT(names); i++) {
		symbols[i + 1].st_name = (Elf64_Word)used;
		memcpy(bytes + 0x3800 + used, names[i], strlen(names[i]));
		used += strlen(names[i]) + 1;
	}
	memcpy(bytes + 0x3000, symbols, sizeof(symbols));
	memcpy(bytes + 0x1000, physical + CODE, 0x1000);
	struct symbols *result = symbols_open(bytes, size, 0);
	assert_non_null(result);
	free(bytes);
	return result;
}

static char *print_crash(const struct crash *crash)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	crash_print(out, crash);
	assert_int_equal(fclose(out), 0);
	return text;
}

/* As somebody else reads it. */
static json_t *read_json(const struct crash *crash, const char *what)
{
	json_t *made = crash_json(crash);
	CHECK(made != NULL, "%s: no JSON", what);
	char *text = json_dumps(made, 0);
	json_decref(made);
	CHECK(text != NULL, "%s: no JSON text", what);
	json_t *json = json_loads(text, 0, NULL);
	free(text);
	CHECK(json != NULL, "%s: not JSON", what);
	return json;
}

static const char *json_text(const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));

	CHECK(text != NULL, "no text '%s'", key);
	return text;
}

/* ---- Reasons ------------------------------------------------------------------------ */

struct reason_case {
	const char *name;
	struct event event;
	const char *code;		/* at the instruction; NULL: what is there */
	size_t code_size;
	uint64_t guard;
	const char *says;		/* "": no reason is given */
};

#define BYTES(text) text, sizeof(text) - 1

static const struct reason_case reason_cases[] = {
	{ "division", { .vector = 0 }, BYTES("\xf7\xf1"), 0, "a division by zero" },
	{ "a device", { .vector = 8, .hardware = true }, NULL, 0, 0, "a device's interrupt" },
	{ "int 0x80", { .vector = 0x80, .software = true }, BYTES("\xcd\x80"), 0,
	  "no usable entry for that interrupt" },
	{ "int 14", { .vector = 14, .software = true }, BYTES("\xcd\x0e"), 0,
	  "no usable entry for that interrupt" },
	{ "breakpoint", { .vector = 3 }, NULL, 0, 0, "" },
	{ "double fault alone", { .vector = 8 }, NULL, 0, 0, "" },
	{ "vector 255", { .vector = 255 }, NULL, 0, 0, "" },

	{ "ud2", { .vector = 6 }, BYTES("\x0f\x0b"), 0, "the compiler's trap (ud2)" },
	{ "ud2 in 32-bit code", { .vector = 6, .narrow = true }, BYTES("\x0f\x0b"), 0, "(ud2)" },
	{ "pxor", { .vector = 6, .cr4_off = OSFXSR }, BYTES("\x66\x0f\xef\xc0"), 0,
	  "CR4.OSFXSR is clear" },
	{ "movaps with REX", { .vector = 6, .cr4_off = OSFXSR }, BYTES("\x44\x0f\x29\x04\x24"), 0,
	  "CR4.OSFXSR is clear" },
	{ "movsd", { .vector = 6, .cr4_off = OSFXSR }, BYTES("\xf2\x41\x0f\x10\x00"), 0,
	  "CR4.OSFXSR is clear" },
	{ "movaps in 32-bit code", { .vector = 6, .narrow = true }, BYTES("\x0f\x28\xc1"), 0,
	  "CR4.OSFXSR is clear" },
	{ "movaps with EM", { .vector = 6, .cr0 = CR0_EM }, BYTES("\x0f\x28\xc1"), 0,
	  "an SSE instruction, but CR0.EM is set" },
	/* 0x44 is no prefix there, but an instruction of its own. */
	{ "inc %esp", { .vector = 6, .narrow = true }, BYTES("\x44\x0f\x29\x04\x24"), 0,
	  "does not know the instruction" },
	{ "movaps that is allowed", { .vector = 6 }, BYTES("\x0f\x28\xc1"), 0,
	  "does not know the instruction" },
	{ "zeros", { .vector = 6, .cr4_off = OSFXSR }, BYTES("\0\0\0\0"), 0,
	  "does not know the instruction, or these bytes are no code" },
	{ "opcode that cannot be read", { .vector = 6, .ip = 0x50000 }, NULL, 0, 0, "" },

	{ "fld with TS", { .vector = 7, .cr0 = CR0_TS }, BYTES("\xd9\xe8"), 0, "CR0.TS is set" },
	{ "fld with EM", { .vector = 7, .cr0 = CR0_EM }, BYTES("\xd9\xe8"), 0, "CR0.EM is set" },

	{ "movaps, misaligned stack", { .vector = 13, .sp = TOP + 8 }, BYTES("\x0f\x29\x44\x24\x10"), 0,
	  "the stack is misaligned" },
	{ "movaps load, misaligned stack", { .vector = 13, .sp = TOP + 8 }, BYTES("\x0f\x28\x04\x24"), 0,
	  "the stack is misaligned" },
	{ "movaps with REX, misaligned stack", { .vector = 13, .sp = TOP + 8 },
	  BYTES("\x44\x0f\x29\x04\x24"), 0, "the stack is misaligned" },
	{ "movapd, misaligned stack", { .vector = 13, .sp = TOP + 8 }, BYTES("\x66\x0f\x29\x04\x24"), 0,
	  "the stack is misaligned" },
	{ "movdqa, misaligned stack", { .vector = 13, .sp = TOP + 8 }, BYTES("\x66\x0f\x7f\x04\x24"), 0,
	  "the stack is misaligned" },
	/* This one may be misaligned. */
	{ "movdqu, misaligned stack", { .vector = 13, .sp = TOP + 8 }, BYTES("\xf3\x0f\x7f\x04\x24"), 0,
	  "not canonical" },
	{ "movaps, aligned stack", { .vector = 13 }, BYTES("\x0f\x29\x00"), 0, "not a multiple of 16" },
	{ "no entry in the IDT", { .vector = 13, .error = 0x402 }, BYTES("\xcd\x80"), 0,
	  "without a usable entry in the kernel's IDT" },
	{ "a selector", { .vector = 13, .error = 0x28 }, BYTES("\x8e\xd8"), 0, "a segment selector" },
	{ "not canonical", { .vector = 13 }, BYTES("\xc6\x00\x01"), 0, "not canonical" },
	{ "not canonical, but 32-bit", { .vector = 13, .narrow = true }, BYTES("\xc6\x00\x01"), 0, "" },

	{ "stack guard", { .vector = 14, .error = 2, .sp = GUARD + 0xf60, .cr2 = GUARD + 0xf58 }, NULL, 0,
	  GUARD, "grown into its guard page" },
	{ "stack guard, its first byte", { .vector = 14, .error = 2, .sp = GUARD + 0x1000, .cr2 = GUARD },
	  NULL, 0, GUARD, "grown into its guard page" },
	{ "below the guard", { .vector = 14, .error = 2, .cr2 = GUARD - 1 }, NULL, 0, GUARD,
	  "nothing is mapped" },
	{ "above the guard", { .vector = 14, .error = 2, .cr2 = GUARD + 0x1000 }, NULL, 0, GUARD,
	  "nothing is mapped" },
	{ "the guard is not known", { .vector = 14, .error = 0, .cr2 = 0x10 }, NULL, 0, 0,
	  "a null pointer" },
	{ "a stack that grows into nothing",
	  { .vector = 14, .error = 2, .sp = STACK + 8, .cr2 = STACK - 8 }, NULL, 0, 0,
	  "grown into a page that is not mapped" },
	{ "a stack where nothing is", { .vector = 14, .error = 2, .sp = 0x90010, .cr2 = 0x90008 }, NULL, 0,
	  0, "grown into a page that is not mapped" },
	{ "far below the stack", { .vector = 14, .error = 2, .sp = 0x190000, .cr2 = 0x150000 }, NULL, 0, 0,
	  "a pointer to where nothing is mapped" },
	{ "above the stack", { .vector = 14, .error = 2, .sp = TOP, .cr2 = 0x24000 }, NULL, 0, 0,
	  "a pointer to where nothing is mapped" },

	{ "a call of null", { .vector = 14, .error = 0x10, .ip = NO_IP }, NULL, 0, 0,
	  "a call or jump through a null pointer" },
	/* Without NX, fetches are shown as reads. */
	{ "a call of null, no such bit", { .vector = 14, .ip = NO_IP }, NULL, 0, 0,
	  "a call or jump through a null pointer" },
	{ "a call of a member of null", { .vector = 14, .error = 0x10, .ip = 0x18, .cr2 = 0x18 }, NULL, 0,
	  0, "a call or jump through a null pointer" },
	{ "a jump to data", { .vector = 14, .error = 0x11, .ip = DATA + 4, .cr2 = DATA + 4 }, NULL, 0, 0,
	  "a jump to data: the page is mapped, but not executable" },
	{ "a jump to nowhere", { .vector = 14, .error = 0x10, .ip = 0x123456789000, .cr2 = 0x123456789000 },
	  NULL, 0, 0, "a jump to where no code is" },
	{ "null", { .vector = 14, .error = 2, .cr2 = 8 }, NULL, 0, 0, "a null pointer" },
	{ "the end of the first page", { .vector = 14, .cr2 = 0xfff }, NULL, 0, 0, "a null pointer" },
	{ "read-only", { .vector = 14, .error = 3, .cr2 = READ_ONLY + 8 }, NULL, 0, 0,
	  "a write to memory that is read-only" },
	{ "a pointer", { .vector = 14, .error = 2, .cr2 = 0x12345678000 }, NULL, 0, 0,
	  "a pointer to where nothing is mapped" },
	{ "a read that is not allowed", { .vector = 14, .error = 5, .cr2 = DATA }, NULL, 0, 0, "" },
};

TEST(reasons)
{
	for (size_t i = 0; i < COUNT(reason_cases); i++) {
		const struct reason_case *c = &reason_cases[i];
		struct crash crash;

		make_machine();
		if (c->code != NULL)
			memcpy(physical + VICTIM, c->code, c->code_size);
		char *log = make_log(&c->event, 1, false);
		struct crash_evidence evidence = { .memory = memory, .log = log, .reported = true, .stack = { c->guard, 65536 } };
		crash_examine(&crash, &evidence);
		free(log);
		CHECK(crash.has_cpu && crash.logged && !crash.lost, "%s: not examined", c->name);
		CHECK(c->says[0] != '\0' ? strstr(crash.reason, c->says) != NULL : crash.reason[0] == '\0',
		      "%s: '%s'", c->name, crash.reason);
		char *text = print_crash(&crash);
		bool told = strstr(text, "  likely: ") != NULL;
		CHECK(told == (c->says[0] != '\0'), "%s: %s", c->name, text);
		free(text);
	}
}

/* What is said must not be wrong. */
static const struct {
	const char *name;
	struct event event;
	const char *never;
} lies[] = {
	/* CR4.SMEP and SMAP: the page itself would allow it. */
	{ "code of the user's", { .vector = 14, .error = 0x11, .ip = USER, .cr2 = USER, .cr4 = 1 << 20 },
	  "not executable" },
	{ "data of the user's", { .vector = 14, .error = 3, .cr2 = USER + 8, .cr4 = 1 << 21 },
	  "read-only" },
	/* A reserved bit in the tables, whatever the access. */
	{ "a reserved bit", { .vector = 14, .error = 0xb, .cr2 = DATA }, "read-only" },
	{ "user code", { .vector = 14, .error = 7, .cr2 = DATA }, "read-only" },
};

TEST(says_nothing_wrong)
{
	for (size_t i = 0; i < COUNT(lies); i++) {
		struct crash crash;

		make_machine();
		char *log = make_log(&lies[i].event, 1, false);
		struct crash_evidence evidence = { .memory = memory, .log = log, .reported = true };
		crash_examine(&crash, &evidence);
		free(log);
		CHECK(strstr(crash.reason, lies[i].never) == NULL, "%s: '%s'", lies[i].name, crash.reason);
	}
}

/* Interrupts may have the vectors of exceptions (the firmware leaves IRQ 6 at 14),
 * but neither an error code nor an address. */
TEST(interrupts_are_no_exceptions)
{
	for (int software = 0; software < 2; software++) {
		for (unsigned int vector = 10; vector <= 14; vector++) {
			const struct event event = { .vector = vector, .hardware = !software,
						     .software = software, .cr2 = 0x50000 };
			struct crash crash;

			make_machine();
			char *log = make_log(&event, 1, true);
			struct crash_evidence evidence = { .memory = memory, .log = log, .reported = true };
			crash_examine(&crash, &evidence);
			free(log);
			char *text = print_crash(&crash);
			bool walked = strstr(text, "  0x50000 is ") != NULL;
			bool wrong = strstr(text, "page not present") != NULL ||
				     strstr(text, exception_name(vector)) != NULL;
			if (walked || wrong)
				print_error("%s\n", text);
			free(text);
			CHECK(!walked && !crash.has_walk, "%u: CR2 is looked up", vector);
			CHECK(!wrong, "%u: taken for an exception", vector);
			CHECK(strstr(crash_cause(&crash).text, exception_name(vector)) == NULL, "%u: %s",
			      vector, crash_cause(&crash).text);
		}
	}
}

/* Why nobody handled it. */
static const struct {
	const char *name;
	struct event events[3];
	size_t count;
	const char *says;
} chain_cases[] = {
	{ "no IDT", { { .vector = 6, .idt_limit = NO_IDT }, { .vector = 8, .idt_limit = NO_IDT } }, 2,
	  "the kernel has no IDT entry for it" },
	{ "a short IDT", { { .vector = 14, .error = 2, .cr2 = 0x50000, .idt_limit = 14 * 16 - 1 } }, 1,
	  "the kernel has no IDT entry for it" },
	{ "half an entry", { { .vector = 14, .error = 2, .cr2 = 0x50000, .idt_limit = 14 * 16 + 14 } }, 1,
	  "the kernel has no IDT entry for it" },
	{ "an IDT that is long enough",
	  { { .vector = 14, .error = 2, .cr2 = 0x50000, .idt_limit = 14 * 16 + 15 } }, 1, "" },
	{ "32-bit, a short IDT", { { .vector = 14, .narrow = true, .idt_limit = 14 * 8 + 6 } }, 1,
	  "the kernel has no IDT entry for it" },
	{ "32-bit, an IDT that is long enough", { { .vector = 14, .narrow = true, .idt_limit = 14 * 8 + 7 } },
	  1, "" },
	{ "the handler is not mapped", { { .vector = 6 }, { .vector = 14, .cr2 = 0x60000 } }, 2,
	  "the handler, its stack or the IDT is not mapped" },
	{ "invalid TSS", { { .vector = 6 }, { .vector = 10, .error = 0x18 }, { .vector = 8 } }, 3,
	  "comes from a TSS that is missing or wrong" },
	{ "no TSS", { { .vector = 6 }, { .vector = 12 }, { .vector = 8 } }, 3,
	  "comes from a TSS that is missing or wrong" },
	{ "a stack fault with a TSS", { { .vector = 6, .tr = 0x18 }, { .vector = 12, .tr = 0x18 } }, 2, "" },
};

TEST(why_it_was_not_handled)
{
	for (size_t i = 0; i < COUNT(chain_cases); i++) {
		for (int triple = 0; triple < 2; triple++) {
			struct crash crash;

			make_machine();
			char *log = make_log(chain_cases[i].events, chain_cases[i].count, triple);
			struct crash_evidence evidence = { .memory = memory, .log = log, .reported = true };
			crash_examine(&crash, &evidence);
			free(log);
			char *text = print_crash(&crash);
			json_t *json = read_json(&crash, chain_cases[i].name);
			/* Without a triple fault it was handled, or not yet. */
			const char *says = triple ? chain_cases[i].says : "";
			const char *is = json_text(json, "unhandled_because");
			CHECK(says[0] != '\0' ? strstr(is, says) != NULL : is[0] == '\0', "%s: '%s'",
			      chain_cases[i].name, is);
			CHECK(strstr(text, says) != NULL, "%s: %s", chain_cases[i].name, text);
			CHECK((strstr(text, ", then a triple fault") != NULL) == triple, "%s: %s",
			      chain_cases[i].name, text);
			json_decref(json);
			free(text);
		}
	}
}

/* ---- All that is told ---------------------------------------------------------------- */

static const struct event write_to_table[] = {
	{ .vector = 14, .error = 3, .cr2 = READ_ONLY + 8, .idt_limit = NO_IDT },
	{ .vector = 8, .cr2 = READ_ONLY + 8, .idt_limit = NO_IDT },
};

TEST(text_of_all)
{
	static const char *const parts[] = {
		"  at 0x10200 victim+0x0\n",
		"  exceptions: page fault (vector 14: write, page is mapped but does not allow it), then "
		"double fault (vector 8), then a triple fault: the kernel has no IDT entry for it\n",
		"  0x22008 is mapped to 0x22008 by a page of 4 KiB, read-only, not executable, for the "
		"kernel only\n",
		"  likely: a write to memory that is read-only\n",
		"  code: 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90\n",
		"  RAX 00000000000000a1 RBX 0000000000000000",
		"R15 00000000000000f5\n",
		"  CS 0008  flags 00000246  CR0 80010033  CR2 0000000000022008  CR3 00001000  CR4 00000620\n",
	};
	struct crash crash;

	make_machine();
	char *log = make_log(write_to_table, COUNT(write_to_table), true);
	struct symbols *symbols = make_symbols("caller", "victim", "table");
	struct crash_evidence evidence = { .memory = memory, .log = log, .reported = true, .symbols = symbols };
	crash_examine(&crash, &evidence);
	free(log);
	symbols_close(symbols);
	char *text = print_crash(&crash);
	const char *from = text;
	for (size_t i = 0; i < COUNT(parts); i++) {
		const char *found = strstr(from, parts[i]);

		CHECK(found != NULL, "'%s' is not in its place in:\n%s", parts[i], text);
		from = found + 1;
	}
	free(text);
	assert_string_equal(crash_cause(&crash).text,
			    "page fault (vector 14: write, page is mapped but does not allow it) at 0x22008, "
			    "table+0x8");

	json_t *json = read_json(&crash, "all");
	assert_string_equal(json_text(json, "cause"), crash_cause(&crash).text);
	assert_string_equal(json_text(json, "object"), "table+0x8");
	assert_string_equal(json_text(json, "reason"), crash.reason);
	assert_string_equal(json_text(json, "code"), "90909090909090909090909090909090");
	assert_string_equal(json_text(json, "unhandled_because"), "the kernel has no IDT entry for it");
	assert_string_equal(json_text(json, "page_tables"),
			    "mapped to 0x22008 by a page of 4 KiB, read-only, not executable, for the kernel only");
	assert_true(json_is_true(json_object_get(json, "triple_fault")));
	assert_true(json_is_true(json_object_get(json, "exceptions_known")));
	assert_true(json_is_false(json_object_get(json, "registers_lost")));
	assert_true(json_is_false(json_object_get(json, "early")));

	const json_t *list = json_object_get(json, "exceptions"), *item = json_array_get(list, 0);
	assert_int_equal(json_array_size(list), 2);
	assert_int_equal(json_integer_value(json_object_get(item, "vector")), 14);
	assert_int_equal(json_integer_value(json_object_get(item, "error_code")), 3);
	assert_string_equal(json_text(item, "name"), "page fault");
	assert_string_equal(json_text(item, "error"), "write, page is mapped but does not allow it");
	assert_string_equal(json_text(item, "address"), "0x10200");

	const json_t *frame = json_array_get(json_object_get(json, "backtrace"), 0);
	assert_string_equal(json_text(frame, "function"), "victim");
	assert_string_equal(json_text(frame, "address"), "0x10200");
	assert_int_equal(json_integer_value(json_object_get(frame, "offset")), 0);

	const json_t *registers = json_object_get(json, "registers");
	assert_int_equal(json_object_size(registers), 16 + 8);
	assert_string_equal(json_text(registers, "RAX"), "0xa1");
	assert_string_equal(json_text(registers, "R15"), "0xf5");
	assert_string_equal(json_text(registers, "RIP"), "0x10200");
	assert_string_equal(json_text(registers, "CR2"), "0x22008");
	assert_string_equal(json_text(registers, "EFER"), "0xd00");
	json_decref(json);
}

TEST(registers_of_32_bits)
{
	static const struct event event = { .vector = 6, .narrow = true };
	struct crash crash;

	make_machine();
	char *log = make_log(&event, 1, false);
	struct crash_evidence evidence = { .memory = memory, .log = log, .reported = true };
	crash_examine(&crash, &evidence);
	free(log);
	char *text = print_crash(&crash);
	assert_non_null(strstr(text, "  EAX 000000a1 EBX 00000000"));
	assert_null(strstr(text, "R8"));
	assert_non_null(strstr(text, "CR2 00000000 "));
	free(text);
	json_t *json = read_json(&crash, "32 bits");
	assert_int_equal(json_object_size(json_object_get(json, "registers")), 8 + 8);
	assert_string_equal(json_text(json_object_get(json, "registers"), "EIP"), "0x10200");
	json_decref(json);
}

/* Of a call to nowhere the caller is all there is. */
TEST(who_called_nothing)
{
	static const struct event events[] = {
		{ .vector = 14, .error = 0x10, .ip = NO_IP },
		{ .vector = 14, .error = 0x10, .ip = 0x123456789000, .cr2 = 0x123456789000 },
		{ .vector = 14, .error = 0x11, .ip = DATA, .cr2 = DATA },
	};

	for (size_t i = 0; i < COUNT(events); i++) {
		struct crash crash;

		make_machine();
		char *log = make_log(&events[i], 1, false);
		struct symbols *symbols = make_symbols("caller", "victim", "table");
		struct crash_evidence evidence = { .memory = memory, .log = log, .reported = true, .symbols = symbols };
		crash_examine(&crash, &evidence);
		free(log);
		symbols_close(symbols);
		CHECK(crash.frame_count >= 2, "%zu: %zu frames", i, crash.frame_count);
		assert_string_equal(crash.frames[0].symbol.function, "");
		CHECK(crash.frames[1].address == CALLER, "%zu: 0x%" PRIx64, i, crash.frames[1].address);
		assert_string_equal(crash.frames[1].symbol.function, "caller");
		char *text = print_crash(&crash);
		CHECK(strstr(text, " in no function\n  by 0x10115 caller+0x15\n") != NULL, "%zu: %s", i, text);
		free(text);
	}
}

/* The stack may be gone as well. */
TEST(who_called_nothing_is_not_known)
{
	static const struct event event = { .vector = 14, .error = 0x10, .ip = NO_IP, .sp = 0x60000 };
	struct crash crash;

	make_machine();
	char *log = make_log(&event, 1, false);
	struct symbols *symbols = make_symbols("caller", "victim", "table");
	struct crash_evidence evidence = { .memory = memory, .log = log, .reported = true, .symbols = symbols };
	crash_examine(&crash, &evidence);
	free(log);
	symbols_close(symbols);
	assert_int_equal(crash.frame_count, 1);
	assert_int_equal(crash.code_size, 0);
	char *text = print_crash(&crash);
	assert_null(strstr(text, "code:"));
	assert_non_null(strstr(text, "  0x0 is not mapped at level 1: entry 0 of its page table is not present\n"));
	free(text);
}

TEST(no_symbols)
{
	struct crash crash;

	make_machine();
	char *log = make_log(write_to_table, COUNT(write_to_table), true);
	struct symbols *empty = symbols_open((const unsigned char *)"", 0, 0);
	assert_non_null(empty);
	for (int i = 0; i < 2; i++) {
		struct crash_evidence evidence = { .memory = memory, .log = log, .reported = true,
						   .symbols = i == 0 ? NULL : empty };
		crash_examine(&crash, &evidence);
		assert_false(crash.has_symbols);
		assert_string_equal(crash.object, "");
		char *text = print_crash(&crash);
		CHECK(strstr(text, "  at 0x10200 (no symbols)\n") == text, "%d: %s", i, text);
		CHECK(strstr(text, "likely: a write to memory that is read-only") != NULL, "%d", i);
		free(text);
		json_decref(read_json(&crash, "no symbols"));
	}
	symbols_close(empty);
	free(log);
}

TEST(loaders_handlers)
{
	static const struct {
		const char *name;
		struct event event;
		uint64_t guard;
		bool has_idt;
		bool early;
	} cases[] = {
		{ "the loader's", { .vector = 6, .idt = GUARD + 0x13260 }, GUARD, true, true },
		{ "the kernel's", { .vector = 6, .idt = DATA }, GUARD, true, false },
		{ "just below", { .vector = 6, .idt = GUARD - 1 }, GUARD, true, false },
		{ "just above", { .vector = 6, .idt = GUARD + (UINT64_C(512) << 30) }, GUARD, true, false },
		{ "none", { .vector = 6, .idt = GUARD + 0x13260, .idt_limit = NO_IDT }, GUARD, true, false },
		{ "not known", { .vector = 6, .idt = GUARD + 0x13260 }, 0, false, false },
		{ "not given", { .vector = 6, .idt = GUARD + 0x13260 }, GUARD, false, false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct crash crash;

		make_machine();
		char *log = make_log(&cases[i].event, 1, false);
		struct crash_evidence evidence = { .memory = memory, .log = log, .reported = true,
						   .stack = { cases[i].guard, 65536, cases[i].has_idt } };
		crash_examine(&crash, &evidence);
		free(log);
		CHECK(crash.early == cases[i].early, "%s", cases[i].name);
		char *text = print_crash(&crash);
		CHECK((strstr(text, "has no IDT of its own yet") != NULL) == cases[i].early, "%s: %s",
		      cases[i].name, text);
		free(text);
		json_t *json = read_json(&crash, cases[i].name);
		CHECK(json_is_true(json_object_get(json, "early")) == cases[i].early, "%s", cases[i].name);
		json_decref(json);
	}
}

/* ---- Less evidence ---------------------------------------------------------------------- */

TEST(lost_registers)
{
	static const struct {
		const char *name;
		struct cpu cpu;
		bool lost;
	} cases[] = {
		{ "reset vector", { .cs = 0xf000, .ip = 0xfff0, .cr0 = 0x60000010 }, true },
		{ "stopped while it was reset", { .cs = 0xf000, .ip = 0, .cr0 = 0x60000010 }, true },
		{ "in the BIOS", { .cs = 0xf000, .ip = 0x1234, .cr0 = 0x10 }, false },
		{ "elsewhere", { .cs = 8, .ip = 0xfff0, .cr0 = 0x11 }, false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct crash crash;
		struct crash_evidence evidence = { .memory = memory, .has_cpu = true, .cpu = cases[i].cpu };

		make_machine();
		crash_examine(&crash, &evidence);
		CHECK(crash.lost == cases[i].lost, "%s", cases[i].name);
		assert_string_equal(crash_cause(&crash).text, "");
		char *text = print_crash(&crash);
		CHECK((strstr(text, "before is lost") != NULL) == cases[i].lost, "%s: %s", cases[i].name,
		      text);
		CHECK((strstr(text, "EAX") == NULL) == cases[i].lost, "%s: %s", cases[i].name, text);
		free(text);
		json_t *json = read_json(&crash, cases[i].name);
		CHECK(json_is_true(json_object_get(json, "registers_lost")) == cases[i].lost, "%s",
		      cases[i].name);
		CHECK((json_object_get(json, "registers") == NULL) == cases[i].lost, "%s", cases[i].name);
		json_decref(json);
	}
}

/* The log still has them after a reset. */
TEST(registers_of_the_log)
{
	struct crash crash;
	struct crash_evidence evidence = { .memory = memory, .has_cpu = true,
					   .cpu = { .cs = 0xf000, .ip = 0xfff0 } };

	make_machine();
	char *log = make_log(write_to_table, COUNT(write_to_table), true);
	evidence.log = log;
	crash_examine(&crash, &evidence);
	free(log);
	assert_false(crash.lost);
	assert_true(crash.cpu.ip == VICTIM);
}

/* A halt or a time limit: where it is, but no cause. */
TEST(no_exception)
{
	static const char *const logs[] = { NULL, "", "Triple fault\n" };

	for (size_t i = 0; i < COUNT(logs); i++) {
		struct crash crash;
		struct crash_evidence evidence = {
			.memory = memory, .has_cpu = true, .log = logs[i],
			.cpu = { .is_64 = true, .cs = 8, .ip = VICTIM + 2, .cr0 = 0x80010033, .cr3 = TABLES,
				 .cr4 = 0x620, .efer = 0xd00, .gpr = { [CPU_RSP] = TOP } },
		};

		make_machine();
		struct symbols *symbols = make_symbols("caller", "victim", "table");
		evidence.symbols = symbols;
		crash_examine(&crash, &evidence);
		symbols_close(symbols);
		assert_string_equal(crash_cause(&crash).text, "");
		assert_string_equal(crash.reason, "");
		assert_false(crash.has_walk);
		CHECK(crash.logged == (logs[i] != NULL), "%zu", i);
		char *text = print_crash(&crash);
		CHECK(strstr(text, "  at 0x10202 victim+0x2\n") == text || crash.elsewhere, "%zu: %s", i, text);
		CHECK(strstr(text, "exceptions:") == NULL, "%zu: %s", i, text);
		free(text);
		json_t *json = read_json(&crash, "no exception");
		CHECK(json_is_true(json_object_get(json, "exceptions_known")) == (logs[i] != NULL), "%zu", i);
		assert_int_equal(json_array_size(json_object_get(json, "exceptions")), 0);
		json_decref(json);
	}
}

TEST(nothing_at_all)
{
	struct crash_evidence evidence = { .memory = memory };
	struct crash crash;

	crash_examine(&crash, &evidence);
	assert_false(crash.has_cpu);
	char *text = print_crash(&crash);
	assert_string_equal(text, "");
	free(text);
	assert_string_equal(crash_cause(&crash).text, "");
	json_t *json = read_json(&crash, "nothing");
	assert_true(json_is_false(json_object_get(json, "registers_lost")));
	json_decref(json);
}

/* ---- What the kernel's file says may be anything ----------------------------------------- */

static void check_clean(const char *text, const char *what)
{
	for (const char *c = text; *c != '\0'; c++)
		CHECK((unsigned char)*c >= 0x20 || *c == '\n', "%s: byte 0x%02x in\n%s", what, (unsigned char)*c,
		      text);
	assert_null(strchr(text, 0x7f));
}

static const char *const bad_names[] = {
	"\x1b[2Jname", "new\nline", "\x7f\x01\x02", "\x9b\x32J", "\xff\xfe\xfd", "\xc3", "\xe2\x82", "\"\\/", "%s%n",
};

TEST(names_that_upset_terminals)
{
	for (size_t i = 0; i < COUNT(bad_names); i++) {
		struct crash crash;

		make_machine();
		char *log = make_log(write_to_table, COUNT(write_to_table), true);
		struct symbols *symbols = make_symbols(bad_names[i], bad_names[i], bad_names[i]);
		struct crash_evidence evidence = { .memory = memory, .log = log, .reported = true, .symbols = symbols };
		crash_examine(&crash, &evidence);
		free(log);
		symbols_close(symbols);
		assert_string_equal(crash.frames[0].symbol.function, bad_names[i]);
		snprintf(crash.frames[0].symbol.file, sizeof(crash.frames[0].symbol.file), "%s/x.c",
			 bad_names[i]);
		char *text = print_crash(&crash);
		check_clean(text, bad_names[i]);
		/* No name makes a line of its own. */
		CHECK(strstr(text, "\nline") == NULL, "%s", text);
		free(text);
	}
}

TEST(names_in_json)
{
	for (size_t i = 0; i < COUNT(bad_names); i++) {
		struct crash crash;
		char what[32];

		make_machine();
		char *log = make_log(write_to_table, COUNT(write_to_table), true);
		struct symbols *symbols = make_symbols(bad_names[i], bad_names[i], bad_names[i]);
		struct crash_evidence evidence = { .memory = memory, .log = log, .reported = true, .symbols = symbols };
		crash_examine(&crash, &evidence);
		free(log);
		symbols_close(symbols);
		snprintf(what, sizeof(what), "name %zu", i);
		json_t *json = read_json(&crash, what);
		assert_int_equal(json_array_size(json_object_get(json, "exceptions")), 2);
		CHECK(strstr(json_text(json, "object"), "+0x8") != NULL, "name %zu", i);
		json_decref(json);
	}
}

/* A long name is cut, and what is cut in the middle of a character is still told. */
TEST(long_names)
{
	char name[601];

	for (size_t i = 0; i < 600; i++)
		name[i] = i % 2 == 0 ? '\xc3' : '\xa4';
	for (size_t start = 0; start < 2; start++) {
		struct crash crash;

		name[0] = start == 0 ? '\xc3' : 'x';
		name[600] = '\0';
		make_machine();
		char *log = make_log(write_to_table, COUNT(write_to_table), true);
		struct symbols *symbols = make_symbols("caller", name, name + start);
		struct crash_evidence evidence = { .memory = memory, .log = log, .reported = true, .symbols = symbols };
		crash_examine(&crash, &evidence);
		free(log);
		symbols_close(symbols);
		free(print_crash(&crash));
		json_decref(read_json(&crash, "a long name"));
	}
}

/* ---- Frames ---------------------------------------------------------------------------- */

static struct crash_frame frame_at(uint64_t address, const char *function, bool inlined)
{
	struct crash_frame frame = { .address = address, .inlined = inlined };

	snprintf(frame.symbol.function, sizeof(frame.symbol.function), "%s", function);
	snprintf(frame.symbol.file, sizeof(frame.symbol.file), "source.c");
	frame.symbol.line = 12;
	frame.symbol.offset = inlined ? 0 : 5;
	frame.symbol.inlined = inlined;
	return frame;
}

static void check_frames(struct crash *crash, const char *expected)
{
	crash->has_cpu = crash->has_symbols = true;
	char *text = print_crash(crash);
	CHECK(strncmp(text, expected, strlen(expected)) == 0, "%s", text);
	/* The registers are next. */
	CHECK(strncmp(text + strlen(expected), "  EAX", 5) == 0, "%s", text);
	free(text);
}

TEST(frames_in_words)
{
	static struct crash crash;

	crash = (struct crash){ .frame_count = 2 };
	crash.frames[0] = frame_at(0x1000, "inner", true);
	crash.frames[1] = frame_at(0x1000, "outer", false);
	check_frames(&crash, "  at 0x1000 inner (source.c:12), inlined\n"
			     "  by 0x1000 outer+0x5 (source.c:12)\n");
	crash = (struct crash){ .frame_count = 5 };
	for (size_t i = 0; i < 5; i++)
		crash.frames[i] = frame_at(i < 4 ? 0x1000 : 0x2000, i < 4 ? "recurse" : "start", false);
	/* The first is where it is, not where it was called. */
	check_frames(&crash, "  at 0x1000 recurse+0x5 (source.c:12)\n"
			     "  by 0x1000 recurse+0x5 (source.c:12)\n"
			     "  (2 more of these)\n"
			     "  by 0x2000 start+0x5 (source.c:12)\n");
	crash = (struct crash){ .frame_count = CRASH_FRAMES };
	for (size_t i = 0; i < CRASH_FRAMES; i++)
		crash.frames[i] = frame_at(0x1000, "recurse", false);
	check_frames(&crash, "  at 0x1000 recurse+0x5 (source.c:12)\n"
			     "  by 0x1000 recurse+0x5 (source.c:12)\n"
			     "  (62 more of these)\n"
			     "  (and more)\n");
}

TEST(walks_in_words)
{
	static const struct {
		struct walk walk;
		const char *words;
	} cases[] = {
		{ { .readable_tables = true, .level = 5, .index = 3 },
		  "not mapped at level 5: entry 3 of its level 5 table is not present" },
		{ { .readable_tables = true, .level = 4, .index = 511 },
		  "not mapped at level 4: entry 511 of its level 4 table is not present" },
		{ { .readable_tables = true, .level = 3 },
		  "not mapped at level 3: entry 0 of its page directory pointer table is not present" },
		{ { .readable_tables = true, .level = 2 },
		  "not mapped at level 2: entry 0 of its page directory is not present" },
		{ { .readable_tables = true, .level = 1, .index = 1023 },
		  "not mapped at level 1: entry 1023 of its page table is not present" },
		{ { .readable_tables = true, .mapped = true, .level = 2, .physical = 0x200123,
		    .page_size = 2 << 20, .writable = true, .user = true, .executable = true },
		  "mapped to 0x200123 by a page of 2048 KiB, writable, executable, for user code too" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct crash crash = { .has_cpu = true, .has_walk = true, .walk = cases[i].walk };
		char line[160];

		crash.cpu.cr2 = 0x1234;
		snprintf(line, sizeof(line), "  0x1234 is %s\n", cases[i].words);
		char *text = print_crash(&crash);
		CHECK(strstr(text, line) != NULL, "case %zu: %s", i, text);
		free(text);
		json_t *json = read_json(&crash, cases[i].words);
		assert_string_equal(json_text(json, "page_tables"), cases[i].words);
		json_decref(json);
	}
}

/* ---- Absurd evidence --------------------------------------------------------------------- */

static bool read_random(void *context, uint64_t address, void *bytes, size_t size)
{
	uint64_t *seed = context;

	if (random_below(seed, 8) == 0)
		return false;
	for (size_t i = 0; i < size; i++)
		((unsigned char *)bytes)[i] = (unsigned char)(random_next(seed) | (i == 0) | (address == 0));
	return true;
}

/* Numbers at the edges of everything. */
static uint64_t random_number(uint64_t *seed)
{
	static const uint64_t edges[] = { 0, 1, 0xfff, 0x1000, CODE, VICTIM, TOP, GUARD, INT64_MAX,
					  UINT64_MAX, UINT64_MAX - 7, UINT32_MAX, READ_ONLY };
	uint64_t number = edges[random_below(seed, COUNT(edges))];

	return random_below(seed, 4) == 0 ? random_next(seed) : number;
}

TEST(absurd_evidence)
{
	uint64_t seed = 3;

	make_machine();
	struct symbols *symbols = make_symbols("caller", "victim", "table");
	for (int round = 0; round < 1000; round++) {
		struct crash_evidence evidence = {
			.has_cpu = random_below(&seed, 2),
			.memory = { read_random, &seed },
			.symbols = random_below(&seed, 2) ? symbols : NULL,
			.stack = { random_number(&seed), random_number(&seed) },
		};
		struct event events[4];
		struct crash crash;

		for (size_t i = 0; i < CPU_GPRS; i++)
			evidence.cpu.gpr[i] = random_number(&seed);
		evidence.cpu.ip = random_number(&seed);
		evidence.cpu.cr0 = random_number(&seed);
		evidence.cpu.cr3 = random_number(&seed);
		evidence.cpu.cr4 = random_number(&seed);
		evidence.cpu.efer = random_number(&seed);
		for (size_t i = 0; i < COUNT(events); i++)
			events[i] = (struct event){
				.vector = (unsigned int)(random_below(&seed, 8) == 0 ? random_next(&seed) :
										     random_below(&seed, 32)),
				.error = (uint32_t)random_number(&seed),
				.hardware = random_below(&seed, 8) == 0,
				.narrow = random_below(&seed, 2),
				.ip = random_number(&seed),
				.sp = random_number(&seed),
				.cr0 = random_number(&seed),
				.cr2 = random_number(&seed),
				.cr4 = random_number(&seed),
				.idt_limit = random_number(&seed),
			};
		char *log = make_log(events, random_below(&seed, 5), random_below(&seed, 2));
		evidence.log = random_below(&seed, 4) == 0 ? NULL : log;
		crash_examine(&crash, &evidence);
		free(log);
		char *text = print_crash(&crash);
		check_clean(text, "absurd");
		free(text);
		json_t *json = read_json(&crash, "absurd");
		if (crash.has_cpu && !crash.lost)
			assert_string_equal(json_text(json, "reason"), crash.reason);
		json_decref(json);
	}
	symbols_close(symbols);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reasons),
		cmocka_unit_test(says_nothing_wrong),
		cmocka_unit_test(interrupts_are_no_exceptions),
		cmocka_unit_test(why_it_was_not_handled),
		cmocka_unit_test(text_of_all),
		cmocka_unit_test(registers_of_32_bits),
		cmocka_unit_test(who_called_nothing),
		cmocka_unit_test(who_called_nothing_is_not_known),
		cmocka_unit_test(no_symbols),
		cmocka_unit_test(loaders_handlers),
		cmocka_unit_test(lost_registers),
		cmocka_unit_test(registers_of_the_log),
		cmocka_unit_test(no_exception),
		cmocka_unit_test(nothing_at_all),
		cmocka_unit_test(names_that_upset_terminals),
		cmocka_unit_test(names_in_json),
		cmocka_unit_test(long_names),
		cmocka_unit_test(frames_in_words),
		cmocka_unit_test(walks_in_words),
		cmocka_unit_test(absurd_evidence),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
