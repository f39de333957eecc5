/* Every kind of user against modes and owners of the device: each open, access and change of an attribute in one line. */
#include "luo.h"
#include <grp.h>
#include <linux/capability.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/xattr.h>

static void caps(uint64_t effective)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { 0 };
	data[0].effective = effective;
	data[1].effective = effective >> 32;
	data[0].permitted = data[1].permitted = -1;
	syscall(SYS_capget, &header, data);
	data[0].effective = effective & data[0].permitted;
	data[1].effective = effective >> 32 & data[1].permitted;
	if (syscall(SYS_capset, &header, data) < 0) say("capset", -1);
}

static void keep(uint64_t mask, int uid, int gid)
{
	prctl(PR_SET_KEEPCAPS, 1);
	setgroups(0, NULL);
	setresgid(gid, gid, gid);
	setresuid(uid, uid, uid);
	caps(mask);
}

#define BIT(c) (1ull << (c))
static void become(int who)
{
	gid_t groups[] = { 1000, 77 };
	switch (who) {
	case 0: break;
	case 1: caps(0); break;
	case 2: caps(BIT(CAP_DAC_READ_SEARCH)); break;
	case 3: caps(BIT(CAP_DAC_OVERRIDE)); break;
	case 4: caps(BIT(CAP_FOWNER)); break;
	case 5: caps(BIT(CAP_CHOWN)); break;
	case 6: keep(0, 1000, 1000); break;
	case 7: keep(0, 2000, 2000); break;
	case 8: setgroups(2, groups); setresgid(2000, 2000, 2000); setresuid(2000, 2000, 2000); break;
	case 9: setfsuid(1000); break;
	case 10: setfsgid(1000); caps(0); break;
	case 11: setresuid(1000, 0, 0); break;
	case 12: setresuid(0, 1000, 0); break;
	case 13: keep(BIT(CAP_FOWNER) | BIT(CAP_FSETID), 2000, 2000); break;
	case 14: keep(BIT(CAP_CHOWN), 1000, 1000); break;
	case 15: setgroups(0, NULL); setfsgid(2000); setfsuid(2000); break;
	case 16: setresgid(1000, 1000, 1000); setgroups(0, NULL); caps(BIT(CAP_SYS_ADMIN)); break;
	}
}
static const char *const WHO[] = { "root", "root without any", "root, READ_SEARCH", "root, OVERRIDE", "root, FOWNER", "root, CHOWN", "1000", "2000",
	"2000 in 1000", "fsuid 1000", "fsgid 1000 without any", "real 1000", "effective 1000", "2000, FOWNER", "1000, CHOWN", "fsuid 2000", "root, gid 1000, SYS_ADMIN" };

static char letter(long answer)
{
	if (answer >= 0) return '.';
	switch (errno) {
	case EACCES: return 'A';
	case EPERM: return 'P';
	case EBUSY: return 'B';
	case EINVAL: return 'I';
	case ENOENT: return 'N';
	case ENODATA: return 'D';
	case EOPNOTSUPP: return 'O';
	}
	printf("[%s]", strerrorname_np(errno));
	return '?';
}

static long opened(int flags)
{
	long fd = open(DEVICE, flags);
	if (fd < 0) return -1;
	close(fd);
	return 0;
}

static void one(int who, int mode, int uid, int gid)
{
	struct timespec given[2] = { { 1, 0 }, { 2, 0 } }, now[2] = { { 0, UTIME_NOW }, { 0, UTIME_OMIT } };
	char line[64];
	int at = 0;
	struct stat found;
	become(who);
#define L(call) line[at++] = letter(call)
	L(opened(O_RDONLY)); L(opened(O_WRONLY)); L(opened(O_RDWR)); L(opened(3)); L(opened(O_PATH)); L(opened(O_RDONLY | O_NOATIME)); L(opened(O_RDONLY | O_TRUNC));
	line[at++] = ' ';
	L(access(DEVICE, F_OK)); L(access(DEVICE, R_OK)); L(access(DEVICE, W_OK)); L(access(DEVICE, X_OK)); L(access(DEVICE, R_OK | W_OK));
	line[at++] = ' ';
	for (int m = 0; m < 8; m++) L(syscall(SYS_faccessat2, AT_FDCWD, DEVICE, m, AT_EACCESS));
	line[at++] = ' ';
	L(setxattr(DEVICE, "user.a", "x", 1, 0)); L(getxattr(DEVICE, "user.a", NULL, 0)); L(setxattr(DEVICE, "trusted.a", "x", 1, 0)); L(getxattr(DEVICE, "trusted.a", NULL, 0));
	L(removexattr(DEVICE, "trusted.a")); L(setxattr(DEVICE, "security.a", "x", 1, 0)); L(getxattr(DEVICE, "security.a", NULL, 0)); L(removexattr(DEVICE, "security.a")); L(truncate(DEVICE, 0));
	line[at++] = ' ';
	L(utimensat(AT_FDCWD, DEVICE, NULL, 0)); L(utimensat(AT_FDCWD, DEVICE, given, 0)); L(utimensat(AT_FDCWD, DEVICE, now, 0));
	L(chmod(DEVICE, mode)); L(chmod(DEVICE, mode | 06000));
	stat(DEVICE, &found);
	int first = found.st_mode;
	line[at++] = ' ';
	L(chown(DEVICE, -1, -1)); L(chown(DEVICE, uid, gid)); L(chown(DEVICE, -1, 1000)); L(chown(DEVICE, -1, 77)); L(chown(DEVICE, 1000, -1)); L(chown(DEVICE, 2000, 2000));
	line[at] = 0;
	stat(DEVICE, &found);
	printf("%s: %s %o %o %u:%u\n", WHO[who], line, first, found.st_mode, found.st_uid, found.st_gid);
}

int main(void)
{
	int modes[] = { 0600, 0060, 0006, 0444, 0, 0777 }, owners[][2] = { { 0, 0 }, { 1000, 0 }, { 0, 1000 }, { 5, 77 } };
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	for (unsigned m = 0; m < sizeof modes / sizeof *modes; m++)
		for (unsigned o = 0; o < sizeof owners / sizeof *owners; o++) {
			printf("mode %o, owner %d:%d\n", modes[m], owners[o][0], owners[o][1]);
			for (unsigned who = 0; who < sizeof WHO / sizeof *WHO; who++) {
				chown(DEVICE, owners[o][0], owners[o][1]);
				chmod(DEVICE, modes[m]);
				fflush(stdout);
				if (fork() == 0) {
					one(who, modes[m], owners[o][0], owners[o][1]);
					fflush(stdout);
					_exit(0);
				}
				wait(NULL);
			}
		}
	chown(DEVICE, 0, 0);
	chmod(DEVICE, 0600);
}
