/* What the kernel writes to its log for each call about sessions, images and the reboot. */
#include "luo.h"
static int kmsg;
static void heard(void)
{
	char b[9000];
	ssize_t n;
	while ((n = read(kmsg, b, 8999)) != 0) {
		if (n < 0) {
			if (errno == EPIPE)
				continue;
			break;
		}
		b[n] = 0;
		char *t = strchr(b, ';');
		if (!t)
			continue;
		t++;
		char *e = strchr(t, '\n');
		if (e)
			*e = 0;
		if (strstr(t, "luo") || strstr(t, "LUO") || strstr(t, "KHO") || strstr(t, "kexec") || strstr(t, "memfd")
		    || strstr(t, "liveupdate"))
			if (!strstr(t, "ommand line") && !strstr(t, "rehearse") && !strstr(t, "liveupdate test")
			    && !strstr(t, "Linux version") && !strstr(t, "exec from"))
				printf("    <%d> %s\n", atoi(b), t);
	}
}

#define T(w,c) do { say(w,(c)); heard(); } while(0)
static int bad(int fd, int request, const void *s, size_t n)
{
	char *p = mmap(0, 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memcpy(p, s, n);
	mprotect(p, 4096, PROT_READ);
	return ioctl(fd, request, p);
}

int main(void)
{
	int first = in_first_boot();
	kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	puts("boot");
	heard();
	int device = open(DEVICE, O_RDWR);
	heard();
	yes("second open", open(DEVICE, O_RDWR));
	heard();
	struct session s = { 72, -1, "answer" };
	struct file f = { 16, -1, 5 };
	if (first) {
		int a = session(device, CREATE, "a");
		yes("create", a);
		heard();
		T("again", session(device, CREATE, "a"));
		T("empty name", session(device, CREATE, ""));
		T("bad nr", ioctl(device, 0xba07, NULL));
		T("no size", ioctl(device, CREATE, NULL));
		T("no answer", bad(device, CREATE, &s, 72));
		T("retrieve nothing", session(device, RETRIEVE, "none"));
		T("preserve", preserve(a, memory("one"), 1));
		T("its token again", preserve(a, memory("x"), 1));
		T("no file", preserve(a, 99, 2));
		T("a pipe", preserve(a, ( {
					 int p[2];
					 pipe(p);
					 p[0];
					 }), 2));
		int m = memory("m");
		f.fd = m;
		T("no answer", bad(a, PRESERVE, &f, 16));
		T("again", preserve(a, m, 6));
		T("empty", preserve(a, memfd_create("e", 0), 7));
		T("finish", finish(a));
		T("restore", restore(a, 1));
		int b = session(device, CREATE, "b");
		for (int i = 0; i < 3; i++)
			preserve(b, memory("x"), i);
		close(b);
		puts("closed");
		heard();
		session(device, CREATE, "empty");
		b = session(device, CREATE, "unread");
		preserve(b, memory("unread"), 1);
		b = session(device, CREATE, "left");
		preserve(b, memory("left"), 1);
		preserve(b, memory("left"), 2);
		session(device, CREATE, "r/o");
		b = session(device, CREATE, "part");
		for (int i = 0; i < 3; i++)
			preserve(b, memory("p"), i);
		T("truncate", ftruncate(m, 9));
		T("write", pwrite(m, "x", 1, 99));
		T("reboot without an image", reboot(0x45584543));
		int k = memory("no kernel");
		T("bad image", syscall(SYS_kexec_file_load, k, k, 1, "", 0));
		static char image[1200];
		k = memory("");
		write(k, image, 1200);
		T("no header", syscall(SYS_kexec_file_load, k, k, 1, "", 0));
		memcpy(image + 0x202, "HdrS", 4);
		pwrite(k, image, 1200, 0);
		T("no boot sector", syscall(SYS_kexec_file_load, k, k, 1, "", 0));
		image[0x1fe] = 0x55;
		image[0x1ff] = 0xaa;
		pwrite(k, image, 1200, 0);
		T("old", syscall(SYS_kexec_file_load, k, k, 1, "", 0));
		image[0x206] = 0xf;
		image[0x207] = 2;
		pwrite(k, image, 1200, 0);
		T("low", syscall(SYS_kexec_file_load, k, k, 1, "", 0));
		image[0x211] = 1;
		pwrite(k, image, 1200, 0);
		T("32 bits", syscall(SYS_kexec_file_load, k, k, 1, "", 0));
		image[0x236] = 1;
		pwrite(k, image, 1200, 0);
		T("below 4 GiB", syscall(SYS_kexec_file_load, k, k, 1, "", 0));
		image[0x236] = 0x23;
		image[0x1f1] = 9;
		pwrite(k, image, 1200, 0);
		T("too short", syscall(SYS_kexec_file_load, k, k, 1, "", 0));
		image[0x1f1] = 1;
		pwrite(k, image, 1200, 0);
		T("line too long", syscall(SYS_kexec_file_load, k, k, 1, "", 0));
		int K = open(getenv("LUO_KERNEL"), O_RDONLY), I = open(getenv("LUO_INITRD"), O_RDONLY);
		T("bad line", syscall(SYS_kexec_file_load, K, I, 3, "abc", 0));
		T("bad flags", syscall(SYS_kexec_file_load, K, I, 1, "", 0x4000));
		T("crash", syscall(SYS_kexec_file_load, K, I, 1, "", 2));
		T("load", syscall(SYS_kexec_file_load, K, I, 1, "", 0));
		T("unload", syscall(SYS_kexec_file_load, 0, 0, 0, 0, 1));
		T("bad reboot", reboot(0x123));
		next_boot();
	}
	int a = session(device, RETRIEVE, "a");
	yes("retrieve", a);
	heard();
	T("again", session(device, RETRIEVE, "a"));
	T("none", session(device, RETRIEVE, "none"));
	f.token = 1;
	T("no answer", bad(a, RESTORE, &f, 16));
	T("restore", restore(a, 1) >= 0 ? 0 : -1);
	T("no token", restore(a, 77));
	T("empty", restore(a, 7) >= 0 ? 0 : -1);
	T("preserve", preserve(a, memory("x"), 9));
	T("finish", finish(a));
	T("again", finish(a));
	T("restore after it", restore(a, 6));
	close(a);
	puts("closed");
	heard();
	strcpy(s.name, "r/o");
	T("no answer", bad(device, RETRIEVE, &s, 72));
	T("retrieve", session(device, RETRIEVE, "r/o"));
	int p = session(device, RETRIEVE, "part");
	restore(p, 1);
	heard();
	close(p);
	puts("closed in part");
	heard();
	int l = session(device, RETRIEVE, "left");
	T("finish unread", finish(l));
	close(l);
	int e = session(device, RETRIEVE, "empty");
	close(e);
	puts("closed empty");
	heard();
	close(device);
	puts("device closed");
	heard();
	return 0;
}
