/* Every request with every size of its struct, and with each byte of the rest set. */
#include "luo.h"

static const struct { const char *name; int request; unsigned size; int by_session; } requests[] = {
	{ "CREATE", CREATE, 72, 0 }, { "RETRIEVE", RETRIEVE, 72, 0 }, { "PRESERVE", PRESERVE, 16, 1 },
	{ "RESTORE", RESTORE, 16, 1 }, { "FINISH", FINISH, 8, 1 }, { "GET_NAME", GET_NAME, 72, 1 },
};

int main(void)
{
	in_first_boot();
	int device = open(DEVICE, O_RDWR), one = session(device, CREATE, "one");
	for (unsigned which = 0; which < sizeof requests / sizeof *requests; which++) {
		for (unsigned size = 0; size <= 160; size += size < 20 || (size > 64 && size < 80) ? 1 : 8) {
			char bytes[160] = { 0 };
			char label[64];
			int target = requests[which].by_session ? one : device;
			*(uint32_t *)bytes = size;
			sprintf(bytes + 8, "n%u", size);
			*(int32_t *)(bytes + 4) = -1;
			sprintf(label, "%s of %u", requests[which].name, size);
			long answer = ioctl(target, requests[which].request, bytes);
			say(label, answer < 0 ? -1 : 0);
		}
	}
	for (int number = 0xba00; number <= 0xba4f; number++) {
		uint64_t zeros[32] = { 72 };
		char label[32];
		sprintf(label, "%x on a session", number);
		if (number < 0xba40 || number > 0xba43) say(label, ioctl(one, number, zeros));
		sprintf(label, "%x on the device", number);
		if (number > 0xba01) say(label, ioctl(device, number, zeros));
	}
	say("with direction bits", ioctl(one, 0xc048ba43UL, &(struct session){ 72 }));
	say("high bits of the request", syscall(SYS_ioctl, one, 0x1000000000000ba43UL & 0xffffffffffffUL, &(struct session){ 72 }));
	say("no pointer", ioctl(one, GET_NAME, 0));
	say("kernel's address", ioctl(one, GET_NAME, 0xffffffff80000000UL));
	say("unaligned", ioctl(one, GET_NAME, ({ static char room[80]; *(uint32_t *)(room + 3) = 72; room + 3; })));
}
