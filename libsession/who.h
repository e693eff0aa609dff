/*
 * libsession/who.h - who is logged in, for culver who and kick
 *
 * A few files in run_dir, run_dir/sessions.0 to .15, have a slot for each
 * session, on which its process holds a lock (fcntl(2)) as long as it lives:
 * what a dead process left counts no more, and needs nobody who cleans up.
 * A login costs three system calls.  The files are this machine's only.
 */
#ifndef SESSION_WHO_H
#define SESSION_WHO_H

#include <stdint.h>
#include <sys/types.h>

#include "conf/conf.h"

enum { WHO_PEER = 96, WHO_ACCOUNT = 136 };

struct who {
	int32_t pid;
	uint32_t protocol;	/* enum conf_protocol */
	int64_t since;		/* seconds since 1970 */
	char peer[WHO_PEER], account[WHO_ACCOUNT];
};

/* This process is in a session.  A descriptor, to be closed at its end; -1:
 * it isn't told of, which is no reason to end it. */
int who_enter(const struct conf *c, enum conf_protocol protocol,
    const char *peer, const char *account);
/* All sessions, in no order; fn != 0 stops and is returned.  -1: errno. */
int who_list(const struct conf *c,
    int (*fn)(void *arg, const struct who *w), void *arg);
/*
 * Sends SIGTERM to a session that who_list() told of: it says goodbye and
 * ends.  0; 1: it is over already; -1 with errno.
 */
int who_kick(const struct conf *c, const struct who *w);

#endif
