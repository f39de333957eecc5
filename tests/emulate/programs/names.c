/* Names of sessions: bytes of every kind, without an end, as GET_NAME and /proc give them back. */
#include "luo.h"

static void show(const char *bytes, int length)
{
	for (int at = 0; at < length; at++) printf(bytes[at] > 32 && bytes[at] < 127 ? "%c" : "\\%02x", (unsigned char)bytes[at]);
	printf("\n");
}

static void try(int device, const char *bytes, int length)
{
	struct session argument = { sizeof argument, -1, "" }, back = { sizeof back, -1, "" };
	char path[64], link[200];
	memcpy(argument.name, bytes, length);
	printf("name ");
	show(bytes, length);
	long answer = ioctl(device, CREATE, &argument);
	yes("  create", answer);
	if (answer < 0) return;
	say("  GET_NAME", ioctl(argument.fd, GET_NAME, &back));
	printf("  ");
	show(back.name, 64);
	sprintf(path, "/proc/self/fd/%d", argument.fd);
	int got = readlink(path, link, sizeof link);
	printf("  ");
	show(link, got);
	yes("  again", session(device, CREATE, argument.name));
	close(argument.fd);
}

int main(void)
{
	char long_name[64], high[8] = "\xff\xfe\x80", control[8] = "\x01\x7f\n\t";
	int device = open(DEVICE, O_RDWR);
	in_first_boot();
	memset(long_name, 'a', 64);
	try(device, "", 0);
	try(device, "a", 1);
	try(device, "a b", 3);
	try(device, "a/b", 3);
	try(device, "..", 2);
	try(device, "%s%n", 4);
	try(device, "a\0b", 3);
	try(device, "\0b", 2);
	try(device, high, 3);
	try(device, control, 4);
	try(device, "\xc3\xa4", 2);
	try(device, long_name, 63);
	try(device, long_name, 64);
	try(device, "luo-agent", 9);
	try(device, "systemd", 7);
}
