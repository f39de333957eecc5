/* The calls of LUO: right ones, and structs of every size with anything in them. */
#include "wild.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CREATE = 0xba00, RETRIEVE, PRESERVE = 0xba40, RESTORE, FINISH, GET_NAME };

struct session { uint32_t size; int32_t fd; char name[64]; };
struct file { uint32_t size; int32_t fd; uint64_t token; };

int luo_session(int device, int request, const char *name)
{
	struct session argument = { sizeof argument, -1, "" };
	strncpy(argument.name, name, sizeof argument.name);
	return ioctl(device, request, &argument) < 0 ? -1 : argument.fd;
}

int luo_file(int session, int request, int fd, uint64_t token)
{
	struct file argument = { sizeof argument, fd, token };
	int answer = ioctl(session, request, &argument);
	return answer < 0 || request == PRESERVE ? answer : argument.fd;
}

int luo_finish(int session)
{
	uint32_t argument[2] = { sizeof argument, 0 };
	return ioctl(session, FINISH, argument);
}

int load_kernel(int flags)
{
	const char *line = getenv("LUO_CMDLINE");
	int kernel = open(getenv("LUO_KERNEL"), O_RDONLY | O_CLOEXEC), initrd = open(getenv("LUO_INITRD"), O_RDONLY | O_CLOEXEC);
	int answer = syscall(SYS_kexec_file_load, kernel, initrd, strlen(line) + 1, line, flags), error = errno;
	close(kernel);
	close(initrd);
	errno = error;
	return answer;
}

static int memory(void)
{
	static const int flags[] = { 0, MFD_CLOEXEC, MFD_ALLOW_SEALING, 8 /* MFD_NOEXEC_SEAL */, 16 /* MFD_EXEC */, MFD_HUGETLB };
	static const int64_t lengths[] = { 0, 1, 4096, 1 << 20, 1 << 26, 1ll << 40, INT64_MAX };
	int fd = memfd_create("wild", PICK(flags));
	if (chance(70)) pwrite(fd, buffer(), below(8192), below(65536));
	else ftruncate(fd, PICK(lengths));
	keep_fd(fd);
	return fd;
}

/* A struct in any memory, with a size that the kernel takes or does not. */
static void malformed(void)
{
	static const int requests[] = { CREATE, RETRIEVE, PRESERVE, RESTORE, FINISH, GET_NAME, 0xba02, 0xba43, 0xba7f, 0xbaff };
	static const uint32_t sizes[] = { 0, 4, 8, 15, 16, 17, 71, 72, 73, 128, 4096, 4097, 1 << 20, ~0u };
	char *at = anywhere();
	if (at >= buffer() - BUFFER && at < buffer() + BUFFER && ((uintptr_t)at & 4095) <= 4032) *(uint32_t *)at = PICK(sizes);
	ioctl(some_fd(), PICK(requests), at);
}

static void one_call(void)
{
	static const char *const names[] = { "a", "b", "c", "d", "", "\xff\xfe", "data", "a/b", "luo-agent", "0123456789012345678901234567890123456789012345678901234567890123" };
	switch (below(9)) {
	case 0: keep_fd(open(DEVICE, PICK(((const int[]){ O_RDWR, O_RDWR | O_CLOEXEC, O_RDONLY, O_WRONLY, O_PATH, O_RDWR | O_NONBLOCK })))); break;
	case 1: keep_fd(luo_session(some_fd(), CREATE, PICK(names))); break;
	/* The data are the first process's. */
	case 2: keep_fd(luo_session(some_fd(), RETRIEVE, names[below(6)])); break;
	case 3: luo_file(some_fd(), PRESERVE, chance(70) ? memory() : some_fd(), below(6)); break;
	case 4: keep_fd(luo_file(some_fd(), RESTORE, -1, below(6))); break;
	case 5: luo_finish(some_fd()); break;
	case 6: memory(); break;
	case 7: malformed(); break;
	default: {
		int device = open(DEVICE, O_RDWR | O_CLOEXEC), session = luo_session(device, CREATE, PICK(names));
		keep_fd(session);
		for (int token = below(3); token >= 0; token--) luo_file(session, PRESERVE, memory(), token);
		close(device);
	}
	}
}

void luo_call(void)
{
	static const long none[6];
	begins(SYS_ioctl, none);
	one_call();
	is_over();
}
