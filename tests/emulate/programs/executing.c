/* execve, execveat and what leads to a program: the device as a program, an interpreter, a library; programs reached by fds of memory. */
#include "luo.h"
#define E(what, call) do { fflush(stdout); long r_ = (call); printf("%s: %s\n", what, r_ < 0 ? strerrorname_np(errno) : "yes"); } while (0)
static char *const ARGS[] = { "x", NULL };
static void script(const char *path, const char *text) { int f = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0755); write(f, text, strlen(text)); close(f); }
int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	char path[64];
	int d = open(DEVICE, O_RDWR), s = session(d, CREATE, "x"), p = open(DEVICE, O_PATH), dev = open("/dev", O_PATH), file = memory("#!/bin/echo x\n");
	preserve(s, file, 1);
	int modes[] = { 0600, 0777 };
	for (int m = 0; m < 2; m++) {
		chmod(DEVICE, modes[m]);
		E("execve", execve(DEVICE, ARGS, ARGS)); E("with a slash", execve(DEVICE "/", ARGS, ARGS)); E("execveat", syscall(SYS_execveat, dev, "liveupdate", ARGS, ARGS, 0)); E("absolute", syscall(SYS_execveat, -1, DEVICE, ARGS, ARGS, 0));
		E("empty path, device", syscall(SYS_execveat, d, "", ARGS, ARGS, 0x1000)); E("empty path, path", syscall(SYS_execveat, p, "", ARGS, ARGS, 0x1000)); E("empty path, session", syscall(SYS_execveat, s, "", ARGS, ARGS, 0x1000)); E("empty without the flag", syscall(SYS_execveat, d, "", ARGS, ARGS, 0)); E("no follow", syscall(SYS_execveat, -100, DEVICE, ARGS, ARGS, 0x100)); E("unknown flag", syscall(SYS_execveat, -100, DEVICE, ARGS, ARGS, 1)); E("check", syscall(SYS_execveat, -100, DEVICE, ARGS, ARGS, 0x10000)); E("check of the session", syscall(SYS_execveat, s, "", ARGS, ARGS, 0x11000));
		E("null arguments", syscall(SYS_execve, DEVICE, NULL, NULL)); E("bad arguments", syscall(SYS_execve, DEVICE, 8, NULL)); E("null path", syscall(SYS_execve, NULL, ARGS, ARGS)); E("null path at", syscall(SYS_execveat, d, NULL, ARGS, ARGS, 0x1000));
		sprintf(path, "/proc/self/fd/%d", d); E("link of the device", execve(path, ARGS, ARGS)); sprintf(path, "/proc/self/fd/%d", s); E("link of the session", execve(path, ARGS, ARGS)); sprintf(path, "/dev/fd/%d", p); E("link of the path", execve(path, ARGS, ARGS));
		CHILD("user", { setresgid(1000, 1000, 1000); setresuid(1000, 1000, 1000); E("execve", execve(DEVICE, ARGS, ARGS)); E("session", syscall(SYS_execveat, s, "", ARGS, ARGS, 0x1000)); });
	}
	chmod(DEVICE, 0600);
	script("/tmp/luo-script", "#!/dev/liveupdate\n"); 
	script("/tmp/luo-script", "#! /dev/../dev/liveupdate x\n"); 
	symlink(DEVICE, "/tmp/luo-link"); E("by a link", execve("/tmp/luo-link", ARGS, ARGS)); E("by a link, no follow", syscall(SYS_execveat, -100, "/tmp/luo-link", ARGS, ARGS, 0x100));
	unlink("/tmp/luo-link"); unlink("/tmp/luo-script");
	E("uselib", syscall(134, DEVICE)); E("a preserved file without rights", syscall(SYS_execveat, file, "", ARGS, ARGS, 0x1000));
	CHILD("chdir", { E("chdir", chdir(DEVICE)); E("fchdir", fchdir(d)); E("chdir slash", chdir(DEVICE "/")); E("chdir dots", chdir(DEVICE "/..")); E("chroot", chroot(DEVICE)); char c[99]; sprintf(path, "/proc/self/fd/%d", s); E("chdir to a session", chdir(path)); E("opendir", open(DEVICE, O_DIRECTORY)); E("openat below", openat(d, "x", O_RDONLY)); E("openat below the session", openat(s, "x", O_RDONLY)); E("openat empty", openat(d, "", O_RDONLY)); E("openat dot", openat(d, ".", O_RDONLY)); E("openat absolute", openat(d, "/dev/null", O_RDONLY)); E("mkdirat", mkdirat(d, "x", 0700)); E("unlinkat", unlinkat(s, "x", 0)); E("readlinkat", readlinkat(d, "", c, 99)); E("readlinkat of the path", readlinkat(p, "", c, 99)); E("faccessat", faccessat(d, "x", 0, 0)); E("faccessat empty", syscall(SYS_faccessat2, d, "", R_OK | W_OK, 0x1000)); E("faccessat empty session", syscall(SYS_faccessat2, s, "", R_OK, 0x1000)); E("faccessat x", syscall(SYS_faccessat2, d, "", X_OK, 0x1000)); E("linkat", linkat(d, "x", d, "y", 0)); E("renameat", renameat(d, "x", s, "y")); E("symlinkat", symlinkat("x", d, "y")); E("statx", statx(d, "x", 0, 0, (void *)c)); });
}
