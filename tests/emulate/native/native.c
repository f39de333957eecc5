/*
 * Random traffic of native processes on /dev/liveupdate: `native SEED BOOTS COUNT [GROUPS LEFT OUT]`, once in each boot
 * (LUO_BOOT, 1 when unset). This program is the conductor: it gives one operation at a time to one of its processes and
 * prints a line for it, `BOOT.NUMBER pP KIND ARGUMENTS -> RESULT`. Nothing in the line depends on pids, times or inode
 * numbers. Every boot but the last ends with a kexec, while the processes still have their fds open. Without LUO_KERNEL
 * the conductor makes no operation and prints those of all boots.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "operation.h"

#define PATIENCE_MS 30000

/* The conductor's ends of the pipes to its processes; 0: the process does not live. */
static int orders[PROCESSES], answers[PROCESSES];
static pid_t pids[PROCESSES];

static void fail(const char *what)
{
	printf("native: %s: %s\n", what, strerrorname_np(errno));
	exit(2);
}

static void make_pair(int *ours, int theirs, int type)
{
	int pair[2];

	if (socketpair(AF_UNIX, type, 0, pair) < 0 || dup2(pair[1], theirs) < 0)
		fail("socketpair");
	close(pair[1]);
	*ours = fcntl(pair[0], F_DUPFD_CLOEXEC, 200);
	close(pair[0]);
}

static void make_channels(void)
{
	struct rlimit no_core = { 0, 0 };
	int mail_in;

	setrlimit(RLIMIT_CORE, &no_core);
	signal(SIGPIPE, SIG_IGN);
	for (int process = 0; process < PROCESSES; process++) {
		make_pair(&orders[process], ORDERS_FD(process), SOCK_SEQPACKET);
		make_pair(&answers[process], ANSWERS_FD(process), SOCK_SEQPACKET);
	}
	make_pair(&mail_in, MAIL_OUT_FD, SOCK_SEQPACKET);
	dup2(mail_in, MAIL_IN_FD);
	close(mail_in);
}

static unsigned int alive(void)
{
	unsigned int bits = 0;

	for (int process = 0; process < PROCESSES; process++)
		bits |= (pids[process] > 0) << process;
	return bits;
}

/* A process that shares nothing with the others but the mailbox. */
static void spawn(int process, char *result)
{
	if (pids[process])
		return say(result, "alive");
	fflush(stdout);
	pids[process] = fork();
	if (pids[process] == 0) {
		memset(slots, -1, sizeof(slots));
		work(process);
	}
	say(result, "a process");
}

static void bury(int process, char *result)
{
	int status;

	waitpid(pids[process], &status, 0);
	pids[process] = 0;
	say(result, WIFSIGNALED(status) ? "signal %d" : "exit %d", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

static void kill_process(int process, int how, char *result)
{
	/* A single byte is not a whole order, and the process exits by itself. */
	if (how % 3 == 0)
		write(orders[process], "", 1);
	else
		kill(pids[process], how % 3 == 1 ? SIGKILL : SIGSEGV);
	bury(process, result);
}

static void order(const struct op *op, char *result)
{
	struct pollfd event = { .fd = answers[op->process], .events = POLLIN };
	struct answer answer = { 0 };

	if (op->kind == kind_named("fork") && pids[op->v[0]])
		return say(result, "alive");
	write(orders[op->process], op, sizeof(*op));
	if (poll(&event, 1, PATIENCE_MS) != 1 || read(answers[op->process], &answer, sizeof(answer)) != sizeof(answer)) {
		bool dead = waitpid(pids[op->process], NULL, WNOHANG) > 0;

		kill(pids[op->process], SIGKILL);
		if (!dead)
			waitpid(pids[op->process], NULL, 0);
		pids[op->process] = 0;
		return say(result, "NO ANSWER");
	}
	if (answer.pid > 0)
		pids[op->v[0]] = answer.pid;
	memcpy(result, answer.result, RESULT_MAX);
}

/* Prints the operations of a boot and makes none. */
static void list(int boot)
{
	char text[400];
	struct op op;

	for (int number = 0; next_operation(&op, alive()); number++) {
		describe(&op, text, sizeof(text));
		printf("%d.%d %s\n", boot, number, text);
		if (op.kind == kind_named("spawn") || op.kind == kind_named("fork"))
			pids[op.v[0]] = 1;
		if (op.kind == kind_named("die"))
			pids[op.process] = 0;
	}
	memset(pids, 0, sizeof(pids));
}

static void play(int boot)
{
	char text[400], result[RESULT_MAX];
	struct op op;

	for (int number = 0; next_operation(&op, alive()); number++) {
		describe(&op, text, sizeof(text));
		if (!strcmp(kinds[op.kind].name, "spawn"))
			spawn(op.v[0], result);
		else if (!strcmp(kinds[op.kind].name, "die"))
			kill_process(op.process, op.v[0], result);
		else
			order(&op, result);
		printf("%d.%d %s -> %s\n", boot, number, text, result);
	}
}

static int worker(char **argv)
{
	for (int slot = 0; slot < SLOTS; slot++)
		slots[slot] = strtol(argv[3], &argv[3], 10);
	resume_after_exec(atoi(argv[2]));
}

int main(int argc, char **argv)
{
	const char *variable = getenv("LUO_BOOT"), *directory = getenv("LUO_NATIVE_DIR");
	int boot = variable ? atoi(variable) : 1;
	char result[RESULT_MAX];

	if (argc == 4 && !strcmp(argv[1], "worker"))
		return worker(argv);
	if (argc < 4)
		return fprintf(stderr, "usage: native SEED BOOTS COUNT [GROUPS]\n"), 2;
	/* Without a next kernel this is an ordinary host. The traffic has kexecs in it, so the operations are only printed. */
	if (!getenv("LUO_KERNEL")) {
		for (boot = 1; boot <= atoi(argv[2]); boot++) {
			begin_boot(atoi(argv[1]), boot, atoi(argv[3]), argc > 4 ? argv[4] : "");
			list(boot);
		}
		return 0;
	}
	if (chdir(directory ? directory : "/tmp") < 0 || (symlink("/dev/liveupdate", "device-link") < 0 && errno != EEXIST))
		fail("the link");
	make_channels();
	begin_boot(atoi(argv[1]), boot, atoi(argv[3]), argc > 4 ? argv[4] : "");
	play(boot);
	fflush(stdout);
	if (boot < atoi(argv[2]))
		fail(next_boot());
	for (int process = 0; process < PROCESSES; process++)
		if (pids[process])
			kill_process(process, 1, result);
	return 0;
}
