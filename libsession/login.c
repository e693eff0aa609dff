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
#include "libsession/passwd.h"
#include "libsession/session-int.h"

enum {
	USER_MAX = 512,		/* octets of a login name */
	DELAY_MAX_MS = 30000
};

/* What the password file says of a name. */
struct found {
	struct passwd_entry entry;	/* of the name itself */
	struct passwd_entry account;	/* what it stands for: the same, or
					 * the target of alias-of */
};

/* 0 found, 1 not, -1 the file is out of reach or contradicts itself. */
static int
lookup(const struct conf *c, struct slice name, struct arena *a,
    struct found *f_r)
{
	struct slice canon;
	int rc;

	if (passwd_name(name, a, &canon) < 0)
		return 1;
	if ((rc = passwd_find(c, canon, a, &f_r->entry)) != 0) {
		if (rc < 0)
			log_err("%s: %s", c->passwd_file, strerror(errno));
		return rc;
	}
	f_r->account = f_r->entry;
	if (f_r->entry.alias_of.n == 0)
		return 0;
	rc = passwd_name(f_r->entry.alias_of, a, &canon) < 0 ?
	    1 : passwd_find(c, canon, a, &f_r->account);
	if (rc != 0 || f_r->account.alias_of.n > 0) {
		log_err("%s: alias %.*s leads to no account", c->passwd_file,
		    (int)f_r->entry.name.n, f_r->entry.name.p);
		return -1;
	}
	return 0;
}

static bool
domain_ours(const struct conf *c, struct slice domain)
{
	for (size_t i = 0; i < c->n_domains; i++)
		if (slice_ieq(domain, slice_str(c->domains[i])))
			return true;
	return c->n_domains == 0;
}

/* local[@domain]: the whole as a name, then, for a domain of ours, the local
 * part alone.  As lookup(). */
static int
lookup_address(const struct conf *c, struct slice local, struct slice domain,
    struct arena *a, struct found *f_r)
{
	struct slice whole;
	int rc;

	if (domain.n > 0) {
		whole = slice_str(arena_printf(a, "%.*s@%.*s", (int)local.n,
		    local.p, (int)domain.n, domain.p));
		if ((rc = lookup(c, whole, a, f_r)) != 1)
			return rc;
		if (!domain_ours(c, domain))
			return 1;
	}
	return lookup(c, local, a, f_r);
}

static void
split_at(struct slice s, struct slice *local_r, struct slice *domain_r)
{
	*local_r = s;
	*domain_r = slice_make(NULL, 0);
	for (size_t i = s.n; i > 0; i--) {
		if (s.p[i - 1] == '@') {
			local_r->n = i - 1;
			*domain_r = slice_make(s.p + i, s.n - i);
			return;
		}
	}
}

/* Right?  An unknown name (f NULL) takes the same time as a wrong password. */
static bool
password_right(const struct conf *c, const struct found *f, struct slice user,
    struct slice pass, struct arena *a)
{
	struct slice hash, line;

	if (f == NULL) {
		passwd_check_dummy(c, pass);
		return false;
	}
	hash = f->entry.hash;
	/* An alias has its account's password or one of its own. */
	if (slice_eq(hash, SLICE_LIT("*")))
		hash = f->account.hash;
	if (slice_eq(hash, SLICE_LIT("*"))) {
		passwd_check_dummy(c, pass);
		return false;
	}
	line = slice_str(arena_printf(a, "%.*s:%.*s:%.*s",
	    (int)f->entry.name.n, f->entry.name.p, (int)f->account.name.n,
	    f->account.name.p, (int)hash.n, hash.p));
	if (authcache_get(c, user, pass, line))
		return true;
	if (!passwd_check(hash, pass))
		return false;
	authcache_put(c, user, pass, line);
	return true;
}

static const char *
protocol_name(enum conf_protocol p)
{
	static const char *const names[] = { "imap", "pop3", "lmtp", "jmap" };

	return names[p];
}

int
login_verify(const struct conf *c, enum conf_protocol proto,
    struct slice user, struct slice pass, const char *peer, struct arena *a,
    struct slice *account_r, uint32_t *delay_ms_r)
{
	struct slice local, domain;
	struct found f;
	int rc = 1;

	*delay_ms_r = 0;
	if (user.n > 0 && user.n <= USER_MAX && utf8_valid(user) &&
	    memchr(user.p, '\0', user.n) == NULL) {
		split_at(user, &local, &domain);
		rc = lookup_address(c, local, domain, a, &f);
	}
	if (rc < 0)
		return LOGIN_E_TEMP;
	if (!password_right(c, rc == 0 ? &f : NULL, user, pass, a)) {
		log_warn("login failed: user=%.*s peer=%s protocol=%s: %s",
		    (int)(user.n < USER_MAX ? user.n : USER_MAX), user.p, peer,
		    protocol_name(proto),
		    rc == 0 ? "wrong password" : "no such user");
		*delay_ms_r = c->failure_delay_ms;
		return LOGIN_E_BAD;
	}
	if (f.entry.disabled || f.account.disabled) {
		log_warn("login refused: user=%.*s peer=%s protocol=%s: "
			 "disabled",
		    (int)user.n, user.p, peer, protocol_name(proto));
		return LOGIN_E_DENIED;
	}
	*account_r = arena_slice(a, f.account.name);
	return LOGIN_OK;
}

int
login_credential(const struct conf *c, struct slice user, struct arena *a,
    unsigned char out[LOGIN_CREDENTIAL])
{
	struct slice local, domain, hash;
	struct found f;
	int rc;

	split_at(user, &local, &domain);
	if ((rc = lookup_address(c, local, domain, a, &f)) != 0)
		return rc < 0 ? LOGIN_E_TEMP : LOGIN_E_BAD;
	if (f.entry.disabled || f.account.disabled)
		return LOGIN_E_DENIED;
	hash = slice_eq(f.entry.hash, SLICE_LIT("*")) ? f.account.hash :
	    f.entry.hash;
	sha256_of(slice_str(arena_printf(a, "%.*s:%.*s:%.*s",
	    (int)f.entry.name.n, f.entry.name.p, (int)f.account.name.n,
	    f.account.name.p, (int)hash.n, hash.p)), out);
	return LOGIN_OK;
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
	s->account = name;
	s->user = xstrndup(user.p, user.n);
	snprintf(head, sizeof(head), "%s %s", s->peer, name);
	log_session(head);
	sio_input_deadline(s->io, -1);
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
login_check(struct session *s, struct slice user, struct slice pass,
    struct slice authzid)
{
	struct arena *a = arena_new(0);
	struct slice account, want;
	uint32_t ms;
	int rc;

	if (!s->plaintext_ok) {
		rc = LOGIN_E_CRYPT;
		goto out;
	}
	rc = login_verify(s->conf, s->listener->protocol, user, pass, s->peer,
	    a, &account, &ms);
	if (rc == LOGIN_E_BAD) {
		s->failures++;
		delay(s, ms);
		if (s->failures >= s->conf->max_failures)
			rc = LOGIN_E_TOOMANY;
	}
	if (rc != LOGIN_OK)
		goto out;
	/* RFC 4616: to act for another account than one's own. */
	if (authzid.n > 0 && !slice_eq(authzid, user) &&
	    (passwd_name(authzid, a, &want) < 0 ||
		!slice_eq(want, account))) {
		log_warn("login refused: user=%.*s may not act as %.*s",
		    (int)user.n, user.p, (int)authzid.n, authzid.p);
		rc = LOGIN_E_DENIED;
		goto out;
	}
	if ((rc = enter(s, user, account)) == LOGIN_OK)
		log_info("login: user=%s protocol=%s%s", s->user,
		    protocol_name(s->listener->protocol),
		    sio_secure(s->io) ? " tls" : "");
out:
	sio_forget(s->io);
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
	struct found f;
	int rc = LOGIN_E_DENIED;

	/* An account that the password file doesn't know may still have a
	 * store that this Unix user can open; none is made for it. */
	if (passwd_name(user, a, &account) < 0)
		goto out;
	if (lookup(s->conf, user, a, &f) == 0)
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
	store_close(&s->store);
	xfree(s->account);
	xfree(s->user);
	s->account = s->user = NULL;
	if (s->io != NULL)
		log_session(s->peer);
}

/* ---- delivery ---------------------------------------------------------- */

/* A quoted local part (RFC 5321 4.1.2) without its quotes. */
static struct slice
unquote(struct slice s, struct arena *a)
{
	char *p;
	size_t n = 0;

	if (s.n < 2 || s.p[0] != '"')
		return s;
	p = arena_alloc(a, s.n);
	for (size_t i = 1; i + 1 < s.n; i++) {
		if (s.p[i] == '\\' && i + 2 < s.n)
			i++;
		p[n++] = s.p[i];
	}
	return slice_make(p, n);
}

int
login_recipient(const struct conf *c, struct slice address, struct arena *a,
    struct slice *account_r, struct slice *detail_r)
{
	struct slice local, domain, detail = { "", 0 };
	struct found f;
	const char *plus;
	int rc;

	split_at(address, &local, &domain);
	local = unquote(local, a);
	if (local.n == 0 || memchr(local.p, '\0', local.n) != NULL)
		return LOGIN_E_BAD;
	rc = lookup_address(c, local, domain, a, &f);
	if (rc == 1 && c->lmtp_detail &&
	    (plus = memchr(local.p, '+', local.n)) != NULL && plus > local.p) {
		size_t n = (size_t)(plus - local.p);

		detail = slice_make(plus + 1, local.n - n - 1);
		local.n = n;
		rc = lookup_address(c, local, domain, a, &f);
	}
	if (rc != 0)
		return rc < 0 ? LOGIN_E_TEMP : LOGIN_E_BAD;
	*detail_r = detail;
	*account_r = arena_slice(a, f.account.name);
	return LOGIN_OK;
}

/* ---- sending ----------------------------------------------------------- */

/* The name, or for a domain of ours the local part alone; as lookup(). */
static int
lookup_sender(const struct conf *c, struct slice local, struct slice domain,
    struct arena *a, struct found *f_r)
{
	struct slice whole;
	int rc;

	whole = slice_str(arena_printf(a, "%.*s@%.*s", (int)local.n, local.p,
	    (int)domain.n, domain.p));
	if ((rc = lookup(c, whole, a, f_r)) != 1)
		return rc;
	if (c->n_domains > 0 ? !domain_ours(c, domain) :
	    !slice_ieq(domain, slice_str(c->hostname)))
		return 1;
	return lookup(c, local, a, f_r);
}

int
login_sender(const struct conf *c, const char *account, struct slice address,
    struct arena *a)
{
	struct slice local, domain;
	struct found f;
	const char *plus;
	int rc;

	split_at(address, &local, &domain);
	local = unquote(local, a);
	if (local.n == 0 || domain.n == 0 ||
	    memchr(address.p, '\0', address.n) != NULL)
		return LOGIN_E_DENIED;
	rc = lookup_sender(c, local, domain, a, &f);
	if (rc == 1 && c->lmtp_detail &&
	    (plus = memchr(local.p, '+', local.n)) != NULL && plus > local.p) {
		local.n = (size_t)(plus - local.p);
		rc = lookup_sender(c, local, domain, a, &f);
	}
	if (rc < 0)
		return LOGIN_E_TEMP;
	return rc == 0 && slice_eq(f.account.name, slice_str(account)) ?
	    LOGIN_OK : LOGIN_E_DENIED;
}

int
login_may_send(const struct conf *c, const char *account, struct arena *a)
{
	struct found f;
	int rc = lookup(c, slice_str(account), a, &f);

	if (rc < 0)
		return LOGIN_E_TEMP;
	return rc == 0 && (f.entry.no_send || f.entry.disabled) ?
	    LOGIN_E_DENIED : LOGIN_OK;
}

int
login_own_address(const struct conf *c, const char *account, struct arena *a,
    struct slice *address_r, struct slice *name_r)
{
	const char *domain = c->n_domains > 0 ? c->domains[0] : c->hostname;
	struct slice name = slice_str(account);
	struct found f;
	int rc = lookup(c, name, a, &f);

	if (rc < 0)
		return LOGIN_E_TEMP;
	*name_r = rc == 0 ? arena_slice(a, f.entry.full_name) :
	    slice_make("", 0);
	*address_r = memchr(name.p, '@', name.n) != NULL ?
	    arena_slice(a, name) :
	    slice_str(arena_printf(a, "%s@%s", account, domain));
	return LOGIN_OK;
}
