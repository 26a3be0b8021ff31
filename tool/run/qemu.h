/* SPDX-License-Identifier: MIT
 *
 * QEMU's command line: which machine, with which devices.  Pure: no process is
 * started here.
 */
#ifndef MKBOOTIMG_QEMU_H
#define MKBOOTIMG_QEMU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QEMU_DEFAULT "qemu-system-x86_64"

struct qemu_machine {
	const char *program;
	const char *image;	/* path as QEMU is to open it */
	const char *format;	/* of that, by QEMU's name */
	bool own_copy;		/* which nobody else has: the guest may write on it */
	const char *disk;	/* a name qemu_disk_known() knows; NULL: the user attaches it */
	bool reboots;		/* a reset does not end QEMU */
	uint64_t memory;	/* bytes */
	unsigned int cpus;	/* 0: QEMU's default, one */
	/* As after -accel, and what to take if that one fails; NULL: not said. */
	const char *accel;
	const char *accel_else;
	const char *serial;	/* file for COM1; NULL: standard output */
	const char *display;	/* as after -display */
	const char *gdb;	/* where GDB connects, as after -gdb; NULL: nowhere */
	bool no_input;		/* standard input is not the machine's */
	/* File descriptors that QEMU inherits; -1 for none. */
	int qmp_fd;
	int log_fd;		/* a file for QEMU's log, 0: none */
	int runner_fd;		/* what the loader writes to PORT_RUNNER */
	int exit_fd;		/* what the guest writes to port 0xf4, 0: it ends QEMU */
	/* Character device for port 0xe9, as after -chardev, without the id. */
	const char *debug_console;
	char *const *user;	/* the user's arguments, NULL-terminated */
};

/* The command line, NULL-terminated.  The caller frees with qemu_free(). */
char **qemu_arguments(const struct qemu_machine *machine);
void qemu_free(char **arguments);

/* Is there a way to attach the disk by that name?  And the names, for messages. */
#define QEMU_DISK_NAMES "ahci, cd, ide, nvme, usb, virtio"
bool qemu_disk_known(const char *name);

/* How QEMU may run a machine, for messages. */
#define QEMU_ACCEL_NAMES "auto, tcg, kvm"

/* Do the user's arguments hold an option ("-serial", or "--serial")? */
bool qemu_user_has(char *const *user, const char *option);
/* By which power of two does the machine's time stamp counter run faster than its
 * instructions?  -1 if it does not count them (-icount), or nobody knows. */
int qemu_user_icount(char *const *user);
/* Do they choose the accelerator, or the display? */
bool qemu_user_accelerates(char *const *user);
bool qemu_user_shows(char *const *user);

/* A path as the value of a key: QEMU wants its commas doubled.  The caller frees. */
char *qemu_escape(const char *path);

/* The arguments as a line that a shell takes.  The caller frees. */
char *qemu_quote(char *const *arguments);

#endif
