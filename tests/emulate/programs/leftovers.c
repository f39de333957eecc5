/* What of one boot is left in the next: nothing. Loads $LUO_KERNEL in the first boot and says in each what it finds. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/msg.h>
#include <sys/reboot.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { KEY = 0x4c7401 };

static void say(const char *what, long answer)
{
	printf("%s: %s\n", what, answer < 0 ? strerrorname_np(errno) : "there");
}

static int meet(int (*how)(int, const struct sockaddr *, socklen_t))
{
	struct sockaddr_un at = { AF_UNIX, "/run/left-socket" };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	int answer = how(fd, (struct sockaddr *)&at, sizeof at);
	if (how == bind) listen(fd, 1);
	return answer;
}

static void clocks(void)
{
	struct timespec monotonic, boot;
	char text[64] = "";
	int fd = open("/proc/uptime", O_RDONLY);
	read(fd, text, sizeof text - 1);
	close(fd);
	clock_gettime(CLOCK_MONOTONIC, &monotonic);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	printf("clocks: %s\n", monotonic.tv_sec < 300 && boot.tv_sec < 300 && atof(text) < 300 ? "new" : "old");
}

static void look(void)
{
	static char log[1 << 20];
	clocks();
	say("/dev/shm/left", access("/dev/shm/left", F_OK));
	say("/tmp/left", access("/tmp/left", F_OK));
	say("/run/left", access("/run/left", F_OK));
	say("listener", meet(connect));
	say("shared memory", shmget(KEY, 4096, 0600));
	say("semaphores", semget(KEY, 1, 0600));
	say("messages", msgget(KEY, 0600));
	say("queue", mq_open("/left", O_RDONLY));
	int got = klogctl(3, log, sizeof log - 1);
	printf("log: %s\n", got > 0 && strstr(log, "luo: Retrieved live update data") ? "handed over" : "first kernel");
}

static void leave(void)
{
	close(open("/dev/shm/left", O_CREAT | O_RDWR, 0600));
	close(open("/tmp/left", O_CREAT | O_RDWR, 0600));
	close(open("/run/left", O_CREAT | O_RDWR, 0600));
	meet(bind);
	shmget(KEY, 4096, 0600 | IPC_CREAT);
	semget(KEY, 1, 0600 | IPC_CREAT);
	msgget(KEY, 0600 | IPC_CREAT);
	mq_open("/left", O_CREAT | O_RDWR, 0600, NULL);
	if (fork() == 0) for (;;) pause();
}

static void load(void)
{
	const char *line = getenv("LUO_CMDLINE");
	int kernel = open(getenv("LUO_KERNEL"), O_RDONLY), initrd = open(getenv("LUO_INITRD"), O_RDONLY);
	if (syscall(SYS_kexec_file_load, kernel, initrd, strlen(line) + 1, line, 0) < 0) say("load", -1);
}

int main(void)
{
	const char *boot = getenv("LUO_BOOT");
	printf("boot %s\n", boot);
	look();
	if (boot[0] == '2') return 0;
	leave();
	printf("after leaving it\n");
	look();
	fflush(stdout);
	load();
	reboot(0x45584543);
	say("reboot", -1);
}
