/*
 * libsession/authcache.h - passwords that were verified a short while ago
 *
 * A table in run_dir, shared by all processes, spares a repeated login the
 * slow hash.  An entry is a MAC, under a random key in a file of its own, over
 * name, password, the account's whole line of the password file, and the time
 * until which it counts: a changed or removed password is out at once, and who
 * reads the table alone learns nothing.
 */
#ifndef SESSION_AUTHCACHE_H
#define SESSION_AUTHCACHE_H

#include "conf/conf.h"
#include "libbase/slice.h"

/* line: whatever must be unchanged for the entry to count. */
/* 1 verified lately, 0 not (or no cache). */
int authcache_get(const struct conf *c, struct slice name,
    struct slice password, struct slice line);
/* Remembers it; failures are silent. */
void authcache_put(const struct conf *c, struct slice name,
    struct slice password, struct slice line);

#endif
