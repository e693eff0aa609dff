/*
 * t/jmap/webpush-open.c - what a browser does with a push (RFC 8291)
 *
 *   webpush-open PRIVATE-KEY AUTH <body >plain	both in hexadecimal
 *   webpush-open PRIVATE-KEY			prints the public key
 *
 * Written apart from libsession/webpush.c: it checks that one.
 */
#include "config.h"

#include <gmp.h>
#include <nettle/ecc-curve.h>
#include <nettle/ecc.h>
#include <nettle/gcm.h>
#include <nettle/hkdf.h>
#include <nettle/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX = 8192, SALT = 16, HEAD = SALT + 5, POINT = 65, TAG = 16 };

static void
die(const char *why)
{
	fprintf(stderr, "webpush-open: %s\n", why);
	exit(1);
}

static size_t
unhex(const char *s, unsigned char *out, size_t max)
{
	unsigned v;
	size_t n;

	for (n = 0; n < max && sscanf(s + 2 * n, "%2x", &v) == 1; n++)
		out[n] = (unsigned char)v;
	return n;
}

static void
put(const struct ecc_point *p, unsigned char out[POINT])
{
	mpz_t x, y;

	mpz_init(x);
	mpz_init(y);
	ecc_point_get(p, x, y);
	memset(out, 0, POINT);
	out[0] = 4;
	mpz_export(out + 33 - (mpz_sizeinbase(x, 2) + 7) / 8, NULL, 1, 1, 1, 0,
	    x);
	mpz_export(out + 65 - (mpz_sizeinbase(y, 2) + 7) / 8, NULL, 1, 1, 1, 0,
	    y);
	mpz_clear(x);
	mpz_clear(y);
}

static void
get(struct ecc_point *p, const unsigned char in[POINT])
{
	mpz_t x, y;

	mpz_init(x);
	mpz_init(y);
	mpz_import(x, 32, 1, 1, 1, 0, in + 1);
	mpz_import(y, 32, 1, 1, 1, 0, in + 33);
	if (in[0] != 4 || !ecc_point_set(p, x, y))
		die("no point of the curve");
	mpz_clear(x);
	mpz_clear(y);
}

/* RFC 5869: both steps, for at most 32 octets. */
static void
hkdf(const unsigned char *salt, size_t n_salt, const unsigned char *ikm,
    const unsigned char *info, size_t n_info, unsigned char *out, size_t n)
{
	struct hmac_sha256_ctx c;
	unsigned char prk[32];

	hmac_sha256_set_key(&c, n_salt, salt);
	hkdf_extract(&c, (nettle_hash_update_func *)hmac_sha256_update,
	    (nettle_hash_digest_func *)hmac_sha256_digest, 32, 32, ikm, prk);
	hmac_sha256_set_key(&c, 32, prk);
	hkdf_expand(&c, (nettle_hash_update_func *)hmac_sha256_update,
	    (nettle_hash_digest_func *)hmac_sha256_digest, 32, n_info, info,
	    n, out);
}

static void
open_record(const unsigned char *ikm, const unsigned char *in, size_t n)
{
	static const unsigned char cek_info[] = "Content-Encoding: aes128gcm";
	static const unsigned char nonce_info[] = "Content-Encoding: nonce";
	unsigned char cek[16], nonce[12], out[MAX], tag[TAG];
	struct gcm_aes128_ctx g;
	size_t len = n - HEAD - POINT - TAG;

	hkdf(in, SALT, ikm, cek_info, sizeof(cek_info), cek, sizeof(cek));
	hkdf(in, SALT, ikm, nonce_info, sizeof(nonce_info), nonce,
	    sizeof(nonce));
	gcm_aes128_set_key(&g, cek);
	gcm_aes128_set_iv(&g, sizeof(nonce), nonce);
	gcm_aes128_decrypt(&g, len, out, in + HEAD + POINT);
	gcm_aes128_digest(&g, TAG, tag);
	if (memcmp(tag, in + n - TAG, TAG) != 0)
		die("the tag is wrong");
	while (len > 0 && out[len - 1] == 0)
		len--;
	if (len == 0 || out[len - 1] != 2)
		die("not the last record");
	fwrite(out, 1, len - 1, stdout);
}

int
main(int argc, char **argv)
{
	unsigned char key[32], auth[16], in[MAX], own[POINT], secret[POINT];
	unsigned char info[14 + 2 * POINT] = "WebPush: info", ikm[32];
	struct ecc_scalar k;
	struct ecc_point p;
	mpz_t z;
	size_t n;

	if (argc < 2 || unhex(argv[1], key, 32) != 32)
		die("usage: webpush-open PRIVATE-KEY [AUTH]");
	mpz_init(z);
	mpz_import(z, 32, 1, 1, 1, 0, key);
	ecc_scalar_init(&k, nettle_get_secp_256r1());
	ecc_point_init(&p, nettle_get_secp_256r1());
	if (!ecc_scalar_set(&k, z))
		die("no private key");
	mpz_clear(z);
	ecc_point_mul_g(&p, &k);
	put(&p, own);
	if (argc == 2) {
		fwrite(own, 1, POINT, stdout);
	} else {
		n = fread(in, 1, sizeof(in), stdin);
		if (unhex(argv[2], auth, 16) != 16 ||
		    n < HEAD + POINT + TAG + 1 || in[SALT + 4] != POINT)
			die("not that form");
		get(&p, in + HEAD);
		ecc_point_mul(&p, &k, &p);
		put(&p, secret);
		memcpy(info + 14, own, POINT);
		memcpy(info + 14 + POINT, in + HEAD, POINT);
		hkdf(auth, 16, secret + 1, info, sizeof(info), ikm, 32);
		open_record(ikm, in, n);
	}
	ecc_point_clear(&p);
	ecc_scalar_clear(&k);
	return 0;
}
