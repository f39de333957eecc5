/* Arguments of random calls: mostly those that Linux takes, sometimes none that any program would give. */
#include "wild.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static char *memory, *read_only, *no_access;
/* The threads of a client share the pool without a lock: an fd of another thread is as good as any. */
static int pool[FDS + 16];
static int pooled;

void make_memory(void)
{
	memory = mmap(NULL, BUFFER + 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mprotect(memory, BUFFER, PROT_READ | PROT_WRITE);
	for (int at = 0; at < BUFFER; at += 8) *(uint32_t *)(memory + at) = below(256);
	read_only = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	no_access = memory + BUFFER;
}

char *buffer(void)
{
	switch (below(5)) {
	case 0: return memory + below(BUFFER);
	case 1: return memory + BUFFER - 8 * below(16); /* a struct that ends in a hole */
	default: return memory + 64 * below(BUFFER / 128);
	}
}

char *anywhere(void)
{
	static const uint64_t odd[] = { 0, 1, 4095, 4096, 0x7ffffffff000, 0xffffffff81000000, 0x8000000000000000, ~0ull, ~0ull - 4095 };
	if (chance(80)) return buffer();
	switch (below(3)) {
	case 0: return read_only + below(4096);
	case 1: return no_access + below(8192);
	default: return (char *)PICK(odd);
	}
}

/* Names that are the machine's own: in /dev, /tmp and /run everything new is. */
static const char *const own[] = {
	DEVICE, DEVICE, DEVICE, "/dev/../dev/liveupdate", "/dev//./liveupdate", "/dev/liveupdate/", "/dev/liveupdate/x",
	"/tmp/wild-link", "/tmp/wild-dir", "/tmp/wild-dir/liveupdate", "/tmp/wild-file", "/tmp/wild-socket", "/dev/wild",
	"/dev/shm/wild", "/run/wild", "wild-relative", "liveupdate", "./liveupdate", "", "/proc/self/root/dev/liveupdate",
};
/* Read only. */
static const char *const others[] = {
	"/proc/self/cmdline", "/proc/cmdline", "/proc/misc", "/proc/version", "/proc/sys/kernel/random/boot_id", "/proc/self/status",
	"/sys/kernel/kexec_loaded", "/sys/class/misc/liveupdate", "/sys/class/misc/liveupdate/dev", "/sys/kernel/debug/kho",
	"/proc/sys/kernel/kexec_load_disabled", "/proc/config.gz", "/dev", "/proc", "/sys/class/misc", "/proc/self/fdinfo/3",
};

/* `numbered`: the text of a path by an fd's number, which may be given out for reading only. */
static const char *numbered(void)
{
	static __thread char text[64];
	static const char *const forms[] = { "/proc/self/fd/%d", "/dev/fd/%d", "/proc/thread-self/fd/%d", "/proc/self/fdinfo/%d" };
	int fd = some_fd();
	snprintf(text, sizeof text, PICK(forms), fd < 3 ? 3 : fd);
	return text;
}

const char *path(void)
{
	if (chance(4)) return anywhere();
	if (chance(15)) return numbered();
	if (chance(15)) return PICK(others);
	return PICK(own);
}

int some_fd(void)
{
	static const int odd[] = { -1, -100, 1000, 0x7fffffff, (int)0x80000000, 3, 4, 5, 6, 7, 8 };
	int many = pooled;
	if (many > 0 && chance(85)) return pool[below(many)];
	return PICK(odd);
}

void keep_fd(int fd)
{
	if (fd < 3) return;
	if (pooled < FDS) pool[pooled++] = fd;
	else {
		int place = below(FDS), old = pool[place];
		pool[place] = fd;
		if (old != fd) close(old);
	}
}

int64_t size(void)
{
	static const int64_t odd[] = { 0, 1, 4095, 4096, 4097, 65536, BUFFER - 1, BUFFER, -1, INT64_MAX, INT64_MIN, 1ll << 32, 1ll << 40 };
	return chance(70) ? (int64_t)below(16384) : PICK(odd);
}

long number(void)
{
	static const long odd[] = { 0, 1, 2, 3, -1, 0x1000, 0x80000, 0x7fffffff, 1l << 31, 1l << 32, ~0l };
	return chance(50) ? (long)below(16) : PICK(odd);
}
