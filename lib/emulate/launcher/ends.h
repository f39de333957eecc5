/*
 * The ends of other processes and threads while the guard waits for one. A thread that leads its process cannot be waited for before all
 * other threads of the process were (kernel/exit.c: delay_group_leader()), and no thread can be seized while another one of its process
 * executes a program and waits for them (fs/exec.c: de_thread() holds cred_guard_mutex).
 */
#ifndef ENDS_H
#define ENDS_H
#include "calls.h"

/* Once, at the start. SIGCHLD is blocked from then on. */
void expect_ends(void);
/* Takes the status of all processes and threads that have ended, up to `but`, which is left to its waiter. */
void take_ends(uint32_t but);
/* The next end that was taken, in their order. Returns 0 when there is none. */
int next_end(uint32_t *pid, int32_t *status);
/* Waits for the next stop or the end of a traced thread, as wait4() does. */
long wait_for(uint32_t tid, int32_t *status);
/* As trace() with T_SEIZE. */
long seize_thread(uint32_t tid, long options);

#endif
