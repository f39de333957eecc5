/*
 * Opens that no filter traps: a thread has opened a tripwire (tripwires.h). The guard lets it make the call again with a mark in the sixth argument, which
 * open and openat do not have: this call the filter sends to luo.
 */
#ifndef TRIP_H
#define TRIP_H
#include "threads.h"

/* What nobody can guess. */
void mark_of_opens(uint64_t mark);
/* Takes one open of a tripwire. Returns 0 when no more can come. */
int trip_over(void);
/* The thread is stopped before an open: luo is to see this call. */
void mark_call(struct thread *thread);
/* Takes what wait4() told of a thread that is at such an open. Returns 0 when this is the watch's as well. */
int trip_event(struct thread *thread, int32_t status);

#endif
