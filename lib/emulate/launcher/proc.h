/* What /proc tells of processes. */
#ifndef PROC_H
#define PROC_H
#include "calls.h"

char *append(char *at, const char *text);
char *append_number(char *at, uint64_t value);
/* The number that the text begins with. */
uint32_t digits(const char *text);
uint64_t hexadecimal(const char *text);
/* Reads the text of /proc/TID/NAME, as much as there is room for, with a NUL: an empty one when there is none. */
void read_proc(uint32_t tid, const char *name, char *text, long room);
/* Calls `each` with every name in the directory /proc/TID/NAME, but for those with a dot. */
void names_in(uint32_t tid, const char *name, void (*each)(long directory, const char *name, void *context), void *context);
/* The number of the process that the thread belongs to. */
uint32_t leader_of(uint32_t tid);
/* Whether the process of the thread has a handler for the signal. */
int is_caught(uint32_t tid, int signal);
/* The number of the process that started the thread's process; 0: none. */
uint32_t parent_of(uint32_t tid);

#endif
