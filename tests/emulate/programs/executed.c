/* Processes with threads execute another program while luo gives them their first fds: the guard seizes their threads meanwhile. */
#include "luo.h"
#include <pthread.h>

enum { ROUNDS = 60, THREADS = 4 };

static void *executes(void *nothing)
{
	char *const arguments[] = { "true", NULL };
	usleep(rand() % 400);
	execve("/proc/self/exe", arguments, NULL);
	return nothing;
}

static void *opens(void *nothing)
{
	int device = open(DEVICE, O_RDWR | O_CLOEXEC);
	for (;;) close(session(device, CREATE, "executed"));
	return nothing;
}

static void live(int seed)
{
	pthread_t thread;
	srand(seed);
	for (int count = 0; count < THREADS; count++) pthread_create(&thread, NULL, opens, NULL);
	executes(NULL);
	_exit(1);
}

int main(int count, char **arguments)
{
	int executed = 0;
	if (count == 1 && strcmp(arguments[0], "true") == 0) return 0;
	for (int round = 0; round < ROUNDS; round++) {
		int status = 0;
		pid_t child = fork();
		if (child == 0) live(round);
		waitpid(child, &status, 0);
		executed += WIFEXITED(status) && WEXITSTATUS(status) == 0;
	}
	say("executed", executed);
	return 0;
}
