/* See arm.h. The program makes the calls: only a process itself can install a filter, and a filter stays. */
#include "arm.h"
#include "ordinary.h"

enum { FIRST_MARK = 0xf1f1f1f1, LAST_MARK = 0xf2f2f2f2, NUMBER_MAX = 0x7fffffff };
/* In the fourth argument, which seccomp(2) does not have: the filter of every process lets the guard's call pass. */
enum { GUARDS_MARK = 0x6c756f21 };
enum { PR_SET_NO_NEW_PRIVS_ = 38, SET_MODE_FILTER = 1, TSYNC_AND_SPEC_ALLOW = 1 | 4 };
static const uint64_t *filter;
static uint32_t instructions, single_filters;

void watch_filter(const void *program, uint32_t count, uint32_t single)
{
	filter = program;
	instructions = count;
	single_filters = single;
}

/* Writes the program for a range into the page: a struct sock_fprog, then the instructions. */
static void write_program(uint32_t tid, uint64_t page, struct range range)
{
	trace(T_POKE, tid, page, instructions);
	trace(T_POKE, tid, page + 8, page + 16);
	for (uint32_t index = 0; index < instructions; index++) {
		uint64_t word = filter[index];
		uint32_t value = word >> 32;
		if (value == FIRST_MARK) value = range.first;
		if (value == LAST_MARK) value = range.last;
		trace(T_POKE, tid, page + 16 + 8 * index, (uint32_t)word | (uint64_t)value << 32);
	}
}

/*
 * After the filters for one number each filter covers twice as many as the one before, because every filter costs every call something.
 * The program has not yet used the numbers that are to come.
 */
static struct range next_range(const struct thread *thread, uint32_t number)
{
	struct process *process = thread->process;
	uint32_t last = number, more = process->filters < single_filters ? 0 : (1u << (process->filters - single_filters + 1)) - 1;
	while (last - number < more && (is_watched(process, last + 1) || is_free(thread->tid, last + 1))) last++;
	return (struct range){ number, last, 0 };
}

static void install(struct thread *thread, const struct registers *saved, uint64_t at, uint64_t page, struct range range,
		    struct surprise *surprise)
{
	struct process *process = thread->process;
	uint64_t install[6] = { SET_MODE_FILTER, TSYNC_AND_SPEC_ALLOW, page, GUARDS_MARK };
	static const uint64_t no_new_privs[6] = { PR_SET_NO_NEW_PRIVS_, 1 };
	write_program(thread->tid, page, range);
	long answer = make_call(thread->tid, saved, at, N_seccomp, install, surprise);
	if (answer == -EACCES_) {
		/* Without CAP_SYS_ADMIN this is the only way. */
		make_call(thread->tid, saved, at, N_prctl, no_new_privs, surprise);
		answer = make_call(thread->tid, saved, at, N_seccomp, install, surprise);
	}
	if (surprise->gone) return;
	if (answer != 0) {
		process->impossible = 1;
		return;
	}
	process->filters++;
	if (range.last == NUMBER_MAX) process->everything = 1;
	else process->range[process->ranges++] = range;
}

static void install_wanted(struct thread *thread, const struct registers *saved, uint64_t at, struct surprise *surprise)
{
	static const uint64_t new_page[6] = { 0, 4096, 3 /* read, write */, 0x22 /* private, anonymous */, -1ul, 0 };
	struct process *process = thread->process;
	uint64_t old_page[6] = { make_call(thread->tid, saved, at, N_mmap, new_page, surprise), 4096 };
	if (surprise->gone || (int64_t)old_page[0] < 0) return;
	for (uint32_t index = 0; index < thread->wanted && !surprise->gone; index++) {
		if (is_watched(process, thread->number[index])) continue;
		if (process->ranges == RANGES) thread->everything = 1;
		else install(thread, saved, at, old_page[0], next_range(thread, thread->number[index]), surprise);
	}
	if (thread->everything && !process->everything && !surprise->gone)
		install(thread, saved, at, old_page[0], (struct range){ 0, NUMBER_MAX, 0 }, surprise);
	if (!surprise->gone) make_call(thread->tid, saved, at, N_munmap, old_page, surprise);
}

int arm(struct thread *thread, struct registers *saved, uint64_t at, int32_t *end)
{
	struct surprise surprise = { 0, 0, 0 };
	uint64_t mask = 0, all = ~0ull;
	uint32_t tid = thread->tid;
	trace(T_GET_MASK, tid, 8, (long)&mask);
	trace(T_SET_MASK, tid, 8, (long)&all);
	if (!thread->process->impossible) install_wanted(thread, saved, at, &surprise);
	thread->wanted = thread->everything = 0;
	if (surprise.gone) {
		*end = surprise.status;
		return 0;
	}
	set_registers(tid, saved);
	trace(T_SET_MASK, tid, 8, (long)&mask);
	/* With the next stop the kernel decides about the interrupted call, and about a stop by a signal. */
	if (surprise.stopped || restarts(saved)) trace(T_INTERRUPT, tid, 0, 0);
	return 1;
}
