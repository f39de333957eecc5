/* Files that lie on the names of the model's files, so that the guard hears of an open of such a name, and no filter has to trap every open. */
#ifndef TRIPWIRES_H
#define TRIPWIRES_H
#include "calls.h"

/* One open of a tripwire. Its thread waits until the file system has answered `unique`. */
struct trip { uint64_t unique, node; uint32_t tid, flags; };

/*
 * Makes the directories and puts tripwires on the names that `steps` has (tripwires.ts; kept), in the machine's mount namespace, and starts the process
 * that serves them. Returns a negative errno where that is not to be had. The guard alone writes to the file system.
 */
long lay_tripwires(const char *steps, uint32_t size);
/* The pipe by which the opens come, or -1. */
long trips(void);
/* The open succeeds, and reads the file with this fd, which the file system closes with the last copy of the program's fd. */
void give_content(uint64_t unique, int fd);
/* The open of the tripwire fails with this error. */
void fail_open(uint64_t unique, int error);
/* Whether this is the process that serves them. */
int serves_tripwires(uint32_t pid);
/* No open of a tripwire waits any longer: all fail from now on. */
void end_tripwires(void);

#endif
