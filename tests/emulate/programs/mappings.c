/* mmap of the device, a session, a preserved file and fds of O_PATH with every protection and flag. */
#include "luo.h"
static long map(int fd, int protection, int flags, size_t length, off_t offset)
{
	void *at = mmap(NULL, length, protection, flags, fd, offset);
	if (at == MAP_FAILED) return -errno;
	munmap(at, length ? length : 4096);
	return 0;
}
int main(void)
{
	char name[64];
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	int device = open(DEVICE, O_RDONLY);
	int s = session(device, CREATE, "maps"), file = memory("hello"), path = open(DEVICE, O_PATH);
	preserve(s, file, 1);
	sprintf(name, "/proc/self/fd/%d", s);
	int fds[] = { device, s, path, open(name, O_PATH), file, 999, -1 };
	const char *what[] = { "device", "session", "path", "held", "file", "none", "no" };
	static const int types[] = { MAP_SHARED, MAP_PRIVATE, MAP_SHARED_VALIDATE, 0, 4, 15 };
	static const int more[] = { 0, MAP_ANONYMOUS, MAP_DENYWRITE, MAP_EXECUTABLE, MAP_LOCKED, MAP_NORESERVE, MAP_POPULATE, MAP_NONBLOCK, MAP_GROWSDOWN, MAP_STACK,
		MAP_HUGETLB | MAP_ANONYMOUS, MAP_HUGETLB, MAP_SYNC, MAP_32BIT, 0x4000000, 1 << 27, 0x40, 0x8, 0x80 };
	for (int f = 0; f < 7; f++)
		for (unsigned t = 0; t < 6; t++)
			for (unsigned m = 0; m < sizeof more / sizeof *more; m++) {
				printf("%s %x %x:", what[f], types[t], more[m]);
				for (int protection = 0; protection < 8; protection++) printf(" %ld", map(fds[f], protection, types[t] | more[m], 4096, 0));
				puts("");
			}
	for (int f = 0; f < 7; f++) {
		static const long lengths[] = { 0, 1, 4097, 1l << 47, -1, -4096, 1l << 62 }, offsets[] = { 0, 4096, 1, -4096, 1l << 62, 0x7ffffffffffff000 };
		printf("%s sizes:", what[f]);
		for (int l = 0; l < 7; l++)
			for (int o = 0; o < 6; o++) printf(" %ld", map(fds[f], PROT_READ, MAP_SHARED, lengths[l], offsets[o]));
		printf(" protections");
		static const int odd[] = { 8, 16, 0x01000000, 0x02000000, 0x03000000, -1 };
		for (int p = 0; p < 6; p++) printf(" %ld", map(fds[f], odd[p], MAP_PRIVATE, 4096, 0));
		void *taken = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		printf(" fixed %d", mmap(taken, 4096, PROT_READ, MAP_PRIVATE | MAP_FIXED, fds[f], 0) == MAP_FAILED ? errno : 0);
		printf(" %d", mmap(taken, 4096, PROT_READ, MAP_SHARED | MAP_FIXED_NOREPLACE, fds[f], 0) == MAP_FAILED ? errno : 0);
		printf(" %d", mmap(taken + 1, 4096, PROT_READ, MAP_SHARED | MAP_FIXED, fds[f], 0) == MAP_FAILED ? errno : 0);
		printf(" %d", mmap((void *)0, 4096, PROT_READ, MAP_SHARED | MAP_FIXED, fds[f], 0) == MAP_FAILED ? errno : 0);
		printf(" %d", mmap((void *)-4096, 4096, PROT_READ, MAP_SHARED | MAP_FIXED, fds[f], 0) == MAP_FAILED ? errno : 0);
		printf(" there %d\n", mincore(taken, 4096, name) < 0 ? errno : 0);
		munmap(taken, 8192);
	}
}
