/* t/unit/test-mime-header.c - header fields and their values */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "libbase/text.h"
#include "libmime/mime.h"

#define S(x) slice_str(x)

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
same(struct slice got, const char *want)
{
	if (want == NULL) {
		assert_null(got.p);
		return;
	}
	if (!slice_eq(got, S(want)))
		fail_msg("\"%.*s\" should be \"%s\"", (int)got.n, got.p, want);
}

static const char header[] =
    "Received: by a\r\n\tfrom b\r\nFrom: x@y\r\nSUBJECT: one\r\n"
    "received: two\r\nX-Empty:\r\nSubject : last\r\n\r\nBody: no\r\n";

static void
test_fields(void **state)
{
	struct mime_fields it;
	struct mime_field f;
	unsigned n = 0;

	(void)state;
	mime_fields_init(&it, S(header));
	assert_int_equal(mime_fields_next(&it, &f), 1);
	same(f.name, "Received");
	same(f.value, " by a\r\n\tfrom b");
	same(f.raw, "Received: by a\r\n\tfrom b\r\n");
	while (mime_fields_next(&it, &f) == 1)
		n++;
	assert_int_equal(n, 5);		/* none from the body */
	same(f.name, "Subject");
	same(f.value, " last");
	assert_int_equal(mime_field_find(S(header), "subject", 0, &f), 1);
	same(f.value, " one");
	assert_int_equal(mime_field_find(S(header), "subject", 1, &f), 1);
	same(f.value, " last");
	assert_int_equal(mime_field_find(S(header), "subject", -1, &f), 1);
	same(f.value, " last");
	assert_int_equal(mime_field_find(S(header), "subject", 2, &f), 0);
	assert_int_equal(mime_field_find(S(header), "body", 0, &f), 0);
	assert_int_equal(mime_field_find(S(header), "x-empty", 0, &f), 1);
	same(f.value, "");
	assert_int_equal(mime_field_find(S(""), "x", -1, &f), 0);
}

static void
test_filter(void **state)
{
	static const struct {
		const char *names[3];
		bool not;
		const char *out;
	} t[] = {
		{ { "From" }, false, "From: x@y\r\n\r\n" },
		{ { "subject", "FROM" }, false,
		    "From: x@y\r\nSUBJECT: one\r\nSubject : last\r\n\r\n" },
		{ { "nothing" }, false, "\r\n" },
		{ { "received", "subject", "from" }, true, "X-Empty:\r\n\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct slice names[3];
		struct buf out;
		size_t n = 0;

		buf_init(&out, 1000);
		while (n < 3 && t[i].names[n] != NULL) {
			names[n] = S(t[i].names[n]);
			n++;
		}
		assert_int_equal(mime_header_filter(S(header), names, n,
		    t[i].not, &out), 0);
		same(buf_slice(&out), t[i].out);
		buf_release(&out);
		buf_init(&out, 1);
		assert_int_equal(mime_header_filter(S(header), names, n,
		    t[i].not, &out), -1);
		buf_release(&out);
	}
	assert_true(mime_header_cached(S("Message-ID")));
	assert_false(mime_header_cached(S("Received")));
	assert_false(mime_header_cached(S("")));
}

static void
test_unfold(void **state)
{
	static const struct {
		const char *in, *out;
	} t[] = {
		{ "plain", "plain" }, { "a\r\n b", "a b" },
		{ "a\r\n\tb\r\n c", "a\tb c" }, { "a\n b", "a b" },
		{ "a\r\nb", "a b" }, { "a\r\n", "a" }, { "", "" }
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		same(mime_unfold(*state, S(t[i].in)), t[i].out);
	same(mime_unfold(*state, slice_make("a\0b", 3)), "ab");
}

/* RFC 2047 section 8 and others. */
static void
test_text(void **state)
{
	static const struct {
		const char *in, *out;
	} t[] = {
		{ " plain", "plain" },
		{ "=?ISO-8859-1?Q?Patrik_F=E4ltstr=F6m?=", "Patrik Fältström" },
		{ "=?US-ASCII?Q?Keith_Moore?=", "Keith Moore" },
		{ "=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?=\r\n "
		  "=?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?=",
		  "If you can read this you understand the example." },
		{ "=?ISO-8859-1?Q?a?= b", "a b" },
		{ "=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=", "ab" },
		{ "=?ISO-8859-1?Q?a?=  \r\n  =?ISO-8859-1?Q?b?=", "ab" },
		{ "=?ISO-8859-1?Q?a_b?=", "a b" },
		{ "=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=", "a b" },
		/* where none may stand (RFC 8621 4.1.2.2) */
		{ "x=?utf-8?q?a?=", "x=?utf-8?q?a?=" },
		{ "=?utf-8?q?a?=x", "=?utf-8?q?a?=x" },
		{ "(=?utf-8?q?a?=)", "(=?utf-8?q?a?=)" },
		{ "=?utf-8?q?a b?=", "=?utf-8?q?a b?=" },
		/* a character split between words, either encoding */
		{ "=?utf-8?b?w7zD?= =?utf-8?b?vA==?=", "üü" },
		{ "=?utf-8?q?=C3?= =?UTF-8?b?vA==?=", "ü" },
		{ "=?utf-8?q?=C3?=", "\xef\xbf\xbd" },
		{ "=?utf-8*de?q?=C3=BC?=", "ü" },
		{ "=?iso-2022-jp?B?GyRCMnE1RBsoQg==?=", "会議" },
		{ "=?koi8-r?B?78DFyw==?=", "Оюек" },
		{ "=?gb2312?B?u+HS6Q==?=", "会议" },
		{ "=?utf-8?q?" "?=", "" },
		{ "=?utf-8?q?a=00b=07c?=", "abc" },
		{ "=?utf-8?q?a=0D=0Ab?=", "ab" },
		{ "=?x-unknown?q?a?=", "=?x-unknown?q?a?=" },
		{ "=?utf-8?x?a?=", "=?utf-8?x?a?=" },
		{ "=?utf-8?q?a?", "=?utf-8?q?a?" },
		{ "=?utf-8?q?=ZZ=4?=", "=ZZ=4" },
		{ "u\xcc\x88", "ü" },			/* NFC */
		{ "\xfc", "ü" }, { "\x93q\x94", "“q”" },
		{ "a\tb", "a\tb" }, { "a\x07\x7f" "b", "ab" }
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		same(mime_text(*state, S(t[i].in)), t[i].out);
	assert_null(mime_text(*state, slice_make(NULL, 0)).p);
	same(mime_words_decode(*state, S("x=?utf-8?q?=C3=BC y?=z")), "xü yz");
	same(mime_words_decode(*state, S("=?utf-8?q?a?==?utf-8?q?b?=")), "ab");
}

static void
test_params(void **state)
{
	static const struct {
		const char *in, *out;
	} t[] = {
		{ "attachment", "attachment" },
		{ "attachment; filename=a", "attachment|filename=a" },
		{ "a; b=\"c d\" ;e=f(x)", "a|b=c d|e=f" },
		{ "a; b=c; B=d", "a|b=c" },
		/* RFC 2231 sections 3, 4 and 4.1 */
		{ "message/external-body; access-type=URL;\r\n"
		  " URL*0=\"ftp://\";\r\n URL*1=\"cs.utk.edu/pub/x.tar\"",
		  "message/external-body|access-type=URL|"
		  "URL=ftp://cs.utk.edu/pub/x.tar" },
		{ "application/x-stuff; title*=us-ascii'en-us'This%20is%20"
		  "%2A%2A%2Afun%2A%2A%2A",
		  "application/x-stuff|title*=This is ***fun***" },
		{ "application/x-stuff; title*0*=us-ascii'en'This%20is%20even%"
		  "20more%20;\r\n title*1*=%2A%2A%2Afun%2A%2A%2A%20;\r\n"
		  " title*2=\"isn't it!\"",
		  "application/x-stuff|title*=This is even more ***fun*** "
		  "isn't it!" },
		{ "a; f*=koi8-r''%C1; f=x", "a|f*=а" },
		{ "a; f*=none''%41", "a|f*=A" },
		{ "a; *=x", "a|*=x" }, { "", "" }, { ";;;", "" }
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct mime_param *p;
		struct slice value;
		struct buf out;
		uint32_t n;

		buf_init(&out, 1000);
		mime_params_parse(S(t[i].in), 64, *state, &value, &p, &n);
		buf_add_slice(&out, value);
		for (uint32_t k = 0; k < n; k++) {
			buf_addc(&out, '|');
			buf_add_slice(&out, p[k].name);
			buf_add_str(&out, p[k].encoded ? "*=" : "=");
			buf_add_slice(&out, p[k].value);
		}
		same(buf_slice(&out), t[i].out);
		buf_release(&out);
	}
}

static void
test_param_ext(void **state)
{
	struct mime_param p = { S("a"), S("x y"), false };

	same(mime_param_ext(&p, *state), "x y");
	p.encoded = true;
	same(mime_param_ext(&p, *state), "utf-8''x%20y");
	p.value = S("\xc3\xbc*");
	p.encoded = false;
	same(mime_param_ext(&p, *state), "utf-8''%C3%BC%2A");
	p.value = S("\xfc");
	same(mime_param_ext(&p, *state), "utf-8''%C3%BC");
	p.value = S("");
	same(mime_param_ext(&p, *state), "");
}

static void
test_date(void **state)
{
	static const struct {
		const char *in, *out;
		int off;
	} t[] = {
		/* RFC 5322 appendix A */
		{ "Fri, 21 Nov 1997 09:55:06 -0600", "1997-11-21T15:55:06Z", -360 },
		{ "Tue, 1 Jul 2003 10:52:37 +0200", "2003-07-01T08:52:37Z", 120 },
		{ "Thu, 13 Feb 1969 23:32:54 -0330", "1969-02-14T03:02:54Z", -210 },
		{ "Thu,\r\n      13\r\n        Feb\r\n          1969\r\n      "
		  "23:32\r\n               -0330 (Newfoundland Time)",
		  "1969-02-14T03:02:00Z", -210 },
		{ "21 Nov 97 09:55:06 GMT", "1997-11-21T09:55:06Z", 0 },
		{ "1 Jan 00 00:00 UT", "2000-01-01T00:00:00Z", 0 },
		{ "1 Jan 49 00:00 Z", "2049-01-01T00:00:00Z", 0 },
		{ "1 Jan 50 00:00 Z", "1950-01-01T00:00:00Z", 0 },
		{ "1 Jan 2020 00:00 EST", "2020-01-01T05:00:00Z", -300 },
		{ "1 Jan 2020 00:00 PDT", "2020-01-01T07:00:00Z", -420 },
		{ "1 Jan 2020 00:00 CET", "2020-01-01T00:00:00Z", 0 },
		{ "1 Jan 2020 00:00 -0000", "2020-01-01T00:00:00Z", 0 },
		{ "1 Jan 2020 00:00:00.123 +01:00", "2019-12-31T23:00:00Z", 60 },
		{ "29 Feb 2024 12:00:00 +0000", "2024-02-29T12:00:00Z", 0 },
		{ "29 Feb 2023 12:00:00 +0000", NULL, 0 },
		{ "1 Jan 2020", "2020-01-01T00:00:00Z", 0 },
		{ "12:00", NULL, 0 }, { "", NULL, 0 }, { "Mon", NULL, 0 },
		{ "1 Foo 2020 00:00 Z", NULL, 0 },
		{ "99999999999999999999 Jan 2020", NULL, 0 },
		{ "1 Jan 99999999999999999999", NULL, 0 },
		{ "1 Jan 2020 99:00 Z", NULL, 0 },
		{ "((((((((((", NULL, 0 }
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct mime_date d = mime_date_parse(S(t[i].in));
		struct buf out;

		assert_int_equal(d.ok, t[i].out != NULL);
		if (!d.ok)
			continue;
		buf_init(&out, 100);
		time_rfc3339(&out, d.t);
		same(buf_slice(&out), t[i].out);
		assert_int_equal(d.offset_min, t[i].off);
		buf_release(&out);
	}
	assert_false(mime_date_parse(slice_make(NULL, 0)).ok);
}

static void
test_msgids(void **state)
{
	static const struct {
		const char *in, *out;
	} t[] = {
		{ "<a@b>", "a@b" }, { " <a@b> <c@d>\r\n\t<e@f>", "a@b|c@d|e@f" },
		{ "<a@b><c@d>", "a@b|c@d" }, { "<a\r\n b@c>", "ab@c" },
		{ "Your mail of \"x <n@o>\" <a@b>", "a@b" },
		{ "a@b", "a@b" }, { "not an id", "" }, { "", "" }, { "<>", "" },
		{ "<a@b", "a@b" }, { "<1> <2> <3> <4> <5> <6>", "1|4|5|6" }
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct slice *ids;
		struct buf out;
		uint32_t n;

		buf_init(&out, 1000);
		mime_msgids_parse(S(t[i].in), 4, *state, &ids, &n);
		for (uint32_t k = 0; k < n; k++) {
			if (k > 0)
				buf_addc(&out, '|');
			buf_add_slice(&out, ids[k]);
		}
		same(out.n > 0 ? buf_slice(&out) : S(""), t[i].out);
		buf_release(&out);
	}
}

/* RFC 5256 2.1 */
static void
test_base_subject(void **state)
{
	static const struct {
		const char *in, *out;
		bool reply;
	} t[] = {
		{ "hello", "hello", false }, { "Re: hello", "hello", true },
		{ "RE : hello", "hello", true }, { "Fwd: Re: hello", "hello", true },
		{ "FW: hello", "hello", true }, { "Re[2]: hello", "hello", true },
		{ "[list] hello", "hello", false },
		{ "[list] Re: hello", "hello", true },
		{ "Re: [list] Re: [b] hello", "hello", true },
		{ "hello (fwd)", "hello", true },
		{ "hello (FWD) (fwd) ", "hello", true },
		{ "[fwd: hello]", "hello", true },
		{ "[Fwd: Re: [fwd: hello (fwd)]]", "hello", true },
		{ "[list]", "[list]", false }, { "[a][b]", "[b]", false },
		{ "Re:", "", true }, { "", "", false }, { "Rehearsal", "Rehearsal",
		  false }, { "Fwdx: y", "Fwdx: y", false },
		{ "a\r\n\tb   c", "a b c", false },
		{ "=?utf-8?q?Re:_=C3=BC?=", "ü", true },
		{ "Re: [unclosed hello", "[unclosed hello", true }
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		bool reply;

		same(mime_base_subject(S(t[i].in), *state, &reply), t[i].out);
		assert_int_equal(reply, t[i].reply);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_fields, setup, teardown),
		cmocka_unit_test_setup_teardown(test_filter, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unfold, setup, teardown),
		cmocka_unit_test_setup_teardown(test_text, setup, teardown),
		cmocka_unit_test_setup_teardown(test_params, setup, teardown),
		cmocka_unit_test_setup_teardown(test_param_ext, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_date, setup, teardown),
		cmocka_unit_test_setup_teardown(test_msgids, setup, teardown),
		cmocka_unit_test_setup_teardown(test_base_subject, setup,
		    teardown),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
