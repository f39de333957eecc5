/* See proc.h. */
#include "proc.h"

struct entry { uint64_t ino, offset; uint16_t size; uint8_t type; char name[]; };

char *append(char *at, const char *text)
{
	while (*text) *at++ = *text++;
	*at = 0;
	return at;
}

char *append_number(char *at, uint64_t value)
{
	char digits[24];
	int length = 0;
	do digits[length++] = '0' + value % 10; while (value /= 10);
	while (length > 0) *at++ = digits[--length];
	*at = 0;
	return at;
}

long open_proc(uint32_t tid, const char *name, long flags)
{
	char path[64];
	append(append(append_number(append(path, "/proc/"), tid), "/"), name);
	return call(N_openat, -100, (long)path, flags, 0, 0);
}

uint32_t digits(const char *text)
{
	uint32_t value = 0;
	while (*text >= '0' && *text <= '9') value = value * 10 + *text++ - '0';
	return value;
}

void names_in(uint32_t tid, const char *name, void (*each)(long directory, const char *name, void *context), void *context)
{
	char entries[4096];
	long directory = open_proc(tid, name, DIRECTORY_FLAG);
	if (directory < 0) return;
	for (long got; (got = call(N_getdents64, directory, (long)entries, sizeof entries, 0, 0)) > 0;)
		for (long at = 0; at < got;) {
			struct entry *entry = (struct entry *)(entries + at);
			at += entry->size;
			if (entry->name[0] != '.') each(directory, entry->name, context);
		}
	call(N_close, directory, 0, 0, 0, 0);
}

uint32_t leader_of(uint32_t tid)
{
	char text[512];
	long fd = open_proc(tid, "status", 0);
	long size = fd < 0 ? 0 : call(N_read, fd, (long)text, sizeof text - 1, 0, 0);
	if (fd >= 0) call(N_close, fd, 0, 0, 0, 0);
	for (long at = 0; at + 6 < size; at++)
		if (text[at] == 'T' && text[at + 1] == 'g' && text[at + 2] == 'i' && text[at + 3] == 'd') return digits(text + at + 6);
	return tid;
}
