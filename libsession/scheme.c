/* libsession/scheme.c - hashes of passwords that crypt(3) doesn't know */
#include "config.h"

#include <nettle/nettle-meta.h>
#include <string.h>

#include "libbase/arena.h"
#include "libbase/text.h"
#include "libbase/xalloc.h"
#include "libsession/passwd.h"
#include "libsession/scheme.h"
#include "libsession/scram.h"

enum { DIGEST_MAX = 64, CONTEXT_MAX = 512 };

static const struct {
	const char *name;
	const struct nettle_hash *hash;
	bool salted;
} digests[] = {
	{ "{SSHA}", &nettle_sha1, true }, { "{SHA}", &nettle_sha1, false },
	{ "{SSHA256}", &nettle_sha256, true },
	{ "{SHA256}", &nettle_sha256, false },
	{ "{SSHA512}", &nettle_sha512, true },
	{ "{SHA512}", &nettle_sha512, false },
};

/* What follows is crypt(3)'s, as passwd_check() has it. */
static const char *const crypts[] = { "{CRYPT}", "{SHA512-CRYPT}",
	"{SHA256-CRYPT}", "{BLF-CRYPT}", "{MD5-CRYPT}", "{DES-CRYPT}" };

static int
digest_check(size_t i, struct slice b64, struct slice password)
{
	const struct nettle_hash *h = digests[i].hash;
	uint64_t ctx[CONTEXT_MAX / sizeof(uint64_t)];
	unsigned char out[DIGEST_MAX];
	struct arena *a = arena_new(0);
	struct slice want;
	int same = 0;

	if (h->context_size <= sizeof(ctx) &&
	    base64_decode(b64, a, &want) == 0 && want.n >= h->digest_size &&
	    (want.n > h->digest_size) == digests[i].salted) {
		h->init(ctx);
		h->update(ctx, password.n, (const uint8_t *)password.p);
		h->update(ctx, want.n - h->digest_size,
		    (const uint8_t *)want.p + h->digest_size);
		h->digest(ctx, h->digest_size, out);
		same = secret_eq(out, want.p, h->digest_size);
	}
	secret_wipe(ctx, sizeof(ctx));
	secret_wipe(out, sizeof(out));
	arena_free(&a);
	return same;
}

static struct slice
behind(struct slice hash, size_t n)
{
	return slice_make(hash.p + n, hash.n - n);
}

int
scheme_check(struct slice hash, struct slice password)
{
	struct scram_keys k;
	struct slice rest;

	if (scram_parse(hash, &k) == 0)
		return scram_check(&k, password);
	for (size_t i = 0; i < sizeof(digests) / sizeof(digests[0]); i++)
		if (slice_starts(hash, slice_str(digests[i].name)))
			return digest_check(i, behind(hash,
			    strlen(digests[i].name)), password);
	for (size_t i = 0; i < sizeof(crypts) / sizeof(crypts[0]); i++) {
		if (!slice_starts(hash, slice_str(crypts[i])))
			continue;
		rest = behind(hash, strlen(crypts[i]));
		return rest.n > 0 && rest.p[0] != '{' &&
		    passwd_check(rest, password);
	}
	if (slice_starts(hash, SLICE_LIT("{PLAIN}"))) {
		rest = behind(hash, 7);
		return rest.n > 0 && rest.n == password.n &&
		    secret_eq(rest.p, password.p, rest.n);
	}
	return 0;
}
