/*
 * See trip.h. The file system's answer to the open waits until the guard has seized the thread and interrupted it. So the thread stops with the answer,
 * before a signal is delivered. A signal that is delivered before the call is made again leads to one more open of the tripwire.
 */
#include "ends.h"
#include "proc.h"
#include "search.h"
#include "trip.h"
#include "tripwires.h"
#include "watch.h"

enum { EIO_ = 5, ERESTARTSYS_ = 512, ERESTARTNOINTR_ = 513, ERESTART_LAST = 516, O_ACCMODE_ = 3 };
/* The thread waits for the answer; is to make the call again; is in that call. */
enum { NOT = 0, ANSWERED, MARKED, INSIDE };

static uint64_t mark;

void mark_of_opens(uint64_t value)
{
	mark = value;
}

#if defined(__x86_64__)
static uint64_t *sixth(struct registers *r) { return &r->r9; }
static int is_open(const struct registers *r) { return r->orig_ax == N_open || r->orig_ax == N_openat; }
static int64_t value_of(const struct registers *r) { return r->ax; }

static void again(struct thread *thread, struct registers *r)
{
	(void)thread;
	rewind_call(r);
}

/* A signal does not end the call: it is made once more after the handler. */
static void not_interrupted(struct registers *r)
{
	if ((int64_t)r->ax == -ERESTARTSYS_) r->ax = -ERESTARTNOINTR_;
}

static uint64_t first_argument(uint32_t tid)
{
	(void)tid;
	return 0;
}
#elif defined(__aarch64__)
static uint64_t *sixth(struct registers *r) { return &r->x[5]; }
static int is_open(const struct registers *r) { return r->x[8] == N_openat; }
static int64_t value_of(const struct registers *r) { return r->x[0]; }

static void again(struct thread *thread, struct registers *r)
{
	rewind_call(r);
	r->x[0] = thread->own[1];
}

static void not_interrupted(struct registers *r)
{
	if ((int64_t)r->x[0] == -ERESTARTSYS_) r->x[0] = -ERESTARTNOINTR_;
}

/* The answer takes the place of the first argument. /proc/TID/syscall has it ("56 0xffffff9c ...") as soon as the thread sleeps. */
static uint64_t first_argument(uint32_t tid)
{
	for (int tries = 0; tries < 10000; tries++) {
		char text[256];
		long at = 0;
		read_proc(tid, "syscall", text, sizeof text);
		if (text[0] < '0' || text[0] > '9') continue;
		while (text[at] != 0 && text[at] != 'x') at++;
		return text[at] ? hexadecimal(text + at + 1) : 0;
	}
	return 0;
}
#endif

/* Everything that the guard starts descends from it. */
static int is_of_machine(uint32_t tid)
{
	uint32_t guard = call(N_getpid, 0, 0, 0, 0, 0);
	for (uint32_t at = tid; at > 1; at = parent_of(at))
		if (at == guard) return tid != guard;
	return 0;
}

/* Returns 0 when another program traces the thread, and when luo has left this very call to the host. */
static struct thread *seized(uint32_t tid)
{
	struct thread *thread = thread_of(tid);
	if (seize_thread(tid, T_OPTIONS) == 0) {
		/* Another thread's exec took the number without a word. */
		if (thread) forget_thread(thread);
		thread = add_thread(tid, 0);
		if (!thread) trace(T_DETACH, tid, 0, 0);
	}
	if (!thread || thread->trip == INSIDE) return 0;
	return trace(T_INTERRUPT, tid, 0, 0) == 0 ? thread : 0;
}

int trip_over(void)
{
	struct trip trip;
	long size = call(N_read, trips(), (long)&trip, sizeof trip, 0, 0);
	if (size != sizeof trip) return size == -EINTR_;
	/* An open that is trapped anyway, which luo has left to the host. */
	int is_free = (trip.flags & O_ACCMODE_) == 0 && is_of_machine(trip.tid);
	/* The thread sleeps as long as nobody interrupts it. */
	uint64_t first = is_free ? first_argument(trip.tid) : 0;
	struct thread *thread = is_free ? seized(trip.tid) : 0;
	if (thread) {
		thread->own[1] = first;
		thread->trip = ANSWERED;
	} else if (is_free && !thread_of(trip.tid)) {
		/* Another program traces the thread. */
		ask_for_content(trip.tid, trip.unique, trip.node);
		return 1;
	}
	fail_open(trip.unique, thread ? EIO_ : EACCES_);
	return 1;
}

/* The guard leaves the thread alone, unless it is watched by now. Returns 0 then: the watch goes on with this stop. */
static int end(struct thread *thread, long signal)
{
	thread->trip = NOT;
	if (thread->process) return 0;
	trace(T_DETACH, thread->tid, 0, signal);
	forget_thread(thread);
	return 1;
}

static void own_arguments(struct thread *thread, struct registers *r)
{
	if (*sixth(r) == mark) *sixth(r) = thread->own[0];
	set_registers(thread->tid, r);
}

/* The call has failed with the file system's answer. */
static int answered(struct thread *thread, struct registers *r, int stopped)
{
	if (value_of(r) != -EIO_ || !is_open(r)) return end(thread, 0);
	again(thread, r);
	thread->own[0] = *sixth(r);
	if (!stopped) *sixth(r) = mark;
	set_registers(thread->tid, r);
	if (stopped) return end(thread, 0);
	thread->trip = MARKED;
	trace(T_SYSCALL, thread->tid, 0, 0);
	return 1;
}

/* This stop has taken the place of the one that the watch has ordered. */
static void interrupt_again(struct thread *thread)
{
	if (thread->wanted > 0 || thread->everything || thread->tell) trace(T_INTERRUPT, thread->tid, 0, 0);
}

static int at_call(struct thread *thread, struct registers *r)
{
	struct call_info info;
	trace(T_CALL_INFO, thread->tid, sizeof info, (long)&info);
	if (info.op == OP_ENTRY) {
		if (*sixth(r) != mark) return end(thread, 0);
		thread->trip = INSIDE;
	} else if (info.op == OP_EXIT && thread->trip == INSIDE) {
		int64_t value = info.exit.value;
		int restarts = value <= -ERESTARTSYS_ && value >= -ERESTART_LAST;
		interrupt_again(thread);
		if (!restarts) {
			own_arguments(thread, r);
			return end(thread, 0);
		}
		not_interrupted(r);
		set_registers(thread->tid, r);
		thread->trip = MARKED;
	}
	if (thread->process) return 0;
	trace(T_SYSCALL, thread->tid, 0, 0);
	return 1;
}

int trip_event(struct thread *thread, int32_t status)
{
	int signal = status >> 8 & 0xff, event = status >> 16;
	struct registers r;
	if ((status & 0xff) != 0x7f) return 0;
	if (event == EVENT_SECCOMP) return 0;
	if (event == EVENT_EXEC) {
		thread->trip = NOT;
		return 0;
	}
	int stopped = event == EVENT_STOP && signal >= SIGSTOP_ && signal <= SIGTTOU_;
	get_registers(thread->tid, &r);
	if (thread->trip == ANSWERED && event == EVENT_STOP) return answered(thread, &r, stopped);
	if (event == 0 && signal == (SIGTRAP_ | 0x80)) return at_call(thread, &r);
	/* A watched thread gets its filters now, and makes the call thereafter. */
	if (event == EVENT_STOP && thread->process) return 0;
	own_arguments(thread, &r);
	return end(thread, event == 0 ? signal : 0);
}

void mark_call(struct thread *thread)
{
	struct registers r;
	get_registers(thread->tid, &r);
	thread->own[0] = *sixth(&r);
	*sixth(&r) = mark;
	set_registers(thread->tid, &r);
	thread->trip = INSIDE;
}
