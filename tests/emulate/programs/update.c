/* A whole live update, as a VMM would do it: `update KERNEL`, once a boot. Says what it finds; exit status 42 at the end. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct session { uint32_t size; int32_t fd; char name[64]; };
struct file { uint32_t size; int32_t fd; uint64_t token; };
struct finish { uint32_t size, reserved; };

static int need(int answer, const char *what)
{
	if (answer < 0) {
		printf("%s: %s\n", what, strerrorname_np(errno));
		exit(1);
	}
	return answer;
}

static int session(int device, unsigned long request, const char *name)
{
	struct session argument = { sizeof argument, -1, "" };
	strcpy(argument.name, name);
	need(ioctl(device, request, &argument), name);
	return argument.fd;
}

static void before(int device, const char *kernel)
{
	static const char line[] = "liveupdate=on";
	int held = session(device, 0xba00, "vm");
	int memory = need(memfd_create("ram", MFD_ALLOW_SEALING), "memfd_create");
	struct file argument = { sizeof argument, memory, 7 };
	need(ftruncate(memory, 3 * 4096 + 1), "ftruncate");
	char *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	strcpy(at, "state of the guest");
	need(ioctl(held, 0xba40, &argument), "preserve");
	strcpy(at + 100, "written afterwards");
	lseek(memory, 1234, SEEK_SET);
	int image = need(open(kernel, O_RDONLY), kernel);
	need(syscall(SYS_kexec_file_load, image, -1, sizeof line, line, 4), "kexec_file_load");
	printf("boot 1: preserved\n");
	fflush(stdout);
	reboot(0x45584543);
	need(-1, "reboot");
}

static void after(int device)
{
	int held = session(device, 0xba01, "vm");
	struct file argument = { sizeof argument, -1, 7 };
	struct finish done = { sizeof done, 0 };
	char text[128] = "";
	struct stat stat;
	need(ioctl(held, 0xba41, &argument), "retrieve");
	need(fstat(argument.fd, &stat), "fstat");
	pread(argument.fd, text, sizeof text, 0);
	printf("boot 2: %lld bytes at %lld: %s, %s\n", (long long)stat.st_size, (long long)lseek(argument.fd, 0, SEEK_CUR),
	       text, text + 100);
	printf("cloexec %d, links %d, mode %o\n", fcntl(argument.fd, F_GETFD), (int)stat.st_nlink, stat.st_mode & 07777);
	need(ioctl(held, 0xba42, &done), "finish");
	need(ftruncate(argument.fd, 5), "ftruncate after finish");
	exit(42);
}

int main(int count, char **arguments)
{
	int device = need(open("/dev/liveupdate", O_RDWR | O_CLOEXEC), "/dev/liveupdate");
	if (strcmp(getenv("LUO_BOOT"), "1") == 0) before(device, arguments[count - 1]);
	after(device);
}
