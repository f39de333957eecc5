/*
 * A service in C hands its memory over a live update: it speaks Varlink to luo's agent, with plain sockets.
 *
 *     cc -o client client.c
 *     client SOCKET save      the old process: preserves a memfd
 *     client SOCKET restore   the new process, in the next kernel: takes the memfd back
 *
 * The requests are constant text and the answers are short, so they are written and read by hand. A program with more
 * to say takes a JSON library, or sd-varlink of systemd, which sends descriptors too.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const char STATE[] = "the state of a service in C";

/* Connects. After a kexec the agent of the next kernel needs a moment. */
static int connect_agent(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path))
		errx(1, "the path of the socket is too long");
	strcpy(address.sun_path, path);
	for (int tries = 0;; tries++) {
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (fd < 0)
			err(1, "socket");
		if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
			return fd;
		if ((errno != ENOENT && errno != ECONNREFUSED) || tries == 600)
			err(1, "%s", path);
		close(fd);
		usleep(50000);
	}
}

/* Room for one file descriptor that goes with a message. */
union control {
	char bytes[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

/* Sends a message with the NUL that ends it, and with a file descriptor when send_fd is not -1. */
static void send_message(int agent, const char *text, int send_fd)
{
	size_t left = strlen(text) + 1;

	while (left > 0) {
		union control control = { 0 };
		struct iovec iov = { (void *)text, left };
		struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
		ssize_t sent;

		if (send_fd >= 0) {
			struct cmsghdr *header;

			message.msg_control = control.bytes;
			message.msg_controllen = sizeof(control.bytes);
			header = CMSG_FIRSTHDR(&message);
			header->cmsg_level = SOL_SOCKET;
			header->cmsg_type = SCM_RIGHTS;
			header->cmsg_len = CMSG_LEN(sizeof(int));
			memcpy(CMSG_DATA(header), &send_fd, sizeof(int));
		}
		sent = sendmsg(agent, &message, MSG_NOSIGNAL);
		if (sent < 0)
			err(1, "send");
		text += sent;
		left -= sent;
		/* The descriptor went with the first byte. */
		send_fd = -1;
	}
}

/* The answer to a call: the file descriptor that came with it, or -1. Ends the program on an error. */
static int receive_answer(int agent, const char *call)
{
	static char answer[65536];
	size_t length = 0;
	int fd = -1;

	while (length == 0 || answer[length - 1] != '\0') {
		union control control;
		struct iovec iov = { answer + length, sizeof(answer) - length };
		struct msghdr message = {
			.msg_iov = &iov, .msg_iovlen = 1,
			.msg_control = control.bytes, .msg_controllen = sizeof(control.bytes),
		};
		ssize_t got = recvmsg(agent, &message, MSG_CMSG_CLOEXEC);
		struct cmsghdr *header;

		if (got <= 0)
			errx(1, "the agent ended the connection");
		header = CMSG_FIRSTHDR(&message);
		if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
			memcpy(&fd, CMSG_DATA(header), sizeof(int));
		length += got;
	}
	/* A good answer has no error, and "error" is no key of its parameters. */
	if (strstr(answer, "\"error\":"))
		errx(1, "%s: %s", call, answer);
	return fd;
}

static int call(int agent, const char *text, int send_fd)
{
	send_message(agent, text, send_fd);
	return receive_answer(agent, text);
}

#define METHOD(name, parameters) "{\"method\":\"io.luo.Agent." name "\",\"parameters\":{" parameters "}}"
#define FILE_1 "\"session\":\"c\",\"token\":\"1\""

static void save(int agent)
{
	int memfd = memfd_create("state", MFD_CLOEXEC);

	if (memfd < 0 || write(memfd, STATE, sizeof(STATE)) != sizeof(STATE))
		err(1, "memfd");
	call(agent, METHOD("CreateSession", "\"name\":\"c\""), -1);
	call(agent, METHOD("PreserveFile", FILE_1 ",\"fileFd\":0,\"label\":\"state\""), memfd);
}

static void restore(int agent)
{
	char state[sizeof(STATE)];
	int memfd;

	call(agent, METHOD("RetrieveSession", "\"name\":\"c\""), -1);
	/* The file counts as restored when its contents are safe, so not yet. */
	memfd = call(agent, METHOD("RestoreFile", FILE_1 ",\"mark\":false"), -1);
	if (memfd < 0)
		errx(1, "no file descriptor came");
	if (pread(memfd, state, sizeof(state), 0) != sizeof(state) || memcmp(state, STATE, sizeof(state)))
		errx(1, "the state is wrong");
	call(agent, METHOD("MarkFile", FILE_1 ",\"restored\":true"), -1);
	call(agent, METHOD("FinishSession", "\"name\":\"c\""), -1);
	printf("C: %s\n", state);
}

int main(int argc, char **argv)
{
	int agent;

	if (argc != 3)
		errx(2, "usage: client SOCKET save|restore");
	agent = connect_agent(argv[1]);
	if (strcmp(argv[2], "save") == 0)
		save(agent);
	else
		restore(agent);
	return 0;
}
