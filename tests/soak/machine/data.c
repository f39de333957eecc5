/* The data of the first process: it preserves them in each boot, and compares them in the next. */
#include "wild.h"
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { FILES = 5, LENGTH = 20000, CREATE = 0xba00, RETRIEVE, PRESERVE = 0xba40, RESTORE };

/* No client draws such a token. */
static const uint64_t TOKEN = 0x6461746100000000;

static void content(unsigned char *into, int number, int index)
{
	for (int at = 0; at < LENGTH; at++) into[at] = seed + number * 31 + index * 7 + at * 13 + (at >> 8);
}

static int length_of(int index) { return LENGTH - 4096 * index + index; }

void check_data(void)
{
	static unsigned char wanted[LENGTH], found[LENGTH + 1];
	int held = need(luo_session(device, RETRIEVE, "data"), "retrieve the data");
	if (held < 0) return;
	for (int index = 0; index < FILES; index++) {
		int fd = need(luo_file(held, RESTORE, -1, TOKEN + index), "restore a file");
		if (fd < 0) continue;
		content(wanted, boot - 1, index);
		int got = need(pread(fd, found, sizeof found, 0), "read a file");
		if (got >= 0 && got != length_of(index)) defect("a file has another size", got, length_of(index));
		else if (got >= 0 && memcmp(wanted, found, got) != 0) defect("a file has other contents", index, got);
		close(fd);
	}
	need(luo_finish(held), "finish the data");
	close(held);
}

/* The fds of the files are closed: clients know none of them. */
void keep_data(void)
{
	static unsigned char bytes[LENGTH];
	session = need(luo_session(device, CREATE, "data"), "create the data");
	for (int index = 0; index < FILES; index++) {
		int fd = need(memfd_create("data", MFD_CLOEXEC | MFD_ALLOW_SEALING), "memfd_create");
		content(bytes, boot, index);
		need(write(fd, bytes, length_of(index)), "write");
		need(luo_file(session, PRESERVE, fd, TOKEN + index), "preserve");
		close(fd);
	}
}

