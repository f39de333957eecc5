/* Which sessions reach the next kernel: those of every kind of holder, and those whose last copy is gone in every way. Three boots. */
#include "luo.h"
#include <pthread.h>
#include <sys/un.h>
static int device;
static int made(const char *name)
{
	int s = session(device, CREATE, name);
	preserve(s, memory(name), 7);
	return s;
}

static void pass(int sock, int *fds, int n)
{
	struct msghdr h = { 0 };
	struct iovec v = { "x", 1 };
	char cb[CMSG_SPACE(64)] = { 0 };
	h.msg_iov = &v;
	h.msg_iovlen = 1;
	h.msg_control = cb;
	h.msg_controllen = CMSG_SPACE(4 * n);
	struct cmsghdr *q = CMSG_FIRSTHDR(&h);
	q->cmsg_level = SOL_SOCKET;
	q->cmsg_type = SCM_RIGHTS;
	q->cmsg_len = CMSG_LEN(4 * n);
	memcpy(CMSG_DATA(q), fds, 4 * n);
	if (sendmsg(sock, &h, 0) < 0)
		say("sendmsg", -1);
}
static const char *names[] =
    { "plain", "dup only", "child", "stopped", "zombie leader", "in flight", "in flight twice",
"in flight, sockets closed", "not cloexec", "cloexec", "listener's queue", "vfork", "thread", "killed", "exited", "O_PATH only",
"mapped file", "memfd in flight", "nested", "empty", "closed", "epoll", "deep stack", "last" };
static void *forever(void *a)
{
	for (;;)
		pause();
}

static int path_of(int fd)
{
	char p[64];
	sprintf(p, "/proc/self/fd/%d", fd);
	return open(p, O_PATH);
}

int main(int argc, char **argv)
{
	in_first_boot();
	if (argc > 1) {
		for (;;)
			pause();
	}
	int boot = atoi(getenv("LUO_BOOT"));
	device = open(DEVICE, O_RDWR | O_CLOEXEC);
	if (boot == 1) {
		int p[2], s, c;
		made("plain");
		s = made("dup only");
		dup2(s, 200);
		close(s);
		s = made("child");
		if (fork() == 0)
			forever(0);
		close(s);
		s = made("stopped");
		if (fork() == 0) {
			raise(SIGSTOP);
			forever(0);
		}
		close(s);
		s = made("zombie leader");
		if (fork() == 0) {
			pthread_t t;
			pthread_create(&t, 0, forever, 0);
			pthread_exit(0);
		}
		close(s);
		s = made("in flight");
		socketpair(AF_UNIX, SOCK_STREAM, 0, p);
		pass(p[0], &s, 1);
		close(s);
		s = made("in flight twice");
		int q[2];
		socketpair(AF_UNIX, SOCK_DGRAM, 0, q);
		pass(q[0], &s, 1);
		close(s);
		int two[2] = { q[0], q[1] };
		int w[2];
		socketpair(AF_UNIX, SOCK_SEQPACKET, 0, w);
		pass(w[0], two, 2);
		close(q[0]);
		close(q[1]);
		s = made("in flight, sockets closed");
		socketpair(AF_UNIX, SOCK_STREAM, 0, p);
		pass(p[0], &s, 1);
		close(s);
		close(p[0]);
		close(p[1]);
		s = made("not cloexec");
		fcntl(s, F_SETFD, 0);
		if (fork() == 0)
			execl("/proc/self/exe", "x", "x", NULL);
		close(s);
		s = made("cloexec");
		if (fork() == 0) {
			close(device);
			execl("/proc/self/exe", "x", "x", NULL);
		}
		close(s);
		s = made("listener's queue"); {
			struct sockaddr_un a = { AF_UNIX, "\0held" };
			int l = socket(AF_UNIX, SOCK_STREAM, 0);
			bind(l, (void *)&a, 7);
			listen(l, 5);
			c = socket(AF_UNIX, SOCK_STREAM, 0);
			connect(c, (void *)&a, 7);
			pass(c, &s, 1);
			close(c);
			close(s);
		}
		s = made("vfork");
		if (fork() == 0) {
			if (vfork() == 0)
				forever(0);
		}
		close(s);
		s = made("thread");
		s = made("killed");
		if ((c = fork()) == 0)
			forever(0);
		close(s);
		kill(c, SIGKILL);
		waitpid(c, 0, 0);
		s = made("exited");
		if ((c = fork()) == 0)
			_exit(0);
		close(s);
		waitpid(c, 0, 0);
		s = made("O_PATH only");
		path_of(s);
		close(s);
		s = session(device, CREATE, "mapped file"); {
			int m = memfd_create("m", 0);
			ftruncate(m, 4096);
			char *x = mmap(0, 4096, 3, MAP_SHARED, m, 0);
			preserve(s, m, 7);
			close(m);
			strcpy(x, "mapped");
			x[100] = 1;
		}
		s = session(device, CREATE, "memfd in flight"); {
			int m = memory("of memfd in flight");
			preserve(s, m, 7);
			socketpair(AF_UNIX, SOCK_STREAM, 0, p);
			pass(p[0], &m, 1);
			close(m);
		}
		session(device, CREATE, "empty");
		s = made("closed");
		close(s);
		s = made("last");
		usleep(300000);
		next_boot();
	}
	for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
		int s = session(device, RETRIEVE, names[i]);
		if (s < 0) {
			yes(names[i], s);
			continue;
		}
		int m = restore(s, 7);
		char b[40] = { 0 };
		long n = m < 0 ? -1 : pread(m, b, 39, 0);
		printf("%s: %ld \"%s\" ", names[i], n, b);
		if (boot == 2 && i % 3 == 0) {
			printf("left unfinished\n");
		} else if (boot == 2 && i % 3 == 1) {
			printf("finish %d\n", finish(s));
			if (m >= 0) {
				char nm[64];
				snprintf(nm, 64, "%s", names[i]);
				int again = session(device, CREATE, nm);
				printf("  again %d\n", preserve(again, m, 7));
			}
		} else {
			close(s);
			puts("closed");
		}
	}
	if (boot == 2)
		next_boot();
	return 0;
}
