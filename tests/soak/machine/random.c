/* Seeded random numbers (splitmix64), one sequence for each thread. */
#include "wild.h"

static __thread uint64_t state;

static uint64_t next(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

void seed_random(uint64_t seed) { state = seed; }
uint32_t below(uint32_t bound) { return bound == 0 ? 0 : next() % bound; }
int chance(uint32_t percent) { return below(100) < percent; }

uint64_t mixed(uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t before = state, result;
	state = a * 0x100000001b3 ^ b * 0x9e3779b1 ^ c << 40;
	next();
	result = next();
	state = before;
	return result;
}
