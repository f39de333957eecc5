/*
 * See again.h. At such a stop x86-64 has yet to decide about the interrupted call, and the guard decides. aarch64 is about to make the
 * call again, and changes its mind when it calls a handler: the guard corrects what the handler returns to.
 */
#include "again.h"
#include "proc.h"

enum { CALLS = 512, PATH_MAX_ = 4096, ERESTARTSYS_ = 512, ERESTARTNOINTR_ = 513, AT_FDCWD_ = -100 };
enum { S_IFMT_ = 0170000, S_IFREG_ = 0100000, S_IFDIR_ = 0040000, S_IFCHR_ = 0020000, MEMORY_DEVICES = 0x100, LIVEUPDATE_TYPE = 0xba00 };

#if defined(__x86_64__)
/* Words of struct stat: the mode is in the lower half. */
enum { STAT_MODE = 3, STAT_DEVICE = 5 };
#else
enum { STAT_MODE = 2, STAT_DEVICE = 4 };
#endif

static const uint64_t *steady;

void never_interrupted(const uint64_t *calls)
{
	steady = calls;
}

/* Returns the length; 0 when the path cannot be read or is too long. */
static long read_path(uint32_t tid, uint64_t address, char *into, long room)
{
	for (long at = 0; at + 8 <= room; at += 8) {
		uint64_t word = 0;
		if (trace(T_PEEK, tid, address + at, (long)&word) < 0) return 0;
		for (int byte = 0; byte < 8; byte++) {
			into[at + byte] = word >> (8 * byte);
			if (into[at + byte] == 0) return at + byte;
		}
	}
	return 0;
}

/* A pipe, a device, or a file of which nothing is known: to open it can take long, and a signal ends that. */
static int opens_at_once(uint32_t tid, int32_t directory, uint64_t address)
{
	static char path[PATH_MAX_ + 64];
	uint64_t stat[32];
	char text[PATH_MAX_], *end = append(append_number(append(path, "/proc/"), tid), "/");
	if (read_path(tid, address, text, sizeof text) == 0) return 0;
	if (text[0] == '/') end = append(end, "root");
	else if (directory == AT_FDCWD_) end = append(end, "cwd/");
	else end = append(append_number(append(end, "fd/"), directory), "/");
	append(end, text);
	if (call(N_newfstatat, AT_FDCWD_, (long)path, (long)stat, 0, 0) < 0) return 1;
	uint32_t type = stat[STAT_MODE] & S_IFMT_;
	return type == S_IFREG_ || type == S_IFDIR_ || (type == S_IFCHR_ && (stat[STAT_DEVICE] & ~0xffull) == MEMORY_DEVICES);
}

static int is_steady(uint32_t tid, uint64_t nr, const uint64_t args[3])
{
	if (nr >= CALLS) return 0;
#if defined(__x86_64__)
	if (nr == N_open) return opens_at_once(tid, AT_FDCWD_, args[0]);
#endif
	if (nr == N_openat) return opens_at_once(tid, args[0], args[1]);
	if (nr == N_ioctl) return (args[1] & 0xff00) == LIVEUPDATE_TYPE;
	return steady[nr / 64] >> (nr % 64) & 1;
}

#if defined(__x86_64__)
int make_again(struct thread *thread, int signal)
{
	struct registers r;
	(void)signal;
	get_registers(thread->tid, &r);
	const uint64_t args[3] = { r.di, r.si, r.dx };
	if ((int64_t)r.ax != -ERESTARTSYS_ || !is_steady(thread->tid, r.orig_ax, args)) return 0;
	r.ax = -ERESTARTNOINTR_;
	set_registers(thread->tid, &r);
	return 0;
}

void correct_return(struct thread *thread)
{
	(void)thread;
}
#elif defined(__aarch64__)
/* struct rt_sigframe of the kernel: a struct siginfo, and a struct ucontext with x0 and pc. */
enum { SIGFRAME_X0 = 128 + 184, SIGFRAME_PC = 128 + 440 };

int make_again(struct thread *thread, int signal)
{
	struct registers r;
	get_registers(thread->tid, &r);
	if (call_instruction(thread->tid, &r) != r.pc || !is_steady(thread->tid, r.x[8], r.x)) return 0;
	if (!is_caught(thread->tid, signal)) return 0;
	thread->entering = 1;
	thread->call_at = r.pc;
	thread->argument = r.x[0];
	return 1;
}

/* Where the thread had not yet made the call when the signal came, the handler returns to it anyway. */
void correct_return(struct thread *thread)
{
	struct registers r;
	uint64_t pc = 0, x0 = 0;
	thread->entering = 0;
	get_registers(thread->tid, &r);
	trace(T_PEEK, thread->tid, r.sp + SIGFRAME_PC, (long)&pc);
	trace(T_PEEK, thread->tid, r.sp + SIGFRAME_X0, (long)&x0);
	if (pc != thread->call_at + 4 || (int64_t)x0 != -EINTR_) return;
	trace(T_POKE, thread->tid, r.sp + SIGFRAME_X0, thread->argument);
	trace(T_POKE, thread->tid, r.sp + SIGFRAME_PC, thread->call_at);
}
#endif
