/* Calls with AT_EMPTY_PATH, and those by an fd: attributes, times, owners and rights of the device, a session, a preserved file, fds of O_PATH. */
#include "luo.h"
#include <sys/xattr.h>
#define P(call) do { long r_ = (call); if (r_ < 0) printf(" %s", strerrorname_np(errno)); else printf(" %ld", r_); } while (0)
enum { EMPTY = 0x1000 };
static void all(const char *what, int fd, const char *path)
{
	struct stat st; struct statx x; char b[200]; struct timespec t[2] = { { 5, 0 }, { 6, 0 } };
	struct { uint64_t value; uint32_t size, flags; } v = { (uint64_t)b, 5, 0 };
	for (int f = 0; f < 5; f++) {
		static const int FL[] = { 0, EMPTY, EMPTY | 0x100, 0x100, 0x8000 };
		int flags = FL[f];
		printf("%s '%s' %x:", what, path ? path : "null", flags);
		P(syscall(SYS_newfstatat, fd, path, &st, flags)); P(syscall(SYS_statx, fd, path, flags, 0x7ff, &x)); P(syscall(SYS_faccessat2, fd, path, R_OK, flags)); P(syscall(SYS_faccessat2, fd, path, W_OK, flags | 0x200)); P(syscall(SYS_faccessat2, fd, path, X_OK, flags)); P(syscall(SYS_faccessat, fd, path, R_OK));
		printf(" mode"); P(syscall(452, fd, path, 0600, flags)); P(syscall(SYS_fchmodat, fd, path, 0600)); P(syscall(SYS_fchownat, fd, path, 0, 0, flags)); P(syscall(SYS_fchownat, fd, path, -1, -1, flags));
		printf(" times"); P(syscall(SYS_utimensat, fd, path, t, flags)); P(syscall(SYS_utimensat, fd, path, NULL, flags)); P(syscall(SYS_futimesat, fd, path, NULL));
		memset(b, 'v', 5);
		printf(" xattr"); P(syscall(463, fd, path, flags, "trusted.a", &v, sizeof v)); P(syscall(464, fd, path, flags, "trusted.a", &v, sizeof v)); P(syscall(465, fd, path, flags, b, 100)); P(syscall(466, fd, path, flags, "trusted.a")); P(syscall(463, fd, path, flags, "user.a", &v, sizeof v));  P(syscall(463, fd, path, flags, "trusted.a", &v, 8)); P(syscall(463, fd, path, flags, "nothing.a", &v, sizeof v)); P(syscall(463, fd, path, flags, NULL, &v, sizeof v)); if (flags != 0x8000) P(syscall(463, fd, path, flags, "trusted.a", NULL, sizeof v));
		printf(" others"); P(syscall(SYS_readlinkat, fd, path, b, 100)); P(syscall(SYS_name_to_handle_at, fd, path, b, b, 0x100 | flags)); if (!path || *path == 0) { P(syscall(SYS_mkdirat, fd, path, 0)); P(syscall(SYS_unlinkat, fd, path, flags)); if (getuid() == 0) P(syscall(SYS_linkat, fd, path, AT_FDCWD, "/tmp/x", flags)); P(syscall(SYS_renameat2, fd, path, fd, path, 0)); P(syscall(SYS_symlinkat, "x", fd, path)); P(syscall(SYS_mknodat, fd, path, 0, 0)); P(syscall(SYS_openat, fd, path, O_RDONLY)); }
		puts("");
	}
}
static void fd_calls(const char *what, int fd)
{
	char b[200]; struct timespec t[2] = { { 5, 0 }, { 6, 0 } }; struct stat st;
	printf("%s by its number:", what);
	P(fchmod(fd, 0600)); P(fchmod(fd, 010000600)); P(fchown(fd, 0, 0)); P(fchown(fd, -1, -1)); P(fchown(fd, 5, 5)); P(fchown(fd, 0, 0)); P(futimens(fd, t)); P(futimens(fd, NULL)); P(syscall(SYS_utimensat, fd, NULL, t, 0)); P(syscall(SYS_utimensat, fd, NULL, t, 0x100)); P(fstat(fd, &st));
	static const char *NAMES[] = { "user.a", "trusted.a", "security.a", "security.capability", "system.posix_acl_access", "system.a", "nothing", "", ".", "trusted.", "user." };
	for (int n = 0; n < 11; n++) { printf(" %s", NAMES[n]); P(fgetxattr(fd, NAMES[n], b, 100)); P(fsetxattr(fd, NAMES[n], "vvvvvvvvv", 9, 0)); P(fgetxattr(fd, NAMES[n], b, 3)); P(fgetxattr(fd, NAMES[n], NULL, 0)); P(fsetxattr(fd, NAMES[n], "w", 1, XATTR_CREATE)); P(fsetxattr(fd, NAMES[n], "w", 1, XATTR_REPLACE)); P(fsetxattr(fd, NAMES[n], "w", 1, 8)); P(fsetxattr(fd, NAMES[n], NULL, 0, 0)); P(fsetxattr(fd, NAMES[n], (void *)8, 5, 0)); P(fsetxattr(fd, NAMES[n], b, 70000, 0)); P(flistxattr(fd, b, 3)); P(fremovexattr(fd, NAMES[n])); P(fremovexattr(fd, NAMES[n])); }
	char longest[300]; memset(longest, 'a', 299); memcpy(longest, "trusted.", 8); longest[256] = 0; P(fsetxattr(fd, longest, "v", 1, 0)); longest[255] = 0; P(fsetxattr(fd, longest, "v", 1, 0)); P(flistxattr(fd, NULL, 0)); P(fremovexattr(fd, longest)); P(fgetxattr(fd, (void *)8, b, 1)); P(flistxattr(fd, (void *)8, 100));
	puts("");
}
int main(void)
{
	char link[64];
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	int d = open(DEVICE, O_RDWR), s = session(d, CREATE, "empty"), m = memory("hello"), p = open(DEVICE, O_PATH), dev = open("/dev", O_RDONLY), v = open("/proc/version", O_RDONLY), o = open("/proc/sys/kernel/osrelease", O_PATH), l = open("/sys/kernel/kexec/loaded", O_RDONLY);
	preserve(s, m, 1);
	sprintf(link, "/proc/self/fd/%d", s);
	int held = open(link, O_PATH);
	int fds[] = { d, s, m, p, held };
	const char *what[] = { "device", "session", "file", "path", "held" };
	for (int i = 0; i < 5; i++) { all(what[i], fds[i], ""); if (i != 2) fd_calls(what[i], fds[i]); if (i != 2) all(what[i], fds[i], "x"); all(what[i], fds[i], NULL); }
	all("absolute", -1, DEVICE); all("in /dev", dev, "liveupdate");
	fd_calls("version", v); fd_calls("osrelease", o); fd_calls("loaded", l);
	CHILD("user", { setresgid(1000, 1000, 1000); setresuid(1000, 1000, 1000); for (int i = 0; i < 5; i++) { all(what[i], fds[i], ""); if (i != 2) fd_calls(what[i], fds[i]); } fd_calls("version", v); fd_calls("loaded", l); });
	fflush(stdout);
}
