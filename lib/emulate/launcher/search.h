/* Finds the processes that are to be watched, and begins to trace them. */
#ifndef SEARCH_H
#define SEARCH_H
#include "threads.h"

/* Traces all threads of the thread's process, unless they are traced. Returns 0 when this thread cannot be traced. */
struct thread *traced(uint32_t tid);
/* Wants all numbers by which a process of the machine has a file. `caller` is a thread that is about to return to its program. */
void watch_file(uint32_t caller, uint64_t dev, uint64_t ino);
/* The file with this inode concerns the machine, for all time. */
void remember_file(uint64_t ino);
/* Whether a call is about a watched number that is an ordinary file by now: luo need not hear of such a call. */
int is_ordinary(const struct thread *thread, const uint64_t args[6]);
/* Whether this process may trace another. */
int may_trace(void);

#endif
