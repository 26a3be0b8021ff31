/* SPDX-License-Identifier: MIT
 *
 * What QEMU says in words of a machine that ended: its log of exceptions, and its
 * monitor's dumps of registers and memory.
 */
#include <stdio.h>
#include <stdlib.h>

#include "crash/exceptions.h"
#include "fuzz.h"
#include "run/screen.h"
#include "unit.h"

static void read_log(const char *text)
{
	struct exceptions exceptions;

	exceptions_parse(&exceptions, text);
	CHECK(exceptions.count <= EXCEPTIONS_MOST, "too many exceptions");
	for (size_t i = 0; i < exceptions.count; i++) {
		struct exception_label label = exception_label(&exceptions.chain[i]);

		CHECK(memchr(label.text, '\0', sizeof(label.text)) != NULL, "a label has no end");
	}
}

static void read_registers(const char *text)
{
	struct cpu cpu;

	if (cpu_parse(&cpu, text))
		CHECK(cpu_register_name(&cpu, CPU_RAX)[1] == 'A', "a register's name");
}

static void read_memory(const char *text, size_t most)
{
	/* Of exactly its size, so that a sanitizer sees what is written behind it. */
	uint16_t *cells = calloc(most, sizeof(*cells));

	if (cells == NULL)
		abort();
	CHECK(screen_parse(text, cells, most) <= most, "more cells than there is room for");
	free(cells);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);

	if (text == NULL)
		abort();
	read_log(text);
	read_registers(text);
	read_memory(text, 1);
	read_memory(text, 8);
	free(text);
	return 0;
}
