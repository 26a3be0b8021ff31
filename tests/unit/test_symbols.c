/* SPDX-License-Identifier: MIT
 *
 * symbols_find(), symbols_data(), symbols_unwind() and demangle(), on programs
 * that a compiler made of the source below.
 *
 * Unwinding is compared with what really happened: a program runs instruction by
 * instruction under ptrace, calls and returns are noted, and at each place the
 * stack must tell the same.
 */
#include "crash/symbols.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crash/demangle.h"
#include "unit.h"

/* A kernel's habits: an entry and helpers in assembly that nothing describes,
 * calls through pointers, functions that do not return.  Lines with a comment
 * are looked up by that. */
static const char source[] =
	"#pragma GCC visibility push(hidden)\n"
	"typedef int callback(int);\n"
	"extern callback asm_leaf, asm_framed;\n"
	"int asm_calls(callback *, int);\n"
	"void asm_jumps(void);\n"
	"volatile int sink;\n"
	"int table[16] = { 1 };\n"
	"callback *volatile pointer;\n"
	"static inline __attribute__((always_inline)) int innermost(int x)\n"
	"{\n"
	"	sink = x; /* innermost */\n"
	"	return sink + 1;\n"
	"}\n"
	"static inline __attribute__((always_inline)) int middle(int x)\n"
	"{\n"
	"	return innermost(x + 1) * 2; /* middle */\n"
	"}\n"
	"__attribute__((noinline)) int holder(int x)\n"
	"{\n"
	"	int room[20];\n"
	"	for (int i = 0; i < 20; i++)\n"
	"		room[i] = sink;\n"
	"	return middle(x) + ((volatile int *)room)[x]; /* holder */\n"
	"}\n"
	"__attribute__((noinline, noreturn)) void stop(void)\n"
	"{\n"
	"	__asm__ volatile(\"stopped: ud2\");\n"
	"	__builtin_unreachable();\n"
	"}\n"
	"__attribute__((noinline)) int recurse(int n)\n"
	"{\n"
	"	if (n == 0)\n"
	"		return holder(3) + asm_leaf(2) + asm_framed(5);\n"
	"	return recurse(n - 1) + sink; /* recurse */\n"
	"}\n"
	"__attribute__((noinline)) int many(int a, int b, int c, int d)\n"
	"{\n"
	"	int e = holder(a), f = holder(b), g = holder(c), h = holder(d);\n"
	"	return a * e + b * f + c * g + d * h;\n"
	"}\n"
	"void kernel_main(void)\n"
	"{\n"
	"	pointer = recurse;\n"
	"	table[2] = recurse(3) + pointer(1) + asm_calls(holder, 1) + many(1, 2, 3, 4);\n"
	"	table[3] = asm_calls(asm_leaf, 1);\n"
	"	asm_jumps();\n"
	"	if (sink != -1)\n"
	"		stop(); /* noreturn */\n"
	"}\n"
	"__asm__(\n"
	"	\".text\\n\"\n"
	"	\".globl _start, asm_leaf, asm_framed, asm_calls, asm_jumps\\n\"\n"
	"	\"_start: call kernel_main\\n\"\n"
	"	\"start_hang: jmp start_hang\\n\"\n"
	"	\".type asm_leaf, @function\\n\"\n"
	"	\"asm_leaf: xor %eax, %eax; inc %eax; ret\\n\"\n"
	"	\"asm_jumps: jmp asm_end\\n\"\n"
	"	\"asm_end: nop; ret\\n\"\n"
	"#ifdef __x86_64__\n"
	"	\"asm_framed: push %rbp; mov %rsp, %rbp; push %rbx; call asm_leaf; pop %rbx\\n\"\n"
	"	\"	leave; ret\\n\"\n"
	"	\"asm_calls: push %rbx; push %r12; mov %rdi, %rax; mov %esi, %edi; call *%rax\\n\"\n"
	"	\"	pop %r12; pop %rbx; ret\\n\"\n"
	"#else\n"
	"	\"asm_framed: push %ebp; mov %esp, %ebp; push %ebx; call asm_leaf; pop %ebx\\n\"\n"
	"	\"	leave; ret\\n\"\n"
	"	\"asm_calls: mov 4(%esp), %eax; mov 8(%esp), %edx; push %ebx; push %edx\\n\"\n"
	"	\"	call *%eax; pop %edx; pop %ebx; ret\\n\"\n"
	"#endif\n"
	");\n";

/* The line that a comment is on. */
static unsigned int line_of(const char *comment)
{
	char text[64];
	unsigned int line = 1;

	snprintf(text, sizeof(text), "/* %s */", comment);
	const char *end = strstr(source, text);
	assert_non_null(end);
	for (const char *p = source; p < end; p++)
		line += *p == '\n';
	return line;
}

/* ---- Fixtures ------------------------------------------------------------ */

struct fixture {
	char path[128];
	unsigned char *bytes;
	size_t size;
	struct symbols *symbols;
};

#define COMMON "-nostdlib -ffreestanding -fno-stack-protector -fno-pic -static -Wl,--build-id=none "
#define NO_TABLES " -fno-asynchronous-unwind-tables -fno-unwind-tables"

static char directory[] = "/tmp/test_symbols.XXXXXX";

/* Run a command of the shell, in the directory.  Returns whether it succeeded. */
static bool run(const char *command)
{
	char line[1200];

	snprintf(line, sizeof(line), "cd %s && { %s; } >log 2>&1", directory, command);
	return system(line) == 0;
}

/* Write a file in the directory. */
static bool put_source(const char *name, const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	FILE *file = fopen(path, "w");
	return file != NULL && fputs(text, file) >= 0 && fclose(file) == 0;
}

static int make_source(void **state __attribute__((unused)))
{
	return mkdtemp(directory) != NULL && put_source("source.c", source) ? 0 : -1;
}

static int remove_all(void **state __attribute__((unused)))
{
	char line[64];

	snprintf(line, sizeof(line), "rm -rf %s", directory);
	return system(line);
}

static void read_fixture(struct fixture *f)
{
	FILE *file = fopen(f->path, "rb");
	struct stat st;

	assert_non_null(file);
	assert_int_equal(fstat(fileno(file), &st), 0);
	f->size = (size_t)st.st_size;
	f->bytes = malloc(f->size);
	assert_int_equal(fread(f->bytes, 1, f->size, file), f->size);
	fclose(file);
}

/* Open it (again), as if it ran elsewhere, from bytes that are gone afterwards,
 * so that AddressSanitizer sees pointers that were kept. */
static void slide(struct fixture *f, uint64_t by)
{
	unsigned char *copy = malloc(f->size);

	symbols_close(f->symbols);
	memcpy(copy, f->bytes, f->size);
	f->symbols = symbols_open(copy, f->size, by);
	assert_memory_equal(copy, f->bytes, f->size);
	free(copy);
	assert_non_null(f->symbols);
}

/* Run a command that makes the file "fixture", and open that.  Skips the test if
 * there is no compiler. */
static struct fixture make(const char *compiler, const char *command)
{
	struct fixture f = {0};
	char line[1024];

	snprintf(line, sizeof(line), "command -v %s", compiler);
	if (!run(line))
		skip();
	snprintf(line, sizeof(line), "%s " COMMON "%s", compiler, command);
	CHECK(run(line), "%s", line);
	snprintf(f.path, sizeof(f.path), "%s/fixture", directory);
	read_fixture(&f);
	slide(&f, 0);
	return f;
}

/* Compile the source; more is for the shell, afterwards. */
static struct fixture build(const char *flags, const char *more)
{
	char command[512];

	snprintf(command, sizeof(command), "%s source.c -o fixture && %s", flags, more);
	return make("gcc", command);
}

static void drop(struct fixture *f)
{
	symbols_close(f->symbols);
	f->symbols = NULL;
	free(f->bytes);
}

/* A symbol as the file has it. */
static GElf_Sym find_symbol(const struct fixture *f, const char *name)
{
	Elf *elf = elf_memory((char *)f->bytes, f->size);
	Elf_Scn *scn = NULL;
	GElf_Sym symbol = {0};
	bool found = false;

	while (!found && (scn = elf_nextscn(elf, scn)) != NULL) {
		GElf_Shdr shdr;

		assert_non_null(gelf_getshdr(scn, &shdr));
		if (shdr.sh_type != SHT_SYMTAB)
			continue;
		Elf_Data *data = elf_getdata(scn, NULL);
		for (int i = 0; !found && gelf_getsym(data, i, &symbol) != NULL; i++)
			found = strcmp(elf_strptr(elf, shdr.sh_link, symbol.st_name), name) == 0;
	}
	elf_end(elf);
	CHECK(found, "no symbol %s", name);
	return symbol;
}

static uint64_t entry_of(const struct fixture *f)
{
	Elf *elf = elf_memory((char *)f->bytes, f->size);
	GElf_Ehdr header;

	assert_non_null(gelf_getehdr(elf, &header));
	elf_end(elf);
	return header.e_entry;
}

/* ---- Functions and lines ------------------------------------------------- */

static void check_frame(const struct symbol_frame *frame, const char *function, const char *line,
			bool inlined)
{
	assert_string_equal(frame->function, function);
	assert_string_equal(frame->file, line != NULL ? "source.c" : "");
	assert_int_equal(frame->line, line != NULL ? line_of(line) : 0);
	assert_int_equal(frame->inlined, inlined);
}

/* Somewhere in holder() there is what was inlined into it. */
static uint64_t check_inlined(const struct fixture *f, uint64_t by)
{
	GElf_Sym holder = find_symbol(f, "holder");
	struct symbol_frame frames[8];

	for (uint64_t i = 0; i < holder.st_size; i++) {
		uint64_t address = holder.st_value + i + by;

		size_t count = symbols_find(f->symbols, address, false, frames, COUNT(frames));
		assert_in_range(count, 1, 3);
		assert_string_equal(frames[count - 1].function, "holder");
		assert_int_equal(frames[count - 1].offset, i);
		assert_false(frames[count - 1].inlined);
		if (count < 3 || frames[0].line != line_of("innermost"))
			continue;
		check_frame(&frames[0], "innermost", "innermost", true);
		check_frame(&frames[1], "middle", "middle", true);
		check_frame(&frames[2], "holder", "holder", false);
		assert_int_equal(frames[0].offset, 0);
		/* As many as asked for, and no more. */
		struct symbol_frame few[3];
		memset(few, 'x', sizeof(few));
		assert_int_equal(symbols_find(f->symbols, address, false, few, 2), 2);
		check_frame(&few[0], "innermost", "innermost", true);
		check_frame(&few[1], "middle", "middle", true);
		assert_int_equal(few[2].function[0], 'x');
		assert_int_equal(symbols_find(f->symbols, address, false, few, 0), 0);
		return address;
	}
	fail_msg("nothing is inlined");
	return 0;
}

TEST(finds_inlined_functions_in_each_format)
{
	static const char *const flags[] = {
		"-O2 -gdwarf-5", "-O2 -gdwarf-4", "-O2 -gdwarf-3", "-O2 -g -gz=zlib",
		"-O2 -g -m32", "-O2 -gdwarf-4 -m32 -gz=zlib", "-O1 -g -fno-omit-frame-pointer",
		"-O2 -g -ffunction-sections", "-O2 -g -mcmodel=kernel -Wl,-Ttext=0xffffffff80200000",
		"-O2 -g -gno-as-loc-support -fdebug-types-section",
	};

	for (size_t i = 0; i < COUNT(flags); i++) {
		struct fixture f = build(flags[i], ":");

		assert_true(symbols_any(f.symbols));
		check_inlined(&f, 0);
		drop(&f);
	}
}

TEST(adds_the_slide)
{
	struct fixture f = build("-O2 -g -fpie -static-pie", ":");

	slide(&f, 0x123456000);
	check_inlined(&f, 0x123456000);
	slide(&f, -UINT64_C(0x1000));
	check_inlined(&f, -UINT64_C(0x1000));
	drop(&f);
	f = build("-O2 -g -m32 -fpie -static-pie", ":");
	slide(&f, 0xfff00000);
	struct symbol_frame frame;
	/* It wraps around at 4 GiB. */
	uint64_t address = (uint32_t)(find_symbol(&f, "recurse").st_value + 0xfff00000);
	assert_int_equal(symbols_find(f.symbols, address, false, &frame, 1), 1);
	assert_string_equal(frame.function, "recurse");
	assert_int_equal(symbols_find(f.symbols, address + (UINT64_C(1) << 32), false, &frame, 1), 0);
	drop(&f);
}

/* The call that does not return is the last instruction, so what lies behind it
 * belongs to another function. */
TEST(looks_up_the_call_before_a_return_address)
{
	struct fixture f = build("-O2 -g -fno-reorder-functions", ":");
	GElf_Sym kernel_main = find_symbol(&f, "kernel_main");
	uint64_t end = kernel_main.st_value + kernel_main.st_size;
	struct symbol_frame frame;

	assert_int_equal(symbols_find(f.symbols, end, true, &frame, 1), 1);
	check_frame(&frame, "kernel_main", "noreturn", false);
	assert_int_equal(frame.offset, kernel_main.st_size);
	if (symbols_find(f.symbols, end + 32, false, &frame, 1) == 1)
		assert_string_not_equal(frame.function, "kernel_main");
	drop(&f);
}

TEST(knows_functions_without_debug_information)
{
	struct fixture f = build("-O2", ":");
	uint64_t address = find_symbol(&f, "recurse").st_value + 3;
	struct symbol_frame frames[4];

	assert_true(symbols_any(f.symbols));
	assert_int_equal(symbols_find(f.symbols, address, false, frames, 4), 1);
	check_frame(&frames[0], "recurse", NULL, false);
	assert_int_equal(frames[0].offset, 3);
	assert_int_equal(symbols_find(f.symbols, address, true, frames, 4), 1);
	assert_int_equal(frames[0].offset, 3);
	drop(&f);
}

/* Debug information without symbols, as objcopy may leave it. */
TEST(knows_functions_without_symbols)
{
	struct fixture f = build("-O2 -g", "cp fixture whole && strip --strip-all -R .symtab fixture && "
				 "objcopy --only-keep-debug whole debug && "
				 "objcopy --strip-all whole -K none --keep-section='.debug*' fixture");
	struct fixture whole = build("-O2 -g", ":");
	uint64_t address = find_symbol(&whole, "recurse").st_value;
	struct symbol_frame frame;

	assert_false(symbols_any(f.symbols));
	assert_int_equal(symbols_find(f.symbols, address + 2, false, &frame, 1), 1);
	assert_string_equal(frame.function, "recurse");
	assert_int_equal(frame.offset, 2);
	assert_string_equal(frame.file, "source.c");
	drop(&whole);
	drop(&f);
}

TEST(knows_nothing_of_a_stripped_file)
{
	struct fixture f = build("-O2 -g", "strip fixture");
	struct symbol_frame frame;
	char name[32];
	uint64_t offset;

	assert_false(symbols_any(f.symbols));
	assert_int_equal(symbols_find(f.symbols, entry_of(&f), false, &frame, 1), 0);
	assert_true(symbols_data(f.symbols, entry_of(&f), name, sizeof(name), &offset));
	assert_string_equal(name, ".text");
	drop(&f);
	f = build("-O2 -g", "objcopy --strip-section-headers fixture || cp source.c fixture");
	assert_false(symbols_any(f.symbols));
	assert_int_equal(symbols_find(f.symbols, 0x401000, false, &frame, 1), 0);
	drop(&f);
}

TEST(knows_only_addresses_in_the_kernel)
{
	static const uint64_t outside[] = { 0, 1, 0xfff, 0x7fffffffffffffff, UINT64_MAX };
	struct fixture f = build("-O2 -g", ":");

	for (size_t i = 0; i < COUNT(outside); i++) {
		struct symbol_frame frame;
		char name[32];
		uint64_t offset;

		assert_int_equal(symbols_find(f.symbols, outside[i], false, &frame, 1), 0);
		assert_int_equal(symbols_find(f.symbols, outside[i], true, &frame, 1), 0);
		assert_false(symbols_data(f.symbols, outside[i], name, sizeof(name), &offset));
	}
	drop(&f);
}

TEST(knows_physical_addresses_if_it_may)
{
	struct fixture f = build("-O2 -g -mcmodel=kernel -Wl,-Ttext=0xffffffff80200000",
				 "cp source.c x");
	Elf64_Ehdr header;
	memcpy(&header, f.bytes, sizeof(header));
	for (unsigned int i = 0; i < header.e_phnum; i++) {
		unsigned char *at = f.bytes + header.e_phoff + i * sizeof(Elf64_Phdr);
		Elf64_Phdr phdr;

		memcpy(&phdr, at, sizeof(phdr));
		phdr.p_paddr = phdr.p_vaddr & 0xfffffff;
		memcpy(at, &phdr, sizeof(phdr));
	}
	slide(&f, 0);
	uint64_t address = find_symbol(&f, "recurse").st_value & 0xfffffff;
	struct symbol_frame frame;
	assert_int_equal(symbols_find(f.symbols, address, false, &frame, 1), 0);
	symbols_allow_physical(f.symbols);
	assert_int_equal(symbols_find(f.symbols, address, false, &frame, 1), 1);
	assert_string_equal(frame.function, "recurse");
	drop(&f);
}

/* ---- Which symbol -------------------------------------------------------- */

TEST(chooses_the_symbol_that_says_most)
{
	static const char assembly[] =
		".text\n.globl start_of_text, __text_start, _start, middle_part\n"
		"__text_start:\nstart_of_text:\n.type _start, @function\n_start:\n nop\n nop\n"
		"local: nop\n nop\n"
		".type sized, @function\nsized: nop\ninside: nop\n.size sized, . - sized\n"
		" .skip 40, 0x90\n"
		".globl after\n after: nop\n"
		".type weak_one, @function\n.weak weak_one\nweak_one:\n"
		".type global_one, @function\n.globl global_one\nglobal_one: nop\n"
		".section .other, \"ax\"\n nop\n nop\n"
		".data\nvariable: .long 1, 2\n.size variable, 8\n.type variable, @object\n";
	static const struct {
		const char *base;
		uint64_t add;
		const char *expected;	/* "" for none */
		uint64_t offset;
	} cases[] = {
		{ "_start", 0, "_start", 0 },
		{ "_start", 1, "_start", 1 },
		{ "local", 1, "local", 1 },
		{ "sized", 0, "sized", 0 },
		{ "inside", 0, "sized", 1 },
		{ "sized", 2, "sized", 2 },	/* padding */
		{ "sized", 20, "", 0 },
		{ "after", 0, "after", 0 },
		{ "weak_one", 0, "global_one", 0 },
		{ "other_start", 0, "", 0 },
		{ "variable", 4, "", 0 },
	};
	assert_true(put_source("a.s", assembly));
	struct fixture f = make("gcc", "a.s -o fixture");

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct symbol_frame frame = {0};
		bool other = strcmp(cases[i].base, "other_start") == 0;
		uint64_t address = other ? find_symbol(&f, "global_one").st_value + 1 :
					   find_symbol(&f, cases[i].base).st_value + cases[i].add;

		size_t count = symbols_find(f.symbols, address, false, &frame, 1);
		CHECK(strcmp(frame.function, cases[i].expected) == 0, "case %zu: %s", i, frame.function);
		CHECK(count == (cases[i].expected[0] != '\0'), "case %zu", i);
		assert_int_equal(frame.offset, cases[i].offset);
	}
	drop(&f);
}

TEST(names_data)
{
	struct fixture f = build("-O2", ":");
	uint64_t table = find_symbol(&f, "table").st_value, offset;
	char name[32];

	assert_true(symbols_data(f.symbols, table, name, sizeof(name), &offset));
	assert_string_equal(name, "table");
	assert_int_equal(offset, 0);
	assert_true(symbols_data(f.symbols, table + 63, name, sizeof(name), &offset));
	assert_string_equal(name, "table");
	assert_int_equal(offset, 63);
	assert_true(symbols_data(f.symbols, find_symbol(&f, "sink").st_value + 1, name, sizeof(name),
				 &offset));
	assert_string_equal(name, "sink");
	assert_true(symbols_data(f.symbols, entry_of(&f), name, sizeof(name), &offset));
	assert_string_equal(name, "_start");
	/* Cut, not overrun. */
	assert_true(symbols_data(f.symbols, table, name, 3, &offset));
	assert_string_equal(name, "ta");
	assert_false(symbols_data(f.symbols, table, name, 0, &offset));
	drop(&f);
}

TEST(makes_paths_relative)
{
	static const char *const commands[] = {
		"-g $PWD/source.c -o fixture",
		"-g ./source.c -o fixture",
		"-g .///source.c -o fixture",
		"-g -fdebug-prefix-map=$PWD=. ./source.c -o fixture",
		"-g -gdwarf-4 $PWD/source.c -o fixture",
		"-g -fdebug-prefix-map=$PWD=/build/ $PWD/source.c -o fixture",
	};

	for (size_t i = 0; i < COUNT(commands); i++) {
		struct fixture f = make("gcc", commands[i]);
		struct symbol_frame frame;

		uint64_t address = find_symbol(&f, "recurse").st_value;
		assert_int_equal(symbols_find(f.symbols, address, false, &frame, 1), 1);
		CHECK(strcmp(frame.file, "source.c") == 0, "%s: %s", commands[i], frame.file);
		drop(&f);
	}
}

/* Of a path that is too long the end is kept. */
TEST(shortens_paths)
{
	struct symbol_frame frame;

	assert_true(run("name=$(printf '%0200d' 0); mkdir -p $name/$name && cp source.c $name/$name/"));
	struct fixture f = make("gcc", "-g 0*/0*/source.c -o fixture");
	uint64_t address = find_symbol(&f, "recurse").st_value;

	assert_int_equal(symbols_find(f.symbols, address, false, &frame, 1), 1);
	assert_int_equal(strlen(frame.file), sizeof(frame.file) - 1);
	assert_memory_equal(frame.file, "...0", 4);
	assert_string_equal(frame.file + sizeof(frame.file) - sizeof("0/source.c"), "0/source.c");
	drop(&f);
}

/* A name that is not demangled is put together from debug information. */
TEST(names_what_functions_are_nested_in)
{
	static const char *const functions[][2] = {
		{ "_ZN6kernel5twiceIiEET_S1_", "kernel::twice<int>" },
		{ "_ZN6kernel6DeviceplEi", "kernel::Device::operator+" },
		{ "_ZNK6kernel6Device3getEv", "kernel::Device::get" },
		{ "_start", "_start" },
	};
	assert_true(put_source("a.cc",
		"namespace kernel {\n"
		"template<class T> __attribute__((noinline)) T twice(T x)\n"
		"{ volatile T y = x; return y * 2; }\n"
		"struct Device { int n; int operator+(int); int get() const; };\n"
		"int Device::operator+(int x) { return twice<int>(n + x); }\n"
		"int Device::get() const { return n; }\n"
		"}\n"
		"extern \"C\" void _start() { kernel::Device d = { 1 }; d + d.get(); }\n"));
	struct fixture f = make("g++", "-g -O1 -fno-inline -fno-exceptions a.cc -o fixture");

	for (size_t i = 0; i < COUNT(functions); i++) {
		struct symbol_frame frame;
		uint64_t address = find_symbol(&f, functions[i][0]).st_value;

		assert_int_equal(symbols_find(f.symbols, address, false, &frame, 1), 1);
		assert_string_equal(frame.function, functions[i][1]);
		assert_string_equal(frame.file, "a.cc");
	}
	drop(&f);
	/* Where there is no room for all of it, the name alone. */
	f = make("g++", "-Dkernel=k$(printf '%0300d' 0) -g -O1 -fno-inline -fno-exceptions a.cc -o fixture");
	char name[400];
	struct symbol_frame frame;
	snprintf(name, sizeof(name), "_ZN301k%0300d5twiceIiEET_S1_", 0);
	assert_int_equal(symbols_find(f.symbols, find_symbol(&f, name).st_value, false, &frame, 1), 1);
	assert_string_equal(frame.function, "twice<int>");
	drop(&f);
}

TEST(demangles_what_is_simple)
{
	static const char *const names[][2] = {
		{ "_ZN6kernel4initEv", "kernel::init" },
		{ "_ZN6kernel4initEiPKc", "kernel::init" },
		{ "_Z4initv", "init" },
		{ "_ZL4initv", "init" },
		{ "_ZN6kernelL4initEv", "kernel::init" },
		{ "_ZNK3Foo3getEv", "Foo::get" },
		{ "_ZN3FooC2Ev", "Foo::Foo" },
		{ "_ZN1a3FooD1Ev", "a::Foo::~Foo" },
		{ "_ZN12_GLOBAL__N_13runEv", "(anonymous namespace)::run" },
		{ "_ZSt9terminatev", "std::terminate" },
		{ "_ZNSt3foo3barEv", "std::foo::bar" },
		{ "_ZN3foo3barEv.cold", "foo::bar.cold" },
		{ "_ZN4core9panicking5panic17h0123456789abcdefE", "core::panicking::panic" },
		{ "_ZN4core9panicking5panic17h0123456789abcdefE.llvm.123", "core::panicking::panic" },
		{ "_ZN4main4call17h0123456789abcdegE", "main::call::h0123456789abcdeg" },
		{ "_ZN60_$LT$alloc..string..String$u20$as$u20$core..fmt..Display$GT$3fmt17h0123456789abcdefE",
		  "<alloc::string::String as core::fmt::Display>::fmt" },
		{ "_ZN3x$C3a$zz3y..17h0123456789abcdefE", NULL },
		{ "_ZN4main28_$u7b$$u7b$closure$u7d$$u7d$17h0123456789abcdefE", "main::{{closure}}" },
		{ "_Z3fooIiEvT_", NULL },
		{ "_ZN3fooIiE3barEv", NULL },
		{ "_ZN3FooplEv", NULL },
		{ "_ZN3fooS_E", NULL },
		{ "_RNvC6_123foo3bar", NULL },
		{ "main", NULL }, { "", NULL }, { "_", NULL }, { "_Z", NULL }, { "_ZN", NULL },
		{ "_ZN1a1b1c1d1e1f1g1h1i1j1k1l1m1n1o1p1q1r1s1t1u1v1w1x1y1z1a1b1c1d1e1f1gEv", NULL },
		{ "_ZN5$u1b$E", "$u1b$" },
		{ "_ZNE", NULL }, { "_ZN3fo", NULL }, { "_ZN3foo", NULL }, { "_Z0", NULL },
		{ "_ZN99999999999999999999999999fooE", NULL }, { "_ZNC1E", NULL }, { "_ZSt", NULL },
	};

	for (size_t i = 0; i < COUNT(names); i++) {
		char text[128] = "untouched";
		bool done = demangle(names[i][0], text, sizeof(text));

		CHECK(done == (names[i][1] != NULL), "%s: %s", names[i][0], text);
		CHECK(strcmp(text, done ? names[i][1] : "untouched") == 0, "%s: %s", names[i][0], text);
	}
	char few[6];
	assert_true(demangle("_ZN6kernel4initEv", few, sizeof(few)));
	assert_string_equal(few, "kerne");
}

/* ---- Unwinding what runs ------------------------------------------------- */

/* A program under ptrace, and who called whom in it. */
struct traced {
	pid_t pid;
	int memory;
	bool is_64;
	struct symbols_registers registers;
	uint64_t calls[64];	/* return addresses, outermost first */
	size_t depth;
};

static bool read_memory(void *context, uint64_t address, void *bytes, size_t size)
{
	const struct traced *t = context;

	return pread(t->memory, bytes, size, (off_t)address) == (ssize_t)size;
}

static void read_registers(struct traced *t)
{
	struct user_regs_struct r;

	assert_int_equal(ptrace(PTRACE_GETREGS, t->pid, NULL, &r), 0);
	t->is_64 = r.cs == 0x33;
	if (t->is_64)
		t->registers = (struct symbols_registers){ true, {
			r.rax, r.rdx, r.rcx, r.rbx, r.rsi, r.rdi, r.rbp, r.rsp, r.r8, r.r9, r.r10,
			r.r11, r.r12, r.r13, r.r14, r.r15, r.rip } };
	else
		t->registers = (struct symbols_registers){ false, {
			r.rax, r.rcx, r.rdx, r.rbx, r.rsp, r.rbp, r.rsi, r.rdi, r.rip } };
}

static uint64_t pc_of(const struct traced *t)
{
	return t->registers.value[t->is_64 ? 16 : 8];
}

static uint64_t top_of(const struct traced *t)
{
	uint64_t word = 0;

	read_memory((void *)t, t->registers.value[t->is_64 ? 7 : 4], &word, t->is_64 ? 8 : 4);
	return word;
}

/* Start it; it stops at its first instruction.  Returns whether this machine
 * lets us. */
static bool start(struct traced *t, const char *path)
{
	char memory[64];
	int status;

	*t = (struct traced){ .pid = fork() };
	assert_true(t->pid >= 0);
	if (t->pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0)
			execle(path, path, (char *)NULL, (char *[]){ NULL });
		_exit(127);
	}
	assert_int_equal(waitpid(t->pid, &status, 0), t->pid);
	if (!WIFSTOPPED(status))
		return false;
	snprintf(memory, sizeof(memory), "/proc/%d/mem", (int)t->pid);
	t->memory = open(memory, O_RDONLY | O_CLOEXEC);
	assert_true(t->memory >= 0);
	read_registers(t);
	return true;
}

/* Run one instruction.  Returns whether it did not crash. */
static bool step(struct traced *t)
{
	unsigned char code[2] = {0};
	uint64_t pc = pc_of(t), sp = t->registers.value[t->is_64 ? 7 : 4];
	int status;

	assert_true(read_memory(t, pc, code, sizeof(code)));
	bool call = code[0] == 0xe8 || (code[0] == 0xff && (code[1] & 0x38) == 0x10);
	bool ret = code[0] == 0xc3;
	assert_int_equal(ptrace(PTRACE_SINGLESTEP, t->pid, NULL, NULL), 0);
	assert_int_equal(waitpid(t->pid, &status, 0), t->pid);
	assert_true(WIFSTOPPED(status));
	if (WSTOPSIG(status) != SIGTRAP)
		return false;
	read_registers(t);
	if (call) {
		assert_true(t->registers.value[t->is_64 ? 7 : 4] < sp && t->depth < COUNT(t->calls));
		t->calls[t->depth++] = top_of(t);
	} else if (ret) {
		assert_true(t->depth > 0 && t->calls[--t->depth] == pc_of(t));
	}
	return true;
}

static void stop(struct traced *t)
{
	kill(t->pid, SIGKILL);
	waitpid(t->pid, NULL, 0);
	close(t->memory);
}

static bool is_unwound(const struct fixture *f, struct traced *t)
{
	uint64_t addresses[64];
	size_t count = symbols_unwind(f->symbols, &t->registers, read_memory, t, addresses,
				      COUNT(addresses));

	if (count != t->depth)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (addresses[i] != t->calls[t->depth - 1 - i])
			return false;
	}
	return true;
}

/* Is all that was found true, though something may be missing? */
static bool is_honest(const struct fixture *f, struct traced *t)
{
	uint64_t addresses[64];
	size_t count = symbols_unwind(f->symbols, &t->registers, read_memory, t, addresses,
				      COUNT(addresses));
	size_t found = 0;

	for (size_t i = t->depth; i-- > 0;)
		found += found < count && addresses[found] == t->calls[i];
	return found == count;
}

static void describe(const struct fixture *f, struct traced *t)
{
	uint64_t addresses[64];
	struct symbol_frame frame = {0};
	size_t count = symbols_unwind(f->symbols, &t->registers, read_memory, t, addresses,
				      COUNT(addresses));

	symbols_find(f->symbols, pc_of(t), false, &frame, 1);
	print_error("at %s+0x%" PRIx64 " (0x%" PRIx64 ")\n", frame.function, frame.offset, pc_of(t));
	for (size_t i = 0; i < count; i++)
		print_error("found   0x%" PRIx64 "\n", addresses[i]);
	for (size_t i = t->depth; i-- > 0;)
		print_error("is      0x%" PRIx64 "\n", t->calls[i]);
}

/* In how many places unwinding was not right. */
struct tally {
	unsigned int places;
	unsigned int wrong;
	unsigned int lies;	/* of the wrong ones, where it found what is not there */
};

/* Run all of a program and unwind everywhere. */
static struct tally follow(struct fixture *f, bool verbose)
{
	struct tally tally = {0};
	struct traced t;

	if (!start(&t, f->path)) {
		print_message("# cannot trace %s here\n", f->path);
		return tally;
	}
	slide(f, pc_of(&t) - entry_of(f));
	do {
		if (!is_unwound(f, &t)) {
			if (verbose && tally.wrong == 0)
				describe(f, &t);
			tally.wrong++;
			tally.lies += !is_honest(f, &t);
		}
		assert_true(++tally.places < 100000);
	} while (step(&t));
	stop(&t);
	return tally;
}

/* In all of these there is enough to be right at each instruction. */
TEST(unwinds_at_each_instruction)
{
	static const char *const flags[] = {
		/* Frame descriptions, but for what is in assembly. */
		"-O2 -g", "-O0 -g", "-O2 -fomit-frame-pointer", "-Os -g", "-O2 -g -m32", "-O0 -m32",
		"-O2 -fpie -static-pie", "-O2 -fpie -static-pie -m32",
		/* Only in .debug_frame. */
		"-O2 -g " NO_TABLES, "-O2 -g -gz=zlib " NO_TABLES, "-O2 -g -m32 " NO_TABLES,
		/* Only frame pointers. */
		"-O0 " NO_TABLES, "-O0 -fcf-protection=full " NO_TABLES, "-O0 -m32 " NO_TABLES,
		"-O1 -fno-omit-frame-pointer -fno-shrink-wrap -fno-schedule-insns2 " NO_TABLES,
	};

	for (size_t i = 0; i < COUNT(flags); i++) {
		struct fixture f = build(flags[i], ":");
		struct tally tally = follow(&f, true);

		CHECK(tally.wrong == 0, "%s: wrong in %u of %u places", flags[i], tally.wrong,
		      tally.places);
		drop(&f);
	}
}

/* Without a hint some places cannot be told from others.  How many depends on the
 * compiler, so there is room in the limits. */
TEST(rather_finds_nothing_than_what_is_not_there)
{
	static const struct {
		const char *flags, *more;
		unsigned int wrong, lies;	/* most of them, in percent */
	} cases[] = {
		{ "-O2 -fomit-frame-pointer " NO_TABLES, ":", 50, 10 },
		{ "-O2 -fomit-frame-pointer -m32 " NO_TABLES, ":", 50, 20 },
		{ "-O2 -fno-omit-frame-pointer " NO_TABLES, ":", 5, 2 },
		{ "-O2 -fno-omit-frame-pointer -m32 " NO_TABLES, ":", 5, 2 },
		{ "-O0 " NO_TABLES, "strip fixture", 25, 2 },
		{ "-O2", "strip fixture", 25, 2 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fixture f = build(cases[i].flags, cases[i].more);
		struct tally tally = follow(&f, false);

		CHECK(tally.wrong * 100 <= tally.places * cases[i].wrong &&
			      tally.lies * 100 <= tally.places * cases[i].lies,
		      "%s: of %u places wrong in %u, false in %u", cases[i].flags, tally.places,
		      tally.wrong, tally.lies);
		drop(&f);
	}
}

/* A file of 32 bits may hold 64-bit code, and its tables are not for that. */
TEST(unwinds_code_of_another_class)
{
	struct fixture f = build("-O0 -g", "cp fixture original && "
				 "objcopy -I elf64-x86-64 -O elf32-i386 original fixture");

	snprintf(f.path, sizeof(f.path), "%s/original", directory);
	struct tally tally = follow(&f, true);
	CHECK(tally.wrong == 0, "wrong in %u of %u places", tally.wrong, tally.places);
	drop(&f);
}

/* A call of nothing: what called it is on top of the stack. */
TEST(unwinds_from_where_no_code_is)
{
	static const char *const flags[] = { "-O2 ", "-O2 -m32 ", "-O0 " NO_TABLES,
					     "-O0 -m32 " NO_TABLES };

	for (size_t i = 0; i < COUNT(flags); i++) {
		char command[512];
		struct traced t;
		uint64_t addresses[8];
		struct symbol_frame frame;
		int status;

		assert_true(run("sed 's/\tasm_jumps();/pointer = (callback *)8; pointer(1);/' source.c >wild.c"));
		snprintf(command, sizeof(command), "%s wild.c -o fixture", flags[i]);
		struct fixture f = make("gcc", command);
		if (start(&t, f.path)) {
			assert_int_equal(ptrace(PTRACE_CONT, t.pid, NULL, NULL), 0);
			assert_int_equal(waitpid(t.pid, &status, 0), t.pid);
			assert_true(WIFSTOPPED(status));
			read_registers(&t);
			assert_int_equal(pc_of(&t), 8);
			assert_int_equal(symbols_unwind(f.symbols, &t.registers, read_memory, &t, addresses,
							COUNT(addresses)), 2);
			assert_true(symbols_find(f.symbols, addresses[0], true, &frame, 1) > 0);
			assert_string_equal(frame.function, "kernel_main");
			assert_true(symbols_find(f.symbols, addresses[1], true, &frame, 1) > 0);
			assert_string_equal(frame.function, "_start");
			stop(&t);
		}
		drop(&f);
	}
}

/* ---- Frames that expressions describe -------------------------------------- */

/* What assembly says by hand of frames that no other rule fits, as where the stack was
 * changed.  Each rule is of a function of its own, which is at its first instruction;
 * operations leave what was on top of their stack as it was, but for the last ones. */
#define CFA "0x0f", "breg+SP, WORD, "
static const struct rule {
	const char *name;
	const char *rule;
	const char *operations;
	bool found;		/* what called the function */
} rules[] = {
	{ "nothing to do", CFA "nop", true },
	{ "plus, minus", CFA "lit+3, plus, lit+3, minus", true },
	{ "mul, shr", CFA "lit+2, mul, lit+1, shr", true },
	{ "shl, shr", CFA "lit+4, shl, lit+4, shr", true },
	{ "shl, too far", CFA "dup, const1u, 64, shl, plus", true },
	{ "shr, too far", CFA "dup, const1u, 64, shr, plus", true },
	{ "and, or", CFA "consts, 0x7f, and, lit+0, or", true },
	{ "eq", CFA "lit+3, lit+3, eq, plus, lit+1, minus", true },
	{ "not eq", CFA "lit+3, lit+2, eq, plus", true },
	{ "ne", CFA "lit+3, lit+2, ne, plus, lit+1, minus", true },
	{ "lt, signed", CFA "consts, 0x7f, lit+0, lt, plus, lit+1, minus", true },
	{ "le, signed", CFA "consts, 0x7f, lit+0, le, plus, lit+1, minus", true },
	{ "gt, signed", CFA "lit+0, consts, 0x7f, gt, plus, lit+1, minus", true },
	{ "le, ge of equals", CFA "lit+3, lit+3, le, plus, lit+3, lit+3, ge, plus, lit+2, minus", true },
	{ "ge, signed", CFA "lit+0, consts, 0x7f, ge, plus, lit+1, minus", true },
	{ "dup, drop", CFA "dup, drop", true },
	{ "plus_uconst", CFA "plus_uconst, 5, lit+5, minus", true },
	{ "bregx", CFA "drop, bregx, SP, WORD", true },
	{ "deref", CFA "lit+24, plus, deref", true },
	{ "deref_size", CFA "lit+24, plus, deref_size, 4", true },
	{ "the address at an address", "0x10, PC", "lit+WORD, minus", true },
	{ "the address itself", "0x16, PC", "lit+WORD, minus, deref", true },

	{ "plus, of one", CFA "plus", false },
	{ "drop, of none", CFA "drop, drop", false },
	{ "dup, of none", CFA "drop, dup", false },
	{ "deref, of none", CFA "drop, deref", false },
	{ "deref, of nothing", CFA "lit+3, deref", false },
	{ "deref_size, too much", CFA "deref_size, 9", false },
	{ "nothing", CFA "drop", false },
	{ "a register that there is not", "0x0f", "breg+31, 8", false },
	{ "an operation that is none of stacks", CFA "xor", false },
	{ "the CFA by the CFA", "0x0f", "call_frame_cfa", false },
	{ "too much", CFA "dup, dup, dup, dup, dup, dup, dup, dup, dup, dup, dup, dup, dup, dup, dup, dup, "
			  "dup, dup, dup, dup, dup, dup, dup, dup, dup, dup, dup, dup, dup, dup, dup, dup", false },
};

static const char operations[] =
	".set lit, 0x30; .set breg, 0x70; .set bregx, 0x92; .set const1u, 0x08; .set consts, 0x11\n"
	".set deref, 0x06; .set deref_size, 0x94; .set dup, 0x12; .set drop, 0x13; .set and, 0x1a\n"
	".set minus, 0x1c; .set mul, 0x1e; .set or, 0x21; .set plus, 0x22; .set plus_uconst, 0x23\n"
	".set shl, 0x24; .set shr, 0x25; .set xor, 0x27; .set eq, 0x29; .set ge, 0x2a; .set gt, 0x2b\n"
	".set le, 0x2c; .set lt, 0x2d; .set ne, 0x2e; .set nop, 0x96; .set call_frame_cfa, 0x9c\n";

static struct fixture build_rules(bool is_64)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/rules.s", directory);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, ".set WORD, %d; .set SP, %d; .set PC, %d\n%s.globl _start\n", is_64 ? 8 : 4,
		is_64 ? 7 : 4, is_64 ? 16 : 8, operations);
	for (size_t i = 0; i < COUNT(rules); i++) {
		unsigned int count = 1;

		for (const char *p = rules[i].operations; *p != '\0'; p++)
			count += *p == ',';
		fprintf(file, "rule%zu: .cfi_startproc; .cfi_escape %s, %u, %s; ret; .cfi_endproc\n", i,
			rules[i].rule, count, rules[i].operations);
	}
	fprintf(file, "_start: .cfi_startproc; .cfi_undefined PC; call rule0\n"
		"called: hlt; .cfi_endproc\n");
	assert_int_equal(fclose(file), 0);
	return make("gcc", is_64 ? "rules.s -o fixture" : "-m32 rules.s -o fixture");
}

/* A stack with a return address, and, further up, with the address above it. */
struct small_stack {
	uint64_t sp;
	unsigned int word;
	uint64_t called;
};

static bool read_small_stack(void *context, uint64_t address, void *bytes, size_t size)
{
	const struct small_stack *stack = context;
	uint64_t above = stack->sp + stack->word;

	assert_true(size <= stack->word);
	if (address != stack->sp && address != above + 24)
		return false;
	memcpy(bytes, address == stack->sp ? &stack->called : &above, size);
	return true;
}

TEST(evaluates_expressions)
{
	for (int is_64 = 0; is_64 < 2; is_64++) {
		struct fixture f = build_rules(is_64);
		struct small_stack stack = { .sp = 0x7000, .word = is_64 ? 8 : 4,
					     .called = find_symbol(&f, "called").st_value };
		struct symbols_registers registers = { .is_64 = is_64 };

		registers.value[is_64 ? 7 : 4] = stack.sp;
		for (size_t i = 0; i < COUNT(rules); i++) {
			uint64_t addresses[4] = { 0 };
			char name[16];

			snprintf(name, sizeof(name), "rule%zu", i);
			registers.value[is_64 ? 16 : 8] = find_symbol(&f, name).st_value;
			size_t count = symbols_unwind(f.symbols, &registers, read_small_stack, &stack,
						      addresses, COUNT(addresses));
			CHECK(count == rules[i].found, "%s: %zu", rules[i].name, count);
			CHECK(count == 0 || addresses[0] == stack.called, "%s: from %#" PRIx64,
			      rules[i].name, addresses[0]);
		}
		drop(&f);
	}
}

/* ---- What is damaged ----------------------------------------------------- */

/* A machine's memory as somebody who means no good would fill it. */
struct chaos {
	uint64_t seed;
	uint64_t entry;
	uint64_t stack;
	unsigned int reads;
};

static uint64_t chaotic_value(struct chaos *c)
{
	switch (random_below(&c->seed, 4)) {
	case 0:
		return c->entry + random_below(&c->seed, 0x300);
	case 1:
		return c->stack + random_below(&c->seed, 64) * 4;
	case 2:
		return UINT64_MAX - random_below(&c->seed, 64);
	default:
		return random_next(&c->seed) >> random_below(&c->seed, 64);
	}
}

static bool read_chaos(void *context, uint64_t address __attribute__((unused)), void *bytes,
		       size_t size)
{
	struct chaos *c = context;

	c->reads++;
	for (size_t i = 0; i < size; i += 8) {
		uint64_t value = chaotic_value(c);

		memcpy((char *)bytes + i, &value, size - i < 8 ? size - i : 8);
	}
	return random_below(&c->seed, 50) != 0;
}

static void unwind_chaos(const struct symbols *symbols, struct chaos *c)
{
	struct symbols_registers registers = { .is_64 = random_below(&c->seed, 2) };
	size_t most = random_below(&c->seed, 32);
	uint64_t addresses[32];

	for (size_t i = 0; i < COUNT(registers.value); i++)
		registers.value[i] = chaotic_value(c);
	c->reads = 0;
	size_t count = symbols_unwind(symbols, &registers, read_chaos, c, addresses, most);
	assert_true(count <= most);
	assert_true(c->reads <= (most + 1) * 64);
}

TEST(unwinds_any_stack_to_an_end)
{
	static const char *const flags[] = { "-O2", "-O2 -m32", "-O0 " NO_TABLES, "-O0 -m32 " NO_TABLES };
	struct chaos chaos = { .seed = 1, .stack = 0x7000 };

	for (size_t i = 0; i < COUNT(flags); i++) {
		struct fixture f = build(flags[i], ":");

		chaos.entry = find_symbol(&f, "_start").st_value - 0x200;
		for (unsigned int round = 0; round < 20000; round++)
			unwind_chaos(f.symbols, &chaos);
		drop(&f);
	}
}

static bool read_same(void *context, uint64_t address, void *bytes, size_t size)
{
	/* At each frame pointer, itself; above it, an address in the kernel. */
	for (size_t i = 0; i < size; i += 8)
		memcpy((char *)bytes + i, (address + i) % 16 == 0 ? &address : context, size < 8 ? size : 8);
	return true;
}

TEST(does_not_go_in_circles)
{
	struct fixture f = build("-O0 " NO_TABLES, ":");
	uint64_t inside = find_symbol(&f, "recurse").st_value + 16, addresses[64];
	struct symbols_registers registers = { .is_64 = true };

	registers.value[6] = 0x8000;
	registers.value[7] = 0x7ff0;
	registers.value[16] = inside;
	assert_int_equal(symbols_unwind(f.symbols, &registers, read_same, &inside, addresses,
					COUNT(addresses)), 1);
	assert_int_equal(addresses[0], inside);
	drop(&f);
}

/* Look up all sorts of things.  Returns how many lines were known. */
static unsigned int use(const struct symbols *symbols, struct chaos *c)
{
	unsigned int lines = 0;

	for (unsigned int i = 0; i < 24; i++) {
		uint64_t address = i < 20 ? c->entry + i * 0x20 : chaotic_value(c), offset;
		struct symbol_frame frames[4];
		char name[40];

		size_t count = symbols_find(symbols, address, i % 2, frames, COUNT(frames));
		assert_true(count <= COUNT(frames));
		for (size_t k = 0; k < count; k++) {
			assert_true(strnlen(frames[k].function, sizeof(frames[k].function)) <
				    sizeof(frames[k].function));
			assert_true(strnlen(frames[k].file, sizeof(frames[k].file)) <
				    sizeof(frames[k].file));
			lines += frames[k].line > 0;
		}
		if (symbols_data(symbols, address, name, sizeof(name), &offset))
			assert_true(strnlen(name, sizeof(name)) < sizeof(name));
		unwind_chaos(symbols, c);
	}
	return lines;
}

static void damage(unsigned char *bytes, size_t size, uint64_t *seed)
{
	static const unsigned char edges[] = { 0, 1, 2, 0x7f, 0x80, 0xff };
	/* What is loaded comes first, and is of little interest. */
	size_t from = random_below(seed, 4) == 0 ? 0 : size / 3;

	for (uint64_t i = random_below(seed, 12) + 1; i > 0; i--) {
		size_t at = from + random_below(seed, size - from);

		bytes[at] = random_below(seed, 2) == 0 ? (unsigned char)random_next(seed) :
							 edges[random_below(seed, COUNT(edges))];
	}
}

#ifndef ROUNDS
#define ROUNDS 150
#endif

TEST(survives_damaged_files)
{
	static const char *const flags[] = {
		"-O2 -g", ("-O2 -gdwarf-4" NO_TABLES), "-O2 -g -gz=zlib", "-O2 -g -m32",
		"-O2 -g -fpie -static-pie -fdebug-types-section",
	};
	struct chaos chaos = { .seed = 2, .stack = 0x7000 };

	for (size_t i = 0; i < COUNT(flags); i++) {
		struct fixture f = build(flags[i], ":");
		unsigned char *copy = malloc(f.size);
		unsigned int useful = 0;

		chaos.entry = find_symbol(&f, "_start").st_value - 0x200;

		for (unsigned int round = 0; round < ROUNDS; round++) {
			size_t size = round % 8 == 0 ? random_below(&chaos.seed, f.size) : f.size;
			memcpy(copy, f.bytes, f.size);
			if (round % 8 != 0)
				damage(copy, f.size, &chaos.seed);
			/* A copy that ends where the file does. */
			unsigned char *exact = malloc(size);
			memcpy(exact, copy, size);
			struct symbols *symbols = symbols_open(exact, size, 0);
			free(exact);
			assert_non_null(symbols);
			useful += use(symbols, &chaos) > 0;
			symbols_close(symbols);
		}
		/* Else the damage is such that nothing behind the first check is run. */
		CHECK(useful > ROUNDS / 10, "%s: %u", flags[i], useful);
		free(copy);
		drop(&f);
	}
}

TEST(takes_files_that_are_not_kernels)
{
	static const char *const files[] = { "", "\177ELF", "#!/bin/sh\n" };

	for (size_t i = 0; i < COUNT(files); i++) {
		struct symbols *symbols = symbols_open((const unsigned char *)files[i], strlen(files[i]), 0);
		struct chaos chaos = { .seed = i };

		assert_non_null(symbols);
		assert_false(symbols_any(symbols));
		use(symbols, &chaos);
		symbols_close(symbols);
	}
	symbols_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_inlined_functions_in_each_format),
		cmocka_unit_test(adds_the_slide),
		cmocka_unit_test(looks_up_the_call_before_a_return_address),
		cmocka_unit_test(knows_functions_without_debug_information),
		cmocka_unit_test(knows_functions_without_symbols),
		cmocka_unit_test(knows_nothing_of_a_stripped_file),
		cmocka_unit_test(knows_only_addresses_in_the_kernel),
		cmocka_unit_test(knows_physical_addresses_if_it_may),
		cmocka_unit_test(chooses_the_symbol_that_says_most),
		cmocka_unit_test(names_data),
		cmocka_unit_test(makes_paths_relative),
		cmocka_unit_test(shortens_paths),
		cmocka_unit_test(names_what_functions_are_nested_in),
		cmocka_unit_test(demangles_what_is_simple),
		cmocka_unit_test(unwinds_at_each_instruction),
		cmocka_unit_test(rather_finds_nothing_than_what_is_not_there),
		cmocka_unit_test(unwinds_code_of_another_class),
		cmocka_unit_test(unwinds_from_where_no_code_is),
		cmocka_unit_test(evaluates_expressions),
		cmocka_unit_test(unwinds_any_stack_to_an_end),
		cmocka_unit_test(does_not_go_in_circles),
		cmocka_unit_test(survives_damaged_files),
		cmocka_unit_test(takes_files_that_are_not_kernels),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, make_source, remove_all);
}
