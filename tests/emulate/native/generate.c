/* Draws the operations of a boot, one after the other. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "random.h"

const int64_t tokens[7] = { 0, 1, 2, 3, 7, INT64_MIN, -1 };
const int64_t memfd_flags[10] = { 1, 3, 3, 0x13, 0x13, 0x11, 0x9, 0x7, 0x40, 2 };

static uint32_t state;

void seed_random(uint32_t seed)
{
	state = seed;
}

/* splitmix32 */
uint32_t below(uint32_t bound)
{
	uint32_t z = state += 0x9e3779b9;

	z = (z ^ z >> 16) * 0x21f0aaad;
	z = (z ^ z >> 15) * 0x735a2d97;
	return (z ^ z >> 15) % bound;
}

bool chance(uint32_t percent)
{
	return below(100) < percent;
}

int64_t file_slot(void)
{
	return SESSIONS + below(FILES);
}

int64_t length(void)
{
	static const int64_t sizes[] = { 0, 1, 100, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE, 3 * PAGE, 64 * 1024 };
	static const int64_t large[] = { 2 * MIB - PAGE, 2 * MIB, 2 * MIB + 1, 3 * MIB };

	return chance(4) ? PICK(large) : PICK(sizes);
}

int kind_named(const char *name)
{
	int kind = 0;

	while (strcmp(kinds[kind].name, name))
		kind++;
	return kind;
}

static const char *left_out;

bool is_left_out(char group)
{
	return strchr(left_out, group);
}

static int total_weight(void)
{
	int sum = 0;

	for (const struct kind *kind = kinds; kind->name; kind++)
		sum += is_left_out(kind->group) ? 0 : kind->weight;
	return sum;
}

static int draw_kind(void)
{
	int point = below(total_weight()), kind = 0;

	for (;; kind++) {
		point -= is_left_out(kinds[kind].group) ? 0 : kinds[kind].weight;
		if (point < 0)
			return kind;
	}
}

static int draw_alive(unsigned int alive)
{
	int process;

	do
		process = below(PROCESSES);
	while (!(alive & 1u << process));
	return process;
}

/* A queue of operations that belong together. They are drawn for one process, which must not die between them. */
static struct op queue[200];
static int queued, taken, left;
static uint32_t boot_number;
static bool departed;

static struct op *append(const char *name, int process)
{
	struct op *op = &queue[queued++];

	*op = (struct op){ .kind = kind_named(name), .process = process };
	return op;
}

#define ADD(name, process, a, b, c) do { struct op *op = append(name, process); SET(op, a, b, c, 0); } while (0)

/* A boot begins with the retrieval of some sessions and files. Without this, chance would seldom retrieve one. */
static void arrive(void)
{
	ADD("spawn", 0, 0, 0, 0);
	ADD("open_device", 0, DEVICE, 0, O_RDWR);
	for (int session = 0; session < SESSIONS; session++) {
		if (chance(boot_number == 1 ? 80 : 25))
			continue;
		ADD("retrieve", 0, DEVICE, session, session);
		for (size_t i = 0; i < COUNT(tokens); i++) {
			int64_t slot = file_slot();

			if (chance(35))
				continue;
			ADD("retrieve_fd", 0, session, tokens[i], slot);
			ADD("look", 0, slot, 0, 0);
		}
	}
}

/* A boot ends with sessions that have files in them. */
static void depart(int process, unsigned int alive)
{
	for (int other = 0; other < PROCESSES; other++)
		if (alive & 1u << other)
			ADD("close", other, DEVICE, 0, 0);
	ADD("open_device", process, DEVICE, 0, O_RDWR);
	for (int session = 0; session < SESSIONS; session++) {
		ADD("create", process, DEVICE, session, session);
		for (size_t i = 0; i < COUNT(tokens); i++) {
			int64_t slot = file_slot();

			if (chance(60))
				continue;
			ADD("memfd", process, PICK(memfd_flags), slot, 0);
			ADD("fill", process, slot, length(), below(256));
			ADD("seek", process, slot, length(), SEEK_SET);
			ADD("preserve", process, session, slot, tokens[i]);
			if (chance(15))
				ADD("seek", process, slot, length(), SEEK_SET);
			if (chance(15))
				ADD("close", process, slot, 0, 0);
		}
	}
}

void begin_boot(uint32_t seed, int boot, int count, const char *out)
{
	boot_number = boot;
	left_out = out;
	queued = taken = 0;
	departed = false;
	left = count;
	seed_random(seed * 1000003 + boot_number);
	arrive();
}

bool next_operation(struct op *op, unsigned int alive)
{
	if (taken == queued && left <= 0 && !departed) {
		queued = taken = 0;
		departed = true;
		if (!alive)
			ADD("spawn", 0, 0, 0, 0);
		depart(alive ? draw_alive(alive) : 0, alive);
	}
	left--;
	if (taken < queued) {
		*op = queue[taken++];
		return true;
	}
	if (departed)
		return false;
	*op = (struct op){ .kind = alive ? draw_kind() : kind_named("spawn") };
	op->process = alive ? draw_alive(alive) : 0;
	kinds[op->kind].draw(op);
	if (kinds[op->kind].group == 'l')
		op->manner = chance(6) ? IN_A_THREAD : chance(6) ? UNDER_ALARMS : PLAIN;
	return true;
}

void describe(const struct op *op, char *text, size_t size)
{
	static const char *const manners[] = { "", " in a thread", " under alarms" };
	static const char *const memory[] = { "writable", "read-only", "NULL", "unmapped", "kernel" };
	char keys[80], *rest = keys, *key;
	size_t at = snprintf(text, size, "p%d %s%s", op->process, kinds[op->kind].name, manners[op->manner]);

	snprintf(keys, sizeof(keys), "%s", kinds[op->kind].keys);
	for (const int64_t *v = op->v; (key = strsep(&rest, " ")) && *key; v++) {
		const char *word = !strcmp(key, "spelling") ? spellings[*v].text : !strcmp(key, "name") ? names[*v] :
			!strcmp(key, "memory") ? memory[*v] : NULL;
		bool hex = !strcmp(key, "flags") || !strcmp(key, "request");

		if (!strcmp(key, "spelling"))
			at += snprintf(text + at, size - at, " %s=\"%s %s\"", key, ways[spellings[*v].way], word);
		else if (word)
			at += snprintf(text + at, size - at, " %s=\"%s\"", key, word);
		else
			at += snprintf(text + at, size - at, hex ? " %s=0x%llx" : " %s=%lld", key, (long long)*v);
	}
}
