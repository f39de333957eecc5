/* Files that lie on the names of the model's files, so that the guard hears of an open of such a name, and no filter has to trap every open. */
#ifndef TRIPWIRES_H
#define TRIPWIRES_H
#include "calls.h"

/* One open of a tripwire. Its thread waits until the file system has answered `unique`. */
struct trip { uint64_t unique; uint32_t tid, flags, has_content, padding; };

/*
 * Makes the directories and puts tripwires on the names that `plan` has (tripwires.ts), in the machine's mount namespace, and starts the process
 * that serves them. Returns a negative errno where that is not to be had. The guard alone writes to the file system.
 */
long lay_tripwires(const char *plan, uint32_t size);
/* The pipe by which the opens come, or -1. */
long trips(void);
/* The open succeeds, and the server gives the content. */
void open_content(uint64_t unique);
/* The open of the tripwire fails with this error. */
void fail_open(uint64_t unique, int error);
/* Whether this is the process that serves them. */
int serves_tripwires(uint32_t pid);
/* No open of a tripwire waits any longer: all fail from now on. */
void end_tripwires(void);

#endif
