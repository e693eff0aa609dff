/*
 * libstore/push.h - an account's push subscriptions (RFC 8620 7.2)
 *
 * A part of the API of store.h, whose rules hold here too.
 */
#ifndef STORE_PUSH_H
#define STORE_PUSH_H

#include "libstore/store.h"

enum {
	STORE_PUSH_MAX = 32,		/* of an account */
	STORE_PUSH_HOURLY = 64,		/* that are made in an hour */
	STORE_PUSH_TYPES_MAX = 64,
	STORE_PUSH_TEXT_MAX = 2048,	/* octets of a URL or other text */
	STORE_PUSH_CREDENTIAL = 32,	/* octets */
	STORE_PUSH_KEY = 65, STORE_PUSH_AUTH = 16
};
enum store_push_state {
	STORE_PUSH_NEW,		/* its code is to be sent */
	STORE_PUSH_SENT,	/* nothing more, until it comes back */
	STORE_PUSH_VERIFIED,
	STORE_PUSH_STATES
};
enum {	/* what is to be set */
	STORE_PUSH_SET_STATE = 1, STORE_PUSH_SET_EXPIRES = 2,
	STORE_PUSH_SET_TYPES = 4,
	STORE_PUSH_SET_TRY = 8	/* told, next_try, attempts, gap_s */
};
struct store_push {
	uint64_t id;
	enum store_push_state state;
	int64_t expires;	/* seconds, as all times here */
	/* Who made it: the login name, and a hash that is another one once
	 * the password is. */
	struct slice user;
	unsigned char credential[STORE_PUSH_CREDENTIAL];
	struct slice device, url, code;
	struct slice p256dh, auth;	/* both, or p NULL: no encryption */
	bool all_types;
	struct slice *type;	/* else these names */
	size_t n_type;
	uint64_t told;		/* modseq of what was pushed */
	int64_t next_try;
	uint32_t attempts;	/* that failed since one was well */
	uint32_t gap_s;		/* at least, between two pushes */
};
/* In the order of their creation. */
int store_push_list(struct store *st, struct arena *a,
    struct store_push **v_r, size_t *n_r);
int store_push_get(struct store *st, struct arena *a, uint64_t id,
    struct store_push *v_r);
/*
 * A new one, in state NEW; told is the account's modseq.  LIMIT: there are too
 * many; BUSY: too many were made lately; INVALID: something is too long.
 */
int store_push_create(struct store *st, const struct store_push *v,
    uint64_t *id_r);
/* Sets what the bits of set name; a state never goes back. */
int store_push_update(struct store *st, uint64_t id,
    const struct store_push *v, unsigned set);
int store_push_destroy(struct store *st, uint64_t id);

/* ---- accounts that have any -------------------------------------------- */

/*
 * mail_dir/.push/ACCOUNT is a hint that the account may have subscriptions:
 * made before one is, and its time of change is newer than whatever a client
 * changed in them.
 */
int store_push_hint(struct store *st);
/* Takes it away where there is none. */
int store_push_settle(struct store *st);
/* The directory, made if it isn't there; xmalloc.  NULL with errno. */
char *store_push_dir(const struct store_conf *cf);
/* Calls fn for each account with a hint.  fn != 0 stops and is returned. */
int store_push_each(const struct store_conf *cf,
    int (*fn)(void *arg, const char *account), void *arg);
/* When that hint was touched last; 0: there is none. */
int64_t store_push_touched(const struct store_conf *cf, const char *account);
/*
 * After each change of such an account its hint is touched, and its name is sent
 * as a datagram to the socket that the configuration names (push_socket): by any
 * process, without waiting.  A datagram may get lost; the touch doesn't.
 */
/* An account of that name is no more. */
void store_push_forget(const struct store_conf *cf, const char *account);

#endif
