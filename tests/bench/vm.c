/*
 * What the library does, in C, in the virtual machine:
 *
 *     vm change COUNT          so many times: create a session, preserve a file of one page, close both; prints microseconds
 *     vm retrieve FIRST END FILES    retrieves these sessions and their files, finishes them; prints microseconds
 *     vm host COUNT            as change, on a host without live update: the ioctls ask /dev/null, a session is a copy of its fd
 *     vm reboot                says so in the kernel's log, then reboot(2) into the loaded kernel
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/types.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

/* include/uapi/linux/liveupdate.h */
struct session { __u32 size; __s32 fd; __u8 name[64]; };
struct file { __u32 size; __s32 fd; __aligned_u64 token; };
struct finish { __u32 size; __u32 reserved; };
#define CREATE_SESSION 0xba00
#define RETRIEVE_SESSION 0xba01
#define PRESERVE_FD 0xba40
#define RETRIEVE_FD 0xba41
#define FINISH 0xba42

static char page[4096];

static void must(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(1);
}

static long now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000L + t.tv_nsec / 1000;
}

static int session(int device, unsigned long request, const char *format, int index)
{
	struct session s = { .size = sizeof(s), .fd = -1 };

	snprintf((char *)s.name, sizeof(s.name), format, index);
	must(ioctl(device, request, &s) == 0, "session");
	return s.fd;
}

static void change(int device, int count)
{
	for (int i = 0; i < count; i++) {
		int s = session(device, CREATE_SESSION, "bench %d", i);
		int memfd = memfd_create("bench", MFD_CLOEXEC | MFD_EXEC);
		struct file f = { .size = sizeof(f), .fd = memfd, .token = 1 };

		must(write(memfd, page, sizeof(page)) == sizeof(page), "write");
		must(ioctl(s, PRESERVE_FD, &f) == 0, "preserve");
		close(memfd);
		close(s);
	}
}

static void host(int null, int count)
{
	for (int i = 0; i < count; i++) {
		struct session s = { .size = sizeof(s), .fd = -1 };
		struct file f = { .size = sizeof(f), .token = 1 };
		int copy;

		snprintf((char *)s.name, sizeof(s.name), "bench %d", i);
		must(ioctl(null, CREATE_SESSION, &s) < 0, "session");
		copy = dup(null);
		f.fd = memfd_create("bench", MFD_CLOEXEC | MFD_EXEC);
		must(write(f.fd, page, sizeof(page)) == sizeof(page), "write");
		must(ioctl(copy, PRESERVE_FD, &f) < 0, "preserve");
		close(f.fd);
		close(copy);
	}
}

static void retrieve(int device, int first, int end, int files)
{
	for (int i = first; i < end; i++) {
		int s = session(device, RETRIEVE_SESSION, "session %d", i);
		struct finish done = { .size = sizeof(done) };

		for (int token = 0; token < files; token++) {
			struct file f = { .size = sizeof(f), .fd = -1, .token = token };

			must(ioctl(s, RETRIEVE_FD, &f) == 0, "restore");
			close(f.fd);
		}
		must(ioctl(s, FINISH, &done) == 0, "finish");
		close(s);
	}
}

static void reboot_now(void)
{
	int log = open("/dev/kmsg", O_WRONLY);

	must(log >= 0 && write(log, "<0>bench: go", 12) == 12, "/dev/kmsg");
	must(reboot(RB_KEXEC) == 0, "reboot");
}

int main(int argc, char **argv)
{
	long begin;
	int device;

	if (argc == 2 && !strcmp(argv[1], "reboot"))
		reboot_now();
	if (argc < 3)
		return 2;
	device = open(!strcmp(argv[1], "host") ? "/dev/null" : "/dev/liveupdate", O_RDWR | O_CLOEXEC);
	must(device >= 0, "the device");
	memset(page, 7, sizeof(page));
	begin = now_us();
	if (argc == 3 && !strcmp(argv[1], "change"))
		change(device, atoi(argv[2]));
	else if (argc == 3 && !strcmp(argv[1], "host"))
		host(device, atoi(argv[2]));
	else if (argc == 5 && !strcmp(argv[1], "retrieve"))
		retrieve(device, atoi(argv[2]), atoi(argv[3]), atoi(argv[4]));
	else
		return 2;
	printf("%ld\n", now_us() - begin);
	return 0;
}
