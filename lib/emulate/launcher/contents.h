/* What is in the tripwires of files that stay the same for a boot: for a program that the guard cannot stop, because another program traces it. */
#ifndef CONTENTS_H
#define CONTENTS_H
#include "calls.h"

struct content { const char *path, *bytes; uint64_t size; };

void remember_content(const char *path, const char *bytes, uint64_t size);
/* `name`: the path with ':' in the place of '/', without the first. Returns 0 when there is none. */
const struct content *content_of(const char *name);

#endif
