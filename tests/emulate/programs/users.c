/* The device, a session and the kexec for a program that is not root, or no longer. Started as root. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define DEVICE "/dev/liveupdate"
enum { NOBODY = 65534 };

static void say(const char *what, long answer)
{
	if (answer < 0) printf("%s: %s\n", what, strerrorname_np(errno));
	else printf("%s: ok\n", what);
}

static void drop(void)
{
	setgroups(0, NULL);
	setresgid(NOBODY, NOBODY, NOBODY);
	setresuid(NOBODY, NOBODY, NOBODY);
}

static void nobody(void)
{
	struct stat look;
	drop();
	say("open", open(DEVICE, O_RDWR));
	say("open with O_PATH", open(DEVICE, O_PATH));
	say("access", access(DEVICE, R_OK));
	say("is it there", access(DEVICE, F_OK));
	stat(DEVICE, &look);
	printf("mode %o\n", look.st_mode);
	say("chmod", chmod(DEVICE, 0666));
	say("setxattr", setxattr(DEVICE, "trusted.a", "x", 1, 0));
	say("mknod", mknod("/tmp/luo-users", S_IFCHR | 0666, look.st_rdev));
	say("kexec_file_load", syscall(SYS_kexec_file_load, -1, -1, 0, NULL, 1));
	say("kexec_load", syscall(SYS_kexec_load, 0, 0, NULL, 0));
	say("reboot", syscall(SYS_reboot, 1, 1, 1, NULL));
}

static void effective(void)
{
	seteuid(NOBODY);
	say("open", open(DEVICE, O_RDWR));
	say("access of the real user", access(DEVICE, R_OK));
	say("access of the effective user", faccessat(AT_FDCWD, DEVICE, R_OK, AT_EACCESS));
	seteuid(0);
	say("open as root again", open(DEVICE, O_RDWR));
}

static void for_files(void)
{
	setfsuid(NOBODY);
	say("open", open(DEVICE, O_RDWR));
	setfsuid(0);
	chmod(DEVICE, 0660);
	chown(DEVICE, 0, NOBODY);
	setresgid(NOBODY, NOBODY, NOBODY);
	setfsuid(NOBODY);
	say("open by the group", open(DEVICE, O_RDWR));
}

static void dropped(void)
{
	struct { uint32_t size; int32_t fd; char name[64]; } session = { 72, -1, "dropped" };
	struct { uint32_t size; int32_t fd; uint64_t token; } file = { 16, -1, 1 };
	int device = open(DEVICE, O_RDWR);
	drop();
	say("create", ioctl(device, 0xba00, &session));
	file.fd = memfd_create("m", MFD_ALLOW_SEALING);
	write(file.fd, "x", 1);
	say("preserve", ioctl(session.fd, 0xba40, &file));
	say("preserve again", (file.token = 2, ioctl(session.fd, 0xba40, &file)));
	say("write past the end", pwrite(file.fd, "abc", 3, 5000));
	say("truncate", ftruncate(file.fd, 99));
}

static void as(const char *who, void (*what)(void))
{
	printf("%s\n", who);
	fflush(stdout);
	if (fork() == 0) {
		what();
		exit(0);
	}
	wait(NULL);
}

int main(void)
{
	as("nobody", nobody);
	as("the effective user", effective);
	as("the user for files", for_files);
	as("a session of a program that was root", dropped);
	return 0;
}
