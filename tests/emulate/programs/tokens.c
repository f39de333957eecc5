/* Sessions of every name and files of every token, failures on the way, and what comes back in another order, over two kexecs. */
#include "luo.h"
#include <sys/resource.h>
static int device;
static int raw(int request, const char *name, int n)
{
	struct session s = { 72, -1, "" };
	memset(s.name, '#', 64);
	memcpy(s.name, name, n);
	return ioctl(device, request, &s) < 0 ? -1 : s.fd;
}
static const uint64_t tokens[] =
    { 0, ~0ull, 1ull << 63, 1ull << 32, 0xffffffff, 0x7fffffffffffffff, 1, 2, 0xdeadbeef, ~0ull - 1 };
static void names(int s)
{
	uint32_t g[18] = { 72 };
	memset(g + 2, '?', 64);
	say("  name", ioctl(s, GET_NAME, g));
	unsigned char *b = (void *)(g + 2);
	printf("  ");
	for (int i = 0; i < 64; i++)
		printf("%02x", b[i]);
	puts("");
}

static void read_(int s, uint64_t t)
{
	int f = restore(s, t);
	char b[64] = { 0 };
	if (f < 0) {
		printf("  token %llx: %s\n", (unsigned long long)t, strerrorname_np(errno));
		return;
	}
	long n = pread(f, b, 63, 0);
	printf("  token %llx: %ld %s\n", (unsigned long long)t, n, b);
	close(f);
}

int main(void)
{
	int first = in_first_boot(), boot = atoi(getenv("LUO_BOOT"));
	printf("boot %d\n", boot);
	device = open(DEVICE, O_RDWR);
	char n[64];
	struct rlimit r = { 4096, 4096 };
	setrlimit(RLIMIT_NOFILE, &r);
	if (boot > 1) {
		if (boot == 2)
			for (int b = 255; b > 0; b -= 27) {
				n[0] = b;
				n[1] = 0;
				int s = raw(RETRIEVE, n, 2);
				printf("byte %02x: %s\n", b, s < 0 ? strerrorname_np(errno) : "ok");
				if (s < 0)
					continue;
				names(s);
				char link[100] = { 0 }, p[40];
				sprintf(p, "/proc/self/fd/%d", s);
				int l = readlink(p, link, 99);
				printf("  ");
				for (int i = 0; i < l; i++)
					printf("%02x", (unsigned char)link[i]);
				puts("");
				read_(s, b);
				close(s);
			}
		memset(n, 'L', 63);
		n[63] = 0;
		int s = raw(RETRIEVE, n, 64);
		yes("63 bytes", s);
		names(s);
		for (int i = 9; i >= 0; i -= 2)
			read_(s, tokens[i]);
		for (int i = 0; i < 10; i += 2)
			read_(s, tokens[i]);
		read_(s, 77);
		read_(s, tokens[9]);
		s = session(device, RETRIEVE, "failures");
		yes("failures", s);
		for (int t = 0; t < 12; t++)
			read_(s, t);
		s = session(device, RETRIEVE, "many");
		int good = 0;
		for (int i = 999; i >= 0; i--) {
			int f = restore(s, (uint64_t) i * 0x9e3779b97f4a7c15ull);
			char b[20] = { 0 }, w[20];
			sprintf(w, "f%d", i);
			if (f >= 0 && pread(f, b, 19, 0) > 0 && !strcmp(b, w))
				good++;
			close(f);
		}
		printf("%d of 1000\n", good);
		say("finish", finish(s));
		yes("none", session(device, RETRIEVE, "failures"));
		yes("cut name", raw(RETRIEVE, "fail", 5));
		yes("empty", session(device, RETRIEVE, ""));
		yes("case", session(device, RETRIEVE, "MANY"));
		if (boot == 3)
			return 0;
	}
	memset(n, 'L', 64);
	yes("64 bytes", raw(CREATE, n, 64));
	n[63] = 0;
	int s = raw(CREATE, n, 64);
	yes("63 bytes", s);
	yes("again", raw(CREATE, n, 64));
	for (int i = 0; i < 10; i++) {
		char t[40];
		sprintf(t, "file %d of boot %d", i, boot);
		say("preserve", preserve(s, memory(t), tokens[i]));
	} say("a token again", preserve(s, memory("x"), ~0ull));
	if (first)
		for (int b = 255; b > 0; b -= 27) {
			n[0] = b;
			n[1] = 0;
			int s = raw(CREATE, n, 2);
			printf("byte %02x: %s\n", b, s < 0 ? strerrorname_np(errno) : "ok");
			char t[20];
			sprintf(t, "byte %d", b);
			preserve(s, memory(t), b);
		}
	yes("a\\0b", raw(CREATE, "a\0b", 4));
	yes("a\\0c", raw(CREATE, "a\0c", 4));
	yes("A", session(device, CREATE, "A"));
	yes("a ", session(device, CREATE, "a "));
	s = session(device, CREATE, "failures");
	int pipes[2];
	pipe(pipes);
	int m = memory("same");
	int bad[] =
	    { pipes[0], -1, 9999, device, s, open("/proc/self/stat", O_RDONLY), open("/", O_RDONLY), open("/dev/null",
													  O_RDWR), m, m,
	    dup(m), memory("good") };
	for (int t = 0; t < 12; t++) {
		char w[30];
		sprintf(w, "fd %d", t);
		say(w, preserve(s, bad[t], t));
	} int s2 = session(device, CREATE, "second");
	say("in a second session", preserve(s2, m, 8));
	close(s);
	say("when the first is closed", preserve(s2, m, 8));
	s = session(device, CREATE, "failures");
	yes("failures, anew", s);
	say("it is in the second", preserve(s, m, 8));
	close(s2);
	say("and now", preserve(s, m, 8));
	say("a good one", preserve(s, bad[11], 11));
	s = session(device, CREATE, "many");
	int failed = 0;
	for (int i = 0; i < 1000; i++) {
		char t[20];
		sprintf(t, "f%d", i);
		int f = memory(t);
		failed += preserve(s, f, (uint64_t) i * 0x9e3779b97f4a7c15ull) < 0;
		close(f);
	} printf("failed %d\n", failed);
	next_boot();
	return 1;
}
