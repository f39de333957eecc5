/* What kind of file the device and a session are: waiting for them, calls for sockets, files and directories. One line for each call. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEVICE "/dev/liveupdate"

struct session { uint32_t size; int32_t fd; char name[64]; };

static void say(const char *what, long answer)
{
	if (answer < 0) printf("  %s: %s\n", what, strerrorname_np(errno));
	else printf("  %s: %ld\n", what, answer);
}

static void waiting(int fd)
{
	struct pollfd one = { fd, POLLIN | POLLOUT | POLLPRI, 0 };
	struct epoll_event event = { EPOLLIN, { .fd = fd } };
	int set = epoll_create1(0);
	say("poll", poll(&one, 1, 0));
	printf("  events: %x\n", one.revents);
	say("epoll", epoll_ctl(set, EPOLL_CTL_ADD, fd, &event));
	close(set);
}

#ifdef __aarch64__
enum { LARGE_FILE = 0400000 };
#else
enum { LARGE_FILE = 0100000 };
#endif

/* By their names: their values differ between the architectures. */
static void flags(int fd)
{
	static const struct { int flag; const char *name; } known[] = {
		{ O_NONBLOCK, "nonblock" }, { O_APPEND, "append" }, { LARGE_FILE, "large file" }, { O_NOFOLLOW, "nofollow" },
		{ O_DIRECTORY, "directory" }, { O_DIRECT, "direct" }, { O_NOATIME, "noatime" }, { O_PATH, "path" },
	};
	int got = fcntl(fd, F_GETFL);
	printf("  flags: access %d", got & O_ACCMODE);
	for (unsigned index = 0; index < sizeof known / sizeof *known; index++)
		if (got & known[index].flag) printf(", %s", known[index].name);
	printf("\n");
}

static void as_a_socket(int fd)
{
	char byte = 0;
	int type;
	socklen_t size = sizeof type;
	struct msghdr message = { 0 };
	say("send", send(fd, &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT));
	say("recv", recv(fd, &byte, 1, MSG_DONTWAIT));
	say("sendmsg", sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT));
	say("getsockopt", getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size));
	say("listen", listen(fd, 1));
	say("accept", accept(fd, NULL, NULL));
	say("shutdown", shutdown(fd, SHUT_RDWR));
}

static void as_a_file(int fd)
{
	say("fsync", fsync(fd));
	say("fdatasync", fdatasync(fd));
	say("sync_file_range", sync_file_range(fd, 0, 0, 0));
	say("readahead", readahead(fd, 0, 4096));
	say("fadvise", -posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
	say("F_GET_SEALS", fcntl(fd, F_GET_SEALS));
	say("F_ADD_SEALS", fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
	say("F_SETLEASE", fcntl(fd, F_SETLEASE, F_WRLCK));
	say("fchdir", fchdir(fd));
	say("openat", openat(fd, "x", O_RDONLY));
}

static void all(const char *what, int fd)
{
	printf("%s\n", what);
	waiting(fd);
	flags(fd);
	as_a_socket(fd);
	as_a_file(fd);
}

static void by_name(void)
{
	struct { struct file_handle head; char bytes[128]; } handle = { { 128 } };
	int mount;
	char *const argv[] = { "x", NULL };
	printf("%s\n", DEVICE);
	say("chdir", chdir(DEVICE));
	say("chdir below", chdir(DEVICE "/x"));
	say("rmdir", rmdir(DEVICE));
	say("execve", execv(DEVICE, argv));
	say("name_to_handle_at", name_to_handle_at(AT_FDCWD, DEVICE, &handle.head, &mount, 0));
	printf("  %u bytes of type %d\n", handle.head.handle_bytes, handle.head.handle_type);
	handle.head.handle_bytes = 4;
	say("in 4 bytes", name_to_handle_at(AT_FDCWD, DEVICE, &handle.head, &mount, 0));
	printf("  %u bytes wanted\n", handle.head.handle_bytes);
}

/* A session ends when its last copy is closed, in whatever process. */
static void last_copy(int device)
{
	struct session held = { sizeof held, -1, "copied" }, again = { sizeof again, -1, "copied" };
	int stay[2];
	char byte;
	ioctl(device, 0xba00, &held);
	pipe(stay);
	pid_t child = fork();
	if (child == 0) {
		close(stay[1]);
		read(stay[0], &byte, 1);
		_exit(0);
	}
	close(held.fd);
	printf("the last copy\n");
	say("while a child has it", ioctl(device, 0xba00, &again));
	close(stay[1]);
	waitpid(child, NULL, 0);
	say("after the child's end", ioctl(device, 0xba00, &again));
}

int main(void)
{
	struct session held = { sizeof held, -1, "one" };
	int device = open(DEVICE, O_RDWR);
	setvbuf(stdout, NULL, _IOLBF, 0);
	all("the device", device);
	say("create", ioctl(device, 0xba00, &held));
	all("a session", held.fd);
	printf("opened with O_PATH\n");
	flags(open(DEVICE, O_PATH | O_NOFOLLOW));
	printf("after F_SETFL\n");
	say("F_SETFL", fcntl(device, F_SETFL, O_NONBLOCK | O_APPEND | O_NOATIME | LARGE_FILE));
	flags(device);
	by_name();
	last_copy(device);
}
