/* Seeded numbers, and the values most operations are drawn from. */
#ifndef RANDOM_H
#define RANDOM_H

#include "operation.h"

#define PAGE 4096
#define MIB (1 << 20)
#define COUNT(values) (sizeof(values) / sizeof(*(values)))
#define PICK(values) ((values)[below(COUNT(values))])

void seed_random(uint32_t seed);
/* 0 <= n < bound. */
uint32_t below(uint32_t bound);
bool chance(uint32_t percent);
/* Whether the operations of this group are left out. */
bool is_left_out(char group);
int64_t file_slot(void);
/* The length of a file, or an offset in it; seldom more than 64 KiB. */
int64_t length(void);
/* A macro, because the compiler chooses the order in which the arguments of a function are evaluated, and so drawn. */
#define SET(op, a, b, c, d) ((op)->v[0] = (a), (op)->v[1] = (b), (op)->v[2] = (c), (op)->v[3] = (d))

extern const int64_t tokens[7], memfd_flags[10];

#endif
