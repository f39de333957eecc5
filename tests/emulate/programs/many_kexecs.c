/*
 * `many_kexecs LAST STEP`: one live update after the other, up to boot LAST. Each boot reads what the one before preserved, leaves much behind, and
 * preserves the number of the boot. After every STEP boots it prints the number, and waits for a line on its standard input.
 */
#include "luo.h"
#include <mqueue.h>
#include <pthread.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/un.h>

enum { FILES = 4, SIZE = 1 << 16 };

static int boot;

static int need(int answer, const char *what)
{
	if (answer < 0) {
		printf("boot %d: %s: %s\n", boot, what, strerrorname_np(errno));
		exit(1);
	}
	return answer;
}

/* The content of file `index`, as boot `number` preserves it. */
static void content(unsigned char *into, int number, int index)
{
	for (int at = 0; at < SIZE; at++) into[at] = number * 31 + index * 7 + at * 13 + (at >> 8);
}

static void check(int device)
{
	static unsigned char expected[SIZE], found[SIZE + 1];
	int held = need(session(device, RETRIEVE, "kept"), "retrieve the session");
	for (int index = 0; index < FILES; index++) {
		int fd = need(restore(held, index), "restore");
		content(expected, boot - 1, index);
		int got = need(pread(fd, found, sizeof found, 0), "read");
		if (got != SIZE || memcmp(expected, found, SIZE) != 0) {
			printf("boot %d: file %d is another (%d bytes)\n", boot, index, got);
			exit(1);
		}
		/* Every other one stays open until the kexec. */
		if (index % 2) close(fd);
	}
	need(finish(held), "finish");
	if (boot % 2) close(held);
}

static int keep(int device)
{
	static unsigned char bytes[SIZE];
	int held = need(session(device, CREATE, "kept"), "create the session");
	for (int index = 0; index < FILES; index++) {
		int fd = need(memfd_create("kept", MFD_CLOEXEC | MFD_ALLOW_SEALING), "memfd_create");
		content(bytes, boot, index);
		need(write(fd, bytes, SIZE), "write");
		need(preserve(held, fd, index), "preserve");
		if (index % 2) close(fd);
	}
	return held;
}

static void *wait_for_ever(void *nothing)
{
	for (;;) pause();
	return nothing;
}

/* What must not be there in the next boot, nor stay on the host. */
static void leave(int device, int held)
{
	static const char *const files[] = { "/dev/shm/left", "/tmp/left", "/run/left", "/dev/left" };
	struct sockaddr_un at = { AF_UNIX, "/run/left-socket" };
	pthread_t thread;
	for (int index = 0; index < 4; index++) {
		if (access(files[index], F_OK) == 0) printf("boot %d: %s is there\n", boot, files[index]);
		int fd = open(files[index], O_CREAT | O_RDWR, 0600);
		write(fd, files, sizeof files);
		close(fd);
	}
	symlink("/dev/liveupdate", "/tmp/link");
	int listener = socket(AF_UNIX, SOCK_STREAM, 0), queue = open("/dev/null", O_RDONLY);
	need(bind(listener, (struct sockaddr *)&at, sizeof at), "bind");
	listen(listener, 1);
	need(shmget(boot, 4096, 0600 | IPC_CREAT), "shmget");
	need(semget(boot, 1, 0600 | IPC_CREAT), "semget");
	need(msgget(boot, 0600 | IPC_CREAT), "msgget");
	mq_open("/left", O_CREAT | O_RDWR, 0600, NULL);
	dup(held);
	dup2(device, 100);
	close(queue);
	if (session(device, CREATE, "empty") < 0) printf("boot %d: empty: %s\n", boot, strerrorname_np(errno));
	if (fork() == 0) {
		if (setsid() >= 0 && fork() == 0) close(held);
		wait_for_ever(NULL);
	}
	pthread_create(&thread, NULL, wait_for_ever, NULL);
}

int main(int count, char **arguments)
{
	int last = atoi(arguments[count - 2]), step = atoi(arguments[count - 1]);
	char line[16];
	boot = atoi(getenv("LUO_BOOT"));
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (boot % step == 1 % step) {
		printf("boot %d\n", boot);
		read(0, line, sizeof line);
	}
	int device = need(open(DEVICE, O_RDWR | O_CLOEXEC), DEVICE);
	if (boot > 1) check(device);
	if (boot == last) return 0;
	leave(device, keep(device));
	next_boot();
	return 1;
}
