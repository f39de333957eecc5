/* Ways to change the size or the pages of a preserved file that no other program here tries. */
#include "luo.h"
#include <linux/falloc.h>
#include <sys/uio.h>
#include <sys/sendfile.h>
#include <dirent.h>
struct space_resv {
	int16_t l_type, l_whence;
	int64_t l_start, l_len;
	int32_t l_sysid;
	uint32_t l_pid;
	int32_t pad[4];
};
static int device, held, file;
static char path[64];
static void size(void)
{
	struct stat st;
	fstat(file, &st);
	char b[9] = { 0 };
	pread(file, b, 8, 0);
	printf("   size %ld, blocks %ld, \"%s\"\n", (long)st.st_size, (long)st.st_blocks, b);
}

static void resv(const char *w, int nr, long s, long l)
{
	struct space_resv r = { 0, 0, s, l };
	say(w, ioctl(file, _IOW('X', nr, struct space_resv), &r));
}

static void all(const char *when)
{
	printf("%s\n", when);
	size();
	resv("RESVSP", 40, 0, 20000);
	resv("UNRESVSP", 41, 0, 4096);
	resv("RESVSP64", 42, 0, 20000);
	resv("UNRESVSP64", 43, 0, 4096);
	resv("ZERO_RANGE", 57, 0, 4096);
	size();
	static const int modes[] =
	    { 0, 1, 2, 3, 8, 9, 0x10, 0x11, 0x20, 0x21, 0x40, 0x41, 0x80, 4, 5, 0x100, 0x18, 0x43 };
	for (int i = 0; i < 18; i++) {
		char w[40];
		sprintf(w, "fallocate %#x, a page", modes[i]);
		say(w, fallocate(file, modes[i], 0, 4096));
		sprintf(w, "fallocate %#x, past the end", modes[i]);
		say(w, fallocate(file, modes[i], 8192, 4096));
		sprintf(w, "fallocate %#x, nothing", modes[i]);
		say(w, fallocate(file, modes[i], 0, 0));
	}
	say("fallocate negative", fallocate(file, 0, -1, 5));
	say("fallocate too far", fallocate(file, 0, 0x7fffffffffffffff, 5));
	size();
	char *m = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	char map[100];
	sprintf(map, "/proc/self/map_files/%lx-%lx", (long)m, (long)m + 4096);
	say("by map_files", truncate(map, 5));
	int t = open(map, O_RDWR | O_TRUNC);
	yes("map_files, O_TRUNC", t);
	close(t);
	size();
	sprintf(path, "/proc/self/fd/%d", file);
	chdir("/proc/self/fd");
	char rel[20];
	sprintf(rel, "%d", file);
	say("from its directory", truncate(rel, 5));
	chdir("/");
	int dir = open("/proc/self/fd", O_RDONLY | O_DIRECTORY);
	t = openat(dir, rel, O_RDWR | O_TRUNC);
	yes("openat of its number", t);
	close(t);
	close(dir);
	dir = open("/proc/thread-self/fd", O_PATH);
	sprintf(rel, "../fd/%d", file);
	t = openat(dir, rel, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	yes("openat, O_CREAT", t);
	close(t);
	close(dir);
	size();
	int rd = open(path, O_RDONLY);
	say("ftruncate, read-only", ftruncate(rd, 5));
	say("fallocate, read-only", fallocate(rd, 3, 0, 4096));
	int op = open(path, O_PATH);
	say("ftruncate, O_PATH", ftruncate(op, 5));
	say("fallocate, O_PATH", fallocate(op, 0, 0, 5));
	sprintf(rel, "/proc/self/fd/%d", op);
	say("truncate by an O_PATH", truncate(rel, 5));
	close(op);
	close(rd);
	int ap = open(path, O_RDWR | O_APPEND);
	say("O_APPEND, pwrite", pwrite(ap, "x", 1, 0));
	struct iovec v = { "y", 1 };
	say("O_APPEND, RWF_NOAPPEND", pwritev2(ap, &v, 1, 0, 0x20));
	say("O_APPEND, sendfile", sendfile(ap, file, NULL, 1));
	int p[2];
	pipe2(p, O_NONBLOCK);
	write(p[1], "abc", 3);
	say("O_APPEND, splice", splice(p[0], NULL, ap, NULL, 3, 0));
	close(ap);
	size();
	v.iov_base = "Q";
	say("vmsplice", vmsplice(p[1], &v, 1, 0));
	int q[2];
	pipe2(q, O_NONBLOCK);
	say("tee", tee(p[0], q[1], 3, 0));
	loff_t at = 8190;
	say("splice over the end", splice(q[0], NULL, file, &at, 3, 0));
	at = 8192;
	say("splice at the end", splice(q[0], NULL, file, &at, 3, 0));
	at = 1;
	say("splice within", splice(q[0], NULL, file, &at, 3, 0));
	close(p[0]);
	close(p[1]);
	close(q[0]);
	close(q[1]);
	size();
	for (int f = 1; f < 0x400; f <<= 1) {
		char w[40];
		v.iov_base = "w";
		sprintf(w, "pwritev2 %#x within", f);
		say(w, pwritev2(file, &v, 1, 3, f));
		sprintf(w, "pwritev2 %#x past the end", f);
		say(w, pwritev2(file, &v, 1, 8192, f));
	}
	for (int f = 1; f < 0x400; f <<= 1) {
		char w[40], c;
		struct iovec r = { &c, 1 };
		sprintf(w, "preadv2 %#x", f);
		say(w, preadv2(file, &r, 1, 3, f));
	}
	size();
	static const int adv[] = { 0, 1, 2, 3, 4, 8, 9, 10, 14, 15, 16, 18, 20, 21, 22, 23, 24, 25, 103, 22, 23 };
	for (int i = 0; i < 21; i++) {
		char w[40];
		sprintf(w, "madvise %d", adv[i]);
		say(w, madvise(m, 4096, adv[i]));
	}
	size();
	int pf = syscall(SYS_pidfd_open, getpid(), 0);
	struct iovec pv = { m, 4096 };
	static const int padv[] = { 9, 4, 20, 21, 25 };
	for (int i = 0; i < 5; i++) {
		char w[40];
		sprintf(w, "process_madvise %d", padv[i]);
		say(w, syscall(SYS_process_madvise, pf, &pv, 1, padv[i], 0));
	} close(pf);
	size();
	m[0] = 'A';
	char *big = mremap(m, 4096, 16384, MREMAP_MAYMOVE);
	yes("mremap past the end", big == MAP_FAILED ? -1 : 0);
	if (big != MAP_FAILED) {
		CHILD("a write past the end of the map", {
		      big[8192] = 1;
		      }
		);
		CHILD("within", {
		      big[4096] = 0;
		      }
		);
		say("MADV_REMOVE past the end", madvise(big + 8192, 4096, 9));
		say("MADV_REMOVE over the end", madvise(big, 16384, 9));
		int mem = open("/proc/self/mem", O_RDWR);
		say("by /proc/self/mem", pwrite(mem, "B", 1, (off_t) (uintptr_t) big + 1));
		say("by /proc/self/mem past the end", pwrite(mem, "B", 1, (off_t) (uintptr_t) big + 8192));
		close(mem);
		munmap(big, 16384);
	}
	size();
	say("copy_file_range to itself", copy_file_range(file, &(loff_t) {
							 0}, file, &(loff_t) {
							 4096}, 10, 0));
	say("over itself", copy_file_range(file, &(loff_t) {
					   0}, file, &(loff_t) {
					   5}, 10, 0));
	say("FICLONE", ioctl(file, 0x40049409, file));
	int other = memory("other");
	say("FICLONE of another", ioctl(file, 0x40049409, other));
	close(other);
	say("posix_fadvise", posix_fadvise(file, 0, 0, 4));
	say("sync_file_range", sync_file_range(file, 0, 100, 7));
	say("fsync", fsync(file));
	say("readahead", readahead(file, 0, 100));
	say("F_SETLEASE", fcntl(file, F_SETLEASE, F_RDLCK));
	say("F_SETLEASE none", fcntl(file, F_SETLEASE, F_UNLCK));
	say("fchmod", fchmod(file, 0400));
	t = open(path, O_RDWR | O_TRUNC);
	yes("O_TRUNC, mode 0400", t);
	close(t);
	say("fchmod", fchmod(file, 0777));
	say("fchown", fchown(file, 0, 0));
	say("futimens", futimens(file, NULL));
	say("lseek hole", lseek(file, 0, SEEK_HOLE));
	say("lseek data", lseek(file, 0, SEEK_DATA));
	lseek(file, 0, SEEK_SET);
}

int main(void)
{
	in_first_boot();
	device = open(DEVICE, O_RDWR);
	held = session(device, CREATE, "holes");
	file = memfd_create("m", MFD_ALLOW_SEALING);
	ftruncate(file, 8192);
	write(file, "01234567", 8);
	say("preserve", preserve(held, file, 1));
	all("preserved");
	int second = session(device, CREATE, "second");
	say("in a second session", preserve(second, file, 1));
	say("a second token", preserve(held, file, 2));
	close(second);
	say("still: shrink", ftruncate(file, 5));
	static const int seals[] = { 0x4, 0x2, 0x10, 0x8, 0x20, 0x1 };
	CHILD("seals while mapped", {
	      char *m = mmap(0, 4096, 3, MAP_SHARED, file, 0);
	      for (int i = 0; i < 2; i++) {
	      char w[40]; sprintf(w, "add seal %#x", seals[i]); say(w, fcntl(file, F_ADD_SEALS, seals[i]));
	      say("seals", fcntl(file, F_GET_SEALS));} say("write seal", fcntl(file, F_ADD_SEALS, 8));
	      say("future write seal", fcntl(file, F_ADD_SEALS, 0x10));
	      say("exec seal", fcntl(file, F_ADD_SEALS, 0x20)); say("unknown seal", fcntl(file, F_ADD_SEALS, 0x40));
	      say("seals", fcntl(file, F_GET_SEALS)); m[0] = 'z';}) ;
	size();
	say("write", pwrite(file, "v", 1, 0));
	say("grow", pwrite(file, "v", 1, 8192));
	say("seal seal", fcntl(file, F_ADD_SEALS, 1));
	say("more", fcntl(file, F_ADD_SEALS, 2));
	say("seals", fcntl(file, F_GET_SEALS));
	close(held);
	puts("closed");
	size();
	say("grow", ftruncate(file, 10000));
	say("shrink", ftruncate(file, 100));
	say("write", pwrite(file, "v", 1, 0));
	say("punch", fallocate(file, 3, 0, 4096));
	held = session(device, CREATE, "holes2");
	file = memfd_create("n", MFD_ALLOW_SEALING);
	ftruncate(file, 8192);
	write(file, "01234567", 8);
	say("preserve", preserve(held, file, 1));
	close(held);
	all("not preserved any more");
	return 0;
}
