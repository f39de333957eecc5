/* Handles of the device: name_to_handle_at with every flag and size, open_by_handle_at; statmount and the calls that take a path of a mount. */
#include "luo.h"
#include <sys/mount.h>
#include <sys/quota.h>
#include <sys/swap.h>
#include <sys/vfs.h>
struct handle { unsigned bytes; int type; char f[200]; };
static void name(const char *what, int dir, const char *path, int flags, unsigned room)
{
	struct handle h = { room, 77 };
	struct { int id; int more; } mount = { -1, -1 };
	int r = syscall(SYS_name_to_handle_at, dir, path, &h, &mount, flags);
	printf("%s flags %x room %u: %s bytes %u type %d mount %d wide %d\n", what, flags, room, r < 0 ? strerrorname_np(errno) : "0", h.bytes, h.type, mount.id != -1, mount.more != -1);
}
static int mount_id(const char *path) { struct handle h = { 128 }; int id = -1; syscall(SYS_name_to_handle_at, AT_FDCWD, path, &h, &id, 0); return id; }
int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	int d = open(DEVICE, O_RDWR), p = open(DEVICE, O_PATH), dev = open("/dev", O_RDONLY | O_DIRECTORY), s = session(d, CREATE, "handles");
	static const int flags[] = { 0, 0x400, 0x1000, 0x1400, 0x200, 0x1, 0x2, 0x3, 0x201, 0x100, 0x800, 0x1200, 0x1001, -1 };
	for (int i = 0; i < 14; i++) { name("device", AT_FDCWD, DEVICE, flags[i], 128); name("empty fd", d, "", flags[i], 128); name("empty path fd", p, "", flags[i], 128); name("empty session", s, "", flags[i], 128); name("dirfd", dev, "liveupdate", flags[i], 128); }
	static const unsigned rooms[] = { 0, 1, 4, 11, 12, 13, 127, 128, 129, -1u };
	for (int i = 0; i < 10; i++) name("device", AT_FDCWD, DEVICE, 0, rooms[i]);
	name("below", AT_FDCWD, DEVICE "/x", 0, 128); name("slash", AT_FDCWD, DEVICE "/", 0, 128); name("null path", d, NULL, 0x1000, 128);
	symlink(DEVICE, "/dev/luo-handle");
	name("link", AT_FDCWD, "/dev/luo-handle", 0, 128); name("link followed", AT_FDCWD, "/dev/luo-handle", 0x400, 128);
	unlink("/dev/luo-handle");
	struct handle h = { 128 }; int id;
	say("handle to nowhere", syscall(SYS_name_to_handle_at, AT_FDCWD, DEVICE, 8, &id, 0));
	say("mount to nowhere", syscall(SYS_name_to_handle_at, AT_FDCWD, DEVICE, &h, 8, 0));
	printf("the mount of /dev %d\n", mount_id(DEVICE) == mount_id("/dev/null"));
	h.bytes = 128;
	syscall(SYS_name_to_handle_at, AT_FDCWD, DEVICE, &h, &id, 0);
	struct handle bad = h;
	bad.bytes = 200; say("too large", syscall(SYS_open_by_handle_at, dev, &bad, O_RDWR));
	bad.bytes = 0; say("empty", syscall(SYS_open_by_handle_at, dev, &bad, O_RDWR));
	bad = h; bad.type = 99; say("another type", syscall(SYS_open_by_handle_at, dev, &bad, O_RDWR));
	say("no mount", syscall(SYS_open_by_handle_at, 999, &h, O_RDWR));
	say("no memory", syscall(SYS_open_by_handle_at, dev, 8, O_RDWR));
	CHILD("user", { setresgid(1000, 1000, 1000); setresuid(1000, 1000, 1000); name("device", AT_FDCWD, DEVICE, 0, 128); say("open", syscall(SYS_open_by_handle_at, dev, &h, O_RDWR)); });
	/* Paths of other kinds. */
	say("mount on it", mount("none", DEVICE, "tmpfs", 0, NULL));
	say("move to it", mount("/proc", DEVICE, NULL, MS_MOVE, NULL));
	say("remount it", mount(NULL, DEVICE, NULL, MS_REMOUNT, NULL));
	say("make it private", mount(NULL, DEVICE, NULL, MS_PRIVATE, NULL));
	say("mount it", mount(DEVICE, "/tmp", "ext4", 0, NULL));
	say("umount it", umount2(DEVICE, 0));
	say("umount it, no follow", umount2(DEVICE, UMOUNT_NOFOLLOW));
	say("umount it, unknown flag", umount2(DEVICE, 64));
	say("pivot_root to it", syscall(SYS_pivot_root, DEVICE, "/"));
	say("pivot_root under it", syscall(SYS_pivot_root, "/", DEVICE));
	say("chroot", chroot(DEVICE)); say("chdir", chdir(DEVICE)); say("fchdir", fchdir(d)); say("fchdir of path", fchdir(p));
	say("statfs", statfs(DEVICE, &(struct statfs){ 0 }));
	say("move_mount from it", syscall(429, AT_FDCWD, DEVICE, AT_FDCWD, "/tmp", 0));
	say("move_mount to it", syscall(429, AT_FDCWD, "/proc", AT_FDCWD, DEVICE, 0));
	say("move_mount of the fd", syscall(429, d, "", AT_FDCWD, "/tmp", 4));
}
