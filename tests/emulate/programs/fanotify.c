/* The fd of a fanotify event for a preserved file. */
#include "luo.h"
#include <sys/fanotify.h>
#include <sys/mount.h>
#include <sys/uio.h>
int main(void)
{
	in_first_boot();
	int device = open(DEVICE, O_RDWR), held = session(device, CREATE, "fan");
	mkdir("/tmp/fan", 0700);
	mount("none", "/tmp/fan", "tmpfs", 0, NULL);
	int file = open("/tmp/fan", O_TMPFILE | O_RDWR, 0600);
	write(file, "0123456789", 10);
	say("preserve", preserve(held, file, 1));
	char p[64];
	sprintf(p, "/proc/self/fd/%d", file);
	linkat(AT_FDCWD, p, AT_FDCWD, "/tmp/fan/name", AT_SYMLINK_FOLLOW);
	int fan = fanotify_init(FAN_CLASS_NOTIF | FAN_NONBLOCK, O_RDWR);
	yes("init", fan);
	yes("mark", fanotify_mark(fan, FAN_MARK_ADD, FAN_OPEN | FAN_MODIFY, AT_FDCWD, "/tmp/fan/name"));
	int o = open("/tmp/fan/name", O_RDONLY);
	struct fanotify_event_metadata m = { 0 };
	say("event", read(fan, &m, sizeof m));
	struct stat a, b;
	fstat(m.fd, &a);
	fstat(file, &b);
	printf("same %d\n", a.st_ino == b.st_ino);
	say("grow", pwrite(m.fd, "x", 1, 20));
	say("append", pwritev2(m.fd, (struct iovec[]) { {"x", 1} }, 1, 0, 0x10));
	say("truncate", ftruncate(m.fd, 3));
	say("within", pwrite(m.fd, "x", 1, 2));
	fstat(file, &b);
	printf("size %ld\n", (long)b.st_size);
	close(m.fd);
	return 0;
}
