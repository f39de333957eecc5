/*
 * Every file that tells which kernel runs is opened to read, by many ways, and each time by a process that has no fd of the machine yet. openat2, which a
 * filter always traps, has to find the same file.
 */
#include "luo.h"
#include <dirent.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/time.h>

static const char *const FILES[] = {
	"/proc/cmdline", "/proc/version", "/proc/misc", "/proc/config.gz", "/proc/sys/kernel/osrelease", "/proc/sys/kernel/version",
	"/proc/sys/kernel/random/boot_id", "/proc/sys/kernel/kexec_load_disabled", "/proc/sys/kernel/kexec_load_limit_reboot",
	"/proc/sys/kernel/kexec_load_limit_panic", "/sys/kernel/kexec_loaded", "/sys/kernel/kexec/loaded", "/sys/kernel/kexec_crash_loaded",
	"/sys/kernel/kexec/crash_loaded", "/sys/class/misc/liveupdate/dev", "/sys/class/misc/liveupdate/uevent",
	"/sys/devices/virtual/misc/liveupdate/dev", "/sys/kernel/debug/kho/out/scratch_len",
	"/sys/kernel/debug/kho/out/scratch_phys", "/sys/kernel/debug/kho/out/sub_fdts/LUO",
};

enum { ROUNDS = 30 };

static const char *subject;
static char directory[128], *name;
static char place[] = "/tmp/luo-reads-XXXXXX", link_path[64];

static long content(int fd, char *into, long room)
{
	long size = 0, got;
	while (size < room && (got = read(fd, into + size, room - size)) > 0) size += got;
	return size;
}

static void found(const char *what, int fd)
{
	static char one[1 << 16], other[1 << 16];
	struct open_how how = { .flags = O_RDONLY };
	int by_struct = syscall(SYS_openat2, AT_FDCWD, subject, &how, sizeof how);
	if (fd < 0) {
		printf("  %s: %s\n", what, strerrorname_np(errno));
		return;
	}
	long size = content(fd, one, sizeof one), expected = content(by_struct, other, sizeof other);
	printf("  %s: %s\n", what, size != expected || memcmp(one, other, size) ? "another file" : size > 0 ? "the file" : "empty");
}

static void in_directory(void) { found("by its directory", openat(open(directory, O_RDONLY | O_DIRECTORY), name, O_RDONLY)); }
static void working(void) { chdir(directory); found("in its directory", open(name, O_RDONLY)); }
static void plain(void) { found("plain", open(subject, O_RDONLY | O_CLOEXEC)); }
static void flagged(void) { found("with flags", open(subject, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)); }
static void by_link(void) { found("by a link", open(link_path, O_RDONLY)); }

static void by_root(void)
{
	char path[256];
	snprintf(path, sizeof path, "/proc/self/root%s", subject);
	found("by /proc/self/root", open(path, O_RDONLY));
}

static void dotted(void)
{
	char path[256];
	snprintf(path, sizeof path, "%s/../.%s", "//proc/sys", subject[1] == 'p' ? strchr(subject + 1, '/') : "/..");
	if (subject[1] != 'p') strcat(path, subject);
	found("by dots", open(path, O_RDONLY));
}

static void in_another_root(void)
{
	unshare(CLONE_NEWNS);
	mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	mount("/", place, NULL, MS_BIND | MS_REC, NULL);
	chroot(place);
	chdir("/");
	found("in another root", open(subject, O_RDONLY));
}

static void each(void (*way)(void))
{
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		way();
		fflush(stdout);
		_exit(0);
	}
	waitpid(child, NULL, 0);
}

static void *many(void *failed)
{
	char byte;
	for (int round = 0; round < ROUNDS; round++) {
		int fd = open("/proc/sys/kernel/kexec_load_disabled", O_RDONLY);
		if (fd < 0 || read(fd, &byte, 1) != 1 || byte != '0') __atomic_add_fetch((int *)failed, 1, __ATOMIC_SEQ_CST);
		close(fd);
	}
	return NULL;
}

static void by_threads(void)
{
	pthread_t threads[4];
	int failed = 0;
	for (int index = 0; index < 4; index++) pthread_create(&threads[index], NULL, many, &failed);
	for (int index = 0; index < 4; index++) pthread_join(threads[index], NULL);
	printf("by threads: %d failed\n", failed);
}

static void by_traced(void)
{
	int status;
	pid_t child = fork();
	if (child == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		subject = "/proc/version";
		plain();
		fflush(stdout);
		_exit(0);
	}
	while (waitpid(child, &status, 0) == child && WIFSTOPPED(status)) ptrace(PTRACE_CONT, child, NULL, NULL);
	printf("by a traced child: %d\n", status);
}

static void on_signal(int number) { (void)number; }

/* Of the children that open their first file among signals. */
static void among_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct itimerval often = { { 0, 150 }, { 0, 150 } };
	int failed = 0, status;
	sigaction(SIGALRM, &action, NULL);
	for (int round = 0; round < 20; round++) {
		if (fork() == 0) {
			int wrong = 0;
			setitimer(ITIMER_REAL, &often, NULL);
			many(&wrong);
			_exit(wrong > 0);
		}
		wait(&status);
		failed += status != 0;
	}
	printf("among signals: %d failed\n", failed);
}

static void by_vfork(void)
{
	int status;
	pid_t child = vfork();
	if (child == 0) _exit(open("/proc/sys/kernel/kexec_load_disabled", O_RDONLY) < 0);
	waitpid(child, &status, 0);
	printf("by a vforked child: %d\n", status);
}

/* The thread is in the open, or about to be. */
static void killed(void)
{
	int status, failed = 0;
	for (int round = 0; round < 20; round++) {
		int wrong = 0;
		pid_t child = fork();
		if (child == 0) for (;;) many(&wrong);
		usleep(round * 100);
		kill(child, round % 2 ? SIGKILL : SIGTERM);
		waitpid(child, &status, 0);
		failed += !WIFSIGNALED(status);
	}
	printf("killed: %d failed\n", failed);
}

static void stopped(void)
{
	int status, failed = 0;
	for (int round = 0; round < 20; round++) {
		int wrong = 0;
		pid_t child = fork();
		if (child == 0) {
			many(&wrong);
			_exit(wrong > 0);
		}
		usleep(round * 100);
		kill(child, SIGSTOP);
		if (waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status)) {
			kill(child, SIGCONT);
			waitpid(child, &status, 0);
		}
		failed += status != 0;
	}
	printf("stopped and continued: %d failed\n", failed);
}

static void *executes(void *unused)
{
	usleep(2000);
	execl("/proc/self/exe", "reads", "end", NULL);
	return unused;
}

/* All other threads end in the middle of an open. */
static void replaced(void)
{
	int status, failed = 0;
	for (int round = 0; round < 8; round++) {
		int wrong = 0;
		pthread_t thread;
		pid_t child = fork();
		if (child == 0) {
			pthread_create(&thread, NULL, executes, NULL);
			for (;;) many(&wrong);
		}
		waitpid(child, &status, 0);
		failed += status != 0;
	}
	printf("replaced by another program: %d failed\n", failed);
}

static void list(const char *path)
{
	struct dirent **names;
	int count = scandir(path, &names, NULL, alphasort);
	int seen = 0;
	for (int index = 0; index < count; index++) {
		int ours = !strcmp(names[index]->d_name, "liveupdate") || !strcmp(names[index]->d_name, "kho") ||
			!strncmp(names[index]->d_name, "kexec_lo", 8) || !strcmp(names[index]->d_name, "osrelease");
		if (ours) seen++;
	}
	printf("%s lists %d of them\n", path, seen);
}

int main(int argc, char **argv)
{
	void (*const WAYS[])(void) = { plain, flagged, in_directory, working, by_link, by_root, dotted, in_another_root };
	if (argc > 1 && strcmp(argv[1], "end") == 0) return open("/proc/cmdline", O_RDONLY) < 0;
	mkdtemp(place);
	snprintf(link_path, sizeof link_path, "%s-link", place);
	for (unsigned at = 0; at < sizeof FILES / sizeof *FILES; at++) {
		subject = FILES[at];
		printf("%s\n", subject);
		strcpy(directory, subject);
		name = strrchr(directory, '/');
		*name++ = 0;
		unlink(link_path);
		symlink(subject, link_path);
		for (unsigned way = 0; way < sizeof WAYS / sizeof *WAYS; way++) each(WAYS[way]);
	}
	unlink(link_path);
	rmdir(place);
	list("/sys/class/misc");
	list("/sys/devices/virtual/misc");
	list("/sys/kernel/debug");
	list("/proc/sys/kernel");
	list("/dev");
	each(by_threads);
	each(among_signals);
	each(by_vfork);
	each(by_traced);
	each(killed);
	each(stopped);
	each(replaced);
}
