/* libsession/login-token.c - logins by tokens, and what they hang on */
#include "config.h"

#include <string.h>
#include <time.h>

#include "libbase/buf.h"
#include "libbase/io.h"
#include "libbase/log.h"
#include "libbase/text.h"
#include "libsession/linefile.h"
#include "libsession/login-int.h"
#include "libsession/oauth.h"
#include "libsession/penalty.h"
#include "libsession/token.h"

/* Before the hash of a token: no user name has a colon. */
#define BY_TOKEN "token:"
/* Before who got an access token (a hash), ':', and the account. */
#define BY_OAUTH "oauth:"

/* by is one of our tokens. */
static bool
by_token(struct slice by)
{
	return by.n == sizeof(BY_TOKEN) - 1 + TOKEN_HASH &&
	    slice_starts(by, SLICE_LIT(BY_TOKEN));
}

bool
login_by_token(struct slice by)
{
	return by_token(by) || slice_starts(by, SLICE_LIT(BY_OAUTH));
}

bool
login_is_token(const struct conf *c, enum conf_protocol proto,
    const struct login_found *f, struct slice pass, struct arena *a,
    struct login_who *who)
{
	struct token t;

	if (token_find(c, pass, a, &t) != 0 ||
	    !token_good(&t, proto, time(NULL)) || f == NULL ||
	    !slice_eq(t.account, f->account.name))
		return false;
	who->by = slice_str(arena_printf(a, BY_TOKEN "%.*s", TOKEN_HASH,
	    t.hash.p));
	who->until = t.until;
	return true;
}

/* The account that a token is for, if that exists. */
static int
find_owner(const struct conf *c, enum conf_protocol proto,
    struct slice account, struct arena *a)
{
	struct login_found f;
	const char *why;
	int rc = login_find(c, account, a, &f);

	if (rc != 0)
		return rc < 0 ? LOGIN_E_TEMP : LOGIN_E_BAD;
	return f.entry.alias_of.n > 0 ? LOGIN_E_DENIED :
	    login_may_enter(&f, proto, &why);
}

/* A token that "culver token" made. */
static int
own_token(const struct conf *c, enum conf_protocol proto, struct slice text,
    struct arena *a, struct login_who *who, const char **why_r)
{
	struct token t;
	int rc = token_find(c, text, a, &t);

	if (rc < 0)
		return LOGIN_E_TEMP;
	*why_r = "no such token";
	if (rc == 1)
		return LOGIN_E_BAD;
	who->account = who->user = t.account;
	*why_r = "its token is over, or not for this protocol";
	if (!token_good(&t, proto, time(NULL)))
		return LOGIN_E_DENIED;
	who->by = slice_str(arena_printf(a, BY_TOKEN "%.*s", TOKEN_HASH,
	    t.hash.p));
	who->until = t.until;
	*why_r = "the account of its token is gone or may not";
	return find_owner(c, proto, t.account, a);
}

/* What somebody who got tokens logs in by: the next token is the same. */
static struct slice
by_oauth(struct slice client, struct slice account, struct arena *a)
{
	unsigned char hash[SHA256_LEN];
	struct buf hex;
	char *s;

	sha256_of(client, hash);
	buf_init(&hex, 2 * SHA256_LEN);
	hex_encode(&hex, slice_make((const char *)hash, 8));
	s = arena_printf(a, BY_OAUTH "%.*s:%.*s", (int)hex.n, hex.p,
	    (int)account.n, account.p);
	buf_release(&hex);
	return slice_str(s);
}

/* One of the authorization server. */
static int
access_token(const struct conf *c, enum conf_protocol proto,
    struct slice text, struct arena *a, struct login_who *who, const char **why_r)
{
	struct slice local, domain;
	struct oauth_found o;
	struct login_found f;
	int rc = oauth_verify(c, text, a, &o);

	*why_r = o.why;
	if (rc == LOGIN_E_TEMP)
		log_err("OAuth: %s", o.why);
	if (rc != LOGIN_OK)
		return rc;
	who->user = o.user;
	*why_r = "its token is of a user who has no account";
	if (o.user.n > LOGIN_USER_MAX || !utf8_valid(o.user))
		return LOGIN_E_DENIED;
	login_split(o.user, &local, &domain);
	if ((rc = login_find_address(c, local, domain, a, &f)) != 0)
		return rc < 0 ? LOGIN_E_TEMP : LOGIN_E_DENIED;
	who->account = f.account.name;
	who->by = by_oauth(o.client, who->account, a);
	who->until = o.until;
	return login_may_enter(&f, proto, why_r);
}

int
login_token(const struct conf *c, enum conf_protocol proto, struct slice text,
    const char *peer, struct arena *a, struct login_who *who_r,
    uint32_t *delay_ms_r)
{
	const char *why = NULL;
	int rc;

	*delay_ms_r = 0;
	*who_r = (struct login_who){ .user = SLICE_LIT("-") };
	if (login_too_many(c, proto, who_r->user, peer))
		return LOGIN_E_ADDRESS;
	if (token_form(text) || !oauth_on(c))
		rc = own_token(c, proto, text, a, who_r, &why);
	else
		rc = access_token(c, proto, text, a, who_r, &why);
	if (rc == LOGIN_E_BAD) {
		*delay_ms_r = c->failure_delay_ms;
		penalty_add(c, peer);
	}
	if (rc != LOGIN_OK && rc != LOGIN_E_TEMP)
		login_log_failed(rc == LOGIN_E_BAD ? "failed" : "refused",
		    who_r->user, peer, proto, why);
	return rc;
}

static int
token_credential(const struct conf *c, struct slice hash, struct arena *a,
    unsigned char out[LOGIN_CREDENTIAL])
{
	struct token t;
	int rc = token_find_hash(c, hash, a, &t);

	if (rc != 0)
		return rc < 0 ? LOGIN_E_TEMP : LOGIN_E_BAD;
	if (!token_good(&t, CONF_JMAP, time(NULL)))
		return LOGIN_E_DENIED;
	if ((rc = find_owner(c, CONF_JMAP, t.account, a)) != LOGIN_OK)
		return rc;
	sha256_of(slice_str(arena_printf(a, BY_TOKEN "%.*s:%.*s", TOKEN_HASH,
	    t.hash.p, (int)t.account.n, t.account.p)), out);
	return LOGIN_OK;
}

static int
oauth_credential(const struct conf *c, struct slice by, struct arena *a,
    unsigned char out[LOGIN_CREDENTIAL])
{
	struct slice account = by;
	int rc;

	slice_cut(&account, ':');
	slice_cut(&account, ':');
	if ((rc = find_owner(c, CONF_JMAP, account, a)) == LOGIN_OK)
		sha256_of(by, out);
	return rc;
}

int
login_credential(const struct conf *c, struct slice by, struct arena *a,
    unsigned char out[LOGIN_CREDENTIAL])
{
	struct slice local, domain, hash;
	struct login_found f;
	int rc;

	if (slice_starts(by, SLICE_LIT(BY_OAUTH)))
		return oauth_credential(c, by, a, out);
	if (by_token(by))
		return token_credential(c, slice_make(by.p +
		    sizeof(BY_TOKEN) - 1, TOKEN_HASH), a, out);
	login_split(by, &local, &domain);
	if ((rc = login_find_address(c, local, domain, a, &f)) != 0)
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
