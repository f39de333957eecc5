/*
 * The launcher starts CMD for luo. It is a program of 2 KB without a C library, because luo has threads and cannot fork.
 * It forks once. The child installs the filter, sends the filter's listener to luo and executes CMD. The parent is the guard:
 * it is the subreaper of all descendants of CMD, and kills all of them when luo has ended, however luo ended.
 *
 * luo and the launcher talk through a SEQPACKET socket, CHANNEL. luo sends one struct order. The launcher sends messages of
 * two u32: a kind, and a number. build.sh writes the compiled program into machine_code.ts.
 */
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>

enum { CHANNEL = 255, ORDER_MAX = 16384 };
enum { NO_NEW_PRIVS, SECCOMP, SENDMSG, EXECVE, STARTED = 100, ENDED = 101 };
enum { SIGKILL_ = 9, SIGCHLD_ = 17, SIG_IGN_ = 1, WNOHANG_ = 1, POLLIN_ = 1, EINTR_ = 4 };

struct order {
	uint64_t nofile[2];
	uint32_t instructions;
	uint32_t path; /* bytes from the start of rest */
	char rest[];   /* the filter, then the path with its NUL */
};

#if defined(__x86_64__)
enum { N_write = 1, N_open = 2, N_close = 3, N_sendmsg = 46, N_read = 0, N_execve = 59, N_exit_group = 231, N_wait4 = 61,
       N_kill = 62, N_fcntl = 72, N_prctl = 157, N_prlimit64 = 302, N_seccomp = 317, N_openat = 257, N_clone = 56,
       N_ppoll = 271, N_rt_sigaction = 13, N_pidfd_open = 434 };

static long call(long n, long a, long b, long c, long d, long e)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	long answer;
	__asm__ volatile("syscall" : "=a"(answer) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8) : "rcx", "r11", "memory");
	return answer;
}

__asm__(".globl _start\n_start: mov %rsp, %rdi\n and $-16, %rsp\n call launcher\n");
#elif defined(__aarch64__)
enum { N_write = 64, N_close = 57, N_sendmsg = 211, N_read = 63, N_execve = 221, N_exit_group = 94, N_wait4 = 260,
       N_kill = 129, N_fcntl = 25, N_prctl = 167, N_prlimit64 = 261, N_seccomp = 277, N_openat = 56, N_clone = 220,
       N_ppoll = 73, N_rt_sigaction = 134, N_pidfd_open = 434 };

static long call(long n, long a, long b, long c, long d, long e)
{
	register long x8 __asm__("x8") = n;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
	return x0;
}

__asm__(".globl _start\n_start: mov x0, sp\n b launcher\n");
#endif

static void say(uint32_t what, uint32_t number)
{
	uint32_t words[2] = { what, number };
	call(N_write, CHANNEL, (long)words, sizeof words, 0, 0);
}

static long need(long answer, uint32_t stage)
{
	if (answer < 0) {
		say(stage, -answer);
		call(N_exit_group, 127, 0, 0, 0, 0);
	}
	return answer;
}

/* Sends one byte with the listener attached. */
static long send_fd(long fd)
{
	struct { uint64_t size; int32_t level, type, fd, padding; } control = { 20, 1, 1, fd, 0 };
	struct { void *at; uint64_t size; } piece = { &control, 1 };
	struct { void *name; uint64_t name_size; void *pieces; uint64_t count; void *control; uint64_t size; uint64_t flags; }
	message = { 0, 0, &piece, 1, &control, sizeof control, 0 };
	return call(N_sendmsg, CHANNEL, (long)&message, 0, 0, 0);
}

static void become(struct order *order, long argv, long envp)
{
	struct { uint16_t count; void *filter; } program = { order->instructions, order->rest };
	long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_SPEC_ALLOW | 32 /* WAIT_KILLABLE_RECV */;
	call(N_prctl, 1 /* PR_SET_PDEATHSIG */, SIGKILL_, 0, 0, 0);
	if (order->nofile[1] != 0) call(N_prlimit64, 0, 7 /* RLIMIT_NOFILE */, (long)order->nofile, 0, 0);
	need(call(N_prctl, 38 /* PR_SET_NO_NEW_PRIVS */, 1, 0, 0, 0), NO_NEW_PRIVS);
	long listener = need(call(N_seccomp, SECCOMP_SET_MODE_FILTER, flags, (long)&program, 0, 0), SECCOMP);
	need(send_fd(listener), SENDMSG);
	need(call(N_execve, (long)(order->rest + order->path), argv, envp, 0, 0), EXECVE);
}

/* A process that loses its parent becomes a child of this process: killing children until none is left kills all descendants. */
static void kill_everybody(void)
{
	static char names[65536];
	for (;;) {
		long fd = call(N_openat, -100, (long)"/proc/thread-self/children", 0, 0, 0);
		long size = call(N_read, fd, (long)names, sizeof names, 0, 0);
		call(N_close, fd, 0, 0, 0, 0);
		for (long at = 0, pid = 0; at < size; at++) {
			if (names[at] >= '0' && names[at] <= '9') {
				pid = pid * 10 + names[at] - '0';
			} else if (pid > 0) {
				call(N_kill, pid, SIGKILL_, 0, 0, 0);
				pid = 0;
			}
		}
		long answer = call(N_wait4, -1, 0, 0, 0, 0);
		if (answer < 0 && answer != -EINTR_) return;
	}
}

/* Returns when luo closes the channel or ends. */
static void watch(long init)
{
	struct { int32_t fd; int16_t events, got; } files[2] = { { CHANNEL, POLLIN_, 0 }, { 0, POLLIN_, 0 } };
	struct { int64_t s, ns; } second = { 1, 0 };
	int32_t status;
	files[1].fd = call(N_pidfd_open, init, 0, 0, 0, 0);
	for (;;) {
		call(N_ppoll, (long)files, 2, (long)&second, 0, 8);
		if (files[0].got) break;
		for (;;) {
			long pid = call(N_wait4, -1, (long)&status, WNOHANG_, 0, 0);
			if (pid <= 0) break;
			if (pid != init) continue;
			say(ENDED, status);
			files[1].fd = -1;
		}
		second.s = 1;
		second.ns = 0;
	}
	kill_everybody();
}

static void ignore_signals(void)
{
	struct { long handler, flags, restorer, mask; } ignore = { SIG_IGN_, 0, 0, 0 };
	for (long signal = 1; signal < 32; signal++)
		if (signal != SIGCHLD_) call(N_rt_sigaction, signal, (long)&ignore, 0, 8, 0);
}

/* `stack` is the initial stack: argc, argv..., NULL, envp..., NULL. */
__attribute__((used)) void launcher(long *stack)
{
	static char buffer[ORDER_MAX];
	long argv = (long)(stack + 1), envp = (long)(stack + stack[0] + 2);
	call(N_fcntl, CHANNEL, 2 /* F_SETFD */, 1, 0, 0);
	call(N_read, CHANNEL, (long)buffer, sizeof buffer, 0, 0);
	call(N_prctl, 36 /* PR_SET_CHILD_SUBREAPER */, 1, 0, 0, 0);
	long init = call(N_clone, SIGCHLD_, 0, 0, 0, 0);
	if (init == 0) become((struct order *)buffer, argv, envp);
	ignore_signals();
	if (init > 0) say(STARTED, init);
	else need(init, EXECVE);
	watch(init);
	call(N_exit_group, 0, 0, 0, 0, 0);
}
