/* Where the struct of a request, a path, or a buffer lies: each kind of memory that a program has. */
#include "luo.h"
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/shm.h>
#include <sys/klog.h>
#include <sys/statfs.h>
static int device, held;
static int n;
static int ownmem;
static void quiet(const char *what, long r)
{
	printf("  %s: %s\n", what, r < 0 ? strerrorname_np(errno) : "ok");
}

/* p: writable or not; a struct is put by `put` when it can be */
static void every(const char *kind, char *p, int fill)
{
	printf("%s\n", kind);
	struct session s = { 72, -1, "" };
	sprintf(s.name, "s%d", n++);
	if (fill)
		memcpy(p, &s, sizeof s);
	int r = ioctl(device, CREATE, p);
	quiet("CREATE", r);
	if (r >= 0) {
		int fd = ((struct session *)p)->fd;
		fcntl(fd, F_GETFD) < 0 ? puts("  no fd") : 0;
		close(fd);
	} else if (fill) {
		int again = session(device, CREATE, s.name);
		quiet("CREATE again", again);
		if (again >= 0)
			close(again);
	}
	if (fill) {
		uint32_t g[2] = { 72, 0 };
		memcpy(p, g, 8);
	}
	quiet("GET_NAME", ioctl(held, GET_NAME, p));
	int m = memory("x");
	struct file f = { 16, m, n + 1000 };
	if (fill)
		memcpy(p, &f, 16);
	quiet("PRESERVE", ioctl(held, PRESERVE, p));
	close(m);
	if (fill)
		strcpy(p, DEVICE);
	quiet("open", open(p, O_RDWR));
	quiet("access", access(p, F_OK));
	quiet("uname", uname((void *)p));
	struct stat st;
	quiet("stat's buffer", stat(DEVICE, (void *)p));
	quiet("fstat's buffer", fstat(device, (void *)p));
	quiet("statx's buffer", statx(AT_FDCWD, DEVICE, 0, STATX_BASIC_STATS, (void *)p));
	char link[64];
	sprintf(link, "/proc/self/fd/%d", held);
	quiet("readlink's buffer", readlink(link, p, 100));
	quiet("syslog's buffer", klogctl(3, p, 200));
	quiet("read's buffer", read(device, p, 10));
	quiet("statfs's buffer", statfs(DEVICE, (void *)p));
	quiet("getxattr's buffer", getxattr(DEVICE, "user.a", p, 10));
}

static void __attribute__((noinline)) deep(int touch)
{
	volatile char big[1 << 20];
	if (touch)
		big[0] = 1;
	every("a part of the stack that nothing has touched", (char *)big, 0);
}

static void __attribute__((noinline)) deep2(void)
{
	volatile char big[2 << 20];
	uname((void *)big);
	printf("uname into the untouched stack: %s\n", ((struct utsname *)big)->sysname);
}

static void __attribute__((noinline)) deep3(void)
{
	volatile char big[3 << 20];
	struct stat *st = (void *)big;
	errno = 0;
	int r = stat(DEVICE, st);
	say("stat into the untouched stack", r);
	if (r == 0)
		printf("%o\n", st->st_mode);
}

static void __attribute__((noinline)) deep4(void)
{
	volatile char big[4 << 20];
	char link[64];
	sprintf(link, "/proc/self/fd/%d", held);
	long r = readlink(link, (char *)big, 4096);
	say("readlink into the untouched stack", r);
}

static void __attribute__((noinline)) deep5(void)
{
	volatile char big[5 << 20];
	long r = klogctl(3, (char *)big, 1 << 18);
	say("the log into the untouched stack", r > 0 ? 1 : r);
}

int main(void)
{
	in_first_boot();
	device = open(DEVICE, O_RDWR);
	held = session(device, CREATE, "held");
	deep2();
	deep3();
	deep4();
	deep5();
	char *a = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	every("private", a, 1);
	a = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	every("shared", a, 1);
	a = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mprotect(a, 4096, PROT_NONE);
	every("PROT_NONE", a, 0);
	a = mmap(0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	every("zeros, for reading", a, 0);

	int f = memfd_create("f", 0);
	ftruncate(f, 4096);
	a = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, f, 0);
	every("a file", a, 1);
	every("past the end of a file", a + 4096, 0);
	every("up to the end of a file", a + 4096 - 40, 0);
	a = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, f, 0);
	every("a private file", a, 1);
	a = mmap(0, 1 << 22, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	a = (char *)(((uintptr_t) a + (1 << 21) - 1) & ~((1UL << 21) - 1));
	madvise(a, 1 << 21, 14);
	every("a huge page", a, 1);
	int id = shmget(IPC_PRIVATE, 4096, 0600);
	a = shmat(id, 0, 0);
	every("System V", a, 1);
	char *ro = shmat(id, 0, SHM_RDONLY);
	every("System V, for reading", ro, 0);
	shmctl(id, IPC_RMID, 0);
	a = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	a[0] = 1;
	madvise(a, 4096, MADV_DONTNEED);
	every("not present", a, 0);
	every("nothing", NULL, 0);
	every("the kernel's", (char *)0xffff800000000000UL, 0);
	every("not canonical", (char *)0x800000000000UL, 0);
	every("the last bytes", (char *)-8L, 0);
	every("vsyscall", (char *)0xffffffffff600000UL, 0);
	every("the last page", (char *)0x7ffffffff000UL - 8, 0);
	a = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(a + 4096, 4096);
	every("an edge", a + 4096 - 12, 0);
	a = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mprotect(a + 4096, 4096, PROT_READ);
	memset(a, 0, 4096);
	*(int *)(a + 4096 - 12) = 72;
	every("an edge of what can be written", a + 4096 - 12, 0);
	every("the program's text", (char *)main, 0);
	every("constants", "abc\0\0\0\0\0\0", 0);
	deep(0);
	static char data[256] __attribute__((aligned(4096)));
	every("data", data, 1);
	every("not aligned", data + 3, 1);
	return 0;
}
