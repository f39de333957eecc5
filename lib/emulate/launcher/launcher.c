/*
 * The launcher starts CMD for luo. It is a program without a C library, because luo has threads and cannot fork.
 * It forks once. The child installs the filter, sends the filter's listener to luo and executes CMD. The parent is the guard:
 * it is the subreaper of all descendants of CMD, and kills all of them when luo has ended, however luo ended.
 *
 * Before that it makes namespaces, so that nothing of one boot is there in the next: mounts, IPC, clocks and a host name of the machine's own.
 *
 * luo and the launcher talk through a SEQPACKET socket, CHANNEL. luo sends one struct order. The launcher sends messages of
 * two u32: a kind, and a number. build.sh writes the compiled program into x86_64.ts and aarch64.ts.
 */
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include "again.h"
#include "arm.h"
#include "ends.h"
#include "names.h"
#include "ordinary.h"
#include "proc.h"
#include "search.h"
#include "signals.h"
#include "trip.h"
#include "tripwires.h"
#include "watch.h"

enum { ORDER_MAX = 32768 };
/*
 * Where few calls are watched, a stop for nothing is rare, and one filter covers the device and its session: most programs make a session
 * as soon as they have the device.
 */
enum { SINGLE_FILTERS = 6 };
enum { NO_NEW_PRIVS, SECCOMP, SENDMSG, EXECVE, STARTED = 100, ENDED = 101, SHARED = 102 };
/* Bits of SHARED: what the machine shares with the host, because there is no namespace for it. */
enum { SHARES_NAMES = 1, SHARES_IPC = 2, SHARES_CLOCKS = 4, SHARES_HOST_NAME = 8, LACKS_TRACING = 16, LACKS_TRIPWIRES = 32 };
enum { POLLIN_ = 1 };

/*
 * CMD's filter: by tripwires; where there are none and all opens are trapped; where the guard may not trace. The filter for numbers (watch.h): with
 * tripwires, and without.
 */
enum { FREE, ALL_OPENS, UNTRACED, WATCH_FREE, WATCH_ALL_OPENS, FILTERS };

struct order {
	uint64_t nofile[2];
	uint32_t filter[FILTERS]; /* how many instructions each has */
	uint32_t plan;         /* bytes of the plan for lay_tripwires() */
	uint64_t mark;         /* trip.h */
	uint64_t follows;      /* ordinary.h */
	uint64_t steady[8];    /* again.h */
	char rest[];           /* the filters, the plan, then the path with its NUL */
};

static void *filter_of(struct order *order, uint32_t which)
{
	char *at = order->rest;
	for (uint32_t index = 0; index < which; index++) at += 8 * order->filter[index];
	return at;
}

#if defined(__x86_64__)
__asm__(".globl _start\n_start: mov %rsp, %rdi\n and $-16, %rsp\n call launcher\n");
#elif defined(__aarch64__)
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

/* --- The namespaces of the machine --- */

enum { O_WRONLY_ = 1, AT_FDCWD_ = -100 };
enum { CLONE_NEWUTS_ = 0x4000000, CLONE_NEWIPC_ = 0x8000000, CLONE_NEWUSER_ = 0x10000000, CLONE_NEWTIME_ = 0x80 };

static long put(const char *path, const char *text, long length)
{
	long fd = call(N_openat, AT_FDCWD_, (long)path, O_WRONLY_, 0, 0);
	long answer = fd < 0 ? fd : call(N_write, fd, (long)text, length, 0, 0);
	if (fd >= 0) call(N_close, fd, 0, 0, 0, 0);
	return answer;
}

/* In a user namespace of its own, with the same user, the launcher may make the other namespaces. */
static long become_owner(void)
{
	char map[64], *end;
	uint64_t uid = call(N_geteuid, 0, 0, 0, 0, 0), gid = call(N_getegid, 0, 0, 0, 0, 0);
	long answer = call(N_unshare, CLONE_NEWUSER_, 0, 0, 0, 0);
	if (answer < 0) return answer;
	put("/proc/self/setgroups", "deny", 4);
	end = append(append_number(append(append_number(map, uid), " "), uid), " 1");
	answer = put("/proc/self/uid_map", map, end - map);
	end = append(append_number(append(append_number(map, gid), " "), gid), " 1");
	return answer < 0 ? answer : put("/proc/self/gid_map", map, end - map);
}

/* The children of this process see clocks that start now. */
static long new_clocks(void)
{
	struct { int64_t s, ns; } now, raw;
	char text[64], *end;
	long answer = call(N_unshare, CLONE_NEWTIME_, 0, 0, 0, 0);
	if (answer < 0) return answer;
	call(N_clock_gettime, 1 /* CLOCK_MONOTONIC */, (long)&now, 0, 0, 0);
	/* One offset is for this one as well, and it may not be negative. CLOCK_BOOTTIME is never behind CLOCK_MONOTONIC. */
	call(N_clock_gettime, 4 /* CLOCK_MONOTONIC_RAW */, (long)&raw, 0, 0, 0);
	int64_t early = now.s > raw.s ? now.s - raw.s : 0;
	end = append(append_number(append(text, "monotonic -"), now.s - early), " 0\nboottime -");
	call(N_clock_gettime, 7 /* CLOCK_BOOTTIME */, (long)&now, 0, 0, 0);
	end = append(append_number(end, now.s - early), " 0\n");
	return put("/proc/self/timens_offsets", text, end - text);
}

/* Returns what could not be had. */
static uint32_t isolate(void)
{
	uint32_t shared = 0;
	long ipc = call(N_unshare, CLONE_NEWIPC_, 0, 0, 0, 0);
	if (ipc < 0 && become_owner() >= 0) ipc = call(N_unshare, CLONE_NEWIPC_, 0, 0, 0, 0);
	if (ipc < 0) shared |= SHARES_IPC;
	if (call(N_unshare, CLONE_NEWUTS_, 0, 0, 0, 0) < 0) shared |= SHARES_HOST_NAME;
	if (new_clocks() < 0) shared |= SHARES_CLOCKS;
	if (own_names() < 0) shared |= SHARES_NAMES;
	else if (ipc == 0) call(N_mount, (long)"mqueue", (long)"/dev/mqueue", (long)"mqueue", 0, 0);
	return shared;
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

/* Another listener excludes luo's. A child tries it, before anything is made for the machine. */
static long may_listen(void)
{
	struct sock_filter allow = { BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW };
	struct { uint16_t count; void *filter; } program = { 1, &allow };
	int32_t status = 0;
	long child = call(N_clone, SIGCHLD_, 0, 0, 0, 0);
	if (child == 0) {
		call(N_prctl, 38 /* PR_SET_NO_NEW_PRIVS */, 1, 0, 0, 0);
		long listener = call(N_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, (long)&program, 0, 0);
		call(N_exit_group, listener < 0 ? -listener : 0, 0, 0, 0, 0);
	}
	if (child > 0) call(N_wait4, child, (long)&status, WALL_, 0, 0);
	return child < 0 ? child : -(status >> 8 & 0xff);
}

static void become(struct order *order, uint32_t which, long argv, long envp)
{
	char *path = (char *)filter_of(order, FILTERS) + order->plan;
	struct { uint16_t count; void *filter; } program = { order->filter[which], filter_of(order, which) };
	long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_SPEC_ALLOW | 32 /* WAIT_KILLABLE_RECV */;
	call(N_prctl, 1 /* PR_SET_PDEATHSIG */, SIGKILL_, 0, 0, 0);
	if (order->nofile[1] != 0) call(N_prlimit64, 0, 7 /* RLIMIT_NOFILE */, (long)order->nofile, 0, 0);
	/* With CAP_SYS_ADMIN it works without no_new_privs, so that setuid programs work. */
	long listener = call(N_seccomp, SECCOMP_SET_MODE_FILTER, flags, (long)&program, 0, 0);
	if (listener == -EACCES_) {
		need(call(N_prctl, 38 /* PR_SET_NO_NEW_PRIVS */, 1, 0, 0, 0), NO_NEW_PRIVS);
		listener = call(N_seccomp, SECCOMP_SET_MODE_FILTER, flags, (long)&program, 0, 0);
	}
	need(listener, SECCOMP);
	need(send_fd(listener), SENDMSG);
	need(call(N_execve, (long)path, argv, envp, 0, 0), EXECVE);
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
		long answer = call(N_wait4, -1, 0, WALL_, 0, 0);
		if (answer < 0 && answer != -EINTR_) return;
	}
}

static uint32_t reaped(int32_t *status)
{
	long pid = call(N_wait4, -1, (long)status, WNOHANG_ | WALL_, 0, 0);
	return pid > 0 ? pid : 0;
}

/* Returns when luo closes the channel or ends. */
static void watch(uint32_t init)
{
	static const uint64_t ended = 1ul << (SIGCHLD_ - 1);
	struct { int32_t fd; int16_t events, got; } files[3] = { { CHANNEL, POLLIN_, 0 }, { 0, POLLIN_, 0 }, { trips(), POLLIN_, 0 } };
	char signals[1024];
	int32_t status;
	expect_ends();
	files[1].fd = call(N_signalfd4, -1, (long)&ended, 8, 04000 /* SFD_NONBLOCK */, 0);
	for (;;) {
		for (;;) {
			uint32_t pid;
			if (!next_end(&pid, &status)) pid = reaped(&status);
			if (pid == 0) break;
			watch_event(pid, status);
			if (serves_tripwires(pid)) end_tripwires();
			if (pid == init && (status & 0xff) != 0x7f) say(ENDED, status);
		}
		call(N_ppoll, (long)files, 3, 0, 0, 8);
		if (files[1].got) call(N_read, files[1].fd, (long)signals, sizeof signals, 0, 0);
		if (files[2].got && !trip_over()) files[2].fd = -1;
		if (files[0].got && !watch_order()) break;
	}
	end_tripwires();
	kill_everybody();
}

struct action { long handler, flags, restorer, mask; };

/* `stack` is the initial stack: argc, argv..., NULL, envp..., NULL. */
__attribute__((used)) void launcher(long *stack)
{
	static char buffer[ORDER_MAX];
	long argv = (long)(stack + 1), envp = (long)(stack + stack[0] + 2);
	call(N_fcntl, CHANNEL, 2 /* F_SETFD */, 1, 0, 0);
	call(N_read, CHANNEL, (long)buffer, sizeof buffer, 0, 0);
	call(N_prctl, 36 /* PR_SET_CHILD_SUBREAPER */, 1, 0, 0, 0);
	struct order *order = (struct order *)buffer;
	/* The kernel forgets the children of a process that ignores SIGCHLD. CMD ignores the signals that luo was started to ignore. */
	struct action usual = { 0, 0, 0, 0 }, inherited;
	call(N_rt_sigaction, SIGCHLD_, (long)&usual, (long)&inherited, 8, 0);
	need(may_listen(), SECCOMP);
	int traced = may_trace();
	uint32_t shared = isolate() | (!traced ? LACKS_TRACING : 0);
	int laid = traced && !(shared & SHARES_NAMES) && lay_tripwires(filter_of(order, FILTERS), order->plan) == 0;
	uint32_t watched = laid ? WATCH_FREE : WATCH_ALL_OPENS;
	say(SHARED, shared | (!laid ? LACKS_TRIPWIRES : 0));
	never_interrupted(order->steady);
	luo_follows(order->follows);
	watch_filter(filter_of(order, watched), order->filter[watched], order->follows ? SINGLE_FILTERS : 0);
	mark_of_opens(order->mark);
	long init = call(N_clone, SIGCHLD_, 0, 0, 0, 0);
	if (init == 0) {
		call(N_rt_sigaction, SIGCHLD_, (long)&inherited, 0, 8, 0);
		become(order, laid ? FREE : traced ? ALL_OPENS : UNTRACED, argv, envp);
	}
	ignore_signals();
	if (init > 0) say(STARTED, init);
	else need(init, EXECVE);
	watch(init);
	call(N_exit_group, 0, 0, 0, 0, 0);
}
