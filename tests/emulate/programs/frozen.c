/* The calls that a preserved memfd of two pages refuses: one line for each call. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

static void say(const char *what, long answer)
{
	if (answer < 0) printf("%s: %s\n", what, strerrorname_np(errno));
	else printf("%s: %ld\n", what, answer);
}

int main(void)
{
	struct { uint32_t size; int32_t fd; char name[64]; } session = { 72, -1, "frozen" };
	struct { uint32_t size; int32_t fd; uint64_t token; } file = { 16, 0, 1 };
	char path[64], page[4096] = "";
	struct iovec pieces[] = { { page, 4096 }, { page, 4096 } };
	int device = open("/dev/liveupdate", O_RDWR);
	ioctl(device, 0xba00, &session);
	file.fd = memfd_create("m", MFD_ALLOW_SEALING);
	ftruncate(file.fd, 8192);
	char *at = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, file.fd, 0);
	say("preserve", ioctl(session.fd, 0xba40, &file));
	say("grow", ftruncate(file.fd, 8193));
	say("shrink", ftruncate(file.fd, 1));
	say("same size", ftruncate(file.fd, 8192));
	say("punch", fallocate(file.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096));
	say("allocate", fallocate(file.fd, 0, 0, 16384));
	say("remove", madvise(at, 4096, MADV_REMOVE));
	sprintf(path, "/proc/self/fd/%d", file.fd);
	say("truncate by opening", open(path, O_RDWR | O_TRUNC));
	say("seal against writing", fcntl(file.fd, F_ADD_SEALS, F_SEAL_WRITE));
	say("write within", pwrite(file.fd, page, 4096, 4096));
	say("write past the end", pwrite(file.fd, page, 4096, 8192));
	lseek(file.fd, 4096, SEEK_SET);
	say("vector over the end", writev(file.fd, pieces, 2));
	close(session.fd);
	say("after the session's close", ftruncate(file.fd, 20000));
	return 0;
}
