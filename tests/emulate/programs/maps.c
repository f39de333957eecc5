/* Mappings of a preserved memfd before and after the kexec: shared, private, read-only, grown, remapped. */
#include "luo.h"

int main(void)
{
	if (in_first_boot()) {
		int device = open(DEVICE, O_RDWR), held = session(device, CREATE, "maps");
		int fd = memfd_create("m", MFD_ALLOW_SEALING | 0x10);
		ftruncate(fd, 4 * 4096);
		char *shared = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		char *private = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
		strcpy(shared, "before");
		strcpy(private + 4096, "private");
		say("preserve", preserve(held, fd, 1));
		strcpy(shared + 8192, "after");
		strcpy(private + 8192, "private too");
		say("mprotect", mprotect(shared + 3 * 4096, 4096, PROT_READ));
		yes("mremap grows", (long)mremap(shared, 4 * 4096, 8 * 4096, MREMAP_MAYMOVE) == -1 ? -1 : 0);
		say("MADV_DONTNEED", madvise(private, 4096, MADV_DONTNEED));
		say("MADV_REMOVE of the private one", madvise(private, 4096, MADV_REMOVE));
		say("MADV_FREE", madvise(private, 4096, MADV_FREE));
		say("mlock", mlock(private, 4096));
		say("seal grow", fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
		say("seal shrink", fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
		say("seal future write", fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE));
		say("seal write", fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
		say("seals", fcntl(fd, F_GET_SEALS));
		yes("a new shared mapping", mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED ? -1 : 0);
		next_boot();
		return 1;
	}
	int device = open(DEVICE, O_RDWR), held = session(device, RETRIEVE, "maps"), fd = restore(held, 1);
	struct stat found;
	char text[16] = "";
	fstat(fd, &found);
	printf("size %ld, blocks %ld, mode %o\n", (long)found.st_size, (long)found.st_blocks, found.st_mode);
	pread(fd, text, 15, 0);
	printf("first: %s\n", text);
	memset(text, 0, 16);
	pread(fd, text, 15, 4096);
	printf("second: %s\n", text);
	memset(text, 0, 16);
	pread(fd, text, 15, 8192);
	printf("third: %s\n", text);
	say("seals", fcntl(fd, F_GET_SEALS));
	say("position", lseek(fd, 0, SEEK_CUR));
	printf("flags %o\n", fcntl(fd, F_GETFL));
	yes("shared and writable", mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED ? -1 : 0);
	say("grow", ftruncate(fd, 8 * 4096));
	say("shrink", ftruncate(fd, 4096));
	say("second restore", restore(held, 1));
	say("finish", finish(held));
	say("grow afterwards", ftruncate(fd, 8 * 4096));
	say("write", pwrite(fd, "x", 1, 0));
}
