/* Operations that look at an fd and change nothing. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "operation.h"

#define PAGE 4096

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

/* The name of a file, by its link in /proc: `/memfd:NAME (deleted)` is NAME. Retrieved and O_TMPFILE files have no name. */
static const char *name_of(int fd)
{
	static char link[200];
	char path[40], *name = link;
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	length = readlink(path, link, sizeof(link) - 1);
	link[length < 0 ? 0 : length] = 0;
	if (strchr(link, '#'))
		return "#";
	if (!strncmp(link, "/memfd:", 7))
		name += 7;
	/* The directory of the link differs from machine to machine, so it is left out. */
	if (strstr(link, "/device-link"))
		name = strstr(link, "/device-link") + 1;
	name[strcspn(name, " (")] = 0;
	return !*name || !strcmp(name, "/") ? "none" : name;
}

void look(const struct op *op, char *result)
{
	int fd = slots[op->v[0]], seals = fcntl(fd, F_GET_SEALS), flags = fcntl(fd, F_GETFL);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return say(result, "EBADF");
	if (!S_ISREG(st.st_mode))
		return say(result, "not regular, flags=%o fdflags=%d", flags & ~O_LARGEFILE, fcntl(fd, F_GETFD));
	say(result, "mode=%o size=%ld nlink=%lu position=%ld seals=%x flags=%o fdflags=%d name=%s %08x", st.st_mode,
	    st.st_size, st.st_nlink, lseek(fd, 0, SEEK_CUR), seals, flags, fcntl(fd, F_GETFD), name_of(fd), contents(fd, st.st_size));
}

/* Calls on a session or the device that are not calls of LUO. */
void foreign(const struct op *op, char *result)
{
	int fd = slots[op->v[0]];
	struct pollfd event = { .fd = fd, .events = POLLIN | POLLOUT };
	struct stat st;
	char byte;
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
		say(result, "%s", name_of(fd));
	}
}
