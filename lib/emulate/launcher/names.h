/* The names in /dev, /tmp and /run that are the machine's own. */
#ifndef NAMES_H
#define NAMES_H
#include <stdint.h>

/* Mounts memory of the machine there, in a mount namespace of its own. Returns a negative errno where that is not to be had. */
long own_names(void);
/* Mounts memory there in which every name is the host's. `mode` 0: that of the directory. */
long own_copy(const char *path, uint32_t mode, const char *source);

#endif
