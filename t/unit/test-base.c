/* t/unit/test-base.c - slices, arenas, buffers, cursors, hashes */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "libbase/arena.h"
#include "libbase/buf.h"
#include "libbase/crc32c.h"
#include "libbase/io.h"
#include "libbase/text.h"
#include "libbase/xalloc.h"

#define N(t) (sizeof(t) / sizeof((t)[0]))

static void
test_slice(void **state)
{
	static const struct {
		const char *a, *b;
		int cmp;
		bool ieq, starts, istarts;
	} t[] = {
		{ "", "", 0, true, true, true },
		{ "a", "", 1, false, true, true },
		{ "", "a", -1, false, false, false },
		{ "abc", "abd", -1, false, false, false },
		{ "abc", "ab", 1, false, true, true },
		{ "ABC", "ab", -1, false, false, true },
		{ "Straight", "sTRAIGHT", -1, true, false, true },
		{ "\xff", "a", 1, false, false, false },
		{ "@", "`", -1, false, false, false },
	};
	struct slice s;

	(void)state;
	for (size_t i = 0; i < N(t); i++) {
		struct slice a = slice_str(t[i].a), b = slice_str(t[i].b);
		int c = slice_cmp(a, b);

		assert_int_equal((c > 0) - (c < 0), t[i].cmp);
		assert_int_equal(slice_eq(a, b), t[i].cmp == 0);
		assert_int_equal(slice_ieq(a, b), t[i].ieq);
		assert_int_equal(slice_starts(a, b), t[i].starts);
		assert_int_equal(slice_istarts(a, b), t[i].istarts);
	}
	assert_true(slice_eq(slice_trim(SLICE_LIT(" \t a b\r\n ")),
	    SLICE_LIT("a b")));
	assert_int_equal(slice_trim(SLICE_LIT(" \r\n")).n, 0);
	s = SLICE_LIT("a,,b");
	assert_true(slice_eq(slice_cut(&s, ','), SLICE_LIT("a")));
	assert_int_equal(slice_cut(&s, ',').n, 0);
	assert_true(slice_eq(slice_cut(&s, ','), SLICE_LIT("b")));
	assert_int_equal(s.n, 0);
	assert_int_equal(slice_cut(&s, ',').n, 0);
	assert_true(slice_is_ascii(SLICE_LIT("a\x7f")));
	assert_false(slice_is_ascii(SLICE_LIT("a\x80")));
	assert_true(slice_eq(slice_str(NULL), SLICE_LIT("")));
}

static void
test_uint(void **state)
{
	static const struct {
		const char *s;
		uint64_t max;
		int rc;
		uint64_t v;
	} t[] = {
		{ "0", 10, 0, 0 }, { "10", 10, 0, 10 }, { "11", 10, -1, 0 },
		{ "007", 10, 0, 7 }, { "", 10, -1, 0 }, { "-1", 10, -1, 0 },
		{ "+1", 10, -1, 0 }, { " 1", 10, -1, 0 }, { "1x", 10, -1, 0 },
		{ "18446744073709551615", UINT64_MAX, 0, UINT64_MAX },
		{ "18446744073709551616", UINT64_MAX, -1, 0 },
		{ "99999999999999999999999", UINT64_MAX, -1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < N(t); i++) {
		uint64_t v = 4711;

		assert_int_equal(slice_uint(slice_str(t[i].s), t[i].max, &v),
		    t[i].rc);
		assert_int_equal(v, t[i].rc == 0 ? t[i].v : 4711);
	}
}

static void
note(void *p)
{
	char **end = p;

	*(*end)++ = 'x';
}

static void
test_arena(void **state)
{
	char trace[8] = "", *end = trace;
	struct arena *a = arena_new(100000);
	size_t cap = 0, used;
	int *v = NULL;

	(void)state;
	for (size_t n = 0; n < 300; n++) {
		char *p = arena_alloc(a, n);

		assert_int_equal((uintptr_t)p % 16, 0);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xff, n);
	}
	assert_false(arena_full(a));
	assert_string_equal(arena_printf(a, "%d-%s", 42, "x"), "42-x");
	assert_string_equal(arena_strndup(a, "abcdef", 3), "abc");
	assert_null(arena_slice(a, slice_make(NULL, 0)).p);
	for (int i = 0; i < 1000; i++) {
		v = arena_grow(a, v, &cap, (size_t)i + 1, sizeof(*v));
		v[i] = i;
	}
	for (int i = 0; i < 1000; i++)
		assert_int_equal(v[i], i);

	arena_alloc(a, 90000);
	assert_true(arena_full(a));
	arena_defer(a, note, &end);
	arena_defer(a, note, &end);
	arena_reset(a);
	assert_string_equal(trace, "xx");
	assert_false(arena_full(a));
	assert_int_equal(arena_used(a), 0);
	/* What is reused is zero again. */
	for (int i = 0; i < 100; i++) {
		char *p = arena_alloc(a, 64);

		for (size_t k = 0; k < 64; k++)
			assert_int_equal(p[k], 0);
	}
	used = arena_used(a);
	assert_true(used >= 6400 && used < 10000);
	arena_defer(a, note, &end);
	arena_free(&a);
	assert_null(a);
	assert_string_equal(trace, "xxx");
	arena_free(&a);
}

/* Big and small objects by turns: none lies in another. */
static void
test_arena_turns(void **state)
{
	static const size_t size[] = { 16, 4096, 1, 9000, 100, 4095, 70000, 0,
		2000000, 33 };
	struct arena *a = arena_new(0);

	(void)state;
	for (int round = 0; round < 3; round++) {
		unsigned char *p[100];

		for (size_t i = 0; i < N(p); i++) {
			size_t n = size[i % N(size)] >> (i / N(size) % 4);

			p[i] = arena_alloc(a, n);
			for (size_t k = 0; k < n; k++)
				assert_int_equal(p[i][k], 0);
			memset(p[i], (int)i + 1, n);
		}
		for (size_t i = 0; i < N(p); i++) {
			size_t n = size[i % N(size)] >> (i / N(size) % 4);

			for (size_t k = 0; k < n; k++)
				assert_int_equal(p[i][k], i + 1);
		}
		arena_reset(a);
	}
	arena_free(&a);
}

static void
test_buf(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 10);
	assert_null(b.p);
	assert_int_equal(buf_add_str(&b, "0123456"), 0);
	assert_int_equal(buf_add(&b, "789x", 4), -1);
	assert_true(b.overflow);
	assert_true(slice_eq(buf_slice(&b), SLICE_LIT("0123456")));
	/* Once over, always over. */
	assert_int_equal(buf_addc(&b, '7'), -1);
	assert_int_equal(buf_add(&b, "", 0), -1);
	buf_reset(&b);
	assert_false(b.overflow);
	assert_int_equal(buf_add_str(&b, "abcdefghij"), 0);
	buf_consume(&b, 4);
	assert_true(slice_eq(buf_slice(&b), SLICE_LIT("efghij")));
	buf_consume(&b, 100);
	assert_int_equal(b.n, 0);
	assert_int_equal(buf_printf(&b, "%s", "0123456789x"), -1);
	buf_reset(&b);
	assert_int_equal(buf_printf(&b, "%d.%s", 12, "ab"), 0);
	assert_int_equal(buf_add_u64(&b, 0), 0);
	assert_true(slice_eq(buf_slice(&b), SLICE_LIT("12.ab0")));
	buf_release(&b);
	assert_null(b.p);

	/* The last octet of max is for use, by printf too. */
	buf_init(&b, 70);
	assert_non_null(buf_reserve(&b, 0));
	assert_int_equal(buf_printf(&b, "%066d%s", 1, "abcd"), 0);
	assert_int_equal(b.n, 70);
	assert_int_equal(buf_printf(&b, "%s", ""), 0);
	assert_non_null(buf_reserve(&b, 0));
	assert_int_equal(buf_printf(&b, "x"), -1);
	assert_int_equal(buf_printf(&b, "%s", ""), -1);
	assert_null(buf_reserve(&b, 0));
	assert_int_equal(b.n, 70);
	assert_memory_equal(b.p + 65, "1abcd", 5);
	buf_release(&b);

	buf_init(&b, 100);
	assert_int_equal(buf_add_u64(&b, UINT64_MAX), 0);
	assert_true(slice_eq(buf_slice(&b), SLICE_LIT("18446744073709551615")));
	buf_release(&b);
}

static void
test_cursor(void **state)
{
	static const uint64_t v[] = { 0, 1, 127, 128, 300, 16383, 16384,
		UINT32_MAX, UINT64_C(1) << 62, UINT64_C(1) << 63, UINT64_MAX };
	static const char *bad[] = { "\x80", "\xff\xff",
		"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02",
		"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01" };
	struct buf b;
	struct cur c;

	(void)state;
	buf_init(&b, 1000);
	for (size_t i = 0; i < N(v); i++)
		buf_add_varint(&b, v[i]);
	buf_add_be32(&b, 0x01020304);
	buf_add_be64(&b, UINT64_C(0x0102030405060708));
	buf_add_lstr(&b, SLICE_LIT("text"));
	buf_addc(&b, 'z');
	c = cur_make(buf_slice(&b));
	for (size_t i = 0; i < N(v); i++)
		assert_true(cur_varint(&c) == v[i]);
	assert_int_equal(cur_be32(&c), 0x01020304);
	assert_true(cur_be64(&c) == UINT64_C(0x0102030405060708));
	assert_true(slice_eq(cur_lstr(&c), SLICE_LIT("text")));
	assert_int_equal(cur_left(&c), 1);
	assert_int_equal(cur_u8(&c), 'z');
	assert_true(cur_ok(&c));
	assert_int_equal(cur_u8(&c), 0);
	assert_false(cur_ok(&c));
	assert_int_equal(cur_left(&c), 0);
	buf_release(&b);

	for (size_t i = 0; i < N(bad); i++) {
		c = cur_make(slice_str(bad[i]));
		cur_varint(&c);
		assert_false(cur_ok(&c));
	}
	/* A length that is longer than what follows. */
	c = cur_make(SLICE_LIT("\x05" "abcd"));
	assert_null(cur_lstr(&c).p);
	assert_false(cur_ok(&c));
	c = cur_make(slice_make(NULL, 0));
	assert_int_equal(cur_bytes(&c, 0).n, 0);
	assert_true(cur_ok(&c));
	assert_int_equal(cur_be64(&c), 0);
	assert_false(cur_ok(&c));
}

static void
test_crc32c(void **state)
{
	unsigned char octets[300];
	uint32_t part[4];

	(void)state;
	assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
	assert_int_equal(crc32c_table(0, "123456789", 9), 0xe3069283);
	for (size_t i = 0; i < sizeof(octets); i++)
		octets[i] = (unsigned char)(i * 37 + i / 7);
	for (size_t i = 0; i < sizeof(octets); i++) {
		uint32_t whole = crc32c(0, octets, i);

		assert_int_equal(whole, crc32c_table(0, octets, i));
		crc32c_parts(octets, i / 4, part);
		for (size_t k = 0; k < 4; k++)
			assert_int_equal(part[k],
			    crc32c(0, octets + k * (i / 4), i / 4));
		assert_int_equal(whole,
		    crc32c(crc32c(0, octets, i / 3), octets + i / 3,
			i - i / 3));
	}
}

static void
assert_hex(const unsigned char h[SHA256_LEN], const char *hex)
{
	unsigned char want[SHA256_LEN];

	assert_int_equal(hex_decode(slice_str(hex), want, sizeof(want)), 0);
	assert_memory_equal(h, want, sizeof(want));
}

static void
test_sha256(void **state)
{
	static const char abc[] = "ba7816bf8f01cfea414140de5dae2223"
				  "b00361a396177a9cb410ff61f20015ad";
	unsigned char h[SHA256_LEN];
	struct sha256 *s = sha256_new();

	(void)state;
	sha256_of(SLICE_LIT("abc"), h);
	assert_hex(h, abc);
	sha256_add(s, "a", 1);
	sha256_add(s, "", 0);
	sha256_add(s, "bc", 2);
	sha256_finish(&s, h);
	assert_null(s);
	assert_hex(h, abc);
	sha256_of(slice_make(NULL, 0), h);
	assert_hex(h, "e3b0c44298fc1c149afbf4c8996fb924"
		      "27ae41e4649b934ca495991b7852b855");
	/* RFC 4231 test case 2 */
	hmac_sha256(SLICE_LIT("Jefe"),
	    SLICE_LIT("what do ya want for nothing?"), h);
	assert_hex(h, "5bdcc146bf60754e6a042426089575c7"
		      "5a003f089d2739839dec58b964ec3843");
	assert_true(hash64(SLICE_LIT("abc")) == UINT64_C(0xba7816bf8f01cfea));
}

static void
test_secret(void **state)
{
	char p[8] = "secret";

	(void)state;
	assert_true(secret_eq("abc", "abc", 3));
	assert_false(secret_eq("abc", "abd", 3));
	assert_false(secret_eq("xbc", "abc", 3));
	assert_true(secret_eq("", "", 0));
	secret_wipe(p, sizeof(p));
	for (size_t i = 0; i < sizeof(p); i++)
		assert_int_equal(p[i], 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slice),
		cmocka_unit_test(test_uint),
		cmocka_unit_test(test_arena),
		cmocka_unit_test(test_arena_turns),
		cmocka_unit_test(test_buf),
		cmocka_unit_test(test_cursor),
		cmocka_unit_test(test_crc32c),
		cmocka_unit_test(test_sha256),
		cmocka_unit_test(test_secret),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
