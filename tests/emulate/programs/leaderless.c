/* Threads without a leader, an exec by a thread, tables of fds that are shared or not, numbers that are used again. */
#include "luo.h"
#include <pthread.h>
#include <sys/uio.h>
#include <sys/resource.h>
static int device, held, file;
static int go;
static void look(const char *w)
{
	char p[64], b[100] = { 0 };
	uint32_t g[18] = { 72 };
	printf("%s\n", w);
	say("  name", ioctl(held, GET_NAME, g));
	printf("  %s\n", (char *)(g + 2));
	say("  read", read(held, b, 1));
	say("  write past the end", pwrite(file, "x", 1, 100));
	sprintf(p, "/proc/self/fd/%d", held);
	say("  link", readlink(p, b, 99));
	printf("  %s\n", b);
	sprintf(p, "/proc/thread-self/fd/%d", held);
	say("  thread's link", readlink(p, b, 99));
	struct stat st;
	fstat(held, &st);
	printf("  mode %o\n", st.st_mode);
	say("  truncate", ftruncate(file, 0));
	yes("  a second open", open(DEVICE, O_RDWR));
	int s = session(device, CREATE, w);
	yes("  create", s);
	int m = memory("thread");
	say("  preserve", preserve(s, m, 1));
	say("  write past the end of it", write(m, "x", 1));
	close(s);
	say("  and now", write(m, "x", 1));
	close(m);
}

static void *orphan(void *a)
{
	while (!go)
		usleep(1000);
	usleep(100000);
	look("without a leader");
	fflush(stdout);
	_exit(7);
}

static void *execs(void *a)
{
	char h[10], d[10], f[10];
	sprintf(h, "%d", held);
	sprintf(d, "%d", device);
	sprintf(f, "%d", file);
	fcntl(held, F_SETFD, 0);
	fcntl(device, F_SETFD, 0);
	fflush(stdout);
	execl("/proc/self/exe", "x", d, h, f, NULL);
	say("exec", -1);
	return NULL;
}

static void *unshares(void *a)
{
	say("unshare(CLONE_FILES)", unshare(CLONE_FILES));
	look("a table of its own");
	close(held);
	say("  closed here", fcntl(held, F_GETFD));
	int s = session(device, CREATE, "of the thread");
	yes("  create", s);
	*(int *)a = s;
	while (go < 2)
		usleep(1000);
	close(s);
	return NULL;
}

static int child(void *a)
{
	look(a);
	close(held);
	return 0;
}

static char stack[4][262144];
int main(int argc, char **argv)
{
	if (argc > 3) {
		setvbuf(stdout, 0, _IOLBF, 0);
		device = atoi(argv[1]);
		held = atoi(argv[2]);
		file = atoi(argv[3]);
		look("after the exec of a thread");
		return 3;
	}
	in_first_boot();
	device = open(DEVICE, O_RDWR | O_CLOEXEC);
	held = session(device, CREATE, "held");
	file = memfd_create("f", 0);
	ftruncate(file, 50);
	preserve(held, file, 1);
	pthread_t t;
	CHILD("leader", {
	      pthread_create(&t, 0, orphan, 0);
	      go = 1;
	      pthread_exit(0);
	      }
	);
	CHILD("exec", {
	      pthread_create(&t, 0, execs, 0);
	      pthread_join(t, 0);
	      }
	);
	CHILD("unshare", {
	      int s = -1;
	      pthread_create(&t, 0, unshares, &s);
	      while (s < 0) usleep(1000); say("the thread's session, here", ioctl(s, GET_NAME, (uint32_t[18]) {
										  72}
					      )); say("held, here", fcntl(held, F_GETFD));
	      yes("its name", session(device, CREATE, "of the thread")); go = 2; pthread_join(t, 0);
	      yes("its name, later", session(device, CREATE, "of the thread"));}
	) ;
	say("vfork", ( {
		      pid_t p = vfork();
		      if (!p) {
		      look("vfork"); fflush(stdout); _exit(0);}
		      int st; waitpid(p, &st, 0); WEXITSTATUS(st);})) ;
	int st;
	pid_t p = clone(child, stack[0] + 262144, CLONE_VM | SIGCHLD, "CLONE_VM");
	waitpid(p, &st, 0);
	say("still here", fcntl(held, F_GETFD));
	p = clone(child, stack[1] + 262144, CLONE_FS | SIGCHLD, "CLONE_FS");
	fflush(stdout);
	waitpid(p, &st, 0);
	say("still here", fcntl(held, F_GETFD));
	puts("numbers");
	int n = held;
	held = fcntl(n, F_DUPFD, 500);
	int z = open("/dev/null", O_RDWR);
	dup2(z, n);
	say("null: write", write(n, "abc", 3));
	char b[10];
	say("null: read", read(n, b, 3));
	struct stat s;
	fstat(n, &s);
	printf("%o\n", s.st_mode);
	close(n);
	n = open("/proc/self/stat", O_RDONLY);
	say("proc: read", read(n, b, 3));
	close(n);
	look("at a high number");
	int copy = dup3(held, 700, O_CLOEXEC);
	held = copy;
	close(500);
	look("at another");
	held = fcntl(copy, F_DUPFD_CLOEXEC, 1020);
	say("very high", held);
	look("very high");
	int f2 = fcntl(file, F_DUPFD, 1000);
	say("grow by a high number", pwrite(f2, "x", 1, 60));
	dup2(file, 800);
	say("grow by dup2", pwrite(800, "x", 1, 60));
	close(copy);
	say("close_range", syscall(SYS_close_range, 700, 1019, 0));
	say("grow", pwrite(file, "x", 1, 60));
	look("after close_range");
	say("close the rest", syscall(SYS_close_range, held, held, 0));
	say("grow, now", pwrite(file, "x", 1, 60));
	yes("the name is free", session(device, CREATE, "held"));
	return 0;
}
