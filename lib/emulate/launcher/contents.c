/* See contents.h. The bytes are those of luo's order, which stay where they are. */
#include "contents.h"

enum { CONTENTS = 32 };

static struct content contents[CONTENTS];
static uint32_t count;

void remember_content(const char *path, const char *bytes, uint64_t size)
{
	if (count < CONTENTS) contents[count++] = (struct content){ path, bytes, size };
}

static int is_name(const char *name, const char *path)
{
	while (*name && (*name == *path || (*name == ':' && *path == '/'))) name++, path++;
	return *name == 0 && *path == 0;
}

const struct content *content_of(const char *name)
{
	for (uint32_t index = 0; index < count; index++)
		if (is_name(name, contents[index].path + 1)) return &contents[index];
	return 0;
}
