/* What interrupts a call on Linux does so here, and nothing else does: signals among the calls that luo serves, and waits of other processes. */
#include "luo.h"
#include <sys/epoll.h>
#include <sys/sem.h>

static volatile sig_atomic_t rang;
static void on_signal(int number) { (void)number; rang++; }

/* Each signal comes after two more rounds, so that the program gets on however slow the machine is. */
static pid_t sender(const int *rounds)
{
	pid_t parent = getpid(), child = fork();
	if (child != 0) return child;
	for (unsigned wait = 0;; wait = (wait + 37) % 400) {
		int enough = __atomic_load_n(rounds, __ATOMIC_ACQUIRE) + 2;
		while (__atomic_load_n(rounds, __ATOMIC_ACQUIRE) < enough) usleep(50);
		usleep(wait);
		kill(parent, SIGUSR1);
	}
}

static void among_signals(int device, int held)
{
	int wrong = 0, failed = 0, *rounds = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char byte;
	pid_t child = sender(rounds);
	for (; rang < 60; __atomic_add_fetch(rounds, 1, __ATOMIC_RELEASE)) {
		if (read(held, &byte, 1) != -1 || errno != EINVAL) wrong++;
		int more = session(device, CREATE, "another");
		if (more < 0) failed++;
		close(more);
		more = open("/dev/null", O_RDONLY);
		if (more < 0) failed++;
		close(more);
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	printf("among 60 signals: %d wrong, %d failed\n", wrong, failed);
}

static int queue, sets;
static struct timespec limit = { 20, 0 };
static sigset_t second;

static long by_epoll(void)
{
	struct epoll_event event;
	return epoll_pwait(queue, &event, 1, 20000, &second);
}

static long by_signal(void)
{
	return sigtimedwait(&second, NULL, &limit);
}

static long by_semaphore(void)
{
	struct sembuf take = { 0, -1, 0 };
	return semtimedop(sets, &take, 1, &limit);
}

static void until_asleep_or_dead(pid_t child)
{
	char path[32], state = 0;
	sprintf(path, "/proc/%d/stat", child);
	while (state != 'S' && state != 'Z') {
		usleep(1000);
		FILE *file = fopen(path, "r");
		fscanf(file, "%*d (%*[^)]) %c", &state);
		fclose(file);
	}
}

/* A process waits with a file in its hands. Meanwhile the file is preserved; then comes what the process waits for, or a signal. */
static void meanwhile(const char *what, int held, int token, long (*wait_for)(void), int other_signal)
{
	/* Each time a number that is not watched yet. */
	int file = fcntl(memory("x"), F_DUPFD, 100 * token), to[2], status;
	struct epoll_event event = { .events = EPOLLIN };
	struct sembuf give = { 0, 1, 0 };
	pipe(to);
	queue = epoll_create1(0);
	sets = semget(IPC_PRIVATE, 1, 0600);
	epoll_ctl(queue, EPOLL_CTL_ADD, to[0], &event);
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		say(what, wait_for());
		fflush(stdout);
		_exit(0);
	}
	until_asleep_or_dead(child);
	if (preserve(held, file, token) < 0) say("preserve", -1);
	if (other_signal) kill(child, SIGUSR1);
	else {
		until_asleep_or_dead(child);
		write(to[1], "x", 1);
		kill(child, SIGUSR2);
		semop(sets, &give, 1);
	}
	waitpid(child, &status, 0);
	semctl(sets, 0, IPC_RMID);
}

int main(void)
{
	struct sigaction action = { .sa_handler = on_signal };
	setvbuf(stdout, NULL, _IOLBF, 0);
	sigemptyset(&second);
	sigaddset(&second, SIGUSR2);
	sigprocmask(SIG_BLOCK, &second, NULL);
	sigaction(SIGUSR1, &action, NULL);
	int device = open(DEVICE, O_RDWR), held = session(device, CREATE, "held");
	among_signals(device, held);
	meanwhile("epoll_pwait", held, 1, by_epoll, 0);
	meanwhile("sigtimedwait", held, 2, by_signal, 0);
	meanwhile("semtimedop", held, 3, by_semaphore, 0);
	meanwhile("epoll_pwait, by a signal", held, 4, by_epoll, 1);
	meanwhile("sigtimedwait, by a signal", held, 5, by_signal, 1);
	meanwhile("semtimedop, by a signal", held, 6, by_semaphore, 1);
}
