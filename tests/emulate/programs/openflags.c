/* open and openat2 with every pair of flags: of the device, of a session and a preserved file by their links, of files of /proc and /sys. */
#include "luo.h"
#include <linux/openat2.h>
static char line[4096];
static int at;
static void put(long fd)
{
	if (fd < 0) { at += sprintf(line + at, " %s", errno == EINVAL ? "I" : errno == EACCES ? "A" : errno == ENOTDIR ? "D" : errno == EBUSY ? "B" : errno == EEXIST ? "E" : errno == EPERM ? "P" : errno == ELOOP ? "L" : errno == EISDIR ? "S" : errno == ENXIO ? "X" : strerrorname_np(errno)); return; }
	at += sprintf(line + at, " %x%s", fcntl(fd, F_GETFL), fcntl(fd, F_GETFD) ? "c" : "");
	close(fd);
}
static const int FLAGS[] = { O_CREAT, O_EXCL, O_NOCTTY, O_TRUNC, O_APPEND, O_NONBLOCK, O_DSYNC, O_ASYNC, O_DIRECT, O_DIRECTORY, O_NOFOLLOW, O_NOATIME, O_CLOEXEC, O_SYNC, O_PATH, O_TMPFILE, 1 << 23, 1 << 30, 8 };
enum { COUNT = sizeof FLAGS / sizeof *FLAGS };
static long at2(int dir, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) { struct open_how h = { flags, mode, resolve }; return syscall(SYS_openat2, dir, path, &h, sizeof h); }
static void sweep(const char *what, const char *path)
{
	for (int access = 0; access < 4; access++) {
		at = sprintf(line, "%s, access %d:", what, access);
		put(open(path, access, 0600));
		for (int i = 0; i < COUNT; i++) put(open(path, access | FLAGS[i], 0600));
		puts(line);
		for (int i = 0; i < COUNT; i++) {
			at = sprintf(line, " with %x:", FLAGS[i]);
			for (int j = i + 1; j < COUNT; j++) put(open(path, access | FLAGS[i] | FLAGS[j], 0600));
			puts(line);
		}
		at = sprintf(line, " openat2:");
		for (int bit = 2; bit < 64; bit++) if (strncmp(path, "/proc", 5) != 0 && strncmp(path, "/sys", 4) != 0 || bit != 26 && bit != 32) put(at2(AT_FDCWD, path, access | 1ull << bit, 0, 0));
		at += sprintf(line + at, " mode");
		for (int i = 0; i < COUNT; i++) put(at2(AT_FDCWD, path, (unsigned)(access | FLAGS[i]), 0600, 0));
		put(at2(AT_FDCWD, path, access | O_CREAT, 0100600, 0)); put(at2(AT_FDCWD, path, access | O_CREAT, 07777, 0)); put(at2(AT_FDCWD, path, access, 1, 0));
		puts(line);
		at = sprintf(line, " resolve:");
		for (int bit = 0; bit < 10; bit++) if (bit != 5) put(at2(AT_FDCWD, path, access, 0, 1ull << bit));
		for (int bit = 0; bit < 5; bit++) put(at2(AT_FDCWD, path, access | O_PATH, 0, 1ull << bit));
		for (int bit = 0; bit < 5; bit++) put(at2(AT_FDCWD, path, access | O_CREAT, 0600, 1ull << bit));
		put(at2(AT_FDCWD, path, access, 0, 24)); put(at2(AT_FDCWD, path, access, 0, 1ull << 40));
		puts(line);
	}
}
int main(void)
{
	char own[64], file[64];
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	chdir("/");
	sweep("device", DEVICE);
	sweep("device, slash", DEVICE "/");
	int d = open(DEVICE, O_RDWR), s = session(d, CREATE, "open"), m = memory("hello");
	preserve(s, m, 1);
	sprintf(own, "/proc/self/fd/%d", s); sprintf(file, "/proc/self/fd/%d", m);
	sweep("session", own); sweep("file", file);
	sprintf(own, "/proc/self/fd/%d", d);
	sweep("busy device", own);
	sweep("version", "/proc/version"); sweep("osrelease", "/proc/sys/kernel/osrelease"); sweep("disabled", "/proc/sys/kernel/kexec_load_disabled"); sweep("loaded", "/sys/kernel/kexec/loaded"); sweep("link", "/sys/kernel/kexec_loaded"); sweep("uevent", "/sys/class/misc/liveupdate/uevent"); sweep("directory", "/sys/class/misc/liveupdate"); sweep("scratch", "/sys/kernel/debug/kho/out/scratch_len"); sweep("missing", "/sys/class/misc/liveupdate/nothing");
	CHILD("user", { setresgid(1000, 1000, 1000); setresuid(1000, 1000, 1000); sweep("device", DEVICE); sprintf(own, "/proc/self/fd/%d", s); sweep("session", own); sweep("file", file); sweep("loaded", "/sys/kernel/kexec/loaded"); sweep("version", "/proc/version"); sweep("disabled", "/proc/sys/kernel/kexec_load_disabled"); sweep("scratch", "/sys/kernel/debug/kho/out/scratch_len"); });
	fflush(stdout);
}
