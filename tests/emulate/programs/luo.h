/* What the programs here share: the requests of /dev/liveupdate, and one line for each answer. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEVICE "/dev/liveupdate"
enum { CREATE = 0xba00, RETRIEVE = 0xba01, PRESERVE = 0xba40, RESTORE = 0xba41, FINISH = 0xba42, GET_NAME = 0xba43 };

struct session { uint32_t size; int32_t fd; char name[64]; };
struct file { uint32_t size; int32_t fd; uint64_t token; };

static inline void say(const char *what, long answer)
{
	if (answer < 0) printf("%s: %s\n", what, strerrorname_np(errno));
	else printf("%s: %ld\n", what, answer);
}

static inline void yes(const char *what, long answer)
{
	printf("%s: %s\n", what, answer < 0 ? strerrorname_np(errno) : "yes");
}

static inline int session(int device, int request, const char *name)
{
	struct session argument = { sizeof argument, -1, "" };
	strncpy(argument.name, name, sizeof argument.name);
	return ioctl(device, request, &argument) < 0 ? -1 : argument.fd;
}

static inline int preserve(int session, int fd, uint64_t token)
{
	struct file argument = { sizeof argument, fd, token };
	return ioctl(session, PRESERVE, &argument);
}

static inline int restore(int session, uint64_t token)
{
	struct file argument = { sizeof argument, -1, token };
	return ioctl(session, RESTORE, &argument) < 0 ? -1 : argument.fd;
}

static inline int finish(int session)
{
	uint32_t argument[2] = { sizeof argument, 0 };
	return ioctl(session, FINISH, argument);
}

static inline int memory(const char *text)
{
	int fd = memfd_create("m", MFD_ALLOW_SEALING | 0x10);
	write(fd, text, strlen(text));
	return fd;
}

static inline void next_boot(void)
{
	const char *line = getenv("LUO_CMDLINE");
	int kernel = open(getenv("LUO_KERNEL"), O_RDONLY), initrd = open(getenv("LUO_INITRD"), O_RDONLY);
	fflush(stdout);
	if (syscall(SYS_kexec_file_load, kernel, initrd, strlen(line) + 1, line, 0) < 0) say("load", -1);
	reboot(0x45584543);
	say("reboot", -1);
}

static inline int in_first_boot(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	return strcmp(getenv("LUO_BOOT"), "1") == 0;
}

#define CHILD(what, ...) do { \
	fflush(stdout); \
	pid_t child_ = fork(); \
	int status_ = 0; \
	if (child_ == 0) { __VA_ARGS__; fflush(stdout); _exit(0); } \
	waitpid(child_, &status_, 0); \
	printf("%s: ended with %d\n", what, WIFSIGNALED(status_) ? 128 + WTERMSIG(status_) : WEXITSTATUS(status_)); \
} while (0)
