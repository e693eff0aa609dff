/* t/unit/test-collation.c - comparators (RFC 4790, RFC 5051) */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "libbase/collation.h"

#define N(t) (sizeof(t) / sizeof((t)[0]))

static struct arena *arena;

static int
setup(void **state)
{
	(void)state;
	arena = arena_new(0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

static struct slice
key(enum collation c, const char *s)
{
	return collation_key(c, slice_str(s), arena);
}

static void
test_names(void **state)
{
	(void)state;
	for (int c = 0; c < COLLATION_N; c++)
		assert_int_equal(collation_find(slice_str(
		    collation_name((enum collation)c))), c);
	assert_int_equal(collation_find(SLICE_LIT("I;OCTET")),
	    COLLATION_OCTET);
	assert_int_equal(collation_find(SLICE_LIT("i;octe")), -1);
	assert_int_equal(collation_find(SLICE_LIT("")), -1);
	assert_true(collation_has_substring(COLLATION_UNICODE));
	assert_true(collation_has_substring(COLLATION_ASCII));
	assert_true(collation_has_substring(COLLATION_OCTET));
	assert_false(collation_has_substring(COLLATION_NUMERIC));
}

/* RFC 5051 2: title case, decomposed, again and again. */
static void
test_titlecase(void **state)
{
	static const struct {
		const char *in, *out;
	} t[] = {
		{ "", "" }, { "Hello, World! @[`{", "HELLO, WORLD! @[`{" },
		/* the RFC's own: U+01C4 to U+01C5, to D and U+017E, of which
		 * comes U+017D, Z and U+030C */
		{ "\xc7\x84", "DZ\xcc\x8c" },
		{ "\xc7\x85", "DZ\xcc\x8c" }, { "\xc7\x86", "DZ\xcc\x8c" },
		/* U+01F3 dz is U+01F2 Dz, <compat> D and z */
		{ "\xc7\xb3", "DZ" },
		{ "\xc3\xa4", "A\xcc\x88" }, { "\xc3\x84", "A\xcc\x88" },
		{ "a\xcc\x88", "A\xcc\x88" },
		/* no title case in UnicodeData.txt: not "SS" */
		{ "stra\xc3\x9f" "e", "STRA\xc3\x9f" "E" },
		{ "\xe1\xba\x9e", "\xe1\xba\x9e" },
		{ "\xc4\xb1", "I" },				/* dotless i */
		{ "\xc4\xb0", "I\xcc\x87" },			/* dotted I */
		{ "\xcf\x82\xcf\x83", "\xce\xa3\xce\xa3" },	/* sigmas */
		{ "\xef\xac\x81", "FI" },			/* ligature */
		{ "\xef\xbd\x81", "A" },			/* full width */
		{ "\xc2\xb5", "\xce\x9c" },			/* micro sign */
		/* U+1FB3: U+1FBC, capital alpha with U+0345, U+0399 */
		{ "\xe1\xbe\xb3", "\xce\x91\xce\x99" },
		/* U+1EAD: two marks, one decomposition each */
		{ "\xe1\xba\xad", "A\xcc\xa3\xcc\x82" },
		{ "\xd0\xb9", "\xd0\x98\xcc\x86" },		/* Cyrillic */
		{ "\xf0\x90\x90\xa8", "\xf0\x90\x90\x80" },	/* Deseret */
		{ "\xea\xb0\x80", "\xea\xb0\x80" },		/* Hangul */
		{ "\xc2\xbd", "1\xe2\x81\x84" "2" },		/* one half */
		{ "\xe2\x84\xab", "A\xcc\x8a" },	/* angstrom: twice */
		/* what isn't UTF-8 stays */
		{ "a\xff\xe4z", "A\xff\xe4Z" }, { "\xc3", "\xc3" },
		{ "\xed\xa0\x80q", "\xed\xa0\x80Q" }
	};

	(void)state;
	for (size_t i = 0; i < N(t); i++) {
		struct slice k = key(COLLATION_UNICODE, t[i].in);

		if (!slice_eq(k, slice_str(t[i].out)))
			fail_msg("%s: %.*s", t[i].in, (int)k.n, k.p);
	}
}

static void
test_order(void **state)
{
	/* each before the next */
	static const char *const unicode[] = {
		"", "1", "alpha", "\xc3\xa4rger", "Beta", "beta blocker",
		"Zoo", "\xc3\x9f", "\xd0\x90\xd0\xbb\xd0\xb5\xd0\xba\xd1\x81"
		"\xd0\xb5\xd0\xb9", "\xd1\x81\xd0\x95\xd0\xa0\xd0\x93\xd0\x95"
		"\xd0\x99"
	};
	static const char *const ascii[] = {
		"", "@", "a", "Aa", "b", "[", "`", "{", "\xc3\x84", "\xc3\xa4"
	};
	static const char *const octet[] = {
		"", "B", "Ba", "a", "aB", "\x80", "\xff"
	};
	static const char *const numeric[] = {
		"0", "0001x", "2", "10a", "00011", "18446744073709551616",
		"20000000000000000000", "100000000000000000000", "x1"
	};
	static const struct {
		enum collation c;
		const char *const *v;
		size_t n;
	} t[] = {
		{ COLLATION_UNICODE, unicode, N(unicode) },
		{ COLLATION_ASCII, ascii, N(ascii) },
		{ COLLATION_OCTET, octet, N(octet) },
		{ COLLATION_NUMERIC, numeric, N(numeric) }
	};

	(void)state;
	for (size_t i = 0; i < N(t); i++)
		for (size_t k = 1; k < t[i].n; k++)
			if (slice_cmp(key(t[i].c, t[i].v[k - 1]),
			    key(t[i].c, t[i].v[k])) >= 0)
				fail_msg("%s: %s before %s",
				    collation_name(t[i].c), t[i].v[k - 1],
				    t[i].v[k]);
}

static void
test_equal(void **state)
{
	(void)state;
#define SAME(c, a, b)	assert_true(slice_eq(key(c, a), key(c, b)))
#define OTHER(c, a, b)	assert_false(slice_eq(key(c, a), key(c, b)))
	SAME(COLLATION_NUMERIC, "007", "7 dwarfs");
	SAME(COLLATION_NUMERIC, "", "infinite");
	SAME(COLLATION_NUMERIC, "-1", "x");
	SAME(COLLATION_NUMERIC, "0", "000");
	SAME(COLLATION_ASCII, "iMAP", "ImaP");
	OTHER(COLLATION_ASCII, "\xc3\xa4", "\xc3\x84");
	OTHER(COLLATION_OCTET, "a", "A");
	SAME(COLLATION_UNICODE, "\xc3\xa4", "a\xcc\x88");
	OTHER(COLLATION_UNICODE, "\xc3\xa4", "a");
}

/* Nothing of a key is left to be done. */
static void
test_all(void **state)
{
	struct arena *a = arena_new(0);

	(void)state;
	for (uint32_t c = 1; c < 0x110000; c++) {
		char s[4];
		size_t n = 0;
		struct slice k;

		if (c >= 0xd800 && c < 0xe000)
			continue;
		if (c < 0x80)
			s[n++] = (char)c;
		else if (c < 0x800)
			s[n++] = (char)(0xc0 | c >> 6);
		else if (c < 0x10000)
			s[n++] = (char)(0xe0 | c >> 12);
		else
			s[n++] = (char)(0xf0 | c >> 18);
		if (c >= 0x10000)
			s[n++] = (char)(0x80 | (c >> 12 & 63));
		if (c >= 0x800)
			s[n++] = (char)(0x80 | (c >> 6 & 63));
		if (c >= 0x80)
			s[n++] = (char)(0x80 | (c & 63));
		k = collation_key(COLLATION_UNICODE, slice_make(s, n), a);
		if (k.n == 0 || !slice_eq(k,
		    collation_key(COLLATION_UNICODE, k, a)))
			fail_msg("U+%04X", (unsigned)c);
		arena_reset(a);
	}
	arena_free(&a);
}

/* Past its limit a buffer refuses. */
static void
test_refused(void **state)
{
	(void)state;
	for (int c = 0; c < COLLATION_N; c++) {
		struct buf b;

		buf_init(&b, 2);
		assert_int_equal(collation_add((enum collation)c,
		    SLICE_LIT("123"), &b), -1);
		buf_release(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_titlecase),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_refused)
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
