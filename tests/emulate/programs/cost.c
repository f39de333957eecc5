/*
 * Nanoseconds a call, the least of many rounds: lines `NAME: N` for tests/bench/emulate_rows.ts. With the argument `held` the program holds
 * a session and its device meanwhile; alone, without a device, the argument changes nothing. With `filters N` it has installed N filters
 * that do nothing but look at the fd of fcntl and of fstat: no filter that looks at it costs less.
 */
#include "luo.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <time.h>

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e9 + time.tv_nsec;
}

/* Rounds are short, so that some of them pass without another program. */
#define MEASURE(what, rounds, count, body) do { \
	double least = 1e18; \
	for (int round = 0; round < (rounds); round++) { \
		double start = now(); \
		for (int i = 0; i < (count); i++) { body; } \
		double took = (now() - start) / (count); \
		if (took < least) least = took; \
	} \
	printf("%s: %.1f\n", what, least); \
} while (0)

static void fork_and_execute(const char *program)
{
	pid_t child = fork();
	if (child == 0) {
		execl(program, program, "end", NULL);
		_exit(1);
	}
	waitpid(child, NULL, 0);
}

static void install_filter(void)
{
	static struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fcntl, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_newfstatat, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1000, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof filter / sizeof *filter, filter };
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program) < 0) perror("seccomp");
}

int main(int argc, char **argv)
{
	static char page[4096];
	struct stat found;
	if (argc > 1 && strcmp(argv[1], "end") == 0) return 0;
	int file = memfd_create("ordinary", 0), copy = fcntl(file, F_DUPFD, 100);
	close(file);
	for (int at = 0; at < 16; at++) write(copy, page, sizeof page);
	if (argc > 1 && strcmp(argv[1], "held") == 0) session(open(DEVICE, O_RDWR), CREATE, "held");
	for (int left = argc > 2 && strcmp(argv[1], "filters") == 0 ? atoi(argv[2]) : 0; left > 0; left--) install_filter();
	MEASURE("write", 3000, 100, if (i % 16 == 0) lseek(copy, 0, SEEK_SET); write(copy, page, sizeof page));
	MEASURE("read", 3000, 100, if (i % 16 == 0) lseek(copy, 0, SEEK_SET); read(copy, page, sizeof page));
	MEASURE("fcntl", 3000, 100, fcntl(copy, F_GETFL));
	MEASURE("fstat", 3000, 100, fstat(copy, &found));
	MEASURE("getppid", 3000, 100, syscall(SYS_getppid));
	MEASURE("open and close", 2000, 4, close(open("/etc/passwd", O_RDONLY)));
	MEASURE("open to write", 2000, 4, close(open("/dev/null", O_WRONLY | O_CREAT | O_TRUNC, 0666)));
	MEASURE("fork and exec", 300, 1, fork_and_execute(argv[0]));
}
