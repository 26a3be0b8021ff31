/* SPDX-License-Identifier: MIT
 *
 * Who called whom: symbols_unwind() of symbols.h.
 *
 * Each step finds where a return address lies on the stack, and what registers
 * the caller had.  Where the file describes a frame, libdw plays that out to
 * rules, and these are evaluated here.  Elsewhere the code itself tells:
 *
 *	function:	push %rbp		return address at rsp
 *			mov %rsp,%rbp		at rsp + 8
 *			...			at rbp + 8
 *			ret			at rsp
 *
 * and a function without a frame pointer has a return address behind a call of
 * just this function on the stack.
 *
 * The stack pointer must grow with each step, so there is no way in circles.
 */
#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "crash/symbols.h"
#include "crash/symbols_file.h"

#define REGISTERS 17
#define MOST_OPERANDS 32
/* Words of the stack that are searched for a return address. */
#define MOST_WORDS 128
/* Bytes of a function in which it sets up its frame. */
#define PROLOGUE 64

struct unwinder {
	const struct symbols *symbols;
	symbols_read *read;
	void *context;
	bool is_64;
	unsigned int word;		/* bytes: 4 or 8 */
	unsigned int sp, fp, pc;	/* registers' numbers */
	bool exact;			/* pc is where the code is, not where it comes back to */
	uint64_t value[REGISTERS];
	bool known[REGISTERS];
};

enum step {
	STEP_NONE,	/* nothing is said of this code */
	STEP_END,
	STEP_DONE,
};

static uint64_t cut(const struct unwinder *u, uint64_t value)
{
	return u->is_64 ? value : (uint32_t)value;
}

static bool read_word(const struct unwinder *u, uint64_t address, unsigned int size,
		      uint64_t *value)
{
	unsigned char bytes[8] = {0};

	if (!u->read(u->context, cut(u, address), bytes, size))
		return false;
	*value = get_le64(bytes);
	return true;
}

/* ---- Frames that the file describes -------------------------------------- */

struct operands {
	uint64_t value[MOST_OPERANDS];
	size_t count;
};

static bool push(struct operands *operands, uint64_t value)
{
	if (operands->count == MOST_OPERANDS)
		return false;
	operands->value[operands->count++] = value;
	return true;
}

/* What register plus offset is. */
static bool push_register(const struct unwinder *u, struct operands *operands, uint64_t number,
			  uint64_t offset)
{
	return number < REGISTERS && u->known[number] &&
	       push(operands, cut(u, u->value[number] + offset));
}

/* An operation on the two topmost operands. */
static bool combine(const struct unwinder *u, struct operands *operands, uint8_t atom)
{
	if (operands->count < 2)
		return false;
	uint64_t b = operands->value[--operands->count];
	uint64_t *a = &operands->value[operands->count - 1];
	int64_t left = u->is_64 ? (int64_t)*a : (int32_t)*a;
	int64_t right = u->is_64 ? (int64_t)b : (int32_t)b;

	switch (atom) {
	case DW_OP_plus:
		*a += b;
		break;
	case DW_OP_minus:
		*a -= b;
		break;
	case DW_OP_mul:
		*a *= b;
		break;
	case DW_OP_and:
		*a &= b;
		break;
	case DW_OP_or:
		*a |= b;
		break;
	case DW_OP_shl:
		*a = b < 64 ? *a << b : 0;
		break;
	case DW_OP_shr:
		*a = b < 64 ? *a >> b : 0;
		break;
	case DW_OP_eq:
		*a = left == right;
		break;
	case DW_OP_ne:
		*a = left != right;
		break;
	case DW_OP_lt:
		*a = left < right;
		break;
	case DW_OP_le:
		*a = left <= right;
		break;
	case DW_OP_gt:
		*a = left > right;
		break;
	case DW_OP_ge:
		*a = left >= right;
		break;
	default:
		return false;
	}
	*a = cut(u, *a);
	return true;
}

static bool dereference(const struct unwinder *u, struct operands *operands, uint64_t size)
{
	if (operands->count == 0 || size == 0 || size > u->word)
		return false;
	uint64_t *top = &operands->value[operands->count - 1];
	return read_word(u, *top, (unsigned int)size, top);
}

/* Do one operation.  There are no jumps, so an expression ends. */
static bool operate(const struct unwinder *u, struct operands *operands, const Dwarf_Op *op,
		    const uint64_t *cfa)
{
	if (op->atom >= DW_OP_lit0 && op->atom <= DW_OP_lit31)
		return push(operands, op->atom - DW_OP_lit0);
	if (op->atom >= DW_OP_breg0 && op->atom <= DW_OP_breg31)
		return push_register(u, operands, op->atom - DW_OP_breg0, op->number);
	if (op->atom >= DW_OP_const1u && op->atom <= DW_OP_consts)
		return push(operands, cut(u, op->number));
	switch (op->atom) {
	case DW_OP_nop:
		return true;
	case DW_OP_bregx:
		return push_register(u, operands, op->number, op->number2);
	case DW_OP_call_frame_cfa:
		return cfa != NULL && push(operands, *cfa);
	case DW_OP_dup:
		return operands->count > 0 &&
		       push(operands, operands->value[operands->count - 1]);
	case DW_OP_drop:
		return operands->count > 0 && operands->count-- > 0;
	case DW_OP_plus_uconst:
		return push(operands, op->number) && combine(u, operands, DW_OP_plus);
	case DW_OP_deref:
		return dereference(u, operands, u->word);
	case DW_OP_deref_size:
		return dereference(u, operands, op->number);
	default:
		return combine(u, operands, op->atom);
	}
}

static bool evaluate(const struct unwinder *u, const Dwarf_Op *ops, size_t count,
		     const uint64_t *cfa, uint64_t *result)
{
	struct operands operands = { .count = 0 };

	for (size_t i = 0; i < count; i++) {
		if (!operate(u, &operands, &ops[i], cfa))
			return false;
	}
	if (operands.count == 0)
		return false;
	*result = operands.value[operands.count - 1];
	return true;
}

/* Restore a register as the frame's rule for it says. */
static bool restore(const struct unwinder *u, Dwarf_Frame *frame, unsigned int number,
		    uint64_t cfa, uint64_t *value)
{
	Dwarf_Op memory[3], *ops;
	size_t count;

	if (dwarf_frame_register(frame, (int)number, memory, &ops, &count) != 0)
		return false;
	if (count == 0) {	/* unchanged, or lost; this very address is not the caller's */
		*value = u->value[number];
		return ops == NULL && u->known[number] && number != u->pc;
	}
	const Dwarf_Op *last = &ops[count - 1];
	if (last->atom == DW_OP_regx) {
		if (last->number >= REGISTERS)
			return false;
		*value = u->value[last->number];
		return u->known[last->number];
	}
	if (last->atom == DW_OP_stack_value)
		return evaluate(u, ops, count - 1, &cfa, value);
	return evaluate(u, ops, count, &cfa, value) && read_word(u, *value, u->word, value);
}

static enum step play(struct unwinder *u, Dwarf_Frame *frame)
{
	struct unwinder caller = *u;
	Dwarf_Op *ops;
	size_t count;
	uint64_t cfa;
	bool signal = false;
	int pc = dwarf_frame_info(frame, NULL, NULL, &signal);

	if (pc < 0 || pc >= REGISTERS || dwarf_frame_cfa(frame, &ops, &count) != 0 ||
	    !evaluate(u, ops, count, NULL, &cfa))
		return STEP_END;
	for (unsigned int i = 0; i < REGISTERS; i++)
		caller.known[i] = restore(u, frame, i, cfa, &caller.value[i]);
	if (!caller.known[pc])
		return STEP_END;
	caller.value[u->pc] = caller.value[pc];
	caller.known[u->pc] = true;
	if (!caller.known[u->sp] || caller.value[u->sp] == u->value[u->sp]) {
		caller.value[u->sp] = cfa;
		caller.known[u->sp] = true;
	}
	caller.exact = signal;
	*u = caller;
	return STEP_DONE;
}

static enum step step_described(struct unwinder *u)
{
	const struct symbols *s = u->symbols;
	Dwarf_CFI *tables[] = { s->eh_frame, s->debug_frame };
	uint64_t linked;

	/* The tables of a file are for registers of its class. */
	if (u->is_64 != s->is_64 || !symbols_linked(s, u->value[u->pc] - !u->exact, &linked))
		return STEP_NONE;
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		Dwarf_Frame *frame;

		if (tables[i] == NULL || dwarf_cfi_addrframe(tables[i], linked, &frame) != 0)
			continue;
		enum step step = play(u, frame);
		free(frame);
		return step;
	}
	return STEP_NONE;
}

/* ---- Frames that the code makes ------------------------------------------ */

/* Length of an instruction mov %rsp,%rbp; 0 if it is not one. */
static size_t match_mov(const struct unwinder *u, const unsigned char *code, size_t size)
{
	size_t prefix = u->is_64;

	if (size < prefix + 2 || (prefix > 0 && code[0] != 0x48))
		return 0;
	code += prefix;
	return (code[0] == 0x89 && code[1] == 0xe5) || (code[0] == 0x8b && code[1] == 0xec) ?
		prefix + 2 : 0;
}

/* Length of an instruction endbr64 or endbr32, 0 if it is not one. */
static size_t match_endbr(const unsigned char *code, size_t size)
{
	static const unsigned char endbr[] = { 0xf3, 0x0f, 0x1e };

	return size >= 4 && memcmp(code, endbr, 3) == 0 && (code[3] & 0xfe) == 0xfa ? 4 : 0;
}

static bool is_ret(const unsigned char *code, size_t size)
{
	if (size >= 2 && code[0] == 0xf3)
		code++;
	return size >= 1 && (code[0] == 0xc3 || code[0] == 0xc2);
}

/* Is there nothing in a function up to a place that moves the stack pointer?
 * Without knowing where instructions begin, so no more often than is true. */
static bool is_stack_untouched(const unsigned char *code, size_t size, uint64_t place)
{
	if (place > size)
		return false;
	for (size_t i = 0; i < place; i++) {
		bool push = code[i] >= 0x50 && code[i] <= 0x57;
		/* sub or lea */
		bool room = i + 1 < place && (((code[i] == 0x83 || code[i] == 0x81) &&
					       code[i + 1] == 0xec) ||
					      (code[i] == 0x8d && code[i + 1] == 0x64));

		if (push || room)
			return false;
	}
	return true;
}

/* How far a function is with its frame. */
enum frame {
	FRAME_NONE,	/* it has none, or another one */
	FRAME_BEFORE,	/* return address at the stack pointer */
	FRAME_PUSHED,	/* above the pushed frame pointer */
	FRAME_SET_UP,
};

/* Of a function whose start is known. */
static enum frame look_at_start(const struct unwinder *u, uint64_t start, uint64_t end,
				uint64_t linked)
{
	unsigned char code[PROLOGUE];
	size_t size = symbols_code(u->symbols, start, code,
				   end - start < PROLOGUE ? end - start : PROLOGUE);
	size_t push = match_endbr(code, size), at = push, length = 0;

	while (at < size && (length = match_mov(u, code + at, size - at)) == 0)
		at++;
	if (length == 0)
		return is_stack_untouched(code, size, linked - start) ? FRAME_BEFORE : FRAME_NONE;
	/* Compilers may put something before the push, or between the two. */
	if (code[push] != 0x55 && at > 0 && code[at - 1] == 0x55)
		push = at - 1;
	if (linked - start >= at + length)
		return FRAME_SET_UP;
	if (code[push] != 0x55)
		return FRAME_NONE;
	return linked - start > push ? FRAME_PUSHED : FRAME_BEFORE;
}

/* Of a function that begins who knows where. */
static enum frame look_here(const struct unwinder *u, uint64_t linked)
{
	unsigned char code[16], before = 0;
	size_t size = symbols_code(u->symbols, linked, code, sizeof(code));
	size_t push = match_endbr(code, size);

	if (size > push + 1 && code[push] == 0x55 &&
	    match_mov(u, code + push + 1, size - push - 1) > 0)
		return FRAME_BEFORE;
	if (symbols_code(u->symbols, linked - 1, &before, 1) == 1 && before == 0x55 &&
	    match_mov(u, code, size) > 0)
		return FRAME_PUSHED;
	return FRAME_SET_UP;
}

/* Does this address lie behind a call?  Then *target is what it calls, or 0 if
 * only the running code knew. */
static bool is_behind_call(const struct unwinder *u, uint64_t address, uint64_t *target)
{
	static const unsigned char lengths[] = { 2, 3, 4, 6, 7 };
	unsigned char code[8];
	uint64_t linked;

	if (!symbols_linked(u->symbols, address - 1, &linked))
		return false;
	linked++;
	*target = 0;
	if (symbols_code(u->symbols, linked - 5, code, 5) == 5 && code[0] == 0xe8) {
		*target = cut(u, linked + (uint64_t)(int64_t)(int32_t)get_le32(code + 1));
		return true;
	}
	for (size_t i = 0; i < sizeof(lengths); i++) {
		/* ff /2: call through a register or memory */
		if (symbols_code(u->symbols, linked - lengths[i], code, 2) == 2 && code[0] == 0xff &&
		    (code[1] & 0x38) == 0x10)
			return true;
	}
	return false;
}

/* Read words from the stack pointer on, as many of most as there are. */
static size_t read_stack(const struct unwinder *u, unsigned char *bytes, size_t most)
{
	while (most > 0 && !u->read(u->context, u->value[u->sp], bytes, most * u->word))
		most /= 2;
	return most;
}

/* Find a return address on the stack that belongs to a function without a frame
 * pointer: behind a call of its start.  NULL: it is no function at all, and what
 * called it left nothing but the return address. */
static bool find_call(const struct unwinder *u, const uint64_t *start, uint64_t *at)
{
	unsigned char bytes[MOST_WORDS * 8];
	size_t count = read_stack(u, bytes, start != NULL ? MOST_WORDS : 1);

	for (size_t i = 0; i < count; i++) {
		const unsigned char *word = bytes + i * u->word;
		uint64_t target;

		*at = cut(u, u->value[u->sp] + i * u->word);
		if (is_behind_call(u, u->is_64 ? get_le64(word) : get_le32(word), &target) &&
		    (start == NULL || target == *start))
			return true;
	}
	return false;
}

/* The return address lies there; the caller's stack goes on behind it. */
static enum step take(struct unwinder *u, uint64_t at, uint64_t fp)
{
	if (!read_word(u, at, u->word, &u->value[u->pc]))
		return STEP_END;
	u->value[u->sp] = cut(u, at + u->word);
	u->value[u->fp] = fp;
	u->exact = false;
	return STEP_DONE;
}

static enum step step_by_code(struct unwinder *u)
{
	uint64_t sp = u->value[u->sp], fp = u->value[u->fp], at = 0, linked, start, end;
	unsigned char code[2];
	enum frame frame = FRAME_NONE;
	const uint64_t *function = NULL;

	if (symbols_linked(u->symbols, u->value[u->pc] - !u->exact, &linked)) {
		size_t size = symbols_code(u->symbols, linked, code, sizeof(code));

		if (symbols_function(u->symbols, linked, &start, &end))
			function = &start;
		if (u->exact && is_ret(code, size))
			frame = FRAME_BEFORE;
		else if (function != NULL)
			frame = look_at_start(u, start, end, linked);
		else
			frame = look_here(u, linked);
	}
	if (frame == FRAME_BEFORE)
		return take(u, sp, fp);
	if (frame == FRAME_PUSHED)
		return read_word(u, sp, u->word, &fp) ? take(u, sp + u->word, fp) : STEP_END;
	if (frame == FRAME_NONE && find_call(u, function, &at))
		return take(u, at, fp);
	at = fp;
	if (!u->known[u->fp] || at < sp || !read_word(u, at, u->word, &fp))
		return STEP_END;
	return take(u, at + u->word, fp);
}

/* ---- All of them --------------------------------------------------------- */

static void prepare(struct unwinder *u, const struct symbols_registers *registers)
{
	u->is_64 = registers->is_64;
	u->word = u->is_64 ? 8 : 4;
	u->sp = u->is_64 ? 7 : 4;
	u->fp = u->is_64 ? 6 : 5;
	u->pc = u->is_64 ? 16 : 8;
	u->exact = true;
	for (unsigned int i = 0; i <= u->pc; i++) {
		u->value[i] = cut(u, registers->value[i]);
		u->known[i] = true;
	}
}

size_t symbols_unwind(const struct symbols *symbols, const struct symbols_registers *registers,
		      symbols_read *read, void *context, uint64_t *addresses, size_t most)
{
	struct unwinder u = { .symbols = symbols, .read = read, .context = context };
	size_t count = 0;

	prepare(&u, registers);
	while (count < most) {
		uint64_t sp = u.value[u.sp], linked;
		enum step step = step_described(&u);

		if (step == STEP_NONE)
			step = step_by_code(&u);
		if (step != STEP_DONE || u.value[u.pc] == 0 || u.value[u.sp] <= sp ||
		    !symbols_linked(symbols, u.value[u.pc] - 1, &linked))
			break;
		addresses[count++] = u.value[u.pc];
	}
	return count;
}
