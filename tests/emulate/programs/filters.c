/* seccomp filters of the program's own, of every action, on the calls of the machine. */
#include "luo.h"
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <pthread.h>
#include <sys/prctl.h>
#define E(what, call) do { long r_ = (call); printf("%s: %s\n", what, r_ < 0 ? strerrorname_np(errno) : "yes"); } while (0)
static int filter(int nr, int argument, uint32_t value, uint32_t action, unsigned flags)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[argument])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog p = { 6, f };
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &p);
}
static void status(void)
{
	char line[200];
	FILE *f = fopen("/proc/self/status", "r");
	while (fgets(line, 200, f)) if (strncmp(line, "Seccomp", 7) == 0 || strncmp(line, "NoNew", 5) == 0) printf("%s", line);
	fclose(f);
	printf("mode %d\n", prctl(PR_GET_SECCOMP));
}
static void trapped(int number, siginfo_t *info, void *context)
{
	char text[100];
	sprintf(text, "SIGSYS code %d errno %d nr %d\n", info->si_code, info->si_errno, info->si_syscall);
	write(1, text, strlen(text));
}
static void *thread(void *unused) { E("in a thread", open(DEVICE, O_RDWR)); status(); return NULL; }
static void uses(int device, int s)
{
	E("open", open(DEVICE, O_RDWR)); E("create", session(device, CREATE, "again")); E("preserve", preserve(s, memory("x"), 77)); char b; E("read", read(s, &b, 1)); struct stat st; E("fstat", syscall(SYS_fstat, s, &st)); E("F_GETFL", fcntl(s, F_GETFL)); E("stat", stat(DEVICE, &st)); E("uname", syscall(SYS_uname, &(char[400]){ 0 }));
}
int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	int device = open(DEVICE, O_RDWR), s = session(device, CREATE, "filters");
	struct { const char *what; uint32_t action; } all[] = { { "errno", SECCOMP_RET_ERRNO | ENOTNAM }, { "errno 0", SECCOMP_RET_ERRNO }, { "errno far", SECCOMP_RET_ERRNO | 5000 }, { "trap", SECCOMP_RET_TRAP | 33 }, { "kill thread", SECCOMP_RET_KILL_THREAD }, { "kill", SECCOMP_RET_KILL_PROCESS }, { "log", SECCOMP_RET_LOG }, { "trace", SECCOMP_RET_TRACE }, { "allow", SECCOMP_RET_ALLOW } };
	status();
	for (int i = 0; i < 9; i++) {
		printf("== %s\n", all[i].what);
		CHILD("ioctl of the session", { struct sigaction a = { .sa_sigaction = trapped, .sa_flags = SA_SIGINFO }; sigaction(SIGSYS, &a, NULL); E("filter", filter(SYS_ioctl, 0, s, all[i].action, 0)); if (all[i].action != SECCOMP_RET_TRACE) uses(device, s); status(); });
		CHILD("read of the session", { struct sigaction a = { .sa_sigaction = trapped, .sa_flags = SA_SIGINFO }; sigaction(SIGSYS, &a, NULL); E("filter", filter(SYS_read, 0, s, all[i].action, 0)); if (all[i].action != SECCOMP_RET_TRACE) uses(device, s); });
		CHILD("fstat of the session", { struct sigaction a = { .sa_sigaction = trapped, .sa_flags = SA_SIGINFO }; sigaction(SIGSYS, &a, NULL); E("filter", filter(SYS_fstat, 0, s, all[i].action, 0)); if (all[i].action != SECCOMP_RET_TRACE) uses(device, s); });
	}
	CHILD("before the first fd", { close(device); close(s); E("filter", filter(SYS_openat, 2, O_WRONLY, SECCOMP_RET_ERRNO | ENOTNAM, 0)); E("read only", open(DEVICE, O_RDONLY)); E("write only", open(DEVICE, O_WRONLY)); int d = open(DEVICE, O_RDWR); E("both", d); close(d); });
	CHILD("two filters", { filter(SYS_read, 0, s, SECCOMP_RET_ERRNO | ENOTNAM, 0); E("second", filter(SYS_fcntl, 0, s, SECCOMP_RET_ERRNO | ENOANO, 0)); uses(device, s); status(); CHILD("child", { uses(device, s); status(); }); });
	CHILD("threads", { pthread_t t; E("all threads", filter(SYS_openat, 2, O_RDWR, SECCOMP_RET_ERRNO | ENOTNAM, SECCOMP_FILTER_FLAG_TSYNC)); pthread_create(&t, NULL, thread, NULL); pthread_join(t, NULL); });
	CHILD("flags", { E("log", filter(SYS_read, 0, 999, SECCOMP_RET_ALLOW, SECCOMP_FILTER_FLAG_LOG)); E("spec allow", filter(SYS_read, 0, 999, SECCOMP_RET_ALLOW, SECCOMP_FILTER_FLAG_SPEC_ALLOW)); E("unknown", filter(SYS_read, 0, 999, SECCOMP_RET_ALLOW, 1 << 10)); status(); });
	for (uint32_t i = 0; i < 9; i++) { uint32_t action = all[i].action & 0xffff0000; E("available", syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action)); }
	struct seccomp_notif_sizes z; E("sizes", syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &z));
	E("unknown operation", syscall(SYS_seccomp, 77, 0, NULL)); E("no filter", syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL)); E("prctl no filter", prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL));
	CHILD("forbidden to all", { struct sock_filter f[] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 2, 0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 1, 0), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EDOM), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) }; struct sock_fprog p = { 5, f }; prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); E("filter", prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p)); uses(device, s); E("write", write(s, "x", 1)); _exit(0); });
}
