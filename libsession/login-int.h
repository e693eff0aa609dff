/* libsession/login-int.h - whom a name or an address means */
#ifndef SESSION_LOGIN_INT_H
#define SESSION_LOGIN_INT_H

#include "libsession/passwd.h"
#include "libsession/scram.h"
#include "libsession/session-int.h"

enum { LOGIN_USER_MAX = 512 };	/* octets of a login name */

/* What the password file says of a name. */
struct login_found {
	struct passwd_entry entry;	/* of the name itself */
	struct passwd_entry account;	/* what it stands for: the same, or
					 * the target of alias-of */
};

/* 0 found, 1 not, -1 the file is out of reach or contradicts itself. */
int login_find(const struct conf *c, struct slice name, struct arena *a,
    struct login_found *f_r);
/* local[@domain]: the whole as a name, then, for a domain of ours, the local
 * part alone.  The same. */
int login_find_address(const struct conf *c, struct slice local,
    struct slice domain, struct arena *a, struct login_found *f_r);
/* Is it a domain of ours?  Any is where none are configured. */
bool login_domain_ours(const struct conf *c, struct slice domain);
/* At the last '@'; the domain has n 0 where there is none. */
void login_split(struct slice s, struct slice *local_r,
    struct slice *domain_r);

/* One line of a login that "failed" or was "refused"; why may be NULL. */
void login_log_failed(const char *what, struct slice user, const char *peer,
    enum conf_protocol proto, const char *why);

/* May the one found log in so?  LOGIN_OK, or LOGIN_E_DENIED and why. */
int login_may_enter(const struct login_found *f, enum conf_protocol proto,
    const char **why_r);

/* Did the peer's address fail too often?  Then that is logged. */
bool login_too_many(const struct conf *c, enum conf_protocol proto,
    struct slice user, const char *peer);

/* A token in place of the password: is it one of this account (f NULL: nobody's)?
 * Sets who->by and who->until. */
bool login_is_token(const struct conf *c, enum conf_protocol proto,
    const struct login_found *f, struct slice pass, struct arena *a,
    struct login_who *who);
/* Is that login_who.by of a token? */
bool login_by_token(struct slice by);

/* After the credentials were looked at: rc says what they are worth.  Delays,
 * opens the store, logs.  enum login_rc. */
int login_finish(struct session *s, int rc, struct login_who *who,
    struct slice authzid, uint32_t delay_ms, struct arena *a);

/* SCRAM's keys of a name.  1; 0: it has none, *k_r are made up; LOGIN_E_*.  *f_r
 * is in the arena. */
int login_keys(struct session *s, struct slice user, enum scram_hash h,
    struct arena *a, struct login_found *f_r, struct scram_keys *k_r);
/* The proof was right, or (f NULL) wrong.  enum login_rc. */
int login_proved(struct session *s, const struct login_found *f,
    struct slice user, struct slice authzid, struct arena *a);

/* login_who.by of a certificate, before the name in it: no user name has a
 * colon. */
#define LOGIN_BY_CERTIFICATE "certificate:"
/* Whose certificate did the client show?  authzid, if it isn't empty, chooses
 * among the accounts that are in it.  enum login_rc; logged if it fails. */
int login_certificate(struct session *s, struct slice authzid, struct arena *a,
    struct login_who *who_r);

#endif
