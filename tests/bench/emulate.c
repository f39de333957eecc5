/* emulate WHAT COUNT: nanoseconds for one, of: getppid (not trapped), open (and close, of /etc/passwd), ioctl (that fails). */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct timespec a, b;
	int i, count = argc > 2 ? atoi(argv[2]) : 1000;
	int device = open("/dev/liveupdate", O_RDWR);

	clock_gettime(CLOCK_MONOTONIC, &a);
	for (i = 0; i < count; i++) {
		if (!strcmp(argv[1], "getppid"))
			syscall(SYS_getppid);
		else if (!strcmp(argv[1], "open"))
			close(open("/etc/passwd", O_RDONLY));
		else
			ioctl(device, 0xba40, NULL);
	}
	clock_gettime(CLOCK_MONOTONIC, &b);
	printf("%.0f\n", ((b.tv_sec - a.tv_sec) * 1e9 + b.tv_nsec - a.tv_nsec) / count);
	return 0;
}
