/* The processes whose calls on some fd numbers the guard shows luo. luo orders this when a number is given to a process. */
#ifndef WATCH_H
#define WATCH_H
#include "calls.h"

enum { CHANNEL = 255 };
/* Takes the status of any process that wait4() gave. */
void watch_event(uint32_t tid, int32_t status);
/* The thread has opened the tripwire `node` and cannot make the call again. luo answers with the content of its file. */
void ask_for_content(uint32_t tid, uint64_t unique, uint64_t node);
/* Obeys luo. Returns 0 when luo has closed the channel. */
int watch_order(void);

#endif
