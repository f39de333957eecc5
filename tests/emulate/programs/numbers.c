/* Every way by which an fd of the machine gets another number, or another process: each of them answers like the first. */
#include "luo.h"
#include <pthread.h>

static const char *name_of(long answer)
{
	return answer < 0 ? strerrorname_np(errno) : "ok";
}

/* What tells a session from a memfd, and a preserved file from another. */
static void of_session(const char *what, int fd)
{
	char byte;
	struct stat found;
	const char *got = name_of(read(fd, &byte, 1)), *put = name_of(write(fd, &byte, 1)), *sought = name_of(lseek(fd, 0, SEEK_END));
	fstat(fd, &found);
	printf("%s: read %s, write %s, lseek %s, mode %o, fsync %s\n", what, got, put, sought, found.st_mode, name_of(fsync(fd)));
}

static void of_file(const char *what, int fd)
{
	struct iovec piece = { "abcdef", 6 };
	long got = pwrite(fd, "abcdef", 6, 4094);
	printf("%s: past the end %s", what, got < 0 ? strerrorname_np(errno) : "ok");
	got = pwritev(fd, &piece, 1, 4090);
	printf(", up to the end %ld\n", got);
}

static int preserved(int held, uint64_t token)
{
	int fd = memory("x");
	ftruncate(fd, 4096);
	if (held >= 0) preserve(held, fd, token);
	return fd;
}

static void send_fds(int socket, const int *fds, int count)
{
	char control[CMSG_SPACE(64 * sizeof(int))] = { 0 }, byte = 'x';
	struct iovec piece = { &byte, 1 };
	struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_SPACE(count * sizeof(int)) };
	struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(rights), fds, count * sizeof(int));
	sendmsg(socket, &message, 0);
}

static int receive_fds(int socket, int *fds, int most)
{
	char control[CMSG_SPACE(64 * sizeof(int))], byte;
	struct iovec piece = { &byte, 1 };
	struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
	if (recvmsg(socket, &message, 0) < 0) return -1;
	struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
	int count = rights ? (rights->cmsg_len - CMSG_LEN(0)) / sizeof(int) : 0;
	memcpy(fds, CMSG_DATA(rights), (count < most ? count : most) * sizeof(int));
	return count;
}

/* Calls find out that the number is an ordinary file now. */
static void ordinary(int number)
{
	char byte;
	int file = memory("ordinary");
	dup2(file, number);
	close(file);
	for (int round = 0; round < 3; round++) {
		pwrite(number, "x", 1, 0);
		if (pread(number, &byte, 1, 0) != 1) printf("an ordinary file is not read: %s\n", strerrorname_np(errno));
	}
}

/* First of all, as long as each number has a filter of its own. A number that was a session's, and then an ordinary file's, is one of the machine's again. */
static void and_back(int device)
{
	int ends[2], held = session(device, CREATE, "back"), pidfd = syscall(SYS_pidfd_open, getpid(), 0), fds[64];
	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	int number = dup(held);
	ordinary(number);
	dup2(held, number);
	of_session("dup2 again", number);
	ordinary(number);
	close(number);
	printf("the same number: %s\n", dup(held) == number ? "yes" : "no");
	of_session("dup again", number);
	ordinary(number);
	close(number);
	send_fds(ends[0], &held, 1);
	receive_fds(ends[1], fds, 64);
	printf("the same number: %s\n", fds[0] == number ? "yes" : "no");
	of_session("received again", number);
	ordinary(number);
	close(number);
	printf("the same number: %s\n", syscall(SYS_pidfd_getfd, pidfd, held, 0) == number ? "yes" : "no");
	of_session("pidfd_getfd again", number);
	ordinary(number);
	CHILD("a child", of_session("held by a child", held); dup2(held, number); of_session("dup2 in a child", number));
	ordinary(number);
	ftruncate(number, 4096);
	yes("preserved again", preserve(held, number, 78));
	of_file("preserved again", number);
	close(number);
	close(held);
	printf("the same number: %s\n", session(device, CREATE, "again") == held ? "yes" : "no");
	of_session("the next session", held);
	close(held);
	close(pidfd);
	close(ends[0]);
	close(ends[1]);
}

static int shared, go;

static void *thread(void *argument)
{
	while (!__atomic_load_n(&go, __ATOMIC_ACQUIRE)) usleep(100);
	of_session(argument, shared);
	return NULL;
}

static void copies(int held, int file)
{
	of_session("dup", dup(held));
	of_session("dup2", dup2(held, 40));
	of_session("dup3", dup3(held, 41, O_CLOEXEC));
	of_session("F_DUPFD", fcntl(held, F_DUPFD, 50));
	of_session("a copy of a copy", dup(dup(fcntl(held, F_DUPFD_CLOEXEC, 60))));
	of_file("dup of a file", dup(file));
	of_file("opened again", open("/proc/self/fd/5", O_RDWR));
	int pidfd = syscall(SYS_pidfd_open, getpid(), 0);
	of_session("pidfd_getfd", syscall(SYS_pidfd_getfd, pidfd, held, 0));
}

static void *execute(void *arguments)
{
	execv("/proc/self/exe", arguments);
	return NULL;
}

static void children(int held, int file)
{
	CHILD("child", of_session("in a child", held); of_file("in a child", file));
	CHILD("child with a copy", int copy = dup(held); CHILD("grandchild", of_session("in a grandchild", copy)));
	int inherited = dup(held), inherited_file = dup(file);
	char session_number[16], file_number[16];
	sprintf(session_number, "%d", inherited);
	sprintf(file_number, "%d", inherited_file);
	fcntl(inherited_file, F_SETFD, 0);
	CHILD("exec", execl("/proc/self/exe", "numbers", session_number, file_number, NULL));
	char *arguments[] = { "numbers", session_number, file_number, NULL };
	pthread_t other;
	CHILD("exec by a thread that does not lead", pthread_create(&other, NULL, execute, arguments); pthread_join(other, NULL));
	close(inherited);
	close(inherited_file);
}

static void passed_on(int held, int file)
{
	int ends[2], fds[64];
	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	int mine[2] = { held, file };
	fflush(stdout);
	/* This child was born before the session, and gets it in a message for which it already waits. */
	if (fork() == 0) {
		close(held);
		close(file);
		for (int fd = 3; fd < 200; fd++) if (fd != ends[1]) close(fd);
		int count = receive_fds(ends[1], fds, 64);
		printf("received %d\n", count);
		of_session("received", fds[0]);
		of_file("received", fds[1]);
		fds[2] = dup(fds[0]);
		send_fds(ends[1], fds, 3);
		fflush(stdout);
		_exit(0);
	}
	usleep(100000);
	send_fds(ends[0], mine, 2);
	int count = receive_fds(ends[0], fds, 64);
	wait(NULL);
	printf("sent back %d\n", count);
	of_session("sent back", fds[0]);
	of_file("sent back", fds[1]);
	of_session("its copy", fds[2]);
	for (int index = 0; index < 20; index++) fds[index] = held;
	send_fds(ends[0], fds, 20);
	printf("many: %d\n", receive_fds(ends[1], fds, 64));
	of_session("the last of many", fds[19]);
	for (int index = 0; index < 20; index++) close(fds[index]);
}

static void reuse(int device)
{
	char bytes[4] = "abc";
	int held = session(device, CREATE, "reused");
	of_session("before its close", held);
	close(held);
	int ends[2], file = memory("data");
	pipe(ends);
	printf("the number again: %s\n", file == held ? "yes" : "no");
	say("an ordinary file writes", write(file, "more", 4));
	say("reads", pread(file, bytes, 4, 4));
	say("a pipe", write(ends[1], bytes, 4));
	say("reads", read(ends[0], bytes, 4));
	close(ends[0]);
	close(ends[1]);
	close(file);
}

/* A file that two processes hold under several numbers is preserved after they have it. */
static void preserved_late(int held)
{
	int file = preserved(-1, 0), copy = fcntl(file, F_DUPFD, 90), to[2], back[2];
	char byte;
	pipe(to);
	pipe(back);
	fflush(stdout);
	if (fork() == 0) {
		int other = dup(copy);
		write(back[1], "x", 1);
		read(to[0], &byte, 1);
		of_file("preserved meanwhile", other);
		of_file("preserved meanwhile", copy);
		fflush(stdout);
		_exit(0);
	}
	read(back[0], &byte, 1);
	yes("late", preserve(held, file, 77));
	of_file("its copy", copy);
	write(to[1], "x", 1);
	wait(NULL);
}

static void threads(int device)
{
	pthread_t some[3];
	go = 0;
	for (int index = 0; index < 3; index++) pthread_create(&some[index], NULL, thread, "a thread");
	shared = session(device, CREATE, "shared");
	__atomic_store_n(&go, 1, __ATOMIC_RELEASE);
	pthread_join(some[0], NULL);
	for (int index = 1; index < 3; index++) pthread_join(some[index], NULL);
	pthread_create(&some[0], NULL, thread, "a later thread");
	pthread_join(some[0], NULL);
}

static void stops(int held)
{
	int to[2], status;
	char byte;
	pipe(to);
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		for (int round = 0;; round++) {
			if (read(held, &byte, 1) != -1 || errno != EINVAL) _exit(1);
			if (round == 10) write(to[1], "x", 1);
		}
	}
	read(to[0], &byte, 1);
	for (int round = 0; round < 20; round++) {
		kill(child, SIGSTOP);
		if (waitpid(child, &status, WUNTRACED) != child || !WIFSTOPPED(status)) printf("not stopped\n");
		kill(child, SIGCONT);
		if (waitpid(child, &status, WCONTINUED) != child || !WIFCONTINUED(status)) printf("not continued\n");
	}
	kill(child, SIGTERM);
	waitpid(child, &status, 0);
	printf("stopped and continued 20 times, ended by %d\n", WTERMSIG(status));
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 3) {
		of_session("after an exec", atoi(argv[1]));
		of_file("after an exec", atoi(argv[2]));
		return 0;
	}
	for (int fd = 3; fd < 100; fd++) close(fd);
	int device = open(DEVICE, O_RDWR);
	and_back(device);
	int held = session(device, CREATE, "numbers"), file = preserved(held, 1);
	printf("%d %d %d\n", device, held, file);
	of_session("session", held);
	of_file("file", file);
	copies(held, file);
	children(held, file);
	passed_on(held, file);
	reuse(device);
	preserved_late(held);
	threads(device);
	stops(held);
}
