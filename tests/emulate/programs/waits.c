/* Waiting: poll, select and epoll with every event and flag, O_ASYNC and its owner, on the device, a session, a preserved file, O_PATH. */
#include "luo.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/inotify.h>

static void polls(const char *what, int fd)
{
	printf("%s poll:", what);
	for (int bit = 0; bit < 16; bit++) {
		struct pollfd one = { fd, 1 << bit, 0 };
		int got = poll(&one, 1, 0);
		printf(" %d/%x", got, (unsigned short)one.revents);
	}
	struct pollfd none = { fd, 0, 0 }, many[3] = { { fd, -1, 0 }, { -1, -1, 7 }, { 999, -1, 0 } };
	printf(" none %d/%x", poll(&none, 1, 0), none.revents);
	printf(" many %d", poll(many, 3, -1));
	printf(" %x %x %x\n", (unsigned short)many[0].revents, (unsigned short)many[1].revents, (unsigned short)many[2].revents);
	for (int which = 1; which < 8; which++) {
		fd_set sets[3];
		struct timespec zero = { 0, 0 };
		for (int s = 0; s < 3; s++) { FD_ZERO(&sets[s]); FD_SET(fd, &sets[s]); }
		int got = pselect(fd + 1, which & 1 ? &sets[0] : NULL, which & 2 ? &sets[1] : NULL, which & 4 ? &sets[2] : NULL, &zero, NULL);
		printf("select %d: %d %d %d %d\n", which, got, !!FD_ISSET(fd, &sets[0]), !!FD_ISSET(fd, &sets[1]), !!FD_ISSET(fd, &sets[2]));
	}
	struct timespec wrong = { 0, -1 };
	struct pollfd one = { fd, 1, 0 };
	say("ppoll with a wrong time", ppoll(&one, 1, &wrong, NULL));
	say("ppoll with wrong signals", syscall(SYS_ppoll, &one, 1, NULL, &wrong, 3));
}
static void epolls(const char *what, int fd)
{
	int set = epoll_create1(EPOLL_CLOEXEC);
	printf("%s epoll:", what);
	for (int op = 0; op < 5; op++)
		for (int bit = 0; bit < 33; bit++) {
			struct epoll_event event = { bit == 32 ? 0 : 1u << bit, { .fd = 1 } };
			int got = epoll_ctl(set, op, fd, &event);
			printf(" %s", got < 0 ? strerrorname_np(errno) : "0");
		}
	struct epoll_event event = { EPOLLIN };
	puts("");
	say("no event", epoll_ctl(set, EPOLL_CTL_ADD, fd, NULL));
	say("del without event", epoll_ctl(set, EPOLL_CTL_DEL, fd, NULL));
	say("it as the set", epoll_ctl(fd, EPOLL_CTL_ADD, set, &event));
	say("it in itself", epoll_ctl(fd, EPOLL_CTL_ADD, fd, &event));
	say("wait on it", epoll_wait(fd, &event, 1, 0));
	say("wait on it for nothing", epoll_wait(fd, &event, 0, 0));
	say("pwait2 on it", syscall(SYS_epoll_pwait2, fd, &event, 1, NULL, NULL, 0));
	say("exclusive and oneshot", ({ event.events = EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT; epoll_ctl(set, EPOLL_CTL_ADD, fd, &event); }));
	close(set);
}
static void as_others(const char *what, int fd)
{
	uint64_t value = 1;
	char bytes[64];
	struct itimerspec_ { long v[4]; } time = { 0 };
	say(what, -(errno = 0));
	say("timerfd_settime", syscall(SYS_timerfd_settime, fd, 0, &time, NULL));
	say("timerfd_gettime", syscall(SYS_timerfd_gettime, fd, &time));
	say("signalfd", syscall(SYS_signalfd4, fd, &value, 8, 0));
	say("inotify_add_watch", inotify_add_watch(fd, "/", IN_OPEN));
	say("inotify_rm_watch", inotify_rm_watch(fd, 1));
	say("setns", setns(fd, 0));
	say("setns of mounts", setns(fd, CLONE_NEWNS));
	say("pidfd_send_signal", syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0));
	say("pidfd_getfd", syscall(SYS_pidfd_getfd, fd, 0, 0));
	say("waitid", syscall(SYS_waitid, 3, fd, NULL, WEXITED, NULL));
	say("process_madvise", syscall(SYS_process_madvise, fd, NULL, 0, 20, 0));
	say("process_mrelease", syscall(SYS_process_mrelease, fd, 0));
	say("mq_getsetattr", syscall(SYS_mq_getsetattr, fd, NULL, bytes));
	say("mq_timedsend", syscall(SYS_mq_timedsend, fd, bytes, 1, 0, NULL));
	say("mq_notify", syscall(SYS_mq_notify, fd, NULL));
	say("fsconfig", syscall(431, fd, 0, "x", NULL, 0));
	say("fsmount", syscall(432, fd, 0, 0));
	say("move_mount", syscall(429, fd, "", -100, "/nowhere", 4));
	say("mount_setattr", syscall(442, fd, "", 0x1000, bytes, 8));
	say("open_tree", syscall(428, fd, "x", 0));
	say("fchdir", fchdir(fd));
	say("getdents64", syscall(SYS_getdents64, fd, bytes, 64));
	say("fspick", syscall(433, fd, "x", 0));
	say("name_to_handle_at", syscall(SYS_name_to_handle_at, fd, "x", bytes, bytes, 0));
	say("open_by_handle_at", syscall(SYS_open_by_handle_at, fd, bytes, 0));
	say("syncfs", syncfs(fd));
	say("readahead", readahead(fd, 0, 10));
	say("accept4", accept4(fd, NULL, NULL, -1));
	say("connect", connect(fd, (void *)bytes, 4));
	say("bind", bind(fd, (void *)bytes, 4));
	say("getsockname", getsockname(fd, (void *)bytes, &(socklen_t){ 4 }));
	say("getpeername", getpeername(fd, (void *)bytes, &(socklen_t){ 4 }));
	say("setsockopt", setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, 4));
	say("recvmmsg", recvmmsg(fd, NULL, 0, 0, NULL));
	for (int advice = 0; advice < 9; advice++) printf("%ld ", syscall(SYS_fadvise64, fd, 0, 4096, advice) < 0 ? (long)-errno : 0);
	printf("%ld\n", syscall(SYS_fadvise64, fd, 0, -1, 0) < 0 ? (long)-errno : 0);
	for (unsigned flags = 0; flags < 9; flags++) printf("%ld ", sync_file_range(fd, 0, 10, flags) < 0 ? (long)-errno : 0);
	printf("%ld\n", sync_file_range(fd, -1, 10, 0) < 0 ? (long)-errno : 0);
	static const int modes[] = { 0, 1, 2, 3, 8, 16, 17, 32, 64, 65, 128, 0x100, 0x41 };
	for (unsigned m = 0; m < 13; m++) printf("%ld ", fallocate(fd, modes[m], 0, 4096) < 0 ? (long)-errno : 0);
	printf("%ld %ld\n", fallocate(fd, 0, -1, 1) < 0 ? (long)-errno : 0, fallocate(fd, 0, 0, 0) < 0 ? (long)-errno : 0);
	long offsets[] = { 0, 1, -1, 1l << 62, -1l << 63, 4096 };
	for (int whence = -1; whence < 8; whence++)
		for (int o = 0; o < 6; o++) { long got = lseek(fd, offsets[o], whence); printf("%ld ", got < 0 ? (long)-errno : got); }
	puts("");
	long sizes[] = { 0, 1, -1, 1l << 62 };
	for (int o = 0; o < 4; o++) printf("%ld ", ftruncate(fd, sizes[o]) < 0 ? (long)-errno : 0);
	puts("");
}
static volatile int signals;
static void count(int number) { signals++; }
int main(void)
{
	char name[64];
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	signal(SIGIO, count);
	int device = open(DEVICE, O_RDWR), s = session(device, CREATE, "waits"), file = memory("hello"), path = open(DEVICE, O_PATH);
	preserve(s, file, 1);
	sprintf(name, "/proc/self/fd/%d", s);
	int held = open(name, O_PATH);
	int fds[] = { device, s, file, path, held };
	const char *what[] = { "device", "session", "file", "path", "held" };
	for (int i = 0; i < 5; i++) {
		if (i < 3) polls(what[i], fds[i]);
		epolls(what[i], fds[i]);
		as_others(what[i], fds[i]);
	}
	fcntl(s, F_SETOWN, getpid());
	fcntl(s, F_SETFL, O_ASYNC);
	session(device, CREATE, "another");
	printf("signals %d\n", signals);
}
