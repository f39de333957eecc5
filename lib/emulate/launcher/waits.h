/* Calls for which the kernel gives EINTR whatever interrupted them: the guard is no reason for EINTR. */
#ifndef WAITS_H
#define WAITS_H
#include "threads.h"

/* The thread stops on its way to user mode, or where it is in its program. */
void interrupt(struct thread *thread);
/* In this stop: corrects the registers when such a call is to go on. */
int goes_on_waiting(struct thread *thread, struct registers *registers);
/* The thread is stopped before a signal is delivered to it. A handler of a signal that came meanwhile is a reason for EINTR. */
void waits_no_more(struct thread *thread, int signal);

#endif
