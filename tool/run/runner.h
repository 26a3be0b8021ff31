/* SPDX-License-Identifier: MIT
 *
 * The runner: starts QEMU, watches over it, judges how it ended.
 *
 * QEMU is controlled through inherited sockets, so nothing of it has a name in
 * the file system, and the process that we start dies when we do.
 */
#ifndef MKBOOTIMG_RUNNER_H
#define MKBOOTIMG_RUNNER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "crash/crash.h"
#include "run/qemu.h"
#include "run/times.h"

/* How a run ended. */
enum verdict {
	VERDICT_GUEST_CODE,	/* the guest wrote to isa-debug-exit */
	VERDICT_POWERED_OFF,
	VERDICT_CLOSED,		/* the user closed the window or told QEMU to quit */
	VERDICT_HALTED,		/* every CPU halted with interrupts off */
	VERDICT_CRASHED,	/* triple fault or reset */
	VERDICT_FAULT,		/* an exception, and the kernel had no IDT of its own yet */
	VERDICT_TIMEOUT,
	VERDICT_LOADER,		/* the loader said an error */
	VERDICT_REFUSED,	/* QEMU ended before it was ready; its words are on stderr */
	VERDICT_NOT_ENTERED,	/* the machine was reset, or halted, before the kernel ran */
	VERDICT_SIGNAL,		/* we were told to end, by a signal */
	VERDICT_PIPE,		/* nobody reads our output any more */
};

/* Whose symbols explain a crash. */
struct run_kernel {
	int fd;				/* the ELF file, -1: there is none */
	bool sure;			/* whatever is in it (--symbols) */
	uint32_t crc;			/* or else, only with these bytes in its segments */
	uint64_t slide;			/* where it runs less where it is linked */
	bool physical;			/* it begins without paging */
	struct crash_stack stack;
};

struct run_options {
	double timeout;		/* seconds from when the kernel is entered, and as many for it to
				   be; 0 for none; a halt is judged only with one */
	bool reboots;		/* a reset does not end the machine: it may boot again */
	bool own_image;		/* our loader is on it: it says when the kernel is entered */
	struct run_kernel kernel;
	bool tell_screen;	/* tell what the kernel wrote on the text screen, if it did */
	bool want_screen;	/* tell what is on it, always */
	int picture;		/* a file for a picture of it, opened; 0: none wanted */
};

struct run_outcome {
	enum verdict verdict;
	int code;		/* VERDICT_GUEST_CODE, VERDICT_REFUSED: QEMU's exit status;
				   VERDICT_SIGNAL: which */
	bool before_entry;	/* VERDICT_TIMEOUT, VERDICT_NOT_ENTERED: our loader had not entered the
				   kernel; the latter: the machine halted */
	bool panicked;		/* VERDICT_CRASHED: the kernel said so itself (pvpanic) */
	struct crash *crash;	/* what was found out, or NULL; the caller frees */
	char *screen;		/* what is on the text screen, if it is to be told, or NULL;
				   the caller frees */
	const char *no_screen;	/* why not, if it was wanted, or NULL */
	struct error picture;	/* why there is none, if one was wanted; or ERROR_NONE */
	struct run_times times;
	char text[2048];	/* where it happened, or what the loader said; may be "" */
};

/* Run a machine to its end.  qmp_fd and runner_fd of machine are filled in
 * here.  Fails (-1) if QEMU cannot be started or dies of itself. */
int runner_run(struct qemu_machine *machine, const struct run_options *options,
	       struct run_outcome *outcome, struct error *err);

/* Which display can show a window?  "none" if this QEMU has none. */
const char *runner_find_display(const char *program);

#endif
