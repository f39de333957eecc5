/* What C programs do with the device that a single thread of a single process does not: prints one line a check. */
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

struct session { uint32_t size; int32_t fd; uint8_t name[64]; };

static int create(int device, const char *name)
{
	struct session s = { .size = sizeof(s), .fd = -1 };

	strcpy((char *)s.name, name);
	return ioctl(device, 0xba00, &s) < 0 ? -errno : s.fd;
}

static int device;

static void *thread(void *arg)
{
	printf("thread %d\n", create(device, "by-thread") >= 0);
	return NULL;
}

static int pass(int fd)
{
	int pair[2], got;
	char byte = 0, control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { &byte, 1 };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	sendmsg(pair[0], &message, 0);
	close(fd);
	recvmsg(pair[1], &message, 0);
	memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(got));
	return got;
}

int main(int argc, char **argv)
{
	pthread_t id;
	int copy, status;

	setvbuf(stdout, NULL, _IONBF, 0);
	if (argc > 1) {
		printf("exec %d\n", create(atoi(argv[1]), "by-exec") >= 0);
		return 0;
	}
	chdir("/dev");
	device = open("./liveupdate", O_RDWR | O_CLOEXEC);
	printf("open %d\n", device >= 0);
	printf("fault %d\n", ioctl(device, 0xba00, (void *)8) < 0 && errno == EFAULT);
	pthread_create(&id, NULL, thread, NULL);
	pthread_join(id, NULL);
	copy = dup(device);
	close(device);
	device = copy;
	printf("dup %d\n", create(device, "by-dup") >= 0);
	if (fork() == 0) {
		printf("fork %d\n", create(device, "by-fork") >= 0);
		exit(0);
	}
	wait(&status);
	device = pass(device);
	printf("passed %d\n", create(device, "by-rights") >= 0);
	copy = dup(device);
	char number[16], *const args[] = { "program", number, NULL };
	pid_t pid;
	sprintf(number, "%d", copy);
	printf("spawn %d\n", posix_spawn(&pid, "/proc/self/exe", NULL, NULL, args, NULL));
	waitpid(pid, &status, 0);
	close(copy);
	close(device);
	device = open("/dev/liveupdate", O_RDWR);
	printf("again %d\n", device >= 0);
	kill(getpid(), 15);
	return 0;
}
