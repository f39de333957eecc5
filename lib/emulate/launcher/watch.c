/*
 * See watch.h. A filter of the process stops it before a call on a watched number (SECCOMP_RET_TRACE). luo hears of the call and says
 * how it goes on. A process can get more filters, never fewer: a number that is closed stays watched.
 */
#include "threads.h"
#include "watch.h"

enum { ACKNOWLEDGED = 105, CALLED = 103, RETURNED = 104 };
/* What luo orders: the call goes on; it returns a value; luo wants to hear of its end; the answer to that; numbers to come; a file. */
enum { GO = 1, VALUE, LEAVE, WATCH, EXPECT, FILE_OF, COUNT_FILTERS };
/* What an EXPECT is to do at the next stop besides. */
enum { TELL = 1, EVERYTHING = 2 };
/* The answers to EXPECT: it cannot be done, the thread will stop, it is done. */
enum { IMPOSSIBLE = 0, WILL_STOP = 1, DONE = 2 };
enum { FIRST_MARK = 0xf1f1f1f1, LAST_MARK = 0xf2f2f2f2, NUMBER_MAX = 0x7fffffff };
/* In the fourth argument, which seccomp(2) does not have: the filter of every process lets the guard's call pass. */
enum { GUARDS_MARK = 0x6c756f21 };
enum { PR_SET_NO_NEW_PRIVS_ = 38, SET_MODE_FILTER = 1, TSYNC_AND_SPEC_ALLOW = 1 | 4 };
/* Filters for one number; after them each covers twice as many, because every filter costs every call something. */
enum { SINGLE_FILTERS = 4 };

struct order { uint32_t kind, tid; uint64_t a, b; uint32_t count, padding; uint32_t numbers[60]; };
struct report { uint32_t kind, tid; int64_t value; uint64_t nr, args[6]; };
struct entry { uint64_t ino, offset; uint16_t size; uint8_t type; char name[]; };

static const uint64_t *filter;
static uint32_t instructions;

void watch_filter(const void *program, uint32_t count)
{
	filter = program;
	instructions = count;
}

/* --- Filters --- */

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

static struct range next_range(const struct process *process, uint32_t number)
{
	uint32_t more = process->filters < SINGLE_FILTERS ? 0 : (1u << (process->filters - 1)) - 1;
	return (struct range){ number, number + more };
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
		else install(thread, saved, at, old_page[0], next_range(process, thread->number[index]), surprise);
	}
	if (thread->everything && !process->everything && !surprise->gone)
		install(thread, saved, at, old_page[0], (struct range){ 0, NUMBER_MAX }, surprise);
	if (!surprise->gone) make_call(thread->tid, saved, at, N_munmap, old_page, surprise);
}

/*
 * The thread is stopped on its way to user mode, to which `saved` are its registers. Its process gets filters for the wanted numbers.
 * Returns 0 when the thread is gone.
 */
static int arm(struct thread *thread, struct registers *saved, uint64_t at)
{
	struct surprise surprise = { 0, 0, 0 };
	uint64_t mask = 0, all = ~0ull;
	uint32_t tid = thread->tid;
	trace(T_GET_MASK, tid, 8, (long)&mask);
	trace(T_SET_MASK, tid, 8, (long)&all);
	if (!thread->process->impossible) install_wanted(thread, saved, at, &surprise);
	thread->wanted = thread->everything = 0;
	if (surprise.gone) {
		if (surprise.status) watch_event(tid, surprise.status);
		return 0;
	}
	set_registers(tid, saved);
	trace(T_SET_MASK, tid, 8, (long)&mask);
	/* With the next stop the kernel decides about the interrupted call, and about a stop by a signal. */
	if (surprise.stopped || restarts(saved)) trace(T_INTERRUPT, tid, 0, 0);
	return 1;
}

/* --- Stops --- */

static void resume(struct thread *thread, long signal)
{
	int finding = thread->wanted > 0 || thread->everything;
	trace(thread->leaving || finding ? T_SYSCALL : T_CONT, thread->tid, 0, signal);
}

static void report(struct thread *thread, uint32_t kind, int64_t value)
{
	struct report report = { kind, thread->tid, value, thread->nr, { 0 } };
	for (int index = 0; index < 6; index++) report.args[index] = thread->args[index];
	thread->asked = 1;
	call(N_write, CHANNEL, (long)&report, sizeof report, 0, 0);
}

static void remember(struct thread *thread, const struct call_info *info)
{
	thread->nr = info->entry.nr;
	for (int index = 0; index < 6; index++) thread->args[index] = info->entry.args[index];
}

/* The thread was interrupted on its way to user mode, or anywhere in its program. */
static void interrupted(struct thread *thread)
{
	struct registers saved;
	if (thread->wanted == 0 && !thread->everything && !thread->tell) return resume(thread, 0);
	get_registers(thread->tid, &saved);
	if (interrupted_by_guard(&saved)) set_registers(thread->tid, &saved);
	uint64_t at = call_instruction(thread->tid, &saved);
	if ((thread->wanted > 0 || thread->everything) && at != 0 && !arm(thread, &saved, at)) return;
	if (thread->tell) thread->leaving = 1;
	resume(thread, 0);
}

/* The call that the thread is about to make is made again after the filters are there. */
static void arm_before_call(struct thread *thread)
{
	struct registers saved;
	struct call_info info;
	struct surprise surprise = { 0, 0, 0 };
	get_registers(thread->tid, &saved);
	uint64_t at = call_instruction(thread->tid, &saved);
	rewind_call(&saved);
	skip_call(thread->tid, 0);
	if (step(thread->tid, &info, &surprise) == OP_NONE) {
		if (surprise.status) watch_event(thread->tid, surprise.status);
	} else if (arm(thread, &saved, at)) resume(thread, 0);
}

static void at_call(struct thread *thread)
{
	struct call_info info;
	trace(T_CALL_INFO, thread->tid, sizeof info, (long)&info);
	if (info.op == OP_ENTRY) {
		if (thread->wanted > 0 || thread->everything) return arm_before_call(thread);
		if (thread->tell && info.entry.nr == thread->nr) {
			thread->tell = 0;
			remember(thread, &info);
		}
	} else if (info.op == OP_EXIT && thread->leaving && !thread->tell) {
		thread->leaving = 0;
		return report(thread, RETURNED, info.exit.failed ? -1 : info.exit.value);
	}
	resume(thread, 0);
}

static void born(struct thread *parent, int event)
{
	unsigned long tid = 0;
	trace(T_EVENT_MESSAGE, parent->tid, 0, (long)&tid);
	struct thread *child = thread_of(tid);
	int early = child != 0;
	if (!child) child = add_thread(tid, 0);
	int joined = event == EVENT_CLONE && call(N_tgkill, parent->process->tgid, tid, 0, 0, 0) == 0;
	struct process *process = joined ? parent->process : new_process(tid, parent->process);
	if (!child || !process) {
		trace(T_DETACH, tid, 0, 0);
		if (child) forget_thread(child);
	} else if (!child->process) {
		adopt_thread(child, process);
		if (early) resume(child, 0);
	}
	resume(parent, 0);
}

/* All other threads of the process are gone. */
static void executed(uint32_t tid)
{
	unsigned long before = tid;
	trace(T_EVENT_MESSAGE, tid, 0, (long)&before);
	struct thread *thread = thread_of(before), *leader = thread_of(tid);
	if (before != tid && leader && thread) forget_thread(leader);
	if (!thread) thread = leader;
	if (!thread) return;
	rename_thread(thread, tid);
	thread->process->tgid = tid;
	thread->tell = thread->leaving = thread->asked = 0;
	resume(thread, 0);
}

void watch_event(uint32_t tid, int32_t status)
{
	struct thread *thread = thread_of(tid);
	int signal = status >> 8 & 0xff, event = status >> 16;
	if ((status & 0xff) != 0x7f) {
		if (thread) forget_thread(thread);
		return;
	}
	if (event == EVENT_EXEC) return executed(tid);
	if (!thread) {
		add_thread(tid, 0);
		return;
	}
	if (!thread->process) return;
	if (event == EVENT_STOP && signal >= SIGSTOP_ && signal <= SIGTTOU_) trace(T_LISTEN, tid, 0, 0);
	else if (event == EVENT_STOP) interrupted(thread);
	else if (event == EVENT_FORK || event == EVENT_VFORK || event == EVENT_CLONE) born(thread, event);
	else if (event == EVENT_SECCOMP) {
		struct call_info info;
		trace(T_CALL_INFO, tid, sizeof info, (long)&info);
		remember(thread, &info);
		report(thread, CALLED, 0);
	} else if (event == 0 && signal == (SIGTRAP_ | 0x80)) at_call(thread);
	else resume(thread, event == 0 ? signal : 0);
}

/* --- Orders --- */

static char *append(char *at, const char *text)
{
	while (*text) *at++ = *text++;
	*at = 0;
	return at;
}

static char *append_number(char *at, uint64_t value)
{
	char digits[24];
	int length = 0;
	do digits[length++] = '0' + value % 10; while (value /= 10);
	while (length > 0) *at++ = digits[--length];
	*at = 0;
	return at;
}

/* Opens /proc/TID/NAME. */
static long open_proc(uint32_t tid, const char *name, long flags)
{
	char path[64];
	append(append(append_number(append(path, "/proc/"), tid), "/"), name);
	return call(N_openat, -100, (long)path, flags, 0, 0);
}

static uint32_t digits(const char *text)
{
	uint32_t value = 0;
	while (*text >= '0' && *text <= '9') value = value * 10 + *text++ - '0';
	return value;
}

/* Calls `each` with the numbers that are names in a directory; the directory stays open until the end. */
static void numbers_in(uint32_t tid, const char *name, void (*each)(long directory, const char *name, void *context), void *context)
{
	char entries[4096];
	long directory = open_proc(tid, name, DIRECTORY_FLAG);
	if (directory < 0) return;
	for (long got; (got = call(N_getdents64, directory, (long)entries, sizeof entries, 0, 0)) > 0;)
		for (long at = 0; at < got;) {
			struct entry *entry = (struct entry *)(entries + at);
			at += entry->size;
			if (entry->name[0] != '.') each(directory, entry->name, context);
		}
	call(N_close, directory, 0, 0, 0, 0);
}

static uint32_t leader_of(uint32_t tid)
{
	char text[512];
	long fd = open_proc(tid, "status", 0);
	long size = fd < 0 ? 0 : call(N_read, fd, (long)text, sizeof text - 1, 0, 0);
	if (fd >= 0) call(N_close, fd, 0, 0, 0, 0);
	for (long at = 0; at + 6 < size; at++)
		if (text[at] == 'T' && text[at + 1] == 'g' && text[at + 2] == 'i' && text[at + 3] == 'd') return digits(text + at + 6);
	return tid;
}

struct seizing { struct process *process; uint32_t seized; };

static void seize(long directory, const char *name, void *context)
{
	struct seizing *seizing = context;
	uint32_t tid = digits(name);
	(void)directory;
	if (thread_of(tid)) return;
	if (trace(T_SEIZE, tid, 0, T_OPTIONS) < 0) return;
	if (add_thread(tid, seizing->process)) seizing->seized++;
	else trace(T_DETACH, tid, 0, 0);
}

/* Traces all threads of the process. A thread that is born meanwhile is traced from its birth, or found by the next round. */
static struct thread *traced(uint32_t tid)
{
	struct thread *thread = thread_of(tid);
	if (thread) return thread->process ? thread : 0;
	struct seizing seizing = { new_process(leader_of(tid), 0), 0 };
	if (!seizing.process) return 0;
	do {
		seizing.seized = 0;
		numbers_in(tid, "task", seize, &seizing);
	} while (seizing.seized > 0);
	thread = thread_of(tid);
	return thread && thread->process ? thread : 0;
}

static void acknowledge(uint32_t number)
{
	uint32_t words[2] = { ACKNOWLEDGED, number };
	call(N_write, CHANNEL, (long)words, sizeof words, 0, 0);
}

static uint32_t expect(const struct order *order)
{
	struct thread *thread = traced(order->tid);
	if (!thread || thread->process->impossible) return IMPOSSIBLE;
	for (uint32_t index = 0; index < order->count; index++) want(thread, order->numbers[index]);
	if (order->a & EVERYTHING && !thread->process->everything) thread->everything = 1;
	if (order->a & TELL) {
		thread->tell = 1;
		thread->nr = order->b;
	}
	if (thread->wanted == 0 && !thread->everything && !thread->tell) return DONE;
	trace(T_INTERRUPT, thread->tid, 0, 0);
	return WILL_STOP;
}

/* --- A file that was preserved: all its numbers in all processes --- */

struct search { uint64_t dev, ino; uint32_t caller, pid; struct thread *thread; };

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

static void watch_file(const struct order *order)
{
	uint32_t leader = leader_of(order->tid);
	found = 0;
	add_children(call(N_openat, -100, (long)"/proc/thread-self/children", 0, 0, 0));
	for (uint32_t index = 0; index < found; index++) {
		uint32_t pid = machine[index];
		struct search search = { order->a, order->b, order->tid, pid == leader ? order->tid : pid, 0 };
		numbers_in(pid, "fd", look, &search);
		if (search.thread && search.thread->wanted > 0) trace(T_INTERRUPT, search.thread->tid, 0, 0);
		numbers_in(pid, "task", add_children_of, 0);
	}
}

static void answer(struct thread *thread, const struct order *order)
{
	if (!thread->asked) return;
	thread->asked = 0;
	if (order->kind == VALUE) skip_call(thread->tid, order->a);
	if (order->kind == LEAVE) thread->leaving = 1;
	if (order->kind == WATCH) {
		struct registers saved;
		for (uint32_t index = 0; index < order->count; index++) want(thread, order->numbers[index]);
		get_registers(thread->tid, &saved);
		uint64_t at = call_instruction(thread->tid, &saved);
		if ((thread->wanted > 0 || thread->everything) && at != 0 && !arm(thread, &saved, at)) return;
	}
	resume(thread, 0);
}

int watch_order(void)
{
	struct order order;
	long size = call(N_read, CHANNEL, (long)&order, sizeof order, 0, 0);
	if (size == -EINTR_) return 1;
	if (size <= 0) return 0;
	struct thread *thread = thread_of(order.tid);
	if (order.kind == EXPECT) acknowledge(expect(&order));
	else if (order.kind == FILE_OF) {
		watch_file(&order);
		acknowledge(DONE);
	} else if (order.kind == COUNT_FILTERS) acknowledge(thread && thread->process ? thread->process->filters : 0);
	else if (thread) answer(thread, &order);
	return 1;
}

/* --- Whether it can be done --- */

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
