/* Signals while calls of the device are made: handlers, a stopped process, a killed one, and what it held. */
#include "luo.h"
#include <time.h>

static volatile sig_atomic_t seen;
static void on_signal(int number) { (void)number; seen++; }

int main(void)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	int device, to[2], failed = 0;
	char byte;
	in_first_boot();
	sigaction(SIGUSR1, &action, NULL);
	device = open(DEVICE, O_RDWR);
	pid_t self = getpid(), sender = fork();
	if (sender == 0) for (;;) { kill(self, SIGUSR1); usleep(300); }
	for (int round = 0; round < 500; round++) {
		int held = session(device, CREATE, "again and again"), fd = memory("x");
		if (held < 0 || preserve(held, fd, round) < 0) failed++;
		close(fd);
		close(held);
	}
	kill(sender, SIGKILL);
	waitpid(sender, NULL, 0);
	printf("500 sessions among signals: %d failed, handler %s\n", failed, seen > 0 ? "ran" : "never ran");
	pipe(to);
	pid_t holder = fork();
	if (holder == 0) {
		int held = session(device, CREATE, "held");
		preserve(held, memory("data"), 1);
		write(to[1], "x", 1);
		for (;;) pause();
	}
	read(to[0], &byte, 1);
	kill(holder, SIGSTOP);
	yes("taken by a stopped process", session(device, CREATE, "held"));
	kill(holder, SIGCONT);
	yes("taken by a process that goes on", session(device, CREATE, "held"));
	kill(holder, SIGKILL);
	waitpid(holder, NULL, 0);
	yes("free after SIGKILL", session(device, CREATE, "held"));
}
