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

static long open_proc(uint32_t tid, const char *name, long flags)
{
	char path[64];
	append(append(append_number(append(path, "/proc/"), tid), "/"), name);
	return call(N_openat, -100, (long)path, flags, 0, 0);
}

void read_proc(uint32_t tid, const char *name, char *text, long room)
{
	long fd = open_proc(tid, name, 0);
	long size = fd < 0 ? 0 : call(N_read, fd, (long)text, room - 1, 0, 0);
	if (fd >= 0) call(N_close, fd, 0, 0, 0, 0);
	text[size > 0 ? size : 0] = 0;
}

uint32_t digits(const char *text)
{
	uint32_t value = 0;
	while (*text >= '0' && *text <= '9') value = value * 10 + *text++ - '0';
	return value;
}

uint64_t hexadecimal(const char *text)
{
	uint64_t value = 0;
	for (;; text++) {
		if (*text >= '0' && *text <= '9') value = value << 4 | (*text - '0');
		else if (*text >= 'a' && *text <= 'f') value = value << 4 | (*text - 'a' + 10);
		else return value;
	}
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

/* The value in a line of /proc/TID/status: NAME is the line's begin with its tab. Returns 0 when there is none. */
static const char *status_of(uint32_t tid, const char *name)
{
	static char text[4096];
	read_proc(tid, "status", text, sizeof text);
	for (const char *line = text; *line; line++) {
		const char *at = name;
		while (*at && *line == *at) line++, at++;
		if (*at == 0) return line;
		while (*line && *line != '\n') line++;
		if (*line == 0) break;
	}
	return 0;
}

uint32_t leader_of(uint32_t tid)
{
	const char *value = status_of(tid, "Tgid:\t");
	return value ? digits(value) : tid;
}

int is_caught(uint32_t tid, int signal)
{
	const char *value = status_of(tid, "SigCgt:\t");
	uint64_t set = value ? hexadecimal(value) : 0;
	return set >> (signal - 1) & 1;
}

uint32_t parent_of(uint32_t tid)
{
	const char *value = status_of(tid, "PPid:\t");
	return value ? digits(value) : 0;
}
