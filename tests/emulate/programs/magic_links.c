/* The device and sessions through magic links of this process, of others, of dead ones, and through every RESOLVE_ flag. */
#include "luo.h"
#include <linux/openat2.h>
#include <sys/prctl.h>
#include <pthread.h>
static long at2(int dir, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve, size_t size)
{
	struct {
		struct open_how how;
		char more[100];
	} a;
	memset(&a, 0, sizeof a);
	a.how.flags = flags;
	a.how.mode = mode;
	a.how.resolve = resolve;
	return syscall(SYS_openat2, dir, path, &a, size);
}

static void tell(const char *what, long fd)
{
	char b[80];
	struct stat s;
	if (fd < 0) {
		printf("%s: %s\n", what, strerrorname_np(errno));
		return;
	}
	fstat(fd, &s);
	printf("%s: opened, mode %o, rdev %lx, flags %o\n", what, s.st_mode, (long)(s.st_rdev == 0), fcntl(fd, F_GETFL) & ~0100000);
	close(fd);
}

static void text(const char *what, const char *path)
{
	char b[200];
	ssize_t n = readlink(path, b, 199);
	if (n < 0) {
		printf("%s: %s\n", what, strerrorname_np(errno));
		return;
	}
	b[n] = 0;
	printf("%s: %s\n", what, b);
}

static void *thread(void *arg)
{
	char p[100];
	sprintf(p, "/proc/self/task/%d/fd/%d", (int)gettid(), *(int *)arg);
	text("thread's link", p);
	sprintf(p, "/proc/thread-self/fd/%d", *(int *)arg);
	text("thread-self", p);
	tell("open thread-self", open(p, O_RDWR));
	return 0;
}

int main(void)
{
	char p[200], q[200];
	setvbuf(stdout, 0, _IOLBF, 0);
	int dev = open(DEVICE, O_RDWR), s = session(dev, CREATE, "magic one");
	int pid = getpid();
	uint64_t R[] = { 1, 2, 4, 8, 16, 3, 5, 9, 12, 24, 63, 64 };
	const char *paths[] =
	    { "/dev/liveupdate", "/dev/../dev/liveupdate", "/proc/self/root/dev/liveupdate", "/proc/self/cwd/dev/liveupdate", "dev/liveupdate" };
	close(dev);
	chdir("/");
	for (unsigned i = 0; i < sizeof paths / sizeof *paths; i++)
		for (unsigned r = 0; r < sizeof R / sizeof *R; r++) {
			sprintf(q, "%s resolve %d", paths[i], (int)R[r]);
			tell(q, at2(AT_FDCWD, paths[i], O_RDWR, 0, R[r], 24));
		}
	int d = open("/dev", O_PATH | O_DIRECTORY);
	for (unsigned r = 0; r < sizeof R / sizeof *R; r++) {
		sprintf(q, "dirfd resolve %d", (int)R[r]);
		tell(q, at2(d, "liveupdate", O_RDWR, 0, R[r], 24));
		sprintf(q, "dirfd dotdot resolve %d", (int)R[r]);
		tell(q, at2(d, "../dev/liveupdate", O_RDWR, 0, R[r], 24));
		sprintf(q, "dirfd absolute resolve %d", (int)R[r]);
		tell(q, at2(d, "/liveupdate", O_RDWR, 0, R[r], 24));
	}
	tell("size 0", at2(AT_FDCWD, DEVICE, O_RDWR, 0, 0, 0));
	tell("size 23", at2(AT_FDCWD, DEVICE, O_RDWR, 0, 0, 23));
	tell("size 32", at2(AT_FDCWD, DEVICE, O_RDWR, 0, 0, 32));
	tell("size 5000", at2(AT_FDCWD, DEVICE, O_RDWR, 0, 0, 5000));
	tell("mode without O_CREAT", at2(AT_FDCWD, DEVICE, O_RDWR, 0600, 0, 24));
	tell("unknown flag", at2(AT_FDCWD, DEVICE, O_RDWR | 1ull << 35, 0, 0, 24));
	tell("O_CREAT", at2(AT_FDCWD, DEVICE, O_RDWR | O_CREAT, 0600, 0, 24));
	tell("O_CREAT mode 010000", at2(AT_FDCWD, DEVICE, O_RDWR | O_CREAT, 010000, 0, 24));
	tell("O_PATH|O_RDWR", at2(AT_FDCWD, DEVICE, O_PATH | O_RDWR, 0, 0, 24));
	tell("O_PATH|O_TRUNC", at2(AT_FDCWD, DEVICE, O_PATH | O_TRUNC, 0, 0, 24));
	tell("O_TMPFILE", at2(AT_FDCWD, "/dev/liveupdate", O_TMPFILE | O_RDWR, 0600, 0, 24));
	tell("access mode 3", open(DEVICE, 3));
	tell("O_APPEND", open(DEVICE, O_RDWR | O_APPEND));
	tell("O_DIRECT", open(DEVICE, O_RDWR | O_DIRECT));
	tell("O_SYNC", open(DEVICE, O_RDWR | O_SYNC));
	tell("O_ASYNC", open(DEVICE, O_RDWR | O_ASYNC));
	tell("O_TRUNC", open(DEVICE, O_RDWR | O_TRUNC));
	tell("O_NOFOLLOW", open(DEVICE, O_RDWR | O_NOFOLLOW));
	tell("O_RDONLY", open(DEVICE, O_RDONLY));
	tell("O_WRONLY", open(DEVICE, O_WRONLY));
	dev = open(DEVICE, O_RDWR);
	sprintf(p, "/proc/self/fd/%d", s);
	text("own session", p);
	tell("open own session", open(p, O_RDWR));
	tell("path of own session", open(p, O_PATH));
	tell("nofollow", open(p, O_RDONLY | O_NOFOLLOW));
	tell("path nofollow", open(p, O_PATH | O_NOFOLLOW));
	sprintf(p, "/proc/self/fd/%d", dev);
	text("own device", p);
	tell("open own device", open(p, O_RDWR));
	sprintf(p, "/dev/fd/%d", dev);
	text("dev fd", p);
	tell("open dev fd", open(p, O_RDWR));
	sprintf(p, "/proc/self/fd/%d/..", dev);
	tell("after it", open(p, O_RDONLY));
	sprintf(p, "/proc/self/fd/%d/", s);
	tell("slash", open(p, O_RDONLY));
	sprintf(p, "/proc/self/fd/%d", dev);
	sprintf(q, "/proc/%d/root/proc/self/root/dev/../proc/%d/fd/%d", pid, pid, s);
	text("long way", q);
	pthread_t t;
	pthread_create(&t, 0, thread, &s);
	pthread_join(t, 0);
	int go[2], back[2];
	pipe(go);
	pipe(back);
	pid_t c = fork();
	if (c == 0) {
		char b;
		chdir("/dev");
		close(s);
		write(back[1], "x", 1);
		read(go[0], &b, 1);
		_exit(0);
	}
	char b;
	read(back[0], &b, 1);
	sprintf(p, "/proc/%d/fd/%d", c, dev);
	text("child's device", p);
	tell("open child's device", open(p, O_RDWR));
	sprintf(p, "/proc/%d/fd/%d", c, s);
	text("child's closed", p);
	tell("open child's closed", open(p, O_RDWR));
	sprintf(p, "/proc/%d/cwd/liveupdate", c);
	tell("child's cwd", open(p, O_RDWR));
	close(dev);
	tell("child's cwd, busy", open(p, O_RDWR));
	sprintf(p, "/proc/%d/root/dev/liveupdate", c);
	tell("child's root, busy", open(p, O_RDWR));
	sprintf(p, "/proc/%d/fdinfo/%d", c, dev);
	struct stat st;
	printf("fdinfo: %s\n", stat(p, &st) < 0 ? strerrorname_np(errno) : "there");
	write(go[1], "x", 1);
	usleep(100000);
	sprintf(p, "/proc/%d/fd/%d", c, dev);
	text("zombie's", p);
	sprintf(p, "/proc/%d/cwd/liveupdate", c);
	tell("zombie's cwd", open(p, O_RDWR));
	sprintf(p, "/proc/%d/root/dev/liveupdate", c);
	tell("zombie's root", open(p, O_RDWR));
	waitpid(c, 0, 0);
	sprintf(p, "/proc/%d/cwd/liveupdate", c);
	tell("dead's cwd", open(p, O_RDWR));
	dev = open(DEVICE, O_RDWR);
	dup2(dev, 0);
	close(dev);
	tell("/dev/stdin", open("/dev/stdin", O_RDWR));
	text("stdin's", "/proc/self/fd/0");
	prctl(PR_SET_DUMPABLE, 0);
	tell("not dumpable: device by link", open("/proc/self/fd/0", O_RDWR));
	close(0);
	tell("not dumpable", open(DEVICE, O_RDWR));
	dev = open(DEVICE, O_RDWR);
	say("session", session(dev, CREATE, "dump") < 0 ? -1 : 0);

}
