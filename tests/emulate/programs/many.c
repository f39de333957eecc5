/* Threads, fork, vfork, posix_spawn, exec and daemons each make a session. Its name stays taken as long as a process holds it. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int device;

static const char *make(const char *name, int *fd)
{
	struct { uint32_t size; int32_t fd; char name[64]; } argument = { 72, -1, "" };
	strcpy(argument.name, name);
	int answer = ioctl(device, 0xba00, &argument);
	*fd = argument.fd;
	return answer == 0 ? "made" : strerrorname_np(errno);
}

static void *thread(void *name)
{
	static const char *said;
	int fd;
	said = make(name, &fd);
	return (void *)said;
}

static void say(const char *who, const char *what) { printf("%s: %s\n", who, what); fflush(stdout); }

static int send_fd(int socket, int fd)
{
	char room[CMSG_SPACE(sizeof fd)] = "", byte = 0;
	struct iovec piece = { &byte, 1 };
	struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	*header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
	memcpy(CMSG_DATA(header), &fd, sizeof fd);
	return sendmsg(socket, &message, 0);
}

int main(int count, char **arguments)
{
	int fd, pair[2], status;
	if (count > 1) {
		device = atoi(arguments[1]);
		say("spawned", make("spawned", &fd));
		return 0;
	}
	device = open("/dev/liveupdate", O_RDWR);

	pthread_t started;
	void *said;
	pthread_create(&started, NULL, thread, "thread");
	pthread_join(started, &said);
	say("thread", said);

	if (fork() == 0) {
		say("child", make("child", &fd));
		_exit(0);
	}
	wait(&status);
	say("child's name after its death", make("child", &fd));

	if (vfork() == 0) {
		static int made;
		make("vforked", &made);
		_exit(0);
	}
	wait(&status);
	say("vforked", make("vforked", &fd));

	char number[16], *words[] = { arguments[0], number, NULL };
	char *none[] = { NULL };
	pid_t pid;
	sprintf(number, "%d", device);
	posix_spawn(&pid, arguments[0], NULL, NULL, words, none);
	waitpid(pid, &status, 0);

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	make("in flight", &fd);
	send_fd(pair[0], fd);
	close(fd);
	say("in flight", make("in flight", &fd));
	close(pair[0]);
	close(pair[1]);
	say("socket closed", make("in flight", &fd));

	int held;
	make("daemon", &held);
	if (fork() == 0) {
		daemon(0, 1);
		sleep(1000);
	}
	wait(&status);
	close(held);
	say("held by a daemon", make("daemon", &fd));
	return 0;
}
