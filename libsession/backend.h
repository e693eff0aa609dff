/*
 * libsession/backend.h - passwords that others check: PAM, or a program
 *
 * Where an account has "{PAM}" or "{COMMAND}" for a hash (culver-passwd(5)).
 */
#ifndef SESSION_BACKEND_H
#define SESSION_BACKEND_H

#include <stdbool.h>

#include "conf/conf.h"
#include "libbase/arena.h"
#include "libbase/slice.h"

#define BACKEND_PAM "{PAM}"
#define BACKEND_COMMAND "{COMMAND}"

struct backend_login {
	const char *protocol;		/* "imap" */
	const char *peer;		/* "192.0.2.1:4000" */
	struct slice user;		/* as given */
	struct slice account;		/* as in the password file */
	struct slice password;
};

bool backend_is(struct slice hash);
/* 1 right, 0 wrong, -1 that can't be told now (logged).  For several threads. */
int backend_check(const struct conf *c, struct slice hash,
    const struct backend_login *l, struct arena *a);

#endif
