/* The device from other roots and mounts: chroot, bind mounts, a node of its number elsewhere, user and pid namespaces. */
#include "luo.h"
#include <sys/mount.h>
#include <sys/sysmacros.h>

int main(void)
{
	struct stat found;
	in_first_boot();
	stat(DEVICE, &found);
	printf("major %u\n", major(found.st_rdev));
	CHILD("chroot", {
		mkdir("/dev/shm/root", 0755);
		mkdir("/dev/shm/root/dev", 0755);
		say("mknod", mknod("/dev/shm/root/dev/liveupdate", S_IFCHR | 0600, found.st_rdev));
		say("chroot", chroot("/dev/shm/root"));
		yes("open in it", open(DEVICE, O_RDWR));
		yes("by ..", open("/../../dev/liveupdate", O_RDWR));
	});
	CHILD("mounts", {
		say("unshare", unshare(CLONE_NEWNS));
		say("private", mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
		close(open("/dev/shm/file", O_CREAT | O_RDWR, 0600));
		say("bind", mount(DEVICE, "/dev/shm/file", NULL, MS_BIND, NULL));
		yes("open the bound one", open("/dev/shm/file", O_RDWR));
		say("empty /dev", mount("none", "/dev", "tmpfs", 0, NULL));
		yes("open", open(DEVICE, O_RDWR));
		say("mknod", mknod(DEVICE, S_IFCHR | 0600, found.st_rdev));
		yes("open the new one", open(DEVICE, O_RDWR));
	});
	yes("the device outside", open(DEVICE, O_RDWR));
	CHILD("other names", {
		say("mknod", mknod("/tmp/other", S_IFCHR | 0600, found.st_rdev));
		yes("open", open("/tmp/other", O_RDWR));
		say("stat", stat("/tmp/other", &found));
		printf("major %u\n", major(found.st_rdev));
		say("symlink", symlink("/tmp/other", "/tmp/link"));
		yes("by a link", open("/tmp/link", O_RDWR));
		say("unlink", unlink("/tmp/other"));
		yes("gone", open("/tmp/link", O_RDWR));
	});
}
