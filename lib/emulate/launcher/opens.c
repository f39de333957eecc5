/* See opens.h. What /proc shows of a process has names that are numbers, or "status" (paths.ts: Paths.#concerns). */
#include "opens.h"
#include "proc.h"

enum { AT_FDCWD_ = -100, TEXT = 256, PAGE = 4096, ENOENT_ = 2, EINVAL_ = 22 };

static int differ;

void paths_differ(void)
{
	differ = 1;
}

/* Returns 0 when the path cannot be read, or is long. */
static int read_text(uint32_t tid, uint64_t address, char *into)
{
	uint64_t room = PAGE - (address & (PAGE - 1)), size = room < TEXT ? room : TEXT;
	struct { void *at; uint64_t size; } ours = { into, size }, theirs = { (void *)address, size };
	long got = call6(N_process_vm_readv, tid, (long)&ours, 1, (long)&theirs, 1, 0);
	for (long at = 0; at < got; at++)
		if (into[at] == 0) return 1;
	return 0;
}

static int is_name(const char *name, const char *end, const char *other)
{
	while (name < end && *other && *name == *other) name++, other++;
	return name == end && *other == 0;
}

static int is_number(const char *name, const char *end)
{
	const char *at = name;
	while (at < end && *at >= '0' && *at <= '9') at++;
	return at == end && name < end;
}

static int has_such_name(const char *text)
{
	for (const char *name = text;;) {
		const char *end = name;
		while (*end && *end != '/') end++;
		if (is_name(name, end, "self") || is_name(name, end, "thread-self") || is_name(name, end, "fd") || is_name(name, end, "fdinfo"))
			return 1;
		if (*end == 0) return is_number(name, end) || is_name(name, end, "status");
		name = end + 1;
	}
}

int concerns_machine(uint32_t tid, uint64_t nr, const uint64_t args[6])
{
	char text[TEXT], path[TEXT + 64], link[8];
	int by_fd = nr == N_openat;
	int32_t directory = by_fd ? (int32_t)args[0] : AT_FDCWD_;
	if (differ || !read_text(tid, args[by_fd], text) || has_such_name(text)) return 1;
	const char *name = text;
	/* Until paths differ the guard has the root of all programs. */
	if (text[0] != '/') {
		char *end = append(append_number(append(path, "/proc/"), tid), "/");
		if (directory == AT_FDCWD_) end = append(end, "cwd/");
		else end = append(append_number(append(end, "fd/"), directory), "/");
		append(end, text);
		name = path;
	}
	/* A link can lead to such a name. */
	long answer = call(N_readlinkat, AT_FDCWD_, (long)name, (long)link, sizeof link, 0);
	return answer != -EINVAL_ && answer != -ENOENT_;
}
