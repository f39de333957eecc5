/* What of one boot is left in the next, beyond files: clocks, the state of the first process, names of the host, sockets of every kind, mounts, limits. */
#include "luo.h"
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/resource.h>
#include <sys/prctl.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/timerfd.h>
#include <sys/inotify.h>
#include <sys/file.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/utsname.h>
#include <netinet/in.h>
#include <net/if.h>
#include <mqueue.h>
#include <dirent.h>
#include <time.h>
static int extra;
static double at(clockid_t c)
{
	struct timespec t;
	return clock_gettime(c, &t) < 0 ? -1 : t.tv_sec + t.tv_nsec / 1e9;
}

static double number(const char *p, const char *key)
{
	static char b[65536];
	int f = open(p, O_RDONLY);
	int n = read(f, b, sizeof b - 1);
	close(f);
	if (n < 0)
		return -1;
	b[n] = 0;
	char *q = key ? strstr(b, key) : b;
	return q ? atof(q + (key ? strlen(key) : 0)) : -1;
}

static void young(const char *w, double s)
{
	printf("%s: %s\n", w, s < -60 ? "none" : s < 60 ? "young" : "old");
}

static void clocks(void)
{
	young("monotonic", at(1));
	young("raw", at(4));
	young("coarse", at(6));
	young("boottime", at(7));
	young("process", at(2));
	young("thread", at(3));
	young("/proc/uptime", number("/proc/uptime", NULL));
	struct sysinfo i;
	sysinfo(&i);
	young("sysinfo", i.uptime);
	double btime = number("/proc/stat", "btime "), d = at(0) - at(7) - btime;
	printf("btime %s\n", d > -3 && d < 3 ? "agrees" : "differs");
	struct sysinfo j;
	char b[4096] = { 0 };
	int f = open("/proc/self/stat", O_RDONLY);
	read(f, b, 4095);
	close(f);
	char *p = strrchr(b, ')') + 2;
	for (int k = 0; k < 19; k++)
		p = strchr(p, ' ') + 1;
	young("start of this process", atof(p) / sysconf(_SC_CLK_TCK));
	struct timespec t;
	printf("resolution %d %d %d\n", clock_getres(1, &t), clock_getres(7, &t), clock_getres(4, &t));
	printf("order %d\n", at(7) >= at(1) - 0.001 && at(7) - at(1) < 1);
}

static int files(void)
{
	int n = 0;
	DIR *d = opendir("/proc/self/fd");
	struct dirent *e;
	while ((e = readdir(d)))
		if (e->d_name[0] != '.' && atoi(e->d_name) != dirfd(d))
			n++;
	closedir(d);
	return n;
}

static int sem_id, msg_id;
static void self(void)
{
	sigset_t m;
	sigprocmask(0, NULL, &m);
	int ignored = 0, blocked = 0;
	for (int s = 1; s < 65; s++) {
		struct sigaction a;
		/* The tests themselves may run as a job in the background, which a shell starts with these ignored. */
		int may_be = s == SIGHUP || s == SIGINT || s == SIGQUIT;
		if (!may_be && sigaction(s, NULL, &a) == 0 && a.sa_handler != SIG_DFL)
			ignored++;
		if (sigismember(&m, s))
			blocked++;
	}
	mode_t u = umask(0);
	umask(u);
	struct rlimit c, n, k;
	getrlimit(RLIMIT_CORE, &c);
	getrlimit(RLIMIT_NICE, &n);
	getrlimit(RLIMIT_STACK, &k);
	struct itimerval v;
	getitimer(ITIMER_REAL, &v);
	cpu_set_t a;
	sched_getaffinity(0, sizeof a, &a);
	char name[32];
	prctl(PR_GET_NAME, name);
	printf
	    ("ignored %d, blocked %d, umask ours %d, core ours %d, "
	     "stack ours %d, alarm %u, timer %ld, policy %d, nice ours %d, "
	     "on one processor %d, name ours %d, keepcaps %d, dumpable %d, personality %x, "
	     "death signal ours %d, INHERITED %d, extra fds %d, children %d\n",
	     ignored, blocked, u == 0123, c.rlim_cur == 4242, k.rlim_cur == 4242 * 4096, alarm(0),
	     (long)v.it_value.tv_sec, sched_getscheduler(0), getpriority(PRIO_PROCESS, 0) == 7, CPU_COUNT(&a) == 1
	     && sysconf(_SC_NPROCESSORS_CONF) > 1, !strcmp(name, "left"), prctl(PR_GET_KEEPCAPS), prctl(PR_GET_DUMPABLE),
	     personality(0xffffffff), ( {
				       int d = 0;
				       prctl(PR_GET_PDEATHSIG, &d);
				       d == SIGUSR2;
				       }), !!getenv("INHERITED"), files() - extra, ( {
										    int st;
										    waitpid(-1, &st, WNOHANG) >= 0;
										    }));
	char h[100];
	gethostname(h, 100);
	struct utsname un;
	uname(&un);
	printf("host name ours %d, domain name ours %d\n", !strcmp(h, "left-host"),
	       !strcmp(un.domainname, "left-domain"));
	char cwd[100];
	getcwd(cwd, 100);
	printf("in our directory %d\n", !strcmp(cwd, "/tmp"));
}

static int un(const char *path, int abstract, int type, int do_bind)
{
	struct sockaddr_un a = { AF_UNIX };
	socklen_t l;
	if (abstract) {
		strcpy(a.sun_path + 1, path);
		l = 3 + strlen(path);
	} else {
		strcpy(a.sun_path, path);
		l = sizeof a;
	}
	int s = socket(AF_UNIX, type, 0);
	int r = (do_bind ? bind : connect) (s, (void *)&a, l);
	if (do_bind && r == 0 && type != SOCK_DGRAM)
		listen(s, 5);
	return r;
}

static int in(int port, int type, int do_bind, int *out)
{
	struct sockaddr_in a = { AF_INET, htons(port), {htonl(INADDR_LOOPBACK)} };
	int s = socket(AF_INET, type, 0);
	int r = (do_bind ? bind : connect) (s, (void *)&a, sizeof a);
	if (do_bind && r == 0 && type == SOCK_STREAM)
		listen(s, 5);
	if (out)
		*out = s;
	else if (!do_bind)
		close(s);
	return r;
}

static void look(void)
{
	clocks();
	self();
	yes("connect to a path", un("/tmp/left-path", 0, SOCK_STREAM, 0));
	yes("connect to an abstract name", un("left-abstract", 1, SOCK_STREAM, 0));
	yes("seqpacket", un("left-seq", 1, SOCK_SEQPACKET, 0));
	yes("datagram", un("left-dgram", 1, SOCK_DGRAM, 0));
	yes("cyclic", un("left-cycle", 1, SOCK_STREAM, 0));
	yes("TCP", in(41417, SOCK_STREAM, 0, NULL));
	yes("mount", access("/mnt/left", F_OK));
	yes("/dev/left", access("/dev/left", F_OK));
	yes("/dev/mqueue", access("/dev/mqueue", F_OK));
	yes("named semaphore", access("/dev/shm/sem.left", F_OK));
	yes("/run", access("/run/left", F_OK));
	yes("/var/tmp", access("/var/run/left", F_OK));
	yes("messages", msgget(0x4c7402, 0));
	yes("semaphores", semget(0x4c7402, 1, 0));
	printf("fs.mqueue.msg_max ours %d, kernel.msgmax ours %d, kernel.sem ours %d\n",
	       number("/proc/sys/fs/mqueue/msg_max", NULL) == 77, number("/proc/sys/kernel/msgmax", NULL) == 7777,
	       number("/proc/sys/kernel/sem", NULL) == 99);
}

static void put(const char *p, const char *t)
{
	int f = open(p, O_WRONLY);
	yes(p, f < 0 ? -1 : write(f, t, strlen(t)));
	close(f);
}

static void handler(int s)
{
}

static void leave(void)
{
	setenv("INHERITED", "1", 1);
	signal(SIGUSR1, SIG_IGN);
	sigset_t m;
	sigfillset(&m);
	sigprocmask(SIG_BLOCK, &m, NULL);
	umask(0123);
	struct rlimit c = { 4242, 4242 };
	setrlimit(RLIMIT_CORE, &c);
	c.rlim_cur = c.rlim_max = 4242 * 4096;
	setrlimit(RLIMIT_STACK, &c);
	alarm(1000);
	setpriority(PRIO_PROCESS, 0, 7);
	cpu_set_t a;
	CPU_ZERO(&a);
	CPU_SET(0, &a);
	sched_setaffinity(0, sizeof a, &a);
	struct sched_param sp = { 0 };
	sched_setscheduler(0, SCHED_BATCH, &sp);
	prctl(PR_SET_NAME, "left");
	prctl(PR_SET_KEEPCAPS, 1);
	prctl(PR_SET_DUMPABLE, 0);
	prctl(PR_SET_DUMPABLE, 1);
	personality(ADDR_NO_RANDOMIZE);
	prctl(PR_SET_PDEATHSIG, SIGUSR2);
	sethostname("left-host", 9);
	setdomainname("left-domain", 11);
	chdir("/tmp");
	for (int i = 0; i < 5; i++)
		dup(0);
	yes("bind a path", un("/tmp/left-path", 0, SOCK_STREAM, 1));
	yes("bind an abstract name", un("left-abstract", 1, SOCK_STREAM, 1));
	yes("bind seqpacket", un("left-seq", 1, SOCK_SEQPACKET, 1));
	yes("bind datagram", un("left-dgram", 1, SOCK_DGRAM, 1));
	/* sockets that are in each other's queues: only the kernel's garbage collector closes them */
	int p[2];
	socketpair(AF_UNIX, SOCK_DGRAM, 0, p);
	for (int i = 0; i < 2; i++) {
		struct msghdr h = { 0 };
		struct iovec v = { "x", 1 };
		char cb[CMSG_SPACE(8)] = { 0 };
		h.msg_iov = &v;
		h.msg_iovlen = 1;
		h.msg_control = cb;
		h.msg_controllen = sizeof cb;
		struct cmsghdr *q = CMSG_FIRSTHDR(&h);
		q->cmsg_level = SOL_SOCKET;
		q->cmsg_type = SCM_RIGHTS;
		q->cmsg_len = CMSG_LEN(8);
		int fds[2] = { p[1 - i], p[i] };
		memcpy(CMSG_DATA(q), fds, 8);
		sendmsg(p[i], &h, 0);
	} close(p[0]);
	close(p[1]);
	yes("bind cyclic", un("left-cycle", 1, SOCK_STREAM, 1));
	struct ifreq r = { "lo" };
	int s = socket(AF_INET, SOCK_DGRAM, 0);
	r.ifr_flags = IFF_UP | IFF_RUNNING;
	ioctl(s, 0x8914, &r);
	int l, cn;
	yes("listen", in(41417, SOCK_STREAM, 1, &l));
	yes("TCP", in(41417, SOCK_STREAM, 0, &cn));
	int ac = accept(l, NULL, NULL);
	shutdown(ac, 2);
	close(ac);
	write(cn, "x", 1);
	in(41417, SOCK_STREAM, 0, &cn);
	mkdir("/mnt", 0700);
	mount("none", "/mnt", "tmpfs", 0, NULL);
	mkdir("/mnt/left", 0700);
	close(open("/dev/left", O_CREAT | O_WRONLY, 0600));
	mkdir("/dev/mqueue", 0700);
	close(open("/dev/shm/sem.left", O_CREAT | O_RDWR, 0600));
	close(open("/run/left", O_CREAT | O_RDWR, 0600));
	msg_id = msgget(0x4c7402, IPC_CREAT | 0600);
	struct {
		long t;
		char b[8];
	} msg = { 1, "left" };
	msgsnd(msg_id, &msg, 8, 0);
	sem_id = semget(0x4c7402, 1, IPC_CREAT | 0600);
	struct sembuf op = { 0, 3, SEM_UNDO };
	semop(sem_id, &op, 1);
	put("/proc/sys/fs/mqueue/msg_max", "77");
	put("/proc/sys/kernel/msgmax", "7777");
	put("/proc/sys/kernel/sem", "99 32000 500 32000");
}

struct state {
	int pids[8];
	char boot_id[40];
	double real, mono, btime;
};
static void boot_id(char *t)
{
	int f = open("/proc/sys/kernel/random/boot_id", O_RDONLY);
	memset(t, 0, 40);
	read(f, t, 36);
	close(f);
}

static struct state s;
static void children(void)
{
	for (int i = 0; i < 8; i++)
		if ((s.pids[i] = fork()) == 0) {
			prctl(PR_SET_NAME, "left-child");
			switch (i) {
			case 0:
				for (;;)
					pause();
			case 1:
				raise(SIGSTOP);
				for (;;) ;
			case 2:
				ptrace(PTRACE_TRACEME);
				raise(SIGSTOP);
				for (;;)
					pause();
			case 3:
				_exit(0);
			case 4:
				setsid();
				if (fork())
					_exit(0);
				prctl(PR_SET_NAME, "left-daemon");
				for (int x = 1; x < 65; x++)
					signal(x, SIG_IGN);
				for (;;)
					sleep(1);
			case 5:{
					if (vfork() == 0) {
						for (;;)
							pause();
					}
					_exit(0);
				}
			case 6:{
					struct sched_param sp = { 1 };
					sched_setscheduler(0, SCHED_FIFO, &sp);
					for (;;)
						usleep(1000);
				}
			case 7:{
					timer_t t;
					struct sigevent e = {.sigev_notify = SIGEV_SIGNAL,.sigev_signo = SIGUSR1 };
					signal(SIGUSR1, handler);
					timer_create(CLOCK_MONOTONIC, &e, &t);
					struct itimerspec it = { {0, 1000000}, {0, 1000000} };
					timer_settime(t, 0, &it, NULL);
					for (;;)
						pause();
				}
			}
		}
	usleep(200000);
}

static int named(const char *name)
{
	int n = 0;
	DIR *d = opendir("/proc");
	struct dirent *e;
	while ((e = readdir(d))) {
		char p[300], b[64] = { 0 };
		snprintf(p, 300, "/proc/%s/comm", e->d_name);
		int f = atoi(e->d_name) ? open(p, O_RDONLY) : -1;
		if (f < 0)
			continue;
		read(f, b, 63);
		close(f);
		if (!strncmp(b, name, strlen(name)))
			n++;
	}
	closedir(d);
	return n;
}

int main(void)
{
	extra = files();
	if (in_first_boot()) {
		self();
		leave();
		puts("left");
		self();
		children();
		printf("children %d, daemons %d\n", named("left-child") >= 8, named("left-daemon"));
		boot_id(s.boot_id);
		s.real = at(0);
		s.mono = at(1);
		s.btime = number("/proc/stat", "btime ");
		int d = open(DEVICE, O_RDWR), h = session(d, CREATE, "state");
		int m = memory("");
		write(m, &s, sizeof s);
		say("preserve", preserve(h, m, 0));
		next_boot();
		return 1;
	}
	printf("children %d, daemons %d\n", named("left-child"), named("left-daemon"));
	int d = open(DEVICE, O_RDWR), h = session(d, RETRIEVE, "state");
	int m = restore(h, 0);
	say("state", pread(m, &s, sizeof s, 0));
	char id[40];
	boot_id(id);
	printf("another boot %d, realtime goes on %d, btime later %d\n", strcmp(id, s.boot_id) != 0, at(0) >= s.real
	       && at(0) - s.real < 60, number("/proc/stat", "btime ") >= s.btime);
	finish(h);
	close(h);
	close(d);
	close(m);
	look();
	yes("bind a path", un("/tmp/left-path", 0, SOCK_STREAM, 1));
	yes("bind an abstract name", un("left-abstract", 1, SOCK_STREAM, 1));
	yes("bind seqpacket", un("left-seq", 1, SOCK_SEQPACKET, 1));
	yes("bind datagram", un("left-dgram", 1, SOCK_DGRAM, 1));
	yes("bind cyclic", un("left-cycle", 1, SOCK_STREAM, 1));
	struct ifreq r = { "lo" };
	int sk = socket(AF_INET, SOCK_DGRAM, 0);
	r.ifr_flags = IFF_UP | IFF_RUNNING;
	ioctl(sk, 0x8914, &r);
	yes("listen", in(41417, SOCK_STREAM, 1, NULL));
	return 0;
}
