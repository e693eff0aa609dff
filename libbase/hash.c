/* libbase/hash.c - SHA-256 and HMAC by nettle, randomness by the kernel */
#include "config.h"

#include <errno.h>
#include <nettle/hmac.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>
#include <string.h>
#include <sys/random.h>

#include "libbase/io.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"

struct digest {
	enum digest_alg alg;
	union {
		struct sha1_ctx sha1;
		struct sha256_ctx sha256;
		struct sha512_ctx sha512;
	} u;
};

const char *
digest_name(enum digest_alg alg)
{
	static const char *const names[DIGEST_N] = {
		"sha", "sha-256", "sha-512"
	};

	return names[alg];
}

struct digest *
digest_new(enum digest_alg alg)
{
	struct digest *d = xcalloc(1, sizeof(*d));

	d->alg = alg;
	if (alg == DIGEST_SHA1)
		sha1_init(&d->u.sha1);
	else if (alg == DIGEST_SHA256)
		sha256_init(&d->u.sha256);
	else
		sha512_init(&d->u.sha512);
	return d;
}

void
digest_add(struct digest *d, const void *p, size_t n)
{
	if (n == 0)
		return;
	if (d->alg == DIGEST_SHA1)
		sha1_update(&d->u.sha1, n, p);
	else if (d->alg == DIGEST_SHA256)
		sha256_update(&d->u.sha256, n, p);
	else
		sha512_update(&d->u.sha512, n, p);
}

size_t
digest_finish(struct digest **dp, unsigned char out[DIGEST_MAX])
{
	struct digest *d = *dp;
	size_t n;

	if (d->alg == DIGEST_SHA1)
		sha1_digest(&d->u.sha1, n = SHA1_DIGEST_SIZE, out);
	else if (d->alg == DIGEST_SHA256)
		sha256_digest(&d->u.sha256, n = SHA256_DIGEST_SIZE, out);
	else
		sha512_digest(&d->u.sha512, n = SHA512_DIGEST_SIZE, out);
	xfree(d);
	*dp = NULL;
	return n;
}

struct sha256 {
	struct sha256_ctx ctx;
};

struct sha256 *
sha256_new(void)
{
	struct sha256 *h = xmalloc(sizeof(*h));

	sha256_init(&h->ctx);
	return h;
}

void
sha256_add(struct sha256 *h, const void *p, size_t n)
{
	if (n > 0)
		sha256_update(&h->ctx, n, p);
}

void
sha256_finish(struct sha256 **h, unsigned char out[SHA256_LEN])
{
	sha256_digest(&(*h)->ctx, SHA256_LEN, out);
	xfree_secret(*h, sizeof(**h));
	*h = NULL;
}

void
sha256_of(struct slice s, unsigned char out[SHA256_LEN])
{
	struct sha256_ctx ctx;

	sha256_init(&ctx);
	if (s.n > 0)
		sha256_update(&ctx, s.n, (const uint8_t *)s.p);
	sha256_digest(&ctx, SHA256_LEN, out);
	secret_wipe(&ctx, sizeof(ctx));
}

void
hmac_sha256(struct slice key, struct slice data, unsigned char out[SHA256_LEN])
{
	struct hmac_sha256_ctx ctx;

	hmac_sha256_set_key(&ctx, key.n, (const uint8_t *)key.p);
	if (data.n > 0)
		hmac_sha256_update(&ctx, data.n, (const uint8_t *)data.p);
	hmac_sha256_digest(&ctx, SHA256_LEN, out);
	secret_wipe(&ctx, sizeof(ctx));
}

uint64_t
hash64(struct slice s)
{
	unsigned char h[SHA256_LEN];
	uint64_t v = 0;

	sha256_of(s, h);
	for (int i = 0; i < 8; i++)
		v = v << 8 | h[i];
	return v;
}

void
random_bytes(void *p, size_t n)
{
	unsigned char *to = p;

	while (n > 0) {
		ssize_t k = getrandom(to, n, 0);

		if (k < 0 && errno != EINTR)
			fatal("getrandom: %s", strerror(errno));
		if (k > 0) {
			to += k;
			n -= (size_t)k;
		}
	}
}
