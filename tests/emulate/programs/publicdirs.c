/* Links to the device in directories that all may write to, with the sticky bit and without: who may make, follow, move and remove them. */
#include "luo.h"
#include <grp.h>
#define E(what, call) do { long r_ = (call); printf("%s: %s\n", what, r_ < 0 ? strerrorname_np(errno) : "yes"); } while (0)
static void user(int id) { setgroups(0, NULL); setresgid(id, id, id); setresuid(id, id, id); }
static const char *const DIRS[] = { "/dev/luo-open", "/dev/luo-sticky" };
static char path[128];
static const char *in(int d, const char *name) { static char all[4][128]; static int next; char *p = all[next++ & 3]; sprintf(p, "%s/%s", DIRS[d], name); return p; }
static void looks(int d, const char *name)
{
	struct stat s; char text[99];
	printf(" %s\n", name);
	E("  open", ({ int f = open(in(d, name), O_RDWR); if (f >= 0) close(f); f; })); E("  O_PATH", open(in(d, name), O_PATH)); E("  no follow", open(in(d, name), O_PATH | O_NOFOLLOW)); E("  O_CREAT", ({ int f = open(in(d, name), O_RDWR | O_CREAT, 0600); if (f >= 0) close(f); f; }));
	E("  stat", stat(in(d, name), &s)); E("  lstat", lstat(in(d, name), &s)); E("  access", access(in(d, name), F_OK)); E("  readlink", readlink(in(d, name), text, 99)); E("  chmod", chmod(in(d, name), 0600)); E("  truncate", truncate(in(d, name), 0)); E("  chown", lchown(in(d, name), -1, -1)); E("  getxattr", getxattr(in(d, name), "trusted.a", text, 9));
}
static void makes(int d, const char *who)
{
	char name[40];
	sprintf(name, "hard-%s", who); E(" hard link", link(DEVICE, in(d, name))); looks(d, name);
	sprintf(name, "soft-%s", who); E(" symbolic link", symlink(DEVICE, in(d, name))); if (d == 0 || *who == 'r') looks(d, name);
	sprintf(name, "file-%s", who); close(open(in(d, name), O_CREAT | O_RDWR, 0666)); chmod(in(d, name), 0666); E(" onto a file", rename(in(d, "hard-root"), in(d, name)));
}
static void removes(int d)
{
	E(" rename of root's", rename(in(d, "hard-root"), in(d, "moved"))); E(" back", rename(in(d, "moved"), in(d, "hard-root"))); E(" rename of 1000's", rename(in(d, "hard-1000"), in(d, "moved"))); E(" unlink of root's link", unlink(in(d, "soft-root"))); E(" unlink of 1000's link", unlink(in(d, "soft-1000"))); E(" unlink of root's", unlink(in(d, "hard-root"))); E(" unlink of a device", unlink(in(d, "node")));
}
int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	umask(0);
	struct stat s; stat(DEVICE, &s);
	for (int d = 0; d < 2; d++) {
		mkdir(DIRS[d], 0777); chmod(DIRS[d], d ? 01777 : 0777);
		printf("== %s\n", DIRS[d]);
		puts("root makes"); makes(d, "root");
		E("link", link(DEVICE, in(d, "hard-root")));
		puts("1000 makes"); CHILD("1000", { user(1000); makes(d, "1000"); });
		chmod(DEVICE, 0666); CHILD("1000, mode 666", { user(1000); E(" hard link", link(DEVICE, in(d, "hard-666"))); looks(d, "hard-666"); });
		chown(DEVICE, 1000, 0); CHILD("1000 owns the device", { user(1000); makes(d, "owner"); }); CHILD("2000 looks", { user(2000); if (d == 0) { looks(d, "soft-root"); looks(d, "soft-1000"); } looks(d, "hard-root"); looks(d, "hard-owner"); });
		puts("root looks"); if (d == 0) { looks(d, "soft-1000"); looks(d, "soft-owner"); }
		chown(DEVICE, 0, 0); chmod(DEVICE, 0600);
		mknod(in(d, "node"), S_IFCHR | 0666, s.st_rdev); CHILD("2000 uses a node", { user(2000); looks(d, "node"); });
		CHILD("2000 removes", { user(2000); removes(d); }); CHILD("1000 removes", { user(1000); removes(d); }); puts("root removes"); removes(d);
		stat(DEVICE, &s); printf("links %d\n", (int)s.st_nlink);
		const char *left[] = { "soft-root", "soft-1000", "soft-owner", "hard-root", "hard-1000", "hard-666", "hard-owner", "file-root", "file-1000", "file-owner", "node", "moved" };
		for (int i = 0; i < 12; i++) E("left", unlink(in(d, left[i])));
		E("rmdir", rmdir(DIRS[d]));
		stat(DEVICE, &s); printf("links %d\n", (int)s.st_nlink);
	}
}
