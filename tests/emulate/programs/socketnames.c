/* Sockets, FIFOs, directories and links under the name of the device and in its place: bind, connect, send to it, rename, exchange, whiteout. */
#include "luo.h"
#include <sys/un.h>
#include <sys/xattr.h>
#include <netinet/in.h>
#define E(what, call) do { long r_ = (call); printf("%s: %s", what, r_ < 0 ? strerrorname_np(errno) : "yes"); puts(""); } while (0)
static struct sockaddr_un at(const char *path) { struct sockaddr_un a = { AF_UNIX }; strncpy(a.sun_path, path, sizeof a.sun_path - 1); return a; }
static int un(int type) { return socket(AF_UNIX, type, 0); }
static void look(const char *what, const char *path)
{
	struct stat s;
	if (lstat(path, &s) < 0) printf("%s: %s\n", what, strerrorname_np(errno));
	else printf("%s: %o, %u:%u, links %ld, rdev %d\n", what, s.st_mode, s.st_uid, s.st_gid, (long)s.st_nlink, s.st_rdev != 0);
}
static void sockets(void)
{
	struct sockaddr_un a = at(DEVICE), b = at("/tmp/names/socket"), slash = at(DEVICE "/"), below = at(DEVICE "/x"), missing = at("/dev/no/such");
	int bound = un(SOCK_STREAM), listening = un(SOCK_STREAM), inet = socket(AF_INET, SOCK_STREAM, 0), gram = un(SOCK_DGRAM), pipes[2];
	pipe(pipes);
	bind(listening, (void *)&b, sizeof b);
	listen(listening, 1);
	E("bind no fd", bind(-1, (void *)&a, sizeof a));
	E("bind a pipe", bind(pipes[0], (void *)&a, sizeof a));
	E("bind inet", bind(inet, (void *)&a, sizeof a));
	E("bind bound", bind(listening, (void *)&a, sizeof a));
	E("bind", bind(bound, (void *)&a, sizeof a));
	E("bind short", bind(bound, (void *)&a, 2));
	E("bind long", bind(bound, (void *)&a, 200));
	E("bind negative", bind(bound, (void *)&a, -1));
	E("bind with a slash", bind(bound, (void *)&slash, sizeof slash));
	E("bind below", bind(bound, (void *)&below, sizeof below));
	E("bind missing", bind(bound, (void *)&missing, sizeof missing));
	E("bind exact", bind(un(SOCK_SEQPACKET), (void *)&a, 2 + strlen(DEVICE)));
	E("bind cut", bind(un(SOCK_DGRAM), (void *)&a, 2 + 8));
	look("cut", "/dev/live");
	unlink("/dev/live");
	look("cut", "/dev/live");
	E("connect no fd", connect(-1, (void *)&a, sizeof a));
	E("connect a pipe", connect(pipes[0], (void *)&a, sizeof a));
	E("connect inet", connect(inet, (void *)&a, sizeof a));
	E("connect", connect(un(SOCK_STREAM), (void *)&a, sizeof a));
	E("connect dgram", connect(gram, (void *)&a, sizeof a));
	E("connect seqpacket", connect(un(SOCK_SEQPACKET), (void *)&a, sizeof a));
	E("connect listening", connect(listening, (void *)&a, sizeof a));
	E("connect with a slash", connect(un(SOCK_STREAM), (void *)&slash, sizeof slash));
	E("connect below", connect(un(SOCK_STREAM), (void *)&below, sizeof below));
	int client = un(SOCK_STREAM);
	E("connect to the socket", connect(client, (void *)&b, sizeof b));
	E("connect connected", connect(client, (void *)&a, sizeof a));

	E("sendto a stream", sendto(client, "x", 1, 0, (void *)&a, sizeof a));
	struct msghdr m = { &a, sizeof a, &(struct iovec){ "x", 1 }, 1 };

	CHILD("user", { setresgid(1000, 1000, 1000); setresuid(1000, 1000, 1000); E("connect", connect(un(SOCK_STREAM), (void *)&a, sizeof a)); E("bind", bind(un(SOCK_STREAM), (void *)&a, sizeof a)); });
	chmod(DEVICE, 0666);
	CHILD("user, 0666", { setresgid(1000, 1000, 1000); setresuid(1000, 1000, 1000); E("connect", connect(un(SOCK_STREAM), (void *)&a, sizeof a)); });
	chmod(DEVICE, 0600);
}
static void renames(void)
{
	E("exchange with itself", renameat2(AT_FDCWD, DEVICE, AT_FDCWD, DEVICE, RENAME_EXCHANGE));
	E("to itself", rename(DEVICE, DEVICE));
	E("to itself, no replace", renameat2(AT_FDCWD, DEVICE, AT_FDCWD, DEVICE, RENAME_NOREPLACE));
	E("a whiteout flag alone is not tried, unknown flag", renameat2(AT_FDCWD, DEVICE, AT_FDCWD, "/dev/luo-a", 8));
	E("no replace and exchange", renameat2(AT_FDCWD, DEVICE, AT_FDCWD, "/dev/luo-a", 3));
	E("whiteout and exchange", renameat2(AT_FDCWD, DEVICE, AT_FDCWD, "/dev/luo-a", 6));
	E("exchange with nothing", renameat2(AT_FDCWD, DEVICE, AT_FDCWD, "/dev/luo-a", RENAME_EXCHANGE));
	E("no replace", renameat2(AT_FDCWD, DEVICE, AT_FDCWD, "/dev/luo-a", RENAME_NOREPLACE));
	look("there", "/dev/luo-a"); look("here", DEVICE);
	E("back", renameat2(AT_FDCWD, "/dev/luo-a", AT_FDCWD, DEVICE, 0));
	close(open("/dev/luo-f", O_CREAT | O_RDWR, 0640));
	E("onto a file, no replace", renameat2(AT_FDCWD, DEVICE, AT_FDCWD, "/dev/luo-f", RENAME_NOREPLACE));
	E("onto a file", rename(DEVICE, "/dev/luo-f"));
	look("there", "/dev/luo-f"); look("here", DEVICE);
	E("back", rename("/dev/luo-f", DEVICE));
	mkdir("/dev/luo-d", 0755);
	E("into a directory", rename(DEVICE, "/dev/luo-d/x"));
	look("there", "/dev/luo-d/x"); look("/dev/luo-d", "/dev/luo-d");
	E("rmdir of it", rmdir("/dev/luo-d"));
	E("open there", ({ int f = open("/dev/luo-d/x", O_RDWR); close(f); f; }));
	E("rename the directory", rename("/dev/luo-d", "/dev/luo-e"));
	look("moved along", "/dev/luo-e/x");
	E("back", rename("/dev/luo-e/x", DEVICE));
	E("rmdir", rmdir("/dev/luo-e"));
	E("to another file system", rename(DEVICE, "/sys/x"));
	E("to /tmp", rename(DEVICE, "/tmp/x"));
	E("from a directory", ({ mkdir("/dev/luo-d", 0755); int r = rename("/dev/luo-d", DEVICE); r; }));
	E("directory exchange", renameat2(AT_FDCWD, "/dev/luo-d", AT_FDCWD, "/dev/luo-d", RENAME_EXCHANGE));
	rmdir("/dev/luo-d");
	E("with a slash", rename(DEVICE "/", "/dev/luo-a"));
	E("to one with a slash", rename(DEVICE, "/dev/luo-a/"));
	E("dot", rename(DEVICE, "/dev/."));
	E("dot dot", rename("/dev/shm/..", "/dev/luo-a"));
	E("missing", rename("/dev/luo-missing", DEVICE));
	look("here", DEVICE);
	symlink("liveupdate", "/dev/luo-l");
	E("link of the symbolic link", link("/dev/luo-l", "/dev/luo-m"));
	look("a link", "/dev/luo-m");
	E("link followed", linkat(AT_FDCWD, "/dev/luo-l", AT_FDCWD, "/dev/luo-n", AT_SYMLINK_FOLLOW));
	look("the device", "/dev/luo-n");
	E("link of one to the other", link(DEVICE, "/dev/luo-n"));
	E("rename to the same inode", rename(DEVICE, "/dev/luo-n"));
	look("still here", DEVICE);
	E("exchange of two names", renameat2(AT_FDCWD, DEVICE, AT_FDCWD, "/dev/luo-n", RENAME_EXCHANGE));
	E("rename the symbolic link", rename("/dev/luo-l", "/dev/luo-k"));
	E("open by it", ({ int f = open("/dev/luo-k", O_RDWR); close(f); f; }));
	E("remove", unlink("/dev/luo-k")); E("remove", unlink("/dev/luo-m")); E("remove", unlink("/dev/luo-n"));
	look("here", DEVICE);
	int d = open(DEVICE, O_RDWR), p = open(DEVICE, O_PATH);
	char self[64];
	sprintf(self, "/proc/self/fd/%d", d);
	E("link of an fd", linkat(d, "", AT_FDCWD, "/dev/luo-q", AT_EMPTY_PATH));
	look("linked", "/dev/luo-q"); unlink("/dev/luo-q");
	E("link of an fd's link", linkat(AT_FDCWD, self, AT_FDCWD, "/dev/luo-q", AT_SYMLINK_FOLLOW));
	look("linked", "/dev/luo-q"); unlink("/dev/luo-q");
	E("link of a path fd", linkat(p, "", AT_FDCWD, "/dev/luo-q", AT_EMPTY_PATH));
	look("linked", "/dev/luo-q"); unlink("/dev/luo-q");
	E("unlink while open", unlink(DEVICE));
	struct stat s;
	fstat(d, &s); printf("links %ld\n", (long)s.st_nlink);
	E("link again of the fd", linkat(d, "", AT_FDCWD, DEVICE, AT_EMPTY_PATH));
	E("reopen by the fd", ({ close(d); int f = open(self, O_RDWR); f; }));
	E("fchmod of the path fd", fchmodat(p, "", 0666, AT_EMPTY_PATH));
	E("fchown of the path fd", fchownat(p, "", 0, 0, AT_EMPTY_PATH));
	E("mknod", mknod(DEVICE, S_IFCHR | 0600, s.st_rdev));
	look("made", DEVICE);
	fstat(p, &s); printf("links of the old one %ld\n", (long)s.st_nlink);
	E("a fifo", mkfifo(DEVICE, 0600));
}
int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	umask(022);
	system("rm -rf /tmp/names"); mkdir("/tmp/names", 0755);
	sockets();
	renames();
}
