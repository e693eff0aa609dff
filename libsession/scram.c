/* libsession/scram.c - passwords as SCRAM's keys (RFC 5802, RFC 7677) */
#include "config.h"

#include <nettle/hmac.h>
#include <nettle/pbkdf2.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>
#include <string.h>

#include "libbase/buf.h"
#include "libbase/io.h"
#include "libbase/text.h"
#include "libbase/xalloc.h"
#include "libsession/scram.h"

enum { TEXT_MAX = 1024 };

static const struct {
	const char *name, *prefix;
	size_t len;
} hashes[SCRAM_HASHES] = {
	[SCRAM_SHA_1] = { "SHA-1", "{SCRAM-SHA-1}", SHA1_DIGEST_SIZE },
	[SCRAM_SHA_256] = { "SHA-256", "{SCRAM-SHA-256}", SHA256_DIGEST_SIZE }
};

const char *
scram_name(enum scram_hash h)
{
	return hashes[h].name;
}

size_t
scram_len(enum scram_hash h)
{
	return hashes[h].len;
}

static void
hmac(enum scram_hash h, const unsigned char *key, size_t n, struct slice text,
    unsigned char out[SCRAM_LEN_MAX])
{
	struct hmac_sha1_ctx one;

	if (h == SCRAM_SHA_256) {
		hmac_sha256(slice_make((const char *)key, n), text, out);
		return;
	}
	hmac_sha1_set_key(&one, n, key);
	hmac_sha1_update(&one, text.n, (const uint8_t *)text.p);
	hmac_sha1_digest(&one, SHA1_DIGEST_SIZE, out);
	secret_wipe(&one, sizeof(one));
}

static void
digest(enum scram_hash h, const unsigned char *p, unsigned char *out)
{
	struct sha1_ctx one;

	if (h == SCRAM_SHA_256) {
		sha256_of(slice_make((const char *)p, hashes[h].len), out);
		return;
	}
	sha1_init(&one);
	sha1_update(&one, SHA1_DIGEST_SIZE, p);
	sha1_digest(&one, SHA1_DIGEST_SIZE, out);
}

/* One base64 field; 0 and its octets, at least min of them and at most room. */
static int
field(struct slice *rest, struct arena *a, unsigned char *out, size_t min,
    size_t room, size_t *n_r)
{
	struct slice s;

	if (base64_decode(slice_cut(rest, ','), a, &s) < 0 || s.n < min ||
	    s.n > room)
		return -1;
	memcpy(out, s.p, s.n);
	*n_r = s.n;
	return 0;
}

static int
parse_fields(struct slice rest, struct arena *a, struct scram_keys *k)
{
	uint64_t iterations;
	size_t n;

	if (slice_uint(slice_cut(&rest, ','), SCRAM_ITERATIONS_MAX,
		&iterations) < 0 || iterations == 0 ||
	    field(&rest, a, k->salt, 1, SCRAM_SALT_MAX, &k->salt_n) < 0 ||
	    field(&rest, a, k->stored, k->n, k->n, &n) < 0 ||
	    field(&rest, a, k->server, k->n, k->n, &n) < 0 || rest.n > 0)
		return -1;
	k->iterations = (uint32_t)iterations;
	return 0;
}

int
scram_parse(struct slice hash, struct scram_keys *k_r)
{
	struct arena *a;
	int rc = -1;

	for (int h = 0; h < SCRAM_HASHES; h++) {
		struct slice prefix = slice_str(hashes[h].prefix);

		if (!slice_starts(hash, prefix))
			continue;
		*k_r = (struct scram_keys){ .hash = (enum scram_hash)h,
			.n = hashes[h].len };
		a = arena_new(0);
		rc = parse_fields(slice_make(hash.p + prefix.n,
		    hash.n - prefix.n), a, k_r);
		arena_free(&a);
	}
	return rc;
}

/* RFC 5802 3: from k's salt and iterations.  -1: it can't be a password. */
static int
derive(struct scram_keys *k, struct slice password)
{
	unsigned char salted[SCRAM_LEN_MAX], client[SCRAM_LEN_MAX];
	struct arena *a = arena_new(0);
	struct slice p;
	int rc = utf8_saslprep(password, a, &p);

	if (rc == 0) {
		if (k->hash == SCRAM_SHA_256)
			pbkdf2_hmac_sha256(p.n, (const uint8_t *)p.p,
			    k->iterations, k->salt_n, k->salt, k->n, salted);
		else
			pbkdf2_hmac_sha1(p.n, (const uint8_t *)p.p,
			    k->iterations, k->salt_n, k->salt, k->n, salted);
		hmac(k->hash, salted, k->n, SLICE_LIT("Client Key"), client);
		digest(k->hash, client, k->stored);
		hmac(k->hash, salted, k->n, SLICE_LIT("Server Key"),
		    k->server);
		if (p.p != password.p)
			secret_wipe((char *)(uintptr_t)p.p, p.n);
	}
	secret_wipe(salted, sizeof(salted));
	secret_wipe(client, sizeof(client));
	arena_free(&a);
	return rc;
}

int
scram_make(enum scram_hash h, struct slice password, uint32_t iterations,
    struct arena *a, struct slice *hash_r)
{
	struct scram_keys k = { .hash = h, .iterations = iterations,
		.n = hashes[h].len, .salt_n = SCRAM_SALT };
	struct buf b;

	random_bytes(k.salt, k.salt_n);
	if (derive(&k, password) < 0)
		return -1;
	buf_init(&b, TEXT_MAX);
	buf_printf(&b, "%s%u,", hashes[h].prefix, iterations);
	base64_encode(&b, slice_make((const char *)k.salt, k.salt_n));
	buf_addc(&b, ',');
	base64_encode(&b, slice_make((const char *)k.stored, k.n));
	buf_addc(&b, ',');
	base64_encode(&b, slice_make((const char *)k.server, k.n));
	*hash_r = arena_slice(a, buf_slice(&b));
	buf_release(&b);
	secret_wipe(&k, sizeof(k));
	return 0;
}

int
scram_check(const struct scram_keys *k, struct slice password)
{
	struct scram_keys mine = *k;
	int same = derive(&mine, password) == 0 &&
	    secret_eq(mine.stored, k->stored, k->n);

	secret_wipe(&mine, sizeof(mine));
	return same;
}

bool
scram_proved(const struct scram_keys *k, struct slice message,
    const unsigned char *proof)
{
	unsigned char key[SCRAM_LEN_MAX], stored[SCRAM_LEN_MAX];

	/* ClientProof = ClientKey XOR HMAC(StoredKey, AuthMessage) */
	hmac(k->hash, k->stored, k->n, message, key);
	for (size_t i = 0; i < k->n; i++)
		key[i] ^= proof[i];
	digest(k->hash, key, stored);
	secret_wipe(key, sizeof(key));
	return secret_eq(stored, k->stored, k->n);
}

void
scram_sign(const struct scram_keys *k, struct slice message,
    unsigned char out[SCRAM_LEN_MAX])
{
	hmac(k->hash, k->server, k->n, message, out);
}
