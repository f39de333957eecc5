/* The machine seen from namespaces that a program makes: of pids, of mounts, of users, of host names. Started as root. */
#include "luo.h"
#include <sys/mount.h>
#include <sys/xattr.h>
#include <sys/utsname.h>

static void shown(const char *what, const char *path)
{
	char text[128] = "";
	ssize_t length = readlink(path, text, sizeof text - 1);
	printf("%s: %s\n", what, length < 0 ? strerrorname_np(errno) : text);
}

static void pids(int device)
{
	char path[64], text[4096] = "";
	say("mount", mount("proc", "/proc", "proc", 0, NULL));
	int held = session(device, CREATE, "inside");
	sprintf(path, "/proc/self/fd/%d", held);
	shown("by self", path);
	sprintf(path, "/proc/1/fd/%d", held);
	shown("by number", path);
	sprintf(path, "/proc/thread-self/fdinfo/%d", held);
	read(open(path, O_RDONLY), text, sizeof text - 1);
	printf("%.21s\n", text);
	memset(text, 0, sizeof text);
	read(open("/proc/self/status", O_RDONLY), text, sizeof text - 1);
	printf("%.6s, %.10s\n", strstr(text, "\nPid:") + 1, strstr(text, "Seccomp:"));
	yes("by the root of 1", open("/proc/1/root" DEVICE, O_RDWR));
}

static void mounts(void)
{
	struct stat found;
	stat(DEVICE, &found);
	unshare(CLONE_NEWNS);
	mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	mkdir("/dev/shm/other", 0755);
	say("bind /dev", mount("/dev", "/dev/shm/other", NULL, MS_BIND, NULL));
	mount(NULL, "/dev/shm/other", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL);
	yes("open where nothing is written", open("/dev/shm/other/liveupdate", O_RDWR));
	say("chmod there", chmod("/dev/shm/other/liveupdate", 0600));
	mount(NULL, "/dev/shm/other", NULL, MS_REMOUNT | MS_BIND | MS_NODEV, NULL);
	yes("open where no device is opened", open("/dev/shm/other/liveupdate", O_RDWR));
	yes("O_PATH there", open("/dev/shm/other/liveupdate", O_PATH));
	umount2("/dev/shm/other", MNT_DETACH);
	for (int round = 0; round < 3; round++) {
		mount("none", "/dev/shm/other", "tmpfs", 0, NULL);
		yes("in a new file system", open("/dev/shm/other/liveupdate", O_PATH));
		say("mknod", mknod("/dev/shm/other/liveupdate", S_IFCHR | 0600, found.st_rdev));
		umount2("/dev/shm/other", MNT_DETACH);
	}
	rmdir("/dev/shm/other");
}

static void users(void)
{
	say("unshare", unshare(CLONE_NEWUSER | CLONE_NEWNS));
	say("kexec_file_load", syscall(SYS_kexec_file_load, -1, -1, 0, NULL, 1));
	say("reboot", syscall(SYS_reboot, 0xfee1dead, 672274793, 0x45584543, NULL));
	close(open("/dev/shm/bound", O_CREAT | O_RDWR, 0600));
	say("bind the device", mount(DEVICE, "/dev/shm/bound", NULL, MS_BIND, NULL));
	say("trusted attribute", setxattr(DEVICE, "trusted.a", "v", 1, 0));
}

static void host(void)
{
	struct utsname name;
	say("sethostname", sethostname("renamed", 7));
	uname(&name);
	printf("%s, %s\n", name.nodename, name.domainname);
	CHILD("another namespace", {
		unshare(CLONE_NEWUTS);
		sethostname("inner", 5);
		uname(&name);
		puts(name.nodename);
	});
	uname(&name);
	puts(name.nodename);
}

int main(void)
{
	char name[64];
	if (!in_first_boot()) {
		gethostname(name, sizeof name);
		printf("the name of the first boot: %d\n", strcmp(name, "renamed") == 0);
		return 0;
	}
	int device = open(DEVICE, O_RDWR);
	CHILD("pids", { unshare(CLONE_NEWPID | CLONE_NEWNS); mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL); CHILD("inside", pids(device)); });
	close(device);
	CHILD("mounts", mounts());
	CHILD("users", users());
	host();
	next_boot();
}
