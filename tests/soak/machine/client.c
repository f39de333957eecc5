/* The life of a client: calls, threads, children, signals, fds that are sent, and an end that is its own or not. */
#include "wild.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static int pair[2] = { -1, -1 };
static int executed;

static void calls(int count)
{
	while (count-- > 0) random_call();
}

static void *in_thread(void *seed)
{
	seed_random((uint64_t)seed);
	calls(5 + below(30));
	if (chance(5)) _exit(0);
	return NULL;
}

static void threads(void)
{
	pthread_t started[3];
	int count = 1 + below(3);
	for (int at = 0; at < count; at++) {
		uint64_t seed = mixed(below(~0u), at, 1);
		if (pthread_create(&started[at], NULL, in_thread, (void *)seed)) count = at;
	}
	calls(below(20));
	/* Other threads may be in the middle of a call when this one executes, ends or waits. */
	if (chance(20)) return;
	for (int at = 0; at < count; at++) pthread_join(started[at], NULL);
}

static pid_t child(void (*what)(void))
{
	uint64_t seed = mixed(below(~0u), 2, 2);
	pid_t pid = fork();
	if (pid == 0) {
		doing = NULL;
		seed_random(seed);
		what();
		_exit(0);
	}
	/* kill(-1) would be for everybody. */
	if (pid < 0) _exit(0);
	return pid;
}

static void some_calls(void) { calls(3 + below(20)); }

static void children(void)
{
	pid_t pids[3];
	int count = 1 + below(3);
	for (int at = 0; at < count; at++) pids[at] = child(some_calls);
	calls(below(10));
	for (int at = 0; at < count; at++) {
		if (chance(30)) kill(pids[at], PICK(((const int[]){ SIGKILL, SIGSEGV, SIGTERM, SIGSTOP })));
		if (chance(20)) continue;
		kill(pids[at], SIGCONT);
		waitpid(pids[at], NULL, 0);
	}
}

static void send_fds(void)
{
	char control[CMSG_SPACE(sizeof(int[4]))] = { 0 };
	struct iovec piece = { "x", 1 };
	struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_LEN(sizeof(int[4])) };
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);
	int fds[4], count = 1 + below(4);
	if (pair[0] < 0 && socketpair(AF_UNIX, PICK(((const int[]){ SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET })), 0, pair) < 0) return;
	for (int at = 0; at < count; at++) fds[at] = some_fd();
	*head = (struct cmsghdr){ CMSG_LEN(count * sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
	message.msg_controllen = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(head), fds, count * sizeof(int));
	sendmsg(pair[0], &message, MSG_DONTWAIT);
}

static void receive_fds(void)
{
	char control[CMSG_SPACE(sizeof(int[4]))] = { 0 }, byte;
	struct iovec piece = { &byte, 1 };
	struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
	if (pair[1] < 0 || recvmsg(pair[1], &message, MSG_DONTWAIT | (chance(50) ? MSG_CMSG_CLOEXEC : 0) | (chance(10) ? MSG_PEEK : 0)) < 0) return;
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);
	if (head == NULL || head->cmsg_type != SCM_RIGHTS) return;
	for (size_t at = 0; at < (head->cmsg_len - CMSG_LEN(0)) / sizeof(int); at++) keep_fd(((int *)CMSG_DATA(head))[at]);
}

static void passing(void)
{
	send_fds();
	pid_t pid = chance(50) ? child(receive_fds) : -1;
	for (int count = below(6); count > 0; count--) chance(50) ? send_fds() : receive_fds();
	calls(below(10));
	if (pid > 0 && chance(80)) waitpid(pid, NULL, 0);
}

static void on_alarm(int signal) { (void)signal; }

/* Without SA_RESTART. */
static void alarms(void)
{
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval often = { { 0, 200 + below(2000) }, { 0, 200 } }, never = { 0 };
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	calls(10 + below(30));
	setitimer(ITIMER_REAL, &never, NULL);
}

static void traced_child(void)
{
	ptrace(PTRACE_TRACEME, 0, 0, 0);
	raise(SIGSTOP);
	calls(5);
}

static void debugger(void)
{
	int status, rounds = below(30);
	pid_t pid = child(chance(50) ? traced_child : some_calls);
	long attached = chance(50) ? ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEEXEC) : 0;
	if (attached == 0) {
		for (int round = 0; round < rounds; round++) {
			for (int tries = 0; tries < 20; tries++) {
				pid_t got = waitpid(pid, &status, WNOHANG | __WALL);
				if (got == pid && WIFSTOPPED(status)) break;
				if (got < 0 || (got == pid && !WIFSTOPPED(status))) return;
				usleep(200);
			}
			ptrace(PICK(((const enum __ptrace_request[]){ PTRACE_CONT, PTRACE_SYSCALL, PTRACE_SINGLESTEP, PTRACE_INTERRUPT, PTRACE_LISTEN })), pid, 0, 0);
			if (chance(20)) random_call();
		}
	}
	if (chance(50)) ptrace(PTRACE_DETACH, pid, 0, 0);
	kill(pid, SIGKILL);
	waitpid(pid, &status, __WALL);
}

static void executes(void)
{
	char *const arguments[] = { "true", NULL }, *const none[] = { NULL };
	char depth[16];
	snprintf(depth, sizeof depth, "%d", executed + 1);
	if (chance(30)) calls(10);
	if (executed > 1) return;
	pid_t pid = chance(50) ? vfork() : fork();
	if (pid == 0) {
		if (chance(50)) execve("/bin/true", arguments, none);
		execve("/proc/self/exe", (char *const[]){ "wild", "life", depth, NULL }, none);
		_exit(1);
	}
	if (chance(80)) waitpid(pid, NULL, 0);
}

static void limits(void)
{
	struct rlimit few = { 3 + below(30), 3 + below(30) + 30 }, short_files = { below(65536), RLIM_INFINITY };
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_NOFILE, &few);
	if (chance(50)) setrlimit(RLIMIT_FSIZE, &short_files);
	calls(20);
}

static void another_user(void)
{
	static const uid_t users[] = { 65534, 1000 };
	if (chance(50)) setgid(PICK(users));
	if (setuid(PICK(users)) == 0) calls(20);
}

static void own_filter(void)
{
	struct sock_filter allow[] = { { BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW } };
	struct sock_fprog program = { 1, allow };
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (chance(70)) syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, PICK(((const int[]){ 0, 1, 8, 9 })), &program);
	else prctl(PR_SET_SECCOMP, PICK(((const int[]){ 1, 2, 3 })), &program);
	calls(20);
}

static int shares_files(void *seed)
{
	doing = NULL;
	seed_random((uint64_t)seed);
	calls(15);
	return 0;
}

static void shared_table(void)
{
	char *stack = mmap(NULL, 1 << 18, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int flags = PICK(((const int[]){ CLONE_FILES, CLONE_FILES | CLONE_FS, CLONE_FS, CLONE_NEWPID, CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWNET }));
	pid_t pid = clone(shares_files, stack + (1 << 18), flags | SIGCHLD, (void *)mixed(below(~0u), 3, 3));
	calls(10);
	if (pid > 0) waitpid(pid, NULL, 0);
}

static void names(void)
{
	symlink(DEVICE, "/tmp/wild-link");
	mkdir("/tmp/wild-dir", 0700);
	/* No other call makes a link of this name, which would lead a mount elsewhere. */
	close(open("/dev/shm/mounted-on", O_CREAT | O_RDWR | O_CLOEXEC, 0600));
	if (chance(20)) syscall(SYS_mount, DEVICE, "/dev/shm/mounted-on", 0, 4096 /* MS_BIND */, 0);
	if (chance(20)) syscall(SYS_umount2, "/dev/shm/mounted-on", 2 | 8 /* MNT_DETACH, UMOUNT_NOFOLLOW */);
	if (chance(10) && child(some_calls) == 0) syscall(SYS_chroot, "/tmp/wild-dir");
	calls(15);
}

/* The machine goes into its next kernel in the middle of everything, now and then. */
static void kexec(void)
{
	calls(5);
	load_kernel(PICK(((const int[]){ 0, 0, 0, 1, 2, 8 })));
	calls(5);
	if (chance(6)) syscall(SYS_reboot, 0xfee1dead, 0x28121969, 0x45584543, 0);
}

void live(uint64_t seed, int depth)
{
	static void (*const kinds[])(void) = {
		some_calls, some_calls, threads, threads, children, passing, passing, alarms, debugger, executes, limits, another_user, own_filter, shared_table, names, kexec,
	};
	seed_random(seed);
	executed = depth;
	make_memory();
	for (int count = 1 + below(3); count > 0; count--) PICK(kinds)();
	_exit(0);
}
