/* See ends.h. What was taken is kept until the guard comes back to its loop: in between, threads are in use. */
#include "ends.h"
#include "tracee.h"

enum { ENDS = 1 << 14, SIG_BLOCK_ = 0, SIG_UNBLOCK_ = 1, SA_RESTART_ = 0x10000000, SA_RESTORER_ = 0x04000000 };
enum { P_ALL_ = 0, WEXITED_ = 4, WNOWAIT_ = 0x1000000 };

struct end { uint32_t pid; int32_t status; };

static struct end ends[ENDS];
static uint32_t first, count;
static const uint64_t child = 1ul << (SIGCHLD_ - 1);

void take_ends(uint32_t but)
{
	for (;;) {
		struct { int32_t signal, error, code, padding; int32_t pid; char rest[108]; } about = { 0 };
		if (count == ENDS) return;
		if (call(N_waitid, P_ALL_, 0, (long)&about, WEXITED_ | WNOHANG_ | WNOWAIT_ | WALL_, 0) < 0) return;
		if (about.pid == 0 || (uint32_t)about.pid == but) return;
		struct end *end = &ends[(first + count) % ENDS];
		if (call(N_wait4, about.pid, (long)&end->status, WNOHANG_ | WALL_, 0, 0) != about.pid) return;
		end->pid = about.pid;
		count++;
	}
}

int next_end(uint32_t *pid, int32_t *status)
{
	if (count == 0) return 0;
	*pid = ends[first].pid;
	*status = ends[first].status;
	first = (first + 1) % ENDS;
	count--;
	return 1;
}

/* Only while seize_thread() waits: nothing else uses the list then. */
__attribute__((used)) static void ended(int signal)
{
	(void)signal;
	take_ends(0);
}

#if defined(__x86_64__)
void back_from_signal(void);
__asm__("back_from_signal: mov $15, %eax\n syscall\n");
enum { FLAGS = SA_RESTART_ | SA_RESTORER_ };
#else
/* The kernel's vDSO has it. */
enum { FLAGS = SA_RESTART_ };
#define back_from_signal 0
#endif

void expect_ends(void)
{
	struct { void *handler; uint64_t flags; void *restorer; uint64_t mask; } action = { ended, FLAGS, back_from_signal, child };
	call(N_rt_sigprocmask, SIG_BLOCK_, (long)&child, 0, 8, 0);
	call(N_rt_sigaction, SIGCHLD_, (long)&action, 0, 8, 0);
}

long wait_for(uint32_t tid, int32_t *status)
{
	for (;;) {
		long answer = call(N_wait4, tid, (long)status, WNOHANG_ | WALL_, 0, 0);
		if (answer != 0 && answer != -EINTR_) return answer;
		uint32_t before = count;
		take_ends(tid);
		/* A signal that came since the look is pending, and ends this wait at once. */
		if (count == before) call(N_rt_sigtimedwait, (long)&child, 0, 0, 8, 0);
	}
}

long seize_thread(uint32_t tid, long options)
{
	call(N_rt_sigprocmask, SIG_UNBLOCK_, (long)&child, 0, 8, 0);
	long answer = trace(T_SEIZE, tid, 0, options);
	call(N_rt_sigprocmask, SIG_BLOCK_, (long)&child, 0, 8, 0);
	return answer;
}
