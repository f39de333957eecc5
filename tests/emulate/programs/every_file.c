/* What the kernel itself does for every file, here for the device and a session: fcntl, ioctl, mmap, owners, times, attributes. */
#include "luo.h"
#include <grp.h>
#include <linux/fs.h>
#include <linux/fiemap.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/xattr.h>

enum { NOBODY = 65534 };

static void commands(int fd)
{
	struct flock lock = { F_WRLCK, SEEK_SET, 0, 0, 0 };
	say("F_SETFL, O_DIRECT", fcntl(fd, F_SETFL, O_DIRECT));
	say("F_SETFL, O_APPEND", fcntl(fd, F_SETFL, O_APPEND));
	printf("flags %o\n", fcntl(fd, F_GETFL));
	say("F_SETLK for writing", fcntl(fd, F_SETLK, &lock));
	lock.l_type = F_RDLCK;
	say("F_SETLK for reading", fcntl(fd, F_SETLK, &lock));
	say("F_SETLEASE", fcntl(fd, F_SETLEASE, F_RDLCK));
	say("F_GET_SEALS", fcntl(fd, F_GET_SEALS));
	say("F_GETLEASE", fcntl(fd, F_GETLEASE));
	say("F_SETPIPE_SZ", fcntl(fd, F_SETPIPE_SZ, 4096));
	say("flock", flock(fd, LOCK_EX | LOCK_NB));
}

static void requests(int fd)
{
	static char bytes[4096];
	unsigned long all[] = { FIGETBSZ, FIBMAP, 0x5460 /* FIOQSIZE */, FIFREEZE, FITHAW, FS_IOC_FIEMAP, FS_IOC_GETFLAGS, FS_IOC_FSGETXATTR,
		0x541b /* FIONREAD */, 0x5401 /* TCGETS */ };
	for (unsigned index = 0; index < sizeof all / sizeof *all; index++) {
		memset(bytes, 0, sizeof bytes);
		printf("%lx ", all[index]);
		say("ioctl", ioctl(fd, all[index], bytes));
	}
	say("FIGETBSZ to nowhere", ioctl(fd, FIGETBSZ, 16));
	say("FICLONE of no fd", ioctl(fd, FICLONE, 999));
}

static void map(const char *what, size_t length, int protection, int flags, int fd, off_t offset)
{
	void *at = mmap(NULL, length, protection, flags, fd, offset);
	yes(what, at == MAP_FAILED ? -1 : 0);
}

static void mappings(int fd)
{
	map("shared", 4096, PROT_READ, MAP_SHARED, fd, 0);
	map("shared, for writing", 4096, PROT_WRITE, MAP_SHARED, fd, 0);
	map("private", 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	map("executable", 4096, PROT_EXEC, MAP_PRIVATE, fd, 0);
	map("of no type", 4096, PROT_READ, 0, fd, 0);
	map("huge pages", 4096, PROT_READ, MAP_SHARED | MAP_HUGETLB, fd, 0);
	map("synchronous", 4096, PROT_READ, MAP_SHARED_VALIDATE | 0x80000, fd, 0);
	map("nothing", 0, PROT_READ, MAP_SHARED, fd, 0);
	map("too much", 1UL << 62, PROT_READ, MAP_SHARED, fd, 0);
	map("half an offset", 4096, PROT_READ, MAP_SHARED, fd, 1);
}

static void all(const char *what, int fd)
{
	printf("%s\n", what);
	commands(fd);
	requests(fd);
	mappings(fd);
}

static void times(int fd)
{
	struct stat found;
	struct timespec two[2] = { { 5, 7 }, { 6, 8 } };
	say("futimens", futimens(fd, two));
	stat(DEVICE, &found);
	printf("%ld.%ld %ld.%ld\n", found.st_atime, found.st_atim.tv_nsec, found.st_mtime, found.st_mtim.tv_nsec);
	two[0].tv_nsec = -1;
	say("a wrong time", futimens(fd, two));
	two[0].tv_nsec = UTIME_OMIT;
	two[1].tv_nsec = UTIME_NOW;
	say("one of them now", futimens(fd, two));
	stat(DEVICE, &found);
	printf("%ld, now %d\n", found.st_atime, found.st_mtime > 1000);
}

static void owners(void)
{
	struct stat found;
	chown(DEVICE, NOBODY, NOBODY);
	chmod(DEVICE, 04600);
	CHILD("the owner", {
		setgroups(0, NULL);
		setresgid(NOBODY, NOBODY, NOBODY);
		setresuid(NOBODY, NOBODY, NOBODY);
		say("gives it away", chown(DEVICE, 0, 0));
		say("gives it to a group", chown(DEVICE, -1, 0));
		say("keeps it", chown(DEVICE, NOBODY, NOBODY));
		stat(DEVICE, &found);
		printf("mode %o\n", found.st_mode);
		say("O_NOATIME", close(open(DEVICE, O_RDWR | O_NOATIME)));
	});
	chown(DEVICE, 0, 0);
	chmod(DEVICE, 0060);
	CHILD("a stranger without groups", {
		setgroups(0, NULL);
		setresgid(NOBODY, NOBODY, NOBODY);
		setresuid(NOBODY, NOBODY, NOBODY);
		yes("open", open(DEVICE, O_RDWR));
	});
	chmod(DEVICE, 0604);
	CHILD("a stranger who may read", {
		setresuid(NOBODY, NOBODY, NOBODY);
		yes("O_NOATIME", open(DEVICE, O_RDONLY | O_NOATIME));
		yes("mode 3", open(DEVICE, 3));
	});
	chmod(DEVICE, 0600);
}

static void attributes(int session)
{
	char bytes[64];
	say("trusted, without a name", setxattr(DEVICE, "trusted.", "v", 1, 0));
	say("a wrong capability", setxattr(DEVICE, "security.capability", "v", 1, 0));
	say("there is none", getxattr(DEVICE, "security.capability", bytes, sizeof bytes));
	say("no ACL to remove", removexattr(DEVICE, "system.posix_acl_access"));
	say("a wrong ACL of a session", fsetxattr(session, "system.posix_acl_access", "v", 1, 0));
}

static void events(const char *what, int watcher)
{
	char bytes[4096] __attribute__((aligned(8)));
	ssize_t length = read(watcher, bytes, sizeof bytes);
	printf("%s:", what);
	for (ssize_t at = 0; at < length; at += sizeof(struct inotify_event) + ((struct inotify_event *)(bytes + at))->len)
		printf(" %x", ((struct inotify_event *)(bytes + at))->mask);
	puts("");
}

static void watches(int device)
{
	char path[64];
	int watcher = inotify_init1(IN_NONBLOCK), held = session(device, CREATE, "watched"), file = memory("data");
	say("watch the device", inotify_add_watch(watcher, DEVICE, IN_ATTRIB));
	setxattr(DEVICE, "trusted.a", "v", 1, 0);
	events("setxattr", watcher);
	removexattr(DEVICE, "trusted.a");
	events("removexattr", watcher);
	link(DEVICE, "/dev/luo-other");
	events("link", watcher);
	unlink("/dev/luo-other");
	events("unlink", watcher);
	sprintf(path, "/proc/self/fd/%d", held);
	say("watch a session", inotify_add_watch(watcher, path, IN_ALL_EVENTS));
	sprintf(path, "/proc/self/fd/%d", file);
	say("watch a memfd", inotify_add_watch(watcher, path, IN_ALL_EVENTS));
	say("preserve", preserve(held, file, 1));
	events("nothing opens it", watcher);
	close(held);
	events("nothing closes it", watcher);
}

static void path_only(void)
{
	char byte;
	int fd = open(DEVICE, O_PATH);
	say("O_PATH: F_SETFL", fcntl(fd, F_SETFL, O_APPEND));
	say("O_PATH: F_GET_SEALS", fcntl(fd, F_GET_SEALS));
	say("O_PATH: F_SETLK", fcntl(fd, F_SETLK, &(struct flock){ F_RDLCK, SEEK_SET, 0, 0, 0 }));
	say("O_PATH: FIONBIO", ioctl(fd, 0x5421, &byte));
	map("O_PATH: mmap", 4096, PROT_READ, MAP_SHARED, fd, 0);
	printf("O_PATH: flags %o\n", fcntl(fd, F_GETFL));
	close(fd);
}

int main(void)
{
	struct stat found, other;
	int device, held;
	in_first_boot();
	owners();
	path_only();
	device = open(DEVICE, O_RDONLY);
	all("the device, for reading", device);
	close(device);
	device = open(DEVICE, O_WRONLY);
	all("the device, for writing", device);
	close(device);
	device = open(DEVICE, O_RDWR);
	held = session(device, CREATE, "one");
	all("a session", held);
	times(device);
	attributes(held);
	watches(device);
	fstat(held, &found);
	fstat(epoll_create1(0), &other);
	printf("a session is the inode of all anonymous files: %d\n", found.st_dev == other.st_dev && found.st_ino == other.st_ino);
	yes("preserve a file of /proc", preserve(held, open("/proc/self/status", O_RDONLY), 9));
	yes("preserve another", preserve(held, open("/proc/cmdline", O_RDONLY), 9));
}
