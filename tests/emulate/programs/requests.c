/* The requests of ioctl that the kernel has for every file, and all of LUO's type, on the device, a session and an fd of O_PATH. */
#include "luo.h"
static char bytes[65536];
static void other(const char *what, int fd)
{
	unsigned long all[] = { 0x80086601, 0x40086602, 0x801c581f, 0x401c5820, 0x80087601, 0x40087602, 0xc020660b, 0xc0189436, 0x80111500, 0x81009431, 0x41009432, 0xc0045877, 0xc0045878, 0xc0185879, 0x800c6613, 0x400c6614, 0xc0186685, 0x80081272, 0x1260, 0x40047703, 0x5441, 0x80041500, 0xc0c8660f, 0x80806601, 0x80041272 };
	for (unsigned a = 0; a < sizeof all / sizeof *all; a++) {
		memset(bytes, 0, 4096);
		int got = ioctl(fd, all[a], bytes);
		printf("%s %lx: %s", what, all[a], got < 0 ? strerrorname_np(errno) : "0");
		got = ioctl(fd, all[a], NULL);
		printf(" %s", got < 0 ? strerrorname_np(errno) : "0");
		got = ioctl(fd, all[a], -1L);
		printf(" %s\n", got < 0 ? strerrorname_np(errno) : "0");
	}
	for (unsigned request = 0xba00; request < 0xbb00; request++) {
		uint32_t zero[32] = { 8 };
		int got = ioctl(fd, request, zero), error = errno;
		int nothing = ioctl(fd, request, NULL);
		if (got >= 0 || error != ENOTTY || nothing >= 0 || errno != ENOTTY) printf("%s %x: %s %s\n", what, request, got < 0 ? strerrorname_np(error) : "0", nothing < 0 ? strerrorname_np(errno) : "0");
	}
	for (unsigned long high = 1; high < 1ul << 33; high <<= 1) {
		struct session s = { sizeof s, -1, "high" };
		int got = ioctl(fd, 0xba00 ^ high << 16, &s);
		if (got >= 0 || errno != ENOTTY) printf("%s high %lx: %s\n", what, high, got < 0 ? strerrorname_np(errno) : "0");
		if (got >= 0) close(s.fd);
	}
}
int main(void)
{
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	int device = open(DEVICE, O_RDWR), s = session(device, CREATE, "requests"), file = memory("x"), path = open(DEVICE, O_PATH);
	preserve(s, file, 1);
	other("device", device);
	other("session", s);
	other("path", path);
}
