/* SPDX-License-Identifier: MIT
 *
 * Crashes, explained; see crash.h.
 */
#include "crash/crash.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "plan/report.h"

#define PAGE UINT64_C(4096)
#define HANDOFF_SIZE (UINT64_C(512) << 30)
#define CR0_EM (1 << 2)
#define CR0_TS (1 << 3)
#define CR4_OSFXSR (1 << 9)

#define VECTOR_DIVIDE 0
#define VECTOR_INVALID_OPCODE 6
#define VECTOR_NO_DEVICE 7
#define VECTOR_STACK 12
#define VECTOR_PROTECTION 13
#define VECTOR_PAGE_FAULT 14

#define ERROR_PRESENT 1
#define ERROR_WRITE 2
#define ERROR_FETCH 16
#define ERROR_IDT 2

/* ---- Memory and registers ------------------------------------------------- */

struct reader {
	const struct cpu *cpu;
	const struct memory *memory;
};

static bool read_virtual(void *context, uint64_t address, void *bytes, size_t size)
{
	const struct reader *reader = context;

	return cpu_read(reader->cpu, reader->memory, address, bytes, size);
}

static const struct exception *first(const struct crash *crash)
{
	return crash->exceptions.count > 0 ? &crash->exceptions.chain[0] : NULL;
}

static bool is_page_fault(const struct exception *exception)
{
	return exception != NULL && exception_is(exception) && exception->vector == VECTOR_PAGE_FAULT;
}

/* What DWARF calls the registers. */
static struct symbols_registers dwarf_registers(const struct cpu *cpu)
{
	static const enum cpu_register wide[] = { CPU_RAX, CPU_RDX, CPU_RCX, CPU_RBX, CPU_RSI, CPU_RDI,
						  CPU_RBP, CPU_RSP, CPU_R8,  CPU_R9,  CPU_R10, CPU_R11,
						  CPU_R12, CPU_R13, CPU_R14, CPU_R15 };
	static const enum cpu_register narrow[] = { CPU_RAX, CPU_RCX, CPU_RDX, CPU_RBX,
						    CPU_RSP, CPU_RBP, CPU_RSI, CPU_RDI };
	struct symbols_registers registers = { .is_64 = cpu->is_64 };
	size_t count = cpu->is_64 ? 16 : 8;

	for (size_t i = 0; i < count; i++)
		registers.value[i] = cpu->gpr[cpu->is_64 ? wide[i] : narrow[i]];
	registers.value[count] = cpu->ip;
	return registers;
}

static void read_code(struct crash *crash, const struct reader *reader)
{
	while (crash->code_size < CRASH_CODE &&
	       read_virtual((void *)(uintptr_t)reader, crash->cpu.ip + crash->code_size,
			    crash->code + crash->code_size, 1))
		crash->code_size++;
}

/* ---- Backtrace -------------------------------------------------------------- */

static void add_address(struct crash *crash, const struct symbols *symbols, uint64_t address,
			bool return_address)
{
	struct symbol_frame found[8];
	size_t count = symbols == NULL ? 0 : symbols_find(symbols, address, return_address, found, 8);

	if (count == 0) {
		found[0] = (struct symbol_frame){0};
		count = 1;
	}
	for (size_t i = 0; i < count && crash->frame_count < CRASH_FRAMES; i++)
		crash->frames[crash->frame_count++] =
			(struct crash_frame){ address, found[i].inlined, found[i] };
}

/* A call to nowhere leaves only the return address, on the top of the stack. */
static bool came_by_call(const struct crash *crash, const struct reader *reader, uint64_t *caller)
{
	unsigned char bytes[8] = { 0 };
	const struct exception *exception = first(crash);

	if (!is_page_fault(exception) ||
	    crash->cpu.cr2 != crash->cpu.ip)
		return false;
	if (!read_virtual((void *)(uintptr_t)reader, crash->cpu.gpr[CPU_RSP], bytes,
			  crash->cpu.is_64 ? 8 : 4))
		return false;
	*caller = get_le64(bytes);
	return true;
}

static void trace(struct crash *crash, const struct crash_evidence *evidence,
		  const struct reader *reader)
{
	uint64_t addresses[CRASH_FRAMES], caller;
	struct symbols_registers registers = dwarf_registers(&crash->cpu);

	add_address(crash, evidence->symbols, crash->cpu.ip, false);
	if (evidence->symbols == NULL)
		return;
	if (came_by_call(crash, reader, &caller)) {
		add_address(crash, evidence->symbols, caller, true);
		registers.value[crash->cpu.is_64 ? 16 : 8] = caller;
		registers.value[crash->cpu.is_64 ? 7 : 4] += crash->cpu.is_64 ? 8 : 4;
	}
	size_t count = symbols_unwind(evidence->symbols, &registers, read_virtual,
				      (void *)(uintptr_t)reader, addresses, CRASH_FRAMES);
	for (size_t i = 0; i < count; i++)
		add_address(crash, evidence->symbols, addresses[i], true);
}

/* ---- What is likely behind it ------------------------------------------------ */

static void say(struct crash *crash, const char *text)
{
	if (crash->reason[0] == '\0')
		snprintf(crash->reason, sizeof(crash->reason), "%s", text);
}

/* The opcode behind prefixes, as 0x0fXX for two bytes; the mandatory prefix is
 * told apart because SSE has one. */
static unsigned int find_opcode(const struct crash *crash, unsigned char *prefix)
{
	size_t i = 0;

	*prefix = 0;
	for (; i < crash->code_size; i++) {
		unsigned char byte = crash->code[i];

		if (byte == 0x66 || byte == 0xf2 || byte == 0xf3)
			*prefix = byte;
		else if (!(crash->cpu.is_64 && (byte & 0xf0) == 0x40))
			break;
	}
	if (i >= crash->code_size)
		return 0;
	if (crash->code[i] != 0x0f)
		return crash->code[i];
	return i + 1 < crash->code_size ? 0x0f00u | crash->code[i + 1] : 0;
}

/* Does it work on XMM registers?  Roughly: the ranges that SSE and SSE2 have. */
static bool is_sse(unsigned int opcode)
{
	return (opcode >= 0x0f10 && opcode <= 0x0f17) || (opcode >= 0x0f28 && opcode <= 0x0f2f) ||
	       (opcode >= 0x0f50 && opcode <= 0x0f7f && opcode != 0x0f77) || opcode == 0x0fc2 ||
	       opcode == 0x0fc6 || (opcode >= 0x0fd0 && opcode != 0x0fff);
}

static void explain_page_fault(struct crash *crash, const struct crash_stack *stack,
			       const struct exception *exception)
{
	uint64_t address = exception->cpu.cr2, sp = exception->cpu.gpr[CPU_RSP];
	bool fetch = exception->error & ERROR_FETCH || address == exception->cpu.ip;

	if (stack->guard != 0 && address - stack->guard < PAGE) {
		say(crash, "the stack is full: it has grown into its guard page (endless recursion, large local "
			   "variables; --stack-size gives more)");
	} else if (fetch && address < PAGE) {
		say(crash, "a call or jump through a null pointer");
	} else if (fetch && crash->has_walk && crash->walk.mapped && !crash->walk.executable) {
		say(crash, "a jump to data: the page is mapped, but not executable");
	} else if (fetch && !(crash->has_walk && crash->walk.mapped)) {
		say(crash, "a jump to where no code is: a bad function pointer, or a return address that was overwritten");
	} else if (!(exception->error & ERROR_PRESENT) && sp - address < 64 * 1024 + PAGE && address < sp + PAGE &&
		   (address / PAGE == sp / PAGE || address / PAGE + 1 == sp / PAGE)) {
		say(crash, "the stack is full: it has grown into a page that is not mapped");
	} else if (address < PAGE) {
		say(crash, "a null pointer, or a member of what it should point to");
	} else if (exception->error & ERROR_PRESENT && exception->error & ERROR_WRITE &&
		   !(exception->error & 8) && crash->has_walk && !crash->walk.writable) {
		say(crash, "a write to memory that is read-only");
	} else if (crash->has_walk && !crash->walk.mapped) {
		say(crash, "a pointer to where nothing is mapped");
	}
}

static void explain_opcode(struct crash *crash)
{
	unsigned char prefix;
	unsigned int opcode = find_opcode(crash, &prefix);

	if (opcode == 0x0f0b)
		say(crash, "the compiler's trap (ud2): code that must not be reached, a failed check, or a panic");
	else if (is_sse(opcode) && !(crash->cpu.cr4 & CR4_OSFXSR))
		say(crash, "an SSE instruction, but CR4.OSFXSR is clear: enable SSE, or compile with -mno-sse");
	else if (is_sse(opcode) && crash->cpu.cr0 & CR0_EM)
		say(crash, "an SSE instruction, but CR0.EM is set");
	else if (crash->code_size > 0)
		say(crash, "this CPU does not know the instruction, or these bytes are no code");
}

static void explain_protection(struct crash *crash, const struct exception *exception)
{
	unsigned char prefix;
	unsigned int opcode = find_opcode(crash, &prefix);
	bool aligned = opcode == 0x0f28 || opcode == 0x0f29 || opcode == 0x0f2b ||
		       (prefix == 0x66 && (opcode == 0x0f6f || opcode == 0x0f7f || opcode == 0x0fe7));

	if (aligned && exception->error == 0 && exception->cpu.gpr[CPU_RSP] % 16 == 0)
		say(crash, "movaps with an address that is not a multiple of 16");
	else if (aligned && exception->cpu.gpr[CPU_RSP] % 16 != 0)
		say(crash, "movaps with an address that is not a multiple of 16: the stack is misaligned (RSP must be "
			   "16n + 8 where a function begins)");
	else if (exception->error & ERROR_IDT)
		say(crash, "an interrupt or exception without a usable entry in the kernel's IDT");
	else if (exception->error != 0)
		say(crash, "a segment selector that the GDT does not have as it is used");
	else if (crash->cpu.is_64)
		say(crash, "an address that is not canonical, or an instruction that is not allowed here");
}

static void explain(struct crash *crash, const struct crash_stack *stack)
{
	const struct exception *exception = first(crash);

	if (exception == NULL)
		return;
	if (exception->hardware) {
		say(crash, "a device's interrupt that the kernel does not expect: set up the interrupt controllers and "
			   "the IDT before sti");
		return;
	}
	if (!exception_is(exception)) {
		say(crash, "the IDT has no usable entry for that interrupt");
		return;
	}
	switch (exception->vector) {
	case VECTOR_DIVIDE:
		say(crash, "a division by zero, or a quotient that is too large");
		break;
	case VECTOR_INVALID_OPCODE:
		explain_opcode(crash);
		break;
	case VECTOR_NO_DEVICE:
		say(crash, crash->cpu.cr0 & CR0_TS ? "floating-point code, but CR0.TS is set" :
						     "floating-point code, but CR0.EM is set");
		break;
	case VECTOR_PROTECTION:
		explain_protection(crash, exception);
		break;
	case VECTOR_PAGE_FAULT:
		explain_page_fault(crash, stack, exception);
		break;
	default:
		break;
	}
}

/* Why the exception could not be handled, if the chain shows it. */
static const char *explain_chain(const struct crash *crash)
{
	const struct exception *exception = first(crash);

	if (exception == NULL || !crash->exceptions.triple_fault)
		return "";
	if (exception->cpu.idt_limit < (exception->vector + UINT64_C(1)) * (exception->cpu.efer & 0x400 ? 16u : 8u) - 1)
		return "the kernel has no IDT entry for it";
	for (size_t i = 1; i < crash->exceptions.count; i++) {
		if (crash->exceptions.chain[i].vector == VECTOR_PAGE_FAULT)
			return "the handler, its stack or the IDT is not mapped";
		if (crash->exceptions.chain[i].vector == 10 ||
		    (crash->exceptions.chain[i].vector == VECTOR_STACK && exception->cpu.tr == 0))
			return "the handler's stack comes from a TSS that is missing or wrong";
	}
	return "";
}

/* ---- All together -------------------------------------------------------- */

/* Real mode at the reset vector is not where a kernel was. */
static bool is_reset(const struct cpu *cpu)
{
	return cpu->cs == 0xf000 && (cpu->ip == 0xfff0 || cpu->ip == 0);
}

void crash_examine(struct crash *crash, const struct crash_evidence *evidence)
{
	*crash = (struct crash){ .logged = evidence->log != NULL };
	if (evidence->log != NULL)
		exceptions_parse(&crash->exceptions, evidence->log);
	/* What was handled is no cause: only a triple fault, or the loader's report. */
	if (!crash->exceptions.triple_fault && !evidence->reported)
		crash->exceptions.count = 0;
	crash->elsewhere = crash->exceptions.triple_fault && crash->exceptions.count == 0;
	const struct exception *exception = first(crash);
	crash->has_cpu = exception != NULL || evidence->has_cpu;
	if (!crash->has_cpu)
		return;
	crash->cpu = exception != NULL ? exception->cpu : evidence->cpu;
	crash->lost = exception == NULL && is_reset(&crash->cpu);
	if (crash->lost)
		return;
	struct reader reader = { &crash->cpu, &evidence->memory };
	read_code(crash, &reader);
	if (is_page_fault(exception)) {
		uint64_t offset;

		cpu_walk(&crash->cpu, &evidence->memory, crash->cpu.cr2, &crash->walk);
		crash->has_walk = crash->walk.readable_tables;
		char name[96];
		if (evidence->symbols != NULL &&
		    symbols_data(evidence->symbols, crash->cpu.cr2, name, sizeof(name), &offset))
			snprintf(crash->object, sizeof(crash->object), "%s+0x%" PRIx64, name, offset);
		for (char *c = crash->object; *c != '\0'; c++) {
			if ((unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7f)
				*c = '?';
		}
	}
	crash->early = exception != NULL && evidence->stack.has_idt && exception->cpu.idt_limit != 0 &&
		       exception->cpu.idt_base - evidence->stack.guard < HANDOFF_SIZE;
	crash->has_symbols = evidence->symbols != NULL && symbols_any(evidence->symbols);
	trace(crash, evidence, &reader);
	explain(crash, &evidence->stack);
}

/* ---- Telling ---------------------------------------------------------------- */

struct crash_words crash_cause(const struct crash *crash)
{
	const struct exception *exception = first(crash);
	struct crash_words words = { "" };

	if (exception == NULL)
		return words;
	struct exception_label what = exception_label(exception);
	if (is_page_fault(exception))
		snprintf(words.text, sizeof(words.text), "%s at 0x%" PRIx64 "%s%s", what.text, exception->cpu.cr2,
			 crash->object[0] != '\0' ? ", " : "", crash->object);
	else
		snprintf(words.text, sizeof(words.text), "%s", what.text);
	return words;
}

/* Text from the kernel's file: what could upset a terminal, in whatever encoding,
 * becomes "?". */
static void print_clean(FILE *out, const char *text)
{
	for (; *text != '\0'; text++)
		putc((unsigned char)*text < 0x20 || (unsigned char)*text >= 0x7f ? '?' : *text, out);
}

static void print_frame(FILE *out, const struct crash *crash, size_t index)
{
	const struct crash_frame *frame = &crash->frames[index];

	fprintf(out, "  %s0x%" PRIx64 " ", index == 0 ? "at " : "by ", frame->address);
	if (frame->symbol.function[0] == '\0')
		fputs(crash->has_symbols ? "in no function" : "(no symbols)", out);
	print_clean(out, frame->symbol.function);
	if (frame->symbol.function[0] != '\0' && !frame->inlined)
		fprintf(out, "+0x%" PRIx64, frame->symbol.offset);
	if (frame->symbol.file[0] != '\0') {
		fputs(" (", out);
		print_clean(out, frame->symbol.file);
		fprintf(out, ":%u)", frame->symbol.line);
	}
	fprintf(out, "%s\n", frame->inlined ? ", inlined" : "");
}

/* Of a recursion, one frame is enough. */
static void print_frames(FILE *out, const struct crash *crash)
{
	for (size_t i = 0; i < crash->frame_count;) {
		size_t same = 1;

		print_frame(out, crash, i);
		while (i > 0 && i + same < crash->frame_count && !crash->frames[i].inlined &&
		       crash->frames[i + same].address == crash->frames[i].address)
			same++;
		if (same > 1)
			fprintf(out, "  (%zu more of these)\n", same - 1);
		i += same;
	}
	if (crash->frame_count == CRASH_FRAMES)
		fputs("  (and more)\n", out);
}

static void print_exceptions(FILE *out, const struct crash *crash)
{
	const char *why = explain_chain(crash);

	if (crash->exceptions.count + crash->exceptions.triple_fault < 2)
		return;
	fputs("  exceptions: ", out);
	for (size_t i = 0; i < crash->exceptions.count; i++)
		fprintf(out, "%s%s", i > 0 ? ", then " : "",
			exception_label(&crash->exceptions.chain[i]).text);
	fprintf(out, "%s%s%s\n", crash->exceptions.triple_fault ? ", then a triple fault" : "",
		why[0] != '\0' ? ": " : "", why);
}

/* What the page tables say of CR2. */
static struct crash_words walk_words(const struct crash *crash)
{
	static const char *const tables[] = { "", "page table", "page directory",
					      "page directory pointer table", "level 4 table",
					      "level 5 table" };
	const struct walk *walk = &crash->walk;
	struct crash_words words;

	if (!walk->mapped)
		snprintf(words.text, sizeof(words.text), "not mapped at level %u: entry %u of its %s is not present",
			 walk->level, walk->index, tables[walk->level]);
	else
		snprintf(words.text, sizeof(words.text), "mapped to 0x%" PRIx64 " by a page of %" PRIu64 " KiB, %s, %s, for %s",
			 walk->physical, walk->page_size / 1024, walk->writable ? "writable" : "read-only",
			 walk->executable ? "executable" : "not executable",
			 walk->user ? "user code too" : "the kernel only");
	return words;
}

static void print_registers(FILE *out, const struct cpu *cpu)
{
	int width = cpu->is_64 ? 16 : 8, count = cpu->is_64 ? CPU_GPRS : CPU_R8;

	for (int i = 0; i < count; i++)
		fprintf(out, "%s%-3s %0*" PRIx64 "%s", i % 4 == 0 ? "  " : " ",
			cpu_register_name(cpu, (enum cpu_register)i), width, cpu->gpr[i], i % 4 == 3 ? "\n" : "");
	fprintf(out, "  CS %04x  flags %08" PRIx64 "  CR0 %08" PRIx64 "  CR2 %0*" PRIx64 "  CR3 %08" PRIx64
		     "  CR4 %08" PRIx64 "\n",
		cpu->cs, cpu->flags, cpu->cr0, width, cpu->cr2, cpu->cr3, cpu->cr4);
}

void crash_print(FILE *out, const struct crash *crash)
{
	if (!crash->has_cpu)
		return;
	if (crash->lost) {
		fputs("  the processor is at its reset vector: what it did before is lost\n", out);
		return;
	}
	if (crash->elsewhere)
		fputs("  a triple fault of another processor, or in real mode: QEMU does not log which; the first "
		      "processor is\n", out);
	print_frames(out, crash);
	print_exceptions(out, crash);
	if (crash->early)
		fputs("  the kernel has no IDT of its own yet; the loader's handlers reported it\n", out);
	if (crash->has_walk)
		fprintf(out, "  0x%" PRIx64 " is %s\n", crash->cpu.cr2, walk_words(crash).text);
	if (crash->reason[0] != '\0')
		fprintf(out, "  likely: %s\n", crash->reason);
	if (crash->code_size > 0) {
		fputs("  code:", out);
		for (size_t i = 0; i < crash->code_size; i++)
			fprintf(out, " %02x", crash->code[i]);
		fputc('\n', out);
	}
	print_registers(out, &crash->cpu);
}

static json_t *frames_json(const struct crash *crash)
{
	json_t *list = json_array();

	for (size_t i = 0; i < crash->frame_count; i++) {
		const struct crash_frame *frame = &crash->frames[i];

		json_array_append_new(list, json_pack("{s:o, s:o, s:I, s:o, s:i, s:b}", "address",
						      report_address(frame->address), "function",
						      report_text(frame->symbol.function), "offset",
						      (json_int_t)frame->symbol.offset, "file",
						      report_text(frame->symbol.file), "line",
						      (int)frame->symbol.line, "inlined", frame->inlined));
	}
	return list;
}

static json_t *exceptions_json(const struct crash *crash)
{
	json_t *list = json_array();

	for (size_t i = 0; i < crash->exceptions.count; i++) {
		const struct exception *exception = &crash->exceptions.chain[i];

		json_array_append_new(
			list, json_pack("{s:i, s:s, s:i, s:s, s:o}", "vector", (int)exception->vector, "name",
					exception->hardware ? "hardware interrupt" :
					!exception_is(exception) ? "int instruction" :
								   exception_name(exception->vector), "error_code", (int)exception->error,
					"error", exception_is(exception) ? exception_error(exception->vector, exception->error).text : "",
					"address", report_address(exception->cpu.ip)));
	}
	return list;
}

static json_t *registers_json(const struct cpu *cpu)
{
	json_t *object = json_object();
	int count = cpu->is_64 ? CPU_GPRS : CPU_R8;

	for (int i = 0; i < count; i++)
		json_object_set_new(object, cpu_register_name(cpu, (enum cpu_register)i),
				    report_address(cpu->gpr[i]));
	json_object_set_new(object, cpu->is_64 ? "RIP" : "EIP", report_address(cpu->ip));
	json_object_set_new(object, "CS", report_address(cpu->cs));
	json_object_set_new(object, "flags", report_address(cpu->flags));
	json_object_set_new(object, "CR0", report_address(cpu->cr0));
	json_object_set_new(object, "CR2", report_address(cpu->cr2));
	json_object_set_new(object, "CR3", report_address(cpu->cr3));
	json_object_set_new(object, "CR4", report_address(cpu->cr4));
	json_object_set_new(object, "EFER", report_address(cpu->efer));
	return object;
}

static json_t *code_json(const struct crash *crash)
{
	char text[2 * CRASH_CODE + 1] = "";

	for (size_t i = 0; i < crash->code_size; i++)
		snprintf(text + 2 * i, 3, "%02x", crash->code[i]);
	return json_string(text);
}

json_t *crash_json(const struct crash *crash)
{
	if (!crash->has_cpu || crash->lost)
		return json_pack("{s:b}", "registers_lost", crash->lost);
	return json_pack("{s:b, s:b, s:o, s:b, s:o, s:b, s:o, s:o, s:o, s:s, s:o, s:s, s:s}",
			 "registers_lost", 0, "early", crash->early, "cause", report_text(crash_cause(crash).text), "exceptions_known", crash->logged, "exceptions",
			 exceptions_json(crash), "triple_fault", crash->exceptions.triple_fault, "backtrace",
			 frames_json(crash), "registers", registers_json(&crash->cpu), "code",
			 code_json(crash), "page_tables", crash->has_walk ? walk_words(crash).text : "",
			 "object", report_text(crash->object), "reason", crash->reason, "unhandled_because",
			 explain_chain(crash));
}
