/* SPDX-License-Identifier: MIT
 *
 * The machine that QEMU runs, looked at from outside: registers and memory of a
 * guest that stands still, over QEMU's control socket.
 */
#ifndef MKBOOTIMG_GUEST_H
#define MKBOOTIMG_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crash/cpu.h"
#include "run/qmp.h"

#define GUEST_PAGES 32

struct guest {
	struct qmp *qmp;
	int fd;			/* a file in memory that QEMU has, too, under this number */
	struct {
		uint64_t address;
		unsigned char bytes[4096];
	} *pages;		/* what was read last */
	size_t page_count;
	size_t next_page;	/* the one to replace */
};

/* fd: a file in memory, inherited by QEMU.  Release with guest_free(). */
void guest_init(struct guest *guest, struct qmp *qmp, int fd);
void guest_free(struct guest *guest);

/* The first CPU's registers; false if QEMU does not tell. */
bool guest_cpu(struct guest *guest, struct cpu *cpu);

/* Its physical memory, for cpu_walk() and cpu_read(). */
struct memory guest_memory(struct guest *guest);

#endif
