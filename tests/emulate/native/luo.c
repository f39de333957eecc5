/* The operations on the device, on sessions and on the machine. Every call is the bare system call, without libc. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "operation.h"

/* include/uapi/linux/liveupdate.h */
#define NAME_BYTES 64
#define CREATE_SESSION 0xba00
#define RETRIEVE_SESSION 0xba01
#define PRESERVE_FD 0xba40
#define RETRIEVE_FD 0xba41
#define FINISH 0xba42
#define GET_NAME 0xba43

#define PAGE 4096
#define NOT_OPEN 99

struct session_arg { uint32_t size; int32_t fd; char name[NAME_BYTES]; };
struct fd_arg { uint32_t size; int32_t fd; uint64_t token; };
struct finish_arg { uint32_t size, reserved; };

/* Paths, each with the way to open it (an index of `ways`). `device-link` is a symbolic link in the working directory. */
const struct spelling spellings[] = {
	{ "/dev/liveupdate", 0 }, { "/dev/liveupdate", 1 }, { "//dev/./../dev///liveupdate", 1 }, { "liveupdate", 2 },
	{ "../dev/liveupdate", 2 }, { "/dev/liveupdate", 3 }, { "liveupdate", 4 }, { "/dev/liveupdate", 4 },
	{ "/dev/liveupdate", 5 }, { "liveupdate", 5 }, { "device-link", 0 }, { "device-link", 3 }, { "device-link", 6 },
	{ "/proc/self/root/dev/liveupdate", 1 }, { "/proc/self/root/dev/liveupdate", 6 }, { "/dev/liveupdate/", 0 },
	{ "/dev/liveupdate/x", 1 }, { "/dev/liveupdatex/y", 0 }, { "", 0 }, { "/dev/liveupdate", 7 }, { "/dev/liveupdate", 8 },
	{ "", 9 }, { "../../../../../../../../dev/liveupdate", 0 },
};
const char *const ways[] = { "open", "openat", "openat of /dev", "openat2", "openat2 beneath /dev", "openat of no directory",
	"openat2 without links", "openat2 too short", "openat2 with an unknown flag", "openat of NULL" };
const int spelling_count = sizeof(spellings) / sizeof(*spellings);

const char *const names[] = { "a", "b", "c", "vm0", "x y/z",
	"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn",
	"\xc3\xa9t\xc3\xa9", "", "uuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu" };
const int name_count = sizeof(names) / sizeof(*names);

static int directory_of(const struct spelling *s)
{
	if (s->way == 2 || s->way == 4)
		return open("/dev", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return s->way == 5 ? NOT_OPEN : AT_FDCWD;
}

static long open_spelled(const struct spelling *s, int flags)
{
	/* openat2 refuses flags that open ignores, so a mode goes with O_CREAT only. */
	struct open_how how = { .flags = flags, .mode = flags & O_CREAT ? 0600 : 0 };
	size_t size = s->way == 7 ? 8 : sizeof(how);
	int directory = directory_of(s);
	long fd;

	if (s->way == 4)
		how.resolve = RESOLVE_BENEATH;
	if (s->way == 6)
		how.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
	if (s->way == 8)
		how.flags |= 1ull << 40;
	if (s->way == 0)
		fd = syscall(SYS_open, s->text, flags, 0600);
	else if (s->way == 9)
		fd = syscall(SYS_openat, AT_FDCWD, NULL, flags, 0600);
	else if (s->way == 1 || s->way == 2 || s->way == 5)
		fd = syscall(SYS_openat, directory, s->text, flags, 0600);
	else
		fd = syscall(SYS_openat2, directory, s->text, &how, size);
	if (directory >= 0 && directory != NOT_OPEN) {
		int error = errno;

		close(directory);
		errno = error;
	}
	return fd;
}

void open_device(const struct op *op, char *result)
{
	keep(result, op->v[0], open_spelled(&spellings[op->v[1]], op->v[2]));
}

void look_path(const struct op *op, char *result)
{
	const struct spelling *s = &spellings[op->v[0]];
	const char *path = s->way == 9 ? NULL : s->text;
	int directory = directory_of(s), how = op->v[1];
	struct stat st;
	struct statx stx;
	char target[200];
	long got;

	if (how < 3)
		got = syscall(SYS_faccessat, directory, path, how == 0 ? F_OK : how == 1 ? R_OK | W_OK : X_OK);
	else if (how == 3 || how == 4)
		got = syscall(SYS_newfstatat, directory, path, &st, how == 4 ? AT_SYMLINK_NOFOLLOW : 0);
	else if (how == 5)
		got = syscall(SYS_statx, directory, path, 0, STATX_BASIC_STATS, &stx);
	else if (how == 6)
		got = syscall(SYS_faccessat2, directory, path, R_OK, AT_EACCESS);
	else
		got = syscall(SYS_readlinkat, directory, path, target, sizeof(target));
	say_result(result, got);
	if (got == 0 && (how == 3 || how == 4) && S_ISCHR(st.st_mode))
		say(result, "mode=%o major=%u nlink=%lu size=%ld", st.st_mode, major(st.st_rdev), st.st_nlink, st.st_size);
	if (got == 0 && how == 5)
		say(result, "mode=%o major=%u nlink=%u size=%llu", stx.stx_mode, stx.stx_rdev_major, stx.stx_nlink, stx.stx_size);
	if (directory >= 0 && directory != NOT_OPEN)
		close(directory);
}

static void session(const struct op *op, long request, char *result)
{
	struct session_arg arg = { .size = sizeof(arg), .fd = -7 };

	memcpy(arg.name, names[op->v[1]], strlen(names[op->v[1]]));
	if (syscall(SYS_ioctl, slots[op->v[0]], request, &arg) < 0)
		say_result(result, -1);
	else
		keep(result, op->v[2], arg.fd);
}

void create(const struct op *op, char *result)
{
	session(op, CREATE_SESSION, result);
}

void retrieve(const struct op *op, char *result)
{
	session(op, RETRIEVE_SESSION, result);
}

void preserve(const struct op *op, char *result)
{
	struct fd_arg arg = { .size = sizeof(arg), .fd = slots[op->v[1]], .token = op->v[2] };

	say_result(result, syscall(SYS_ioctl, slots[op->v[0]], PRESERVE_FD, &arg));
}

void retrieve_fd(const struct op *op, char *result)
{
	struct fd_arg arg = { .size = sizeof(arg), .fd = -7, .token = op->v[1] };

	if (syscall(SYS_ioctl, slots[op->v[0]], RETRIEVE_FD, &arg) < 0)
		say_result(result, -1);
	else
		keep(result, op->v[2], arg.fd);
}

void finish(const struct op *op, char *result)
{
	struct finish_arg arg = { .size = sizeof(arg) };

	say_result(result, syscall(SYS_ioctl, slots[op->v[0]], FINISH, &arg));
}

void get_name(const struct op *op, char *result)
{
	struct session_arg arg = { .size = sizeof(arg) };

	if (syscall(SYS_ioctl, slots[op->v[0]], GET_NAME, &arg) < 0)
		say_result(result, -1);
	else
		say(result, "\"%.64s\"", arg.name);
}

static bool makes_fd(long request)
{
	request &= 0xffffffff;
	return request == CREATE_SESSION || request == RETRIEVE_SESSION || request == RETRIEVE_FD;
}

/* An ioctl whose number, size, tail or memory is usually wrong in one or more ways. */
void malformed(const struct op *op, char *result)
{
	long request = op->v[1], mapped = op->v[3];
	int contents = op->v[4], where = op->v[5];
	uint32_t size = op->v[2];
	unsigned char bytes[200] = { 0 };
	char *page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *at = page + PAGE - mapped;
	const void *const places[] = { at, at, NULL, page + PAGE, (void *)0xffff888000000000 };

	memcpy(bytes, &size, 4);
	if (contents < name_count)
		memcpy(bytes + 8, names[contents], strlen(names[contents]));
	if (contents == name_count)
		memset(bytes + 4, 0xff, 4);
	if (contents == name_count + 1)
		memset(bytes + 4, 0xff, sizeof(bytes) - 4);
	for (int i = 4; contents == name_count + 2 && i < (int)sizeof(bytes); i++)
		bytes[i] = i * 37;
	memcpy(at, bytes, mapped);
	mprotect(page + PAGE, PAGE, PROT_NONE);
	if (where == 1)
		mprotect(page, PAGE, PROT_READ);

	long got = syscall(SYS_ioctl, slots[op->v[0]], request, places[where]);
	say_result(result, got);
	if (got < 0 && memcmp(at, bytes, mapped))
		say(result, "%s, and the memory changed", strerrorname_np(errno));
	if (got >= 0 && where == 0) {
		if (makes_fd(request) && mapped >= 8) {
			memcpy(&size, at + 4, 4);
			close(size);
			memset(at + 4, 0, 4);
		}
		say(result, "%ld %08x", got, digest(at, mapped, 0));
	}
	munmap(page, 2 * PAGE);
}

void bad_kexec(const struct op *op, char *result)
{
	enum { UNLOAD = 1, NO_INITRAMFS = 4 };
	int how = op->v[0];
	int memfd = memfd_create("kernel", MFD_CLOEXEC);
	const char *path = getenv("LUO_KERNEL");
	int kernel = how == 0 ? -1 : how == 2 || how == 3 ? memfd : open(path ? path : "", O_RDONLY | O_CLOEXEC);
	const char *cmdline = how == 5 ? (char *)8 : "liveupdate=on";
	long length = how == 4 ? 4 : sizeof("liveupdate=on");
	long flags = how == 1 ? 0x1000 : how == 6 ? UNLOAD : how == 7 ? 0 : NO_INITRAMFS;

	if (how == 2)
		ftruncate(memfd, PAGE);
	say_result(result, syscall(SYS_kexec_file_load, kernel, -1, length, cmdline, flags));
	close(memfd);
	if (kernel != memfd)
		close(kernel);
}

/* A reboot that cannot succeed, because no image is loaded or the arguments are wrong. */
void bad_reboot(const struct op *op, char *result)
{
	int how = op->v[0] % 4;

	say_result(result, syscall(SYS_reboot, how == 2 ? 1 : 0xfee1dead, how == 3 ? 1 : 672274793, 0x45584543, NULL));
}
