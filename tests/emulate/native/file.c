/* What is done to memfds and other files, and what can be seen of an fd without changing it. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "operation.h"

#define PAGE 4096
#define LONGEST (4 << 20)

static char *buffer(void)
{
	static char *bytes;

	return bytes ? bytes : (bytes = malloc(LONGEST));
}

static bool regular(int fd, struct stat *st)
{
	return fstat(fd, st) == 0 && S_ISREG(st->st_mode);
}

void make_memfd(const struct op *op, char *result)
{
	keep(result, op->v[1], memfd_create("native", op->v[0]));
}

void make_other(const struct op *op, char *result)
{
	int pair[2] = { -1, -1 };

	switch (op->v[0]) {
	case 0: pair[0] = open("/dev/shm", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600); break;
	case 1: pair[0] = open("/dev/shm", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600); break;
	case 2: pair[0] = open("/dev/null", O_RDWR | O_CLOEXEC); break;
	case 3: pair[0] = open("/dev/shm", O_RDONLY | O_DIRECTORY | O_CLOEXEC); break;
	case 4: pipe2(pair, O_CLOEXEC | O_NONBLOCK); break;
	default: socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair);
	}
	/* Reading or writing with nobody at the other end returns at once. */
	if (pair[1] >= 0)
		close(pair[1]);
	keep(result, op->v[1], pair[0]);
}

void dup_slot(const struct op *op, char *result)
{
	int from = slots[op->v[1]];

	keep(result, op->v[2], op->v[0] == 0 ? dup(from) : fcntl(from, op->v[0] == 1 ? F_DUPFD : F_DUPFD_CLOEXEC, 20));
}

void reopen(const struct op *op, char *result)
{
	char path[40];
	struct stat st;

	/* A pipe without its other end would block, and a directory's name is the machine's. */
	if (!regular(slots[op->v[0]], &st) && op->v[0] >= SESSIONS && op->v[0] != DEVICE)
		return say(result, "not regular");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", slots[op->v[0]]);
	keep(result, op->v[2], open(path, op->v[1] | O_CLOEXEC));
}

void close_slot(const struct op *op, char *result)
{
	say_result(result, close(slots[op->v[0]]));
	slots[op->v[0]] = -1;
}

void cloexec(const struct op *op, char *result)
{
	say_result(result, fcntl(slots[op->v[0]], F_SETFD, op->v[1] ? FD_CLOEXEC : 0));
}

/* Puts bytes into a file as a careful program does, that asks for its size first: no write ends behind it. */
void fill(const struct op *op, char *result)
{
	int fd = slots[op->v[0]];
	off_t length = op->v[1];
	struct stat st;

	if (!regular(fd, &st))
		return say(result, "not regular");
	if (st.st_size == 0 && ftruncate(fd, length) == 0)
		st.st_size = length;
	memset(buffer(), op->v[2], length);
	say_result(result, pwrite(fd, buffer(), length < st.st_size ? length : st.st_size, 0));
}

void write_slot(const struct op *op, char *result)
{
	int fd = slots[op->v[0]];
	size_t length = op->v[3];
	struct iovec parts[2] = { { buffer(), length / 2 }, { buffer() + length / 2, length - length / 2 } };
	int source;

	memset(buffer(), op->v[4], length);
	switch (op->v[1]) {
	case 0: say_result(result, write(fd, buffer(), length)); break;
	case 1: say_result(result, writev(fd, parts, 2)); break;
	case 2: say_result(result, pwrite(fd, buffer(), length, op->v[2])); break;
	case 3: say_result(result, pwritev2(fd, parts, 2, op->v[2], 0)); break;
	default:
		source = memfd_create("source", MFD_CLOEXEC);
		ftruncate(source, length);
		say_result(result, sendfile(fd, source, NULL, length));
		close(source);
	}
}

void read_slot(const struct op *op, char *result)
{
	int fd = slots[op->v[0]];
	struct stat st;
	ssize_t got;

	if (fstat(fd, &st) == 0 && !S_ISREG(st.st_mode))
		return say(result, "not regular");
	got = op->v[1] ? pread(fd, buffer(), op->v[3], op->v[2]) : read(fd, buffer(), op->v[3]);
	say_result(result, got);
	if (got >= 0)
		say(result, "%zd %08x", got, digest(buffer(), got, 0));
}

void seek(const struct op *op, char *result)
{
	struct stat st;

	/* Where data ends is the page cache's business, which a huge page changes: no SEEK_DATA, SEEK_HOLE. */
	if (fstat(slots[op->v[0]], &st) == 0 && !S_ISREG(st.st_mode))
		return say(result, "not regular");
	say_result(result, lseek(slots[op->v[0]], op->v[1], op->v[2] % 3));
}

void resize(const struct op *op, char *result)
{
	say_result(result, ftruncate(slots[op->v[0]], op->v[1]));
}

void allocate(const struct op *op, char *result)
{
	say_result(result, fallocate(slots[op->v[0]], op->v[1], op->v[2], op->v[3]));
}

/* One page, mapped shared, written through the mapping, perhaps cut out of the file; never past the end (SIGBUS). */
void map(const struct op *op, char *result)
{
	int fd = slots[op->v[0]], error;
	struct stat st;
	char *page;

	if (!regular(fd, &st) || st.st_size <= op->v[1] * PAGE)
		return say(result, "no such page");
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, op->v[1] * PAGE);
	if (page == MAP_FAILED)
		return say_result(result, -1);
	memset(page, op->v[2], 8);
	say(result, "mapped");
	if (op->v[3]) {
		error = madvise(page, PAGE, MADV_REMOVE) < 0 ? errno : 0;
		say(result, "remove %s", error ? strerrorname_np(error) : "0");
	}
	munmap(page, PAGE);
}

void seal(const struct op *op, char *result)
{
	say_result(result, fcntl(slots[op->v[0]], F_ADD_SEALS, op->v[1]));
}

void set_flags(const struct op *op, char *result)
{
	say_result(result, fcntl(slots[op->v[0]], F_SETFL, op->v[1]));
}

static uint32_t contents(int fd, off_t size)
{
	uint32_t sum = 0;
	ssize_t got;

	for (off_t at = 0; at < size; at += got) {
		got = pread(fd, buffer(), LONGEST, at);
		if (got <= 0)
			break;
		sum = digest(buffer(), got, sum);
	}
	return sum;
}

/* `/memfd:NAME (deleted)` -> NAME; a file that was retrieved has none, one made by O_TMPFILE a number. */
static void name_of(int fd, char *name, size_t size)
{
	char path[40], link[200] = "";

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (readlink(path, link, sizeof(link) - 1) < 0)
		snprintf(name, size, "?");
	else if (strchr(link, '#'))
		snprintf(name, size, "#");
	else
		snprintf(name, size, "%.*s", (int)strcspn(link, " ("), link);
}

void look(const struct op *op, char *result)
{
	int fd = slots[op->v[0]], seals = fcntl(fd, F_GET_SEALS), flags = fcntl(fd, F_GETFL);
	char name[100];
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return say(result, "EBADF");
	if (!S_ISREG(st.st_mode))
		return say(result, "not regular, flags=%o fdflags=%d", flags & ~O_LARGEFILE, fcntl(fd, F_GETFD));
	name_of(fd, name, sizeof(name));
	say(result, "mode=%o size=%ld nlink=%lu position=%ld seals=%x flags=%o fdflags=%d name=%s %08x", st.st_mode,
	    st.st_size, st.st_nlink, lseek(fd, 0, SEEK_CUR), seals, flags, fcntl(fd, F_GETFD), name, contents(fd, st.st_size));
}

/* What a session or the device answers to calls that are not its own. */
void foreign(const struct op *op, char *result)
{
	int fd = slots[op->v[0]];
	struct pollfd event = { .fd = fd, .events = POLLIN | POLLOUT };
	struct stat st;
	char name[100], byte;
	void *page;

	if (fcntl(fd, F_GETFD) < 0)
		return say(result, "EBADF");
	switch (op->v[1]) {
	case 0: say_result(result, read(fd, &byte, 1)); break;
	case 1: say_result(result, write(fd, "x", 1)); break;
	case 2: say_result(result, lseek(fd, 0, SEEK_CUR)); break;
	case 3: say_result(result, poll(&event, 1, 0)); break;
	case 4: say_result(result, ftruncate(fd, 0)); break;
	case 5: say_result(result, ioctl(fd, FIONREAD, &page)); break;
	case 6:
		page = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
		say_result(result, page == MAP_FAILED ? -1 : 0);
		break;
	case 7:
		say_result(result, fstat(fd, &st));
		say(result, "mode=%o", st.st_mode);
		break;
	default:
		name_of(fd, name, sizeof(name));
		say(result, "%s", name);
	}
}
