/* SPDX-License-Identifier: MIT
 *
 * Linked into the programs of "make coverage": processes that do not end by exit()
 * say what they have run, too.  (gcc itself sees to those that fork() and exec().)
 * The linker puts these functions before those that they are named after.
 */
#include <gcov.h>

void __real__exit(int status) __attribute__((noreturn));
int __real_raise(int number);
void __wrap__exit(int status) __attribute__((noreturn));
int __wrap_raise(int number);

void __wrap__exit(int status)
{
	__gcov_dump();
	__real__exit(status);
}

/* The tool raises only what it dies of. */
int __wrap_raise(int number)
{
	__gcov_dump();
	return __real_raise(number);
}
