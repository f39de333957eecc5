/* Finds the processes that are to be watched, and begins to trace them. */
#ifndef SEARCH_H
#define SEARCH_H
#include "threads.h"

/* Traces all threads of the thread's process, unless they are traced. Returns 0 when this thread cannot be traced. */
struct thread *traced(uint32_t tid);
/* Wants all numbers by which a process of the machine has a file. `caller` is a thread that is about to return to its program. */
void watch_file(uint32_t caller, uint64_t dev, uint64_t ino);
/* From now on every process of the machine is watched: it stops before it opens a file. */
void watch_all_opens(void);
/* Whether this process may trace another. */
int may_trace(void);

#endif
