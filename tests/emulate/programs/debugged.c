/* A program that another one traces from its start, as gdb and strace do, reads the files that tell which kernel runs, and loads the next kernel. */
#include "luo.h"
#include <sys/ptrace.h>

static const char *const FILES[] = {
	"/proc/cmdline", "/proc/version", "/proc/misc", "/proc/sys/kernel/osrelease", "/proc/sys/kernel/random/boot_id", "/sys/kernel/kexec_loaded",
	"/sys/class/misc/liveupdate/dev", "/sys/devices/virtual/misc/liveupdate/uevent",
};

/* In small pieces. Returns the number of bytes. */
static long read_all(int fd)
{
	char piece[7];
	long all = 0;
	for (long got; (got = read(fd, piece, sizeof piece)) > 0;) all += got;
	return all;
}

static void tracee(void)
{
	char path[128], text[16] = "";
	ptrace(PTRACE_TRACEME, 0, 0, 0);
	raise(SIGSTOP);
	for (size_t index = 0; index < sizeof FILES / sizeof *FILES; index++) {
		int fd = open(FILES[index], O_RDONLY | O_CLOEXEC);
		snprintf(path, sizeof path, "%s", FILES[index]);
		say(path, fd < 0 ? -1 : read_all(fd) > 0);
		close(fd);
	}
	for (int round = 0; round < 2; round++) {
		int fd = open("/sys/kernel/kexec_loaded", O_RDONLY);
		if (read(fd, text, 2) == 2) printf("loaded: %c\n", text[0]);
		say("the start again", pread(fd, text, 1, 0));
		close(fd);
		int kernel = open(getenv("LUO_KERNEL"), O_RDONLY), initrd = open(getenv("LUO_INITRD"), O_RDONLY);
		struct stat found;
		say("the image has bytes", fstat(kernel, &found) < 0 ? -1 : found.st_size > 0);
		say("load", syscall(SYS_kexec_file_load, kernel, initrd, 16, "liveupdate=on x", 0));
	}
	int device = open(DEVICE, O_RDWR);
	say("create", session(device, CREATE, "debugged") >= 0);
}

int main(void)
{
	int status;
	in_first_boot();
	pid_t child = fork();
	if (child == 0) {
		tracee();
		_exit(42);
	}
	for (long signal = 0; waitpid(child, &status, 0) == child && WIFSTOPPED(status); ptrace(PTRACE_CONT, child, 0, signal))
		signal = WSTOPSIG(status) == SIGSTOP || WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
	say("ended with", WEXITSTATUS(status));
}
