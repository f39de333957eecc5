/* Sessions and the device in sockets, pipes' owners, processes that end, exec, and tables that are shared or not. */
#include "luo.h"
#include <sys/un.h>
#include <poll.h>
static int device;
static void taken(const char *what, const char *name)
{
	int s = -1;
	for (int tries = 0; tries < 50; tries++) {
		s = session(device, CREATE, name);
		if (s >= 0 || tries == 3) break;
		usleep(20000);
	}
	printf("%s: %s\n", what, s < 0 ? strerrorname_np(errno) : "made");
	if (s >= 0) close(s);
}

static void give(int socket, int fd)
{
	char control[CMSG_SPACE(sizeof fd)] = "", byte = 'x';
	struct iovec piece = { &byte, 1 };
	struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(head), &fd, sizeof fd);
	if (sendmsg(socket, &message, 0) < 0) say("send", -1);
}

static int take(int socket, int flags)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec piece = { &byte, 1 };
	struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
	if (recvmsg(socket, &message, flags) <= 0 || CMSG_FIRSTHDR(&message) == NULL) return -1;
	int fd;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
	return fd;
}

int main(void)
{
	int ends[2], inner[2], s;
	in_first_boot();
	device = open(DEVICE, O_RDWR);
	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	s = session(device, CREATE, "in flight");
	give(ends[0], s);
	close(s);
	taken("in flight", "in flight");
	s = take(ends[1], MSG_PEEK);
	close(s);
	taken("peeked and closed", "in flight");
	s = take(ends[1], 0);
	taken("received", "in flight");
	close(s);
	taken("closed", "in flight");
	socketpair(AF_UNIX, SOCK_DGRAM, 0, inner);
	s = session(device, CREATE, "nested");
	give(inner[0], s);
	close(s);
	give(ends[0], inner[1]);
	close(inner[1]);
	close(inner[0]);
	taken("in a socket in a socket", "nested");
	close(ends[1]);
	taken("both gone", "nested");
	close(ends[0]);
	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	CHILD("sender", s = session(device, CREATE, "of a child"); give(ends[0], s));
	taken("sender has ended", "of a child");
	s = take(ends[1], MSG_CMSG_CLOEXEC);
	printf("cloexec %d\n", fcntl(s, F_GETFD));
	CHILD("receiver dies", kill(getpid(), SIGKILL));
	taken("held here too", "of a child");
	int copies[3] = { dup(s), dup3(s, 200, O_CLOEXEC), fcntl(s, F_DUPFD, 300) };
	close_range(s, 250, 0);
	taken("one copy left", "of a child");
	close(copies[2]);
	taken("no copy left", "of a child");
	s = session(device, CREATE, "cloexec");
	fcntl(s, F_SETFD, FD_CLOEXEC);
	close(s);
	s = session(device, CREATE, "shared");
	CHILD("unshared", unshare(CLONE_FILES); close(s));
	taken("parent holds it", "shared");
	close(s);
	taken("after", "shared");
	int fd = open("/proc/self/fd/3", O_PATH);
	say("device by path", fd < 0 ? -1 : 0);
	give(ends[0], device);
	close(device);
	device = -1;
	say("busy in flight", open(DEVICE, O_RDWR));
	int back = take(ends[1], 0);
	taken("no device", "x");
	device = back;
	taken("device back", "x");
	pid_t held = fork();
	if (held == 0) {
		pause();
		_exit(0);
	}
	close(device);
	say("held by a child", open(DEVICE, O_RDWR));
	kill(held, SIGSTOP);
	say("held by a stopped child", open(DEVICE, O_RDWR));
	kill(held, SIGKILL);
	waitpid(held, NULL, 0);
	for (int tries = 0; tries < 50 && (device = open(DEVICE, O_RDWR)) < 0; tries++) usleep(20000);
	printf("after its death: %s\n", device < 0 ? "busy" : "opened");
}
