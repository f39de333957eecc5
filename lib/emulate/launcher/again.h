/* Calls that a signal interrupted before luo received them, although Linux does not interrupt them. */
#ifndef AGAIN_H
#define AGAIN_H
#include "threads.h"

/* A bit for each call that waits for nothing. */
void never_interrupted(const uint64_t *calls);
/* The thread is stopped before a signal is delivered to it. Such a call is made again after the handler. Returns 1: see correct_return. */
int make_again(struct thread *thread, int signal);
/* After T_STEP the thread is stopped before the first instruction of the handler. */
void correct_return(struct thread *thread);

#endif
