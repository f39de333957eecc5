/* syslog(2) by every action, and /dev/kmsg: what is read, what is cleared, what is left. */
#include "luo.h"
#include <sys/klog.h>
#include <poll.h>
static char log_[1 << 20];
static int has(const char *t)
{
	return strstr(log_, t) != NULL;
}

static void act(const char *w, int a, char *b, int n)
{
	errno = 0;
	long r = klogctl(a, b, n);
	if (r < 0)
		printf("%s: %s\n", w, strerrorname_np(errno));
	else
		printf("%s: %s\n", w, r > 0 ? "more" : "0");
}

int main(void)
{
	int first = in_first_boot();
	printf("boot %s\n", getenv("LUO_BOOT"));
	act("size of the buffer", 10, NULL, 0);
	act("close", 0, NULL, 0);
	act("open", 1, NULL, 0);
	act("unread", 9, NULL, 0);
	act("read all", 3, log_, sizeof log_ - 1);
	printf("Linux version %d, command line %d\n", has("Linux version"), has("Command line:"));
	act("read all, no buffer", 3, NULL, 10);
	act("read all, length 0", 3, log_, 0);
	act("read all, negative", 3, log_, -1);
	act("read all, 5 bytes", 3, log_, 5);
	act("read, no buffer", 2, NULL, 5);
	act("read, length 0", 2, log_, 0);
	act("read, negative", 2, log_, -1);
	act("read all, bad address", 3, (char *)16, 4096);
	act("read, bad address", 2, (char *)16, 4096);
	memset(log_, 0, sizeof log_);
	act("read", 2, log_, 100);
	act("console level 0", 8, NULL, 0);
	act("console level 9", 8, NULL, 9);
	act("console level 4", 8, NULL, 4);
	act("console off", 6, NULL, 0);
	act("console on", 7, NULL, 0);
	act("read and clear", 4, log_, sizeof log_ - 1);
	memset(log_, 0, sizeof log_);
	act("read all, cleared", 3, log_, sizeof log_ - 1);
	printf("Linux version %d\n", has("Linux version"));
	int k = open("/dev/kmsg", O_RDWR | O_NONBLOCK);
	yes("kmsg", k);
	write(k, "hello from the test\n", 20);
	memset(log_, 0, sizeof log_);
	act("read all, one line", 3, log_, sizeof log_ - 1);
	printf("mine %d, level %.3s\n", has("hello from the test"), log_);
	act("clear", 5, NULL, 0);
	memset(log_, 0, sizeof log_);
	act("read all", 3, log_, sizeof log_ - 1);
	act("unknown", 11, NULL, 0);
	act("unknown", -1, NULL, 0);
	char line[8192];
	int n, mine = 0, version = 0, lines = 0, kho = 0, luo = 0;
	while ((n = read(k, line, sizeof line - 1)) > 0) {
		line[n] = 0;
		lines++;
		if (strstr(line, "hello from the test"))
			mine++;
		if (strstr(line, "Linux version"))
			version++;
		if (strstr(line, "KHO: exec from:"))
			kho++;
		if (strstr(line, "Retrieved live update data"))
			luo++;
	}
	say("end of kmsg", n);
	printf("kmsg: mine %d version %d kho %d luo %d\n", mine, version, kho, luo);
	say("SEEK_SET", lseek(k, 0, SEEK_SET));
	say("short buffer", read(k, line, 8));
	n = read(k, line, sizeof line);
	printf("first line begins with a number %d\n", n > 0 && strchr("0123456789", line[0]) != NULL);
	say("SEEK_DATA", lseek(k, 0, SEEK_DATA));
	say("SEEK_END", lseek(k, 0, SEEK_END));
	n = read(k, line, sizeof line);
	say("at the end", n);
	say("SEEK_CUR", lseek(k, 0, SEEK_CUR));
	say("SEEK_SET 5", lseek(k, 5, SEEK_SET));
	struct pollfd p = { k, POLLIN, 0 };
	write(k, "<3>another\n", 11);
	say("poll", poll(&p, 1, 0));
	n = read(k, line, sizeof line - 1);
	if (n > 0) {
		line[n] = 0;
		printf("level %d, text %s", atoi(line), strchr(line, ';') ? strchr(line, ';') : "?\n");
	}
	int ro = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	say("write, read-only", write(ro, "x", 1));
	int wo = open("/dev/kmsg", O_WRONLY);
	say("read, write-only", read(wo, line, 100));
	say("write, write-only", write(wo, "y\n", 2));
	say("an empty line", write(wo, "", 0));
	memset(line, 'z', 1100);
	say("a long line", write(wo, line, 1100));
	say("pread", pread(ro, line, sizeof line, 0) > 0 ? 1 : -1);
	struct stat st;
	fstat(ro, &st);
	printf("mode %o\n", st.st_mode);
	if (first)
		next_boot();
	return 0;
}
