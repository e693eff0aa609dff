/*
 * libsession/oauth.h - access tokens of an OAuth 2.0 authorization server
 *
 * JSON Web Tokens (RFC 7519, 9068) are checked with configured keys, others by
 * asking the server (RFC 7662).  The work is in a module, which is loaded when
 * the first token comes.
 */
#ifndef SESSION_OAUTH_H
#define SESSION_OAUTH_H

#include <stdbool.h>

#include "conf/conf.h"
#include "libbase/arena.h"
#include "libbase/slice.h"
#include "libsession/session.h"

struct oauth_found {
	struct slice user;	/* whom the claim names; in the arena */
	struct slice client;	/* who got the token; n 0: not told */
	int64_t until;		/* seconds since 1970; 0: not told */
	const char *why;	/* not LOGIN_OK: for the log; in the arena */
};

/* Is it configured? */
bool oauth_on(const struct conf *c);
/* LOGIN_OK; LOGIN_E_BAD: it is not good; LOGIN_E_DENIED: it has ended, or is
 * not for us; LOGIN_E_TEMP: that can't be told now.  For several threads. */
int oauth_verify(const struct conf *c, struct slice token, struct arena *a,
    struct oauth_found *f_r);

#endif
