/*
 * 51 sessions and one name that is taken: the next kernel panics, and everything that was preserved is lost.
 *
 *     cc -Wall -o empty-block empty-block.c
 *     ./empty-block KERNEL INITRD COMMAND-LINE
 *
 * Run it as root on a kernel that was booted with kho=on liveupdate=on. KERNEL and INITRD are those of the running
 * kernel, COMMAND-LINE has liveupdate=on kho=on. It does not return: it executes the kexec.
 *
 * With a fourth argument it creates and closes one session more before the kexec. The next kernel then boots.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/reboot.h>

/* include/uapi/linux/liveupdate.h */
struct create_session {
	uint32_t size;
	int32_t fd;
	uint8_t name[64];
};
#define CREATE_SESSION _IO(0xBA, 0x00)

/* One block of sessions: what fits a page. */
#define SESSIONS 51

static int create(int device, const char *name)
{
	struct create_session session = { .size = sizeof(session) };

	snprintf((char *)session.name, sizeof(session.name), "%s", name);
	return ioctl(device, CREATE_SESSION, &session) < 0 ? -errno : session.fd;
}

static int open_or_exit(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0) {
		perror(path);
		exit(1);
	}
	return fd;
}

int main(int argc, char **argv)
{
	char name[64];
	int device, answer;

	if (argc < 4) {
		fprintf(stderr, "usage: %s KERNEL INITRD COMMAND-LINE [give-back]\n", argv[0]);
		return 2;
	}
	device = open_or_exit("/dev/liveupdate", O_RDWR);
	for (int i = 0; i < SESSIONS; i++) {
		snprintf(name, sizeof(name), "session %d", i);
		answer = create(device, name);
		if (answer < 0) {
			fprintf(stderr, "%s: %s\n", name, strerror(-answer));
			return 1;
		}
	}
	answer = create(device, "session 0");
	printf("a name that is taken: %s\n", answer < 0 ? strerror(-answer) : "created");
	if (argc > 4) {
		answer = create(device, "one more");
		printf("one session more: %s\n", answer < 0 ? strerror(-answer) : "created and closed");
		close(answer);
	}
	fflush(stdout);
	if (syscall(SYS_kexec_file_load, open_or_exit(argv[1], O_RDONLY), open_or_exit(argv[2], O_RDONLY),
		    strlen(argv[3]) + 1, argv[3], 0) < 0) {
		perror("kexec_file_load");
		return 1;
	}
	sync();
	syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_KEXEC, NULL);
	perror("reboot");
	return 1;
}
