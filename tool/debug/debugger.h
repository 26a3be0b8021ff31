/* SPDX-License-Identifier: MIT
 *
 * A machine under GDB: starts QEMU, lets the loader do its work, stops where the
 * kernel is about to be entered, and attaches GDB, or waits for one.
 */
#ifndef MKBOOTIMG_DEBUGGER_H
#define MKBOOTIMG_DEBUGGER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "debug/gdb.h"
#include "kernel/kernel.h"
#include "crash/origin.h"
#include "run/qemu.h"

struct debugger_options {
	const char *gdb;	/* program; NULL: one that the user starts is waited for */
	unsigned int port;	/* of localhost where GDB connects; 0: a private socket */
	bool own_image;		/* our loader is on it */
	struct origin_facts facts;
	const char *kernel;	/* ELF file with its symbols, or NULL */
	/* Debug the loader: the directory of its sources (NULL: the bundled ones) and
	 * the option that it is assembled with; NULL: do not. */
	const char *loader_sources;
	const char *loader_option;
};

/* Run a machine until GDB has quit, or, if none is started, until the machine
 * ends.  gdb, qmp_fd and runner_fd of machine are filled in here.  *status is
 * GDB's, or 0.  Ended by a signal, its number is in *signal_number, else 0. */
int debugger_run(struct qemu_machine *machine, const struct debugger_options *options, int *status,
		 int *signal_number, struct error *err);

/* Set what GDB is to know of a kernel: its class, and where it runs less where its
 * symbols say.  entry is where it is entered, if it moves. */
void debugger_place(struct gdb_setup *setup, const struct kernel *kernel,
		    const struct origin_facts *facts, uint64_t entry);

#endif
