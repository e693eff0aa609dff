/* jmap-fcgi/auth.c - who asks: Basic (RFC 7617) and Bearer (RFC 6750) */
#include "config.h"

#include "jmap-fcgi/web.h"
#include "libbase/text.h"
#include "libbase/xalloc.h"
#include "libsession/session.h"

enum { CREDENTIALS_MAX = 16384 };

/*
 * 401, after the delay.  No thread waits for that: where too many answers wait
 * already the next ones are told to come later.
 */
static void
refuse(struct web *w, bool bad_token, uint32_t delay_ms)
{
	struct park k;
	struct buf answer;

	buf_init(&answer, 8192);
	w->capture = &answer;
	web_header(w, "WWW-Authenticate: Basic realm=\"Culver\", "
	    "charset=\"UTF-8\"");
	web_header(w, bad_token ? "WWW-Authenticate: Bearer "
	    "realm=\"Culver\", error=\"invalid_token\"" :
	    "WWW-Authenticate: Bearer realm=\"Culver\"");
	web_fail(w, 401, bad_token ? "The token is not valid." :
	    "A user name and its password, or a token, are needed.");
	w->capture = NULL;
	memset(&k, 0, sizeof(k));
	k.octets = buf_slice(&answer);
	k.delay_ms = delay_ms;
	if (delay_ms == 0) {
		FCGX_PutStr(answer.p, (int)answer.n, w->fcgi->out);
	} else if (!poller_park(w->env->poller, w, &k)) {
		buf_reset(&w->head);
		web_header(w, "Retry-After: 10");
		web_fail(w, 503, "Too many logins failed just now.");
	}
	buf_release(&answer);
}

/* What comes after the scheme's name; false: it is another scheme. */
static bool
scheme(struct web *w, struct slice name, struct slice *rest_r)
{
	struct slice s = web_env(w, "HTTP_AUTHORIZATION");

	if (s.n > CREDENTIALS_MAX || !slice_istarts(s, name))
		return false;
	*rest_r = slice_trim(slice_make(s.p + name.n, s.n - name.n));
	return true;
}

/* The octets of "Basic ...", split; false: malformed. */
static bool
split_basic(struct web *w, struct slice s, struct slice *user_r,
    struct slice *pass_r)
{
	struct slice plain;
	const char *colon;

	if (base64_decode(s, w->arena, &plain) < 0 || plain.n == 0 ||
	    memchr(plain.p, '\0', plain.n) != NULL || !utf8_valid(plain))
		return false;
	if ((colon = memchr(plain.p, ':', plain.n)) == NULL)
		return false;
	*user_r = slice_make(plain.p, (size_t)(colon - plain.p));
	*pass_r = slice_make(colon + 1, plain.n - user_r->n - 1);
	return user_r->n > 0;
}

static const char *
peer(struct web *w)
{
	const char *addr = web_env(w, "REMOTE_ADDR").p;
	const char *port = web_env(w, "REMOTE_PORT").p;

	return arena_printf(w->arena, "%s:%s", addr ? addr : "unknown",
	    port ? port : "0");
}

/* RFC 8620 8.1: only over TLS; a request from this host is let through. */
static bool
secure(struct web *w)
{
	struct slice addr = web_env(w, "REMOTE_ADDR");

	return slice_ieq(web_env(w, "HTTPS"), SLICE_LIT("on")) ||
	    slice_starts(addr, SLICE_LIT("127.")) ||
	    slice_eq(addr, SLICE_LIT("::1")) ||
	    slice_eq(addr, SLICE_LIT("unix:")) ||
	    w->env->listener->plaintext_login;
}

/* The account's store for this request; it is made at its first use. */
static bool
open_account(struct web *w, const struct login_who *who)
{
	struct jmap_user *u = &w->user;
	struct store *st;
	int rc;

	u->by = arena_strndup(w->arena, who->by.p, who->by.n);
	u->until = who->until;
	u->account = arena_strndup(w->arena, who->account.p, who->account.n);
	u->name = arena_strndup(w->arena, who->user.p, who->user.n);
	rc = pool_get(w->env->pool, u->account, &u->st);
	if (rc == STORE_E_NOTFOUND) {
		rc = login_open(w->env->conf, &w->env->store_conf,
		    u->account, &st);
		if (rc == 0) {
			store_close(&st);
			rc = pool_get(w->env->pool, u->account, &u->st);
		}
	}
	if (rc < 0) {
		web_store_failed(w, "open", rc);
		return false;
	}
	u->account_id = account_id(w->arena, u->st);
	return true;
}

static int
verify(struct web *w, struct login_who *who_r, bool *token_r,
    uint32_t *delay_r)
{
	const struct conf *cf = w->env->conf;
	struct slice s, user, pass;
	int rc;

	*token_r = scheme(w, SLICE_LIT("Bearer "), &s);
	if (*token_r)
		return login_token(cf, CONF_JMAP, s, peer(w), w->arena, who_r,
		    delay_r);
	if (!scheme(w, SLICE_LIT("Basic "), &s) ||
	    !split_basic(w, s, &user, &pass))
		return LOGIN_E_SYNTAX;
	rc = login_verify(cf, CONF_JMAP, user, pass, peer(w), w->arena, who_r,
	    delay_r);
	secret_wipe((char *)(uintptr_t)pass.p, pass.n);
	return rc;
}

bool
auth_check(struct web *w)
{
	struct slice header = web_env(w, "HTTP_AUTHORIZATION");
	struct login_who who;
	uint32_t delay = 0;
	bool token = false;

	if (!secure(w)) {
		web_fail(w, 403, "Use TLS.");
		return false;
	}
	if (header.n > 0 && logins_get(w->env->logins, header, w->arena, &who))
		return open_account(w, &who);
	switch (verify(w, &who, &token, &delay)) {
	case LOGIN_OK:
		logins_put(w->env->logins, header, &who);
		return open_account(w, &who);
	case LOGIN_E_ADDRESS:
		web_header(w, "Retry-After: %u",
		    (unsigned)w->env->conf->address_window_s);
		web_fail(w, 429, "Too many logins from this address failed.");
		return false;
	case LOGIN_E_TEMP:
		web_header(w, "Retry-After: 5");
		web_fail(w, 503, "Logins can't be checked just now.");
		return false;
	default:
		refuse(w, token, delay);
		return false;
	}
}
