/* Every command of fcntl with many arguments on the device, a session, a preserved file, and fds of O_PATH: answers that are alike in one line. */
#include "luo.h"
#include <sys/file.h>

static char memory_[256];
static const char *answer(long value, char *to)
{
	if (value < 0) return strerrorname_np(errno);
	sprintf(to, "%lx", value);
	return to;
}
static void sweep(const char *what, int fd)
{
	static const int ranges[][2] = { { 3, 48 }, { 1024, 1064 }, { 0x7ffffff0, 0x7ffffff4 } };
	for (unsigned r = 0; r < 3; r++)
		for (int command = ranges[r][0]; command < ranges[r][1]; command++) {
			if (command == F_ADD_SEALS || (command == 1039 || command == 1040) && *what == 'f' || command == F_SETLKW || command == 38) continue;
			long arguments[] = { 0, 1, -1, 2, (long)memory_, 8, 65536, 7 };
			if (command == F_SETFL || command == F_SETOWN || command == F_DUPFD_CLOEXEC || command == F_NOTIFY) arguments[4] = 16;
			printf("%s %d:", what, command);
			for (unsigned a = 0; a < 8; a++) {
				char text[32];
				memset(memory_, 0, sizeof memory_);
				long got = syscall(SYS_fcntl, fd, command, arguments[a]);
				if (command == F_DUPFD_CLOEXEC && got > 2) { close(got); got = 1; }
				if (command == F_GETOWN || command == F_GETOWN_EX) got = got > 0 ? 1 : got;
				printf(" %s", answer(got, text));
			}
			puts("");
			syscall(SYS_fcntl, fd, F_SETFL, 0);
			syscall(SYS_fcntl, fd, F_SETSIG, 0);
			syscall(SYS_fcntl, fd, F_SETOWN, 0);
			syscall(SYS_fcntl, fd, F_NOTIFY, 0);
			flock(fd, LOCK_UN);
		}
}
static void hint(const char *what, int fd)
{
	uint64_t value;
	char text[32];
	printf("%s hints:", what);
	for (value = 0; value < 8; value++) printf(" %s", answer(fcntl(fd, 1036, &value), text));
	value = 99;
	printf(" get %s", answer(fcntl(fd, 1035, &value), text));
	printf(" %lu", value);
	value = 3;
	printf(" file %s", answer(fcntl(fd, 1038, &value), text));
	printf(" get %s", answer(fcntl(fd, 1037, &value), text));
	puts("");
}
static void locks(const char *what, int fd)
{
	char text[32];
	struct flock lock;
	for (int type = 0; type < 4; type++)
		for (int command = 36; command < 38; command++)
			for (int whence = 0; whence < 4; whence++) {
				printf("%s lock %d %d %d:", what, type, command, whence);
				memset(&lock, 0, sizeof lock);
				lock.l_type = type; lock.l_whence = whence; lock.l_start = 10; lock.l_len = 5;
				printf(" %s", answer(fcntl(fd, command, &lock), text));
				printf(" %d %d %ld", lock.l_type, lock.l_whence, (long)lock.l_start);
				lock.l_type = type; lock.l_whence = whence; lock.l_start = -10; lock.l_len = 5; lock.l_pid = 0;
				printf(" %s", answer(fcntl(fd, command == 36 ? F_GETLK : F_SETLK, &lock), text));
				lock.l_pid = 7;
				lock.l_start = 0;
				printf(" %s", answer(fcntl(fd, command, &lock), text));
				lock.l_pid = 0;
				lock.l_len = -5;
				printf(" %s\n", answer(fcntl(fd, command, &lock), text));
			}
	lock = (struct flock){ F_UNLCK, SEEK_SET, 0, 0, 0 };
	fcntl(fd, 37, &lock);
	fcntl(fd, F_SETLK, &lock);
	for (int how = 0; how < 16; how++) printf("%s ", flock(fd, how | LOCK_NB) < 0 ? strerrorname_np(errno) : "0");
	flock(fd, LOCK_UN);
	for (int how = 32; how < 256; how += 32) printf("%s ", flock(fd, how) < 0 ? strerrorname_np(errno) : "0");
	puts("");
	flock(fd, LOCK_UN);
}
static void flags(const char *what, int fd)
{
	char text[32];
	printf("%s flags:", what);
	for (int bit = 0; bit < 31; bit++) {
		if (1 << bit == O_ASYNC) continue;
		printf(" %s", answer(fcntl(fd, F_SETFL, 1 << bit), text));
		printf("/%x", fcntl(fd, F_GETFL));
	}
	fcntl(fd, F_SETFL, 0);
	int on = 1;
	printf(" FIONBIO %s", answer(ioctl(fd, 0x5421, &on), text));
	printf("/%x", fcntl(fd, F_GETFL));
	printf(" FIOASYNC %s", answer(ioctl(fd, 0x5452, &on), text));
	printf("/%x", fcntl(fd, F_GETFL));
	printf(" O_ASYNC %s", answer(fcntl(fd, F_SETFL, O_ASYNC), text));
	printf("/%x", fcntl(fd, F_GETFL));
	printf(" FIOCLEX %s", answer(ioctl(fd, 0x5451), text));
	printf("/%x", fcntl(fd, F_GETFD));
	printf(" FIONCLEX %s", answer(ioctl(fd, 0x5450), text));
	printf("/%x\n", fcntl(fd, F_GETFD));
	fcntl(fd, F_SETFL, 0);
}
static void all(const char *what, int fd)
{
	flags(what, fd);
	hint(what, fd);
	locks(what, fd);
	sweep(what, fd);
}
int main(void)
{
	signal(SIGIO, SIG_IGN);
	signal(SIGURG, SIG_IGN);
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	int device = open(DEVICE, O_RDWR);
	int s = session(device, CREATE, "fcntl"), file = memory("hello");
	preserve(s, file, 1);
	close(device);
	int path = open(DEVICE, O_PATH);
	device = open(DEVICE, O_RDONLY);
	char name[64];
	sprintf(name, "/proc/self/fd/%d", s);
	int held = open(name, O_PATH);
	all("session", s);
	all("device", device);
	all("path", path);
	all("held", held);
	all("file", file);
	/* Which of them are one open file. */
	int fds[] = { s, device, path, held, file, dup(s), dup(device), open("/dev/null", O_RDONLY) };
	for (int a = 0; a < 8; a++) {
		for (int b = 0; b < 8; b++) printf("%d%ld ", fcntl(fds[a], 1027, fds[b]), syscall(SYS_kcmp, getpid(), getpid(), 0, fds[a], fds[b]) == 0);
		printf("created %d\n", fcntl(fds[a], 1028, 0));
	}
	struct f_owner_ex owner = { F_OWNER_TID, gettid() };
	say("F_SETOWN_EX", fcntl(s, F_SETOWN_EX, &owner));
	memset(&owner, 9, sizeof owner);
	say("F_GETOWN_EX", fcntl(s, F_GETOWN_EX, &owner));
	printf("%d %d\n", owner.type, owner.pid == gettid());
	say("F_DUPFD", fcntl(s, F_DUPFD, 100));
	say("F_DUPFD_CLOEXEC", fcntl(s, F_DUPFD_CLOEXEC, 200));
	printf("%d %d\n", fcntl(100, F_GETFD), fcntl(200, F_GETFD));
}
