/* A process of the traffic: it makes the operations that the conductor orders, and answers with their results. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "operation.h"

int slots[SLOTS];
static int me;
static int child;

void say(char *result, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(result, RESULT_MAX, format, arguments);
	va_end(arguments);
}

void say_result(char *result, long value)
{
	if (value < 0)
		say(result, "%s", strerrorname_np(errno));
	else
		say(result, "%ld", value);
}

void keep(char *result, int64_t slot, long fd)
{
	if (fd < 0)
		return say_result(result, fd);
	if (slots[slot] >= 0)
		close(slots[slot]);
	slots[slot] = fd;
	say(result, "fd");
}

/* FNV-1a. */
uint32_t digest(const void *bytes, size_t length, uint32_t so_far)
{
	uint32_t hash = so_far ? so_far : 0x811c9dc5;

	for (const unsigned char *at = bytes, *end = at + length; at < end; at++)
		hash = (hash ^ *at) * 0x01000193;
	return hash;
}

/* An fd in flight in a socket keeps its file, or its session, alive. */
void send_slot(const struct op *op, char *result)
{
	char byte = 1, control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec part = { &byte, 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &slots[op->v[0]], sizeof(int));
	say_result(result, sendmsg(MAIL_IN_FD, &message, MSG_DONTWAIT));
}

void receive_slot(const struct op *op, char *result)
{
	char byte, control[CMSG_SPACE(sizeof(int))];
	struct iovec part = { &byte, 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	int fd;

	if (recvmsg(MAIL_OUT_FD, &message, MSG_DONTWAIT | (op->v[1] ? MSG_CMSG_CLOEXEC : 0)) < 0)
		return say_result(result, -1);
	if (!CMSG_FIRSTHDR(&message))
		return say(result, "no fd");
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
	keep(result, op->v[0], fd);
}

/* The conductor is the child's parent and waits for its end, so all fds of a dead process are closed before the next operation. */
void fork_process(const struct op *op, char *result)
{
	child = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, 0);
	if (child == 0)
		work(op->v[0]);
	say(result, child > 0 ? "a child" : strerrorname_np(errno));
}

/* The fds without FD_CLOEXEC stay open; the new program looks which ones these are. */
void exec_self(const struct op *op, char *result)
{
	char text[SLOTS * 12] = "", process[12];
	char *const argv[] = { "native", "worker", process, text, NULL };

	for (int slot = 0; slot < SLOTS; slot++) {
		sprintf(text + strlen(text), "%d ", slots[slot]);
		if (op->v[0])
			fcntl(slots[slot], F_SETFD, 0);
	}
	sprintf(process, "%d", me);
	execv("/proc/self/exe", argv);
	say_result(result, -1);
}

struct call {
	const struct op *op;
	char *result;
};

static void *in_a_thread(void *argument)
{
	const struct call *call = argument;

	kinds[call->op->kind].perform(call->op, call->result);
	return NULL;
}

static void ignore(int number)
{
	(void)number;
}

static void under_alarms(const struct op *op, char *result)
{
	struct sigaction action = { .sa_handler = ignore, .sa_flags = SA_RESTART };
	struct itimerval often = { { 0, 300 }, { 0, 300 } }, never = { 0 };

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	kinds[op->kind].perform(op, result);
	setitimer(ITIMER_REAL, &never, NULL);
}

static void perform(const struct op *op, char *result)
{
	struct call call = { op, result };
	pthread_t thread;

	if (op->manner == UNDER_ALARMS)
		return under_alarms(op, result);
	if (op->manner != IN_A_THREAD)
		return kinds[op->kind].perform(op, result);
	if (pthread_create(&thread, NULL, in_a_thread, &call))
		return say(result, "no thread");
	pthread_join(thread, NULL);
}

void work(int process)
{
	struct op op;

	me = process;
	while (read(ORDERS_FD(me), &op, sizeof(op)) == sizeof(op)) {
		struct answer answer = { 0 };

		child = 0;
		perform(&op, answer.result);
		answer.pid = child;
		write(ANSWERS_FD(me), &answer, sizeof(answer));
	}
	_exit(1);
}

void resume_after_exec(int process)
{
	struct answer answer = { 0 };
	int kept = 0;

	for (int slot = 0; slot < SLOTS; slot++) {
		if (slots[slot] >= 0 && fcntl(slots[slot], F_GETFD) < 0)
			slots[slot] = -1;
		kept += slots[slot] >= 0;
	}
	say(answer.result, "kept %d", kept);
	write(ANSWERS_FD(process), &answer, sizeof(answer));
	work(process);
}
