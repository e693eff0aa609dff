/* libsession/oauth-module.c - access tokens: JWT (RFC 7519, 9068), RFC 7662 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "libsession/oauth-json.h"

enum { LEEWAY_S = 60 };

int
oauth_fail(struct oauth_answer *a, int rc, const char *why)
{
	snprintf(a->why, sizeof(a->why), "%s", why);
	return rc;
}

int
oauth_b64url(struct slice s, gnutls_datum_t *out_r)
{
	char text[TOKEN_MAX + 4];
	gnutls_datum_t in = { (unsigned char *)text, 0 };

	if (s.n == 0 || s.n > TOKEN_MAX || s.n % 4 == 1)
		return -1;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '+' || c == '/' || c == '=' || c == '\r' ||
		    c == '\n' || c == '\0')
			return -1;
		text[i] = c == '-' ? '+' : c == '_' ? '/' : c;
	}
	for (in.size = (unsigned)s.n; in.size % 4 != 0; in.size++)
		text[in.size] = '=';
	return gnutls_base64_decode2(&in, out_r) == 0 ? 0 : -1;
}

/* ---- claims (RFC 7519 4.1) --------------------------------------------- */

static const char *
text_of(const json_t *claims, const char *name)
{
	return json_string_value(json_object_get(claims, name));
}

static int
take_text(const json_t *claims, const char *name, char *out, size_t size)
{
	const json_t *v = json_object_get(claims, name);

	if (!json_is_string(v) || json_string_length(v) == 0 ||
	    json_string_length(v) >= size ||
	    strlen(json_string_value(v)) != json_string_length(v))
		return -1;
	memcpy(out, json_string_value(v), json_string_length(v) + 1);
	return 0;
}

/* A string or an array that has it. */
static bool
is_among(const json_t *v, const char *want)
{
	size_t i;
	json_t *one;

	if (json_is_string(v))
		return strcmp(json_string_value(v), want) == 0;
	json_array_foreach(v, i, one)
		if (json_is_string(one) &&
		    strcmp(json_string_value(one), want) == 0)
			return true;
	return false;
}

/* A word of a list with spaces (RFC 6749 3.3), or among an array. */
static bool
has_scope(const json_t *v, const char *want)
{
	size_t n = strlen(want);

	if (!json_is_string(v))
		return is_among(v, want);
	for (const char *p = json_string_value(v); *p != '\0';) {
		size_t len = strcspn(p, " ");

		if (len == n && memcmp(p, want, n) == 0)
			return true;
		p += len + (p[len] == ' ');
	}
	return false;
}

/* Seconds since 1970; 0 where it isn't told or isn't a number. */
static int64_t
time_of(const json_t *claims, const char *name)
{
	const json_t *v = json_object_get(claims, name);
	double d = json_number_value(v);

	return json_is_number(v) && d > 0 && d < 1e15 ? (int64_t)d : 0;
}

static int
check_time(const struct oauth_request *q, const json_t *claims, bool jwt,
    struct oauth_answer *a)
{
	a->until = time_of(claims, "exp");
	if (a->until == 0 && (jwt || json_object_get(claims, "exp") != NULL))
		return oauth_fail(a, OAUTH_BAD, "it does not say when it ends");
	if (a->until != 0 && a->until + LEEWAY_S <= q->now)
		return oauth_fail(a, OAUTH_DENIED, "it has ended");
	if (time_of(claims, "nbf") > q->now + LEEWAY_S)
		return oauth_fail(a, OAUTH_DENIED, "it is not valid yet");
	return OAUTH_OK;
}

static int
check_user(const struct oauth_request *q, const json_t *claims,
    struct oauth_answer *a)
{
	/* An address that nobody verified may be anybody's. */
	if (strcmp(q->claim, "email") == 0 &&
	    json_is_false(json_object_get(claims, "email_verified")))
		return oauth_fail(a, OAUTH_DENIED, "its email is not verified");
	if (take_text(claims, q->claim, a->user, sizeof(a->user)) < 0)
		return oauth_fail(a, OAUTH_DENIED, "it does not name a user");
	if (take_text(claims, "client_id", a->client, sizeof(a->client)) < 0 &&
	    take_text(claims, "azp", a->client, sizeof(a->client)) < 0)
		a->client[0] = '\0';
	return OAUTH_OK;
}

/* jwt: issuer and audience must be there, as RFC 9068 4 has it; the answer of
 * our own authorization server need not repeat them. */
static int
check_claims(const struct oauth_request *q, const json_t *claims, bool jwt,
    struct oauth_answer *a)
{
	const json_t *aud = json_object_get(claims, "aud");
	const json_t *scope = json_object_get(claims, "scope");
	const char *iss = text_of(claims, "iss");
	int rc;

	if ((rc = check_time(q, claims, jwt, a)) != OAUTH_OK)
		return rc;
	if ((jwt || iss != NULL) && q->issuer != NULL &&
	    (iss == NULL || strcmp(iss, q->issuer) != 0))
		return oauth_fail(a, OAUTH_DENIED, "it is of another issuer");
	if ((jwt || aud != NULL) && q->audience != NULL &&
	    !is_among(aud, q->audience))
		return oauth_fail(a, OAUTH_DENIED, "it is not for us");
	if (scope == NULL)
		scope = json_object_get(claims, "scp");
	if (q->scope != NULL && !has_scope(scope, q->scope))
		return oauth_fail(a, OAUTH_DENIED, "it has not the scope");
	return check_user(q, claims, a);
}

/* ---- JSON Web Tokens --------------------------------------------------- */

static json_t *
json_of(struct slice part)
{
	gnutls_datum_t d;
	json_t *v;

	if (oauth_b64url(part, &d) < 0)
		return NULL;
	v = json_loadb((const char *)d.data, d.size, JSON_REJECT_DUPLICATES,
	    NULL);
	gnutls_free(d.data);
	if (json_is_object(v))
		return v;
	json_decref(v);
	return NULL;
}

static int
check_signature(const struct oauth_request *q, const json_t *head,
    struct slice text, struct slice part, struct oauth_answer *a)
{
	const char *alg = text_of(head, "alg");
	gnutls_datum_t signature;
	int rc;

	/* RFC 7515 4.1.11: what has to be understood and isn't. */
	if (alg == NULL || json_object_get(head, "crit") != NULL)
		return oauth_fail(a, OAUTH_BAD, "its header is not known");
	if (oauth_b64url(part, &signature) < 0)
		return oauth_fail(a, OAUTH_BAD, "it has no signature");
	rc = oauth_signed(q, alg, text_of(head, "kid"), text, &signature, a);
	gnutls_free(signature.data);
	return rc;
}

/* The three parts of a compact serialization (RFC 7515 7.1). */
static bool
split(struct slice s, struct slice part[3])
{
	for (int i = 0; i < 3; i++) {
		const char *dot = s.n > 0 ? memchr(s.p, '.', s.n) : NULL;

		if ((dot == NULL) != (i == 2))
			return false;
		part[i] = slice_make(s.p, dot ? (size_t)(dot - s.p) : s.n);
		if (dot != NULL)
			s = slice_make(dot + 1, s.n - part[i].n - 1);
	}
	return true;
}

static int
verify_jwt(const struct oauth_request *q, struct slice part[3],
    struct oauth_answer *a)
{
	json_t *head = json_of(part[0]), *claims = json_of(part[1]);
	struct slice text = slice_make(part[0].p, part[0].n + 1 + part[1].n);
	int rc;

	if (head == NULL || claims == NULL)
		rc = oauth_fail(a, OAUTH_BAD, "it is not a JSON Web Token");
	else if ((rc = check_signature(q, head, text, part[2], a)) == OAUTH_OK)
		rc = check_claims(q, claims, true, a);
	json_decref(head);
	json_decref(claims);
	return rc;
}

static int
verify_opaque(const struct oauth_request *q, struct oauth_answer *a)
{
	json_t *claims = NULL;
	int rc = oauth_introspect(q, a, &claims);

	if (rc == OAUTH_OK)
		rc = check_claims(q, claims, false, a);
	json_decref(claims);
	return rc;
}

static int
verify(const struct oauth_request *q, struct oauth_answer *a_r)
{
	struct slice part[3];

	memset(a_r, 0, sizeof(*a_r));
	if (q->token.n == 0 || q->token.n > TOKEN_MAX)
		return oauth_fail(a_r, OAUTH_BAD, "it is too long");
	/* RFC 6750 2.1: b64token. */
	for (size_t i = 0; i < q->token.n; i++)
		if (q->token.p[i] <= ' ' || q->token.p[i] > '~')
			return oauth_fail(a_r, OAUTH_BAD, "it is no token");
	if (q->keys.n > 0 && split(q->token, part))
		return verify_jwt(q, part, a_r);
	if (q->introspection != NULL)
		return verify_opaque(q, a_r);
	return oauth_fail(a_r, OAUTH_BAD, "it is not a JSON Web Token");
}

__attribute__((visibility("default")))
extern const struct oauth_module culver_oauth_module;
const struct oauth_module culver_oauth_module = {
	.version = OAUTH_MODULE_VERSION,
	.size = sizeof(culver_oauth_module),
	.verify = verify
};
