/* SPDX-License-Identifier: MIT
 *
 * exceptions_parse() on logs of QEMU 7.2 ("-d int,cpu_reset"), and error codes in
 * words (Intel SDM volume 3, 4.7 and 6.13).
 */
#include "crash/exceptions.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "unit.h"

/* ---- Logs as QEMU wrote them ----------------------------------------------- */

/* A write to 0x12345678000; the IDT is empty. */
#define REGISTERS_64 \
	"RAX=0000012345678000 RBX=fffffe0000013140 RCX=fffffe0000013146 RDX=0000000000000000\n" \
	"RSI=00000000001011a4 RDI=fffffe0000013140 RBP=0000000000100450 RSP=fffffe0000010f70\n" \
	"R8 =000000000000000a R9 =000000000000000a R10=0000000000102020 R11=fffffe0000013000\n" \
	"R12=0000000000000000 R13=0000000000000000 R14=0000000000000000 R15=0000000000000015\n" \
	"RIP=000000000010051c RFL=00000086 [--S--P-] CPL=0 II=0 A20=1 SMM=0 HLT=0\n" \
	"ES =0010 0000000000000000 ffffffff 00cf9300 DPL=0 DS   [-WA]\n" \
	"CS =0008 0000000000000000 ffffffff 00af9b00 DPL=0 CS64 [-RA]\n" \
	"SS =0010 0000000000000000 ffffffff 00cf9300 DPL=0 DS   [-WA]\n" \
	"DS =0010 0000000000000000 ffffffff 00cf9300 DPL=0 DS   [-WA]\n" \
	"FS =0010 0000000000000000 ffffffff 00cf9300 DPL=0 DS   [-WA]\n" \
	"GS =0010 0000000000000000 ffffffff 00cf9300 DPL=0 DS   [-WA]\n" \
	"LDT=0000 0000000000000000 0000ffff 00008200 DPL=0 LDT\n" \
	"TR =0018 fffffe00000131d0 00000067 00008900 DPL=0 TSS64-avl\n" \
	"GDT=     fffffe0000013150 00000027\n" \
	"IDT=     0000000000000000 00000000\n" \
	"CR0=80010033 CR2=0000012345678000 CR3=000000000011d000 CR4=00000620\n" \
	"DR0=0000000000000000 DR1=0000000000000000 DR2=0000000000000000 DR3=0000000000000000 \n" \
	"DR6=00000000ffff0ff0 DR7=0000000000000400\n" \
	"CCS=fffffe0000013146 CCD=fffffe000001314d CCO=LOGICQ\n" \
	"EFER=0000000000000d00\n"

/* What the firmware leaves in the log before. */
#define RESET \
	"CPU Reset (CPU 0)\n" \
	"EAX=00000000 EBX=00000000 ECX=00000000 EDX=00060fb1\n" \
	"ESI=00000000 EDI=00000000 EBP=00000000 ESP=00000000\n" \
	"EIP=0000fff0 EFL=00000002 [-------] CPL=0 II=0 A20=1 SMM=0 HLT=0\n" \
	"CS =f000 ffff0000 0000ffff 00009b00\n" \
	"TR =0000 00000000 0000ffff 00008b00\n" \
	"IDT=     00000000 000003ff\n" \
	"CR0=00000010 CR2=00000000 CR3=00000000 CR4=00000000\n" \
	"CCS=00000004 CCD=00000001 CCO=EFLAGS\n" \
	"EFER=0000000000000000\n" \
	"FCW=037f FSW=0000 [ST=0] FTW=00 MXCSR=00001f80\n" \
	"FPR0=0000000000000000 0000 FPR1=0000000000000000 0000\n"

static const char log_64[] =
	RESET
	"SMM: enter\n"
	"SMM: after RSM\n"
	"check_exception old: 0xffffffff new 0xe\n"
	"     0: v=0e e=0002 i=0 cpl=0 IP=0008:000000000010051c pc=000000000010051c "
	"SP=0010:fffffe0000010f70 CR2=0000012345678000\n"
	REGISTERS_64
	"check_exception old: 0xe new 0xd\n"
	"     1: v=08 e=0000 i=0 cpl=0 IP=0008:000000000010051c pc=000000000010051c "
	"SP=0010:fffffe0000010f70 env->regs[R_EAX]=0000012345678000\n"
	REGISTERS_64
	"check_exception old: 0x8 new 0xd\n"
	"Triple fault\n";

/* A ud2 of a Multiboot kernel, which has no IDT either. */
#define REGISTERS_32 \
	"EAX=0009e08c EBX=0009e078 ECX=00000006 EDX=001014ae\n" \
	"ESI=00000007 EDI=000000a8 EBP=00000000 ESP=00109fd0\n" \
	"EIP=00100d61 EFL=00000002 [-------] CPL=0 II=0 A20=1 SMM=0 HLT=0\n" \
	"ES =0010 00000000 ffffffff 00cf9300 DPL=0 DS   [-WA]\n" \
	"CS =0008 00000000 ffffffff 00cf9b00 DPL=0 CS32 [-RA]\n" \
	"SS =0010 00000000 ffffffff 00cf9300 DPL=0 DS   [-WA]\n" \
	"LDT=0000 00000000 0000ffff 00008200 DPL=0 LDT\n" \
	"TR =0018 00000000 00000067 00008900 DPL=0 TSS32-avl\n" \
	"GDT=     0009d800 0000001f\n" \
	"IDT=     00000000 00000000\n" \
	"CR0=00000011 CR2=00000000 CR3=00000000 CR4=00000000\n" \
	"DR6=00000000ffff0ff0 DR7=0000000000000400\n" \
	"CCS=00000000 CCD=0009e08c CCO=LOGICL\n" \
	"EFER=0000000000000000\n"
#define PLACE_32 \
	"i=0 cpl=0 IP=0008:0000000000100d61 pc=0000000000100d61 SP=0010:0000000000109fd0 " \
	"env->regs[R_EAX]=000000000009e08c\n"

static const char log_32[] =
	"check_exception old: 0xffffffff new 0x6\n"
	"     0: v=06 e=0000 " PLACE_32 REGISTERS_32
	"check_exception old: 0xffffffff new 0xd\n"
	"     1: v=0d e=0032 " PLACE_32 REGISTERS_32
	"check_exception old: 0xd new 0xd\n"
	"     2: v=08 e=0000 " PLACE_32 REGISTERS_32
	"check_exception old: 0x8 new 0xd\n"
	"Triple fault\n";

/* IRQ 0 where the firmware left it: at vector 8. */
static const char log_timer[] =
	RESET
	"Servicing hardware INT=0x08\n"
	"     0: v=08 e=0000 i=0 cpl=0 IP=0008:000000000010051c pc=000000000010051c "
	"SP=0010:fffffe0000010f70 env->regs[R_EAX]=00000000000000a1\n"
	REGISTERS_64;

TEST(page_fault_to_triple_fault)
{
	struct exceptions e;

	exceptions_parse(&e, log_64);
	assert_int_equal(e.count, 2);
	assert_true(e.triple_fault);
	assert_int_equal(e.chain[0].vector, 14);
	assert_int_equal(e.chain[0].error, 2);
	assert_false(e.chain[0].hardware);
	assert_int_equal(e.chain[1].vector, 8);
	assert_int_equal(e.chain[1].error, 0);
	assert_false(e.chain[1].hardware);
	for (size_t i = 0; i < e.count; i++) {
		const struct cpu *cpu = &e.chain[i].cpu;

		assert_true(cpu->is_64);
		assert_true(cpu->ip == 0x10051c);
		assert_true(cpu->gpr[CPU_RAX] == 0x12345678000);
		assert_true(cpu->gpr[CPU_RSP] == 0xfffffe0000010f70);
		assert_true(cpu->gpr[CPU_R15] == 0x15);
		assert_true(cpu->cr2 == 0x12345678000);
		assert_true(cpu->cr3 == 0x11d000);
		assert_true(cpu->efer == 0xd00);
		assert_int_equal(cpu->cs, 8);
		assert_int_equal(cpu->tr, 0x18);
		assert_int_equal(cpu->idt_limit, 0);
	}
}

TEST(chain_of_a_32_bit_kernel)
{
	static const unsigned int vectors[] = { 6, 13, 8 }, errors[] = { 0, 0x32, 0 };
	struct exceptions e;

	exceptions_parse(&e, log_32);
	assert_int_equal(e.count, 3);
	assert_true(e.triple_fault);
	for (size_t i = 0; i < e.count; i++) {
		CHECK(e.chain[i].vector == vectors[i], "%zu: %u", i, e.chain[i].vector);
		CHECK(e.chain[i].error == errors[i], "%zu: %u", i, e.chain[i].error);
		assert_false(e.chain[i].cpu.is_64);
		assert_true(e.chain[i].cpu.ip == 0x100d61);
		assert_true(e.chain[i].cpu.gpr[CPU_RDX] == 0x1014ae);
		assert_true(e.chain[i].cpu.gpr[CPU_RSP] == 0x109fd0);
	}
}

TEST(hardware_interrupt)
{
	struct exceptions e;

	exceptions_parse(&e, log_timer);
	assert_int_equal(e.count, 1);
	assert_false(e.triple_fault);
	assert_int_equal(e.chain[0].vector, 8);
	assert_true(e.chain[0].hardware);
}

/* "int" is told by i=1. */
TEST(software_interrupt)
{
	static const struct {
		const char *line;
		bool software;
	} cases[] = {
		{ "     0: v=80 e=0000 i=1 cpl=0 IP=0008:1\n" REGISTERS_64, true },
		{ "     0: v=0e e=0000 i=1 cpl=3 IP=0008:1\n" REGISTERS_64, true },
		{ "     0: v=80 e=0000 i=0 cpl=0 IP=0008:1\n" REGISTERS_64, false },
		/* Of another line. */
		{ "     0: v=80 e=0000 i=0 cpl=0 IP=0008:1\n" REGISTERS_64 "x i=1\n", false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct exceptions e;

		exceptions_parse(&e, cases[i].line);
		CHECK(e.count == 1 && e.chain[0].software == cases[i].software, "case %zu", i);
		assert_false(e.chain[0].hardware);
	}
}

TEST(nothing_happened)
{
	static const char *const logs[] = {
		"", "\n", "\n\n\n", RESET, "SMM: enter\nSMM: after RSM\n",
		"check_exception old: 0x8 new 0xd\n",
		"Servicing hardware INT=0x08\n", "Servicing hardware INT", " ", " \n ", "     0: v=",
		"     0: v=0e", "     0: v=0e\n", "     0: v=0e e=0002\nRIP=1\n", "v=0e e=0\n" REGISTERS_64,
		"x    0: v=0e e=0\n" REGISTERS_64, "a Triple fault\n",
		/* Real mode: interrupts, of which no more is said. */
		"Servicing hardware INT=0x20\nServicing hardware INT=0x20\n",
	};

	for (size_t i = 0; i < COUNT(logs); i++) {
		struct exceptions e;

		memset(&e, 0xff, sizeof(e));
		exceptions_parse(&e, logs[i]);
		CHECK(e.count == 0 && !e.triple_fault, "log %zu", i);
	}
	struct exceptions e;
	exceptions_parse(&e, "Triple fault");
	assert_int_equal(e.count, 0);
	assert_true(e.triple_fault);
}

/* ---- Logs made up ------------------------------------------------------------- */

/* One that begins as QEMU's lines do.  old: what check_exception() says was being
 * delivered, -1 nothing; IRQ: a device's instead. */
#define IRQ (-2)
struct event {
	unsigned int vector;
	unsigned int error;
	int old;
	uint64_t ip;
	uint64_t sp;
	uint64_t cr2;
};

static size_t number;

static void add_event(FILE *out, const struct event *event)
{
	if (event->old == IRQ)
		fprintf(out, "Servicing hardware INT=0x%02x\n", event->vector);
	else
		fprintf(out, "check_exception old: 0x%x new 0x%x\n", (unsigned int)event->old, event->vector);
	fprintf(out,
		"%6zu: v=%02x e=%04x i=0 cpl=0 IP=0008:%016" PRIx64 " pc=%016" PRIx64 " SP=0010:%016" PRIx64
		" env->regs[R_EAX]=0000000000000001\n",
		number++, event->vector, event->error, event->ip, event->ip, event->sp);
	fprintf(out,
		"RAX=%016x RBX=%016x RCX=%016x RDX=%016x\n"
		"RSI=%016x RDI=%016x RBP=%016x RSP=%016" PRIx64 "\n"
		"RIP=%016" PRIx64 " RFL=00000086 [--S--P-] CPL=0 II=0 A20=1 SMM=0 HLT=0\n"
		"CS =0008 0000000000000000 ffffffff 00af9b00 DPL=0 CS64 [-RA]\n"
		"IDT=     fffffe0000013260 000001ff\n"
		"CR0=80010033 CR2=%016" PRIx64 " CR3=000000000011d000 CR4=00000620\n"
		"CCS=0000000000000044 CCD=0000000000000000 CCO=EFLAGS\n"
		"EFER=0000000000000d00\n",
		1, 2, 3, 4, 5, 6, 7, event->sp, event->ip, event->cr2);
}

/* The caller frees. */
static char *make_log(const struct event *events, size_t count, const char *end)
{
	char *log = NULL;
	size_t size;
	FILE *out = open_memstream(&log, &size);

	assert_non_null(out);
	number = 0;
	for (size_t i = 0; i < count; i++)
		add_event(out, &events[i]);
	fputs(end, out);
	assert_int_equal(fclose(out), 0);
	return log;
}

/* Which of the events belong to the end. */
struct chain_case {
	const char *name;
	struct event events[8];		/* ip 0: no more */
	size_t first;			/* the first in the chain */
};

static const struct chain_case chain_cases[] = {
	{ "one", { { 13, 0, -1, 0x1000, 0x9000, 0 } }, 0 },
	{ "handled elsewhere",
	  { { 14, 2, -1, 0x1000, 0x9000, 0x5000 }, { 14, 0, -1, 0x1010, 0x9000, 0x6000 } }, 1 },
	{ "handled elsewhere on the stack",
	  { { 14, 2, -1, 0x1000, 0x9000, 0x5000 }, { 14, 0, -1, 0x1000, 0x8ff0, 0x6000 } }, 1 },
	{ "handled elsewhere, then a chain",
	  { { 3, 0, -1, 0x1000, 0x9000, 0 }, { 32, 0, IRQ, 0x1004, 0x9000, 0 },
	    { 6, 0, -1, 0x1020, 0x9000, 0 }, { 13, 0x32, -1, 0x1020, 0x9000, 0 },
	    { 8, 0, 13, 0x1020, 0x9000, 0 } }, 2 },
	{ "more than there is room for",
	  { { 6, 0, -1, 0x1000, 0x9000, 0 }, { 11, 0x62, -1, 0x1000, 0x9000, 0 },
	    { 14, 0, 11, 0x1000, 0x9000, 0 }, { 12, 0, 14, 0x1000, 0x9000, 0 },
	    { 8, 0, 12, 0x1000, 0x9000, 0 } }, 1 },
	{ "an interrupt without an entry",
	  { { 33, 0, IRQ, 0x1000, 0x9000, 0 }, { 13, 0x10a, -1, 0x1000, 0x9000, 0 },
	    { 8, 0, 13, 0x1000, 0x9000, 0 } }, 0 },
	/* hlt in a loop: each tick is at the same place. */
	{ "interrupts that were handled at one place",
	  { { 32, 0, IRQ, 0x1000, 0x9000, 0 }, { 32, 0, IRQ, 0x1000, 0x9000, 0 },
	    { 33, 0, IRQ, 0x1000, 0x9000, 0 }, { 13, 0x10a, -1, 0x1000, 0x9000, 0 },
	    { 8, 0, 13, 0x1000, 0x9000, 0 } }, 2 },
	/* A string instruction: the first page came, the second did not.  QEMU tells
	 * that nothing was being delivered. */
	{ "a page fault that was handled at one place",
	  { { 14, 2, -1, 0x1000, 0x9000, 0x5000 }, { 14, 2, -1, 0x1000, 0x9000, 0x6000 },
	    { 8, 0, 14, 0x1000, 0x9000, 0x6000 } }, 1 },
};

static void check_chain(const struct chain_case *c, const char *end)
{
	size_t count = 0;
	struct exceptions e;

	while (count < COUNT(c->events) && c->events[count].ip != 0)
		count++;
	char *log = make_log(c->events, count, end);
	exceptions_parse(&e, log);
	free(log);
	CHECK(e.triple_fault == (*end != '\0'), "%s: triple fault", c->name);
	CHECK(e.count == count - c->first, "%s: %zu", c->name, e.count);
	for (size_t i = 0; i < e.count; i++) {
		const struct event *event = &c->events[c->first + i];
		const struct exception *is = &e.chain[i];

		CHECK(is->vector == event->vector, "%s, %zu: vector %u", c->name, i, is->vector);
		CHECK(is->error == event->error, "%s, %zu: error 0x%x", c->name, i, is->error);
		CHECK(is->hardware == (event->old == IRQ), "%s, %zu: hardware", c->name, i);
		CHECK(is->cpu.ip == event->ip, "%s, %zu: ip", c->name, i);
		CHECK(is->cpu.gpr[CPU_RSP] == event->sp, "%s, %zu: sp", c->name, i);
		CHECK(is->cpu.cr2 == event->cr2, "%s, %zu: CR2", c->name, i);
	}
}

TEST(chains)
{
	for (size_t i = 0; i < COUNT(chain_cases); i++) {
		check_chain(&chain_cases[i], "");
		check_chain(&chain_cases[i], "check_exception old: 0x8 new 0xd\nTriple fault\n");
	}
}

/* What came before does not matter. */
TEST(chains_behind_others)
{
	char *log = NULL;
	size_t size;
	FILE *out = open_memstream(&log, &size);
	struct exceptions e;

	assert_non_null(out);
	fputs(log_timer, out);
	fputs(log_32, out);
	assert_int_equal(fclose(out), 0);
	exceptions_parse(&e, log);
	free(log);
	assert_int_equal(e.count, 3);
	assert_int_equal(e.chain[0].vector, 6);
	assert_false(e.chain[0].hardware);
}

/* In real mode QEMU says that an interrupt comes, but not what of it: the next
 * exception in protected mode is none of a device. */
TEST(interrupts_of_real_mode)
{
	static const char before[] = "Servicing hardware INT=0x08\nServicing hardware INT=0x08\n";
	char log[sizeof(before) + sizeof(log_64)];
	struct exceptions e;

	snprintf(log, sizeof(log), "%s%s", before, log_64);
	exceptions_parse(&e, log);
	assert_int_equal(e.count, 2);
	assert_int_equal(e.chain[0].vector, 14);
	assert_false(e.chain[0].hardware);
	assert_false(e.chain[1].hardware);
}

/* QEMU counts with at least six places, so that there may be no blank in front. */
TEST(numbers_of_any_length)
{
	static const struct {
		const char *number;
		bool good;
	} cases[] = {
		{ "     0", true }, { " 99999", true }, { "100000", true }, { "1234567890", true },
		{ "", false }, { "words", false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		char log[4096];
		struct exceptions e;

		snprintf(log, sizeof(log), "%s: v=0d e=0010 i=0 cpl=0 IP=0008:1 pc=1 SP=0010:1\n%s",
			 cases[i].number, REGISTERS_64);
		exceptions_parse(&e, log);
		CHECK((e.count == 1) == cases[i].good, "'%s': %zu", cases[i].number, e.count);
	}
}

/* A log that goes on after a triple fault does not end with one. */
TEST(goes_on_after_a_triple_fault)
{
	char log[sizeof(log_64) + sizeof(log_timer)];
	struct exceptions e;

	snprintf(log, sizeof(log), "%s%s", log_64, log_timer);
	exceptions_parse(&e, log);
	assert_int_equal(e.chain[e.count - 1].vector, 8);
	assert_true(e.chain[e.count - 1].hardware);
	assert_false(e.triple_fault);
}

/* ---- Logs that are cut or hostile ----------------------------------------------- */

/* The end of a long log begins anywhere: what is there of the chain is right. */
TEST(cut_at_the_start)
{
	size_t length = strlen(log_32);

	for (size_t cut = 0; cut <= length; cut++) {
		static const unsigned int vectors[] = { 6, 13, 8 };
		struct exceptions e;
		char *log = strdup(log_32 + cut);

		assert_non_null(log);
		exceptions_parse(&e, log);
		free(log);
		CHECK(e.triple_fault == (cut <= length - strlen("Triple fault\n")), "%zu: triple fault", cut);
		CHECK(e.count <= 3, "%zu: %zu", cut, e.count);
		for (size_t i = 0; i < e.count; i++) {
			CHECK(e.chain[i].vector == vectors[3 - e.count + i], "%zu, %zu: vector", cut, i);
			CHECK(e.chain[i].cpu.ip == 0x100d61, "%zu, %zu: ip", cut, i);
		}
	}
}

/* An entry that is not whole is none; one is, once its last line has begun. */
TEST(cut_at_the_end)
{
	const char *second = strstr(log_64, "     1: v=08");
	const char *first_ends = strstr(strstr(log_64, "     0: v=0e"), "\nEFER=");
	const char *second_ends = strstr(second, "\nEFER=");

	for (size_t cut = 0; cut <= strlen(log_64); cut++) {
		struct exceptions e;
		char *log = strndup(log_64, cut);

		assert_non_null(log);
		exceptions_parse(&e, log);
		free(log);
		size_t least = (log_64 + cut > first_ends + 6) + (log_64 + cut > second_ends + 6);
		size_t most = (log_64 + cut > first_ends) + (log_64 + cut > second_ends);
		CHECK(e.count >= least && e.count <= most, "%zu: %zu", cut, e.count);
		if (e.count > 0)
			CHECK(e.chain[0].vector == 14 && e.chain[0].cpu.cr2 == 0x12345678000, "%zu", cut);
	}
}

TEST(hostile_text)
{
	static const struct {
		const char *text;
		size_t count;
		unsigned int vector;
		uint32_t error;
	} cases[] = {
		{ "     0: v=ff e=ffffffff\n" REGISTERS_64, 1, 0xff, UINT32_MAX },
		{ "     0: v=0e\n" REGISTERS_64, 1, 14, 0 },
		{ "     0: v=0e e=\n" REGISTERS_64, 1, 14, 0 },
		{ "     0: v=0e e=zz\n" REGISTERS_64, 1, 14, 0 },
		{ "     0: v=0e e=-1\n" REGISTERS_64, 1, 14, UINT32_MAX },
		/* Twice on a line; and no registers but EFER. */
		{ "     0: v=0d e=0001 v=0e e=0002 : v=06\n" REGISTERS_64, 1, 13, 1 },
		{ "     0: v=0d e=0001\nEFER=0\n", 0, 0, 0 },
		{ "     0: v=0d e=0001\nRIP=1\nEFER=0\n", 1, 13, 1 },
		{ "     0: v=0d e=0001\nRIP=1\nEFER=0", 1, 13, 1 },
		/* What is not of this entry does not count for it. */
		{ "     0: v=0d\n" REGISTERS_64 "check_exception e=0005\n", 1, 13, 0 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct exceptions e;
		char *log = strdup(cases[i].text);

		assert_non_null(log);
		exceptions_parse(&e, log);
		free(log);
		CHECK(e.count == cases[i].count, "case %zu: %zu", i, e.count);
		if (e.count == 0)
			continue;
		CHECK(e.chain[0].vector == cases[i].vector, "case %zu: vector 0x%x", i, e.chain[0].vector);
		CHECK(e.chain[0].error == cases[i].error, "case %zu: error 0x%x", i, e.chain[0].error);
	}
}

TEST(garbage)
{
	static const char *const words[] = {
		"     0: v=0e e=0002", ": v=", " e=", "\n", "\nEFER=", "RIP=1", "EIP=2", "Triple fault",
		"Servicing hardware INT=", "v=ffffffffffffffffffff", "\x80\xfe\x01", "RSP=3",
		"     1: v=08\n", " ", "zz",
	};
	uint64_t seed = 2;

	for (int round = 0; round < 2000; round++) {
		char text[1024] = "";
		struct exceptions e;

		for (uint64_t i = random_below(&seed, 30); i > 0; i--)
			strcat(text, words[random_below(&seed, COUNT(words))]);
		char *log = strdup(text);
		assert_non_null(log);
		exceptions_parse(&e, log);
		free(log);
		assert_true(e.count <= EXCEPTIONS_MOST);
	}
}

/* ---- Words --------------------------------------------------------------------- */

TEST(names)
{
	static const struct {
		unsigned int vector;
		const char *name;
	} cases[] = {
		{ 0, "divide error" }, { 1, "debug exception" },
		{ 2, "non-maskable interrupt" }, { 3, "breakpoint" }, { 4, "overflow" },
		{ 5, "bound range exceeded" }, { 6, "invalid opcode" },
		{ 7, "device not available" }, { 8, "double fault" }, { 9, "interrupt" },
		{ 10, "invalid TSS" }, { 11, "segment not present" }, { 12, "stack fault" },
		{ 13, "general protection" }, { 14, "page fault" }, { 15, "interrupt" },
		{ 16, "x87 floating-point error" }, { 17, "alignment check" },
		{ 18, "machine check" }, { 19, "SIMD floating-point exception" },
		{ 20, "virtualization exception" }, { 21, "control protection" },
		{ 22, "interrupt" }, { 31, "interrupt" }, { 32, "interrupt" },
		{ 255, "interrupt" }, { UINT32_MAX, "interrupt" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		CHECK(strcmp(exception_name(cases[i].vector), cases[i].name) == 0, "%u: %s", cases[i].vector,
		      exception_name(cases[i].vector));
	}
}

TEST(errors_of_page_faults)
{
	/* All of the five bits: each is in the words, and nothing else is. */
	for (uint32_t error = 0; error < 32; error++) {
		struct exception_words words = exception_error(14, error);
		const char *text = words.text;

		CHECK((strstr(text, "page not present") != NULL) == !(error & 1), "%u: %s", error, text);
		CHECK((strstr(text, "does not allow it") != NULL) == ((error & 1) != 0), "%u: %s", error,
		      text);
		CHECK((strstr(text, "write") != NULL) == ((error & 18) == 2), "%u: %s", error, text);
		CHECK((strstr(text, "instruction fetch") != NULL) == ((error & 16) != 0), "%u: %s", error,
		      text);
		CHECK((strstr(text, "read") != NULL) == ((error & 18) == 0), "%u: %s", error, text);
		CHECK((strncmp(text, "user ", 5) == 0) == ((error & 4) != 0), "%u: %s", error, text);
		CHECK((strstr(text, "reserved bit") != NULL) == ((error & 8) != 0), "%u: %s", error, text);
	}
}

TEST(errors_in_words)
{
	static const struct {
		unsigned int vector;
		uint32_t error;
		const char *words;
	} cases[] = {
		{ 14, 0, "read, page not present" },
		{ 14, 2, "write, page not present" },
		{ 14, 3, "write, page is mapped but does not allow it" },
		{ 14, 0x10, "instruction fetch, page not present" },
		{ 14, 0x15, "user instruction fetch, page is mapped but does not allow it" },
		/* Nothing is said of the others: protection keys, shadow stacks, SGX. */
		{ 14, 0x8062, "write, page not present" },
		{ 13, 0, "" }, { 12, 0, "" }, { 11, 0, "" }, { 10, 0, "" }, { 8, 0, "" }, { 17, 0, "" },
		{ 13, 0x32, "an IDT entry" },
		{ 13, 0x33, "an IDT entry, while delivering an event" },
		{ 13, 0x10a, "an IDT entry" },
		{ 13, 0x7fa, "an IDT entry" },
		{ 13, 0x10, "GDT entry 2" },
		{ 13, 0x11, "GDT entry 2, while delivering an event" },
		{ 11, 0x14, "LDT entry 2" },
		{ 10, 0x18, "GDT entry 3" },
		{ 12, 0xfff8, "GDT entry 8191" },
		/* The IDT's bit counts before the LDT's. */
		{ 13, 0x16, "an IDT entry" },
		{ 13, 1, "GDT entry 0, while delivering an event" },
		/* The upper half is reserved. */
		{ 13, 0xffff0010, "GDT entry 2" },
		{ 6, 5, "" }, { 0, 1, "" }, { 32, 2, "" }, { 255, UINT32_MAX, "" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct exception_words words = exception_error(cases[i].vector, cases[i].error);

		CHECK(strcmp(words.text, cases[i].words) == 0, "%u, 0x%x: '%s'", cases[i].vector,
		      cases[i].error, words.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(page_fault_to_triple_fault),
		cmocka_unit_test(chain_of_a_32_bit_kernel),
		cmocka_unit_test(hardware_interrupt),
		cmocka_unit_test(software_interrupt),
		cmocka_unit_test(nothing_happened),
		cmocka_unit_test(chains),
		cmocka_unit_test(chains_behind_others),
		cmocka_unit_test(interrupts_of_real_mode),
		cmocka_unit_test(numbers_of_any_length),
		cmocka_unit_test(goes_on_after_a_triple_fault),
		cmocka_unit_test(cut_at_the_start),
		cmocka_unit_test(cut_at_the_end),
		cmocka_unit_test(hostile_text),
		cmocka_unit_test(garbage),
		cmocka_unit_test(names),
		cmocka_unit_test(errors_of_page_faults),
		cmocka_unit_test(errors_in_words),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
