/* Requests of aio that append, and what becomes of the size of a preserved file. */
#include "luo.h"
#include <linux/aio_abi.h>
#include <sys/uio.h>
static int file;
static aio_context_t context;
static void size(void)
{
	struct stat s;
	fstat(file, &s);
	printf("  size %ld\n", (long)s.st_size);
}

static void one(const char *w, int fd, int op, void *buf, size_t n, long offset, int flags)
{
	struct iocb c = {.aio_fildes = fd,.aio_lio_opcode = op,.aio_buf = (uintptr_t) buf,.aio_nbytes = n,.aio_offset =
		    offset,.aio_rw_flags = flags }, *l = &c;
	errno = 0;
	long r = syscall(SYS_io_submit, context, 1, &l);
	struct io_event e = { 0 };
	if (r == 1)
		syscall(SYS_io_getevents, context, 1, 1, &e, NULL);
	long res = r == 1 ? (long)e.res : -errno;
	printf("%s: %s%ld\n", w, res < 0 ? "-" : "", res < 0 ? -res : res);
	size();
}

int main(void)
{
	in_first_boot();
	int device = open(DEVICE, O_RDWR), held = session(device, CREATE, "aio");
	file = memory("0123456789");
	preserve(held, file, 1);
	syscall(SYS_io_setup, 8, &context);
	char p[64];
	sprintf(p, "/proc/self/fd/%d", file);
	int ap = open(p, O_WRONLY | O_APPEND);
	struct iovec v[2] = { {"ab", 2}, {"cd", 2} };
	one("within", file, IOCB_CMD_PWRITE, "x", 1, 0, 0);
	one("past the end", file, IOCB_CMD_PWRITE, "x", 1, 10, 0);
	one("over the end", file, IOCB_CMD_PWRITE, "xyz", 3, 8, 0);
	one("O_APPEND at 0", ap, IOCB_CMD_PWRITE, "x", 1, 0, 0);
	one("RWF_APPEND at 0", file, IOCB_CMD_PWRITE, "x", 1, 0, 0x10);
	one("O_APPEND, RWF_NOAPPEND", ap, IOCB_CMD_PWRITE, "x", 1, 0, 0x20);
	one("vector within", file, IOCB_CMD_PWRITEV, v, 2, 2, 0);
	one("vector over the end", file, IOCB_CMD_PWRITEV, v, 2, 8, 0);
	one("vector, O_APPEND", ap, IOCB_CMD_PWRITEV, v, 2, 0, 0);
	one("negative", file, IOCB_CMD_PWRITE, "x", 1, -1, 0);
	one("nothing", file, IOCB_CMD_PWRITE, "x", 0, 100, 0);
	one("unknown flag", file, IOCB_CMD_PWRITE, "x", 1, 0, 0x8000);
	one("RWF_DSYNC", file, IOCB_CMD_PWRITE, "x", 1, 0, 2);
	int ro = open(p, O_RDONLY);
	one("read-only", ro, IOCB_CMD_PWRITE, "x", 1, 100, 0);
	one("read", file, IOCB_CMD_PREAD, p, 5, 0, 0);
	one("read past the end", file, IOCB_CMD_PREAD, p, 5, 10, 0);
	one("fsync", file, IOCB_CMD_FSYNC, NULL, 0, 0, 0);
	one("poll", file, IOCB_CMD_POLL, (void *)1, 0, 0, 0);
	int d = dup(file);
	one("dup past the end", d, IOCB_CMD_PWRITE, "x", 1, 10, 0);
	close(held);
	one("closed, past the end", file, IOCB_CMD_PWRITE, "x", 1, 10, 0);
	return 0;
}
