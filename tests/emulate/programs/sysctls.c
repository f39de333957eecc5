/* What the files of the limits for kexec_file_load take: numbers of every spelling, in one write and in more. */
#include "luo.h"
#define LIMIT "/proc/sys/kernel/kexec_load_limit_panic"
#define REBOOT "/proc/sys/kernel/kexec_load_limit_reboot"
#define OFF "/proc/sys/kernel/kexec_load_disabled"
static void show(const char *path)
{
	char b[64] = "";
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, b, 63);
	close(fd);
	printf("  reads %s", n > 0 ? b : "nothing\n");
}

static void put(const char *path, const char *text, int length)
{
	int fd = open(path, O_WRONLY);
	errno = 0;
	long r = write(fd, text, length < 0 ? strlen(text) : length);
	int e = errno;
	close(fd);
	printf("\"");
	for (const char *c = text; *c; c++)
		printf(*c < 32 ? "<%02x>" : "%c", *c);
	printf("\": ");
	if (r < 0)
		puts(strerrorname_np(e));
	else
		printf("%ld\n", r);
	show(path);
}

int main(void)
{
	in_first_boot();
	static const char *numbers[] =
	    { "2147483648", "2147483647", "0x7fffffff", "0x7FFFFFFE", "017777777775", "2147483640x", "2147483640 x",
"2147483639\tx", "\n2147483638", "2147483637\v", " \t\r\n\v\f2147483636", "08", "0x", "0xg", "0b1", "1_000", "100,", "-",
"- 1", "-0x1", "--1", "+5", "1e3", "00000000000000000000900", "000000000000000000800", "00000000000000000800",
"18446744073709551616", "18446744073709551617", "4294967297", "999 ", "998\n\n", "997 996", "x", "\xc2\xa0" "995", "", " ",
"\n", "-0", "0" };
	for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++)
		if (numbers[i][0] != 0)
			put(LIMIT, numbers[i], -1);
	put(REBOOT, "50\0" "40", 5);
	put(REBOOT, "45", 1);
	put(REBOOT, "3", 2);
	int fd = open(REBOOT, O_RDWR);
	char b[64] = "";
	say("read", read(fd, b, 1));
	say("a write at 1", write(fd, "2", 1));
	show(REBOOT);
	say("pwrite at 0", pwrite(fd, "1", 1, 0));
	show(REBOOT);
	say("pwrite at 5", pwrite(fd, "0", 1, 5));
	show(REBOOT);
	say("read on", read(fd, b, 9));
	say("pread at 1", pread(fd, b, 9, 1));
	say("at the start", pread(fd, b, 9, 0));
	say("half", pread(fd, b, 1, 0));
	say("seek", lseek(fd, 0, SEEK_END));
	say("seek", lseek(fd, 0, SEEK_SET));
	say("nothing", read(fd, b, 0));
	say("write nothing", write(fd, b, 0));
	close(fd);
	put(OFF, "0", -1);
	put(OFF, "", -1);
	put(OFF, " ", -1);
	put(OFF, "2", -1);
	put(OFF, "-1", -1);
	put(OFF, "x", -1);
	put(OFF, "1x", -1);
	put(OFF, "01 x", -1);
	put(OFF, "0x1", -1);
	put(OFF, "0", -1);
	put(OFF, "", -1);
	put(REBOOT, "0", -1);
	return 0;
}
