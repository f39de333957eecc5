/* The device by many names. Each must find it (busy, because it is open); a name that only looks like one must not. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static void say(const char *what, int answer)
{
	printf("%s: %s\n", what, answer < 0 ? strerrorname_np(errno) : "opened");
	if (answer >= 0) close(answer);
}

int main(void)
{
	struct open_how how = { .flags = O_RDWR };
	struct stat looks;
	char path[64], here[] = "/tmp/luo-spell-XXXXXX";
	int device = open("/dev/liveupdate", O_RDWR), dev = open("/dev", O_PATH);
	mkdtemp(here);
	chdir(here);
	symlink("/dev/liveupdate", "link");
	symlink("link", "second");
	symlink("/dev", "directory");
	say("plain", open("/dev/liveupdate", O_RDWR));
	say("slashes", open("//dev/.//liveupdate", O_RDWR));
	say("dots", open("/dev/../dev/liveupdate", O_RDWR));
	say("link", open("link", O_RDWR));
	say("link to it", open("second", O_RDWR));
	say("linked directory", open("directory/liveupdate", O_RDWR));
	say("openat", openat(dev, "liveupdate", O_RDWR));
	say("openat2", syscall(SYS_openat2, AT_FDCWD, "/dev/liveupdate", &how, sizeof how));
	chdir("/dev");
	say("relative", open("liveupdate", O_RDWR));
	sprintf(path, "/proc/self/fd/%d", device);
	say("by its fd", open(path, O_RDWR));
	say("O_EXCL", open("/dev/liveupdate", O_RDWR | O_CREAT | O_EXCL, 0600));
	chdir(here);
	say("another file", open("liveupdate", O_RDWR));
	say("a link that is followed no more", open("link", O_RDWR | O_NOFOLLOW));
	say("a name that goes on", open("/dev/liveupdate2", O_RDWR));
	stat("/dev/liveupdate", &looks);
	printf("stat: %o, major %d\n", looks.st_mode, major(looks.st_rdev));
	fstat(device, &looks);
	printf("fstat: %o, major %d\n", looks.st_mode, major(looks.st_rdev));
	printf("access: %d, execute: %d\n", access("/dev/liveupdate", R_OK | W_OK), access("/dev/liveupdate", X_OK));
	close(device);
	say("closed", open("link", O_RDWR));
	unlink("link");
	unlink("second");
	unlink("directory");
	chdir("/");
	rmdir(here);
	return 0;
}
