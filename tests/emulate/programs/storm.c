/* Threads and processes that make, fill, pass, close and look at sessions while the machine goes from boot to boot: what is handed over is whole. */
#include "luo.h"
#include <pthread.h>
#include <sys/uio.h>
static int device;
static volatile int stop;
static void *makes(void *a)
{
	long n = (long)a;
	for (int i = 0; !stop; i++) {
		char name[40];
		sprintf(name, "t%ld.%d", n, i % 7);
		int s = session(device, CREATE, name);
		if (s < 0)
			continue;
		int f[3];
		for (int k = 0; k < 3; k++) {
			f[k] = memory(name);
			preserve(s, f[k], k);
			pwrite(f[k], "grow?", 5, 100);
		} for (int k = 0; k < 3; k++)
			close(f[k]);
		if (i % 3) {
			struct stat st;
			fstat(s, &st);
			uint32_t g[18] = { 72 };
			ioctl(s, GET_NAME, g);
		}
		close(s);
	} return NULL;
}

static void *reads(void *a)
{
	for (; !stop;) {
		int f = open("/dev/null", O_RDONLY);
		close(f);
		f = open(DEVICE, O_RDWR);
		if (f >= 0)
			close(f);
		access(DEVICE, F_OK);
		char b[100];
		readlink("/proc/self/fd/3", b, 100);
		f = open("/proc/cmdline", O_RDONLY);
		read(f, b, 10);
		close(f);
		pid_t p = fork();
		if (p == 0)
			_exit(0);
		waitpid(p, 0, 0);
	}
	return NULL;
}

int main(void)
{
	in_first_boot();
	int boot = atoi(getenv("LUO_BOOT"));
	device = open(DEVICE, O_RDWR | O_CLOEXEC);
	if (boot > 1) {
		int whole = 0, there = 0;
		int k = session(device, RETRIEVE, "kept");
		char b[40] = { 0 };
		int m = restore(k, 1);
		pread(m, b, 39, 0);
		printf("boot %d: kept %s\n", boot, b);
		close(k);
		for (int t = 0; t < 6; t++)
			for (int i = 0; i < 7; i++) {
				char name[40];
				sprintf(name, "t%d.%d", t, i);
				int s = session(device, RETRIEVE, name);
				if (s < 0)
					continue;
				there++;
				int ok = 1;
				for (int k = 0; k < 3; k++) {
					char c[40] = { 0 };
					int f = restore(s, k);
					if (f < 0)
						continue;
					ssize_t n = pread(f, c, 39, 0);
					if (n != strlen(name) || strcmp(c, name))
						ok = 0;
					close(f);
				}
				whole += ok;
				close(s);
			}
		printf("all whole %d\n", there == whole);
		if (boot == 6)
			return 0;
	}
	int k = session(device, CREATE, "kept");
	char text[40];
	sprintf(text, "from boot %d", boot);
	preserve(k, memory(text), 1);
	pthread_t t;
	for (long i = 0; i < 3; i++)
		pthread_create(&t, 0, makes, (void *)i);
	pthread_create(&t, 0, reads, 0);
	for (long i = 3; i < 6; i++)
		if (fork() == 0) {
			makes((void *)i);
		}
	if (fork() == 0)
		reads(0);
	usleep(400000);
	next_boot();
	return 1;
}
