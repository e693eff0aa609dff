/* t/unit/test-webpush.c - messages for push services */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <gmp.h>
#include <nettle/ecc-curve.h>
#include <nettle/ecdsa.h>

#include <cmocka.h>

#include "libbase/io.h"
#include "libbase/text.h"
#include "libsession/webpush.h"

#define S(s) slice_str(s)

static struct slice
unbase(struct arena *a, const char *text)
{
	struct slice s;

	assert_int_equal(base64url_decode(S(text), a, &s), 0);
	return s;
}

/* RFC 8291, section 5 and appendix A. */
static const char ua_public[] = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcx"
    "aOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
static const char as_private[] = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw";
static const char auth[] = "BTBZMqHH6r4Tts7J_aSIgg";
static const char salt[] = "DGv6ra1nlYgDCS1FRnbzlw";
static const char expected[] = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_"
    "c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl"
    "95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4"
    "a-fN";

static void
test_rfc8291(void **state)
{
	struct arena *a = arena_new(0);
	struct buf out;
	struct slice want = unbase(a, expected);

	(void)state;
	buf_init(&out, 8192);
	assert_true(webpush_key_ok(unbase(a, ua_public)));
	assert_int_equal(webpush_encrypt_with(unbase(a, ua_public),
	    unbase(a, auth), S("When I grow up, I want to be a watermelon"),
	    (const unsigned char *)unbase(a, salt).p,
	    (const unsigned char *)unbase(a, as_private).p, &out), 0);
	assert_int_equal(out.n, want.n);
	assert_memory_equal(out.p, want.p, want.n);
	/* Another time, everything is another one. */
	buf_reset(&out);
	assert_int_equal(webpush_encrypt(unbase(a, ua_public),
	    unbase(a, auth), S("x"), &out), 0);
	assert_int_equal(out.n, 16 + 4 + 1 + 65 + 1 + 1 + 16);
	assert_memory_not_equal(out.p, want.p, 16);
	assert_memory_not_equal(out.p + 21, want.p + 21, 65);
	buf_release(&out);
	arena_free(&a);
}

static void
test_bad_keys(void **state)
{
	struct arena *a = arena_new(0);
	struct slice good = unbase(a, ua_public), long_text;
	char bad[65];
	struct buf out;

	(void)state;
	buf_init(&out, 8192);
	memcpy(bad, good.p, 65);
	bad[64] ^= 1;
	assert_false(webpush_key_ok(slice_make(bad, 65)));
	assert_int_equal(webpush_encrypt(slice_make(bad, 65), unbase(a, auth),
	    S("x"), &out), -1);
	memset(bad, 0, 65);
	assert_false(webpush_key_ok(slice_make(bad, 65)));
	bad[0] = 4;
	assert_false(webpush_key_ok(slice_make(bad, 65)));
	memset(bad + 1, 255, 64);
	assert_false(webpush_key_ok(slice_make(bad, 65)));
	assert_false(webpush_key_ok(slice_make(good.p, 64)));
	assert_int_equal(webpush_encrypt(good, S("short"), S("x"), &out), -1);
	long_text = slice_make(arena_alloc(a, WEBPUSH_PLAIN_MAX + 1),
	    WEBPUSH_PLAIN_MAX + 1);
	assert_int_equal(webpush_encrypt(good, unbase(a, auth), long_text,
	    &out), -1);
	assert_int_equal(out.n, 0);
	long_text.n--;
	assert_int_equal(webpush_encrypt(good, unbase(a, auth), long_text,
	    &out), 0);
	assert_int_equal(out.n, 4096);	/* RFC 8030 7.2 */
	buf_release(&out);
	arena_free(&a);
}

static void
test_origin(void **state)
{
	static const struct { const char *url, *origin; } t[] = {
		{ "https://push.example/x?y#z", "https://push.example" },
		{ "https://Push.Example:443", "https://push.example" },
		{ "https://push.example:8443/", "https://push.example:8443" },
		{ "https://[::1]:44/", "https://[::1]:44" },
		{ "https://127.0.0.1?", "https://127.0.0.1" },
		{ "http://push.example/", NULL }, { "https:///x", NULL },
		{ "https://user@push.example/", NULL },
		{ "https://push.example:/", NULL },
		{ "https://push.example:0/", NULL },
		{ "https://push.example:70000/", NULL },
		{ "https://push.example:8x/", NULL },
		{ "https://push.example/a b", NULL },
		{ "https://push.example/\r\nX: y", NULL },
		{ "https://push.example\\@evil/", NULL },
		{ "https://[::1", NULL }, { "https://[]/", NULL },
		{ "https://p\xc3\xbcsh/", NULL }, { "", NULL },
		{ "https://", NULL },
	};
	struct buf b;

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		buf_init(&b, 4096);
		assert_int_equal(webpush_origin(S(t[i].url), &b),
		    t[i].origin != NULL);
		if (t[i].origin != NULL)
			assert_true(slice_eq(buf_slice(&b), S(t[i].origin)));
		buf_release(&b);
	}
}

static void
number(mpz_t n, const char *p)
{
	mpz_init(n);
	mpz_import(n, 32, 1, 1, 1, 0, p);
}

static bool
verify(struct slice point, struct slice text, struct slice sig)
{
	unsigned char hash[SHA256_LEN];
	struct dsa_signature s;
	struct ecc_point pt;
	mpz_t x, y;
	bool ok;

	assert_int_equal(point.n, 65);
	assert_int_equal(sig.n, 64);
	number(x, point.p + 1);
	number(y, point.p + 33);
	number(s.r, sig.p);
	number(s.s, sig.p + 32);
	ecc_point_init(&pt, nettle_get_secp_256r1());
	assert_true(ecc_point_set(&pt, x, y));
	sha256_of(text, hash);
	ok = ecdsa_verify(&pt, sizeof(hash), hash, &s) != 0;
	ecc_point_clear(&pt);
	mpz_clear(x);
	mpz_clear(y);
	dsa_signature_clear(&s);
	return ok;
}

static void
test_vapid(void **state)
{
	char dir[] = "/tmp/test-webpush-XXXXXX", path[64], *dot, *k, *text;
	struct store_conf cf = { .mail_dir = dir };
	struct arena *a = arena_new(0);
	struct vapid v, w;
	struct slice token, claims, sig, point;
	struct buf b;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(vapid_load(&cf, &v), 0);
	assert_int_equal(vapid_load(&cf, &w), 0);
	assert_memory_equal(&v, &w, sizeof(v));	/* it stays */
	buf_init(&b, 8192);
	assert_int_equal(vapid_put(&b, &v, S("https://push.example"),
	    "mailto:a@b.example", 1234567890), 0);
	text = arena_strndup(a, b.p, b.n);
	assert_int_equal(strncmp(text, "vapid t=", 8), 0);
	k = strstr(text, ", k=");
	assert_non_null(k);
	point = unbase(a, k + 4);
	*k = '\0';
	assert_memory_equal(point.p, v.point, 65);
	dot = strrchr(text, '.');
	assert_non_null(dot);
	sig = unbase(a, dot + 1);
	token = slice_make(text + 8, (size_t)(dot - text) - 8);
	assert_true(verify(point, token, sig));
	assert_false(verify(point, slice_make(token.p, token.n - 1), sig));
	*dot = '\0';
	claims = unbase(a, strchr(text, '.') + 1);
	assert_true(slice_eq(claims, S("{\"aud\":\"https://push.example\","
	    "\"exp\":1234567890,\"sub\":\"mailto:a@b.example\"}")));
	/* A file that is no key is an error, not a new key. */
	snprintf(path, sizeof(path), "%s/.push/.vapid", dir);
	assert_int_equal(truncate(path, 5), 0);
	assert_int_equal(vapid_load(&cf, &w), -1);
	assert_int_equal(unlink(path), 0);
	snprintf(path, sizeof(path), "%s/.push", dir);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(dir), 0);
	buf_release(&b);
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc8291),
		cmocka_unit_test(test_bad_keys),
		cmocka_unit_test(test_origin), cmocka_unit_test(test_vapid),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
