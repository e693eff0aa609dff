/* libsession/oauth-int.h - between oauth.c and the module oauth.so */
#ifndef SESSION_OAUTH_INT_H
#define SESSION_OAUTH_INT_H

#include <stddef.h>
#include <stdint.h>

#include "libbase/slice.h"

enum { OAUTH_MODULE_VERSION = 1, OAUTH_USER_MAX = 511, OAUTH_WHY_MAX = 159 };

/* Results of verify: it is good; it is not; it is good no more, or not for us;
 * that can't be told now. */
enum { OAUTH_OK = 0, OAUTH_BAD = -1, OAUTH_DENIED = -2, OAUTH_TEMP = -3 };

/* All strings are borrowed; NULL or n 0 where a thing isn't configured. */
struct oauth_request {
	struct slice token;
	int64_t now;		/* seconds since 1970 */
	struct slice keys;	/* PEM or a JWK set */
	const char *issuer, *audience, *claim, *scope;
	const char *introspection;	/* URL (RFC 7662) */
	const char *client;
	struct slice secret;	/* of the client */
	const char *ca_file;
};

struct oauth_answer {
	char user[OAUTH_USER_MAX + 1];
	char client[OAUTH_USER_MAX + 1];	/* who got the token; may be empty */
	int64_t until;		/* seconds since 1970; 0: not told */
	char why[OAUTH_WHY_MAX + 1];	/* not OAUTH_OK: for the log */
};

/* The module exports this structure as "culver_oauth_module".  It links
 * GnuTLS, Jansson and libcurl, and nothing of ours. */
struct oauth_module {
	uint32_t version;	/* OAUTH_MODULE_VERSION, and the size of this */
	uint32_t size;
	int (*verify)(const struct oauth_request *q, struct oauth_answer *a_r);
};

#endif
