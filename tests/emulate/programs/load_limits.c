/* kexec_load_limit_*, kexec_load_disabled, and every flag of kexec_file_load; reboot(2) by each magic, from a thread, a child and a namespace. */
#include "luo.h"
#include <pthread.h>
static int K, I;
static long load(long f)
{
	return syscall(SYS_kexec_file_load, K, I, 1, "", f);
}

static void show(const char *p)
{
	char b[64] = { 0 };
	int f = open(p, O_RDONLY);
	int n = read(f, b, 63);
	close(f);
	printf("%s: %s", strrchr(p, '/') + 1, n > 0 ? b : "?\n");
}

static void put(const char *p, const char *t)
{
	int f = open(p, O_WRONLY);
	if (f < 0) {
		say(t, -1);
		return;
	}
	errno = 0;
	long r = write(f, t, strlen(t));
	printf("\"%s\" to %s: %s\n", t, strrchr(p, '/') + 1, r < 0 ? strerrorname_np(errno) : "ok");
	close(f);
	show(p);
}

#define R "/proc/sys/kernel/kexec_load_limit_reboot"
#define P "/proc/sys/kernel/kexec_load_limit_panic"
#define D "/proc/sys/kernel/kexec_load_disabled"
static void *thread(void *a)
{
	say("load in a thread", load(0));
	say("reboot: bad magic in a thread", syscall(SYS_reboot, 1, 2, 3, 0));
	return NULL;
}

static long rb(long a, long b, long c, void *d)
{
	return syscall(SYS_reboot, a, b, c, d);
}

int main(void)
{
	in_first_boot();
	K = open(getenv("LUO_KERNEL"), O_RDONLY);
	I = open(getenv("LUO_INITRD"), O_RDONLY);
	show(R);
	show(P);
	show(D);
	for (int b = 0; b < 64; b++) {
		char w[40];
		sprintf(w, "flag bit %d", b);
		long r = load(1L << b);
		say(w, r);
	}
	for (int f = 0; f < 64; f++) {
		char w[40];
		sprintf(w, "flags %#x", f);
		say(w, load(f));
	}
	show("/sys/kernel/kexec_loaded");
	show("/sys/kernel/kexec_crash_loaded");
	pthread_t t;
	pthread_create(&t, 0, thread, 0);
	pthread_join(t, 0);
	CHILD("load in a child", {
	      say("load", load(0));
	      });
	show("/sys/kernel/kexec_loaded");
	long m = 0xfee1dead, m2 = 672274793;
	unsigned cmds[] = { 0, 1, 2, 0x89abcdef, 0x45584542, 0x45584544, 0xa1b2c3d5, 0xffffffff, 0x7fffffff };
	for (int i = 0; i < 9; i++) {
		char w[40];
		sprintf(w, "command %#x", cmds[i]);
		say(w, rb(m, m2, cmds[i], 0));
	}
	long mm[] = { 672274793, 85072278, 369367448, 537993216, 0, -1 };
	for (int i = 0; i < 6; i++) {
		char w[40];
		sprintf(w, "magic2 %ld", mm[i]);
		say(w, rb(m, mm[i], 0, 0));
	}
	say("RESTART2 of a bad address", rb(m, m2, 0xa1b2c3d4, (void *)16));
	say("RESTART2 of nothing", rb(m, m2, 0xa1b2c3d4, 0));
	CHILD("without CAP_SYS_BOOT", {
	      setuid(1000);
	      say("kexec", rb(m, m2, 0x45584543, 0));
	      say("bad magic", rb(1, m2, 0x45584543, 0));
	      say("load", load(0));
	      say("unload", load(1));
	      say("bad flags", load(1 << 20));
	      say("kexec_load", syscall(SYS_kexec_load, 0, 0, 0, 0));
	      say("kexec_load, bad flags", syscall(SYS_kexec_load, 0, 0, 0, 0xffff));
	      });
	CHILD("a pid namespace", {
	      say("unshare", unshare(CLONE_NEWPID));
	      CHILD("in it", {
		    say("kexec", rb(m, m2, 0x45584543, 0));
		    say("CAD_ON", rb(m, m2, 0x89abcdef, 0));
		    say("bad magic", rb(1, 2, 3, 0));
		    say("0", rb(m, m2, 0, 0));
		    say("load", load(0));
		    say("unload", load(1));
		    });
	      say("outside", rb(m, m2, 0, 0));
	      });
	say("load", load(0));
	show("/sys/kernel/kexec_loaded");
	say("unload a crash image", load(3));
	show("/sys/kernel/kexec_loaded");
	say("kexec_load of no crash image", syscall(SYS_kexec_load, 0, 0, 0, 1));
	show("/sys/kernel/kexec_loaded");
	say("kexec_load of nothing", syscall(SYS_kexec_load, 0, 0, 0, 0));
	show("/sys/kernel/kexec_loaded");
	load(0);
	say("unload", load(1));
	load(0);
	put(R, "5");
	put(R, "6");
	put(R, "5");
	put(R, "-1");
	put(R, "4");
	put(R, "4 3");
	put(R, "0x2");
	put(R, "3\n");
	put(R, " 2");
	put(R, "abc");
	put(R, "2147483648");
	put(R, "+1");
	say("load, bad flags", load(0x40));
	show(R);
	say("unload", load(1));
	show(R);
	say("load", load(0));
	show(R);
	say("load", load(0));
	say("load", load(0));
	show(R);
	say("kexec_load unload", syscall(SYS_kexec_load, 0, 0, 0, 0));
	show(R);
	show("/sys/kernel/kexec_loaded");
	put(P, "1");
	say("crash", load(2));
	show(P);
	say("crash", load(2));
	show(P);
	say("crash unload", load(3));
	put(P, "0");
	put(D, "0");
	put(D, "2");
	put(D, "1 1");
	put(D, "1");
	put(D, "0");
	say("load", load(0));
	say("bad flags", load(0x40));
	say("unload", load(1));
	say("kexec_load", syscall(SYS_kexec_load, 0, 0, 0, 0));
	say("kexec_load bad flags", syscall(SYS_kexec_load, 0, 0, 0, 0xffff));
	put(R, "0");
	show("/sys/kernel/kexec_loaded");
	say("kexec", rb(m, m2, 0x45584543, 0));
	return 0;
}
