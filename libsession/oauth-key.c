/* libsession/oauth-key.c - signatures of tokens (RFC 7515, 7517, 7518, 8037) */
#include "config.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <string.h>

#include "libsession/oauth-json.h"

enum { RSA_BITS_MIN = 2048 };

/* No HMAC: whoever may verify could sign as well. */
static const struct alg {
	const char *name;
	gnutls_pk_algorithm_t pk;
	gnutls_ecc_curve_t curve;
	gnutls_sign_algorithm_t sign;
} algs[] = {
	{ "RS256", GNUTLS_PK_RSA, GNUTLS_ECC_CURVE_INVALID,
	    GNUTLS_SIGN_RSA_SHA256 },
	{ "RS384", GNUTLS_PK_RSA, GNUTLS_ECC_CURVE_INVALID,
	    GNUTLS_SIGN_RSA_SHA384 },
	{ "RS512", GNUTLS_PK_RSA, GNUTLS_ECC_CURVE_INVALID,
	    GNUTLS_SIGN_RSA_SHA512 },
	{ "PS256", GNUTLS_PK_RSA, GNUTLS_ECC_CURVE_INVALID,
	    GNUTLS_SIGN_RSA_PSS_RSAE_SHA256 },
	{ "PS384", GNUTLS_PK_RSA, GNUTLS_ECC_CURVE_INVALID,
	    GNUTLS_SIGN_RSA_PSS_RSAE_SHA384 },
	{ "PS512", GNUTLS_PK_RSA, GNUTLS_ECC_CURVE_INVALID,
	    GNUTLS_SIGN_RSA_PSS_RSAE_SHA512 },
	{ "ES256", GNUTLS_PK_ECDSA, GNUTLS_ECC_CURVE_SECP256R1,
	    GNUTLS_SIGN_ECDSA_SHA256 },
	{ "ES384", GNUTLS_PK_ECDSA, GNUTLS_ECC_CURVE_SECP384R1,
	    GNUTLS_SIGN_ECDSA_SHA384 },
	{ "ES512", GNUTLS_PK_ECDSA, GNUTLS_ECC_CURVE_SECP521R1,
	    GNUTLS_SIGN_ECDSA_SHA512 },
	{ "EdDSA", GNUTLS_PK_EDDSA_ED25519, GNUTLS_ECC_CURVE_ED25519,
	    GNUTLS_SIGN_EDDSA_ED25519 },
};

struct check {
	const struct alg *alg;
	const char *kid;
	gnutls_datum_t text, signature;	/* as GnuTLS wants them */
	size_t keys;		/* that were good and fitted */
};

static bool
curve_is(gnutls_pubkey_t key, gnutls_ecc_curve_t want)
{
	gnutls_ecc_curve_t curve = GNUTLS_ECC_CURVE_INVALID;
	gnutls_datum_t x = { NULL, 0 }, y = { NULL, 0 };
	int rc = gnutls_pubkey_export_ecc_raw2(key, &curve, &x, &y, 0);

	gnutls_free(x.data);
	gnutls_free(y.data);
	return rc == 0 && curve == want;
}

static bool
signed_by(struct check *c, gnutls_pubkey_t key)
{
	unsigned bits = 0;

	if (gnutls_pubkey_get_pk_algorithm(key, &bits) != (int)c->alg->pk)
		return false;
	if (c->alg->pk == GNUTLS_PK_RSA ? bits < RSA_BITS_MIN :
	    !curve_is(key, c->alg->curve))
		return false;
	c->keys++;
	return gnutls_pubkey_verify_data2(key, c->alg->sign, 0, &c->text,
	    &c->signature) >= 0;
}

/* ---- JWK (RFC 7517, 7518 6, 8037) -------------------------------------- */

static const char *
member(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s != NULL ? s : "";
}

static int
part(const json_t *jwk, const char *name, gnutls_datum_t *out_r)
{
	*out_r = (gnutls_datum_t){ NULL, 0 };
	return oauth_b64url(slice_str(member(jwk, name)), out_r);
}

static int
import_jwk(const struct alg *alg, const json_t *jwk, gnutls_pubkey_t key)
{
	bool rsa = alg->pk == GNUTLS_PK_RSA;
	bool ed = alg->pk == GNUTLS_PK_EDDSA_ED25519;
	gnutls_datum_t a, b = { NULL, 0 };
	int rc = part(jwk, rsa ? "n" : "x", &a);

	if (rc == 0 && !ed)
		rc = part(jwk, rsa ? "e" : "y", &b);
	if (rc == 0 && rsa)
		rc = gnutls_pubkey_import_rsa_raw(key, &a, &b);
	else if (rc == 0)
		rc = gnutls_pubkey_import_ecc_raw(key, alg->curve, &a,
		    ed ? NULL : &b);
	gnutls_free(a.data);
	gnutls_free(b.data);
	return rc;
}

/* Is the key meant for that? */
static bool
jwk_fits(const struct check *c, const json_t *jwk)
{
	const char *kty = c->alg->pk == GNUTLS_PK_RSA ? "RSA" :
	    c->alg->pk == GNUTLS_PK_ECDSA ? "EC" : "OKP";
	const char *use = member(jwk, "use"), *alg = member(jwk, "alg");
	const char *kid = member(jwk, "kid");

	return strcmp(member(jwk, "kty"), kty) == 0 &&
	    (*use == '\0' || strcmp(use, "sig") == 0) &&
	    (*alg == '\0' || strcmp(alg, c->alg->name) == 0) &&
	    (*kid == '\0' || c->kid == NULL || strcmp(kid, c->kid) == 0);
}

static bool
signed_by_jwk(struct check *c, const json_t *jwk)
{
	gnutls_pubkey_t key;
	bool yes = false;

	if (!jwk_fits(c, jwk) || gnutls_pubkey_init(&key) < 0)
		return false;
	if (import_jwk(c->alg, jwk, key) >= 0)
		yes = signed_by(c, key);
	gnutls_pubkey_deinit(key);
	return yes;
}

static bool
signed_by_set(struct check *c, struct slice text)
{
	json_t *set = json_loadb(text.p, text.n, 0, NULL), *jwk;
	bool yes = false;
	size_t i;

	json_array_foreach(json_object_get(set, "keys"), i, jwk)
		yes = yes || signed_by_jwk(c, jwk);
	json_decref(set);
	return yes;
}

/* ---- PEM: public keys and certificates --------------------------------- */

/* Libbase is not in the module. */
static bool
starts(struct slice s, struct slice prefix)
{
	return s.n >= prefix.n && memcmp(s.p, prefix.p, prefix.n) == 0;
}

static int
import_certificate(gnutls_pubkey_t key, const gnutls_datum_t *pem)
{
	gnutls_x509_crt_t crt;
	int rc = gnutls_x509_crt_init(&crt);

	if (rc < 0)
		return rc;
	rc = gnutls_x509_crt_import(crt, pem, GNUTLS_X509_FMT_PEM);
	if (rc >= 0)
		rc = gnutls_pubkey_import_x509(key, crt, 0);
	gnutls_x509_crt_deinit(crt);
	return rc;
}

static bool
signed_by_block(struct check *c, struct slice block)
{
	gnutls_datum_t pem = { (unsigned char *)(uintptr_t)block.p,
		(unsigned)block.n };
	gnutls_pubkey_t key;
	bool yes = false;
	int rc;

	if (gnutls_pubkey_init(&key) < 0)
		return false;
	rc = starts(block, SLICE_LIT("-----BEGIN CERTIFICATE")) ?
	    import_certificate(key, &pem) :
	    gnutls_pubkey_import(key, &pem, GNUTLS_X509_FMT_PEM);
	if (rc >= 0)
		yes = signed_by(c, key);
	gnutls_pubkey_deinit(key);
	return yes;
}

/* Tries every key of the file. */
static bool
signed_by_pem(struct check *c, struct slice s)
{
	static const char begin[] = "-----BEGIN ";
	const char *p = memmem(s.p, s.n, begin, sizeof(begin) - 1), *next;
	const char *end = s.p + s.n;

	for (; p != NULL; p = next) {
		next = memmem(p + 1, (size_t)(end - p - 1), begin,
		    sizeof(begin) - 1);
		if (signed_by_block(c, slice_make(p,
		    (size_t)((next ? next : end) - p))))
			return true;
	}
	return false;
}

/* ---- signatures -------------------------------------------------------- */

static bool
is_json(struct slice s)
{
	size_t i = 0;

	while (i < s.n && strchr(" \t\r\n", s.p[i]) != NULL)
		i++;
	return i < s.n && s.p[i] == '{';
}

/* RFC 7518 3.4: r and s, one after the other, to what X.509 has. */
static int
encode_rs(const gnutls_datum_t *raw, gnutls_datum_t *der_r)
{
	gnutls_datum_t r = { raw->data, raw->size / 2 };
	gnutls_datum_t s = { raw->data + raw->size / 2, raw->size / 2 };

	if (raw->size < 64 || raw->size > 132 || raw->size % 2 != 0)
		return -1;
	return gnutls_encode_rs_value(der_r, &r, &s);
}

int
oauth_signed(const struct oauth_request *q, const char *alg, const char *kid,
    struct slice text, const gnutls_datum_t *signature,
    struct oauth_answer *a)
{
	struct check c = { .kid = kid, .signature = *signature };
	gnutls_datum_t der = { NULL, 0 };
	bool yes;

	for (size_t i = 0; i < sizeof(algs) / sizeof(algs[0]); i++)
		if (strcmp(algs[i].name, alg) == 0)
			c.alg = &algs[i];
	if (c.alg == NULL)
		return oauth_fail(a, OAUTH_BAD, "its algorithm is not known");
	c.text.data = (unsigned char *)(uintptr_t)text.p;
	c.text.size = (unsigned)text.n;
	if (c.alg->pk == GNUTLS_PK_ECDSA) {
		if (encode_rs(signature, &der) < 0)
			return oauth_fail(a, OAUTH_BAD, "its signature is bad");
		c.signature = der;
	}
	yes = is_json(q->keys) ? signed_by_set(&c, q->keys) :
	    signed_by_pem(&c, q->keys);
	gnutls_free(der.data);
	if (yes)
		return OAUTH_OK;
	return oauth_fail(a, OAUTH_BAD, c.keys == 0 ?
	    "none of our keys fits it" : "its signature is bad");
}
