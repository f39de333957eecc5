/* A preserved file of tmpfs that has got a name, opened in every way: no write by any of the fds makes it grow, nothing cuts it. */
#include "luo.h"
#include <sys/fanotify.h>
#include <sys/mount.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <linux/openat2.h>
static int device, held, file;
static struct stat st;
static void size(void)
{
	struct stat now;
	fstat(file, &now);
	char b[9] = { 0 };
	pread(file, b, 8, 0);
	printf("  size %ld \"%s\"\n", (long)now.st_size, b);
}

static void attempt(const char *what, int fd)
{
	if (fd < 0) {
		yes(what, -1);
		return;
	}
	struct stat a;
	fstat(fd, &a);
	printf("%s: the file %d\n", what, a.st_ino == st.st_ino);
	say("  write past the end", pwrite(fd, "x", 1, 9000));
	say("  write over the end", pwrite(fd, "abc", 3, 8190));
	lseek(fd, 0, SEEK_END);
	say("  write at the end", write(fd, "y", 1));
	struct iovec v = { "z", 1 };
	say("  append", pwritev2(fd, &v, 1, 0, 0x10));
	say("  writev", writev(fd, &v, 1));
	say("  shrink", ftruncate(fd, 1));
	say("  grow", ftruncate(fd, 9999));
	say("  punch", fallocate(fd, 3, 0, 4096));
	say("  seal", fcntl(fd, F_ADD_SEALS, 8));
	say("  within", pwrite(fd, "0", 1, 0));
	char p[64];
	sprintf(p, "/proc/self/fd/%d", fd);
	int t = open(p, O_RDWR | O_TRUNC);
	yes("  O_TRUNC", t);
	close(t);
	int d = dup(fd);
	say("  dup past the end", pwrite(d, "x", 1, 9000));
	close(d);
	CHILD("  a child", {
	      say("  past the end", pwrite(fd, "x", 1, 9000));
	      });
	close(fd);
	size();
}

int main(void)
{
	in_first_boot();
	device = open(DEVICE, O_RDWR);
	held = session(device, CREATE, "named");
	mkdir("/tmp/re", 0700);
	mount("none", "/tmp/re", "tmpfs", 0, NULL);
	chdir("/tmp/re");
	file = open("/tmp/re", O_TMPFILE | O_RDWR, 0600);
	ftruncate(file, 8192);
	pwrite(file, "01234567", 8, 0);
	fstat(file, &st);
	int before = dup(file);
	say("preserve", preserve(held, file, 1));
	char p[100], q[100];
	sprintf(p, "/proc/self/fd/%d", file);
	say("link", linkat(AT_FDCWD, p, AT_FDCWD, "/tmp/re/name", AT_SYMLINK_FOLLOW));
	say("another link", link("name", "other"));
	symlink("name", "symbolic");
	symlink("/tmp/re/symbolic", "absolute");
	mkdir("dir", 0700);
	say("preserve again", preserve(held, file, 2));
	attempt("the dup of before", before);
	attempt("by its name", open("/tmp/re/name", O_RDWR));
	attempt("relative", open("other", O_RDWR));
	attempt("by a link", open("absolute", O_RDWR));
	attempt("O_APPEND", open("name", O_WRONLY | O_APPEND));
	attempt("O_CREAT", open("name", O_CREAT | O_RDWR, 0600));
	int dir = open("dir", O_RDONLY);
	attempt("openat", openat(dir, "../symbolic", O_RDWR));
	struct open_how how = { O_RDWR, 0, RESOLVE_IN_ROOT };
	int top = open(".", O_PATH);
	attempt("openat2", syscall(SYS_openat2, top, "/name", &how, sizeof how));
	char *m = mmap(0, 8192, 3, MAP_SHARED, file, 0);
	sprintf(q, "/proc/self/map_files/%lx-%lx", (long)m, (long)m + 8192);
	attempt("by map_files", open(q, O_RDWR));
	struct {
		struct file_handle h;
		char b[128];
	} h = { {128} };
	int mount_id;
	say("handle", name_to_handle_at(AT_FDCWD, "name", &h.h, &mount_id, 0));
	attempt("by its handle", open_by_handle_at(top, &h.h, O_RDWR));
	say("handle by fd", name_to_handle_at(file, "", &h.h, &mount_id, AT_EMPTY_PATH));
	close(open("bound", O_CREAT | O_RDWR, 0600));
	say("bind", mount("name", "bound", NULL, MS_BIND, NULL));
	attempt("by a bind mount", open("bound", O_RDWR));
	say("truncate the mount", truncate("bound", 0));
	attempt("creat", creat("bound", 0600));
	umount("bound");
	int o = open("name", O_PATH);
	sprintf(q, "/proc/self/fd/%d", o);
	attempt("by O_PATH", open(q, O_RDWR));
	sprintf(q, "/proc/self/fd/%d", top);
	strcat(q, "/name");
	attempt("by a directory's fd", open(q, O_RDWR));
	attempt("by cwd", open("/proc/self/cwd/name", O_RDWR));
	attempt("by root", open("/proc/self/root/tmp/re/name", O_RDWR));
	say("rename", rename("name", "dir/moved"));
	attempt("its new name", open("dir/moved", O_RDWR));
	say("truncate", truncate("dir/moved", 0));
	say("unlink", unlink("dir/moved"));
	say("truncate the other", truncate("other", 0));
	attempt("the other name", open("other", O_RDWR));
	say("exchange", ( {
			 close(open("plain", O_CREAT | O_RDWR, 0600));
			 syscall(SYS_renameat2, AT_FDCWD, "other", AT_FDCWD, "plain", 2);
			 }));
	attempt("exchanged", open("plain", O_RDWR));
	say("rename over it", rename("other", "plain"));
	size();
	attempt("through /proc again", open(p, O_RDWR));
	int f = fork();
	if (f == 0) {
		close(file);
		char c[100];
		sprintf(c, "/proc/%d/fd/%d", getppid(), file);
		file = open(c, O_RDWR);
		attempt("another process's", dup(file));
		_exit(0);
	}
	waitpid(f, 0, 0);
	close(held);
	say("closed, grow", ftruncate(file, 9000));
	return 0;
}
