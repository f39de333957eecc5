/*
 * Random operations of native processes on /dev/liveupdate and memfds. They name processes and slots, not pids and fds, and
 * depend on the seed alone, never on an answer: the same seed is the same traffic everywhere. An empty slot is fd -1.
 */
#ifndef OPERATION_H
#define OPERATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROCESSES 3
#define SESSIONS 6
#define FILES 8
#define DEVICE (SESSIONS + FILES)
#define SLOTS (DEVICE + 1)
#define VALUES 6
#define RESULT_MAX 400

/* Fds that every process has: its orders and answers, and the mailbox in which fds are sent by SCM_RIGHTS. */
#define ORDERS_FD(process) (100 + 2 * (process))
#define ANSWERS_FD(process) (101 + 2 * (process))
#define MAIL_IN_FD 120
#define MAIL_OUT_FD 121

enum manner { PLAIN, IN_A_THREAD, UNDER_ALARMS };

struct op {
	int kind, process;
	enum manner manner;
	int64_t v[VALUES];
};

struct answer {
	int pid; /* of the process that `fork` made */
	char result[RESULT_MAX];
};

struct kind {
	const char *name;
	/* The names of the values v[], in order; `spelling`, `name` and `memory` are printed as words, `flags` and `request` in hex. */
	const char *keys;
	int weight;
	/*
	 * l: liveupdate, o: odd ways to open the device, f: files, p: processes, w: writes that may grow a file, i: calls on
	 * LUO's fds that are not LUO's.
	 */
	char group;
	void (*draw)(struct op *);
	/* NULL: the conductor makes the operation. */
	void (*perform)(const struct op *, char *result);
};

/* kinds.c; the last one has no name. */
extern const struct kind kinds[];

/* generate.c */
int kind_named(const char *name);
/* Operations of one boot, one at a time: false when there are no more. `out` are the groups left out. */
void begin_boot(uint32_t seed, int boot, int count, const char *out);
bool next_operation(struct op *op, unsigned int alive);
void describe(const struct op *op, char *text, size_t size);

/* luo.c */
struct spelling {
	const char *text;
	/* An index of `ways`. */
	int way;
};
extern const struct spelling spellings[];
extern const int spelling_count, name_count;
extern const char *const ways[], *const names[];
void open_device(const struct op *, char *), look_path(const struct op *, char *), create(const struct op *, char *);
void retrieve(const struct op *, char *), preserve(const struct op *, char *), retrieve_fd(const struct op *, char *);
void finish(const struct op *, char *), get_name(const struct op *, char *), malformed(const struct op *, char *);
void bad_kexec(const struct op *, char *), bad_reboot(const struct op *, char *);

/* file.c */
#define LONGEST (4 << 20)
/* LONGEST bytes for everything that is read or written. */
char *buffer(void);
void make_memfd(const struct op *, char *), make_other(const struct op *, char *), dup_slot(const struct op *, char *);
void reopen(const struct op *, char *), close_slot(const struct op *, char *), cloexec(const struct op *, char *);
void fill(const struct op *, char *), write_slot(const struct op *, char *), read_slot(const struct op *, char *);
void seek(const struct op *, char *), resize(const struct op *, char *), allocate(const struct op *, char *);
void map(const struct op *, char *), seal(const struct op *, char *), set_flags(const struct op *, char *);

/* look.c */
void look(const struct op *, char *), foreign(const struct op *, char *);

/* worker.c */
extern int slots[SLOTS];
void send_slot(const struct op *, char *), receive_slot(const struct op *, char *);
void fork_process(const struct op *, char *), exec_self(const struct op *, char *);
void say(char *result, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The errno's name, or the value. */
void say_result(char *result, long value);
/* Puts a new fd into a slot and closes the old one, which was still open during the call. */
void keep(char *result, int64_t slot, long fd);
uint32_t digest(const void *bytes, size_t length, uint32_t so_far);
void work(int process) __attribute__((noreturn));
void resume_after_exec(int process) __attribute__((noreturn));

/* next_boot.c */
const char *next_boot(void);

#endif
