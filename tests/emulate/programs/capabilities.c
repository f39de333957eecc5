/* What single capabilities allow, a namespace of process ids, and who owns a restored file. Started as root. */
#include "luo.h"
#include <grp.h>
#include <linux/capability.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>

enum { NOBODY = 65534 };

static void without(int capability)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];
	syscall(SYS_capget, &header, data);
	data[capability / 32].effective &= ~(1U << capability % 32);
	syscall(SYS_capset, &header, data);
}

static void boots(void)
{
	say("kexec_file_load", syscall(SYS_kexec_file_load, -1, -1, 0, NULL, 1));
	say("kexec_load", syscall(SYS_kexec_load, 0, 0, NULL, 0));
	say("reboot", syscall(SYS_reboot, 1, 1, 1, NULL));
}

static void keep_one(int capability)
{
	prctl(PR_SET_KEEPCAPS, 1);
	setgroups(0, NULL);
	setresgid(NOBODY, NOBODY, NOBODY);
	setresuid(NOBODY, NOBODY, NOBODY);
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { 0 };
	data[capability / 32].permitted = data[capability / 32].effective = 1U << capability % 32;
	syscall(SYS_capset, &header, data);
}

int main(void)
{
	if (in_first_boot()) {
		CHILD("root without CAP_SYS_BOOT", { without(CAP_SYS_BOOT); boots(); yes("open", open(DEVICE, O_RDWR)); });
		CHILD("root without CAP_DAC_OVERRIDE", {
			without(CAP_DAC_OVERRIDE);
			without(CAP_DAC_READ_SEARCH);
			yes("open", open(DEVICE, O_RDWR));
			chmod(DEVICE, 0);
			yes("open with mode 0", open(DEVICE, O_RDWR));
			say("access", access(DEVICE, R_OK | W_OK));
			say("access of the effective user", faccessat(AT_FDCWD, DEVICE, R_OK, AT_EACCESS));
			chmod(DEVICE, 0600);
		});
		CHILD("root without CAP_MKNOD", {
			struct stat found;
			stat(DEVICE, &found);
			without(CAP_MKNOD);
			say("mknod", mknod("/dev/shm/node", S_IFCHR | 0600, found.st_rdev));
		});
		CHILD("root without CAP_FOWNER", { chown(DEVICE, NOBODY, 0); without(CAP_FOWNER); say("chmod", chmod(DEVICE, 0600)); });
		chown(DEVICE, 0, 0);
		CHILD("nobody with CAP_SYS_BOOT", { keep_one(CAP_SYS_BOOT); boots(); yes("open", open(DEVICE, O_RDWR)); });
		CHILD("nobody with CAP_DAC_OVERRIDE", { keep_one(CAP_DAC_OVERRIDE); boots(); yes("open", open(DEVICE, O_RDWR)); });
		CHILD("a pid namespace", {
			unshare(CLONE_NEWPID);
			CHILD("inside", { yes("open", open(DEVICE, O_RDWR)); say("kexec", syscall(SYS_reboot, 0xfee1dead, 672274793, 0x45584543, NULL)); });
			CHILD("again", say("fork", fork()));
		});
		int device = open(DEVICE, O_RDWR), held = session(device, CREATE, "owned");
		int fd = memory("data");
		fchown(fd, 1000, 1000);
		fchmod(fd, 0640);
		say("preserve", preserve(held, fd, 1));
		say("preserve another", preserve(held, memory("data"), 2));
		next_boot();
		return 1;
	}
	int device = open(DEVICE, O_RDWR), held = session(device, RETRIEVE, "owned");
	struct stat found;
	fstat(restore(held, 1), &found);
	printf("by root: %u %u %o\n", found.st_uid, found.st_gid, found.st_mode);
	setfsuid(1234);
	setfsgid(4321);
	fstat(restore(held, 2), &found);
	printf("by another: %u %u %o\n", found.st_uid, found.st_gid, found.st_mode);
}
