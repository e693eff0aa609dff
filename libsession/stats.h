/*
 * libsession/stats.h - what was done since this machine started, counted
 *
 * run_dir/stats is a file of counters that all processes share: they are added
 * to atomically, without a lock, when a session ends (JMAP: a request).  It is of
 * this machine and this version only; one that isn't right is replaced.
 */
#ifndef SESSION_STATS_H
#define SESSION_STATS_H

#include <stdint.h>

#include "conf/conf.h"

enum stats_id {	/* new ones at the end, with stats_names[] and the version */
	STATS_SESSIONS,		/* that ended; JMAP: requests */
	STATS_TLS,		/* of them in TLS */
	STATS_LOGINS,
	STATS_LOGIN_FAILURES,
	STATS_COMMANDS,
	STATS_REFUSED,
	STATS_BYTES_IN,
	STATS_BYTES_OUT,
	STATS_MS,		/* all sessions' time */
	STATS_N
};
enum { STATS_PROTOCOLS = 4 };	/* enum conf_protocol */

/* "sessions", ... */
extern const char *const stats_names[STATS_N];

/* A descriptor for stats_add(), -1: it can't be had, and nothing is counted. */
int stats_open(const struct conf *c);
void stats_add(int fd, enum conf_protocol p, const uint64_t add[STATS_N]);
/* 0; 1: nothing was counted yet; -1 with errno. */
int stats_read(const struct conf *c, uint64_t v[STATS_PROTOCOLS][STATS_N]);

#endif
