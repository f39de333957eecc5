/* Sessions and preserved files in messages: peeked at, cut off, many at once, to itself, read by read(2), in every kind of socket. */
#include "luo.h"
#include <sys/uio.h>
static int device;
static long send_(int sock, int *fds, int n, const char *t)
{
	struct iovec v = { (void *)t, strlen(t) };
	char cb[CMSG_SPACE(4 * 260)] = { 0 };
	struct msghdr h = {.msg_iov = &v,.msg_iovlen = 1,.msg_control = cb,.msg_controllen = CMSG_SPACE(4 * n) };
	struct cmsghdr *q = CMSG_FIRSTHDR(&h);
	q->cmsg_level = SOL_SOCKET;
	q->cmsg_type = SCM_RIGHTS;
	q->cmsg_len = CMSG_LEN(4 * n);
	memcpy(CMSG_DATA(q), fds, 4 * n);
	return sendmsg(sock, &h, MSG_NOSIGNAL);
}

static int recv_(const char *w, int sock, int flags, size_t room, int *fds)
{
	char b[100];
	struct iovec v = { b, 100 };
	char cb[CMSG_SPACE(4 * 260)];
	struct msghdr h = {.msg_iov = &v,.msg_iovlen = 1,.msg_control = cb,.msg_controllen = room };
	long r = recvmsg(sock, &h, flags | MSG_DONTWAIT);
	say(w, r);
	struct cmsghdr *q = r < 0 ? NULL : CMSG_FIRSTHDR(&h);
	int n = q ? (q->cmsg_len - CMSG_LEN(0)) / 4 : 0;
	if (n)
		memcpy(fds, CMSG_DATA(q), 4 * n);
	printf("  %d fds, flags %x\n", n, r < 0 ? 0 : h.msg_flags & ~MSG_CMSG_CLOEXEC);
	return n;
}

static void use(const char *w, int s)
{
	uint32_t g[18] = { 72 };
	char b[4];
	printf("  %s: ", w);
	say("name", ioctl(s, GET_NAME, g));
	say("  read", read(s, b, 1));
	struct stat st;
	fstat(s, &st);
	printf("  mode %o, cloexec %d\n", st.st_mode, fcntl(s, F_GETFD));
}

static void grows(const char *w, int m)
{
	printf("  %s: ", w);
	say("grow", pwrite(m, "x", 1, 50));
}

int main(void)
{
	in_first_boot();
	device = open(DEVICE, O_RDWR);
	int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
	int fds[300], p[2];
	for (int t = 0; t < 3; t++) {
		printf("type %d\n", types[t]);
		socketpair(AF_UNIX, types[t], 0, p);
		char name[20];
		sprintf(name, "s%d", t);
		int s = session(device, CREATE, name), m = memory("0123456789");
		preserve(s, m, 1);
		int both[2] = { s, m };
		say("send", send_(p[0], both, 2, "ab"));
		recv_("peek", p[1], MSG_PEEK, 200, fds);
		use("peeked", fds[0]);
		grows("peeked", fds[1]);
		int a = fds[0], am = fds[1];
		recv_("peek, cloexec", p[1], MSG_PEEK | MSG_CMSG_CLOEXEC, 200, fds);
		use("peeked again", fds[0]);
		grows("peeked again", fds[1]);
		close(fds[0]);
		close(fds[1]);
		recv_("receive", p[1], 0, 200, fds);
		use("received", fds[0]);
		grows("received", fds[1]);
		close(s);
		close(a);
		close(m);
		close(am);
		yes("name", session(device, CREATE, name));
		close(fds[0]);
		grows("last", fds[1]);
		yes("name, free", session(device, CREATE, name));
		close(fds[1]);
		s = session(device, CREATE, "cut");
		m = memory("0123456789");
		preserve(s, m, 1);
		both[0] = s;
		both[1] = m;
		send_(p[0], both, 2, "cd");
		close(s);
		int n = recv_("room for one", p[1], 0, CMSG_LEN(4), fds);
		if (n)
			use("one", fds[0]);
		grows("still", m);
		for (int i = 0; i < n; i++)
			close(fds[i]);
		grows("now", m);
		s = session(device, CREATE, "no room");
		m = memory("0123456789");
		preserve(s, m, 1);
		send_(p[0], &s, 1, "ef");
		close(s);
		grows("in flight", m);
		recv_("no room", p[1], 0, 0, fds);
		grows("gone", m);
		s = session(device, CREATE, "read");
		m = memory("0123456789");
		preserve(s, m, 1);
		send_(p[0], &s, 1, "gh");
		close(s);
		char b[10];
		say("read", read(p[1], b, 10));
		grows("read away", m);
		s = session(device, CREATE, "part");
		m = memory("0123456789");
		preserve(s, m, 1);
		send_(p[0], &s, 1, "ijkl");
		close(s);
		say("a part", recv(p[1], b, 2, 0));
		grows("a part", m);
		say("the rest", recv(p[1], b, 2, MSG_DONTWAIT));
		grows("the rest", m);
		s = session(device, CREATE, "many");
		m = memory("0123456789");
		preserve(s, m, 1);
		printf("%d\n", s < 0 || m < 0);
		for (int i = 0; i < 254; i++)
			fds[i] = i % 2 ? s : m;
		say("253", send_(p[0], fds, 253, "m"));
		say("254", send_(p[0], (fds[253] = s, fds), 254, "m"));
		close(s);
		close(m);
		int k = recv_("receive", p[1], 0, sizeof(char[CMSG_SPACE(4 * 260)]), fds);
		use("last", fds[251]);
		grows("last", fds[252]);
		for (int i = 0; i < k - 1; i++)
			close(fds[i]);
		( {
		 int again = session(device, CREATE, "many");
		 yes("name, free", again);
		 close(again);
		 });
		grows("free", fds[k - 1]);
		close(fds[k - 1]);
		s = session(device, CREATE, "mm");
		m = memory("0123456789");
		preserve(s, m, 1);
		both[0] = s;
		both[1] = m;
		send_(p[0], both, 2, "1");
		send_(p[0], both, 2, "2");
		close(s);
		close(m);
		struct mmsghdr mm[2];
		char cb[2][200], bb[2][10];
		struct iovec vv[2] = { {bb[0], 1}, {bb[1], 1} };
		for (int i = 0; i < 2; i++)
			mm[i] = (struct mmsghdr) { {.msg_iov = &vv[i],.msg_iovlen = 1,.msg_control =
						    cb[i],.msg_controllen = 200} };
		say("recvmmsg", recvmmsg(p[1], mm, 2, MSG_DONTWAIT, NULL));
		for (int i = 0; i < 2; i++) {
			struct cmsghdr *q = CMSG_FIRSTHDR(&mm[i].msg_hdr);
			if (!q)
				continue;
			memcpy(fds, CMSG_DATA(q), 8);
			use("one of two", fds[0]);
			grows("one of two", fds[1]);
			close(fds[0]);
		}
		s = session(device, CREATE, "shut");
		m = memory("0123456789");
		preserve(s, m, 1);
		send_(p[0], &s, 1, "z");
		close(s);
		shutdown(p[1], SHUT_RDWR);
		grows("shut down", m);
		close(p[1]);
		grows("receiver closed", m);
		close(p[0]);
	}
	return 0;
}
