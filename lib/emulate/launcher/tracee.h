/* One stopped thread: its registers, and system calls that it makes for the guard. */
#ifndef TRACEE_H
#define TRACEE_H
#include "calls.h"

enum { SIGKILL_ = 9, SIGCHLD_ = 17, SIGTRAP_ = 5, SIGCONT_ = 18, SIGSTOP_ = 19, SIGTTOU_ = 22 };
enum { EPERM_ = 1, EINTR_ = 4, EACCES_ = 13 };
enum { WNOHANG_ = 1, WALL_ = 0x40000000 };
/* linux/ptrace.h */
enum { T_PEEK = 2, T_POKE = 5, T_CONT = 7, T_STEP = 9, T_SYSCALL = 24, T_DETACH = 17, T_SET_OPTIONS = 0x4200, T_EVENT_MESSAGE = 0x4201, T_GET_REGISTERS = 0x4204,
       T_SET_REGISTERS = 0x4205, T_SEIZE = 0x4206, T_INTERRUPT = 0x4207, T_LISTEN = 0x4208, T_GET_MASK = 0x420a, T_SET_MASK = 0x420b,
       T_CALL_INFO = 0x420e };
/*
 * Syscall stops with bit 7; forks, clones, execs and seccomp's stops are reported; the tracees die with the guard. Of a thread that is alone
 * in its process an exec changes nothing that the guard knows.
 */
enum { T_EXECS = 1 << 4, T_OPTIONS_ALONE = 1 | 1 << 1 | 1 << 2 | 1 << 3 | 1 << 7 | 1 << 20, T_OPTIONS = T_OPTIONS_ALONE | T_EXECS };
enum { EVENT_FORK = 1, EVENT_VFORK = 2, EVENT_CLONE = 3, EVENT_EXEC = 4, EVENT_SECCOMP = 7, EVENT_STOP = 128 };
enum { OP_NONE = 0, OP_ENTRY = 1, OP_EXIT = 2, OP_SECCOMP = 3 };

/* struct ptrace_syscall_info */
struct call_info {
	uint8_t op, padding[3];
	uint32_t arch;
	uint64_t ip, sp;
	union {
		struct { uint64_t nr, args[6]; uint32_t data; } entry;
		struct { int64_t value; uint8_t failed; } exit;
	};
};

#if defined(__x86_64__)
/* struct user_regs_struct */
struct registers {
	uint64_t r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax, ip, cs, flags, sp, ss, fs_base, gs_base, ds, es, fs, gs;
};
#elif defined(__aarch64__)
/* struct user_pt_regs */
struct registers { uint64_t x[31], sp, pc, pstate; };
#endif

/* What a thread did when it was to do something: it ended, or executed another program. */
struct surprise { int32_t status; uint8_t gone, stopped; };

long trace(long request, uint32_t tid, long address, long data);
void get_registers(uint32_t tid, struct registers *registers);
void set_registers(uint32_t tid, struct registers *registers);
/* Resumes the thread to its next stop at a system call. Returns an OP_; OP_NONE when the thread is gone. */
int step(uint32_t tid, struct call_info *info, struct surprise *surprise);
/* In a stop at the entry of a call: the call is not made, and returns `value`. */
void skip_call(uint32_t tid, int64_t value);
/* The thread, stopped on its way to user mode, makes a call. Returns its value; sets surprise->gone when the thread is gone. */
long make_call(uint32_t tid, const struct registers *saved, uint64_t at, long n, const uint64_t args[6], struct surprise *surprise);
/* The address of the instruction that makes a system call, at which the thread is or was; 0: none. */
uint64_t call_instruction(uint32_t tid, const struct registers *registers);
/* Before a call is made: the registers that make the call again. */
void rewind_call(struct registers *registers);
/* Whether the kernel has still to decide if the interrupted call is made again. */
int restarts(const struct registers *registers);

#endif
