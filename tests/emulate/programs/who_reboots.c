/* The reboot by which the next kernel starts, called by a thread, a child, a daemon, a signal handler, in namespaces and after an exec. */
#include "luo.h"
#include <pthread.h>
#include <sys/ptrace.h>
static int held;
static void go(void)
{
	reboot(0x45584543);
	say("reboot", -1);
	fflush(stdout);
}

static void *thread(void *a)
{
	go();
	return NULL;
}

static void on(int s)
{
	go();
}

static int cloned(void *a)
{
	go();
	return 0;
}

int main(int argc, char **argv)
{
	int boot = atoi(getenv("LUO_BOOT"));
	if (argc > 1) {
		go();
		return 1;
	}
	in_first_boot();
	printf("boot %d\n", boot);
	int device = open(DEVICE, O_RDWR);
	char name[20];
	if (boot > 1) {
		sprintf(name, "s%d", boot - 1);
		held = session(device, RETRIEVE, name);
		yes("retrieve", held);
		char b[20] = { 0 };
		int m = restore(held, boot - 1);
		say("content", pread(m, b, 19, 0));
		puts(b);
		say("finish", finish(held));
		sprintf(name, "u%d", boot - 1);
		yes("the unfinished one of before", session(device, RETRIEVE, name));
		close(held);
	}
	if (boot == 10)
		return 0;
	sprintf(name, "s%d", boot);
	held = session(device, CREATE, name);
	char text[20];
	sprintf(text, "of boot %d", boot);
	say("preserve", preserve(held, memory(text), boot));
	sprintf(name, "u%d", boot);
	int other = session(device, CREATE, name);
	preserve(other, memory("unfinished"), 1);
	const char *line = getenv("LUO_CMDLINE");
	say("load",
	    syscall(SYS_kexec_file_load, open(getenv("LUO_KERNEL"), O_RDONLY), open(getenv("LUO_INITRD"), O_RDONLY),
		    strlen(line) + 1, line, 0));
	fflush(stdout);
	pthread_t t;
	static char stack[65536];
	switch (boot) {
	case 1:
		pthread_create(&t, 0, thread, 0);
		pthread_join(t, 0);
		break;
	case 2:
		if (fork() == 0)
			go();
		for (;;)
			pause();
	case 3:
		if (vfork() == 0) {
			reboot(0x45584543);
			_exit(1);
		}
		break;
	case 4:
		if (fork() == 0) {
			setsid();
			if (fork() == 0) {
				usleep(300000);
				close(0);
				go();
			}
			_exit(0);
		}
		for (;;)
			pause();
	case 5:
		signal(SIGALRM, on);
		alarm(1);
		for (;;)
			pause();
	case 6:
		execl("/proc/self/exe", "again", "x", NULL);
		break;
	case 7:
		unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC);
		go();
		break;
	case 8:
		clone(cloned, stack + 65536, CLONE_VM | CLONE_FILES | SIGCHLD, NULL);
		for (;;)
			pause();
	case 9:{
			int k = fork();
			if (k == 0) {
				unshare(CLONE_NEWPID);
				CHILD("in a pid namespace", {
				      go();
				      }
				);
				go();
			}
			for (;;)
				pause();
		}
	}
	puts("not reached");
	return 1;
}
