/* SPDX-License-Identifier: MIT
 *
 * What GDB is told to debug a machine of QEMU's: commands, descriptions of the
 * CPU, command lines.  Pure: no process is started here.
 *
 * QEMU's x86-64 stub describes a 64-bit CPU and always sends its registers, in
 * the same bytes whatever mode the CPU is in.  GDB takes the machine's code and
 * stack for 64-bit then.  So for code that runs in other modes it gets
 * descriptions of those bytes that call them 32-bit registers, and changes from
 * one to another whenever the machine stops in another mode.
 */
#ifndef MKBOOTIMG_GDB_H
#define MKBOOTIMG_GDB_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define GDB_DEFAULT "gdb"

/* Files that GDB reads, in the directory. */
#define GDB_SCRIPT "commands"
#define GDB_BITS16 "bits16.xml"
#define GDB_BITS32 "bits32.xml"

struct gdb_setup {
	const char *directory;	/* absolute */
	const char *connection;	/* as after "target remote" */
	int bits;		/* what the CPU runs at first: 16, 32 or 64 */
	bool changes;		/* it may run in another mode later */
	const char *kernel;	/* ELF file, absolute; NULL: there is none */
	bool kernel_is_64;	/* ELFCLASS64 */
	uint64_t slide;		/* where its code runs less its symbols' addresses */
	bool has_physical;	/* it also runs there: */
	uint64_t physical_slide;
	const char *loader;	/* object file of the loader, absolute, or NULL */
	uint64_t loader_address;
	bool has_stop;
	uint64_t stop;		/* a breakpoint to run to */
};

/* Write the commands that attach to the machine and run it to its breakpoint. */
void gdb_write_script(FILE *out, const struct gdb_setup *setup);

/* Write the description of a CPU that runs 16-bit or 32-bit code. */
void gdb_write_description(FILE *out, int bits);

/* A word as GDB's commands take it.  The caller frees. */
char *gdb_quote(const char *word);

/* The command line that runs the script, NULL-terminated: program, options, and
 * the script's path.  The caller frees with qemu_free(). */
char **gdb_arguments(const char *program, const char *directory);

#endif
