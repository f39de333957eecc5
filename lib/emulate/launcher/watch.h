/* The processes whose calls on some fd numbers the guard shows luo. luo orders this when a number is given to a process. */
#ifndef WATCH_H
#define WATCH_H
#include "calls.h"

enum { CHANNEL = 255 };
/* Takes the status of any process that wait4() gave. */
void watch_event(uint32_t tid, int32_t status);
/* Obeys luo. Returns 0 when luo has closed the channel. */
int watch_order(void);

#endif
