/* libsession/webpush.c - encrypted, signed messages for push services */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <gmp.h>
#include <inttypes.h>
#include <nettle/ecc-curve.h>
#include <nettle/ecc.h>
#include <nettle/ecdsa.h>
#include <nettle/gcm.h>
#include <string.h>
#include <unistd.h>

#include "libbase/io.h"
#include "libbase/text.h"
#include "libbase/xalloc.h"
#include "libsession/webpush.h"
#include "libstore/push.h"

enum { RECORD = 4096, CEK = 16, NONCE = 12, TAG = 16 };
enum { HEAD = WEBPUSH_SALT + 4 + 1 + WEBPUSH_POINT };

/* ---- P-256 ------------------------------------------------------------- */

static void
number_put(const mpz_t n, unsigned char *p)
{
	size_t len = (mpz_sizeinbase(n, 2) + 7) / 8;

	memset(p, 0, WEBPUSH_SCALAR);
	if (len <= WEBPUSH_SCALAR && mpz_sgn(n) > 0)
		mpz_export(p + WEBPUSH_SCALAR - len, NULL, 1, 1, 1, 0, n);
}

static void
number_get(mpz_t n, const unsigned char *p)
{
	mpz_init(n);
	mpz_import(n, WEBPUSH_SCALAR, 1, 1, 1, 0, p);
}

/* false: no point of the curve; pt is initialized whatever is returned. */
static bool
point_get(struct ecc_point *pt, struct slice s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	mpz_t x, y;
	bool ok;

	ecc_point_init(pt, nettle_get_secp_256r1());
	if (s.n != WEBPUSH_POINT || p[0] != 4)
		return false;
	number_get(x, p + 1);
	number_get(y, p + 1 + WEBPUSH_SCALAR);
	ok = ecc_point_set(pt, x, y) != 0;
	mpz_clear(x);
	mpz_clear(y);
	return ok;
}

static void
point_put(const struct ecc_point *pt, unsigned char out[WEBPUSH_POINT])
{
	mpz_t x, y;

	mpz_init(x);
	mpz_init(y);
	ecc_point_get(pt, x, y);
	out[0] = 4;
	number_put(x, out + 1);
	number_put(y, out + 1 + WEBPUSH_SCALAR);
	mpz_clear(x);
	mpz_clear(y);
}

static bool
scalar_get(struct ecc_scalar *k, const unsigned char p[WEBPUSH_SCALAR])
{
	mpz_t n;
	bool ok;

	ecc_scalar_init(k, nettle_get_secp_256r1());
	number_get(n, p);
	ok = ecc_scalar_set(k, n) != 0;
	mpz_clear(n);
	return ok;
}

/* The public key of a private one; false: it is none. */
static bool
public_of(const unsigned char key[WEBPUSH_SCALAR],
    unsigned char out[WEBPUSH_POINT])
{
	struct ecc_scalar k;
	struct ecc_point pt;
	bool ok = scalar_get(&k, key);

	ecc_point_init(&pt, nettle_get_secp_256r1());
	if (ok) {
		ecc_point_mul_g(&pt, &k);
		point_put(&pt, out);
	}
	ecc_point_clear(&pt);
	ecc_scalar_clear(&k);
	return ok;
}

static void
key_new(unsigned char key[WEBPUSH_SCALAR])
{
	unsigned char point[WEBPUSH_POINT];

	do
		random_bytes(key, WEBPUSH_SCALAR);
	while (!public_of(key, point));
}

bool
webpush_key_ok(struct slice p256dh)
{
	struct ecc_point pt;
	bool ok = point_get(&pt, p256dh);

	ecc_point_clear(&pt);
	return ok;
}

/* ---- encryption -------------------------------------------------------- */

static bool
shared_secret(struct slice theirs, const unsigned char key[WEBPUSH_SCALAR],
    unsigned char out[WEBPUSH_SCALAR])
{
	unsigned char point[WEBPUSH_POINT];
	struct ecc_scalar k;
	struct ecc_point pt;
	bool ok = point_get(&pt, theirs);

	if (scalar_get(&k, key) && ok) {
		ecc_point_mul(&pt, &k, &pt);
		point_put(&pt, point);
		memcpy(out, point + 1, WEBPUSH_SCALAR);
		explicit_bzero(point, sizeof(point));
	} else {
		ok = false;
	}
	ecc_point_clear(&pt);
	ecc_scalar_clear(&k);
	return ok;
}

/* HKDF's second step for at most one hash's length. */
static void
expand(const unsigned char prk[SHA256_LEN], struct slice info,
    unsigned char out[SHA256_LEN])
{
	struct buf b;

	buf_init(&b, 1024);
	buf_add_slice(&b, info);
	buf_addc(&b, 1);
	hmac_sha256(slice_make((const char *)prk, SHA256_LEN), buf_slice(&b),
	    out);
	buf_release(&b);
}

struct secrets {
	unsigned char ecdh[WEBPUSH_SCALAR], prk[SHA256_LEN], ikm[SHA256_LEN];
	unsigned char cek[SHA256_LEN], nonce[SHA256_LEN];
};

/* RFC 8291 3.3 and 3.4 */
static void
derive(struct secrets *s, struct slice theirs,
    const unsigned char ours[WEBPUSH_POINT], struct slice auth,
    const unsigned char salt[WEBPUSH_SALT])
{
	static const char cek[] = "Content-Encoding: aes128gcm";
	static const char nonce[] = "Content-Encoding: nonce";
	struct buf info;

	hmac_sha256(auth, slice_make((const char *)s->ecdh,
	    sizeof(s->ecdh)), s->prk);
	buf_init(&info, 512);
	buf_add(&info, "WebPush: info", sizeof("WebPush: info"));
	buf_add_slice(&info, theirs);
	buf_add(&info, ours, WEBPUSH_POINT);
	expand(s->prk, buf_slice(&info), s->ikm);
	buf_release(&info);
	hmac_sha256(slice_make((const char *)salt, WEBPUSH_SALT),
	    slice_make((const char *)s->ikm, sizeof(s->ikm)), s->prk);
	/* Each with the zero octet at its end. */
	expand(s->prk, slice_make(cek, sizeof(cek)), s->cek);
	expand(s->prk, slice_make(nonce, sizeof(nonce)), s->nonce);
}

/* One record, the last one, without padding. */
static void
seal(const struct secrets *s, struct slice plain, struct buf *out)
{
	struct gcm_aes128_ctx ctx;
	struct buf b;
	unsigned char *p;

	buf_init(&b, WEBPUSH_PLAIN_MAX + 1);
	buf_add_slice(&b, plain);
	buf_addc(&b, 2);
	p = (unsigned char *)buf_reserve(out, b.n + TAG);
	if (p != NULL) {
		gcm_aes128_set_key(&ctx, s->cek);
		gcm_aes128_set_iv(&ctx, NONCE, s->nonce);
		gcm_aes128_encrypt(&ctx, b.n, p,
		    (const unsigned char *)b.p);
		gcm_aes128_digest(&ctx, TAG, p + b.n);
		out->n += b.n + TAG;
		explicit_bzero(&ctx, sizeof(ctx));
	}
	buf_release(&b);
}

int
webpush_encrypt_with(struct slice p256dh, struct slice auth,
    struct slice plain, const unsigned char salt[WEBPUSH_SALT],
    const unsigned char key[WEBPUSH_SCALAR], struct buf *out)
{
	unsigned char ours[WEBPUSH_POINT];
	struct secrets s;

	if (plain.n > WEBPUSH_PLAIN_MAX || auth.n != WEBPUSH_AUTH ||
	    !public_of(key, ours) || !shared_secret(p256dh, key, s.ecdh))
		return -1;
	derive(&s, p256dh, ours, auth, salt);
	buf_add(out, salt, WEBPUSH_SALT);
	buf_add_be32(out, RECORD);
	buf_addc(out, WEBPUSH_POINT);
	buf_add(out, ours, WEBPUSH_POINT);
	seal(&s, plain, out);
	explicit_bzero(&s, sizeof(s));
	return out->overflow ? -1 : 0;
}

int
webpush_encrypt(struct slice p256dh, struct slice auth, struct slice plain,
    struct buf *out)
{
	unsigned char salt[WEBPUSH_SALT], key[WEBPUSH_SCALAR];
	int rc;

	random_bytes(salt, sizeof(salt));
	key_new(key);
	rc = webpush_encrypt_with(p256dh, auth, plain, salt, key, out);
	explicit_bzero(key, sizeof(key));
	return rc;
}

/* ---- URLs -------------------------------------------------------------- */

static bool
is_host_char(char c, bool v6)
{
	if ((c >= '0' && c <= '9') || c == '.')
		return true;
	if (v6)
		return (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') ||
		    c == ':';
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}

/* "host" or "[address]" at the front: how long it is, or 0. */
static size_t
host_len(struct slice s)
{
	bool v6 = s.n > 0 && s.p[0] == '[';
	size_t i = v6;

	while (i < s.n && is_host_char(s.p[i], v6))
		i++;
	if (!v6)
		return i;
	return i > 1 && i < s.n && s.p[i] == ']' ? i + 1 : 0;
}

bool
webpush_origin(struct slice url, struct buf *origin)
{
	static const char scheme[] = "https://";
	struct slice s, port;
	uint64_t n = 443;
	size_t host, i;

	for (i = 0; i < url.n; i++)
		if (url.p[i] <= ' ' || url.p[i] > '~' || url.p[i] == '\\')
			return false;
	if (!slice_starts(url, SLICE_LIT("https://")))
		return false;
	s = slice_make(url.p + sizeof(scheme) - 1,
	    url.n - (sizeof(scheme) - 1));
	if ((host = host_len(s)) == 0)
		return false;
	buf_add_str(origin, scheme);
	for (i = 0; i < host; i++)
		buf_addc(origin, s.p[i] >= 'A' && s.p[i] <= 'Z' ?
		    (char)(s.p[i] + 32) : s.p[i]);
	s = slice_make(s.p + host, s.n - host);
	if (s.n > 0 && s.p[0] == ':') {
		for (i = 1; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++)
			;
		port = slice_make(s.p + 1, i - 1);
		if (slice_uint(port, 65535, &n) < 0 || n == 0)
			return false;
		s = slice_make(s.p + i, s.n - i);
	}
	if (n != 443)
		buf_printf(origin, ":%u", (unsigned)n);
	return s.n == 0 || strchr("/?#", s.p[0]) != NULL;
}

/* ---- VAPID ------------------------------------------------------------- */

/* A new key, where nobody else makes one at the same time. */
static int
key_make(const char *path)
{
	unsigned char key[WEBPUSH_SCALAR];
	char *tmp = xasprintf("%s.%ld.%" PRId64, path, (long)getpid(),
	    time_mono_ms());
	int fd, rc = -1, e;

	key_new(key);
	fd = io_open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0 && io_write_full(fd, key, sizeof(key)) == 0 &&
	    io_fsync(fd) == 0)
		rc = link(tmp, path) < 0 && errno != EEXIST ? -1 : 0;
	e = errno;
	explicit_bzero(key, sizeof(key));
	io_close(&fd);
	unlink(tmp);
	xfree(tmp);
	if (rc == 0) {
		rc = io_sync_parent(path);
		e = errno;
	}
	errno = e;
	return rc;
}

static int
key_read(const char *path, struct vapid *v)
{
	int fd, rc, e;

	fd = io_open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	errno = 0;
	rc = io_read_full(fd, v->key, sizeof(v->key));
	e = errno != 0 ? errno : EINVAL;
	io_close(&fd);
	if (rc == 0 && !public_of(v->key, v->point)) {
		e = EINVAL;
		rc = -1;
	}
	errno = e;
	return rc;
}

int
vapid_load(const struct store_conf *cf, struct vapid *v_r)
{
	char *dir = store_push_dir(cf), *path;
	int rc, e;

	if (dir == NULL)
		return -1;
	path = xasprintf("%s/.vapid", dir);
	rc = key_read(path, v_r);
	if (rc < 0 && errno == ENOENT && (rc = key_make(path)) == 0)
		rc = key_read(path, v_r);
	e = errno;
	xfree(path);
	xfree(dir);
	errno = e;
	return rc;
}

static void
random_fill(void *ctx, size_t n, uint8_t *p)
{
	(void)ctx;
	random_bytes(p, n);
}

/* RFC 7518 3.4: r and s, one after the other. */
static void
sign(const struct vapid *v, struct slice text,
    unsigned char out[2 * WEBPUSH_SCALAR])
{
	unsigned char hash[SHA256_LEN];
	struct dsa_signature sig;
	struct ecc_scalar k;

	sha256_of(text, hash);
	dsa_signature_init(&sig);
	if (scalar_get(&k, v->key))
		ecdsa_sign(&k, NULL, random_fill, sizeof(hash), hash, &sig);
	number_put(sig.r, out);
	number_put(sig.s, out + WEBPUSH_SCALAR);
	dsa_signature_clear(&sig);
	ecc_scalar_clear(&k);
}

int
vapid_put(struct buf *out, const struct vapid *v, struct slice origin,
    const char *contact, int64_t expires)
{
	static const char head[] = "{\"typ\":\"JWT\",\"alg\":\"ES256\"}";
	unsigned char sig[2 * WEBPUSH_SCALAR];
	struct buf claims, token;

	buf_init(&claims, 4096);
	buf_init(&token, 8192);
	buf_add_str(&claims, "{\"aud\":\"");
	buf_add_slice(&claims, origin);
	buf_printf(&claims, "\",\"exp\":%" PRId64, expires);
	if (contact != NULL)
		buf_printf(&claims, ",\"sub\":\"%s\"", contact);
	buf_addc(&claims, '}');
	base64url_encode(&token, slice_str(head));
	buf_addc(&token, '.');
	base64url_encode(&token, buf_slice(&claims));
	sign(v, buf_slice(&token), sig);
	buf_addc(&token, '.');
	base64url_encode(&token, slice_make((const char *)sig, sizeof(sig)));
	buf_add_str(out, "vapid t=");
	buf_add_slice(out, buf_slice(&token));
	buf_add_str(out, ", k=");
	base64url_encode(out, slice_make((const char *)v->point,
	    sizeof(v->point)));
	if (claims.overflow || token.overflow)
		out->overflow = true;
	buf_release(&claims);
	buf_release(&token);
	return out->overflow ? -1 : 0;
}
