/* statx with every mask and flag, on the device, a session and an fd without rights; watches of them; watched events. */
#include "luo.h"
#include <sys/inotify.h>
#include <sys/fanotify.h>
static void one(const char *what, int dir, const char *path, int flags, unsigned mask)
{
	struct statx x;
	memset(&x, 0xee, sizeof x);
	int r = statx(dir, path, flags, mask, &x);
	if (r < 0)
		printf("%s flags %x mask %x: %s\n", what, flags, mask, strerrorname_np(errno));
	else
		printf("%s flags %x mask %x: mask %x mode %o links %u owner %u:%u size %ld blocks %ld blksize %u rdev %d btime %d mount %d dio %u %u\n", what, flags,
		       mask, x.stx_mask & ~0x4000, x.stx_mode, x.stx_nlink, x.stx_uid, x.stx_gid, (long)x.stx_size, (long)x.stx_blocks, x.stx_blksize,
		       x.stx_rdev_major, x.stx_btime.tv_sec != 0, x.stx_mnt_id != 0, x.stx_dio_mem_align, x.stx_dio_offset_align);
}

static void all(const char *what, int dir, const char *path, int flags)
{
	one(what, dir, path, flags, 0);
	for (unsigned bit = 1; bit; bit <<= 1)
		one(what, dir, path, flags, bit);
	for (unsigned f = 0x100; f <= 0x10000; f <<= 1)
		one(what, dir, path, flags | f, STATX_BASIC_STATS);
	one(what, dir, path, flags | 0x6000, STATX_BASIC_STATS);
}

static void events(const char *what, int fd)
{
	char text[4096];
	ssize_t got = read(fd, text, sizeof text);
	printf("%s:", what);
	for (ssize_t at = 0; at < got;) {
		struct inotify_event *e = (void *)(text + at);
		printf(" %x", e->mask);
		at += sizeof *e + e->len;
	}
	printf("%s\n", got < 0 ? strerrorname_np(errno) : "");
}

int main(void)
{
	struct statx s;
	in_first_boot();
	int device = open(DEVICE, O_RDWR), held = session(device, CREATE, "masks"), path = open(DEVICE, O_PATH);
	all("device", AT_FDCWD, DEVICE, 0);
	all("fd", device, "", AT_EMPTY_PATH);
	all("session", held, "", AT_EMPTY_PATH);
	one("path", path, "", AT_EMPTY_PATH, STATX_ALL);
	one("empty without the flag", device, "", 0, STATX_ALL);
	say("null path", syscall(SYS_statx, device, NULL, AT_EMPTY_PATH, STATX_ALL, &s));
	say("null path without the flag", syscall(SYS_statx, device, NULL, 0, STATX_ALL, &s));
	say("no memory", syscall(SYS_statx, AT_FDCWD, DEVICE, 0, STATX_ALL, 8));
	say("no memory, fstat", syscall(SYS_fstat, held, 8));
	say("no memory, stat", syscall(SYS_stat, DEVICE, 8));
	say("newfstatat, null", syscall(SYS_newfstatat, held, NULL, &s, AT_EMPTY_PATH));
	say("newfstatat, unknown flag", syscall(SYS_newfstatat, held, "", &s, AT_EMPTY_PATH | 0x8000));
	int watch = inotify_init1(IN_NONBLOCK);
	say("watch", inotify_add_watch(watch, DEVICE, IN_ALL_EVENTS));
	say("watch again, added", inotify_add_watch(watch, DEVICE, IN_ALL_EVENTS | IN_MASK_ADD));
	say("watch again, new only", inotify_add_watch(watch, DEVICE, IN_ALL_EVENTS | IN_MASK_CREATE));
	say("watch as a directory", inotify_add_watch(watch, DEVICE, IN_ALL_EVENTS | IN_ONLYDIR));
	say("watch nothing", inotify_add_watch(watch, DEVICE, 0));
	chmod(DEVICE, 0640);
	chown(DEVICE, 0, 0);
	utimensat(AT_FDCWD, DEVICE, NULL, 0);
	events("attributes", watch);
	link(DEVICE, "/dev/luo-linked");
	events("link", watch);
	unlink("/dev/luo-linked");
	events("unlink", watch);
	say("unwatch", inotify_rm_watch(watch, 1));
	events("end", watch);
	say("unwatch again", inotify_rm_watch(watch, 1));
	char own[40];
	sprintf(own, "/proc/self/fd/%d", held);
	say("watch a session", inotify_add_watch(watch, own, IN_ALL_EVENTS));
	int more = fanotify_init(FAN_CLASS_NOTIF | FAN_NONBLOCK, O_RDONLY);
	if (more >= 0) {
		say("mark", fanotify_mark(more, FAN_MARK_ADD, FAN_OPEN | FAN_CLOSE, AT_FDCWD, DEVICE));
		say("mark of a child", fanotify_mark(more, FAN_MARK_ADD, FAN_OPEN | FAN_EVENT_ON_CHILD, AT_FDCWD, DEVICE));
		say("mark a directory only", fanotify_mark(more, FAN_MARK_ADD | FAN_MARK_ONLYDIR, FAN_OPEN, AT_FDCWD, DEVICE));
		say("mark nothing", fanotify_mark(more, FAN_MARK_ADD, 0, AT_FDCWD, DEVICE));
		say("mark an unknown event", fanotify_mark(more, FAN_MARK_ADD, 1ull << 40, AT_FDCWD, DEVICE));
		say("remove what is not marked", fanotify_mark(more, FAN_MARK_REMOVE, FAN_ACCESS, AT_FDCWD, DEVICE));
		say("remove", fanotify_mark(more, FAN_MARK_REMOVE, FAN_OPEN | FAN_CLOSE, AT_FDCWD, DEVICE));
		say("remove again", fanotify_mark(more, FAN_MARK_REMOVE, FAN_OPEN, AT_FDCWD, DEVICE));
	} else
		printf("no fanotify\n");
}
