/* Tables of descriptors: dup, exec, clone with CLONE_FILES, pidfd_getfd, fds in flight. */
#include "luo.h"

static int helper(void *fd) { close(*(int *)fd); return 0; }

int main(int count, char **words)
{
	int device, one, copy;
	if (count > 1) {
		yes("inherited session", ioctl(atoi(words[1]), GET_NAME, &(struct session){ 72 }));
		yes("close on exec", fcntl(atoi(words[2]), F_GETFD));
		return 0;
	}
	in_first_boot();
	device = open(DEVICE, O_RDWR);
	one = session(device, CREATE, "one");
	printf("numbers: %d %d\n", device, one);
	printf("cloexec: %d %d\n", fcntl(device, F_GETFD), fcntl(one, F_GETFD));
	printf("flags: %o %o\n", fcntl(device, F_GETFL), fcntl(one, F_GETFL));
	copy = fcntl(one, F_DUPFD, 100);
	say("dup from 100", copy);
	say("dup3", dup3(one, 50, O_CLOEXEC));
	say("dup2 over the device", dup2(one, device));
	yes("create by a session", session(device, CREATE, "x"));
	yes("open again", device = open(DEVICE, O_RDWR));
	close(one);
	yes("taken while copies live", session(device, CREATE, "one"));
	CHILD("exec", {
		char number[16], other[16];
		sprintf(number, "%d", copy);
		sprintf(other, "%d", 50);
		execl("/proc/self/exe", "x", number, other, NULL);
	});
	{
		static char stack[65536];
		int mine = session(device, CREATE, "shared table");
		pid_t child = clone(helper, stack + sizeof stack, CLONE_FILES | CLONE_VM | SIGCHLD, &mine);
		waitpid(child, NULL, 0);
		yes("closed by a child with the same table", ioctl(mine, GET_NAME, &(struct session){ 72 }));
		yes("its name is free", session(device, CREATE, "shared table"));
	}
	{
		int held = session(device, CREATE, "stolen"), stolen;
		pid_t parent = getpid();
		CHILD("pidfd_getfd", {
			int pidfd = syscall(SYS_pidfd_open, parent, 0);
			stolen = syscall(SYS_pidfd_getfd, pidfd, held, 0);
			yes("stolen", stolen);
			yes("preserve by the thief", preserve(stolen, memory("x"), 1));
		});
		yes("token is taken", preserve(held, memory("y"), 1));
	}
	{
		int pair[2], held = session(device, CREATE, "flies");
		char byte = 'x', control[CMSG_SPACE(sizeof(int))] = { 0 };
		struct iovec piece = { &byte, 1 };
		struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
		struct cmsghdr *head = CMSG_FIRSTHDR(&message);
		socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
		*head = (struct cmsghdr){ CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
		memcpy(CMSG_DATA(head), &held, sizeof held);
		say("send", sendmsg(pair[0], &message, 0));
		close(held);
		yes("taken in flight", session(device, CREATE, "flies"));
		close(pair[1]);
		close(pair[0]);
		yes("free after the sockets", session(device, CREATE, "flies"));
	}
	say("close_range", close_range(3, ~0U, 0));
	yes("device again", device = open(DEVICE, O_RDWR));
	yes("all names free", session(device, CREATE, "one"));
}
