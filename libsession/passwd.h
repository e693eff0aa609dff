/*
 * libsession/passwd.h - the password file, culver-passwd(5)
 *
 * One line an account, sorted by name in byte order:
 *   name:hash[:key=value[,key=value...]]
 * hash is a crypt(3) string, or "*" (no password).  Keys: alias-of=NAME,
 * name=FULL NAME, for=PROTOCOL[+PROTOCOL...], no-send, disabled.  See libsession/linefile.h.
 */
#ifndef SESSION_PASSWD_H
#define SESSION_PASSWD_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/conf.h"
#include "libbase/arena.h"
#include "libbase/slice.h"

struct passwd_entry {
	struct slice name, hash, alias_of;
	struct slice full_name;	/* of the person; n 0: not known */
	unsigned protocols;	/* to log in by (protocols.h); 0: all */
	bool disabled, no_send;
};

/*
 * The name as it stands in the file: ASCII letters in lower case, anything
 * else case-folded.  0, or -1: no account can have this name.
 */
int passwd_name(struct slice name, struct arena *a, struct slice *out_r);
/* May that be in an entry's full_name? */
bool passwd_full_name_ok(struct slice name);
/* name is from passwd_name().  0 and the entry in the arena; 1 no such name; -1 unreadable (errno).  Fast
 * with 100,000 lines. */
int passwd_find(const struct conf *c, struct slice name, struct arena *a,
    struct passwd_entry *e_r);
/* All entries, in the file's order.  fn != 0 stops. */
int passwd_list(const struct conf *c,
    int (*fn)(void *arg, const struct passwd_entry *e), void *arg);
/* Puts or, with hash.p NULL, deletes an entry.  0, 1 (delete: was not there),
 * -1 with errno (EINVAL: a name that is not from passwd_name(), a hash that is
 * none). */
int passwd_update(const struct conf *c, const struct passwd_entry *e);
/* Many at once, in one rewrite (users made by the thousand); the same. */
int passwd_update_many(const struct conf *c, const struct passwd_entry *e,
    size_t n);
/* A new crypt(3) hash with the configured method and a random salt. */
int passwd_hash(const struct conf *c, struct slice password, struct arena *a,
    struct slice *hash_r);
/* Spends the time of a check with the configured method. */
void passwd_check_dummy(const struct conf *c, struct slice password);
/* How often new SCRAM keys are made of. */
uint32_t passwd_scram_iterations(const struct conf *c);
/* 1 equal, 0 not.  Constant time in the comparison.  crypt(3) hashes, and the
 * schemes of culver-passwd(5). */
int passwd_check(struct slice hash, struct slice password);

#endif
