/* See threads.h. Memory that was never used takes no room. */
#include "threads.h"

enum { TID_MAX = 1 << 22, THREADS = 1 << 15, PROCESSES = 1 << 14 };

static uint32_t index_of[TID_MAX];
static struct thread threads[THREADS];
static struct process processes[PROCESSES];
static uint32_t free_threads[THREADS], free_processes[PROCESSES];
static uint32_t unsettled;
static uint32_t used_threads = 1, used_processes = 1, spare_threads, spare_processes;

struct thread *thread_of(uint32_t tid)
{
	uint32_t index = tid < TID_MAX ? index_of[tid] : 0;
	return index ? &threads[index] : 0;
}

struct thread *add_thread(uint32_t tid, struct process *process)
{
	uint32_t index = spare_threads > 0 ? free_threads[--spare_threads] : used_threads < THREADS ? used_threads++ : 0;
	if (index == 0 || tid >= TID_MAX) return 0;
	struct thread *thread = &threads[index];
	*thread = (struct thread){ .tid = tid };
	index_of[tid] = index;
	if (process) adopt_thread(thread, process);
	return thread;
}

void adopt_thread(struct thread *thread, struct process *process)
{
	thread->process = process;
	process->threads++;
}

void forget_thread(struct thread *thread)
{
	struct process *process = thread->process;
	settle(thread);
	index_of[thread->tid] = 0;
	free_threads[spare_threads++] = thread - threads;
	if (process && --process->threads == 0) free_processes[spare_processes++] = process - processes;
}

void rename_thread(struct thread *thread, uint32_t tid)
{
	index_of[thread->tid] = 0;
	thread->tid = tid;
	index_of[tid] = thread - threads;
}

struct process *new_process(uint32_t tgid, const struct process *like)
{
	uint32_t index = spare_processes > 0 ? free_processes[--spare_processes] : used_processes < PROCESSES ? used_processes++ : 0;
	if (index == 0) return 0;
	struct process *process = &processes[index];
	process->tgid = tgid;
	process->threads = 0;
	process->filters = like ? like->filters : 0;
	process->ranges = like ? like->ranges : 0;
	process->everything = like ? like->everything : 0;
	process->impossible = like ? like->impossible : 0;
	for (uint32_t index = 0; index < process->ranges; index++) process->range[index] = like->range[index];
	return process;
}

void unsettle(struct thread *thread)
{
	unsettled += !thread->unsettled;
	thread->unsettled = 1;
}

void settle(struct thread *thread)
{
	unsettled -= thread->unsettled;
	thread->unsettled = 0;
}

int is_settled(void)
{
	return unsettled == 0;
}

struct range *range_of(struct process *process, uint32_t number)
{
	for (uint32_t index = 0; index < process->ranges; index++)
		if (number >= process->range[index].first && number <= process->range[index].last) return &process->range[index];
	return 0;
}

int is_watched(struct process *process, uint32_t number)
{
	return process->everything || range_of(process, number) != 0;
}

void want(struct thread *thread, uint32_t number)
{
	if (is_watched(thread->process, number)) return;
	if (thread->wanted == WANTED) thread->everything = 1;
	else thread->number[thread->wanted++] = number;
}
