/*
 * See watch.h. A filter of the process stops it before a call on a watched number (SECCOMP_RET_TRACE). luo hears of the call and says
 * how it goes on. A process can get more filters, never fewer: a number that is closed stays watched.
 */
#include "again.h"
#include "arm.h"
#include "opens.h"
#include "ordinary.h"
#include "search.h"
#include "trip.h"
#include "tripwires.h"
#include "waits.h"
#include "watch.h"

enum { ACKNOWLEDGED = 105, CALLED = 103, RETURNED = 104, OPENED = 106 };
/*
 * What luo orders: the call goes on; it returns a value; luo wants to hear of its end; the answer to that; numbers to come; a file; opens of any path can
 * concern the machine, in the watched processes or (EVERYWHERE) in all; the answer to OPENED.
 */
enum { GO = 1, VALUE, LEAVE, WATCH, EXPECT, FILE_OF, COUNT_FILTERS, LAZY_MEMORY, UNSURE, CONTENT };
/* What an EXPECT is to do at the next stop besides. */
enum { TELL = 1, EVERYTHING = 2 };
enum { EVERYWHERE = 1 };
/* The answers to EXPECT: it cannot be done, the thread will stop, it is done. */
enum { IMPOSSIBLE = 0, WILL_STOP = 1, DONE = 2 };

/* The value that the filter gives with a stop has a bit for each argument that is an fd; of an open that only reads it is another (watch_filter.ts). */
enum { FIRST_ARGUMENT = 1, OPENS = 0x8000 };

struct order { uint32_t kind, tid; uint64_t a, b; uint32_t count, padding; uint32_t numbers[60]; };
struct report { uint32_t kind, tid; int64_t value; uint64_t nr, args[6]; };

static void resume(struct thread *thread, long signal)
{
	int finding = thread->wanted > 0 || thread->everything;
	trace(thread->leaving || finding || thread->trip ? T_SYSCALL : T_CONT, thread->tid, 0, signal);
}

/* Returns 0 when the thread is gone. */
static int armed(struct thread *thread, struct registers *saved, uint64_t at)
{
	int32_t end = 0;
	uint32_t tid = thread->tid;
	if ((thread->wanted == 0 && !thread->everything) || at == 0 || arm(thread, saved, at, &end)) return 1;
	if (end) watch_event(tid, end);
	return 0;
}

static void report(struct thread *thread, uint32_t kind, int64_t value)
{
	struct report report = { kind, thread->tid, value, thread->nr, { 0 } };
	for (int index = 0; index < 6; index++) report.args[index] = thread->args[index];
	thread->asked = 1;
	call(N_write, CHANNEL, (long)&report, sizeof report, 0, 0);
}

void ask_for_content(uint32_t tid, uint64_t unique, uint64_t node)
{
	struct report report = { OPENED, tid, unique, node, { 0 } };
	call(N_write, CHANNEL, (long)&report, sizeof report, 0, 0);
}

static void remember(struct thread *thread, const struct call_info *info)
{
	thread->nr = info->entry.nr;
	for (int index = 0; index < 6; index++) thread->args[index] = info->entry.args[index];
}

/* The thread is in its first stop. Its parent's options are its own until now. */
static void begin(struct thread *thread)
{
	int alone = thread->process->threads == 1 && thread->process->tgid == thread->tid;
	thread->begun = 1;
	trace(T_SET_OPTIONS, thread->tid, 0, alone ? T_OPTIONS_ALONE : T_OPTIONS);
}

/* The thread was interrupted on its way to user mode, or anywhere in its program. */
static void interrupted(struct thread *thread)
{
	struct registers saved;
	if (!thread->begun) begin(thread);
	get_registers(thread->tid, &saved);
	if (goes_on_waiting(thread, &saved)) set_registers(thread->tid, &saved);
	if (thread->wanted == 0 && !thread->everything && !thread->tell) return resume(thread, 0);
	uint64_t at = call_instruction(thread->tid, &saved);
	if (!armed(thread, &saved, at)) return;
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
	} else if (armed(thread, &saved, at)) resume(thread, 0);
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

static void born(struct thread *parent)
{
	unsigned long tid = 0;
	trace(T_EVENT_MESSAGE, parent->tid, 0, (long)&tid);
	struct thread *child = thread_of(tid);
	int early = child != 0;
	if (!child) child = add_thread(tid, 0);
	int joined = call(N_tgkill, parent->process->tgid, tid, 0, 0, 0) == 0;
	if (joined) trace(T_SET_OPTIONS, parent->tid, 0, T_OPTIONS);
	struct process *process = joined ? parent->process : new_process(tid, parent->process);
	if (!child || !process) {
		trace(T_DETACH, tid, 0, 0);
		if (child) forget_thread(child);
	} else if (!child->process) {
		adopt_thread(child, process);
		if (early) interrupted(child);
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
	settle(thread);
	resume(thread, 0);
}

static void before_signal(struct thread *thread, int signal)
{
	if (thread->entering && signal == SIGTRAP_) {
		correct_return(thread);
		return resume(thread, 0);
	}
	thread->entering = 0;
	waits_no_more(thread, signal);
	if (make_again(thread, signal)) trace(T_STEP, thread->tid, 0, signal);
	else resume(thread, signal);
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
	if (thread->trip && trip_event(thread, status)) return;
	if (!thread->process) return;
	if (event == EVENT_STOP && signal >= SIGSTOP_ && signal <= SIGTTOU_) trace(T_LISTEN, tid, 0, 0);
	else if (event == EVENT_STOP) interrupted(thread);
	else if (event == EVENT_FORK || event == EVENT_VFORK || event == EVENT_CLONE) born(thread);
	else if (event == EVENT_SECCOMP) {
		struct call_info info;
		trace(T_CALL_INFO, tid, sizeof info, (long)&info);
		if (info.entry.data == OPENS) {
			if (fills_memory() || concerns_machine(tid, info.entry.nr, info.entry.args)) mark_call(thread);
			return resume(thread, 0);
		}
		remember(thread, &info);
		uint32_t arguments = info.entry.data >> FIRST_ARGUMENT;
		if (arguments ? is_ordinary(thread, arguments) : sends_no_fd(thread)) resume(thread, 0);
		else report(thread, CALLED, 0);
	} else if (event == 0 && signal == (SIGTRAP_ | 0x80)) at_call(thread);
	else if (event == 0) before_signal(thread, signal);
	else resume(thread, 0);
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
	if (order->count > 0) remember_file(order->b);
	for (uint32_t index = 0; index < order->count; index++) want(thread, order->numbers[index]);
	if (order->a & EVERYTHING && !thread->process->everything) thread->everything = 1;
	if (order->a & TELL) {
		unsettle(thread);
		thread->tell = 1;
		thread->nr = order->b;
	}
	if (thread->wanted == 0 && !thread->everything && !thread->tell) return DONE;
	trace(T_INTERRUPT, thread->tid, 0, 0);
	return WILL_STOP;
}

static void answer(struct thread *thread, const struct order *order)
{
	if (!thread->asked) return;
	thread->asked = 0;
	if (order->kind == VALUE) skip_call(thread->tid, order->a);
	if (order->kind == LEAVE) {
		unsettle(thread);
		thread->leaving = 1;
	}
	if (order->kind == WATCH) {
		struct registers saved;
		settle(thread);
		numbers_changed();
		for (uint32_t index = 0; index < order->count; index++) want(thread, order->numbers[index]);
		get_registers(thread->tid, &saved);
		if (!armed(thread, &saved, call_instruction(thread->tid, &saved))) return;
	}
	resume(thread, 0);
}

/* *fd is that of the content, if one came. */
static long receive(struct order *order, int32_t *fd)
{
	struct { uint64_t size; int32_t level, type, fd, padding; } control = { 0, 0, 0, -1, 0 };
	struct { void *at; uint64_t size; } piece = { order, sizeof *order };
	struct { void *name; uint64_t name_size; void *pieces; uint64_t count; void *control; uint64_t size; uint64_t flags; }
	message = { 0, 0, &piece, 1, &control, sizeof control, 0 };
	long size = call(N_recvmsg, CHANNEL, (long)&message, 0x40000000 /* MSG_CMSG_CLOEXEC */, 0, 0);
	*fd = size > 0 && message.size > 0 ? control.fd : -1;
	return size;
}

int watch_order(void)
{
	struct order order;
	int32_t fd;
	long size = receive(&order, &fd);
	if (size == -EINTR_) return 1;
	if (size <= 0) return 0;
	struct thread *thread = thread_of(order.tid);
	if (order.kind == EXPECT) acknowledge(expect(&order));
	else if (order.kind == FILE_OF) {
		remember_file(order.b);
		watch_file(order.tid, order.a, order.b);
		acknowledge(DONE);
	} else if (order.kind == LAZY_MEMORY) {
		program_fills_memory();
		acknowledge(DONE);
	} else if (order.kind == CONTENT) {
		if (fd < 0) fail_open(order.a, order.b);
		else give_content(order.a, fd);
	} else if (order.kind == UNSURE) {
		paths_differ();
		if (order.a & EVERYWHERE) watch_all_opens();
		acknowledge(DONE);
	} else if (order.kind == COUNT_FILTERS) acknowledge(thread && thread->process ? thread->process->filters : 0);
	else if (thread) answer(thread, &order);
	return 1;
}
