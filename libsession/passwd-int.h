/* libsession/passwd-int.h - what passwd.c and passwd-update.c share */
#ifndef SESSION_PASSWD_INT_H
#define SESSION_PASSWD_INT_H

#include <stdio.h>
#include <sys/types.h>

#include "libsession/passwd.h"

enum {
	PASSWD_LINE_MAX = 1024,
	PASSWD_FILE_MAX = 1 << 30
};

/*
 * The first line of a file that passwd_update() wrote: the length of the file
 * in 12 digits.  Where it is right, the lines are in order.
 */
#define PASSWD_HEAD "#culver-passwd sorted "
enum { PASSWD_HEAD_LEN = sizeof(PASSWD_HEAD) - 1 + 12 + 1 };

/* 1 an entry, whose slices point into line; 0 a comment or blank; -1
 * malformed. */
int passwd_line(struct slice line, struct passwd_entry *e_r);
/* Calls fn for every line (without its end) of [off, end); fn != 0 stops and
 * is returned; -1 with errno. */
int passwd_scan(int fd, off_t off, off_t end,
    int (*fn)(void *arg, struct slice line), void *arg);

#endif
