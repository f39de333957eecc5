/* Programs that gain and lose rights by execve: setuid, setgid, file capabilities, ambient ones, securebits, no_new_privs, bounds. */
#include "luo.h"
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/xattr.h>

static void caps(uint64_t effective, uint64_t inheritable)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { 0 };
	syscall(SYS_capget, &header, data);
	data[0].effective = effective & data[0].permitted;
	data[1].effective = effective >> 32 & data[1].permitted;
	data[0].inheritable = inheritable;
	if (syscall(SYS_capset, &header, data) < 0) say("capset", -1);
}
static void user(int id) { setgroups(0, NULL); setresgid(id, id, id); setresuid(id, id, id); }
static void report(int held)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { 0 };
	uid_t u[3]; gid_t g[3];
	char path[64], text[64];
	struct stat found;
	syscall(SYS_capget, &header, data);
	getresuid(u, u + 1, u + 2);
	getresgid(g, g + 1, g + 2);
	printf("  users %u %u %u groups %u %u %u caps %x %x %x\n", u[0], u[1], u[2], g[0], g[1], g[2], data[0].permitted & 1 << 22, data[0].effective & 1 << 22, data[0].inheritable);
	printf("  dumpable %d nnp %d bits %x\n", prctl(PR_GET_DUMPABLE), prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), prctl(PR_GET_SECUREBITS));
	int fd = open(DEVICE, O_RDWR);
	yes("  open", fd);
	yes("  access", access(DEVICE, R_OK));
	yes("  effective access", faccessat(AT_FDCWD, DEVICE, R_OK, AT_EACCESS));
	say("  kexec_load", syscall(SYS_kexec_load, 0, 0, NULL, 0));
	say("  reboot", syscall(SYS_reboot, 1, 1, 1, NULL));
	if (fd >= 0) {
		int s = session(fd, CREATE, "raised");
		yes("  create", s);
		yes("  preserve", preserve(s, memory("x"), 1));
		sprintf(path, "/proc/self/fd/%d", s);
		yes("  own link", readlink(path, text, 64));
		yes("  by its path", open(path, O_RDWR));
		yes("  stat", stat(path, &found));
		sprintf(path, "/proc/%d/fdinfo/%d", getpid(), s);
		yes("  info", open(path, O_RDONLY));
		close(s);
		close(fd);
	}
	if (held > 0) {
		struct session s = { sizeof s, -1, "by another" };
		yes("  create by a held fd", ioctl(held, CREATE, &s));
		sprintf(path, "/proc/self/fd/%d", held);
		yes("  held again", open(path, O_RDWR));
	}
	fflush(stdout);
}
static char mine[64];
static void go(int held)
{
	char number[16];
	sprintf(number, "%d", held);
	fflush(stdout);
	execl(mine, mine, number, NULL);
	say("execl", -1);
}
static void capability(const char *path, uint32_t permitted, int effective)
{
	uint32_t value[5] = { 0x02000000 | effective, permitted, 0, 0, 0 };
	say("setxattr", setxattr(path, "security.capability", value, sizeof value, 0));
}
static void copy(const char *to, int mode)
{
	char buffer[65536];
	int in = open("/proc/self/exe", O_RDONLY), out = open(to, O_CREAT | O_TRUNC | O_WRONLY, 0755);
	ssize_t n;
	while ((n = read(in, buffer, sizeof buffer)) > 0) write(out, buffer, n);
	close(in);
	close(out);
	chmod(to, mode);
	strcpy(mine, to);
}
int main(int argc, char **argv)
{
	if (argc > 1) { report(atoi(argv[1])); return 0; }
	setvbuf(stdout, NULL, _IOLBF, 0);
	mkdir("/tmp/raised", 0777);
	chmod("/tmp/raised", 0777);
	copy("/tmp/raised/plain", 0755);
	CHILD("root runs it", go(0));
	CHILD("1000 runs it", { user(1000); go(0); });
	CHILD("root without capabilities runs it", { caps(0, 0); go(0); });
	CHILD("1000 with ambient capabilities", {
		prctl(PR_SET_KEEPCAPS, 1);
		user(1000);
		caps(~0ull, 1u << CAP_SYS_BOOT | 1u << CAP_DAC_OVERRIDE);
		say("raise", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_BOOT, 0, 0));
		say("raise", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0));
		go(0);
	});
	CHILD("root under SECBIT_NOROOT", { say("securebits", prctl(PR_SET_SECUREBITS, SECBIT_NOROOT)); go(0); });
	CHILD("root without CAP_SYS_BOOT in its bounds", { say("drop", prctl(PR_CAPBSET_DROP, CAP_SYS_BOOT)); say("drop", prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE)); go(0); });
	CHILD("1000 is given the device", { int d = open(DEVICE, O_RDWR); user(1000); go(d); });
	copy("/tmp/raised/setuid", 04755);
	CHILD("1000 runs a setuid program", { user(1000); go(0); });
	CHILD("1000 with a device runs a setuid program", { int d = open(DEVICE, O_RDWR); user(1000); go(d); });
	CHILD("1000 under no_new_privs runs it", { user(1000); prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); go(0); });
	copy("/tmp/raised/setuid1000", 04755);
	chown("/tmp/raised/setuid1000", 1000, 1000);
	chmod("/tmp/raised/setuid1000", 06755);
	CHILD("root runs a program that is setuid 1000", go(0));
	CHILD("root with a device runs it", { int d = open(DEVICE, O_RDWR); go(d); });
	copy("/tmp/raised/unreadable", 0711);
	CHILD("1000 with a device runs a program that cannot be read", { int d = open(DEVICE, O_RDWR); user(1000); go(d); });
	copy("/tmp/raised/capable", 0755);
	capability("/tmp/raised/capable", 1u << CAP_DAC_OVERRIDE, 1);
	CHILD("1000 runs a program with CAP_DAC_OVERRIDE", { user(1000); go(0); });
	capability("/tmp/raised/capable", 1u << CAP_SYS_BOOT, 0);
	CHILD("1000 runs a program with CAP_SYS_BOOT", { user(1000); go(0); });
	capability("/tmp/raised/capable", 1u << CAP_SYS_BOOT, 1);
	CHILD("1000 runs a program with CAP_SYS_BOOT, effective", { user(1000); go(0); });
	CHILD("the same under no_new_privs", { user(1000); prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); go(0); });
	chown(DEVICE, 0, 1000);
	chmod(DEVICE, 0660);
	copy("/tmp/raised/setgid", 0755);
	chown("/tmp/raised/setgid", 0, 1000);
	chmod("/tmp/raised/setgid", 02755);
	CHILD("2000 runs a setgid program", { user(2000); go(0); });
	chown(DEVICE, 0, 0);
	chmod(DEVICE, 0600);
	system("rm -rf /tmp/raised");
}
