/* Microseconds a call, hot: lines for tests/bench/emulate_bench.ts. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

#define MEASURE(what, count, body) do { \
	double start = 0; \
	for (int i = -(count) / 4; i < (count); i++) { \
		if (i == 0) start = now(); \
		body; \
	} \
	printf("%s: %.3f\n", what, (now() - start) / (count)); \
} while (0)

int main(void)
{
	struct { uint32_t size, reserved; char name[64]; } name = { 72, 0, "" };
	char page[4096];
	int file = open("/etc/passwd", O_RDONLY);
	MEASURE("getppid", 200000, syscall(SYS_getppid));
	MEASURE("pread of 4 KiB", 200000, pread(file, page, sizeof page, 0));
	MEASURE("open and close", 20000, close(open("/etc/passwd", O_RDONLY)));
	int device = open("/dev/liveupdate", O_RDWR);
	if (device < 0) return 0;
	struct { uint32_t size; int32_t fd; char name[64]; } session = { 72, -1, "" };
	MEASURE("CREATE_SESSION and close", 5000, sprintf(session.name, "n%d", i); ioctl(device, 0xba00, &session); close(session.fd));
	sprintf(session.name, "held");
	ioctl(device, 0xba00, &session);
	MEASURE("GET_NAME", 5000, ioctl(session.fd, 0xba43, &name));
	return 0;
}
