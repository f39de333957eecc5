/* The signals of the guard, and of the process that serves the tripwires. */
#ifndef SIGNALS_H
#define SIGNALS_H

/* All but SIGCHLD. A program of the machine may send a signal to every process. */
void ignore_signals(void);

#endif
