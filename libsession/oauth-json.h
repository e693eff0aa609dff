/* libsession/oauth-json.h - between the files of the module oauth.so */
#ifndef SESSION_OAUTH_JSON_H
#define SESSION_OAUTH_JSON_H

#include <gnutls/gnutls.h>
#include <jansson.h>

#include "libsession/oauth-int.h"

enum { TOKEN_MAX = 16384 };

/* Sets why; returns rc. */
int oauth_fail(struct oauth_answer *a, int rc, const char *why);
/* base64url without padding (RFC 7515 2).  0 and octets to gnutls_free(), or
 * -1. */
int oauth_b64url(struct slice s, gnutls_datum_t *out_r);
/* Is the JSON Web Signature (RFC 7515) of `text` by one of the keys (PEM, or a
 * JWK set, RFC 7517)?  alg and kid are of its header; kid may be NULL. */
int oauth_signed(const struct oauth_request *q, const char *alg,
    const char *kid, struct slice text, const gnutls_datum_t *signature,
    struct oauth_answer *a);
/* Asks the server (RFC 7662): the claims in *claims_r, to json_decref(). */
int oauth_introspect(const struct oauth_request *q, struct oauth_answer *a,
    json_t **claims_r);

#endif
