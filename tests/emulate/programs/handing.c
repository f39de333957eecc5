/* Fds of the machine that go from user to user and table to table: SCM_RIGHTS with its flags, pidfd_getfd, /proc of others, exec, close_range. */
#include "luo.h"
#include <grp.h>
#include <sched.h>
#include <pthread.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/un.h>
#define E(what, call) do { long r_ = (call); printf("%s: %s\n", what, r_ < 0 ? strerrorname_np(errno) : "yes"); } while (0)
static void user(int id) { setgroups(0, NULL); setresgid(id, id, id); setresuid(id, id, id); }
static int put(int s, const int *fds, int n, int flags)
{
	char control[CMSG_SPACE(1100)] = { 0 }, byte = 'x';
	struct iovec v = { &byte, 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_SPACE(4 * n) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = SOL_SOCKET; c->cmsg_type = SCM_RIGHTS; c->cmsg_len = CMSG_LEN(4 * n);
	memcpy(CMSG_DATA(c), fds, 4 * n);
	return sendmsg(s, &m, flags);
}
static int take(int s, int *fds, int room, int flags, int *got_flags)
{
	char control[2048] = { 0 }, byte;
	struct iovec v = { &byte, 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = room };
	int r = recvmsg(s, &m, flags), n = 0;
	if (got_flags) *got_flags = m.msg_flags;
	if (r < 0) return -1;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
		if (c->cmsg_type == SCM_RIGHTS) { n = (c->cmsg_len - CMSG_LEN(0)) / 4; memcpy(fds, CMSG_DATA(c), 4 * n); }
	return n;
}
static void is(const char *what, int fd)
{
	char path[64], text[100] = "";
	struct stat s;
	if (fstat(fd, &s) < 0) { printf("%s: %s\n", what, strerrorname_np(errno)); return; }
	sprintf(path, "/proc/self/fd/%d", fd);
	readlink(path, text, 99);
	printf("%s: mode %o, %s, flags %o, cloexec %d, read %s\n", what, s.st_mode, text, fcntl(fd, F_GETFL), fcntl(fd, F_GETFD), read(fd, text, 1) < 0 ? strerrorname_np(errno) : "done");
}
static void *thread(void *arg) { int *a = arg; a[1] = unshare(CLONE_FILES) < 0 ? -errno : 0; close(a[0]); return NULL; }
int main(int argc, char **argv)
{
	int pair[2], fds[300], flags;
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 1) {
		for (int i = 1; i < argc; i++) { char w[20]; sprintf(w, "after exec %s", argv[i]); is(w, atoi(argv[i])); }
		return 0;
	}
	close_range(3, ~0u, 0);
	int device = open(DEVICE, O_RDWR), s = session(device, CREATE, "handing"), file = memory("hello");
	preserve(s, file, 1);
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	int three[] = { device, s, file };
	E("send", put(pair[0], three, 3, 0));
	CHILD("a user gets them", {
		close(device); close(s); close(file); user(1000);
		printf("got %d\n", take(pair[1], fds, 256, MSG_CMSG_CLOEXEC, &flags));
		printf("flags %x\n", flags);
		is("device", fds[0]); is("session", fds[1]); is("file", fds[2]);
		E("create", session(fds[0], CREATE, "by a user"));
		E("preserve", preserve(fds[1], memory("mine"), 2));
		E("write past the end", pwrite(fds[2], "x", 1, 9000));
		E("open", open(DEVICE, O_RDWR));
	});
	E("again, the name", session(device, CREATE, "by a user"));
	E("send", put(pair[0], three, 3, 0));
	printf("peek %d\n", take(pair[1], fds, 256, MSG_PEEK, &flags)); is("peeked", fds[1]); close(fds[0]); close(fds[1]); close(fds[2]);
	printf("room for one %d", take(pair[1], fds, CMSG_LEN(4), 0, &flags)); printf(" flags %x\n", flags); is("one", fds[0]); close(fds[0]);
	E("send", put(pair[0], three, 3, 0));
	printf("no room %d", take(pair[1], fds, 0, 0, &flags)); printf(" flags %x\n", flags);
	for (int i = 0; i < 254; i++) fds[i] = three[i % 3];
	E("send 253", put(pair[0], fds, 253, 0)); E("send 254", put(pair[0], fds, 254, 0));
	printf("got %d\n", take(pair[1], fds, 2000, 0, &flags)); is("the last but one", fds[251]); is("the last", fds[252]);
	for (int i = 0; i < 253; i++) close(fds[i]);
	E("send", put(pair[0], three, 3, 0));
	struct rlimit few = { 10, 1024 }, many = { 1024, 1024 };
	setrlimit(RLIMIT_NOFILE, &few);
	int r = take(pair[1], fds, 256, 0, &flags);
	printf("under a limit %d flags %x\n", r, flags);
	for (int i = 0; i < r; i++) close(fds[i]);
	E("open at the limit", ({ int d1 = open(DEVICE, O_RDWR); close(d1); d1; }));
	for (int i = 0; i < 10; i++) dup(0);
	E("open at the limit", open(DEVICE, O_RDWR)); E("O_PATH", open(DEVICE, O_PATH)); E("create at the limit", session(device, CREATE, "limit")); E("dup", dup(s)); E("F_DUPFD", fcntl(s, F_DUPFD, 100)); E("dup2", dup2(s, 12)); E("of another file", open("/proc/version", O_RDONLY));
	setrlimit(RLIMIT_NOFILE, &many);
	E("the name is free", ({ int d2 = session(device, CREATE, "limit"); d2; }));
	close_range(pair[1] + 1, ~0u, 0);
	CHILD("pidfd", {
		pid_t parent = getppid(); int pf = syscall(SYS_pidfd_open, parent, 0);
		int copy = syscall(SYS_pidfd_getfd, pf, s, 0); is("by root", copy); close(copy);
		E("flags", syscall(SYS_pidfd_getfd, pf, s, 1)); E("no fd", syscall(SYS_pidfd_getfd, pf, 99, 0));
		user(1000); E("by a user", syscall(SYS_pidfd_getfd, pf, s, 0));
		char p[64]; char t[64]; sprintf(p, "/proc/%d/fd/%d", parent, s); E("link", readlink(p, t, 64)); E("open", open(p, O_RDONLY)); struct stat x; E("stat", stat(p, &x)); E("lstat", lstat(p, &x)); sprintf(p, "/proc/%d/fdinfo/%d", parent, s); E("info", open(p, O_RDONLY)); sprintf(p, "/proc/%d/fd", parent); E("directory", open(p, O_RDONLY)); sprintf(p, "/proc/%d/root%s", parent, DEVICE); E("root", open(p, O_PATH)); sprintf(p, "/proc/%d/cwd", parent); E("cwd", open(p, O_PATH));
		E("kcmp", syscall(SYS_kcmp, parent, getpid(), 0, s, s));
	});
	CHILD("of one user", {
		user(1000); prctl(PR_SET_DUMPABLE, 1); int d3 = device; pid_t me = getpid();
		CHILD("child", { char p[64]; char t[64]; sprintf(p, "/proc/%d/fd/%d", me, s); E("link", readlink(p, t, 64)); E("open the session", open(p, O_RDWR)); sprintf(p, "/proc/%d/fd/%d", me, d3); E("open the device", open(p, O_RDWR)); sprintf(p, "/proc/%d/fd/%d", me, file); E("open the file", open(p, O_RDWR)); sprintf(p, "/proc/%d/fdinfo/%d", me, s); E("info", open(p, O_RDONLY)); });
	});
	CHILD("exec", { fcntl(s, F_SETFD, 0); char a[8], b[8], c[8], d4[8]; int e = dup3(s, 50, O_CLOEXEC); int f = fcntl(device, F_DUPFD_CLOEXEC, 60); sprintf(a, "%d", s); sprintf(b, "%d", device); sprintf(c, "%d", e); sprintf(d4, "%d", f); execl("/proc/self/exe", "x", a, b, c, d4, NULL); });
	CHILD("close_range", { dup2(s, 70); dup2(device, 71); dup2(file, 72); E("cloexec", close_range(70, 71, CLOSE_RANGE_CLOEXEC)); is("70", 70); is("72", 72); E("unshare", close_range(71, 72, CLOSE_RANGE_UNSHARE)); is("71", 71); is("70", 70); E("flags", close_range(70, 71, 8)); E("order", close_range(71, 70, 0)); });
	CHILD("a thread unshares", { int a[2] = { dup(s), 0 }; pthread_t t; pthread_create(&t, NULL, thread, a); pthread_join(t, NULL); printf("%d\n", a[1]); is("still here", a[0]); });
	E("dup3 same", dup3(s, s, 0)); E("dup3 flags", dup3(s, 80, O_APPEND)); E("dup2 same", dup2(s, s)); E("dup2 negative", dup2(s, -1)); E("dup2 far", dup2(s, 1 << 20)); E("F_DUPFD far", fcntl(s, F_DUPFD, 1 << 20)); E("F_DUPFD negative", fcntl(s, F_DUPFD, -1));
	int over = dup2(s, 90); dup2(file, over); is("session replaced by a file", over); dup2(s, over); is("file replaced by a session", over); dup2(0, over); E("replaced by stdin", fcntl(over, F_GETFD));
	close(s); dup2(1, s); E("number of a closed session", ioctl(s, 0x541b, &flags) < 0 && errno == ENOTTY ? -1 : 0);
}
