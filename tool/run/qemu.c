/* SPDX-License-Identifier: MIT
 *
 * QEMU's command line; see qemu.h.
 */
#include "run/qemu.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bootabi.h"
#include "base/fileio.h"

/* How to attach the drive "boot". */
static const struct {
	const char *name;
	const char *controller;	/* NULL: the machine has one */
	const char *device;
} disks[] = {
	{ "ahci", "ahci,id=mkbootimg-bus", "ide-hd,bus=mkbootimg-bus.0,drive=mkbootimg,bootindex=0" },
	{ "cd", "ahci,id=mkbootimg-bus", "ide-cd,bus=mkbootimg-bus.0,drive=mkbootimg,bootindex=0" },
	{ "ide", NULL, "ide-hd,drive=mkbootimg,bootindex=0" },
	{ "nvme", NULL, "nvme,serial=boot,drive=mkbootimg,bootindex=0" },
	{ "usb", "qemu-xhci,id=mkbootimg-bus", "usb-storage,bus=mkbootimg-bus.0,drive=mkbootimg,bootindex=0" },
	{ "virtio", NULL, "virtio-blk-pci,drive=mkbootimg,bootindex=0" },
};
#define DISK_COUNT (sizeof(disks) / sizeof(disks[0]))

struct list {
	char **items;
	size_t count;
};

static void __attribute__((format(printf, 2, 3))) add(struct list *list, const char *format, ...)
{
	va_list args;
	char *text = NULL;
	char **larger = realloc(list->items, (list->count + 2) * sizeof(char *));

	va_start(args, format);
	if (larger == NULL || vasprintf(&text, format, args) < 0) {
		fputs("mkbootimg: out of memory\n", stderr);
		abort();
	}
	va_end(args);
	list->items = larger;
	list->items[list->count++] = text;
	list->items[list->count] = NULL;
}

bool qemu_disk_known(const char *name)
{
	for (size_t i = 0; i < DISK_COUNT; i++) {
		if (strcmp(disks[i].name, name) == 0)
			return true;
	}
	return false;
}

bool qemu_user_has(char *const *user, const char *option)
{
	for (; *user != NULL; user++) {
		if (strcmp(*user, option) == 0 || (**user == '-' && strcmp(*user + 1, option) == 0))
			return true;
	}
	return false;
}

/* Does one of the user's arguments hold a text? */
static bool user_mentions(char *const *user, const char *text)
{
	for (; *user != NULL; user++) {
		if (strstr(*user, text) != NULL)
			return true;
	}
	return false;
}

bool qemu_user_accelerates(char *const *user)
{
	return qemu_user_has(user, "-accel") || qemu_user_has(user, "-enable-kvm") ||
	       user_mentions(user, "accel=");
}

/* "0" to "10", with or without further keys. */
static int parse_shift(const char *value)
{
	char *end;
	long shift = strtol(value, &end, 10);

	return end == value || (*end != '\0' && *end != ',') || shift < 0 || shift > 10 ? -1 : (int)shift;
}

int qemu_user_icount(char *const *user)
{
	static const char key[] = "shift=";
	int shift = -1;

	/* "-icount [shift=]N[,...]"; the last one counts. */
	for (; *user != NULL; user++) {
		if ((strcmp(*user, "-icount") != 0 && strcmp(*user, "--icount") != 0) || user[1] == NULL)
			continue;
		const char *value = strncmp(user[1], key, strlen(key)) == 0 ? user[1] + strlen(key) : user[1];

		shift = parse_shift(value);
	}
	return shift;
}

bool qemu_user_shows(char *const *user)
{
	bool shows = qemu_user_has(user, "-vnc") || qemu_user_has(user, "-spice");

	/* The last one counts. */
	for (; *user != NULL; user++) {
		const char *option = **user == '-' && (*user)[1] == '-' ? *user + 1 : *user;

		if (strcmp(option, "-nographic") == 0)
			return false;
		if (strcmp(option, "-display") == 0 && user[1] != NULL)
			shows = strcmp(user[1], "none") != 0;
	}
	return shows;
}

char *qemu_escape(const char *path)
{
	char *escaped = malloc(2 * strlen(path) + 1), *next = escaped;

	if (escaped == NULL)
		abort();
	for (; *path != '\0'; path++) {
		*next++ = *path;
		if (*path == ',')
			*next++ = ',';
	}
	*next = '\0';
	return escaped;
}

static void add_disk(struct list *list, const struct qemu_machine *machine)
{
	CLEANUP_FREE char *path = qemu_escape(machine->image);

	/* snapshot: what the guest writes goes to a temporary file of QEMU's, which takes
	 * time to make, and to read through. */
	const char *snapshot = machine->own_copy ? "" : ",snapshot=on";
	add(list, "-drive");
	/* "a:b" would be protocol "a". */
	const char *prefix = path[strcspn(path, ":/")] == ':' ? "./" : "";
	add(list, "file=%s%s,format=%s,if=none,id=mkbootimg%s", prefix, path, machine->format, snapshot);
	for (size_t i = 0; i < DISK_COUNT; i++) {
		if (strcmp(disks[i].name, machine->disk) != 0)
			continue;
		if (disks[i].controller != NULL) {
			add(list, "-device");
			add(list, "%s", disks[i].controller);
		}
		add(list, "-device");
		add(list, "%s", disks[i].device);
	}
}

/* COM1 and port 0xe9, both on standard output if COM1 has no file, in order:
 * without a multiplexer, which would eat Ctrl-A. */
static void add_consoles(struct list *list, const struct qemu_machine *machine)
{
	bool nographic = qemu_user_has(machine->user, "-nographic");

	if (!qemu_user_has(machine->user, "-serial")) {
		if (machine->serial != NULL) {
			CLEANUP_FREE char *path = qemu_escape(machine->serial);

			add(list, "-chardev");
			add(list, "file,path=%s,id=mkbootimg-serial", path);
			add(list, "-serial");
			add(list, "chardev:mkbootimg-serial");
		} else if (nographic) {
			/* What it means, which -nodefaults takes away. */
			add(list, "-serial");
			add(list, "mon:stdio");
		} else {
			if (machine->no_input || user_mentions(machine->user, "stdio")) {
				add(list, "-chardev");
				add(list, "%s,id=mkbootimg-serial", machine->debug_console);
			} else {
				add(list, "-chardev");
				add(list, "stdio,id=mkbootimg-serial");
			}
			add(list, "-serial");
			add(list, "chardev:mkbootimg-serial");
		}
	}
	if (!qemu_user_has(machine->user, "-debugcon") && !user_mentions(machine->user, "isa-debugcon")) {
		add(list, "-chardev");
		add(list, "%s,id=mkbootimg-debug", machine->debug_console);
		add(list, "-device");
		add(list, "isa-debugcon,iobase=0x%x,chardev=mkbootimg-debug", PORT_DEBUG_CONSOLE);
	}
}

/* The guest ends by writing to port 0xf4. */
static void add_exit(struct list *list, const struct qemu_machine *machine)
{
	if (user_mentions(machine->user, "isa-debug-exit"))
		return;
	if (machine->exit_fd <= 0) {
		add(list, "-device");
		add(list, "isa-debug-exit,iobase=0xf4,iosize=0x04");
		return;
	}
	/* The machine is still wanted then, and isa-debug-exit would take it away
	 * at once (before QEMU 9.1).  A serial port takes a write of 8, 16 or 32
	 * bits there, and sends the lowest byte; isa-debugcon refuses the longer. */
	add(list, "-chardev");
	add(list, "socket,id=mkbootimg-exit,fd=%d", machine->exit_fd);
	add(list, "-device");
	add(list, "isa-serial,iobase=0xf4,irq=5,index=3,chardev=mkbootimg-exit");
}

static void add_processor(struct list *list, const struct qemu_machine *machine)
{
	const char *const accels[] = { machine->accel, machine->accel_else };

	if (machine->cpus > 0 && !qemu_user_has(machine->user, "-smp")) {
		add(list, "-smp");
		add(list, "%u", machine->cpus);
	}
	for (size_t i = 0; i < 2 && !qemu_user_accelerates(machine->user); i++) {
		if (accels[i] != NULL) {
			add(list, "-accel");
			add(list, "%s", accels[i]);
		}
	}
}

/* What the runner judges by. */
static void add_control(struct list *list, const struct qemu_machine *machine)
{
	if (machine->qmp_fd >= 0) {
		add(list, "-chardev");
		add(list, "socket,id=mkbootimg-qmp,fd=%d", machine->qmp_fd);
		add(list, "-mon");
		add(list, "chardev=mkbootimg-qmp,mode=control");
		/* Stopped until we listen, and stopped when it ends, so that it can
		 * be looked at. */
		add(list, "-S");
		add(list, "-no-shutdown");
	}
	if (machine->gdb != NULL) {
		add(list, "-gdb");
		add(list, "%s", machine->gdb);
	}
	if (machine->log_fd > 0) {
		/* Exceptions go there, once the runner asks for them. */
		add(list, "-D");
		add(list, "/dev/fd/%d", machine->log_fd);
	}
	if (machine->runner_fd >= 0) {
		add(list, "-chardev");
		add(list, "file,id=mkbootimg-runner,path=/dev/fd/%d", machine->runner_fd);
		add(list, "-device");
		add(list, "isa-debugcon,iobase=0x%x,readback=0x%x,chardev=mkbootimg-runner", PORT_RUNNER, PORT_RUNNER);
	}
}

char **qemu_arguments(const struct qemu_machine *machine)
{
	struct list list = { 0 };

	add(&list, "%s", machine->program);
	/* A screen, a keyboard, COM1, a disk: what a small kernel expects, and
	 * nothing else, because each device costs firmware time. */
	add(&list, "-nodefaults");
	add(&list, "-vga");
	add(&list, "std");
	add(&list, "-m");
	add(&list, "%" PRIu64 "M", (machine->memory + (1 << 20) - 1) >> 20);
	if (!machine->reboots)
		add(&list, "-no-reboot");
	/* Nothing to boot: the firmware resets instead of waiting for ever.  Strictly
	 * it would boot no disk that has no bootindex. */
	add(&list, "-boot");
	add(&list, "%sreboot-timeout=100", machine->disk != NULL ? "strict=on," : "");
	if (machine->disk != NULL)
		add_disk(&list, machine);
	add_processor(&list, machine);
	add_exit(&list, machine);
	add_consoles(&list, machine);
	if (!qemu_user_has(machine->user, "-display") && !qemu_user_has(machine->user, "-nographic")) {
		add(&list, "-display");
		add(&list, "%s", machine->display);
	}
	add_control(&list, machine);
	for (char *const *arg = machine->user; *arg != NULL; arg++)
		add(&list, "%s", *arg);
	return list.items;
}

void qemu_free(char **arguments)
{
	for (size_t i = 0; arguments != NULL && arguments[i] != NULL; i++)
		free(arguments[i]);
	free(arguments);
}

static bool is_plain(const char *text)
{
	return *text != '\0' &&
	       text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				 "-_=,./:+@%")] == '\0';
}

char *qemu_quote(char *const *arguments)
{
	char *line = NULL;
	size_t size;
	FILE *out = open_memstream(&line, &size);

	if (out == NULL)
		abort();
	for (size_t i = 0; arguments[i] != NULL; i++) {
		if (i > 0)
			putc(' ', out);
		/* The first word with a "=" would be an assignment. */
		if (is_plain(arguments[i]) && (i > 0 || strchr(arguments[i], '=') == NULL)) {
			fputs(arguments[i], out);
			continue;
		}
		putc('\'', out);
		for (const char *c = arguments[i]; *c != '\0'; c++) {
			if (*c == '\'')
				fputs("'\\''", out);
			else
				putc(*c, out);
		}
		putc('\'', out);
	}
	if (fclose(out) != 0)
		abort();
	return line;
}
