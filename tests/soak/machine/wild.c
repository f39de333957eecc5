/*
 * `wild SEED CLIENTS LAST [FAULTS]`: the first process of an emulated machine in which random clients live. Each boot reads what the boot before
 * preserved, preserves it again, lets CLIENTS clients live and die, and goes into the next kernel, up to boot LAST. A defect is a line that begins
 * with "DEFECT". With FAULTS the machine fails on purpose: then data may be missing, but never be others.
 */
#include "wild.h"
#include <errno.h>
#include <fcntl.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SIDE_BY_SIDE = 4, PATIENCE_MS = 30000 };

struct client { pid_t pid; int number; int64_t began, until, count; int killed; };

uint64_t seed;
int boot, faults, device, session;
static int lived;
static struct stat node;
static struct client clients[SIDE_BY_SIDE];
static struct doing *doings;

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void defect(const char *what, long number, long wanted)
{
	printf("DEFECT seed %lu boot %d: %s (%ld, %ld, %s)\n", seed, boot, what, number, wanted, strerrorname_np(errno));
	fflush(stdout);
}

int need(int answer, const char *what)
{
	if (answer >= 0) return answer;
	if (!faults) {
		defect(what, answer, 0);
		exit(1);
	}
	printf("boot %d: %s: %s\n", boot, what, strerrorname_np(errno));
	return answer;
}

static void begin_client(struct client *client, int number)
{
	uint64_t its = mixed(seed, boot, number);
	struct doing *slot = &doings[client - clients];
	fflush(stdout);
	slot->count = slot->args[0] = 0;
	slot->nr = -1;
	pid_t pid = fork();
	if (pid < 0) return;
	if (pid == 0) {
		setpgid(0, 0);
		doing = slot;
		int stream = memfd_create("stream", 0);
		for (int fd = 0; fd < 3; fd++) dup2(stream, fd);
		close_range(20, ~0u, 0);
		for (int fd = 3; fd < 20; fd++) if (fcntl(fd, F_GETFD) >= 0) keep_fd(fd);
		live(its, 0);
	}
	setpgid(pid, pid);
	int64_t now = now_ms();
	*client = (struct client){ pid, number, now, now + (its % 3 == 0 ? its / 3 % 40 : 500), 0, 0 };
	lived++;
}

/* Whether the client is in a call that cannot wait: then it may take its time, and must end. */
static int stands(struct client *client, int64_t now)
{
	struct doing *slot = &doings[client - clients];
	if (slot->count != client->count) {
		client->count = slot->count;
		client->began = now;
	}
	if (may_wait(slot->nr) || now - client->began > PATIENCE_MS + 5000) return 0;
	if (now - client->began <= PATIENCE_MS) return 1;
	printf("DEFECT seed %lu boot %d client %d: call %ld(%lx, %lx, %lx, %lx) has no answer after %d ms\n", seed, boot, client->number, slot->nr,
	       slot->args[0], slot->args[1], slot->args[2], slot->args[3], PATIENCE_MS);
	return 0;
}

static void tend_client(struct client *client)
{
	int64_t now = now_ms();
	if (client->pid <= 0) return;
	if (waitpid(client->pid, NULL, WNOHANG) == client->pid) {
		kill(-client->pid, SIGKILL);
		client->pid = 0;
		return;
	}
	int in_time = client->until - now;
	if (!client->killed && now >= client->until && (in_time > -500 || !stands(client, now))) {
		kill(-client->pid, SIGKILL);
		client->killed = 1;
		client->began = now;
	}
	if (client->killed && now - client->began > PATIENCE_MS) {
		defect("a client does not die", client->number, 0);
		client->pid = 0;
	}
}

static void bury_orphans(void)
{
	siginfo_t dead = { 0 };
	while (waitid(P_ALL, 0, &dead, WEXITED | WNOHANG | WNOWAIT) == 0 && dead.si_pid > 0) {
		for (int at = 0; at < SIDE_BY_SIDE; at++)
			if (clients[at].pid == dead.si_pid) return;
		waitpid(dead.si_pid, NULL, 0);
		dead.si_pid = 0;
	}
}

static void beat(int number)
{
	int64_t before = now_ms();
	int fd = luo_session(device, 0xba00, "beat");
	if (fd < 0) need(fd, "create a session between clients");
	else close(fd);
	/* Clients remove and move the device. The next ones are to find it. */
	struct stat now;
	if (stat(DEVICE, &now) < 0 || now.st_rdev != node.st_rdev) {
		unlink(DEVICE);
		rmdir(DEVICE);
		mknod(DEVICE, node.st_mode, node.st_rdev);
	}
	if (now_ms() - before > PATIENCE_MS) defect("a session took this time", now_ms() - before, PATIENCE_MS);
	printf("lives %d of boot %d, client %d\n", lived, boot, number);
	fflush(stdout);
}

static void let_live(int many)
{
	for (int number = 0; number < many;) {
		for (int at = 0; at < SIDE_BY_SIDE && number < many; at++) {
			if (clients[at].pid > 0) tend_client(&clients[at]);
			else {
				begin_client(&clients[at], number++);
				if (number % 16 == 0) beat(number);
			}
		}
		bury_orphans();
		usleep(300);
	}
}

static void end_all(void)
{
	for (int at = 0; at < SIDE_BY_SIDE; at++) {
		if (clients[at].pid > 0) clients[at].until = 0;
		while (clients[at].pid > 0) {
			tend_client(&clients[at]);
			usleep(500);
		}
	}
	for (int quiet = 0; quiet < 5; quiet++) {
		usleep(2000);
		bury_orphans();
	}
}

static int entries(const char *directory)
{
	int count = 0;
	DIR *open = opendir(directory);
	while (open && readdir(open)) count++;
	if (open) closedir(open);
	return count;
}

/* luo's process is in the path of the kernel: /proc/PID/fd/N. */
static void say_figures(void)
{
	char path[64], text[4096] = "";
	int luo = atoi(getenv("LUO_KERNEL") + 6);
	snprintf(path, sizeof path, "/proc/%d/status", luo);
	int fd = open(path, O_RDONLY);
	read(fd, text, sizeof text - 1);
	close(fd);
	char *resident = strstr(text, "VmRSS:"), *threads = strstr(text, "Threads:");
	snprintf(path, sizeof path, "/proc/%d/fd", luo);
	printf("figures boot %d fds %d rss %d threads %d\n", boot, entries(path), resident ? atoi(resident + 6) : 0, threads ? atoi(threads + 8) : 0);
}

static void next_kernel(void)
{
	for (int tries = 0; tries < 3; tries++) {
		fflush(stdout);
		if (load_kernel(0) < 0) need(-1, "load the next kernel");
		syscall(SYS_reboot, 0xfee1dead, 0x28121969, 0x45584543, 0);
		if (!faults) printf("boot %d: reboot: %s\n", boot, strerrorname_np(errno));
		end_all();
	}
	if (!faults) defect("no kexec is made", 0, 0);
}

int main(int count, char **arguments)
{
	if (count == 3 && strcmp(arguments[1], "life") == 0) live(getpid(), atoi(arguments[2]));
	if (count < 4) return 2;
	seed = strtoul(arguments[1], NULL, 10);
	boot = atoi(getenv("LUO_BOOT"));
	faults = count > 4;
	seed_random(mixed(seed, boot, 99));
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	/* An fd that luo inherited is none for random calls. */
	close_range(3, ~0u, 0);
	mkdir("/tmp/wild-machine", 0700);
	if (chdir("/tmp/wild-machine") < 0) return 3;
	doings = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	device = need(open(DEVICE, O_RDWR | O_CLOEXEC), "open the device");
	need(stat(DEVICE, &node), "stat the device");
	if (boot > 1) check_data();
	if (boot >= atoi(arguments[3])) {
		printf("done\n");
		return 0;
	}
	keep_data();
	let_live(atoi(arguments[2]));
	if (chance(50)) end_all();
	if (chance(50)) {
		end_all();
		usleep(20000);
		say_figures();
	}
	next_kernel();
	return 1;
}
