/*
 * libsession/sasl-scram.c - SCRAM-SHA-256 and -1, and both -PLUS
 *
 * RFC 5802, RFC 7677; channel bindings tls-exporter (RFC 9266) and
 * tls-server-end-point (RFC 5929).
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "libbase/buf.h"
#include "libbase/io.h"
#include "libbase/text.h"
#include "libbase/xalloc.h"
#include "libsession/sasl-int.h"

enum {
	MESSAGE_MAX = 8192,
	NONCE = 18,		/* octets of ours */
	NONCE_MAX = 256,	/* of the client's text */
	BINDING_MAX = 256
};

struct scram {
	struct arena *a;
	enum scram_hash hash;
	bool plus;
	enum { FIRST, FINAL, LAST } stage;
	struct login_found found;
	struct scram_keys keys;
	bool known;		/* keys are somebody's */
	struct slice user, authzid;
	struct slice gs2, binding;	/* its header; the binding's name */
	struct slice bare, first;	/* client-first-message-bare; ours */
	struct slice nonce;
};

static void
forget(void *arg)
{
	struct scram *c = arg;

	secret_wipe(&c->keys, sizeof(c->keys));
	arena_free(&c->a);
	xfree(c);
}

static struct scram *
state_of(struct sasl *sasl, enum scram_hash h, bool plus)
{
	struct scram *c = sasl->state;

	if (c == NULL) {
		c = sasl->state = xcalloc(1, sizeof(*c));
		sasl->forget = forget;
		c->a = arena_new(0);
		c->hash = h;
		c->plus = plus;
	}
	return c;
}

/* "x=value" off the front of a list; false: it is another one, or none. */
static bool
take(struct slice *list, char name, struct slice *value_r)
{
	struct slice s;

	if (list->n < 2 || list->p[0] != name || list->p[1] != '=')
		return false;
	s = slice_cut(list, ',');
	*value_r = slice_make(s.p + 2, s.n - 2);
	return true;
}

static bool
printable(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 0x21 || s.p[i] > 0x7e || s.p[i] == ',')
			return false;
	return s.n > 0 && s.n <= NONCE_MAX;
}

/* gs2-header: 0, LOGIN_E_SYNTAX, or LOGIN_E_BAD where the bindings don't fit. */
static int
parse_gs2(struct scram *c, const struct session *s, struct slice *in)
{
	unsigned char data[BINDING_MAX];
	struct slice flag = slice_cut(in, ','), authzid = slice_cut(in, ',');

	c->authzid = slice_make(NULL, 0);
	if (authzid.n > 0 && (!slice_starts(authzid, SLICE_LIT("a=")) ||
	    !sasl_name(slice_make(authzid.p + 2, authzid.n - 2), c->a,
		&c->authzid)))
		return LOGIN_E_SYNTAX;
	if (flag.n > 2 && slice_starts(flag, SLICE_LIT("p="))) {
		c->binding = slice_make(flag.p + 2, flag.n - 2);
		return c->plus && sio_tls_binding(s->io, c->binding, data,
		    sizeof(data)) >= 0 ? 0 : LOGIN_E_BAD;
	}
	if (flag.n != 1 || (flag.p[0] != 'n' && flag.p[0] != 'y'))
		return LOGIN_E_SYNTAX;
	/* Who believes that we have no -PLUS was lied to (RFC 5802 6). */
	return c->plus || (flag.p[0] == 'y' && sio_secure(s->io)) ?
	    LOGIN_E_BAD : 0;
}

static void
put_first(struct scram *c, struct slice nonce)
{
	unsigned char mine[NONCE];
	struct buf b;

	random_bytes(mine, sizeof(mine));
	buf_init(&b, MESSAGE_MAX);
	buf_add_str(&b, "r=");
	buf_add_slice(&b, nonce);
	base64_encode(&b, slice_make((char *)mine, sizeof(mine)));
	c->nonce = arena_slice(c->a, slice_make(b.p + 2, b.n - 2));
	buf_add_str(&b, ",s=");
	base64_encode(&b, slice_make((char *)c->keys.salt, c->keys.salt_n));
	buf_printf(&b, ",i=%u", c->keys.iterations);
	c->first = arena_slice(c->a, buf_slice(&b));
	buf_release(&b);
}

/* client-first-message (RFC 5802 7). */
static int
first(struct scram *c, struct session *s, struct slice in, struct slice *out_r)
{
	struct slice whole = arena_slice(c->a, in), rest = whole, user, nonce;
	int rc = parse_gs2(c, s, &rest);

	if (rc == LOGIN_E_SYNTAX)
		return rc;
	c->gs2 = slice_make(whole.p, whole.n - rest.n);
	c->bare = rest;
	if (!take(&rest, 'n', &user) || !take(&rest, 'r', &nonce) ||
	    !printable(nonce) || !sasl_name(user, c->a, &c->user) ||
	    c->user.n == 0)
		return LOGIN_E_SYNTAX;
	if (rc < 0)
		return login_proved(s, NULL, c->user, c->authzid, c->a);
	rc = login_keys(s, c->user, c->hash, c->a, &c->found, &c->keys);
	if (rc < 0)
		return rc;
	c->known = rc == 1;
	put_first(c, nonce);
	*out_r = c->first;
	c->stage = FINAL;
	return LOGIN_MORE;
}

/* c=: the header again, and the channel's data. */
static bool
binding_fits(struct scram *c, const struct session *s, struct slice b64)
{
	unsigned char data[BINDING_MAX];
	struct slice got;
	ssize_t n = 0;

	if (c->binding.n > 0 && (n = sio_tls_binding(s->io, c->binding, data,
		sizeof(data))) < 0)
		return false;
	return base64_decode(b64, c->a, &got) == 0 &&
	    got.n == c->gs2.n + (size_t)n &&
	    memcmp(got.p, c->gs2.p, c->gs2.n) == 0 &&
	    memcmp(got.p + c->gs2.n, data, (size_t)n) == 0;
}

static void
put_signature(struct scram *c, struct slice message, struct slice *out_r)
{
	unsigned char sig[SCRAM_LEN_MAX];
	struct buf b;

	scram_sign(&c->keys, message, sig);
	buf_init(&b, MESSAGE_MAX);
	buf_add_str(&b, "v=");
	base64_encode(&b, slice_make((char *)sig, c->keys.n));
	*out_r = arena_slice(c->a, buf_slice(&b));
	buf_release(&b);
}

/* client-final-message. */
static int
final(struct scram *c, struct session *s, struct slice in, struct slice *out_r)
{
	struct slice rest = in, binding, nonce, proof, message;
	size_t n = 0;

	if (!take(&rest, 'c', &binding) || !take(&rest, 'r', &nonce))
		return LOGIN_E_SYNTAX;
	while (rest.n > 0) {		/* extensions; the proof is last */
		n = (size_t)(rest.p - in.p);
		if (take(&rest, 'p', &proof))
			break;
		slice_cut(&rest, ',');
		n = 0;
	}
	if (n == 0 || rest.n > 0 ||
	    base64_decode(proof, c->a, &proof) < 0 || proof.n != c->keys.n)
		return LOGIN_E_SYNTAX;
	message = slice_str(arena_printf(c->a, "%.*s,%.*s,%.*s",
	    (int)c->bare.n, c->bare.p, (int)c->first.n, c->first.p,
	    (int)(n - 1), in.p));
	if (!scram_proved(&c->keys, message, (unsigned char *)
		(uintptr_t)proof.p) || !c->known ||
	    !slice_eq(nonce, c->nonce) || !binding_fits(c, s, binding))
		return login_proved(s, NULL, c->user, c->authzid, c->a);
	put_signature(c, message, out_r);
	c->stage = LAST;
	return LOGIN_MORE;
}

static int
step(struct sasl *sasl, struct slice in, struct slice *out_r,
    enum scram_hash h, bool plus)
{
	struct scram *c = state_of(sasl, h, plus);

	if (in.p == NULL && c->stage == FIRST && sasl->round == 0) {
		*out_r = SLICE_LIT("");
		return LOGIN_MORE;
	}
	if (in.p == NULL || in.n > MESSAGE_MAX || !utf8_valid(in) ||
	    (in.n > 0 && memchr(in.p, '\0', in.n) != NULL))
		return LOGIN_E_SYNTAX;
	switch (c->stage) {
	case FIRST:
		return first(c, sasl->s, in, out_r);
	case FINAL:
		return final(c, sasl->s, in, out_r);
	case LAST:
		break;
	}
	if (in.n > 0)		/* it only says that it believes us */
		return LOGIN_E_SYNTAX;
	return login_proved(sasl->s, &c->found, c->user, c->authzid, c->a);
}

static bool
offered(const struct session *s, enum scram_hash h)
{
	const struct conf *c = s->conf;

	for (size_t i = 0; i < c->n_scram; i++)
		if (strcmp(c->scram[i], scram_name(h)) == 0)
			return s->plaintext_ok;
	return false;
}

/* ---- the four ---------------------------------------------------------- */

bool
sasl_scram_256_on(const struct session *s)
{
	return offered(s, SCRAM_SHA_256);
}

bool
sasl_scram_1_on(const struct session *s)
{
	return offered(s, SCRAM_SHA_1);
}

bool
sasl_scram_256_plus_on(const struct session *s)
{
	return sio_secure(s->io) && offered(s, SCRAM_SHA_256);
}

bool
sasl_scram_1_plus_on(const struct session *s)
{
	return sio_secure(s->io) && offered(s, SCRAM_SHA_1);
}

int
sasl_scram_256(struct sasl *sasl, struct arena *a, struct slice in,
    struct slice *out_r)
{
	(void)a;
	return step(sasl, in, out_r, SCRAM_SHA_256, false);
}

int
sasl_scram_1(struct sasl *sasl, struct arena *a, struct slice in,
    struct slice *out_r)
{
	(void)a;
	return step(sasl, in, out_r, SCRAM_SHA_1, false);
}

int
sasl_scram_256_plus(struct sasl *sasl, struct arena *a, struct slice in,
    struct slice *out_r)
{
	(void)a;
	return step(sasl, in, out_r, SCRAM_SHA_256, true);
}

int
sasl_scram_1_plus(struct sasl *sasl, struct arena *a, struct slice in,
    struct slice *out_r)
{
	(void)a;
	return step(sasl, in, out_r, SCRAM_SHA_1, true);
}
