/*
 * libsession/webpush.h - encrypted, signed messages for push services
 *
 * RFC 8291 (encryption), RFC 8188 (its format), RFC 8292 (VAPID).
 */
#ifndef SESSION_WEBPUSH_H
#define SESSION_WEBPUSH_H

#include <stdbool.h>
#include <stdint.h>

#include "libbase/buf.h"
#include "libstore/store.h"

enum {
	WEBPUSH_POINT = 65,	/* octets of a public key, uncompressed */
	WEBPUSH_SCALAR = 32, WEBPUSH_AUTH = 16, WEBPUSH_SALT = 16,
	WEBPUSH_PLAIN_MAX = 3993	/* that every push service takes */
};

/* Is that a point of P-256? */
bool webpush_key_ok(struct slice p256dh);
/* Appends a body for Content-Encoding: aes128gcm.  -1: a bad key, too long. */
int webpush_encrypt(struct slice p256dh, struct slice auth,
    struct slice plain, struct buf *out);
/* The same with what is random otherwise: a salt and a private key. */
int webpush_encrypt_with(struct slice p256dh, struct slice auth,
    struct slice plain, const unsigned char salt[WEBPUSH_SALT],
    const unsigned char key[WEBPUSH_SCALAR], struct buf *out);

/* Is that an https URL that can be pushed to?  Its origin, in lower case and
 * without the default port, is appended. */
bool webpush_origin(struct slice url, struct buf *origin);

struct vapid {
	unsigned char key[WEBPUSH_SCALAR], point[WEBPUSH_POINT];
};
/* The server's own, in the mail directory; the first who asks makes it.  0, or
 * -1 with errno. */
int vapid_load(const struct store_conf *cf, struct vapid *v_r);
/* Appends the value of Authorization for that origin; contact (a URI without
 * quotes) may be NULL. */
int vapid_put(struct buf *out, const struct vapid *v, struct slice origin,
    const char *contact, int64_t expires);

#endif
