/* The processes whose calls on some fd numbers the guard shows luo. luo orders this when a number is given to a process. */
#ifndef WATCH_H
#define WATCH_H
#include "tracee.h"

enum { CHANNEL = 255 };
/* Instructions of the filter that stops a process before calls on numbers; FIRST_MARK and LAST_MARK stand for the range in it. */
void watch_filter(const void *program, uint32_t instructions);
/* Whether this process may trace another. */
int may_trace(void);
/* Takes the status of any process that wait4() gave. */
void watch_event(uint32_t tid, int32_t status);
/* Obeys luo. Returns 0 when luo has closed the channel. */
int watch_order(void);

#endif
