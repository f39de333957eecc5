/* Who owns a restored file, what it allows, and who may open it again: modes, owners, seals, flags, attributes, before and after the kexec. */
#include "luo.h"
#include <grp.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/xattr.h>
#include <sys/vfs.h>
#define E(what, call) do { long r_ = (call); printf("  %s: %s\n", what, r_ < 0 ? strerrorname_np(errno) : "yes"); } while (0)
static void look(const char *what, int fd)
{
	struct stat s;
	char path[64], text[128] = "";
	fstat(fd, &s);
	sprintf(path, "/proc/self/fd/%d", fd);
	readlink(path, text, 127);
	printf("%s: %o %u:%u size %ld links %ld flags %o seals %x position %ld cloexec %d %s\n", what, s.st_mode, s.st_uid, s.st_gid, (long)s.st_size, (long)s.st_nlink, fcntl(fd, F_GETFL), fcntl(fd, F_GET_SEALS), (long)lseek(fd, 0, SEEK_CUR), fcntl(fd, F_GETFD), text);
}
static void user(int id) { setgroups(0, NULL); setresgid(id, id, id); setresuid(id, id, id); }
static void may(int fd)
{
	char path[64];
	sprintf(path, "/proc/self/fd/%d", fd);
	E("open to read", open(path, O_RDONLY)); E("open to write", open(path, O_RDWR)); E("access", access(path, R_OK | W_OK)); E("execute access", access(path, X_OK));
	E("fchmod", fchmod(fd, 0640)); E("fchown", fchown(fd, 1000, -1)); E("fchown to a group", fchown(fd, -1, 1000)); E("times", futimens(fd, NULL));
	E("user attribute", fsetxattr(fd, "user.a", "x", 1, 0)); E("trusted attribute", fsetxattr(fd, "trusted.a", "x", 1, 0)); E("list", flistxattr(fd, NULL, 0));
	E("seal", fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE)); E("lease", fcntl(fd, F_SETLEASE, F_RDLCK)); fcntl(fd, F_SETLEASE, F_UNLCK);
	E("truncate by path", truncate(path, 4096)); E("chmod by path", chmod(path, 0600)); E("chown by path", chown(path, 0, 0));
	look("  now", fd);
}
static int made(const char *name, unsigned flags, int mode, int uid, int gid)
{
	int fd = memfd_create(name, flags);
	write(fd, "0123456789", 10);
	lseek(fd, 3, SEEK_SET);
	fchown(fd, uid, gid);
	fchmod(fd, mode);
	return fd;
}
int main(void)
{
	if (in_first_boot()) {
		int device = open(DEVICE, O_RDWR), s = session(device, CREATE, "owners"), t = session(device, CREATE, "of another");
		int files[] = { made("plain", MFD_ALLOW_SEALING, 0777, 0, 0), made("private", MFD_ALLOW_SEALING | MFD_CLOEXEC, 0600, 1000, 2000), made("noexec", 8, 0666, 5, 6), made("unsealable", 0, 0444, 0, 0),
			made("odd", MFD_ALLOW_SEALING, 07777, 1000, 1000), made("setxattr", MFD_ALLOW_SEALING, 0600, 0, 0) };
		fsetxattr(files[5], "trusted.a", "value", 5, 0); fsetxattr(files[5], "user.a", "value", 5, 0);
		fcntl(files[5], F_SETFL, O_APPEND);
		for (int i = 0; i < 6; i++) { printf("file %d\n", i); look("before", files[i]); yes("preserve", preserve(s, files[i], i)); look("preserved", files[i]); CHILD("  user", { user(1000); may(files[i]); }); CHILD("  root", may(files[i])); }
		CHILD("user", { user(1000); int mine = memory("of a user"); yes("preserve", preserve(t, mine, 1)); look("mine", mine); int own = memfd_create("own", 0); yes("preserve own", preserve(t, own, 2)); });
		next_boot();
		return 1;
	}
	int device = open(DEVICE, O_RDWR), s = session(device, RETRIEVE, "owners"), t = session(device, RETRIEVE, "of another");
	int files[6];
	for (int i = 0; i < 6; i++) {
		if (i == 1) { setfsuid(1000); setfsgid(2000); }
		if (i == 2) umask(077);
		files[i] = restore(s, i);
		if (i == 1) { setfsuid(0); setfsgid(0); }
		printf("file %d\n", i); look("restored", files[i]); CHILD("  user", { user(1000); may(files[i]); }); CHILD("  root", may(files[i]));
	}
	CHILD("a user restores", { user(1000); int mine = restore(t, 1); look("mine", mine); may(mine); E("finish", finish(t)); });
	CHILD("a user retrieves", { user(1000); E("create", session(device, CREATE, "new")); char p[64]; sprintf(p, "/proc/self/fd/%d", s); E("open the session", open(p, O_RDWR)); E("stat it", ({ struct stat x; stat(p, &x); })); E("fchown", fchown(s, 1000, 1000)); E("fchmod", fchmod(s, 0666)); E("lease", fcntl(s, F_SETLEASE, F_RDLCK)); E("lease of the device", fcntl(device, F_SETLEASE, F_RDLCK)); E("O_NOATIME", fcntl(s, F_SETFL, O_NOATIME)); E("O_NOATIME of the device", fcntl(device, F_SETFL, O_NOATIME)); E("noatime", fcntl(files[0], F_SETFL, O_NOATIME)); });
	yes("finish", finish(s));
}
