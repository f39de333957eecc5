/* Filters that stop a process before its calls on watched numbers. */
#ifndef ARM_H
#define ARM_H
#include "threads.h"

/* The instructions of the filter, in which two marks stand for the first and the last number. The first `single` filters are for one number. */
void watch_filter(const void *program, uint32_t instructions, uint32_t single);
/*
 * The thread is stopped on its way to user mode, to which `saved` are its registers. Its process gets filters for the wanted numbers.
 * Returns 0 when the thread is gone; *end is then its status, or 0.
 */
int arm(struct thread *thread, struct registers *saved, uint64_t at, int32_t *end);

#endif
