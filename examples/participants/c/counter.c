/*
 * A participant in C: it takes a number, in $HOME/counter, into the next kernel, as a memfd.
 *
 *     gcc -o counter counter.c
 *
 * luo calls it as: counter prepare|freeze|cancel|updated|finish
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static char path[4096];

/* The last line on standard error is the reason of the veto. */
static int veto(const char *what)
{
	fprintf(stderr, "cannot %s %s: %m\n", what, path);
	return 1;
}

/* A program that has its state in a memfd already preserves that, and copies nothing. */
static int preserve(long count)
{
	char command[200];
	int memfd = memfd_create("counter", 0);

	if (memfd < 0 || write(memfd, &count, sizeof(count)) != sizeof(count))
		return veto("copy");
	snprintf(command, sizeof(command), "luo file preserve \"$LUO_SESSION\" --fd %d --token 1 --label counter >&2", memfd);
	return system(command) != 0;
}

/* luo hands the memfd over as descriptor 3, at the position that it had. */
static int take_back(void)
{
	long count;
	FILE *file = fopen(path, "w");

	if (file == NULL || pread(3, &count, sizeof(count), 0) != sizeof(count))
		return veto("restore");
	fprintf(file, "%ld\n", count);
	return fclose(file) != 0;
}

int main(int argc, char **argv)
{
	const char *event = argc > 1 ? argv[1] : "", *home = getenv("HOME");
	long count;

	snprintf(path, sizeof(path), "%s/counter", home != NULL ? home : "");
	if (strcmp(event, "prepare") == 0)
		return access(path, R_OK) == 0 ? 0 : veto("read");
	if (strcmp(event, "freeze") == 0) {
		FILE *file = fopen(path, "r");

		if (file == NULL || fscanf(file, "%ld", &count) != 1)
			return veto("read");
		return preserve(count);
	}
	if (strcmp(event, "updated") == 0) {
		setenv("SELF", argv[0], 1);
		return system("luo file restore \"$LUO_SESSION\" 1 --exec -- \"$SELF\" take-back") != 0;
	}
	if (strcmp(event, "take-back") == 0)
		return take_back();
	return 0; /* cancel, finish: nothing was stopped. */
}
