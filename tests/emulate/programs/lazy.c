/* Memory that a program fills or lets be written itself (userfaultfd): in every argument of the calls about sessions, and by another process. */
#include "luo.h"
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <poll.h>
#include <sys/uio.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <sys/klog.h>
static int u;
static char *area;
static volatile int faults, wps;
static char fill[4096] __attribute__((aligned(4096)));
static void *handler(void *a)
{
	for (;;) {
		struct pollfd p = { u, POLLIN };
		poll(&p, 1, -1);
		struct uffd_msg m;
		if (read(u, &m, sizeof m) != sizeof m)
			continue;
		int n = open("/dev/null", O_RDONLY);
		close(n);
		uint64_t at = m.arg.pagefault.address & ~4095UL;
		if (m.arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_WP) {
			struct uffdio_writeprotect w = { {at, 4096}, 0 };
			wps++;
			ioctl(u, UFFDIO_WRITEPROTECT, &w);
		} else {
			struct uffdio_copy c = { at, (uint64_t) fill, 4096, 0, 0 };
			faults++;
			ioctl(u, UFFDIO_COPY, &c);
}}}

static void bye(int s)
{
	printf("HANG\n");
	fflush(stdout);
	kill(getpid(), SIGKILL);
}

static char *next(void)
{
	static int n;
	return area + 4096 * n++;
}

static void protect(char *p)
{
	struct uffdio_writeprotect w = { {(uint64_t) p, 4096}, UFFDIO_WRITEPROTECT_MODE_WP };
	if (ioctl(u, UFFDIO_WRITEPROTECT, &w) < 0)
		say("protect", -1);
}

int main(void)
{
	in_first_boot();
	signal(SIGALRM, bye);
	int device = open(DEVICE, O_RDWR), held = session(device, CREATE, "held");
	int file = memfd_create("m", 0);
	ftruncate(file, 8192);
	say("preserve", preserve(held, file, 1));
	u = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	struct uffdio_api api = { UFFD_API, 0, 0 };
	say("api", ioctl(u, UFFDIO_API, &api));
	area = mmap(0, 1 << 20, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct uffdio_register r =
	    { {(uint64_t) area, 1 << 20}, UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_WP };
	say("register", ioctl(u, UFFDIO_REGISTER, &r));
	pthread_t t;
	pthread_create(&t, 0, handler, 0);
	alarm(20);
	char *p;
	struct session s = { 72, -1, "lazy" };
	memcpy(fill, &s, 72);
	p = next();
	say("CREATE", ioctl(device, CREATE, p) >= 0 ? 0 : -1);
	say("taken", session(device, CREATE, "lazy"));
	say("GET_NAME", ioctl(held, GET_NAME, next()));
	p = next();
	strcpy(fill, DEVICE);
	yes("open", open(p, O_RDWR));
	p = next();
	say("access", access(p, F_OK));
	p = next();
	say("stat", stat(DEVICE, (void *)p));
	printf("%o\n", ((struct stat *)p)->st_mode);
	p = next();
	say("readlink", readlink("/proc/self/exe", p, 1));
	p = next();
	say("uname", uname((void *)p));
	p = next();
	say("statfs", statfs(DEVICE, (void *)p));
	p = next();
	say("write into the file", pwrite(file, p, 4096, 0));
	p = next();
	say("read from it", pread(file, p, 4096, 0));
	p = next();
	say("write past it", pwrite(file, p, 4096, 8000));
	p = next();
	say("read of a session", read(held, p, 10));
	p = next();
	say("log", klogctl(3, p, 100) > 0);
	p = next();
	struct iovec *v = (void *)p;
	struct iovec in = { fill, 10 };
	memcpy(fill, &in, sizeof in);
	say("a vector", pwritev(file, v, 1, 0));
	say("sendfile's offset", ( {
				  memset(fill, 0, 64);
				  p = next();
				  sendfile(file, file, (off_t *) p, 10);
				  }
	    ));
	uint32_t fin[2] = { 8, 0 };
	memcpy(fill, fin, 8);
	say("FINISH", ioctl(held, FINISH, next()));
	struct file f = { 16, file, 9 };
	memcpy(fill, &f, 16);
	say("PRESERVE", ioctl(held, PRESERVE, next()));
	printf("faults %s\n", faults > 10 ? "many" : "few");
	/* write-protected: it is there, but a write waits for the handler */
	struct {
		const char *what;
		int n;
	} w[] =
	    { {"CREATE", 0}, {"stat", 1}, {"fstat", 2}, {"readlink", 3}, {"uname", 4}, {"GET_NAME", 5}, {"statfs", 6},
	    {"log", 7}, {"PRESERVE", 8}, {"statx", 9}, {"copy's offset", 10} };
	for (int i = 0; i < 11; i++) {
		p = next();
		memset(p, 0, 4096);
		struct session c = { 72, -1, "protected" };
		memcpy(p, &c, 72);
		if (i == 8)
			memcpy(p, &(struct file) { 16, file, 10 }, 16);
		if (i == 10)
			memset(p, 0, 72);
		protect(p);
		int before = wps;
		long x = -1;
		errno = 0;
		char link[40];
		sprintf(link, "/proc/self/fd/%d", held);
		switch (i) {
		case 0:
			x = ioctl(device, CREATE, p);
			break;
		case 1:
			x = stat(DEVICE, (void *)p);
			break;
		case 2:
			x = fstat(held, (void *)p);
			break;
		case 3:
			x = readlink(link, p, 20);
			break;
		case 4:
			x = uname((void *)p);
			break;
		case 5:
			x = ioctl(held, GET_NAME, p);
			break;
		case 6:
			x = statfs(DEVICE, (void *)p);
			break;
		case 7:
			x = klogctl(3, p, 100) > 0;
			break;
		case 8:
			x = ioctl(held, PRESERVE, p);
			break;
		case 9:
			x = statx(AT_FDCWD, DEVICE, 0, 0xfff, (void *)p);
			break;
		case 10:
			x = copy_file_range(file, (loff_t *) p, file, &(loff_t) {
					    4096}
					    , 10, 0);
		}
		printf("protected, ");
		say(w[i].what, x);
	}
	fflush(stdout);
	_exit(0);
}
