/* The operations on memfds and other files. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "operation.h"

#define PAGE 4096

char *buffer(void)
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
	/* The other end is closed, so reads and writes return at once. */
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

	/* The open of a pipe without its other end would block, and the name of a directory depends on the machine. */
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

/* Writes as a careful program does: it asks for the size of the file first, and no write goes past the end. */
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
	struct stat st;
	int source;

	if (fstat(fd, &st) == 0 && !S_ISREG(st.st_mode))
		return say(result, "not regular");
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

	/* No SEEK_DATA and SEEK_HOLE: their answers depend on the page cache, and a huge page changes them. */
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

/* Maps one page shared, writes through the mapping, and sometimes cuts the page out of the file. No access past the end: SIGBUS. */
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
