/* A process that may not be dumped: its fds, its memory and its paths are served all the same. */
#include "luo.h"
#include <sys/prctl.h>
static int device;
static void all(void)
{
	struct stat found;
	char text[80] = "";
	int s = session(device, CREATE, "dumpable"), m = memory("0123456789");
	say("session", s < 0 ? -1 : 0);
	say("preserve", preserve(s, m, 1));
	say("grow", ftruncate(m, 20));
	say("shrink", ftruncate(m, 1));
	say("write past the end", pwrite(m, "xx", 2, 9));
	say("write within", pwrite(m, "xx", 2, 3));
	say("append", lseek(m, 0, SEEK_END) + write(m, "y", 1));
	say("seal", fcntl(m, F_ADD_SEALS, F_SEAL_SHRINK));
	fstat(s, &found);
	printf("session: mode %o, size %ld\n", found.st_mode, (long)found.st_size);
	fstat(device, &found);
	printf("device: mode %o\n", found.st_mode);
	say("read", read(s, text, 1));
	say("flags", fcntl(s, F_GETFL) & ~0100000);
	say("busy", open(DEVICE, O_RDWR));
	chdir("/dev");
	say("relative", open("liveupdate", O_RDWR));
	int directory = open("/dev", O_PATH);
	say("by a directory", openat(directory, "liveupdate", O_RDWR));
	say("is there", access(DEVICE, F_OK));
	printf("dumpable %d\n", prctl(PR_GET_DUMPABLE));
	say("finish", close(s));
	say("grow afterwards", ftruncate(m, 20));
}

int main(void)
{
	in_first_boot();
	device = open(DEVICE, O_RDWR);
	prctl(PR_SET_DUMPABLE, 0);
	all();
	CHILD("child", all());
	prctl(PR_SET_DUMPABLE, 1);
	all();
}
