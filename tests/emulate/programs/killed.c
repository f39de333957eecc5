/* Processes with threads are killed while luo gives them fds, and watches more and more numbers of theirs. The machine goes on. */
#include "luo.h"
#include <pthread.h>

enum { ROUNDS = 100, THREADS = 3 };

static void *busy(void *nothing)
{
	for (;;) getppid();
	return nothing;
}

static void live(void)
{
	pthread_t thread;
	int device = open(DEVICE, O_RDWR), held = session(device, CREATE, "killed");
	for (int count = 0; count < THREADS; count++) pthread_create(&thread, NULL, busy, NULL);
	for (int number = 10;; number = number < 40 ? number + 1 : 10) dup2(held, number);
}

int main(void)
{
	int killed = 0;
	for (int round = 0; round < ROUNDS; round++) {
		int status = 0;
		pid_t child = fork();
		if (child == 0) live();
		usleep(300 + round % 50 * 100);
		kill(child, SIGKILL);
		waitpid(child, &status, 0);
		killed += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
	}
	say("killed", killed);
	return 0;
}
