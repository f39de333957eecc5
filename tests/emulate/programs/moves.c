/* Data to, from and between the device, sessions, O_PATH and other kinds of files: read, write, splice, tee, vmsplice, sendfile, copy_file_range. */
#include "luo.h"
#include <sys/eventfd.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
enum { KINDS = 13 };
static const char *const NAMES[KINDS] = { "device", "session", "path", "held", "file", "pipe out", "pipe in", "socket", "event", "plain", "null", "none", "directory" };
static int fds[KINDS], ends[2];
static void make(int device, int s)
{
	int pair[2];
	uint64_t one = 1;
	char name[64];
	fds[0] = device; fds[1] = s; fds[2] = open(DEVICE, O_PATH);
	sprintf(name, "/proc/self/fd/%d", s);
	fds[3] = open(name, O_PATH);
	fds[4] = memory("hello world"); lseek(fds[4], 0, SEEK_SET);
	preserve(s, fds[4], 1);
	pipe2(ends, O_NONBLOCK); fds[5] = ends[0]; fds[6] = ends[1];
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair); fds[7] = pair[0];
	write(pair[1], "socket", 6);
	fds[8] = eventfd(1, EFD_NONBLOCK);
	fds[9] = open("/tmp/moves", O_CREAT | O_RDWR | O_TRUNC, 0600); write(fds[9], "plain file", 10); lseek(fds[9], 0, SEEK_SET);
	fds[10] = open("/dev/null", O_RDWR); fds[11] = 999; fds[12] = open("/tmp", O_RDONLY | O_DIRECTORY);
}
static void fill(void) { char b[64]; while (read(ends[0], b, 64) > 0); write(ends[1], "abc", 3); for (int i = 4; i < 10; i += 5) lseek(fds[i], 0, SEEK_SET); }
#define E(call) ({ long r_ = (call); r_ < 0 ? (long)-errno : r_; })
int main(void)
{
	char b[64] = "0123456789";
	struct iovec v[2] = { { b, 3 }, { b + 3, 2 } }, wrong = { (void *)8, 4 };
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	signal(SIGPIPE, SIG_IGN);
	int device = open(DEVICE, O_RDWR);
	make(device, session(device, CREATE, "moves"));
	for (int i = 0; i < KINDS; i++)
		for (int o = 0; o < KINDS; o++) {
			if (i > 4 && o > 4) continue;
			loff_t at = 0, to = 0, far = -1;
			printf("%s to %s:", NAMES[i], NAMES[o]);
			fill(); printf(" %ld", E(sendfile(fds[o], fds[i], NULL, 2)));
			fill(); printf(" %ld", E(sendfile(fds[o], fds[i], &at, 2)));
			fill(); printf(" %ld", E(sendfile(fds[o], fds[i], &far, 2)));
			fill(); printf(" %ld", E(sendfile(fds[o], fds[i], NULL, 0)));
			fill(); printf(" %ld", E(syscall(SYS_sendfile, fds[o], fds[i], 8, 2)));
			fill(); at = to = 0; printf(" | %ld", E(copy_file_range(fds[i], NULL, fds[o], NULL, 2, 0)));
			fill(); printf(" %ld", E(copy_file_range(fds[i], &at, fds[o], &to, 2, 0)));
			fill(); at = -1; printf(" %ld", E(copy_file_range(fds[i], &at, fds[o], &to, 2, 0)));
			fill(); at = 0; printf(" %ld", E(copy_file_range(fds[i], &at, fds[o], &to, 0, 0)));
			fill(); printf(" %ld", E(copy_file_range(fds[i], NULL, fds[o], NULL, 2, 1)));
			fill(); at = to = 0; printf(" | %ld", E(splice(fds[i], NULL, fds[o], NULL, 2, SPLICE_F_NONBLOCK)));
			fill(); printf(" %ld", E(splice(fds[i], &at, fds[o], NULL, 2, SPLICE_F_NONBLOCK)));
			fill(); printf(" %ld", E(splice(fds[i], NULL, fds[o], &to, 2, SPLICE_F_NONBLOCK)));
			fill(); printf(" %ld", E(splice(fds[i], NULL, fds[o], NULL, 0, 0)));
			fill(); printf(" %ld", E(splice(fds[i], NULL, fds[o], NULL, 2, 64)));
			fill(); printf(" | %ld", E(tee(fds[i], fds[o], 2, SPLICE_F_NONBLOCK)));
			fill(); printf(" %ld\n", E(tee(fds[i], fds[o], 0, 0)));
		}
	for (int i = 0; i < 5; i++) {
		int fd = fds[i];
		printf("%s:", NAMES[i]);
		fill();
		lseek(fd, 0, SEEK_SET);
		printf(" read %ld %ld %ld %ld", E(read(fd, b, 3)), E(read(fd, b, 0)), E(syscall(SYS_read, fd, 8, 3)), E(read(fd, b, -1)));
		printf(" pread %ld %ld %ld %ld", E(pread(fd, b, 3, 0)), E(pread(fd, b, 3, -1)), E(pread(fd, b, 0, 0)), E(pread(fd, b, 3, 1l << 62)));
		printf(" readv %ld %ld %ld %ld %ld", E(readv(fd, v, 2)), E(readv(fd, v, 0)), E(readv(fd, v, -1)), E(readv(fd, v, 2000)), E(readv(fd, &wrong, 1)));
		printf(" preadv %ld %ld", E(preadv(fd, v, 2, 0)), E(preadv(fd, v, 2, -1)));
		for (int f = 0; f < 12; f++) printf(" r%d %ld %ld", f, E(preadv2(fd, v, 2, 0, f == 0 ? 0 : 1 << (f - 1))), E(preadv2(fd, v, 2, -1, f == 0 ? 0 : 1 << (f - 1))));
		if (i == 4) { puts(""); continue; }
		printf(" write %ld %ld %ld %ld", E(write(fd, b, 3)), E(write(fd, b, 0)), E(syscall(SYS_write, fd, 8, 3)), E(write(fd, b, -1)));
		printf(" pwrite %ld %ld %ld", E(pwrite(fd, b, 3, 0)), E(pwrite(fd, b, 3, -1)), E(pwrite(fd, b, 0, 0)));
		printf(" writev %ld %ld %ld %ld", E(writev(fd, v, 2)), E(writev(fd, v, 0)), E(writev(fd, v, -1)), E(writev(fd, &wrong, 1)));
		for (int f = 0; f < 12; f++) printf(" w%d %ld %ld", f, E(pwritev2(fd, v, 2, 0, f == 0 ? 0 : 1 << (f - 1))), E(pwritev2(fd, v, 2, -1, f == 0 ? 0 : 1 << (f - 1))));
		printf(" vmsplice %ld %ld %ld", E(vmsplice(fd, v, 1, 0)), E(vmsplice(fd, v, 0, 0)), E(vmsplice(fd, v, 1, 64)));
		printf(" sync %ld %ld %ld", E(fsync(fd)), E(fdatasync(fd)), E(syncfs(fd)));
		for (int f = 0; f < 4; f++) printf(" socket %ld %ld", E(send(fd, b, 1, f)), E(recv(fd, b, 1, MSG_DONTWAIT | f)));
		puts("");
	}
	int only[2] = { open(DEVICE, O_RDONLY), 0 };
	close(device); close(only[0]);
	for (int mode = 0; mode < 4; mode++) {
		for (int i = 0; i < 1; i++) {
			int one = open(DEVICE, mode);
			printf("mode %d: %ld", mode, E(one) < 0 ? (long)-errno : 0);
			printf(" %ld %ld %ld %ld %ld %ld %ld\n", E(read(one, b, 1)), E(write(one, b, 1)), E(read(one, b, 0)), E(write(one, b, 0)), E(sendfile(fds[10], one, NULL, 1)), E(splice(one, NULL, ends[1], NULL, 1, 0)), E(ioctl(one, 0xba00, NULL)));
			close(one);
		}
	}
	unlink("/tmp/moves");
}
