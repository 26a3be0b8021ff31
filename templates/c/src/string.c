/*
 * What the compiler calls by itself, for structures that are copied, say, and a C library
 * would have.
 */
#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t count);
void *memmove(void *to, const void *from, size_t count);
void *memset(void *to, int value, size_t count);
int memcmp(const void *left, const void *right, size_t count);

void *memcpy(void *restrict to, const void *restrict from, size_t count)
{
	void *result = to;

	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
	return result;
}

void *memmove(void *to, const void *from, size_t count)
{
	if ((size_t)to - (size_t)from >= count)
		return memcpy(to, from, count);

	/* The end first, which the beginning would overwrite. */
	char *last_to = (char *)to + count - 1;
	const char *last_from = (const char *)from + count - 1;

	__asm__ volatile("std; rep movsb; cld" : "+D"(last_to), "+S"(last_from), "+c"(count) : : "memory");
	return to;
}

void *memset(void *to, int value, size_t count)
{
	void *result = to;

	__asm__ volatile("rep stosb" : "+D"(to), "+c"(count) : "a"(value) : "memory");
	return result;
}

int memcmp(const void *left, const void *right, size_t count)
{
	const unsigned char *l = left, *r = right;

	for (size_t i = 0; i < count; i++) {
		if (l[i] != r[i])
			return l[i] - r[i];
	}
	return 0;
}
