/*
 * jmap-push/push.h - pushes changes to the URLs of push subscriptions
 *
 * main.c hears which accounts changed; accounts.c knows which of them have
 * something to push, or will have; look.c finds out what that is; post.c sends
 * it; guard.c says where to.
 */
#ifndef PUSH_PUSH_H
#define PUSH_PUSH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "conf/conf.h"
#include "libsession/webpush.h"
#include "libstore/push.h"

struct posts;

struct pusher {
	const struct conf *conf;
	struct store_conf store_conf;	/* one that wakes nobody */
	struct vapid vapid;
	struct posts *posts;
	struct account *accounts;	/* see accounts.c */
	void *by_name;
};

/* ---- accounts.c -------------------------------------------------------- */

/* An account with something to push, now or later. */
struct account {
	char *name;
	bool changed;		/* it is to be looked at */
	unsigned posts;		/* that are under way: nobody looks meanwhile */
	int64_t due;		/* look then, seconds; 0: no reason to */
	struct account *next, *prev;
};

/* Something changed in it. */
void account_changed(struct pusher *p, const char *name);
/* It is to be looked at no later than that. */
void account_due(struct account *a, int64_t at);
/* Looks at all that are to be; forgets those with nothing left to do. */
void accounts_run(struct pusher *p, int64_t now);
/* How long nothing is due, at most max_ms; -1: there is no account. */
int accounts_wait_ms(const struct pusher *p, int64_t now, int max_ms);
void accounts_free(struct pusher *p);

/* ---- look.c ------------------------------------------------------------ */

/* Begins to post what there is to push of an account, and sets its due. */
void look(struct pusher *p, struct account *a, int64_t now);

/* ---- post.c ------------------------------------------------------------ */

enum {
	POST_OK,
	POST_GONE,		/* there is no such subscription any more */
	POST_SLOWER,		/* 429 */
	POST_FAILED
};
enum { POSTS_MAX = 64 };	/* under way at once */

struct post {
	struct account *account;
	uint64_t id;		/* of the subscription */
	struct slice url, p256dh, auth;	/* keys: p NULL, not encrypted */
	bool verification;
	uint64_t told;		/* modseq that it tells of */
	int64_t expires;	/* of the subscription */
	const char *urgency;	/* RFC 8030 5.3 */
	struct slice body;
};

/* p is borrowed, and told of what ended by posted(). */
struct posts *posts_new(struct pusher *p);
void posts_free(struct posts **v);
bool posts_full(const struct posts *v);
/* Begins; all is copied.  -1: it can't be sent at all. */
int posts_start(struct posts *v, const struct post *post);
/* Waits until something happens, also on fd (-1: none), and calls posted() for
 * each post that ended. */
void posts_wait(struct posts *v, int fd, int timeout_ms);

/*
 * A post ended; in look.c.  result: POST_*; retry_s: how long the push service
 * wants to be left alone, 0: it doesn't say; why: for the log.
 */
void posted(struct pusher *p, const struct post *post, int result,
    int64_t retry_s, const char *why);

/* ---- guard.c ----------------------------------------------------------- */

/*
 * Is that an address of the public Internet?  By IANA's registries of special
 * addresses (RFC 6890); an address of IPv4 within one of IPv6 is looked at, too.
 */
bool address_public(const struct sockaddr *sa);

#endif
