/* Opens of a watched process: which of them luo has to see. */
#ifndef OPENS_H
#define OPENS_H
#include "calls.h"

/* Whether luo may have something to say about the open. Tripwires (tripwires.h) lie on the names that do not change. */
int concerns_machine(uint32_t tid, uint64_t nr, const uint64_t args[6]);
/* From now on a path may mean another file to the guard than to the program. */
void paths_differ(void);

#endif
