/* Nothing changes the size of a preserved file of ten bytes: by any path, by any kind of write. One line for each call. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static int device, session, file;

static void say(const char *what, long answer)
{
	if (answer < 0) printf("%s: %s\n", what, strerrorname_np(errno));
	else printf("%s: %ld\n", what, answer);
}

static void size(void)
{
	struct stat look;
	fstat(file, &look);
	printf("size %ld\n", (long)look.st_size);
}

static int preserve(int fd, uint64_t token)
{
	struct { uint32_t size; int32_t fd; uint64_t token; } argument = { 16, fd, token };
	return ioctl(session, 0xba40, &argument);
}

static int memory(const char *text, size_t length)
{
	int fd = memfd_create("m", MFD_ALLOW_SEALING);
	write(fd, text, strlen(text));
	ftruncate(fd, length);
	return fd;
}

static void paths(void)
{
	char path[64], link[] = "/tmp/luo-sizes-XXXXXX";
	struct open_how how = { .flags = O_WRONLY | O_TRUNC };
	sprintf(path, "/proc/self/fd/%d", file);
	say("truncate", truncate(path, 0));
	say("truncate to more", truncate(path, 1 << 20));
	say("truncate to the same", truncate(path, 10));
	say("truncate to less than nothing", truncate(path, -1));
	say("creat", creat(path, 0600));
	say("O_TRUNC for reading", open(path, O_RDONLY | O_TRUNC));
	say("O_TRUNC with O_PATH", close(open(path, O_PATH | O_TRUNC)));
	say("openat2", syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how));
	sprintf(path, "/proc/self/../%d/.//fd/%d", getpid(), file);
	say("another spelling", truncate(path, 0));
	sprintf(path, "/proc/%d/task/%d/fd/%d", getpid(), getpid(), file);
	say("a thread's", truncate(path, 0));
	fflush(stdout);
	if (fork() == 0) {
		sprintf(path, "/proc/%d/fd/%d", getppid(), file);
		close(file);
		say("another process's", truncate(path, 0));
		mkdtemp(link);
		chdir(link);
		symlink(path, "link");
		say("by a link", truncate("link", 0));
		unlink("link");
		symlink(path, "odd \xff");
		say("by a link whose name is not UTF-8", truncate("odd \xff", 0));
		unlink("odd \xff");
		chdir("/proc");
		rmdir(link);
		say("relative", creat(path + strlen("/proc/"), 0600));
		exit(0);
	}
	wait(NULL);
	int named = open("/dev/shm", O_TMPFILE | O_RDWR, 0600);
	if (named < 0) named = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	write(named, "abc", 3);
	say("preserve a file of tmpfs", preserve(named, 2));
	sprintf(path, "/proc/self/fd/%d", named);
	say("give it a name", linkat(AT_FDCWD, path, AT_FDCWD, "/dev/shm/luo-sizes", AT_SYMLINK_FOLLOW));
	say("truncate it by its name", truncate("/dev/shm/luo-sizes", 0));
	say("O_TRUNC by its name", open("/dev/shm/luo-sizes", O_RDWR | O_TRUNC));
	unlink("/dev/shm/luo-sizes");
}

static void writes(void)
{
	struct iovec piece = { "XYZ", 3 };
	char path[64];
	sprintf(path, "/proc/self/fd/%d", file);
	int appending = open(path, O_WRONLY | O_APPEND), reading = open(path, O_RDONLY);
	say("pwritev2, RWF_APPEND", pwritev2(file, &piece, 1, 0, RWF_APPEND));
	say("pwritev2, unknown flag", pwritev2(file, &piece, 1, 0, 0x8000));
	say("pwritev2, RWF_DSYNC", pwritev2(file, &piece, 1, 7, RWF_DSYNC));
	say("append", write(appending, "x", 1));
	say("nothing, past the end", pwrite(file, "x", 0, 100));
	say("not open for writing", pwrite(reading, "x", 1, 50));
	say("memory that is not there", pwrite(file, (void *)16, 1, 0));
	say("past the end from memory that is not there", pwrite(file, (void *)16, 1, 10));
	say("a vector that is not there", writev(file, (void *)16, 1));
	say("a negative offset", pwrite(file, "x", 1, -5));
	lseek(file, 8, SEEK_SET);
	say("over the end", write(file, "xyz", 3));
	say("up to the end", write(file, "xy", 2));
	close(appending);
	close(reading);
}

static void transfers(void)
{
	int source = memory("abcdefghijklmnopqrstuvwxyz", 26), ends[2];
	char *memory = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	off_t from = 0, to = 2;
	munmap(memory + 4096, 4096);
	lseek(file, 0, SEEK_SET);
	say("sendfile of too much", sendfile(file, source, &from, 26));
	say("sendfile within", sendfile(file, source, &from, 4));
	say("sendfile, half an offset", sendfile(file, source, (off_t *)(memory + 4092), 4));
	say("sendfile from nothing", sendfile(file, -1, NULL, 4));
	say("copy_file_range of too much", copy_file_range(source, &from, file, &to, 9, 0));
	say("copy_file_range within", copy_file_range(source, &from, file, &to, 3, 0));
	printf("offsets %ld %ld\n", (long)from, (long)to);
	pipe(ends);
	write(ends[1], "ABCDEFGHIJKLMNOPQRSTUVWXYZ", 26);
	to = 1;
	say("splice of too much", splice(ends[0], NULL, file, &to, 26, 0));
	say("splice within", splice(ends[0], NULL, file, &to, 5, 0));
	say("sendfile from a session", sendfile(file, session, NULL, 1));
	say("splice to the device", splice(ends[0], NULL, device, NULL, 1, 0));
}

static void holes(void)
{
	int other = memory("other", 4096), precious = memory("precious", 4096);
	char *memory = mmap(NULL, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), text[9] = "";
	mmap(memory, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, other, 0);
	mmap(memory + 4096, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, precious, 0);
	preserve(precious, 3);
	say("MADV_REMOVE over two files", madvise(memory, 8192, MADV_REMOVE));
	pread(precious, text, 8, 0);
	printf("content: %s\n", text);
	say("MADV_REMOVE, private", madvise(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, precious, 0), 4096, MADV_REMOVE));
	say("MADV_REMOVE, not aligned", madvise(memory + 4097, 100, MADV_REMOVE));
}

static void large(void)
{
	size_t length = (3 << 20) - 4096;
	char *bytes = mmap(NULL, 4 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = memory("", length);
	struct iovec piece = { bytes, 3 << 20 };
	/* From memory that is not present Linux writes in smaller chunks, and gets further. */
	memset(bytes, 7, 4 << 20);
	preserve(fd, 4);
	say("3 MiB into a page less", pwrite(fd, bytes, 3 << 20, 0));
	say("by a vector", writev(fd, &piece, 1));
	printf("position %ld\n", (long)lseek(fd, 0, SEEK_CUR));
	say("at 100", pwrite(fd, bytes, 3 << 20, 100));
}

static void limited(void)
{
	static char bytes[8192];
	struct rlimit limit = { 4096, RLIM_INFINITY };
	int fd = memory("", 16384), status;
	preserve(fd, 5);
	setrlimit(RLIMIT_FSIZE, &limit);
	signal(SIGXFSZ, SIG_IGN);
	say("up to RLIMIT_FSIZE", pwrite(fd, bytes, 8192, 0));
	say("past RLIMIT_FSIZE", pwrite(fd, bytes, 1, 8192));
	signal(SIGXFSZ, SIG_DFL);
	fflush(stdout);
	if (fork() == 0) return exit(pwrite(fd, bytes, 1, 8192) < 0);
	wait(&status);
	printf("signal %d\n", WTERMSIG(status));
}

int main(void)
{
	struct { uint32_t size; int32_t fd; char name[64]; } argument = { 72, -1, "sizes" };
	device = open("/dev/liveupdate", O_RDWR);
	ioctl(device, 0xba00, &argument);
	session = argument.fd;
	file = memory("0123456789", 10);
	say("preserve", preserve(file, 1));
	paths();
	writes();
	transfers();
	size();
	holes();
	large();
	limited();
	return 0;
}
