/* The functions that the compiler calls on its own. */
#include <stddef.h>

void *memset(void *at, int value, size_t size)
{
	for (char *byte = at; size > 0; size--) *byte++ = value;
	return at;
}

void *memcpy(void *to, const void *from, size_t size)
{
	char *target = to;
	for (const char *byte = from; size > 0; size--) *target++ = *byte++;
	return to;
}
