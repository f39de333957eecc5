/* See ordinary.h. */
#include "ordinary.h"
#include "proc.h"

enum { FILES = 1 << 16, ENOENT_ = 2, NUMBERS = 1 << 20 };
/* Two files can have one place: luo then hears of a call for nothing. */
static uint8_t concerns[FILES];
/* A number that was an ordinary file in this round still is one: each change that can make it another file begins a new round. */
static uint32_t round = 1;
static int follows, lazy;

/* So many messages of one call are looked at. struct mmsghdr: a struct msghdr, in which the length of the control data is at 40. */
enum { MESSAGES = 16, MESSAGE_SIZE = 64, CONTROL_LENGTH = 40 };

static uint32_t place_of(uint64_t ino)
{
	return (ino * 0x9e3779b97f4a7c15) >> 48;
}

void luo_follows(int all)
{
	follows = all;
}

void numbers_changed(void)
{
	round++;
}

void remember_file(uint64_t ino)
{
	concerns[place_of(ino)] = 1;
	numbers_changed();
}

static long look_at(uint32_t tid, uint32_t number, uint64_t stat[32])
{
	char path[64];
	append_number(append(append_number(append(path, "/proc/"), tid), "/fd/"), number);
	return call(N_newfstatat, -100, (long)path, (long)stat, 0, 0);
}

int is_free(uint32_t tid, uint32_t number)
{
	uint64_t stat[32];
	return look_at(tid, number, stat) == -ENOENT_;
}

static int is_ordinary_file(uint32_t tid, uint32_t number)
{
	uint64_t stat[32];
	long answer = look_at(tid, number, stat);
	/* Without root the fds of a process that may not be dumped cannot be looked at. */
	return answer < 0 ? answer == -ENOENT_ : !concerns[place_of(stat[1])];
}

int is_ordinary(const struct thread *thread, uint32_t arguments)
{
	struct process *process = thread->process;
	int watched = 0;
	for (int index = 0; index < 6; index++) {
		uint32_t number = thread->args[index];
		if (!(arguments >> index & 1) || number > NUMBERS || !is_watched(process, number)) continue;
		struct range *range = range_of(process, number);
		watched = 1;
		int known = follows && range && range->first == range->last && is_settled();
		if (known && range->ordinary == round) continue;
		if (!is_ordinary_file(thread->tid, number)) return 0;
		if (known) range->ordinary = round;
	}
	return watched;
}

void program_fills_memory(void)
{
	lazy = 1;
}

int fills_memory(void)
{
	return lazy;
}

int sends_no_fd(const struct thread *thread)
{
	uint64_t count = thread->nr == N_sendmsg ? 1 : thread->nr == N_sendmmsg ? (uint32_t)thread->args[2] : MESSAGES + 1;
	if (lazy || count > MESSAGES || is_watched(thread->process, thread->args[0])) return 0;
	for (uint64_t index = 0; index < count; index++) {
		uint64_t length, address = thread->args[1] + index * MESSAGE_SIZE + CONTROL_LENGTH;
		if (trace(T_PEEK, thread->tid, address, (long)&length) < 0 || length != 0) return 0;
	}
	return 1;
}
