/* SPDX-License-Identifier: MIT
 *
 * Addresses of a kernel that crashed, turned into words: functions, source
 * lines, objects, and who called whom.  From the kernel's file alone (libelf,
 * libdw); what the machine's memory holds is asked for through a callback.
 *
 * Neither the file nor the machine's stack is trusted: what is damaged is as if
 * it were not there, and no look-up takes long.  Names and paths may hold any
 * bytes but NUL; escape what is printed.
 */
#ifndef MKBOOTIMG_SYMBOLS_H
#define MKBOOTIMG_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct symbols;

/* Read what a kernel's file says of its symbols, lines and stack frames.  slide
 * is where the kernel runs less where it is linked, modulo the size of an
 * address.  bytes may go away afterwards.  Of a file that is damaged, or not ELF
 * at all, little or nothing is known, which is not a failure: NULL means out of
 * memory. */
struct symbols *symbols_open(const unsigned char *bytes, size_t size, uint64_t slide);
void symbols_close(struct symbols *symbols);

/* Also know addresses where segments lie physically (p_paddr), if none is there
 * virtually: a kernel for a high address starts without its page tables. */
void symbols_allow_physical(struct symbols *symbols);

/* Is there a symbol with a name?  If not, the file is stripped. */
bool symbols_any(const struct symbols *symbols);

/* A function at an address, as a call stack lists it. */
struct symbol_frame {
	char function[128];	/* demangled where that is simple; "" if unknown */
	uint64_t offset;	/* from its start; 0 if inlined or unknown */
	char file[256];		/* relative to the compilation directory if below it; "" if unknown */
	unsigned int line;	/* 0 if unknown */
	bool inlined;		/* into the function of the next frame */
};

/* Find the functions at an address, innermost first: those inlined there, then
 * the one that holds them.  return_address: a call lies before the address, and
 * it is that call which is looked up.  Returns how many of most frames were
 * filled in; 0 if the address is not in the kernel or nothing is known. */
size_t symbols_find(const struct symbols *symbols, uint64_t address, bool return_address,
		    struct symbol_frame *frames, size_t most);

/* Find what lies at an address, be it code or data: the symbol, else the
 * section, and how far from its start.  Returns false if there is none. */
bool symbols_data(const struct symbols *symbols, uint64_t address, char *name, size_t size,
		  uint64_t *offset);

/* A CPU's registers, by their numbers in DWARF.  x86-64: rax rdx rcx rbx rsi rdi
 * rbp rsp r8-r15 rip; i386: eax ecx edx ebx esp ebp esi edi eip. */
struct symbols_registers {
	bool is_64;		/* it runs 64-bit code, whatever the file's class is */
	uint64_t value[17];
};

/* Read the machine's memory, by virtual address.  Returns whether all of it
 * could be read. */
typedef bool symbols_read(void *context, uint64_t address, void *bytes, size_t size);

/* Find the return addresses on a stack, the innermost first; the registers' own
 * address is not among them.  The file's frame descriptions (.eh_frame,
 * .debug_frame) lead, elsewhere frame pointers and what calls look like.  Ends
 * where a return address is 0 or not in the kernel, where the stack does not
 * lead upwards, and after most.  Returns how many there are. */
size_t symbols_unwind(const struct symbols *symbols, const struct symbols_registers *registers,
		      symbols_read *read, void *context, uint64_t *addresses, size_t most);

#endif
