/* SPDX-License-Identifier: MIT
 *
 * The guest from outside; see guest.h.
 */
#include "run/guest.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fileio.h"

#define PAGE 4096

void guest_init(struct guest *guest, struct qmp *qmp, int fd)
{
	*guest = (struct guest){ .qmp = qmp, .fd = fd };
	guest->pages = calloc(GUEST_PAGES, sizeof(guest->pages[0]));
}

void guest_free(struct guest *guest)
{
	free(guest->pages);
	*guest = (struct guest){ .fd = -1 };
}

bool guest_cpu(struct guest *guest, struct cpu *cpu)
{
	CLEANUP_FREE char *dump = qmp_monitor(guest->qmp, "info registers", QMP_ANSWER_MS);

	return dump != NULL && cpu_parse(cpu, dump);
}

/* Have QEMU write a page to our file, and read it from there. */
static bool fetch(struct guest *guest, uint64_t address, unsigned char *bytes)
{
	CLEANUP_FREE char *path = format_string("/dev/fd/%d", guest->fd);
	json_t *answer = qmp_execute(guest->qmp, "pmemsave",
				     json_pack("{s:I, s:I, s:s}", "val", (json_int_t)address, "size",
					       (json_int_t)PAGE, "filename", path),
				     QMP_ANSWER_MS);

	json_decref(answer);
	return answer != NULL && pread(guest->fd, bytes, PAGE, 0) == PAGE;
}

static const unsigned char *find_page(struct guest *guest, uint64_t address)
{
	for (size_t i = 0; i < guest->page_count; i++) {
		if (guest->pages[i].address == address)
			return guest->pages[i].bytes;
	}
	size_t slot = guest->next_page;
	guest->pages[slot].address = UINT64_MAX;
	if (!fetch(guest, address, guest->pages[slot].bytes))
		return NULL;
	guest->pages[slot].address = address;
	guest->next_page = (slot + 1) % GUEST_PAGES;
	if (guest->page_count < GUEST_PAGES)
		guest->page_count++;
	return guest->pages[slot].bytes;
}

static bool read_physical(void *context, uint64_t physical, void *bytes, size_t size)
{
	struct guest *guest = context;
	unsigned char *next = bytes;

	/* JSON has no larger numbers; no machine has more memory. */
	if (guest->pages == NULL || guest->fd < 0 || physical > INT64_MAX - size)
		return false;
	while (size > 0) {
		size_t offset = physical % PAGE, part = size < PAGE - offset ? size : PAGE - offset;
		const unsigned char *page = find_page(guest, physical - offset);

		if (page == NULL)
			return false;
		memcpy(next, page + offset, part);
		next += part;
		physical += part;
		size -= part;
	}
	return true;
}

struct memory guest_memory(struct guest *guest)
{
	return (struct memory){ read_physical, guest };
}
