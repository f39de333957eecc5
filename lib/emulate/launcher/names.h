/* The names in /dev, /tmp and /run that are the machine's own. */
#ifndef NAMES_H
#define NAMES_H

/* Mounts memory of the machine there, in a mount namespace of its own. Returns a negative errno where that is not to be had. */
long own_names(void);

#endif
