/* A next kernel with memory for a crash kernel, or with its own scratch: what loads there, and what the files of the kernel say. */
#include "luo.h"
static void show(const char *p)
{
	char b[256] = { 0 };
	int f = open(p, O_RDONLY);
	int n = f < 0 ? -1 : read(f, b, 255);
	if (n < 0)
		printf("%s: %s\n", p, strerrorname_np(errno));
	else
		printf("%s: %s%s", p, b, b[n - 1] == '\n' ? "" : "\n");
	close(f);
}

static void put(const char *t)
{
	int f = open("/sys/kernel/kexec_crash_size", O_RDWR);
	long n = write(f, t, strlen(t));
	say(t, n);
	char b[64] = { 0 };
	say("then read", read(f, b, 63) >= 0 ? 0 : -1);
	close(f);
	show("/sys/kernel/kexec/crash_size");
} static int K, I;

static long load(long f)
{
	return syscall(SYS_kexec_file_load, K, I, 6, "quiet", f);
}

static void look(void)
{
	show("/sys/kernel/kexec_crash_size");
	show("/sys/kernel/kexec/crash_size");
	show("/sys/kernel/kexec_loaded");
	show("/sys/kernel/kexec_crash_loaded");
	show("/sys/kernel/kexec/crash_loaded");
	struct stat s;
	say("device", stat(DEVICE, &s));
}

int main(void)
{
	in_first_boot();
	int boot = atoi(getenv("LUO_BOOT"));
	printf("boot %d\n", boot);
	K = open(getenv("LUO_KERNEL"), O_RDONLY);
	I = open(getenv("LUO_INITRD"), O_RDONLY);
	look();
	if (boot > 1) {
		int d = open(DEVICE, O_RDWR);
		yes("retrieve", session(d, RETRIEVE, "s"));
		close(d);
	}
	say("crash image", load(2));
	show("/sys/kernel/kexec_crash_loaded");
	say("crash, no initramfs", load(6));
	say("crash, debug", load(10));
	say("normal", load(0));
	show("/sys/kernel/kexec_loaded");
	say("crash unload", load(3));
	show("/sys/kernel/kexec_crash_loaded");
	show("/sys/kernel/kexec_loaded");
	say("unload", load(1));
	show("/sys/kernel/kexec_loaded");
	say("crash image", load(2));
	put("0");
	say("crash unload", load(3));
	put("x");
	put("");
	put("-1");
	put("0 ");
	put("99999999999");
	put("16777216\n");
	put("0x800001");
	put("4097");
	put("4097");
	say("crash image", load(2));
	put("+0");
	show("/sys/kernel/kexec_crash_size");
	say("crash image", load(2));
	static const char *adds[] =
	    { "crashkernel=64M", "crashkernel=1G-:48M", "crashkernel=1T-:48M", "crashkernel=32M@512M" };
	if (boot > 4)
		return 0;
	int d = open(DEVICE, O_RDWR), s = session(d, CREATE, "s");
	preserve(s, memory("x"), 1);
	char line[4096];
	snprintf(line, 4096, "%s %s", getenv("LUO_CMDLINE"), adds[boot - 1]);
	say("load", syscall(SYS_kexec_file_load, K, I, strlen(line) + 1, line, 0));
	fflush(stdout);
	reboot(0x45584543);
	return 1;
}
