/* libsession/login.c - who is it, and may he? */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "libbase/io.h"
#include "libbase/log.h"
#include "libbase/text.h"
#include "libbase/xalloc.h"
#include "libsession/authcache.h"
#include "libsession/confine.h"
#include "libsession/backend.h"
#include "libsession/login-int.h"
#include "libsession/penalty.h"
#include "libsession/trace.h"
#include "libsession/who.h"

enum { DELAY_MAX_MS = 30000 };

/* 1 right, 0 wrong, -1 that can't be told now.  An unknown name (f NULL) takes
 * the same time as a wrong password. */
static int
password_right(const struct conf *c, enum conf_protocol proto,
    const struct login_found *f, struct slice user, struct slice pass,
    const char *peer, struct arena *a)
{
	struct backend_login l = { conf_protocol_name(proto), peer, user,
		{ NULL, 0 }, pass };
	struct slice hash, line;
	int rc;

	if (f == NULL) {
		passwd_check_dummy(c, pass);
		return 0;
	}
	hash = f->entry.hash;
	/* An alias has its account's password or one of its own. */
	if (slice_eq(hash, SLICE_LIT("*")))
		hash = f->account.hash;
	if (slice_eq(hash, SLICE_LIT("*"))) {
		passwd_check_dummy(c, pass);
		return 0;
	}
	line = slice_str(arena_printf(a, "%.*s:%.*s:%.*s",
	    (int)f->entry.name.n, f->entry.name.p, (int)f->account.name.n,
	    f->account.name.p, (int)hash.n, hash.p));
	if (authcache_get(c, user, pass, line))
		return 1;
	l.account = f->account.name;
	rc = backend_is(hash) ? backend_check(c, hash, &l, a) :
	    passwd_check(hash, pass);
	if (rc == 1)
		authcache_put(c, user, pass, line);
	return rc;
}

void
login_log_failed(const char *what, struct slice user, const char *peer,
    enum conf_protocol proto, const char *why)
{
	char name[LOG_QUOTED];

	log_warn("login %s: user=%s peer=%s protocol=%s: %s", what,
	    log_quote(user, name), peer, conf_protocol_name(proto), why);
}

bool
login_too_many(const struct conf *c, enum conf_protocol proto,
    struct slice user, const char *peer)
{
	if (!penalty_over(c, peer))
		return false;
	login_log_failed("refused", user, peer, proto,
	    "too many failures from this address");
	return true;
}

int
login_may_enter(const struct login_found *f, enum conf_protocol proto,
    const char **why_r)
{
	unsigned bit = 1U << proto;

	*why_r = "disabled";
	if (f->entry.disabled || f->account.disabled)
		return LOGIN_E_DENIED;
	*why_r = "not by this protocol";
	if ((f->entry.protocols != 0 && (f->entry.protocols & bit) == 0) ||
	    (f->account.protocols != 0 && (f->account.protocols & bit) == 0))
		return LOGIN_E_DENIED;
	return LOGIN_OK;
}

/* "alice*admin": admin's password opens alice's account.  What goes before the
 * '*', which is taken off; n 0: it is no such name. */
static struct slice
split_master(const struct conf *c, struct slice *user)
{
	struct slice as = { NULL, 0 };

	for (size_t i = user->n; c->n_masters > 0 && i > 1; i--)
		if (user->p[i - 1] == '*') {
			as = slice_make(user->p, i - 1);
			*user = slice_make(user->p + i, user->n - i);
			break;
		}
	return as;
}

static bool
is_master(const struct conf *c, struct slice account)
{
	for (size_t i = 0; i < c->n_masters; i++)
		if (slice_eq(account, slice_str(c->masters[i])))
			return true;
	return false;
}

/* RFC 4422 3.4.1: who logged in wants to act as another name, of the same
 * account, or of any if it is a master's. */
static int
login_as(const struct conf *c, struct login_who *who, struct slice name,
    struct arena *a)
{
	char user[LOG_QUOTED], other[LOG_QUOTED];
	struct slice local, domain;
	struct login_found f;
	int rc = 1;

	login_split(name, &local, &domain);
	if (name.n <= LOGIN_USER_MAX && utf8_valid(name) &&
	    memchr(name.p, '\0', name.n) == NULL)
		rc = login_find_address(c, local, domain, a, &f);
	if (rc < 0)
		return LOGIN_E_TEMP;
	if (rc == 0 && (slice_eq(f.account.name, who->account) ||
	    is_master(c, who->account))) {
		who->account = arena_slice(a, f.account.name);
		return LOGIN_OK;
	}
	log_warn("login refused: user=%s may not act as %s",
	    log_quote(who->user, user), log_quote(name, other));
	return LOGIN_E_DENIED;
}

int
login_verify(const struct conf *c, enum conf_protocol proto,
    struct slice user, struct slice pass, const char *peer, struct arena *a,
    struct login_who *who_r, uint32_t *delay_ms_r)
{
	struct slice local, domain;
	struct slice given = user, as = split_master(c, &user);
	const struct login_found *is;
	struct login_found f;
	const char *why;
	int rc = 1, right;

	*delay_ms_r = 0;
	if (login_too_many(c, proto, user, peer))
		return LOGIN_E_ADDRESS;
	if (user.n > 0 && user.n <= LOGIN_USER_MAX && utf8_valid(user) &&
	    memchr(user.p, '\0', user.n) == NULL) {
		login_split(user, &local, &domain);
		rc = login_find_address(c, local, domain, a, &f);
	}
	if (rc < 0)
		return LOGIN_E_TEMP;
	is = rc == 0 ? &f : NULL;
	user = arena_slice(a, user);
	*who_r = (struct login_who){ .user = user, .by = user };
	if (!login_is_token(c, proto, is, pass, a, who_r) &&
	    (right = password_right(c, proto, is, user, pass, peer, a)) <= 0) {
		if (right < 0)
			return LOGIN_E_TEMP;
		login_log_failed("failed", user, peer, proto,
		    rc == 0 ? "wrong password" : "no such user");
		penalty_add(c, peer);
		*delay_ms_r = c->failure_delay_ms;
		return LOGIN_E_BAD;
	}
	if (login_may_enter(&f, proto, &why) != LOGIN_OK) {
		login_log_failed("refused", user, peer, proto, why);
		return LOGIN_E_DENIED;
	}
	who_r->account = arena_slice(a, f.account.name);
	if (as.n == 0)
		return LOGIN_OK;
	who_r->user = arena_slice(a, given);
	return login_as(c, who_r, as, a);
}

int
login_open(const struct conf *c, const struct store_conf *sc,
    const char *account, struct store **st_r)
{
	int rc = store_open(sc, account, st_r);

	if (rc != STORE_E_NOTFOUND)
		return rc;
	rc = store_account_create(sc, account);
	if (rc < 0 && rc != STORE_E_EXISTS)
		return rc;
	log_info("the store of %s is new", account);
	if ((rc = store_open(sc, account, st_r)) < 0)
		return rc;
	if (c->quota_size == 0 && c->quota_messages == 0)
		return 0;
	if ((rc = store_quota_set(*st_r, c->quota_size,
		 c->quota_messages)) < 0)
		store_close(st_r);
	return rc;
}

/* Opens the account; from here on the log names it. */
static int
enter(struct session *s, struct slice user, struct slice account)
{
	char *name = xstrndup(account.p, account.n), head[256];
	int rc = login_open(s->conf, &s->store_conf, name, &s->store);

	if (rc < 0) {
		log_err("store of %s: %s", name, store_error(rc)->text);
		xfree(name);
		return rc == STORE_E_CORRUPT ? LOGIN_E_CORRUPT : LOGIN_E_TEMP;
	}
	if ((s->who = who_enter(s->conf, s->listener->protocol, s->peer,
	    name)) < 0)
		s->who = 0;
	s->trace = trace_open(s->conf, name, s->listener->protocol, s->peer);
	/* IMAP has mailboxes of others, and UNAUTHENTICATE. */
	if (s->listener->protocol == CONF_POP3)
		confine_account(s->conf, name);
	confine_calls(s->conf, CONFINE_LOGIN);
	s->account = name;
	s->user = xstrndup(user.p, user.n);
	snprintf(head, sizeof(head), "%s %s", s->peer, name);
	log_session(head);
	sio_input_deadline(s->io, -1);
	sio_trace(s->io, s->trace);
	return LOGIN_OK;
}

/* Every further failure takes longer.  SIGTERM ends the wait. */
static void
delay(const struct session *s, uint32_t ms)
{
	uint64_t total = (uint64_t)ms * s->failures;
	struct timespec ts;

	if (total == 0 || s->stop)
		return;
	total = total < DELAY_MAX_MS ? total : DELAY_MAX_MS;
	ts.tv_sec = (time_t)(total / 1000);
	ts.tv_nsec = (long)(total % 1000) * 1000000;
	ppoll(NULL, 0, &ts, &server_signals.mask);
}

int
login_finish(struct session *s, int rc, struct login_who *who,
    struct slice authzid, uint32_t delay_ms, struct arena *a)
{
	char name[LOG_QUOTED];

	if (rc == LOGIN_E_BAD) {
		s->failures++;
		delay(s, delay_ms);
		if (s->failures >= s->conf->max_failures)
			rc = LOGIN_E_TOOMANY;
	}
	if (rc == LOGIN_OK && authzid.n > 0 && !slice_eq(authzid, who->user))
		rc = login_as(s->conf, who, authzid, a);
	if (rc == LOGIN_OK)
		rc = enter(s, who->user, who->account);
	if (rc == LOGIN_OK)
		log_info("login: user=%s protocol=%s%s%s",
		    log_quote(slice_str(s->user), name),
		    conf_protocol_name(s->listener->protocol),
		    sio_secure(s->io) ? " tls" : "",
		    login_by_token(who->by) ? " token" :
		    slice_starts(who->by, SLICE_LIT(LOGIN_BY_CERTIFICATE)) ?
					      " certificate" : "");
	sio_forget(s->io);
	return rc;
}

int
login_check(struct session *s, struct slice user, struct slice pass,
    struct slice authzid)
{
	struct arena *a = arena_new(0);
	struct login_who who;
	uint32_t ms = 0;
	int rc = LOGIN_E_CRYPT;

	if (s->plaintext_ok)
		rc = login_verify(s->conf, s->listener->protocol, user, pass,
		    s->peer, a, &who, &ms);
	rc = login_finish(s, rc, &who, authzid, ms, a);
	arena_free(&a);
	return rc;
}

int
login_bearer(struct session *s, struct slice token, struct slice authzid)
{
	struct arena *a = arena_new(0);
	struct login_who who;
	uint32_t ms = 0;
	int rc = LOGIN_E_CRYPT;

	if (s->plaintext_ok)
		rc = login_token(s->conf, s->listener->protocol, token,
		    s->peer, a, &who, &ms);
	rc = login_finish(s, rc, &who, authzid, ms, a);
	arena_free(&a);
	return rc;
}

int
login_external(struct session *s, struct slice authzid)
{
	struct arena *a = arena_new(0);
	struct login_who who;
	int rc = LOGIN_E_MECH;

	if (s->certified)
		rc = login_certificate(s, authzid, a, &who);
	rc = login_finish(s, rc, &who, authzid, s->conf->failure_delay_ms, a);
	arena_free(&a);
	return rc;
}

int
login_password(struct session *s, struct slice user, struct slice pass)
{
	return login_check(s, user, pass, slice_make(NULL, 0));
}

int
login_preauth(struct session *s)
{
	struct arena *a = arena_new(0);
	struct slice user = slice_str(s->preauth), account;
	struct login_found f;
	int rc = LOGIN_E_DENIED;

	/* An account that the password file doesn't know may still have a
	 * store that this Unix user can open; none is made for it. */
	if (passwd_name(user, a, &account) < 0)
		goto out;
	if (login_find(s->conf, user, a, &f) == 0)
		account = f.account.name;
	else if (store_open(&s->store_conf,
		     arena_strndup(a, account.p, account.n), &s->store) < 0) {
		log_err("no account %s", s->preauth);
		goto out;
	} else
		store_close(&s->store);
	if ((rc = enter(s, user, account)) == LOGIN_OK)
		log_info("login: user=%s preauth", s->user);
out:
	arena_free(&a);
	return rc;
}

void
login_forget(struct session *s)
{
	if (s->who > 0)
		io_close(&s->who);
	s->who = 0;
	if (s->io != NULL)
		sio_trace(s->io, NULL);
	trace_close(&s->trace);
	store_close(&s->store);
	xfree(s->account);
	xfree(s->user);
	s->account = s->user = NULL;
	if (s->io != NULL)
		log_session(s->peer);
}
