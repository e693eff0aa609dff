/* t/unit/test-imap-text.c - sets, names, patterns, dates, encoder of imapd */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "imapd/date.h"
#include "imapd/encode.h"
#include "imapd/match.h"
#include "imapd/seqset.h"
#include "libbase/text.h"
#include "libbase/utf7.h"

static int
setup(void **state)
{
	*state = arena_new(0);
	return 0;
}

static int
teardown(void **state)
{
	struct arena *a = *state;

	arena_free(&a);
	return 0;
}

static void
test_seqset(void **state)
{
	static const struct { const char *in; uint32_t star; const char *want; }
	t[] = {
		{ "1", 9, "1:1" }, { "2:4", 9, "2:4" }, { "4:2", 9, "2:4" },
		{ "*", 9, "9:9" }, { "*:*", 9, "9:9" }, { "3:*", 9, "3:9" },
		{ "*:3", 9, "3:9" }, { "12:*", 9, "9:12" }, { "*", 0, "" },
		{ "1:*", 0, "1:1" }, { "*,5", 0, "5:5" },
		{ "5,3,4,1", 9, "1:1 3:5" }, { "1:3,2:7,9", 9, "1:7 9:9" },
		{ "1:2,3:4", 9, "1:4" }, { "1,1,1", 9, "1:1" },
		{ "4294967295,4294967294", 9, "4294967294:4294967295" },
		{ "4294967295,1:*", 4294967295u, "1:4294967295" },
		{ "", 9, NULL }, { "0", 9, NULL }, { "1,", 9, NULL },
		{ ",1", 9, NULL }, { "1:", 9, NULL }, { ":1", 9, NULL },
		{ "1::2", 9, NULL }, { "1:2:3", 9, NULL }, { "a", 9, NULL },
		{ "4294967296", 9, NULL }, { "-1", 9, NULL }, { "1 ", 9, NULL },
		{ "**", 9, NULL }, { "1*", 9, NULL }, { "0:5", 9, NULL },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		char got[256] = "";
		struct seqset set;
		int rc = seqset_parse(slice_str(t[i].in), t[i].star, *state,
		    &set);

		assert_int_equal(rc, t[i].want ? 0 : -1);
		for (size_t k = 0; rc == 0 && k < set.n; k++)
			snprintf(got + strlen(got), sizeof(got) - strlen(got),
			    "%s%u:%u", k ? " " : "", (unsigned)set.r[k].from,
			    (unsigned)set.r[k].to);
		if (t[i].want != NULL)
			assert_string_equal(got, t[i].want);
	}
}

static void
test_seqset_has(void **state)
{
	struct seqset set;
	struct buf out;
	uint32_t v[] = { 1, 2, 3, 5, 7, 8, 4294967294u, 4294967295u };

	assert_int_equal(seqset_parse(SLICE_LIT("2:4,8,20:30"), 0, *state,
	    &set), 0);
	for (uint32_t i = 0; i < 40; i++)
		assert_int_equal(seqset_has(&set, i), (i >= 2 && i <= 4) ||
		    i == 8 || (i >= 20 && i <= 30));
	assert_int_equal(seqset_max(&set), 30);
	buf_init(&out, 1000);
	seqset_print(&out, v, 8);
	assert_true(slice_eq(buf_slice(&out),
	    SLICE_LIT("1:3,5,7:8,4294967294:4294967295")));
	buf_reset(&out);
	seqset_print(&out, v, 0);
	assert_int_equal(out.n, 0);
	buf_release(&out);
}

static void
test_utf7(void **state)
{
	static const struct { const char *in, *want; } t[] = {
		{ "INBOX", "INBOX" }, { "", "" }, { "a&-b", "a&b" },
		{ "&-", "&" }, { "&-&-", "&&" },
		{ "~peter/mail/&U,BTFw-/&ZeVnLIqe-",
		    "~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/"
		    "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e" },
		{ "Entw&APw-rfe", "Entw\xc3\xbcrfe" },
		{ "&2D3cig-", "\xf0\x9f\x92\x8a" }, /* surrogates */
		{ "&AH8-", "\x7f" }, { "&AAE-", "\x01" },
		{ "&AMAA4QDi-", "\xc3\x80\xc3\xa1\xc3\xa2" },
		{ "a&AMA-&-", "a\xc3\x80&" },
		/* not what an encoder makes */
		{ "&", NULL }, { "&AMA", NULL }, { "a&b", NULL },
		{ "&AGE-", NULL },		/* "a" in base64 */
		{ "&U,BTFw-&ZeVnLIqe-", NULL },	/* two runs */
		{ "&AMB-", NULL },		/* spare bits */
		{ "&AMAA-", NULL },		/* a useless sextet */
		{ "&A-", NULL }, { "&AM-", NULL }, { "&AMA=-", NULL },
		{ "&2D0-", NULL }, { "&3Io-", NULL }, { "&2D0AwA-", NULL },
		{ "&AAA-", NULL },		/* NUL */
		{ "&A/A-", NULL }, { "\xc3\xbc", NULL }, { "a\tb", NULL },
		{ "\x7f", NULL },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct slice out;
		struct buf back;
		int rc = utf7_decode(slice_str(t[i].in), false, *state,
		    &out);

		assert_int_equal(rc, t[i].want ? 0 : -1);
		if (rc < 0)
			continue;
		assert_true(slice_eq(out, slice_str(t[i].want)));
		buf_init(&back, 1000);
		assert_int_equal(utf7_encode(&back, out, ""), 0);
		assert_true(slice_eq(buf_slice(&back), slice_str(t[i].in)));
		buf_release(&back);
	}
}

/* Every character, alone and beside others. */
static void
test_utf7_all(void **state)
{
	struct arena *a = *state;

	for (uint32_t c = 1; c < 0x110000; c += c < 0x3000 ? 1 : 97) {
		char in[16] = "x";
		struct slice back;
		struct buf enc;
		size_t n = 1;

		if (c >= 0xd800 && c < 0xe000)
			continue;
		if (c < 0x80)
			in[n++] = (char)c;
		else if (c < 0x800) {
			in[n++] = (char)(0xc0 | c >> 6);
			in[n++] = (char)(0x80 | (c & 63));
		} else if (c < 0x10000) {
			in[n++] = (char)(0xe0 | c >> 12);
			in[n++] = (char)(0x80 | (c >> 6 & 63));
			in[n++] = (char)(0x80 | (c & 63));
		} else {
			in[n++] = (char)(0xf0 | c >> 18);
			in[n++] = (char)(0x80 | (c >> 12 & 63));
			in[n++] = (char)(0x80 | (c >> 6 & 63));
			in[n++] = (char)(0x80 | (c & 63));
		}
		in[n++] = (char)0xc3;
		in[n++] = (char)0xbc;
		in[n++] = '&';
		buf_init(&enc, 100);
		assert_int_equal(utf7_encode(&enc, slice_make(in, n), ""), 0);
		assert_int_equal(utf7_decode(buf_slice(&enc), false, a,
		    &back), 0);
		assert_true(slice_eq(back, slice_make(in, n)));
		buf_release(&enc);
		arena_reset(a);
	}
}

static void
test_match(void **state)
{
	static const struct { const char *ref, *pat, *name; bool want; } t[] = {
		{ "", "*", "a/b/c", true }, { "", "%", "a", true },
		{ "", "%", "a/b", false }, { "", "%/%", "a/b", true },
		{ "", "%/%", "a/b/c", false }, { "", "a", "a", true },
		{ "", "a", "b", false }, { "", "a", "ab", false },
		{ "a/", "%", "a/b", true }, { "a/", "%", "a/b/c", false },
		{ "", "a*c", "abc", true }, { "", "a*c", "ac", true },
		{ "", "a*c", "abcd", false }, { "", "*b*", "aabbcc", true },
		{ "", "%b", "aa/b", false }, { "", "*%", "a/b", true },
		{ "", "%*", "a/b", true }, { "", "a%", "a", true },
		{ "", "*/b", "a/b", true }, { "", "*/b", "b", false },
		{ "", "%a%/%b%", "xax/yby", true },
		{ "", "inbox", "INBOX", true }, { "", "InB*", "INBOX/x", true },
		{ "", "inb%x/X", "INBOX/x", false },
		{ "", "inbox", "INBOXES", false },
		{ "", "inboxes", "INBOXES", false },
		{ "", "INBOX", "inbox2", false }, { "", "i", "INBOX", false },
		{ "", "", "a", false }, { "", "", "", true },
		{ "", "***%%%***", "", true },
		{ "", "*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct match m;

		match_init(&m, *state, slice_str(t[i].ref),
		    slice_str(t[i].pat));
		assert_int_equal(match_name(&m, slice_str(t[i].name)),
		    t[i].want);
	}
}

/* The same answer as the definition, tried by brute force. */
static bool
slow(const char *p, const char *s)
{
	if (*p == '\0')
		return *s == '\0';
	if (*p == '*' || *p == '%') {
		if (slow(p + 1, s))
			return true;
		return *s != '\0' && (*p == '*' || *s != '/') &&
		    slow(p, s + 1);
	}
	return *p == *s && slow(p + 1, s + 1);
}

static void
test_match_all(void **state)
{
	static const char pc[] = "a/*%", nc[] = "ab/";

	for (unsigned i = 0; i < 1024; i++)
		for (unsigned k = 0; k < 243; k++) {
			struct match m;
			char p[6] = "", n[6] = "";

			for (unsigned j = 0; j < 5; j++)
				p[j] = pc[i >> (j * 2) & 3];
			for (unsigned j = 0, v = k; j < 5; j++, v /= 3)
				n[j] = nc[v % 3];
			match_init(&m, *state, SLICE_LIT(""), slice_str(p));
			assert_int_equal(match_name(&m, slice_str(n)),
			    slow(p, n));
			arena_reset(*state);
		}
}

static void
test_date(void **state)
{
	static const struct { const char *in; int rc; int64_t t; } dt[] = {
		{ "17-Jul-1996 02:44:25 -0700", 0, 837596665 },
		{ " 1-Jan-1970 00:00:00 +0000", 0, 0 },
		{ "01-jan-1970 01:00:00 +0100", 0, 0 },
		{ "31-Dec-1969 23:59:59 +0000", 0, -1 },
		{ "29-Feb-2000 00:00:00 +0000", 0, 951782400 },
		{ "29-Feb-1999 00:00:00 +0000", -1, 0 },
		{ "1-Jan-1970 00:00:00 +0000", -1, 0 },
		{ "01-Jan-70 00:00:00 +0000", -1, 0 },
		{ "01-Jan-1970 24:00:00 +0000", -1, 0 },
		{ "01-Jan-1970 00:60:00 +0000", -1, 0 },
		{ "01-Jan-1970 00:00:00 +0060", -1, 0 },
		{ "01-Jan-1970 00:00:00 0000", -1, 0 },
		{ "01-Jan-1970 00:00:00", -1, 0 },
		{ "01-Jan-1970 00:00:00 +0000 ", -1, 0 },
		{ "01-Xxx-1970 00:00:00 +0000", -1, 0 }, { "", -1, 0 },
	};
	static const struct { const char *in; int rc; int64_t days; } d[] = {
		{ "1-Jan-1970", 0, 0 }, { "01-Jan-1970", 0, 0 },
		{ "2-Feb-1994", 0, 8798 }, { "30-Feb-1994", -1, 0 },
		{ "0-Jan-1970", -1, 0 }, { "1-Jan-197", -1, 0 },
		{ "1-Jan-19700", -1, 0 }, { "Jan-1-1970", -1, 0 },
		{ "", -1, 0 },
	};
	int64_t v;

	(void)state;
	for (size_t i = 0; i < sizeof(dt) / sizeof(dt[0]); i++) {
		assert_int_equal(imap_date_time(slice_str(dt[i].in), &v),
		    dt[i].rc);
		if (dt[i].rc == 0)
			assert_int_equal(v, dt[i].t);
	}
	for (size_t i = 0; i < sizeof(d) / sizeof(d[0]); i++) {
		assert_int_equal(imap_date(slice_str(d[i].in), &v), d[i].rc);
		if (d[i].rc == 0)
			assert_int_equal(v, d[i].days);
	}
}

static void
is(struct enc *e, const char *want, size_t n)
{
	assert_int_equal(e->b.n, n);
	assert_memory_equal(e->b.p, want, n);
	buf_reset(&e->b);
}

#define IS(e, want) is(e, want, sizeof(want) - 1)

static void
test_encode(void **state)
{
	struct enc e;
	char big[2000];

	(void)state;
	enc_init(&e, NULL);
	enc_string(&e, SLICE_LIT("a\"b\\c"));
	IS(&e, "\"a\\\"b\\\\c\"");
	enc_string(&e, SLICE_LIT("a\rb"));
	IS(&e, "{3}\r\na\rb");
	enc_string(&e, SLICE_LIT("\xc3\xa9"));
	IS(&e, "{2}\r\n\xc3\xa9");
	enc_string(&e, SLICE_LIT("a\0b\0"));
	IS(&e, "{4}\r\na\x80" "b\x80");
	enc_string(&e, SLICE_LIT(""));
	IS(&e, "\"\"");
	enc_nstring(&e, (struct slice){ NULL, 0 });
	IS(&e, "NIL");
	enc_astring(&e, SLICE_LIT("INBOX"));
	IS(&e, "INBOX");
	enc_astring(&e, SLICE_LIT("nil"));
	IS(&e, "\"nil\"");
	enc_astring(&e, SLICE_LIT("a b"));
	IS(&e, "\"a b\"");
	enc_astring(&e, SLICE_LIT("a]"));
	IS(&e, "\"a]\"");
	enc_astring(&e, SLICE_LIT(""));
	IS(&e, "\"\"");
	enc_mailbox(&e, SLICE_LIT("Entw\xc3\xbcrfe & x"));
	IS(&e, "\"Entw&APw-rfe &- x\"");
	enc_text(&e, SLICE_LIT("a\r\nb\xff"));
	IS(&e, "a??b?");
	memset(big, 'x', sizeof(big));
	enc_string(&e, slice_make(big, sizeof(big)));
	assert_memory_equal(e.b.p, "{2000}\r\nxxx", 11);
	buf_reset(&e.b);
	enc_raw(&e, "* X");
	enc_open(&e);
	enc_sp(&e);
	enc_u64(&e, UINT64_MAX);
	enc_sp(&e);
	enc_raw(&e, "y");
	enc_close(&e);
	enc_sp(&e);
	enc_open(&e);
	enc_close(&e);
	enc_eol(&e);
	IS(&e, "* X (18446744073709551615 y)  ()\r\n");
	enc_release(&e);
}

static void
test_encode_date(void **state)
{
	static const int64_t t[] = { 0, -1, 837596665, 951782400, 4102444800,
		-62135596800, 253402300799 };
	struct enc e;

	(void)state;
	enc_init(&e, NULL);
	enc_date_time(&e, 837596665);
	IS(&e, "\"17-Jul-1996 09:44:25 +0000\"");
	enc_date_time(&e, 0);
	IS(&e, "\" 1-Jan-1970 00:00:00 +0000\"");
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		int64_t back;

		enc_date_time(&e, t[i]);
		assert_int_equal(imap_date_time(slice_make(e.b.p + 1,
		    e.b.n - 2), &back), 0);
		assert_int_equal(back, t[i]);
		buf_reset(&e.b);
	}
	enc_date_time(&e, INT64_MAX / 4);
	assert_int_equal(e.b.n, 28);
	enc_release(&e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_seqset, setup, teardown),
		cmocka_unit_test_setup_teardown(test_seqset_has, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_utf7, setup, teardown),
		cmocka_unit_test_setup_teardown(test_utf7_all, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_match, setup, teardown),
		cmocka_unit_test_setup_teardown(test_match_all, setup,
		    teardown),
		cmocka_unit_test(test_date),
		cmocka_unit_test(test_encode),
		cmocka_unit_test(test_encode_date),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
