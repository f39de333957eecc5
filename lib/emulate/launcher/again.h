/* Calls that a signal interrupted before luo received them, although Linux does not interrupt them. */
#ifndef AGAIN_H
#define AGAIN_H
#include "tracee.h"

/* A bit for each call that waits for nothing. */
void never_interrupted(const uint64_t *calls);
/* The thread is stopped before a signal is delivered to it. Such a call is made again after the handler. */
void make_again(uint32_t tid);

#endif
