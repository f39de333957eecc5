/* User namespaces that a program makes: who may open the device, boot, change its owner, make it, and see it, inside and outside. */
#include "luo.h"
#include <grp.h>
#include <sys/sysmacros.h>
#include <sys/mount.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/xattr.h>
#define E(what, call) do { long r_ = (call); printf("%s: %s\n", what, r_ < 0 ? strerrorname_np(errno) : "yes"); } while (0)
static void put(const char *path, const char *text) { int f = open(path, O_WRONLY); long r = write(f, text, strlen(text)); printf("%s: %s\n", strrchr(path, '/'), r < 0 ? strerrorname_np(errno) : "yes"); close(f); }
static void user(int id) { setgroups(0, NULL); setresgid(id, id, id); setresuid(id, id, id); }
static void uses(int device, int s)
{
	struct stat st;
	printf("ids %d %d\n", getuid(), getgid());
	{ int d = open(DEVICE, O_RDWR); E("open", d); if (d >= 0) close(d); } E("O_PATH", open(DEVICE, O_PATH)); E("access", access(DEVICE, R_OK | W_OK)); E("effective", faccessat(AT_FDCWD, DEVICE, R_OK, AT_EACCESS));
	stat(DEVICE, &st); printf("device %o %u:%u\n", st.st_mode, st.st_uid, st.st_gid);
	dev_t number = st.st_rdev;
	fstat(s, &st); printf("session %o %u:%u\n", st.st_mode, st.st_uid, st.st_gid);
	E("chmod", chmod(DEVICE, 0600)); E("chown", chown(DEVICE, 0, 0)); E("chown of nothing", chown(DEVICE, -1, -1)); E("times", utimensat(AT_FDCWD, DEVICE, NULL, 0)); E("trusted", setxattr(DEVICE, "trusted.a", "x", 1, 0)); E("get trusted", getxattr(DEVICE, "trusted.a", NULL, 0)); E("user", setxattr(DEVICE, "user.a", "x", 1, 0)); E("security", setxattr(DEVICE, "security.a", "x", 1, 0));
	E("mknod", mknod("/tmp/luo-ns", S_IFCHR | 0666, number)); E("link", link(DEVICE, "/dev/luo-ns")); E("unlink", unlink("/dev/luo-ns")); E("rename", rename(DEVICE, "/dev/luo-ns2")); E("back", rename("/dev/luo-ns2", DEVICE));
	E("kexec_load", syscall(SYS_kexec_load, 0, 0, NULL, 0)); E("kexec_file_load", syscall(SYS_kexec_file_load, -1, -1, 0, NULL, 1)); E("reboot", syscall(SYS_reboot, 1, 1, 1, NULL)); E("kexec", syscall(SYS_reboot, 0xfee1dead, 672274793, 0x45584543, NULL));
	E("create", session(device, CREATE, "inside")); int m = memory("mine"); E("preserve", preserve(s, m, 5)); E("grow", ftruncate(m, 99)); fstat(m, &st); printf("file %u:%u\n", st.st_uid, st.st_gid);
	char p[64], t[64]; sprintf(p, "/proc/self/fd/%d", s); E("link text", readlink(p, t, 64)); E("open by it", open(p, O_RDWR)); E("fchown of the session", fchown(s, 0, 0)); E("fchmod", fchmod(s, 0600)); E("lease", fcntl(s, F_SETLEASE, F_RDLCK));
	E("handle", ({ struct { struct file_handle h; char b[99]; } h = { { 99 } }; int id; int r = name_to_handle_at(AT_FDCWD, DEVICE, &h.h, &id, 0); if (r == 0) E("open by handle", open_by_handle_at(open("/dev", O_RDONLY), &h.h, O_RDWR)); r; }));
	E("write to a sysctl", ({ int f = open("/proc/sys/kernel/kexec_load_disabled", O_WRONLY); f; })); E("debugfs", open("/sys/kernel/debug/kho/out/scratch_len", O_RDONLY)); E("sethostname", sethostname("x", 1));
}
int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	int device = open(DEVICE, O_RDWR), s = session(device, CREATE, "userspaces");
	close(device); device = open(DEVICE, O_RDONLY); 
	puts("== root, no map"); CHILD("1", { close(device); int d = open(DEVICE, O_RDWR); E("unshare", unshare(CLONE_NEWUSER)); uses(d, s); });
	puts("== root, root is root"); CHILD("2", { E("unshare", unshare(CLONE_NEWUSER)); put("/proc/self/uid_map", "0 0 1\n"); put("/proc/self/setgroups", "deny"); put("/proc/self/gid_map", "0 0 1\n"); close(device); uses(device, s); });
	puts("== root, 1000 is root"); CHILD("3", {
		int go[2], back[2]; pipe(go); pipe(back); char b; pid_t parent = getpid(), c = fork();
		if (c == 0) { unshare(CLONE_NEWUSER); write(back[1], "x", 1); read(go[0], &b, 1); setresgid(0, 0, 0); setresuid(0, 0, 0); close(device); device = open(DEVICE, O_RDWR); uses(device, s); fflush(stdout); _exit(0); }
		read(back[0], &b, 1); char p[64]; sprintf(p, "/proc/%d/uid_map", c); put(p, "0 1000 10\n"); sprintf(p, "/proc/%d/gid_map", c); put(p, "0 1000 10\n"); write(go[1], "x", 1); int st; waitpid(c, &st, 0); printf("%x\n", st);
	});
	puts("== 1000, 1000 is root"); chown(DEVICE, 1000, 1000); CHILD("4", { close(device); user(1000); prctl(PR_SET_DUMPABLE, 1); E("unshare", unshare(CLONE_NEWUSER | CLONE_NEWNS)); put("/proc/self/setgroups", "deny"); put("/proc/self/uid_map", "0 1000 1\n"); put("/proc/self/gid_map", "0 1000 1\n"); device = open(DEVICE, O_RDWR); uses(device, s); E("mount", mount("none", "/tmp", "tmpfs", 0, NULL)); close(open("/tmp/f", O_CREAT | O_RDWR, 0600)); E("bind", mount(DEVICE, "/tmp/f", NULL, MS_BIND, NULL)); close(device); E("open", ({ device = open("/tmp/f", O_RDWR); device; })); E("mknod in own tmpfs", mknod("/tmp/n", S_IFCHR | 0666, makedev(1, 3))); });
	chown(DEVICE, 0, 0);
	puts("== 1000, no rights, 1000 is 1000"); CHILD("5", { user(1000); prctl(PR_SET_DUMPABLE, 1); E("unshare", unshare(CLONE_NEWUSER)); put("/proc/self/setgroups", "deny"); put("/proc/self/uid_map", "1000 1000 1\n"); put("/proc/self/gid_map", "1000 1000 1\n"); uses(device, s); });
	puts("== a pid namespace besides"); CHILD("6", { E("unshare", unshare(CLONE_NEWUSER | CLONE_NEWPID)); put("/proc/self/uid_map", "0 0 1\n"); CHILD("init", { E("kexec_load", syscall(SYS_kexec_load, 0, 0, NULL, 0)); E("kexec", syscall(SYS_reboot, 0xfee1dead, 672274793, 0x45584543, NULL)); E("open", ({ close(device); int d = open(DEVICE, O_RDWR); d; })); }); });
	puts("== setns back"); CHILD("7", { int own = open("/proc/self/ns/user", O_RDONLY); E("unshare", unshare(CLONE_NEWUSER)); E("setns", setns(own, CLONE_NEWUSER)); E("setns to it", setns(open("/proc/self/ns/user", O_RDONLY), CLONE_NEWUSER)); });
	E("opened outside", ({ close(device); open(DEVICE, O_RDWR); }));
	unlink("/tmp/luo-ns");
}
