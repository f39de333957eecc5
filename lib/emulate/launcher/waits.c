/* See waits.h. On x86-64 the kernel has still to decide about the call; on aarch64 the guard takes the decision back. */
#include "proc.h"
#include "waits.h"

static int is_wait(long n)
{
#if defined(__x86_64__)
	if (n == N_epoll_wait) return 1;
#endif
	return n == N_epoll_pwait || n == N_rt_sigtimedwait || n == N_semtimedop || n == N_io_getevents;
}

#if defined(__x86_64__)
enum { ERESTARTNOHAND_ = 514 };

void interrupt(struct thread *thread)
{
	trace(T_INTERRUPT, thread->tid, 0, 0);
}

int goes_on_waiting(struct thread *thread, struct registers *r)
{
	(void)thread;
	if (!is_wait(r->orig_ax) || (int64_t)r->ax != -EINTR_) return 0;
	r->ax = -ERESTARTNOHAND_;
	return 1;
}

void waits_no_more(struct thread *thread, int signal)
{
	(void)thread;
	(void)signal;
}
#elif defined(__aarch64__)
/* No register tells whether a call was interrupted: /proc/TID/syscall has the call of a thread that sleeps, its arguments, sp and pc. */
void interrupt(struct thread *thread)
{
	char text[256];
	read_proc(thread->tid, "syscall", text, sizeof text);
	thread->waits = text[0] >= '0' && text[0] <= '9' && is_wait(digits(text));
	for (const char *at = text; *at && thread->waits; at++) {
		if (at[0] != '0' || at[1] != 'x') continue;
		/* The first argument comes first, the pc last. */
		if (thread->waits++ == 1) thread->wait_argument = hexadecimal(at + 2);
		thread->wait_end = hexadecimal(at + 2);
	}
	trace(T_INTERRUPT, thread->tid, 0, 0);
}

int goes_on_waiting(struct thread *thread, struct registers *r)
{
	int waits = thread->waits && r->pc == thread->wait_end && is_wait(r->x[8]) && (int64_t)r->x[0] == -EINTR_;
	thread->waits = 0;
	if (!waits) return 0;
	r->x[0] = thread->wait_argument;
	r->pc -= 4;
	thread->waits_again = 1;
	return 1;
}

void waits_no_more(struct thread *thread, int signal)
{
	struct registers r;
	if (!thread->waits_again || !is_caught(thread->tid, signal)) return;
	thread->waits_again = 0;
	get_registers(thread->tid, &r);
	if (r.pc + 4 != thread->wait_end || !is_wait(r.x[8])) return;
	r.x[0] = -EINTR_;
	r.pc += 4;
	set_registers(thread->tid, &r);
}
#endif
