/* Random clients of an emulated machine. Everything that a client does follows from its seed; only the moments do not. */
#ifndef WILD_H
#define WILD_H

#define _GNU_SOURCE
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define DEVICE "/dev/liveupdate"
#define COUNT(values) (sizeof(values) / sizeof(*(values)))
#define PICK(values) ((values)[below(COUNT(values))])

/* random.c: each thread has numbers of its own. */
void seed_random(uint64_t seed);
uint32_t below(uint32_t bound);
int chance(uint32_t percent);
uint64_t mixed(uint64_t a, uint64_t b, uint64_t c);

/* The call that the first thread of a client makes at the moment: `count` calls are over. A call that cannot wait must end. */
struct doing { volatile long count, nr, args[6]; };
extern __thread struct doing *doing;
void begins(long nr, const long args[6]);
void is_over(void);
int may_wait(long nr);

/* values.c: arguments of calls. */
enum { BUFFER = 1 << 20, FDS = 48 };
void make_memory(void);
char *anywhere(void);   /* an address, mostly of readable and writable memory, with BUFFER bytes up to a hole */
char *buffer(void);     /* an address in the memory that can be used */
const char *path(void);
int some_fd(void);
void keep_fd(int fd);
int64_t size(void);
long number(void);

/* liveupdate.c: LUO's own calls, right and wrong. */
void luo_call(void);
int luo_session(int device, int request, const char *name);
int luo_file(int session, int request, int fd, uint64_t token);
int luo_finish(int session);
int load_kernel(int kernel_flags);

/* calls.c: one random system call. */
void random_call(void);

/* client.c: the whole life of a client. */
void live(uint64_t seed, int depth) __attribute__((noreturn));

/* wild.c */
extern uint64_t seed;
extern int boot, faults, device, session;
void defect(const char *what, long number, long wanted);
/* With faults a call may fail. */
int need(int answer, const char *what);

/* data.c */
void check_data(void);
void keep_data(void);

#endif
