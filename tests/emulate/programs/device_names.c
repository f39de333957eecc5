/* The names of the device: calls that use, make and remove them, and the device's attributes. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#define DEVICE "/dev/liveupdate"

static void say(const char *what, long answer)
{
	if (answer < 0) printf("%s: %s\n", what, strerrorname_np(errno));
	else printf("%s: %ld\n", what, answer);
}

static int opened(const char *path, int flags)
{
	int fd = open(path, flags, 0640);
	return fd < 0 ? -1 : close(fd);
}

static void link_text(const char *what, int fd)
{
	char path[64], text[256];
	sprintf(path, "/proc/self/fd/%d", fd);
	ssize_t length = readlink(path, text, sizeof text - 1);
	text[length < 0 ? 0 : length] = 0;
	printf("%s: %s\n", what, text);
}

static void taken(void)
{
	struct sockaddr_un address = { AF_UNIX, DEVICE };
	say("mkdir", mkdir(DEVICE, 0700));
	say("mkdir with a slash", mkdir(DEVICE "/", 0700));
	say("mkdir below", mkdir(DEVICE "/x", 0700));
	say("mknod", mknod(DEVICE, S_IFREG | 0600, 0));
	say("symlink", symlink("/dev/null", DEVICE));
	say("symlink to nothing", symlink("", DEVICE));
	say("link", link("/proc/self/status", DEVICE));
	say("link of what is not there", link("/no-such-file", DEVICE));
	say("bind", bind(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof address));
	say("O_EXCL", opened(DEVICE, O_RDWR | O_CREAT | O_EXCL));
	say("creat", close(creat(DEVICE, 0600)));
	say("O_TRUNC", opened(DEVICE, O_WRONLY | O_TRUNC));
	say("O_DIRECTORY", opened(DEVICE, O_RDONLY | O_DIRECTORY));
	say("truncate", truncate(DEVICE, 0));
	say("chroot", chroot(DEVICE));
	say("unlink with a slash", unlink(DEVICE "/"));
}

static void attributes(void)
{
	char value[100];
	struct stat look;
	struct statfs system;
	say("getxattr", getxattr(DEVICE, "user.a", value, 9));
	say("lgetxattr", lgetxattr(DEVICE, "security.selinux", value, 9));
	say("getxattr of the system", getxattr(DEVICE, "system.a", value, 9));
	say("getxattr without a name", getxattr(DEVICE, "", value, 9));
	say("listxattr", listxattr(DEVICE, value, 9));
	say("setxattr", setxattr(DEVICE, "user.a", "x", 1, 0));
	say("setxattr, trusted", setxattr(DEVICE, "trusted.a", "xyz", 3, 0));
	say("its length", getxattr(DEVICE, "trusted.a", value, 0));
	say("too small", getxattr(DEVICE, "trusted.a", value, 2));
	say("XATTR_CREATE", setxattr(DEVICE, "trusted.a", "x", 1, XATTR_CREATE));
	say("XATTR_REPLACE", setxattr(DEVICE, "trusted.b", "x", 1, XATTR_REPLACE));
	say("listxattr", listxattr(DEVICE, value, 100));
	say("removexattr", removexattr(DEVICE, "trusted.a"));
	say("again", lremovexattr(DEVICE, "trusted.a"));
	say("chmod", chmod(DEVICE, 0640));
	say("chown", chown(DEVICE, 5, -1));
	stat(DEVICE, &look);
	printf("mode %o, owner %d %d\n", look.st_mode, look.st_uid, look.st_gid);
	say("chown", chown(DEVICE, 0, 0));
	say("utimensat", utimensat(AT_FDCWD, DEVICE, NULL, 0));
	say("statfs", statfs(DEVICE, &system));
	printf("type %lx\n", (long)system.f_type);
}

static void watched(void)
{
	char events[1024] __attribute__((aligned(8)));
	int fd = inotify_init1(IN_NONBLOCK);
	say("watch", inotify_add_watch(fd, DEVICE, IN_ALL_EVENTS));
	say("watch a directory", inotify_add_watch(fd, DEVICE, IN_OPEN | IN_ONLYDIR));
	opened(DEVICE, O_RDWR);
	/* The close of a device is seen with the next call. */
	opened(DEVICE, O_RDONLY);
	opened(DEVICE, O_PATH);
	chmod(DEVICE, 0600);
	ssize_t length = read(fd, events, sizeof events);
	for (ssize_t at = 0; at < length;) {
		struct inotify_event *event = (struct inotify_event *)(events + at);
		printf("event %x\n", event->mask);
		at += sizeof *event + event->len;
	}
	close(fd);
}

static void moved(void)
{
	struct stat look;
	say("link", link(DEVICE, "/dev/luo-second"));
	stat("/dev/luo-second", &look);
	printf("links %ld\n", (long)look.st_nlink);
	int fd = open("/dev/luo-second", O_RDWR);
	say("open, and open again", opened(DEVICE, O_RDWR));
	link_text("by the second name", fd);
	say("unlink", unlink("/dev/luo-second"));
	link_text("after the unlink", fd);
	close(fd);
	say("rename", rename(DEVICE, "/dev/luo-third"));
	say("the old name", opened(DEVICE, O_RDWR));
	say("the new name", opened("/dev/luo-third", O_RDWR));
	say("onto a directory", rename("/dev/luo-third", "/dev/shm"));
	say("to another file system", rename("/dev/luo-third", "/proc/luo-third"));
	say("back", rename("/dev/luo-third", DEVICE));
	say("unlink", unlink(DEVICE));
	say("unlink again", unlink(DEVICE));
	say("open", opened(DEVICE, O_RDWR));
	say("access", access(DEVICE, F_OK));
	say("a file in its place", opened(DEVICE, O_RDWR | O_CREAT));
	stat(DEVICE, &look);
	printf("mode %o\n", look.st_mode);
	say("unlink", unlink(DEVICE));
}

int main(void)
{
	struct stat look;
	stat(DEVICE, &look);
	taken();
	attributes();
	watched();
	moved();
	umask(022);
	say("mknod", mknod(DEVICE, S_IFCHR | 0666, look.st_rdev));
	say("open", opened(DEVICE, O_RDWR));
	stat(DEVICE, &look);
	printf("mode %o\n", look.st_mode);
	return 0;
}
