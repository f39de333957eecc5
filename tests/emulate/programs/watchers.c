/* inotify on the device, through links, fds and removal: the events of each call, one-shot watches, many watchers. */
#include "luo.h"
#include <sys/inotify.h>
#include <sys/xattr.h>
#include <poll.h>
static void events(const char *what, int fd)
{
	char text[4096];
	struct pollfd p = { fd, POLLIN, 0 };
	poll(&p, 1, 50);
	usleep(20000);
	ssize_t got = read(fd, text, sizeof text);
	printf("%s:", what);
	for (ssize_t at = 0; at < got;) { struct inotify_event *e = (void *)(text + at); printf(" %d/%x%s%s", e->wd, e->mask, e->len ? "," : "", e->len ? e->name : ""); at += sizeof *e + e->len; }
	printf("%s\n", got < 0 ? strerrorname_np(errno) : "");
}
int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	int w = inotify_init1(IN_NONBLOCK), d, p;
	char path[64];
	say("watch", inotify_add_watch(w, DEVICE, IN_ALL_EVENTS));
	d = open(DEVICE, O_RDWR); events("open", w);
	int s = session(d, CREATE, "w"); events("create", w);
	read(d, path, 1); write(d, "x", 1); events("read and write", w);
	fchmod(d, 0640); events("fchmod", w); fchown(d, 0, 0); events("fchown", w); futimens(d, NULL); events("futimens", w);
	fsetxattr(d, "trusted.a", "b", 1, 0); events("fsetxattr", w); fremovexattr(d, "trusted.a"); events("fremovexattr", w);
	close(d); events("close", w); close(s);
	d = open(DEVICE, O_RDONLY); events("open", w); close(d); events("close read only", w);
	p = open(DEVICE, O_PATH); events("path", w); sprintf(path, "/proc/self/fd/%d", p); d = open(path, O_RDWR); events("open by the path", w); close(d); close(p); events("close", w);
	access(DEVICE, R_OK); struct stat st; stat(DEVICE, &st); readlink(DEVICE, path, 9); events("looks", w);
	open(DEVICE, O_RDWR | O_CREAT | O_EXCL, 0600); open(DEVICE, O_RDWR | O_DIRECTORY); truncate(DEVICE, 0); mkdir(DEVICE, 0700); events("refused", w);
	d = open(DEVICE, O_RDWR); open(DEVICE, O_RDWR); events("opened and busy", w); close(d); events("close", w);
	d = open(DEVICE, O_WRONLY | O_TRUNC); events("truncated", w); close(d); events("close", w);
	CHILD("child", { int c = open(DEVICE, O_RDWR); (void)c; });
	events("child", w);
	chmod(DEVICE, 0600); chmod(DEVICE, 0600); events("chmod twice", w);
	utimensat(AT_FDCWD, DEVICE, (struct timespec[2]){ { 0, UTIME_OMIT }, { 0, UTIME_OMIT } }, 0); events("no times", w);
	utimensat(AT_FDCWD, DEVICE, (struct timespec[2]){ { 0, UTIME_OMIT }, { 0, UTIME_NOW } }, 0); events("mtime", w);
	utimensat(AT_FDCWD, DEVICE, (struct timespec[2]){ { 0, UTIME_NOW }, { 0, UTIME_OMIT } }, 0); events("atime", w);
	chown(DEVICE, -1, -1); events("chown of nothing", w);
	int o = inotify_init1(IN_NONBLOCK); say("one-shot", inotify_add_watch(o, DEVICE, IN_OPEN | IN_ONESHOT)); d = open(DEVICE, O_RDWR); close(d); d = open(DEVICE, O_RDWR); close(d); events("one-shot", o); events("other", w);
	int m = inotify_init1(IN_NONBLOCK); say("masked", inotify_add_watch(m, DEVICE, IN_CLOSE_WRITE)); d = open(DEVICE, O_RDONLY); close(d); events("read only", m); d = open(DEVICE, O_WRONLY); close(d); events("write only", m); events("other", w);
	symlink(DEVICE, "/dev/luo-watched"); int l = inotify_init1(IN_NONBLOCK); say("by a link", inotify_add_watch(l, "/dev/luo-watched", IN_OPEN)); say("the link", inotify_add_watch(l, "/dev/luo-watched", IN_OPEN | IN_DONT_FOLLOW)); d = open("/dev/luo-watched", O_RDWR); close(d); events("link", l); unlink("/dev/luo-watched");
	say("below", inotify_add_watch(l, DEVICE "/x", IN_OPEN)); say("no events", inotify_add_watch(l, DEVICE, IN_ISDIR)); say("not an inotify fd", inotify_add_watch(0, DEVICE, IN_OPEN)); say("no fd", inotify_add_watch(-1, DEVICE, IN_OPEN));
	CHILD("user", { setresuid(1000, 1000, 1000); int u = inotify_init1(0); say("may not read", inotify_add_watch(u, DEVICE, IN_OPEN)); });
	events("rest", w);
	say("unwatch", inotify_rm_watch(w, 1)); events("unwatched", w); chmod(DEVICE, 0600); events("nothing", w);
	say("watch", inotify_add_watch(w, DEVICE, IN_ALL_EVENTS)); d = open(DEVICE, O_RDWR); unlink(DEVICE); events("unlinked while open", w); close(d); events("closed", w);
	say("gone", inotify_add_watch(w, DEVICE, IN_OPEN)); say("unwatch the gone", inotify_rm_watch(w, 2));
	mknod(DEVICE, S_IFCHR | 0600, st.st_rdev); say("watch the new", inotify_add_watch(w, DEVICE, IN_OPEN)); d = open(DEVICE, O_RDWR); close(d); events("new", w);
}
