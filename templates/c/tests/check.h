/*
 * For tests: each is a kernel of its own, which ends the machine with its verdict.
 */
#ifndef CHECK_H
#define CHECK_H

#include "console.h"
#include "kernel.h"
#include "machine.h"

#define CHECK(condition)					\
	do {							\
		if (!(condition))				\
			check_failed(__FILE__, __LINE__, #condition); \
	} while (0)

_Noreturn static inline void check_failed(const char *file, unsigned int line, const char *condition)
{
	print(file);
	print(":");
	print_number(line);
	print(": not so: ");
	print(condition);
	print("\n");
	finish(false);
}

#endif
