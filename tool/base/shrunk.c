/* SPDX-License-Identifier: MIT
 *
 * Mapped files that become shorter; see shrunk.h.
 *
 * A signal handler may do little, and which file lies where is nowhere at hand, so
 * the system is asked, by means that are allowed there: proc(5), /proc/pid/maps.
 */
#include "base/shrunk.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#define END (-1)

static const char *running_command;
static int end_status;

/* Text that ends where its room does. */
struct text {
	char bytes[4 * PATH_MAX + 200];	/* each byte of a path may be escaped */
	size_t used;
};

static void put(struct text *text, char c)
{
	if (text->used < sizeof(text->bytes))
		text->bytes[text->used++] = c;
}

static void put_string(struct text *text, const char *string)
{
	while (*string != '\0')
		put(text, *string++);
}

/* As print_escaped(), but that takes no notice of UTF-8. */
static void put_escaped(struct text *text, unsigned char c)
{
	static const char digits[] = "0123456789abcdef";

	if (c >= 0x20 && c < 0x7f) {
		put(text, (char)c);
		return;
	}
	put_string(text, "\\x");
	put(text, digits[c >> 4]);
	put(text, digits[c & 0xf]);
}

/* ---- The list of what is mapped ------------------------------------------ */

struct maps {
	int fd;
	unsigned char bytes[512];
	size_t next, used;
};

static int next_byte(struct maps *maps)
{
	if (maps->next == maps->used) {
		ssize_t n = read(maps->fd, maps->bytes, sizeof(maps->bytes));

		if (n <= 0)
			return END;
		maps->next = 0;
		maps->used = (size_t)n;
	}
	return maps->bytes[maps->next++];
}

/* A hexadecimal number, and the byte behind it, which is taken, too. */
static uintptr_t next_number(struct maps *maps)
{
	uintptr_t number = 0;

	for (;;) {
		int c = next_byte(maps);

		if (c >= '0' && c <= '9')
			number = number << 4 | (uintptr_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			number = number << 4 | (uintptr_t)(c - 'a' + 10);
		else
			return number;
	}
}

/* Write the path of the file that lies at an address; nothing if that is none.
 * A line is "start-end rights offset device inode   path". */
static void put_path(struct text *text, uintptr_t address)
{
	struct maps maps = { .fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC) };
	int c = maps.fd < 0 ? END : '\n';

	while (c != END) {
		uintptr_t start = next_number(&maps), end = next_number(&maps);
		bool wanted = address >= start && address < end;

		do
			c = next_byte(&maps);
		while (c != '/' && c != '\n' && c != END);
		for (; c != '\n' && c != END; c = next_byte(&maps)) {
			if (wanted)
				put_escaped(text, (unsigned char)c);
		}
		if (wanted)
			break;
	}
	if (maps.fd >= 0)
		close(maps.fd);
}

/* ---- The signal ---------------------------------------------------------- */

static void file_shrank(int number, siginfo_t *info, void *context)
{
	struct text text = { .used = 0 };

	(void)number;
	(void)context;
	put_string(&text, "mkbootimg: ");
	put_string(&text, running_command);
	put_string(&text, ": cannot read '");
	put_path(&text, (uintptr_t)info->si_addr);
	put_string(&text, "': it became shorter meanwhile, or its disk failed\n");
	ssize_t written = write(STDERR_FILENO, text.bytes, text.used);
	(void)written;		/* there is nobody else to tell */
	_exit(end_status);
}

void shrunk_watch(const char *command, int status)
{
	struct sigaction action = { .sa_sigaction = file_shrank, .sa_flags = SA_SIGINFO };

	running_command = command;
	end_status = status;
	sigemptyset(&action.sa_mask);
	sigaction(SIGBUS, &action, NULL);
}
