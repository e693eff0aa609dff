/* libsession/sasl-oauth.c - OAUTHBEARER (RFC 7628) and XOAUTH2 */
#include "config.h"

#include <string.h>

#include "libbase/text.h"
#include "libsession/oauth.h"
#include "libsession/sasl-int.h"

enum { MESSAGE_MAX = 32768 };

bool
sasl_oauth_on(const struct session *s)
{
	return s->plaintext_ok && oauth_on(s->conf);
}

/* The value of key in a list of key=value, each with ^A after it; false: the
 * list is malformed or hasn't the key. */
static bool
value_of(struct slice list, struct slice key, struct slice *value_r)
{
	bool found = false;

	while (list.n > 0 && list.p[0] != 1) {
		const char *end = memchr(list.p, 1, list.n);
		struct slice kv;

		if (end == NULL)
			return false;
		kv = slice_make(list.p, (size_t)(end - list.p));
		list = slice_make(end + 1, list.n - kv.n - 1);
		if (kv.n > key.n && kv.p[key.n] == '=' &&
		    slice_ieq(slice_make(kv.p, key.n), key)) {
			*value_r = slice_make(kv.p + key.n + 1,
			    kv.n - key.n - 1);
			found = true;
		}
	}
	return found && list.n == 1;
}

/* "Bearer TOKEN", RFC 6750 2.1. */
static bool
token_of(struct slice list, struct slice *token_r)
{
	struct slice auth;

	if (!value_of(list, SLICE_LIT("auth"), &auth) ||
	    !slice_istarts(auth, SLICE_LIT("Bearer ")))
		return false;
	*token_r = slice_trim(slice_make(auth.p + 7, auth.n - 7));
	return token_r->n > 0;
}

/* "n,a=AUTHZID,": no channel binding.  What comes after it. */
static bool
gs2_header(struct slice *in, struct arena *a, struct slice *authzid_r)
{
	const char *p = in->p, *end = in->p + in->n, *comma;

	*authzid_r = slice_make(NULL, 0);
	if (in->n < 3 || (p[0] != 'n' && p[0] != 'y') || p[1] != ',')
		return false;
	p += 2;
	if ((comma = memchr(p, ',', (size_t)(end - p))) == NULL)
		return false;
	if (comma != p && (comma - p < 3 || memcmp(p, "a=", 2) != 0 ||
	    !sasl_name(slice_make(p + 2, (size_t)(comma - p) - 2), a,
	    authzid_r)))
		return false;
	*in = slice_make(comma + 1, (size_t)(end - comma) - 1);
	return true;
}

/* Only what goes into JSON as it is. */
static bool
plain_text(const char *s)
{
	for (; s != NULL && *s != '\0'; s++)
		if (*s < 0x20 || *s > 0x7e || *s == '"' || *s == '\\')
			return false;
	return s != NULL;
}

/* RFC 7628 3.2.2; the client answers it, and then it is over. */
static int
refuse(struct sasl *sasl, struct arena *a, const char *status, int rc,
    struct slice *out_r)
{
	const struct conf *c = sasl->s->conf;
	struct buf b;

	if (rc != LOGIN_E_BAD && rc != LOGIN_E_DENIED)
		return rc;
	buf_init(&b, 4096);
	buf_add_str(&b, "{\"status\":\"");
	buf_add_str(&b, status);
	buf_add_str(&b, "\",\"schemes\":\"bearer\"");
	if (plain_text(c->oauth_scope)) {
		buf_add_str(&b, ",\"scope\":\"");
		buf_add_str(&b, c->oauth_scope);
		buf_addc(&b, '"');
	}
	if (plain_text(c->oauth_issuer)) {
		buf_add_str(&b, ",\"openid-configuration\":\"");
		buf_add_str(&b, c->oauth_issuer);
		buf_add_str(&b, "/.well-known/openid-configuration\"");
	}
	buf_addc(&b, '}');
	*out_r = arena_slice(a, buf_slice(&b));
	buf_release(&b);
	sasl->rc = rc;
	return LOGIN_MORE;
}

/* 1: there is a first message to look at. */
static int
first(struct sasl *sasl, struct slice in, struct slice *out_r)
{
	if (sasl->rc != 0)	/* whatever the client says to our refusal */
		return sasl->rc;
	if (in.p == NULL && sasl->round == 0) {
		*out_r = SLICE_LIT("");
		return LOGIN_MORE;
	}
	return in.p == NULL || sasl->round > 0 || in.n > MESSAGE_MAX ||
	    !utf8_valid(in) || memchr(in.p, '\0', in.n) != NULL ?
	    LOGIN_E_SYNTAX : LOGIN_OK;
}

int
sasl_oauthbearer(struct sasl *sasl, struct arena *a, struct slice in,
    struct slice *out_r)
{
	struct slice authzid, token;
	int rc = first(sasl, in, out_r);

	if (rc != LOGIN_OK)
		return rc;
	if (!gs2_header(&in, a, &authzid) || in.n == 0 || in.p[0] != 1 ||
	    !token_of(slice_make(in.p + 1, in.n - 1), &token))
		return LOGIN_E_SYNTAX;
	rc = login_bearer(sasl->s, token, authzid);
	return rc == LOGIN_OK ? rc :
	    refuse(sasl, a, "invalid_token", rc, out_r);
}

int
sasl_xoauth2(struct sasl *sasl, struct arena *a, struct slice in,
    struct slice *out_r)
{
	struct slice user, token;
	int rc = first(sasl, in, out_r);

	if (rc != LOGIN_OK)
		return rc;
	if (!value_of(in, SLICE_LIT("user"), &user) || user.n == 0 ||
	    !token_of(in, &token))
		return LOGIN_E_SYNTAX;
	rc = login_bearer(sasl->s, token, user);
	return rc == LOGIN_OK ? rc : refuse(sasl, a, "401", rc, out_r);
}
