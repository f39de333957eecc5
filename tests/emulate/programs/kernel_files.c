/* The files of /proc and /sys that tell which kernel runs: their looks, and calls that would write, change, move or remove them. */
#include "luo.h"
#include <poll.h>
#include <dirent.h>
#include <sys/file.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

static const char *const FILES[] = {
	"/proc/cmdline", "/proc/version", "/proc/misc", "/proc/config.gz", "/proc/sys/kernel/osrelease", "/proc/sys/kernel/random/boot_id",
	"/proc/sys/kernel/kexec_load_disabled", "/sys/kernel/kexec_loaded", "/sys/kernel/kexec_crash_loaded",
	"/sys/class/misc/liveupdate/dev", "/sys/class/misc/liveupdate/uevent", "/sys/kernel/debug/kho/out/scratch_len", "/sys/kernel/debug/kho/out/finalize",
	"/sys/kernel/debug/kho/out/sub_fdts/LUO",
	"/proc/self/status", "/proc/self/fdinfo/0",
};

static char subject[128];

static void answer(const char *what, long value)
{
	if (value < 0) printf("  %s: %s\n", what, strerrorname_np(errno));
	else printf("  %s: %ld\n", what, value);
}

static void looks(const char *what)
{
	struct stat found;
	if (stat(subject, &found) < 0) answer(what, -1);
	else printf("  %s: mode %o, owner %u:%u, links %lu, size %s, rdev %lu\n", what, found.st_mode, found.st_uid, found.st_gid,
		    (unsigned long)found.st_nlink, found.st_size == 0 ? "0" : found.st_size == 4096 ? "4096" : "more", (unsigned long)found.st_rdev);
}

static void with_flags(const char *what, int flags)
{
	int fd = open(subject, flags | O_NONBLOCK, 0600);
	printf("  %s: %s", what, fd < 0 ? strerrorname_np(errno) : "opened");
	if (fd >= 0) {
		printf(", flags %o", fcntl(fd, F_GETFL));
		printf(", write %s", write(fd, "x", 1) < 0 ? strerrorname_np(errno) : "done");
		printf(", size to 0 %s", ftruncate(fd, 0) < 0 ? strerrorname_np(errno) : "done");
		close(fd);
	}
	printf("\n");
}

static void of_fd(void)
{
	char bytes[64];
	struct stat found, named;
	struct statfs system;
	struct statx extended;
	struct pollfd one = { .events = POLLIN | POLLOUT };
	int fd = open(subject, O_RDONLY), queued = 0;
	if (fd < 0) {
		answer("open", -1);
		return;
	}
	one.fd = fd;
	fstat(fd, &found);
	stat(subject, &named);
	statx(fd, "", AT_EMPTY_PATH, STATX_ALL, &extended);
	printf("  fstat: mode %o, size %ld, same file %d, blocks %ld of %ld, statx %o and %lx, mask %x\n", found.st_mode, (long)(found.st_size != named.st_size),
	       found.st_dev == named.st_dev && found.st_ino == named.st_ino, (long)found.st_blocks, (long)found.st_blksize, extended.stx_mode,
	       (long)((off_t)extended.stx_size != named.st_size), extended.stx_mask & STATX_BASIC_STATS);
	answer("statfs", fstatfs(fd, &system) < 0 ? -1 : (long)system.f_type);
	answer("seals", fcntl(fd, F_GET_SEALS));
	answer("to its end", lseek(fd, 0, SEEK_END) < 0 ? -1 : 0);
	answer("from its start", pread(fd, bytes, 1, 0));
	answer("far after its end", pread(fd, bytes, 1, 1 << 24));
	answer("read into no memory", syscall(SYS_pread64, fd, 8, 1, 0));
	answer("map", mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED ? -1 : 0);
	answer("poll", poll(&one, 1, 0) < 0 ? -1 : one.revents);
	answer("lock", flock(fd, LOCK_EX | LOCK_NB));
	answer("sync", fsync(fd));
	answer("allocate", fallocate(fd, 0, 0, 100));
	answer("request of unread bytes", ioctl(fd, 0x541b, &queued));
	answer("request of flags", ioctl(fd, 0x80086601, &queued));
	answer("list", getdents64(fd, bytes, sizeof bytes) < 0 ? -1 : 0);
	close(fd);
}

static void attributes(const char *who)
{
	struct timespec times[2] = { { 1, 0 }, { 2, 0 } };
	struct stat found;
	printf(" %s\n", who);
	answer("chmod", chmod(subject, 0640));
	answer("chown", chown(subject, 1, 2));
	looks("looks");
	answer("times", utimensat(AT_FDCWD, subject, times, 0));
	if (stat(subject, &found) == 0) answer("time is the given", found.st_mtim.tv_sec == 2);
	answer("attribute of user", setxattr(subject, "user.x", "1", 1, 0));
	answer("trusted attribute", setxattr(subject, "trusted.x", "1", 1, 0));
	answer("get an attribute", getxattr(subject, "trusted.x", NULL, 0));
	answer("list of attributes", listxattr(subject, NULL, 0));
	answer("remove an attribute", removexattr(subject, "trusted.x"));
}

static void names(void)
{
	char other[160];
	snprintf(other, sizeof other, "%s.other", subject);
	answer("truncate", truncate(subject, 0));
	answer("truncate to more", truncate(subject, 100));
	answer("truncate below 0", truncate(subject, -1));
	answer("unlink", unlink(subject));
	answer("rmdir", rmdir(subject));
	answer("rename", rename(subject, other));
	answer("rename far", rename(subject, "/tmp/luo-other"));
	answer("link", link(subject, other));
	answer("link far", link(subject, "/tmp/luo-other"));
	answer("mkdir", mkdir(subject, 0700));
	answer("mknod", mknod(subject, S_IFIFO | 0600, 0));
	answer("symlink", symlink("x", subject));
	answer("read as a link", readlink(subject, other, sizeof other) < 0 ? -1 : 0);
	answer("execute", execl(subject, subject, NULL));
	answer("change directory", chdir(subject));
	chdir("/");
	if (access(subject, F_OK) < 0 && errno == ENOENT) return;
	snprintf(other, sizeof other, "%s/below", subject);
	answer("below", open(other, O_RDONLY));
	answer("made below", open(other, O_CREAT | O_WRONLY, 0600));
	answer("directory below", mkdir(other, 0700));
}

static void opens(const char *who)
{
	printf(" %s\n", who);
	answer("may read", access(subject, R_OK));
	answer("may write", access(subject, W_OK));
	answer("may execute", access(subject, X_OK));
	with_flags("read", O_RDONLY);
	with_flags("write", O_WRONLY);
	with_flags("both", O_RDWR);
	with_flags("append", O_WRONLY | O_APPEND);
	with_flags("truncated", O_WRONLY | O_TRUNC);
	with_flags("read, truncated", O_RDONLY | O_TRUNC);
	with_flags("made", O_WRONLY | O_CREAT);
	with_flags("made new", O_WRONLY | O_CREAT | O_EXCL);
	with_flags("directory", O_RDONLY | O_DIRECTORY);
	with_flags("direct", O_RDONLY | O_DIRECT);
	with_flags("path only", O_PATH);
	with_flags("no link", O_RDONLY | O_NOFOLLOW);
	with_flags("no time", O_RDONLY | O_NOATIME);
	with_flags("nameless", O_RDWR | O_TMPFILE);
}

int main(void)
{
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	for (unsigned at = 0; at < sizeof FILES / sizeof *FILES; at++) {
		strcpy(subject, FILES[at]);
		printf("%s\n", subject);
		looks("looks");
		of_fd();
		opens("root");
		names();
		CHILD(" another user", if (setgid(1000) || setuid(1000)) _exit(9); opens("user 1000"); attributes("user 1000"); names());
		attributes("root");
		CHILD(" after that", if (setgid(1000) || setuid(1000)) _exit(9); with_flags("read", O_RDONLY); answer("may read", access(subject, R_OK)));
		chmod(subject, 0444);
		chown(subject, 0, 0);
	}
	fflush(stdout);
}
