/* What tells which kernel runs, by every spelling: own mounts of proc and sysfs, bind mounts, roots, dirfds, fds, processes, threads. */
#include "luo.h"
#include <dirent.h>
#include <pthread.h>
#include <sys/mount.h>
#include <sys/auxv.h>
#include <sys/personality.h>
#include <sys/utsname.h>
#include <sys/sysmacros.h>
static char want[16][256];
static const char *const FILES[] = { "cmdline", "version", "sys/kernel/osrelease", "sys/kernel/version", "sys/kernel/ostype", "misc", "sys/kernel/random/boot_id", "sys/kernel/kexec_load_disabled" };
enum { COUNT = 8 };
static long got(int dir, const char *path, char *text)
{
	int fd = openat(dir, path, O_RDONLY);
	if (fd < 0) return -1;
	memset(text, 0, 256);
	long n = read(fd, text, 255);
	close(fd);
	return n;
}
static void as(const char *what, int dir, const char *base)
{
	char path[300], text[256];
	printf("%s:", what);
	for (int i = 0; i < COUNT; i++) {
		sprintf(path, "%s%s", base, FILES[i]);
		long n = got(dir, path, text);
		printf(" %s", n < 0 ? strerrorname_np(errno) : strcmp(text, want[i]) == 0 ? "same" : "OTHER");
	}
	puts("");
}
static void list(const char *what, const char *path)
{
	struct dirent **all;
	int n = scandir(path, &all, NULL, alphasort);
	printf("%s:", what);
	if (n < 0) printf(" %s", strerrorname_np(errno));
	for (int i = 0; i < n; i++) printf(" %s%s", all[i]->d_name, all[i]->d_type == DT_LNK ? "@" : all[i]->d_type == DT_DIR ? "/" : "");
	puts("");
}
static void text(const char *path)
{
	char b[4096], *minor;
	int fd = open(path, O_RDONLY);
	printf("%s: ", path);
	if (fd < 0) { puts(strerrorname_np(errno)); return; }
	ssize_t n = read(fd, b, 4095);
	if (n < 0) puts(strerrorname_np(errno)); else { b[n] = 0; for (ssize_t i = 0; i < n; i++) if (b[i] == '\n') b[i] = '|'; if ((minor = strstr(b, "MINOR="))) memmove(minor + 6, strchr(minor, '|'), strlen(strchr(minor, '|')) + 1); puts(b); }
	close(fd);
}
static void linked(const char *path)
{
	char b[256];
	ssize_t n = readlink(path, b, 255);
	if (n < 0) printf("%s: %s\n", path, strerrorname_np(errno)); else printf("%s -> %.*s\n", path, (int)n, b);
}
static void *thread(void *unused) { as("thread-self/root", AT_FDCWD, "/proc/thread-self/root/proc/"); as("task/root", AT_FDCWD, "/proc/self/task/../../"); return NULL; }
int main(void)
{
	char b[256], path[128];
	struct utsname name;
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = 0; i < COUNT; i++) { sprintf(path, "/proc/%s", FILES[i]); got(AT_FDCWD, path, want[i]); }
	uname(&name);
	printf("release in version %d, osrelease %d, version %d\n", strstr(want[1], name.release) != NULL, strncmp(want[2], name.release, strlen(name.release)) == 0, strstr(want[1], name.version) != NULL);
	as("plain", AT_FDCWD, "/proc/");
	as("dots", AT_FDCWD, "/proc/self/../");
	as("slashes", AT_FDCWD, "//proc///./");
	int proc = open("/proc", O_PATH), self = open("/proc/self", O_RDONLY | O_DIRECTORY), sys = open("/proc/sys", O_RDONLY);
	as("dirfd", proc, ""); as("dirfd of self", self, "../"); as("dirfd of sys", sys, "../");
	sprintf(path, "/proc/self/fd/%d/", proc); as("fd link", AT_FDCWD, path);
	sprintf(path, "/dev/fd/%d/", proc); as("/dev/fd", AT_FDCWD, path);
	as("root", AT_FDCWD, "/proc/self/root/proc/");
	sprintf(path, "/proc/%d/root/proc/self/root/proc/", getpid()); as("roots", AT_FDCWD, path);
	chdir("/proc"); as("cwd", AT_FDCWD, ""); as("cwd link", AT_FDCWD, "self/cwd/");
	CHILD("child", { sprintf(path, "/proc/%d/cwd/", getppid()); as("parent's cwd", AT_FDCWD, path); });
	chdir("/proc/sys/kernel"); as("from below", AT_FDCWD, "../../");
	chdir("/");
	pthread_t t; pthread_create(&t, NULL, thread, NULL); pthread_join(t, NULL);
	symlink("/proc", "/tmp/luo-p"); as("link", AT_FDCWD, "/tmp/luo-p/"); unlink("/tmp/luo-p");
	symlink("/proc/version", "/tmp/luo-p"); printf("link of a file %d\n", got(AT_FDCWD, "/tmp/luo-p", b) > 0 && strcmp(b, want[1]) == 0); unlink("/tmp/luo-p");
	int file = open("/proc/version", O_PATH); sprintf(path, "/proc/self/fd/%d", file);
	printf("by an O_PATH %d\n", got(AT_FDCWD, path, b) > 0 && strcmp(b, want[1]) == 0);
	CHILD("mounts", {
		say("unshare", unshare(CLONE_NEWNS));
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
		mkdir("/tmp/luo-m", 0755); mkdir("/tmp/luo-s", 0755); mkdir("/tmp/luo-g", 0755);
		say("proc", mount("proc", "/tmp/luo-m", "proc", 0, NULL));
		as("own proc", AT_FDCWD, "/tmp/luo-m/");
		as("own proc's self", AT_FDCWD, "/tmp/luo-m/self/root/proc/");
		say("umount", umount("/tmp/luo-m"));
		say("bind", mount("/proc", "/tmp/luo-m", NULL, MS_BIND, NULL)); as("bound", AT_FDCWD, "/tmp/luo-m/"); umount("/tmp/luo-m");
		say("bind below", mount("/proc/sys/kernel", "/tmp/luo-m", NULL, MS_BIND, NULL));
		printf("bound below %d\n", got(AT_FDCWD, "/tmp/luo-m/osrelease", b) > 0 && strcmp(b, want[2]) == 0); umount("/tmp/luo-m");
		close(open("/tmp/luo-file", O_CREAT | O_RDWR, 0600));
		say("bind a file", mount("/proc/version", "/tmp/luo-file", NULL, MS_BIND, NULL));
		printf("bound file %d\n", got(AT_FDCWD, "/tmp/luo-file", b) > 0 && strcmp(b, want[1]) == 0); umount("/tmp/luo-file"); unlink("/tmp/luo-file");
		say("sysfs", mount("sysfs", "/tmp/luo-s", "sysfs", 0, NULL));
		text("/tmp/luo-s/class/misc/liveupdate/uevent"); text("/tmp/luo-s/kernel/kexec_loaded"); text("/tmp/luo-s/kernel/kexec_crash_loaded"); linked("/tmp/luo-s/class/misc/liveupdate");
		say("debugfs", mount("debugfs", "/tmp/luo-g", "debugfs", 0, NULL));
		list("kho", "/tmp/luo-g/kho"); text("/tmp/luo-g/kho/out/finalize");
		mkdir("/tmp/luo-r", 0755); mkdir("/tmp/luo-r/proc", 0755);
		say("proc in a root", mount("proc", "/tmp/luo-r/proc", "proc", 0, NULL));
		int out = open("/", O_PATH);
		say("chroot", chroot("/tmp/luo-r")); chdir("/");
		as("in a chroot", AT_FDCWD, "/proc/"); as("in a chroot, dots", AT_FDCWD, "/../proc/"); as("out of it", out, "proc/"); as("in it by self", AT_FDCWD, "/proc/self/root/proc/");
		fchdir(out); chroot("."); umount2("/tmp/luo-r/proc", MNT_DETACH); umount("/tmp/luo-s"); umount("/tmp/luo-g");
	});
	system("rm -rf /tmp/luo-m /tmp/luo-s /tmp/luo-g /tmp/luo-r");
	text("/sys/class/misc/liveupdate/uevent"); text("/sys/devices/virtual/misc/liveupdate/uevent"); linked("/sys/class/misc/liveupdate"); linked("/sys/class/misc/liveupdate/subsystem");
	list("class", "/sys/class/misc/liveupdate"); list("power", "/sys/class/misc/liveupdate/power");
	text("/sys/class/misc/liveupdate/power/control"); text("/sys/class/misc/liveupdate/power/runtime_status"); text("/sys/class/misc/liveupdate/dev/x"); text("/sys/class/misc/liveupdate/nothing");
	struct stat s; stat(DEVICE, &s);
	got(AT_FDCWD, "/sys/class/misc/liveupdate/dev", b); sprintf(path, "%d:%d\n", (int)gnu_dev_major(s.st_rdev), (int)gnu_dev_minor(s.st_rdev));
	printf("dev is rdev %d\n", strcmp(b, path) == 0);
	sprintf(path, "/sys/dev/char/%d:%d", (int)gnu_dev_major(s.st_rdev), (int)gnu_dev_minor(s.st_rdev)); b[readlink(path, b, 255)] = 0; printf("%d\n", strcmp(b, "../../devices/virtual/misc/liveupdate") == 0); strcat(path, "/uevent"); b[0] = 0; got(AT_FDCWD, path, b); printf("%d\n", strstr(b, "DEVNAME=liveupdate") != NULL);
	got(AT_FDCWD, "/proc/misc", want[15]); sprintf(path, "%d liveupdate", (int)gnu_dev_minor(s.st_rdev)); FILE *m = fopen("/proc/misc", "r"); int in = 0; while (fgets(b, 255, m)) in |= strstr(b, path) != NULL; printf("in /proc/misc %d\n", in); fclose(m);
	FILE *d = fopen("/proc/devices", "r"); in = 0; while (fgets(b, 255, d)) in |= strcmp(b, " 10 misc\n") == 0; printf("misc in /proc/devices %d\n", in); fclose(d);
	unsigned long kinds[] = { PER_LINUX, PER_LINUX32, PER_BSD, PER_SVR4, UNAME26, PER_LINUX | ADDR_NO_RANDOMIZE, PER_LINUX32 | UNAME26 };
	for (int i = 0; i < 7; i++) CHILD("personality", { printf("%lx: %d ", kinds[i], personality(kinds[i])); struct utsname n; uname(&n); printf("%s %s %d %s\n", n.sysname, strncmp(n.release, "2.6.", 4) == 0 ? (n.release[6] = 0, n.release) : strcmp(n.release, name.release) == 0 ? "same" : "OTHER", strcmp(n.version, name.version) == 0, n.machine); got(AT_FDCWD, "/proc/sys/kernel/osrelease", b); printf("osrelease %s", strcmp(b, want[2]) == 0 ? "same\n" : b); got(AT_FDCWD, "/proc/version", b); printf("version %d\n", strcmp(b, want[1]) == 0); });
	say("uname to nowhere", syscall(SYS_uname, 8));
	say("sysctl", syscall(156, b));
	printf("auxv: %s pagesize %ld secure %ld\n", (char *)getauxval(AT_PLATFORM), getauxval(AT_PAGESZ), getauxval(AT_SECURE));
	text("/proc/sys/kernel/ostype"); text("/proc/self/comm");
	printf("nodename %d\n", (got(AT_FDCWD, "/proc/sys/kernel/hostname", b), strncmp(b, name.nodename, strlen(name.nodename)) == 0));
}
