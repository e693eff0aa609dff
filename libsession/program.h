/* libsession/program.h - programs of the administrator */
#ifndef SESSION_PROGRAM_H
#define SESSION_PROGRAM_H

#include <stdint.h>
#include <sys/types.h>

#include "libbase/buf.h"

/*
 * Runs argv[0] with the arguments, a small environment, signals as a program
 * expects them, and the descriptors as its 0, and 1 and 2; no others.  0, or -1
 * with errno.  For several threads.
 */
int program_start(char **argv, int in, int out, pid_t *pid_r);
/* Waits for its end, and takes what it says (fd: the other end of a pipe), as
 * far as said has room.  After the deadline (time_mono_ms()) it is killed.  Its
 * status as of waitpid(), or -1. */
int program_wait(pid_t pid, int fd, int64_t deadline, struct buf *said);

#endif
