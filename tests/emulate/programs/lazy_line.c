/*
 * kexec_file_load whose command line is in memory that the program fills itself (userfaultfd): luo serves the call again when the page is
 * there, and keeps nothing of the times before.
 */
#include "luo.h"
#include <dirent.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>

enum { PAGE = 4096, ROUNDS = 40 };

static int faults;

static void *fill(void *page)
{
	struct uffd_msg event;
	while (read(faults, &event, sizeof event) == sizeof event) {
		struct uffdio_copy copy = { event.arg.pagefault.address & -PAGE, (uintptr_t)page, PAGE, 0, 0 };
		ioctl(faults, UFFDIO_COPY, &copy);
	}
	return NULL;
}

/* The fds of luo, whose process is in the path of the kernel: /proc/PID/fd/N. */
static int open_in_luo(void)
{
	char path[64];
	int count = 0;
	snprintf(path, sizeof path, "/proc/%d/fd", atoi(getenv("LUO_KERNEL") + 6));
	DIR *directory = opendir(path);
	while (readdir(directory)) count++;
	closedir(directory);
	return count;
}

int main(void)
{
	static char line[PAGE] = "liveupdate=on";
	struct uffdio_api api = { UFFD_API, 0, 0 };
	pthread_t filler;
	faults = syscall(SYS_userfaultfd, O_CLOEXEC);
	say("userfaultfd", faults < 0 ? -1 : 0);
	say("api", ioctl(faults, UFFDIO_API, &api));
	char *memory = mmap(NULL, ROUNDS * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct uffdio_register area = { { (uintptr_t)memory, ROUNDS * PAGE }, UFFDIO_REGISTER_MODE_MISSING, 0 };
	say("register", ioctl(faults, UFFDIO_REGISTER, &area));
	pthread_create(&filler, NULL, fill, line);
	int kernel = open(getenv("LUO_KERNEL"), O_RDONLY), initrd = open(getenv("LUO_INITRD"), O_RDONLY), before = open_in_luo(), loaded = 0;
	for (int round = 0; round < ROUNDS; round++)
		loaded += syscall(SYS_kexec_file_load, kernel, initrd, strlen(line) + 1, memory + round * PAGE, 0) == 0;
	say("loaded", loaded);
	printf("left in luo: %s\n", open_in_luo() - before < ROUNDS / 2 ? "nothing" : "fds");
	return 0;
}
