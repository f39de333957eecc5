/* See tracee.h. The guard waits for a thread that makes a call for the guard: such calls do not block. */
#include "ends.h"
#include "tracee.h"

enum { NT_PRSTATUS_ = 1, NT_ARM_SYSTEM_CALL_ = 0x404 };
enum { ERESTARTSYS_ = 512, ERESTART_RESTARTBLOCK_ = 516 };

struct vector { void *at; uint64_t size; };

long trace(long request, uint32_t tid, long address, long data)
{
	return call(N_ptrace, request, tid, address, data, 0);
}

void get_registers(uint32_t tid, struct registers *registers)
{
	struct vector vector = { registers, sizeof *registers };
	trace(T_GET_REGISTERS, tid, NT_PRSTATUS_, (long)&vector);
}

void set_registers(uint32_t tid, struct registers *registers)
{
	struct vector vector = { registers, sizeof *registers };
	trace(T_SET_REGISTERS, tid, NT_PRSTATUS_, (long)&vector);
}

static uint64_t peek(uint32_t tid, uint64_t address)
{
	uint64_t word = 0;
	trace(T_PEEK, tid, address, (long)&word);
	return word;
}

static int is_stop(int signal)
{
	return signal >= SIGSTOP_ && signal <= SIGTTOU_;
}

int step(uint32_t tid, struct call_info *info, struct surprise *surprise)
{
	long signal = 0;
	for (;;) {
		int32_t status = 0;
		trace(T_SYSCALL, tid, 0, signal);
		long answer = wait_for(tid, &status);
		int stop = status >> 8 & 0xff, event = status >> 16;
		if (answer != tid || (status & 0xff) != 0x7f || event == EVENT_EXEC) {
			surprise->gone = 1;
			surprise->status = answer == tid ? status : 0;
			return OP_NONE;
		}
		signal = 0;
		if (event == EVENT_STOP && is_stop(stop)) surprise->stopped = 1;
		else if (event == 0 && stop != (SIGTRAP_ | 0x80)) signal = stop;
		else if (event == 0) {
			trace(T_CALL_INFO, tid, sizeof *info, (long)info);
			return info->op;
		}
	}
}

#if defined(__x86_64__)
static void aim(struct registers *r, uint64_t at, long n, const uint64_t args[6])
{
	r->ip = at;
	r->ax = n;
	/* The kernel does not make this call again. */
	r->orig_ax = -1;
	r->di = args[0];
	r->si = args[1];
	r->dx = args[2];
	r->r10 = args[3];
	r->r8 = args[4];
	r->r9 = args[5];
}

void skip_call(uint32_t tid, int64_t value)
{
	struct registers r;
	get_registers(tid, &r);
	r.orig_ax = -1;
	r.ax = value;
	set_registers(tid, &r);
}

/* syscall is 0f 05. */
uint64_t call_instruction(uint32_t tid, const struct registers *r)
{
	/* Read only the page of the instruction. */
	int whole = (r->ip & 4095) >= 8;
	uint64_t word = peek(tid, whole ? r->ip - 8 : r->ip - 2);
	return (whole ? word >> 48 : word & 0xffff) == 0x050f ? r->ip - 2 : 0;
}

void rewind_call(struct registers *r)
{
	r->ip -= 2;
	r->ax = r->orig_ax;
	r->orig_ax = -1;
}

int restarts(const struct registers *r)
{
	return (int64_t)r->orig_ax >= 0 && (int64_t)r->ax <= -ERESTARTSYS_ && (int64_t)r->ax >= -ERESTART_RESTARTBLOCK_;
}
#elif defined(__aarch64__)
static void aim(struct registers *r, uint64_t at, long n, const uint64_t args[6])
{
	r->pc = at;
	r->x[8] = n;
	for (int index = 0; index < 6; index++) r->x[index] = args[index];
}

void skip_call(uint32_t tid, int64_t value)
{
	struct registers r;
	int32_t none = -1;
	struct vector vector = { &none, sizeof none };
	trace(T_SET_REGISTERS, tid, NT_ARM_SYSTEM_CALL_, (long)&vector);
	get_registers(tid, &r);
	r.x[0] = value;
	set_registers(tid, &r);
}

/* svc #0. The kernel has already gone back to the instruction when it makes the call again. */
uint64_t call_instruction(uint32_t tid, const struct registers *r)
{
	if ((uint32_t)peek(tid, r->pc - 4) == 0xd4000001) return r->pc - 4;
	return (uint32_t)peek(tid, r->pc) == 0xd4000001 ? r->pc : 0;
}

/* In the stop before a call x0 is still its argument. */
void rewind_call(struct registers *r)
{
	r->pc -= 4;
}

int restarts(const struct registers *r)
{
	(void)r;
	return 0;
}
#endif

long make_call(uint32_t tid, const struct registers *saved, uint64_t at, long n, const uint64_t args[6], struct surprise *surprise)
{
	struct call_info info;
	struct registers r = *saved;
	aim(&r, at, n, args);
	set_registers(tid, &r);
	for (int op = OP_NONE; op != OP_EXIT;) {
		op = step(tid, &info, surprise);
		if (op == OP_NONE) return -EINTR_;
	}
	return info.exit.value;
}
