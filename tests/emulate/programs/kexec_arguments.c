/* The arguments of kexec_file_load, kexec_load and reboot: kexec_arguments KERNEL. One line for each call. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { UNLOAD = 1, ON_CRASH = 2, NO_INITRAMFS = 4 };
enum { MAGIC = (int)0xfee1dead, MAGIC2 = 672274793, KEXEC = 0x45584543 };

static int kernel;

static void say(const char *what, long answer)
{
	if (answer < 0) printf("%s: %s\n", what, strerrorname_np(errno));
	else printf("%s: %ld\n", what, answer);
}

static long load(long fd, long initrd, unsigned long length, const void *line, unsigned long flags)
{
	return syscall(SYS_kexec_file_load, fd, initrd, length, line, flags);
}

static long kernel_from(int fd)
{
	return load(fd, -1, 1, "", NO_INITRAMFS);
}

static void loaded(void)
{
	char text[2] = "";
	int fd = open("/sys/kernel/../kernel/kexec_loaded", O_RDONLY);
	read(fd, text, 1);
	close(fd);
	printf("loaded %s\n", text);
}

static void arguments(void)
{
	static char line[4096];
	memset(line, 'a', sizeof line - 1);
	say("unknown flag", load(kernel, -1, 1, "", 0x40));
	say("all known flags", load(kernel, -1, 1, "", NO_INITRAMFS | 8 | 0x10 | 0x20));
	loaded();
	say("for a crash", load(kernel, -1, 1, "", NO_INITRAMFS | ON_CRASH));
	say("unload", load(-1, -1, 0, NULL, UNLOAD));
	loaded();
	say("no NUL", load(kernel, -1, 3, "abc", NO_INITRAMFS));
	say("no command line", load(kernel, -1, 0, NULL, NO_INITRAMFS));
	say("a bad pointer", load(kernel, -1, 5, NULL, NO_INITRAMFS));
	line[2016] = 0;
	say("2017 bytes", load(kernel, -1, 2017, line, NO_INITRAMFS));
	line[2016] = 'a', line[2017] = 0;
	say("2018 bytes", load(kernel, -1, 2018, line, NO_INITRAMFS));
	say("too many bytes", load(kernel, -1, 1UL << 40, line, NO_INITRAMFS));
	say("no initrd", load(kernel, -1, 1, "", 0));
	say("no kernel", load(-1, -1, 1, "", NO_INITRAMFS));
}

static void files(const char *path)
{
	struct { uint32_t size; int32_t fd; char name[64]; } argument = { 72, -1, "s" };
	char link[64];
	int ends[2], device = open("/dev/liveupdate", O_RDWR), copy = memfd_create("k", 0);
	ioctl(device, 0xba00, &argument);
	pipe(ends);
	say("a directory", kernel_from(open("/", O_RDONLY)));
	say("O_PATH", kernel_from(open(path, O_PATH)));
	say("/dev/null", kernel_from(open("/dev/null", O_RDONLY)));
	say("a pipe", kernel_from(ends[0]));
	say("the device", kernel_from(device));
	say("a session", kernel_from(argument.fd));
	say("a session as initrd", load(kernel, argument.fd, 1, "", 0));
	for (off_t at = 0; sendfile(copy, kernel, &at, 1 << 24) > 0;);
	say("a memfd", kernel_from(copy));
	sprintf(link, "/proc/self/fd/%d", copy);
	int writing = open(link, O_WRONLY);
	say("write-only", kernel_from(writing));
	say("open for writing", kernel_from(copy));
	close(writing);
	say("no more", kernel_from(copy));
	ftruncate(copy, 100);
	say("cut off", kernel_from(copy));
	ftruncate(copy, 0);
	say("empty", kernel_from(copy));
	loaded();
}

static void other_ways(void)
{
	static uint64_t segments[4];
	say("kexec_load, a bad count", syscall(SYS_kexec_load, 0, 17, segments, 0));
	say("kexec_load, unload", syscall(SYS_kexec_load, 0, 0, NULL, 0));
	loaded();
	say("reboot, no image", syscall(SYS_reboot, MAGIC, MAGIC2, KEXEC, NULL));
	say("reboot, bad magic", syscall(SYS_reboot, MAGIC, 1, KEXEC, NULL));
	say("reboot, bad command", syscall(SYS_reboot, MAGIC, MAGIC2, 0x12345678, NULL));
	say("reboot, a bad string", syscall(SYS_reboot, MAGIC, MAGIC2, 0xa1b2c3d4, NULL));
	say("reboot, Ctrl-Alt-Del off", syscall(SYS_reboot, MAGIC, MAGIC2, 0, NULL));
}

int main(int count, char **words)
{
	kernel = open(words[count - 1], O_RDONLY);
	arguments();
	files(words[count - 1]);
	other_ways();
	return 0;
}
