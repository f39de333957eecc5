/* A debugger steps a program through its calls: PTRACE_SYSCALL sees every call and its answer. */
#include "luo.h"
#include <sys/ptrace.h>
#include <sys/user.h>

int main(void)
{
	int status, entry = 1, opens = 0;
	in_first_boot();
	pid_t child = fork();
	if (child == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		int device = open(DEVICE, O_RDWR);
		int held = session(device, CREATE, "traced");
		int answer = preserve(held, memory("traced"), 3);
		_exit(device < 0 ? 1 : held < 0 ? 2 : answer < 0 ? 3 : 42);
	}
	waitpid(child, &status, 0);
	ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD);
	for (;;) {
		ptrace(PTRACE_SYSCALL, child, 0, 0);
		waitpid(child, &status, 0);
		if (WIFEXITED(status) || WIFSIGNALED(status)) break;
		if (WSTOPSIG(status) != (SIGTRAP | 0x80)) continue;
		struct user_regs_struct registers;
		ptrace(PTRACE_GETREGS, child, 0, &registers);
		if (!entry && registers.orig_rax == SYS_openat) printf("openat: %s\n", (long)registers.rax < 0 ? "failed" : "opened");
		if (!entry && registers.orig_rax == SYS_ioctl) printf("ioctl %llx: %lld\n", registers.rsi, (long long)registers.rax);
		opens += !entry && registers.orig_rax == SYS_openat;
		entry = !entry;
	}
	printf("ended with %d after %d opens\n", WEXITSTATUS(status), opens);
}
