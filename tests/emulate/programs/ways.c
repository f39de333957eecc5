/* Ways to the device: links, /proc, the flags of openat2, and what an fd of it shows of itself. One line for each way. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DEVICE "/dev/liveupdate"

static void say(const char *what, long answer)
{
	if (answer < 0) printf("%s: %s\n", what, strerrorname_np(errno));
	else printf("%s: %ld\n", what, answer);
}

static void way(const char *what, int fd)
{
	printf("%s: %s\n", what, fd < 0 ? strerrorname_np(errno) : "opened");
	if (fd >= 0) close(fd);
}

static int resolve(int directory, const char *path, uint64_t flags)
{
	struct open_how how = { O_RDWR, 0, flags };
	return syscall(SYS_openat2, directory, path, &how, sizeof how);
}

static void links(void)
{
	char from[16], to[32];
	symlink(DEVICE, "l1");
	for (int index = 2; index <= 41; index++) {
		sprintf(from, "l%d", index - 1);
		sprintf(to, "l%d", index);
		symlink(from, to);
	}
	way("40 links", open("l40", O_RDWR));
	way("41 links", open("l41", O_RDWR));
	way("a link, O_NOFOLLOW", open("l1", O_RDWR | O_NOFOLLOW));
	way("a link, O_EXCL", open("l1", O_RDWR | O_CREAT | O_EXCL, 0600));
	way("a link, O_CREAT", open("l1", O_RDWR | O_CREAT, 0600));
	way("RESOLVE_NO_SYMLINKS", resolve(AT_FDCWD, "l1", RESOLVE_NO_SYMLINKS));
	unlink("l1");
	way("a link to nothing", open("l2", O_RDWR));
	symlink("/dev/null", "l1");
	way("a link to another device", open("l2", O_RDONLY));
	for (int index = 1; index <= 41; index++) {
		sprintf(to, "l%d", index);
		unlink(to);
	}
}

static void by_proc(int dev)
{
	char path[64];
	way("root", open("/proc/self/root" DEVICE, O_RDWR));
	sprintf(path, "/proc/%d/root" DEVICE, getpid());
	way("root by pid", open(path, O_RDWR));
	sprintf(path, "/proc/thread-self/fd/%d/liveupdate", dev);
	way("an fd of /dev", open(path, O_RDWR));
	chdir("/dev");
	way("cwd", open("/proc/self/cwd/liveupdate", O_RDWR));
	chdir("/");
	way("after the device", open(DEVICE "/.", O_RDWR));
	way("RESOLVE_NO_MAGICLINKS", resolve(AT_FDCWD, "/proc/self/root" DEVICE, RESOLVE_NO_MAGICLINKS));
}

static void beneath(int dev)
{
	way("RESOLVE_BENEATH", resolve(dev, "liveupdate", RESOLVE_BENEATH));
	way("RESOLVE_BENEATH, absolute", resolve(dev, DEVICE, RESOLVE_BENEATH));
	way("RESOLVE_BENEATH, up and down", resolve(dev, "shm/../liveupdate", RESOLVE_BENEATH));
	way("RESOLVE_BENEATH, too far up", resolve(dev, "../dev/liveupdate", RESOLVE_BENEATH));
	way("RESOLVE_IN_ROOT", resolve(dev, "/liveupdate", RESOLVE_IN_ROOT));
	way("RESOLVE_IN_ROOT, too far up", resolve(dev, "../../liveupdate", RESOLVE_IN_ROOT));
	way("RESOLVE_NO_XDEV", resolve(dev, "liveupdate", RESOLVE_NO_XDEV));
	way("an unknown flag", resolve(dev, "liveupdate", 0x100));
}

static void shown(int fd, const char *what)
{
	char path[64], text[256];
	struct stat look;
	printf("%s\n", what);
	sprintf(path, "/proc/self/fd/%d", fd);
	stat(path, &look);
	printf("mode %o\n", look.st_mode);
	say("execute", access(path, X_OK));
	sprintf(path, "/proc/%d/task/%d/fd/%d", getpid(), getpid(), fd);
	ssize_t length = readlink(path, text, sizeof text - 1);
	printf("link ");
	for (ssize_t at = 0; at < length; at++) printf((signed char)text[at] < ' ' ? "<%02x>" : "%c", (unsigned char)text[at]);
	puts("");
	sprintf(path, "/proc/self/fdinfo/%d", fd);
	FILE *lines = fopen(path, "r");
	while (fgets(text, sizeof text, lines)) if (strncmp(text, "mnt_id", 6) && strncmp(text, "ino", 3)) printf("%s", text);
	fclose(lines);
	sprintf(path, "/proc/self/fd/%d", fd);
	int path_only = open(path, O_PATH);
	say("O_PATH, then read", read(path_only, text, 1));
	say("O_PATH, then ioctl", ioctl(path_only, 0xba43, text));
	say("O_PATH, then fchmod", fchmod(path_only, 0600));
	way("through the O_PATH fd", (sprintf(path, "/proc/self/fd/%d", path_only), open(path, O_RDWR)));
	close(path_only);
	say("fgetxattr", fgetxattr(fd, "user.a", text, 9));
	say("fsetxattr", fsetxattr(fd, "trusted.a", "x", 1, 0));
	say("fchmod", fchmod(fd, 0600));
	say("a negative offset", pread(fd, text, 1, -1));
	say("an offset", pread(fd, text, 1, 1));
}

int main(void)
{
	struct { uint32_t size; int32_t fd; char name[64]; } argument = { 72, -1, "odd \xff\n" };
	char here[] = "/tmp/luo-ways-XXXXXX";
	int dev = open("/dev", O_PATH | O_DIRECTORY);
	mkdtemp(here);
	chdir(here);
	links();
	by_proc(dev);
	rmdir(here);
	beneath(dev);
	int device = open(DEVICE, O_RDWR);
	shown(device, "the device");
	ioctl(device, 0xba00, &argument);
	shown(argument.fd, "a session");
	return 0;
}
