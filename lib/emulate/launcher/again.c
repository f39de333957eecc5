/* See again.h. aarch64 has decided about the call before it stops for a signal, and no register tells it otherwise. */
#include "again.h"
#include "proc.h"

#if defined(__x86_64__)
enum { CALLS = 512, PATH_MAX_ = 4096, ERESTARTSYS_ = 512, ERESTARTNOINTR_ = 513, AT_FDCWD_ = -100 };
enum { S_IFMT_ = 0170000, S_IFREG_ = 0100000, S_IFDIR_ = 0040000, S_IFCHR_ = 0020000, MEMORY_DEVICES = 0x100, LIVEUPDATE_TYPE = 0xba00 };

static const uint64_t *steady;

void never_interrupted(const uint64_t *calls)
{
	steady = calls;
}

/* Returns the length; 0 when the path cannot be read or is too long. */
static long read_path(uint32_t tid, uint64_t address, char *into, long room)
{
	for (long at = 0; at + 8 <= room; at += 8) {
		uint64_t word = 0;
		if (trace(T_PEEK, tid, address + at, (long)&word) < 0) return 0;
		for (int byte = 0; byte < 8; byte++) {
			into[at + byte] = word >> (8 * byte);
			if (into[at + byte] == 0) return at + byte;
		}
	}
	return 0;
}

/* A pipe, a device, or a file of which nothing is known: to open it can take long, and a signal ends that. */
static int opens_at_once(uint32_t tid, int32_t directory, uint64_t address)
{
	static char path[PATH_MAX_ + 64];
	uint64_t stat[32]; /* struct stat: the mode is in the fourth word, the device in the sixth */
	char text[PATH_MAX_], *end = append(append_number(append(path, "/proc/"), tid), "/");
	if (read_path(tid, address, text, sizeof text) == 0) return 0;
	if (text[0] == '/') end = append(end, "root");
	else if (directory == AT_FDCWD_) end = append(end, "cwd/");
	else end = append(append_number(append(end, "fd/"), directory), "/");
	append(end, text);
	if (call(N_newfstatat, AT_FDCWD_, (long)path, (long)stat, 0, 0) < 0) return 1;
	uint32_t type = stat[3] & S_IFMT_;
	return type == S_IFREG_ || type == S_IFDIR_ || (type == S_IFCHR_ && (stat[5] & ~0xffull) == MEMORY_DEVICES);
}

void make_again(uint32_t tid)
{
	struct registers r;
	get_registers(tid, &r);
	if ((int64_t)r.ax != -ERESTARTSYS_ || r.orig_ax >= CALLS) return;
	int again = steady[r.orig_ax / 64] >> (r.orig_ax % 64) & 1;
	if (r.orig_ax == N_open) again = opens_at_once(tid, AT_FDCWD_, r.di);
	if (r.orig_ax == N_openat) again = opens_at_once(tid, r.di, r.si);
	if (r.orig_ax == N_ioctl) again = (r.si & 0xff00) == LIVEUPDATE_TYPE;
	if (!again) return;
	r.ax = -ERESTARTNOINTR_;
	set_registers(tid, &r);
}
#else
void never_interrupted(const uint64_t *calls)
{
	(void)calls;
}

void make_again(uint32_t tid)
{
	(void)tid;
}
#endif
