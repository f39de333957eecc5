/* Mount trees: open_tree, fsmount and move_mount, attributes of mounts, pivot_root, and ways out of a chroot. */
#include "luo.h"
#include <sys/mount.h>
#define E(what, call) do { long r_ = (call); printf("%s: %s\n", what, r_ < 0 ? strerrorname_np(errno) : "yes"); } while (0)
static long try(const char *p) { int f = open(p, O_RDWR); if (f < 0) return -1; close(f); return 0; }
int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	struct stat s; stat(DEVICE, &s);
	CHILD("tree", { unshare(CLONE_NEWNS); mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL); mkdir("/tmp/luo-tree", 0755);
		int t = syscall(428, AT_FDCWD, "/dev", 1 | O_CLOEXEC); E("open_tree", t); E("by it", ({ int f = openat(t, "liveupdate", O_RDWR); if (f >= 0) close(f); f; }));
		E("move_mount", syscall(429, t, "", AT_FDCWD, "/tmp/luo-tree", 4)); E("open", try("/tmp/luo-tree/liveupdate")); E("umount", umount("/tmp/luo-tree"));
		int fs = syscall(430, "tmpfs", 0); E("fsopen", fs); E("create", syscall(431, fs, 6, NULL, NULL, 0)); int m = syscall(432, fs, 0, 0); E("fsmount", m);
		E("mknodat in it", mknodat(m, "lu", S_IFCHR | 0600, s.st_rdev)); E("open in it", ({ int f = openat(m, "lu", O_RDWR); if (f >= 0) close(f); f; })); E("move", syscall(429, m, "", AT_FDCWD, "/tmp/luo-tree", 4)); E("open", try("/tmp/luo-tree/lu"));
		struct { uint64_t set, clr, prop, fd; } a = { 4, 0, 0, 0 }; E("nodev", syscall(442, AT_FDCWD, "/tmp/luo-tree", 0, &a, sizeof a)); E("open", try("/tmp/luo-tree/lu")); a.set = 1; a.clr = 4; E("read only", syscall(442, AT_FDCWD, "/tmp/luo-tree", 0, &a, sizeof a)); E("open", try("/tmp/luo-tree/lu")); E("chmod", chmod("/tmp/luo-tree/lu", 0600)); E("unlink", unlink("/tmp/luo-tree/lu")); E("mknod", mknod("/tmp/luo-tree/lu2", S_IFCHR, s.st_rdev)); a.set = 0; a.clr = 1; syscall(442, AT_FDCWD, "/tmp/luo-tree", 0, &a, sizeof a); E("unlink", unlink("/tmp/luo-tree/lu")); E("umount", umount2("/tmp/luo-tree", MNT_DETACH)); });
	CHILD("pivot", { unshare(CLONE_NEWNS); mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL); mkdir("/tmp/luo-root", 0755); E("tmpfs", mount("none", "/tmp/luo-root", "tmpfs", 0, NULL)); mkdir("/tmp/luo-root/dev", 0755); mkdir("/tmp/luo-root/proc", 0755); mkdir("/tmp/luo-root/old", 0755); E("bind dev", mount("/dev", "/tmp/luo-root/dev", NULL, MS_BIND, NULL)); E("proc", mount("proc", "/tmp/luo-root/proc", "proc", 0, NULL));
		E("pivot_root", syscall(SYS_pivot_root, "/tmp/luo-root", "/tmp/luo-root/old")); chdir("/"); E("open", try(DEVICE)); E("old", try("/old" DEVICE)); E("version", open("/proc/version", O_RDONLY)); E("detach", umount2("/old", MNT_DETACH)); E("open", try(DEVICE)); E("gone", try("/old" DEVICE)); int d = open(DEVICE, O_RDWR); int h = session(d, CREATE, "pivot"); E("create", h); char p[64], t[99] = ""; sprintf(p, "/proc/self/fd/%d", d); readlink(p, t, 98); puts(t); E("unlink", unlink(DEVICE)); E("gone", try(DEVICE)); E("mknod", mknod(DEVICE, S_IFCHR | 0600, s.st_rdev)); close(d); E("open", try(DEVICE)); });
	E("outside", try(DEVICE));
	CHILD("chroot out", { mkdir("/tmp/luo-cage", 0755); int r = open("/", O_PATH); chroot("/tmp/luo-cage"); E("open", try(DEVICE)); E("out", ({ int f = openat(r, "dev/liveupdate", O_RDWR); if (f >= 0) close(f); f; })); fchdir(r); E("dots", try("dev/liveupdate")); E("up", try("../../dev/liveupdate")); mkdir("/dev", 0755); E("mknod", mknod(DEVICE, S_IFCHR | 0600, s.st_rdev)); E("open", try(DEVICE)); E("exchange in and out", renameat2(r, "dev/liveupdate", AT_FDCWD, DEVICE, RENAME_EXCHANGE)); E("unlink", unlink(DEVICE)); rmdir("/dev"); });
	system("rm -rf /tmp/luo-cage /tmp/luo-tree /tmp/luo-root");
}
