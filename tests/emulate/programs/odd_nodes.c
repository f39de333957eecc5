/* Device nodes in odd places, with odd numbers, and what other calls say of them. */
#include "luo.h"
#include <sys/sysmacros.h>
#include <sys/mount.h>
static void tell(const char *what, long fd)
{
	if (fd < 0)
		printf("%s: %s\n", what, strerrorname_np(errno));
	else {
		printf("%s: opened\n", what);
		close(fd);
	}
}

static struct stat ds;
static void look(const char *what, const char *path)
{
	struct stat s;
	if (lstat(path, &s) < 0)
		printf("%s: %s\n", what, strerrorname_np(errno));
	else
		printf("%s: %o %s %u:%u links %d\n", what, s.st_mode, s.st_rdev == ds.st_rdev ? "device" : s.st_rdev ? "other" : "none", s.st_uid,
		       s.st_gid, (int)s.st_nlink);
}

#define N(what,call) do{long r_=(call);say(what,r_);}while(0)
int main(void)
{
	stat(DEVICE, &ds);
	dev_t D = ds.st_rdev;
	char longn[300];
	setvbuf(stdout, 0, _IOLBF, 0);
	umask(022);
	mkdir("/tmp/n", 0755);
	chdir("/tmp/n");
	N("plain", mknod("a", S_IFCHR | 0666, D));
	look("a", "a");
	tell("open a", open("a", O_RDWR));
	N("again", mknod("a", S_IFCHR | 0666, D));
	N("block", mknod("b", S_IFBLK | 0666, D));
	look("b", "b");
	tell("open block", open("b", O_RDWR));
	N("next number", mknod("c", S_IFCHR | 0666, makedev(10, 240)));
	tell("open next", open("c", O_RDWR));
	N("mode only", mknod("d", 0666, D));
	look("d", "d");
	tell("open file", open("d", O_RDWR));
	N("fifo with number", mknod("e", S_IFIFO | 0666, D));
	look("e", "e");
	N("socket", mknod("f", S_IFSOCK | 0600, D));
	look("f", "f");
	tell("open socket", open("f", O_RDWR));
	N("directory", mknod("g", S_IFDIR | 0700, D));
	N("link type", mknod("g", S_IFLNK | 0700, D));
	N("bad type", mknod("g", 0170000 | 0700, D));
	N("slash", mknod("h/", S_IFCHR | 0600, D));
	N("no dir", mknod("nope/h", S_IFCHR | 0600, D));
	N("empty", mknod("", S_IFCHR | 0600, D));
	N("under file", mknod("d/x", S_IFCHR | 0600, D));
	N("under device", mknod("a/x", S_IFCHR | 0600, D));
	memset(longn, 'x', 299);
	longn[299] = 0;
	N("256", mknod(longn + 43, S_IFCHR | 0600, D));
	N("255", mknod(longn + 44, S_IFCHR | 0600, D));
	tell("open 255", open(longn + 44, O_RDWR));
	unlink(longn + 44);
	N("null", mknod(NULL, S_IFCHR | 0600, D));
	symlink("dangling", "l");
	N("over a dangling link", mknod("l", S_IFCHR | 0600, D));
	look("dangling", "dangling");
	symlink("../n", "dir");
	N("through a link", mknod("dir/m", S_IFCHR | 06777, D));
	look("m", "m");
	tell("open m", open("dir/m", O_RDWR));
	N("link", link("a", "a2"));
	look("a", "a");
	look("a2", "a2");
	tell("open a2", open("a2", O_RDWR));
	N("rename", rename("a2", "a3"));
	look("a2", "a2");
	tell("open a3", open("a3", O_RDWR));
	N("rename over itself", rename("a", "a3"));
	N("unlink", unlink("a"));
	look("a3", "a3");
	N("rmdir", rmdir("a3"));
	N("rename onto file", rename("a3", "d"));
	look("d", "d");
	tell("open d", open("d", O_RDWR));
	N("rename to dir", rename("d", "/tmp/n/."));
	mkdir("sub", 0700);
	N("onto directory", rename("d", "sub"));
	N("into directory", rename("d", "sub/d"));
	tell("in directory", open("sub/d", O_RDWR));
	N("rmdir full", rmdir("sub"));
	N("move directory", rename("sub", "moved"));
	tell("in moved", open("moved/d", O_RDWR));
	tell("in old", open("sub/d", O_RDWR));
	N("chmod", chmod("moved/d", 04755));
	N("chown", chown("moved/d", 5, 6));
	look("d", "moved/d");
	N("truncate", truncate("moved/d", 0));
	N("exec", execl("moved/d", "d", NULL));
	N("chdir", chdir("moved/d"));
	tell("creat", creat("moved/d", 0600));
	tell("O_EXCL", open("moved/d", O_CREAT | O_EXCL | O_RDWR, 0600));
	int dir = open("moved", O_RDONLY);
	N("mknodat", mknodat(dir, "at", S_IFCHR | 0600, D));
	tell("openat", openat(dir, "at", O_RDWR));
	N("unlinkat", unlinkat(dir, "at", 0));
	tell("gone", openat(dir, "at", O_RDWR));
	N("unlinkat d", unlinkat(dir, "d", 0));
	N("rmdir", rmdir("moved"));
	N("in removed", mknodat(dir, "at", S_IFCHR | 0600, D));
	mkdir("t", 0755);
	N("mount", mount("none", "t", "tmpfs", MS_NODEV, ""));
	N("on nodev", mknod("t/n", S_IFCHR | 0600, D));
	look("nodev", "t/n");
	tell("open on nodev", open("t/n", O_RDWR));
	tell("path on nodev", open("t/n", O_PATH));
	N("remount ro", mount("none", "t", NULL, MS_REMOUNT | MS_RDONLY | MS_NODEV, ""));
	N("on ro", mknod("t/m", S_IFCHR | 0600, D));
	N("unlink on ro", unlink("t/n"));
	N("chmod on ro", chmod("t/n", 0600));
	N("umount", umount("t"));
	look("after umount", "t/n");
	CHILD("user", setgid(7);
	      setuid(7);
	      N("mknod by a user", mknod("u", S_IFCHR | 0600, D));
	      tell("open m", open("m", O_RDWR));
	      N("unlink m", unlink("m"));
	      N("fifo by a user", mknod("/tmp/n/u", S_IFIFO | 0600, 0)));
	chmod("/tmp/n", 02777);
	chown("/tmp/n", 0, 33);
	N("in setgid", mknod("sg", S_IFCHR | 0660, D));
	look("sg", "sg");
	CHILD("user 2", setgid(7);
	      setuid(7);
	      tell("sg", open("sg", O_RDWR));
	      N("unlink", unlink("sg"));
	    );
	look("sg", "sg");
}
