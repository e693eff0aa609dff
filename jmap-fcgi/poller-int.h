/* jmap-fcgi/poller-int.h - what poller.c and follow.c share: open connections */
#ifndef JMAP_POLLER_INT_H
#define JMAP_POLLER_INT_H

#include <pthread.h>

#include "jmap-fcgi/record.h"
#include "jmap-fcgi/web.h"
#include "libsession/changed.h"
#include "libsession/session.h"

enum {
	LOOK_MS = 60000	/* a lost wake-up delays no longer */
};

struct follow {		/* somebody looks at an account */
	struct watched *of;
	struct viewer *viewer;
	struct follow *next_of;	/* of the same account */
	struct follow *next;	/* of the same viewer, its own account first */
};

struct watched {	/* an account that somebody looks at */
	char *account, *id;
	uint64_t seen;		/* modseq up to which all were told */
	char quota[QUOTA_STATE_MAX];	/* the same of Quota */
	int64_t next_look;
	struct follow *follows;
	struct watched *next;
};

struct viewer {		/* an account that has streams */
	char *account;
	struct stream *streams;
	struct follow *follows;
	int64_t next_shares;	/* when to look what others share with it */
	struct viewer *next;
};

struct stream {
	int fd, request_id;
	unsigned types;
	bool once, dead;
	uint32_t ping_s;
	int64_t due;		/* of a ping or the delayed answer; 0: none */
	char *account;		/* NULL: a delayed answer */
	int64_t until;		/* of a token, seconds since 1970; 0: no end */
	char *by;		/* who logged in, and with what */
	unsigned char credential[LOGIN_CREDENTIAL];
	uint64_t logins;	/* logins_generation() when that was right */
	struct park_seen *seen;	/* until it has joined */
	size_t n_seen;
	struct buf octets;	/* to send first, or when due */
	struct record_reader in;
	struct viewer *viewer;
	struct stream *next_of;	/* of the same viewer */
	struct stream *prev, *next;	/* of all */
	struct stream *next_new;	/* incoming, or dead */
};

struct poller {
	const struct jmap_env *env;
	pthread_t thread;
	pthread_mutex_t lock;	/* for the next four */
	struct stream *incoming;
	size_t n_streams, n_delayed;
	bool stop;
	int epoll, event;
	struct store_watch *watch;
	struct watched *accounts;
	struct viewer *viewers;
	struct stream *all;
	struct stream *dead;	/* freed when nobody looks at them any more */
	int64_t next_look;
};

/* Sends an event, or ends the stream: if that fails, if it was the one that was
 * waited for, or if the login is not right any more. */
void stream_tell(struct poller *p, struct stream *s, struct slice event);

/* ---- accounts (follow.c) ----------------------------------------------- */

/* Puts a new stream beside those of its account, and tells it what it missed.  0, or
 * -1. */
int follow_join(struct poller *p, struct stream *s);
void follow_leave(struct poller *p, struct stream *s);
/* Looks whether the account moved, and tells the streams. */
void follow_look(struct poller *p, struct watched *w);
/* Looks at what was not looked at for long. */
void follow_timers(struct poller *p, int64_t now);

#endif
