/* See search.h. */
#include "ends.h"
#include "ordinary.h"
#include "proc.h"
#include "search.h"
#include "tripwires.h"
#include "waits.h"

struct seizing { struct process *process; uint32_t seized; };

static void seize(long directory, const char *name, void *context)
{
	struct seizing *seizing = context;
	uint32_t tid = digits(name);
	(void)directory;
	struct thread *known = thread_of(tid);
	if (known && known->trip && !known->process) {
		adopt_thread(known, seizing->process);
		seizing->seized++;
	}
	if (known) return;
	if (seize_thread(tid, T_OPTIONS) < 0) return;
	if (add_thread(tid, seizing->process)) seizing->seized++;
	else trace(T_DETACH, tid, 0, 0);
}

/* A thread that is born meanwhile is traced from its birth, or found by the next round. */
struct thread *traced(uint32_t tid)
{
	struct thread *thread = thread_of(tid);
	if (thread && (thread->process || !thread->trip)) return thread->process ? thread : 0;
	struct seizing seizing = { new_process(leader_of(tid), 0), 0 };
	if (!seizing.process) return 0;
	do {
		seizing.seized = 0;
		names_in(tid, "task", seize, &seizing);
	} while (seizing.seized > 0);
	thread = thread_of(tid);
	return thread && thread->process ? thread : 0;
}

struct search { uint64_t dev, ino; uint32_t pid; struct thread *thread; };

static void look(long directory, const char *name, void *context)
{
	struct search *search = context;
	uint64_t stat[32]; /* struct stat: st_dev, st_ino, ... */
	uint32_t number = digits(name);
	struct thread *known = thread_of(search->pid);
	if (known && known->process && is_watched(known->process, number)) return;
	if (call(N_newfstatat, directory, (long)name, (long)stat, 0, 0) < 0) return;
	if (stat[0] != search->dev || stat[1] != search->ino) return;
	if (!search->thread) search->thread = traced(search->pid);
	if (search->thread) want(search->thread, number);
}

enum { MACHINE_MAX = 1 << 15 };
static uint32_t machine[MACHINE_MAX];
static uint32_t found;

static void add_children(long fd)
{
	static char text[65536];
	long size = fd < 0 ? 0 : call(N_read, fd, (long)text, sizeof text - 1, 0, 0);
	if (fd >= 0) call(N_close, fd, 0, 0, 0, 0);
	for (long at = 0; at < size; at++) {
		uint32_t pid = digits(text + at);
		while (at < size && text[at] >= '0' && text[at] <= '9') at++;
		if (pid > 0 && found < MACHINE_MAX) machine[found++] = pid;
	}
}

static void add_children_of(long directory, const char *name, void *context)
{
	char path[64];
	(void)context;
	append(append(path, name), "/children");
	add_children(call(N_openat, directory, (long)path, 0, 0, 0));
}

/* Calls `each` with every process of the machine, a parent before its children. */
static void find_machine(void (*each)(uint32_t pid, void *context), void *context)
{
	found = 0;
	add_children(call(N_openat, -100, (long)"/proc/thread-self/children", 0, 0, 0));
	for (uint32_t index = 0; index < found; index++) {
		if (serves_tripwires(machine[index])) continue;
		each(machine[index], context);
		names_in(machine[index], "task", add_children_of, 0);
	}
}

struct file { uint32_t caller, leader; uint64_t dev, ino; };

static void look_at(uint32_t pid, void *context)
{
	struct file *file = context;
	struct search search = { file->dev, file->ino, pid == file->leader ? file->caller : pid, 0 };
	names_in(pid, "fd", look, &search);
	if (search.thread && search.thread->wanted > 0) interrupt(search.thread);
}

void watch_file(uint32_t caller, uint64_t dev, uint64_t ino)
{
	struct file file = { caller, leader_of(caller), dev, ino };
	find_machine(look_at, &file);
}

/* No file has this number: only what a filter stops for all numbers is stopped. */
enum { NO_NUMBER = 0x7ffffffe };

static void watch_opens(uint32_t pid, void *context)
{
	uint32_t *more = context;
	int known = thread_of(pid) != 0;
	struct thread *thread = traced(pid);
	if (!thread || thread->process->filters > 0) return;
	if (!known) ++*more;
	want(thread, NO_NUMBER);
	interrupt(thread);
}

void watch_all_opens(void)
{
	uint32_t more;
	do {
		more = 0;
		find_machine(watch_opens, &more);
	} while (more > 0);
}

int may_trace(void)
{
	int32_t status;
	long child = call(N_clone, SIGCHLD_, 0, 0, 0, 0);
	if (child == 0) for (;;) call(N_ppoll, 0, 0, 0, 0, 8);
	long answer = child < 0 ? child : trace(T_SEIZE, child, 0, T_OPTIONS);
	if (child > 0) {
		call(N_kill, child, SIGKILL_, 0, 0, 0);
		call(N_wait4, child, (long)&status, WALL_, 0, 0);
	}
	return answer == 0;
}
