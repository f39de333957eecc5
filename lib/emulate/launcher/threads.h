/* The traced threads and their processes. */
#ifndef THREADS_H
#define THREADS_H
#include "tracee.h"

enum { RANGES = 40, WANTED = 14 };

/* `ordinary`: the round in which the one number was an ordinary file (ordinary.c). */
struct range { uint32_t first, last, ordinary; };

/* The fd numbers of a process whose calls stop it. A filter stays as long as the process, and is inherited. */
struct process {
	uint32_t tgid, threads;
	uint32_t filters, ranges;
	uint8_t everything, impossible;
	struct range range[RANGES];
};

struct thread {
	uint32_t tid;
	struct process *process; /* 0: its parent's stop has not yet told of it */
	uint8_t begun;      /* its first stop is over */
	uint8_t asked;      /* stopped; luo is to say how it goes on */
	uint8_t tell;       /* luo wants to know how its next call `nr` ends */
	uint8_t leaving;    /* in that call */
	uint8_t everything; /* the filter for all numbers is to be installed */
	uint8_t unsettled;  /* its call may make a file of the machine another number, which luo does not know yet */
	uint8_t entering;   /* a handler of a signal; aarch64: the call at this address is to be made again after the handler */
	uint64_t call_at, argument;
	uint8_t waits, waits_again; /* aarch64: in a call that the guard interrupts (waits.h); makes the call again */
	uint64_t wait_end, wait_argument;
	uint8_t trip;       /* trip.h: how far its open is */
	uint64_t own[2];    /* trip.h: arguments of that open as the program has them */
	uint32_t wanted, number[WANTED];
	uint64_t nr, args[6];
};

struct thread *thread_of(uint32_t tid);
/* `process` is 0 or counts one more thread. Returns 0 when there is no room. */
struct thread *add_thread(uint32_t tid, struct process *process);
void adopt_thread(struct thread *thread, struct process *process);
void forget_thread(struct thread *thread);
/* After an exec by a thread that did not lead its process: it has the leader's number. */
void rename_thread(struct thread *thread, uint32_t tid);
/* `like` is 0 or has the filters that the process inherits. */
struct process *new_process(uint32_t tgid, const struct process *like);
void unsettle(struct thread *thread);
void settle(struct thread *thread);
/* Whether no thread is unsettled. */
int is_settled(void);
/* The range with the number; 0: there is none. */
struct range *range_of(struct process *process, uint32_t number);
int is_watched(struct process *process, uint32_t number);
/* At its next stop on the way to user mode the thread is to get a filter for the number. */
void want(struct thread *thread, uint32_t number);

#endif
