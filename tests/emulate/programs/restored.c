/* A restored file in the hands of a program: how it looks, what it takes, before FINISH, after it, and after the session's close. */
#include "luo.h"
#include <sys/statfs.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <sys/file.h>
#include <sys/sendfile.h>
#include <poll.h>
#include <sys/epoll.h>
static int device, held;
static void looks(int f)
{
	struct stat s;
	struct statfs fs;
	char p[64], b[300];
	fstat(f, &s);
	fstatfs(f, &fs);
	sprintf(p, "/proc/self/fd/%d", f);
	ssize_t n = readlink(p, b, 299);
	b[n < 0 ? 0 : n] = 0;
	printf
	    ("  mode %o, links %d, owner %d:%d, size %ld, blocks %ld, block size %ld, link \"%s\", type %lx, flags %x, fd flags %d, seals %x, position %ld\n",
	     s.st_mode, (int)s.st_nlink, s.st_uid, s.st_gid, (long)s.st_size, (long)s.st_blocks, (long)s.st_blksize, b,
	     (long)fs.f_type, fcntl(f, F_GETFL), fcntl(f, F_GETFD), fcntl(f, F_GET_SEALS), (long)lseek(f, 0, SEEK_CUR));
	sprintf(p, "/proc/self/fdinfo/%d", f);
	int i = open(p, O_RDONLY);
	n = read(i, b, 299);
	b[n < 0 ? 0 : n] = 0;
	close(i);
	char *q = strstr(b, "mnt_id");
	if (q)
		*q = 0;
	printf("  %s", b);
	struct statx x;
	statx(f, "", AT_EMPTY_PATH, 0xfff, &x);
	printf("  statx mode %o size %lld attributes %llx\n", x.stx_mode, (long long)x.stx_size,
	       (long long)x.stx_attributes & 0x1ff0);
}

static void all(const char *when, int f)
{
	printf("%s\n", when);
	looks(f);
	char b[16] = { 0 };
	say("pread", pread(f, b, 8, 0));
	printf("  \"%s\"\n", b);
	say("pwrite", pwrite(f, "W", 1, 1));
	say("grow by a write", pwrite(f, "x", 1, 8192));
	say("grow", ftruncate(f, 12288));
	say("shrink", ftruncate(f, 8192));
	say("punch", fallocate(f, 3, 4096, 4096));
	say("allocate", fallocate(f, 0, 0, 16384));
	say("zero", fallocate(f, 0x10, 0, 4096));
	say("hole", lseek(f, 0, SEEK_HOLE));
	say("data", lseek(f, 0, SEEK_DATA));
	say("data later", lseek(f, 4096, SEEK_DATA));
	lseek(f, 5, SEEK_SET);
	char *m = mmap(0, 8192, 3, MAP_SHARED, f, 0);
	yes("map", m == MAP_FAILED ? -1 : 0);
	if (m != MAP_FAILED) {
		m[2] = 'M';
		say("remove", madvise(m + 4096, 4096, MADV_REMOVE));
		say("collapse", madvise(m, 4096, 20));
		say("seal while mapped", fcntl(f, F_ADD_SEALS, 8));
		munmap(m, 8192);
	}
	m = mmap(0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, f, 0);
	yes("map for executing", m == MAP_FAILED ? -1 : 0);
	munmap(m, 4096);
	char p[64];
	sprintf(p, "/proc/self/fd/%d", f);
	int r = open(p, O_RDONLY);
	yes("open again", r);
	say("write by it", write(r, "x", 1));
	close(r);
	r = open(p, O_RDWR | O_APPEND | O_NONBLOCK | O_CLOEXEC);
	yes("open to append", r);
	say("append", write(r, "A", 1));
	close(r);
	r = open(p, O_PATH);
	yes("O_PATH", r);
	close(r);
	r = open(p, O_RDWR | O_DIRECT);
	yes("O_DIRECT", r);
	close(r);
	say("access", access(p, R_OK | W_OK | X_OK));
	say("link", linkat(AT_FDCWD, p, AT_FDCWD, "/dev/shm/linked", AT_SYMLINK_FOLLOW));
	say("link by fd", linkat(f, "", AT_FDCWD, "/dev/shm/linked", AT_EMPTY_PATH));
	say("fchmod", fchmod(f, 0640));
	say("fchown", fchown(f, 3, 4));
	say("setxattr", fsetxattr(f, "user.a", "b", 1, 0));
	say("trusted", fsetxattr(f, "trusted.a", "b", 1, 0));
	say("getxattr", fgetxattr(f, "trusted.a", b, 9));
	say("list", flistxattr(f, NULL, 0));
	say("flock", flock(f, LOCK_EX));
	struct flock l = { F_WRLCK, SEEK_SET, 0, 10 };
	say("lock", fcntl(f, F_SETLK, &l));
	struct pollfd pf = { f, POLLIN | POLLOUT };
	say("poll", poll(&pf, 1, 0));
	printf("  %x\n", pf.revents);
	int e = epoll_create1(0);
	struct epoll_event ev = { EPOLLIN };
	say("epoll", epoll_ctl(e, 1, f, &ev));
	close(e);
	say("fsync", fsync(f));
	int q[2];
	pipe(q);
	say("splice out", splice(f, &(loff_t) {
				 0}, q[1], NULL, 10, 0));
	say("splice in", splice(q[0], NULL, f, &(loff_t) {
				100}, 10, 0));
	say("sendfile to itself", sendfile(f, f, &(off_t) {
					   0}, 10));
	say("copy", copy_file_range(f, &(loff_t) {
				    0}, f, &(loff_t) {
				    200}, 10, 0));
	close(q[0]);
	close(q[1]);
	looks(f);
	fchmod(f, 0777);
	fchown(f, 0, 0);
	ftruncate(f, 8192);
	fremovexattr(f, "trusted.a");
	lseek(f, 0, SEEK_SET);
}

int main(void)
{
	if (in_first_boot()) {
		device = open(DEVICE, O_RDWR);
		held = session(device, CREATE, "restored");
		for (int i = 0; i < 6; i++) {
			int f = memfd_create("name of it", MFD_ALLOW_SEALING | 0x10);
			ftruncate(f, 8192);
			pwrite(f, "01234567", 8, 0);
			lseek(f, i * 100, SEEK_SET);
			fchmod(f, 0600);
			fchown(f, 1, 2);
			if (i == 1)
				fcntl(f, F_ADD_SEALS, 2 | 4);
			if (i == 2)
				fcntl(f, F_ADD_SEALS, 8);
			if (i == 3)
				fcntl(f, F_ADD_SEALS, 0x20);
			if (i == 4)
				fcntl(f, F_ADD_SEALS, 1 | 0x10);
			say("preserve", preserve(held, f, i));
			if (i == 5)
				fcntl(f, F_ADD_SEALS, 2 | 4 | 1);
		}
		next_boot();
	}
	device = open(DEVICE, O_RDWR);
	held = session(device, RETRIEVE, "restored");
	int f[6];
	for (int i = 5; i >= 0; i--)
		f[i] = restore(held, i);
	int again = restore(held, 0);
	say("position is shared", (lseek(f[0], 7, SEEK_SET), lseek(again, 0, SEEK_CUR)));
	for (int i = 0; i < 6; i++) {
		char w[40];
		sprintf(w, "file %d", i);
		all(w, f[i]);
	}
	say("finish", finish(held));
	all("after FINISH", f[0]);
	close(held);
	all("after the close", f[0]);
	all("again", again);
	struct stat a, b;
	fstat(f[0], &a);
	fstat(again, &b);
	printf("one file %d\n", a.st_ino == b.st_ino);
	return 0;
}
