/* Watched numbers that are ordinary files by now: luo need not hear of calls on them. */
#ifndef ORDINARY_H
#define ORDINARY_H
#include "threads.h"

/* `follows`: luo hears of every way by which a number can become a file of the machine. */
void luo_follows(int follows);
/* The file with this inode concerns the machine, for all time. */
void remember_file(uint64_t ino);
/* From now on a watched number can be another file. */
void numbers_changed(void);
/* Whether the number is no fd of the thread. */
int is_free(uint32_t tid, uint32_t number);
/* Whether the watched numbers among the arguments with a bit in `arguments` are ordinary files. */
int is_ordinary(const struct thread *thread, uint32_t arguments);
/* From now on memory may be filled by a program (userfaultfd): the guard must not wait for such memory. */
void program_fills_memory(void);
int fills_memory(void);
/* Whether the call is a sendmsg or sendmmsg by an fd that is not watched, without control data, in which fds are sent. */
int sends_no_fd(const struct thread *thread);

#endif
