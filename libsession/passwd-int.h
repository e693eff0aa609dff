/* libsession/passwd-int.h - what passwd.c and passwd-update.c share */
#ifndef SESSION_PASSWD_INT_H
#define SESSION_PASSWD_INT_H

#include "libsession/linefile.h"
#include "libsession/passwd.h"

/* 1 an entry, whose slices point into line; 0 a comment or blank; -1
 * malformed. */
int passwd_line(struct slice line, struct passwd_entry *e_r);
struct linefile passwd_linefile(const struct conf *c);

#endif
