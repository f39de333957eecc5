/* Data from sources whose size tells nothing, by requests of aio, and by odd arguments: a preserved file of 10,000 bytes keeps its size. */
#include "luo.h"
#include <linux/aio_abi.h>
#include <linux/openat2.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

static int file;

static void size(void)
{
	struct stat found;
	fstat(file, &found);
	printf("size %ld, position %ld\n", (long)found.st_size, (long)lseek(file, 0, SEEK_CUR));
}

static void send_from(const char *what, const char *path, off_t at)
{
	int source = open(path, O_RDONLY);
	lseek(file, at, SEEK_SET);
	say(what, sendfile(file, source, NULL, 100));
	close(source);
	size();
}

static void submit(const char *what, int fd, int opcode, off_t offset)
{
	static char byte;
	aio_context_t context = 0;
	struct iocb one = { .aio_fildes = fd, .aio_lio_opcode = opcode, .aio_buf = (uintptr_t)&byte, .aio_nbytes = 1, .aio_offset = offset }, *list = &one;
	syscall(SYS_io_setup, 1, &context);
	say(what, syscall(SYS_io_submit, context, 1, &list));
	syscall(SYS_io_destroy, context);
}

int main(void)
{
	static char bytes[20000];
	struct iovec piece = { bytes, 3 }, huge[2] = { { bytes, 0x7fffffffffffffff }, { bytes, 1 } };
	loff_t from = 0, to = 9950;
	int ends[2];
	in_first_boot();
	int device = open(DEVICE, O_RDWR), held = session(device, CREATE, "sources");
	file = memory("");
	ftruncate(file, 10000);
	say("preserve", preserve(held, file, 1));
	send_from("from zeros", "/dev/zero", 0);
	send_from("from zeros over the end", "/dev/zero", 9950);
	send_from("from zeros up to the end", "/dev/zero", 9900);
	send_from("from a file of /proc", "/proc/version", 9999);
	say("splice of nothing", splice(held, NULL, file, NULL, 0, 0));
	int named = open("/dev/shm/luo-source", O_CREAT | O_RDWR, 0600);
	write(named, bytes, sizeof bytes);
	say("copy_file_range, another file system", copy_file_range(named, &from, file, &to, 100, 0));
	say("copy_file_range, flags", copy_file_range(file, &from, file, &to, 100, 1));
	say("copy_file_range over the end", copy_file_range(file, &from, file, &to, 100, 0));
	unlink("/dev/shm/luo-source");
	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	write(ends[0], bytes, 100);
	lseek(file, 9950, SEEK_SET);
	say("from a socket over the end", splice(ends[1], NULL, file, NULL, 100, 0));
	say("sent from a socket over the end", sendfile(file, ends[1], NULL, 100));
	size();
	say("more memory than there is", syscall(SYS_pwrite64, file, bytes, 0x7fffffffffffffff, 0));
	say("at the last offset", pwrite(file, bytes, 1, 0x7fffffffffffffff));
	say("a vector of too much", pwritev(file, huge, 2, 0));
	say("RWF_APPEND and RWF_NOAPPEND", pwritev2(file, &piece, 1, 0, 0x30));
	submit("aio reads a session", held, IOCB_CMD_PREAD, 0);
	submit("aio writes the device", device, IOCB_CMD_PWRITE, 0);
	submit("aio within the file", file, IOCB_CMD_PWRITE, 0);
	size();
}
