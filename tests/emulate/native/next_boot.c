/*
 * Ends a boot: kexec_file_load(2) of the kernel LUO_KERNEL with LUO_INITRD (none when empty) and the command line
 * LUO_CMDLINE, then reboot(2). A program of its own, for scripts; the random client has it built in (NEXT_BOOT_NO_MAIN).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KEXEC_FILE_NO_INITRAMFS 4 /* include/uapi/linux/kexec.h */
#define MAGIC1 0xfee1deadu /* include/uapi/linux/reboot.h */
#define MAGIC2 672274793u
#define CMD_KEXEC 0x45584543u

int open_next(const char *variable)
{
	const char *path = getenv(variable);

	return path && *path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
}

/* Returns only after a failure: the name of the call that failed, with its errno. */
const char *next_boot(void)
{
	const char *cmdline = getenv("LUO_CMDLINE");
	int kernel = open_next("LUO_KERNEL"), initrd = open_next("LUO_INITRD");
	unsigned long flags = initrd < 0 ? KEXEC_FILE_NO_INITRAMFS : 0;

	if (!cmdline)
		cmdline = "liveupdate=on kho=on";
	if (syscall(SYS_kexec_file_load, kernel, initrd, strlen(cmdline) + 1, cmdline, flags) < 0)
		return "kexec_file_load";
	close(kernel);
	close(initrd);
	syscall(SYS_reboot, MAGIC1, MAGIC2, CMD_KEXEC, NULL);
	return "reboot";
}

#ifndef NEXT_BOOT_NO_MAIN
int main(void)
{
	perror(next_boot());
	return 1;
}
#endif
