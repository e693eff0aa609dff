/* t/unit/test-mime-body.c - decoders, charsets, HTML, line ends, searching */
#include "config.h"

#include <iconv.h>
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
	if (!slice_eq(got, S(want)))
		fail_msg("\"%.*s\" should be \"%s\"", (int)got.n, got.p, want);
}

static void
test_decode(void **state)
{
	static const struct {
		enum mime_encoding enc;
		const char *in, *out;
		bool problem;
	} t[] = {
		{ MIME_ENC_BASE64, "", "", false },
		{ MIME_ENC_BASE64, "Zg==", "f", false },
		{ MIME_ENC_BASE64, "Zm9v\r\nYmFy", "foobar", false },
		{ MIME_ENC_BASE64, "Zm9vYg==\r\n", "foob", false },
		{ MIME_ENC_BASE64, "Zm9vYmE", "fooba", true },
		{ MIME_ENC_BASE64, "Zg=", "f", true },
		{ MIME_ENC_BASE64, "Zg=\r\n=\r\n", "f", false },
		{ MIME_ENC_BASE64, "Zg==Zg==", "ff", true },
		{ MIME_ENC_BASE64, "Z-g=", "f", true },
		/* RFC 2045 6.7 */
		{ MIME_ENC_QP, "Now's the time =\r\nfor all folk to come=\r\n"
		  " to the aid of their country.",
		  "Now's the time for all folk to come to the aid of their "
		  "country.", false },
		{ MIME_ENC_QP, "a=0D=0Ab", "a\r\nb", false },
		{ MIME_ENC_QP, "a  \r\nb\t\r\n", "a\r\nb\r\n", false },
		{ MIME_ENC_QP, "a=20\r\n", "a \r\n", false },
		{ MIME_ENC_QP, "a =\r\n b", "a  b", false },
		{ MIME_ENC_QP, "=3d=3D", "==", false },
		{ MIME_ENC_QP, "a==b", "a==b", true },
		{ MIME_ENC_QP, "a=\nb", "ab", false },
		{ MIME_ENC_QP, "a= b", "a= b", true },
		{ MIME_ENC_QP, "a=4", "a=4", true },
		{ MIME_ENC_UUENCODE, "begin 644 x\r\n%:&5L;&\\\r\n`\r\nend\r\n",
		  "hello", false },
		{ MIME_ENC_UUENCODE, "text\r\nbegin 644 x\r\n#86)C\r\nend\r\n"
		  "text\r\n", "abc", false },
		{ MIME_ENC_UUENCODE, "begin 644 x\r\n#86)C\r\n", "abc", true },
		{ MIME_ENC_UUENCODE, "nothing", "", true },
		{ MIME_ENC_7BIT, "a=3D", "a=3D", false },
		{ MIME_ENC_BINARY, "a", "a", false },
		{ MIME_ENC_UNKNOWN, "a", "a", true }
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		bool problem;

		same(mime_decode(t[i].enc, S(t[i].in), *state, &problem),
		    t[i].out);
		assert_int_equal(problem, t[i].problem);
	}
}

/* A long run of blanks is kept or dropped, wherever a buffer ends. */
static void
test_decode_blanks(void **state)
{
	for (size_t n = 0; n < 300; n += 7) {
		char in[400];
		struct slice out;

		memset(in, ' ', sizeof(in));
		memcpy(in + n, "x\r\n", 3);
		out = mime_decode(MIME_ENC_QP, slice_make(in, n + 3), *state,
		    NULL);
		assert_int_equal(out.n, n + 3);
		in[n] = '=';
		in[n + 1] = 'z';
		out = mime_decode(MIME_ENC_QP, slice_make(in, n + 2), *state,
		    NULL);
		assert_int_equal(out.n, n + 2);
	}
}

static void
test_encoding_names(void **state)
{
	(void)state;
	assert_int_equal(mime_encoding_from(S("BASE64")), MIME_ENC_BASE64);
	assert_int_equal(mime_encoding_from(S("Quoted-Printable")), MIME_ENC_QP);
	assert_int_equal(mime_encoding_from(S("8bit")), MIME_ENC_8BIT);
	assert_int_equal(mime_encoding_from(S("x-uue")), MIME_ENC_UUENCODE);
	assert_int_equal(mime_encoding_from(S("base64x")), MIME_ENC_UNKNOWN);
}

static void
test_charset(void **state)
{
	static const struct {
		const char *name, *in, *out;
		bool problem;
	} t[] = {
		{ "utf-8", "ü", "ü", false }, { "UTF8", "ü", "ü", false },
		{ "utf-8", "a\xff" "b", "a\xef\xbf\xbd" "b", true },
		{ "us-ascii", "abc", "abc", false },
		{ "us-ascii", "\xfc", "ü", true },
		{ NULL, "\xfcü", "üü", true }, { NULL, "ü", "ü", false },
		{ "x-none", "abc", "abc", true },
		{ "iso-8859-1", "\xfc\x80", "ü€", false },
		{ "ISO-8859-15", "\xa4", "€", false },
		{ "windows-1251", "\xcf\xf0", "Пр", false },
		{ "koi8-r", "\xf0\xd2", "Пр", false },
		{ "iso-8859-2", "\xb3", "ł", false },
		{ "iso-8859-7", "\xe1", "α", false },
		{ "iso-8859-8-i", "\xe0", "א", false },
		{ "windows-1255", "\xe0", "א", false },
		{ "shift_jis", "\x89\xef\x8b\x63", "会議", false },
		{ "euc-jp", "\xb2\xf1\xb5\xc4", "会議", false },
		{ "iso-2022-jp", "\x1b$B2q5D\x1b(B.", "会議.", false },
		{ "gb2312", "\xbb\xe1", "会", false },
		{ "gb18030", "\x81\x30\x81\x36", "\xc2\x86", false },
		{ "big5", "\xb7\x7c", "會", false },
		{ "ks_c_5601-1987", "\xc8\xb8", "회", false },
		{ "utf-7", "+AOk-", "é", false },
		{ "utf-16be", "AB", "䅂", false },
		{ "shift_jis", "\x89", "\xef\xbf\xbd", true },
		{ "macintosh", "\x8e", "é", false }
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		bool problem;

		same(mime_to_utf8(*state, S(t[i].name), S(t[i].in), &problem),
		    t[i].out);
		assert_int_equal(problem, t[i].problem);
	}
	assert_true(mime_charset_known(S("Windows-1252")));
	assert_false(mime_charset_known(S("x-none")));
	assert_false(mime_charset_known(S("")));
}

static void
test_html(void **state)
{
	static const struct {
		const char *in, *out;
	} t[] = {
		{ "", "" }, { "plain", "plain" },
		{ "<p>a</p><p>b</p>", "a\nb" },
		{ "a<br>b<br/>c", "a\nb\nc" },
		{ "a <b>b</b>c", "a bc" }, { "a\r\n   b", "a b" },
		{ "<style>p{}</style>a<script>x<y</script>b<!-- c -->", "ab" },
		{ "<STYLE type=x>p{}</STYLE >a", "a" },
		{ "<html><head><title>t</title></head><body>b</body></html>",
		  "b" },
		{ "&lt;&amp;&uuml;&#252;&#x20ac;", "<&üü€" },
		{ "<table><tr><td>a</td><td>b</td></tr><tr><td>c</table>",
		  "a b\nc" },
		{ "<ul><li>a<li>b</ul>c", "a\nb\nc" },
		{ "<a href='x>y'>z</a>", "z" }, { "<p", "" }, { "a<b", "a" },
		{ "<!--", "" }, { "<style>", "" }, { "1 < 2 > 3", "1 < 2 > 3" }
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		same(mime_html_text(S(t[i].in), 10000, *state), t[i].out);
	same(mime_html_text(S("<p>abcdef</p>"), 6, *state), "abc");
}

/* HTML that makes a tree deep, or quadratically big. */
static void
test_html_hostile(void **state)
{
	struct buf b;

	buf_init(&b, SIZE_MAX / 2);
	for (unsigned i = 0; i < 20000; i++)
		buf_add_str(&b, "<div>");
	buf_add_str(&b, "x");
	same(mime_html_text(buf_slice(&b), 200000, *state), "x");
	buf_reset(&b);
	for (unsigned i = 0; i < 480; i++)
		buf_printf(&b, "<font size=%u>", i);
	for (unsigned i = 0; i < 2000; i++)
		buf_add_str(&b, "<p>x</p>");
	/* Over its budget the parser is given up; the text is there still. */
	assert_true(mime_html_text(buf_slice(&b), 200000, *state).n >= 3999);
	buf_release(&b);
}

static void
test_crlf(void **state)
{
	static const struct {
		const char *in, *out;
		bool clean;
	} t[] = {
		{ "", "", true }, { "a", "a", true }, { "a\r\n", "a\r\n", true },
		{ "a\n", "a\r\n", false }, { "\n", "\r\n", false },
		{ "a\r", "a\r\n", false }, { "a\rb", "a\r\nb", false },
		{ "\r\r\n", "\r\n\r\n", false }, { "\n\r", "\r\n\r\n", false },
		{ "a\r\nb\nc\r\n", "a\r\nb\r\nc\r\n", false },
		{ "a\r\r\nb", "a\r\n\r\nb", false }
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct mime_crlf c = { false }, d = { false };
		struct slice in = S(t[i].in);
		struct buf out;

		assert_int_equal(mime_crlf_clean(&c, in), t[i].clean);
		buf_init(&out, 100);
		for (size_t k = 0; k < in.n; k++)
			mime_crlf_feed(&d, slice_make(in.p + k, 1), &out);
		assert_int_equal(mime_crlf_finish(&d, &out), 0);
		same(out.n > 0 ? buf_slice(&out) : S(""), t[i].out);
		buf_release(&out);
	}
}

static void
test_needle(void **state)
{
	static const struct {
		const char *needle, *text;
		bool in;
	} t[] = {
		{ "", "", true }, { "", "x", true }, { "x", "", false },
		{ "hello", "Say HELLO now", true }, { "hello", "hell o", false },
		{ "STRASSE", "die straße", true }, { "straße", "STRASSE", true },
		{ "ü", "GRÜSSE", true }, { "u\xcc\x88", "grün", true },
		{ "ü", "gru\xcc\x88n", true }, { "ΣΑΣ", "σας", true },
		{ "ﬁn", "fin", true }, { "é", "e", false },
		{ "иван", "ИВАН", true }
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct mime_needle *n;

		assert_int_equal(mime_needle_new(S(t[i].needle), *state, &n), 0);
		if (mime_needle_in(n, S(t[i].text)) != t[i].in)
			fail_msg("%s in %s", t[i].needle, t[i].text);
	}
	{
		struct mime_needle *n;

		assert_int_equal(mime_needle_new(S("\xff"), *state, &n), -1);
		mime_needle_new(S("jürgen"), *state, &n);
		assert_true(mime_needle_in_value(n,
		    S("=?utf-8?q?J=C3=BCrgen?= <j@x>")));
	}
}

static void
test_needle_collated(void **state)
{
	static const struct {
		enum collation how;
		const char *needle, *text;
		bool in;
	} t[] = {
		{ COLLATION_UNICODE, "", "x", true },
		{ COLLATION_UNICODE, "ü", "GRÜSSE", true },
		{ COLLATION_UNICODE, "u\xcc\x88", "grün", true },
		/* by RFC 5051 the mark is a character of its own */
		{ COLLATION_UNICODE, "gru", "grün", true },
		{ COLLATION_UNICODE, "grun", "grün", false },
		{ COLLATION_UNICODE, "STRASSE", "straße", false },
		{ COLLATION_UNICODE, "ﬁn", "Fin", true },
		{ COLLATION_ASCII, "GRüN", "grün", true },
		{ COLLATION_ASCII, "GRÜN", "grün", false },
		{ COLLATION_OCTET, "rün", "grün", true },
		{ COLLATION_OCTET, "Rün", "grün", false }
	};
	struct mime_needle *n;

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		assert_int_equal(mime_needle_collated(S(t[i].needle), t[i].how,
		    *state, &n), 0);
		if (mime_needle_in(n, S(t[i].text)) != t[i].in)
			fail_msg("%s: %s in %s", collation_name(t[i].how),
			    t[i].needle, t[i].text);
	}
	assert_int_equal(mime_needle_collated(S("\xff"), COLLATION_OCTET,
	    *state, &n), -1);
	assert_int_equal(mime_needle_collated(S("1"), COLLATION_NUMERIC,
	    *state, &n), -1);
	/* in what has no known charset, octets */
	mime_needle_collated(S("über x"), COLLATION_UNICODE, *state, &n);
	assert_true(mime_needle_in_value(n, S("=?x-none?q?=C3=BCber_x?=")));
	assert_false(mime_needle_in_value(n, S("=?x-none?q?=C3=9Cber_x?=")));
	assert_true(mime_needle_in_value(n, S("=?utf-8?q?=C3=9Cber_x?=")));
}

/* RFC 5255 4.6: octets where there is no UTF-8. */
static void
test_text_octets(void **state)
{
	static const struct {
		const char *in, *text, *octets;
	} t[] = {
		{ "plain", "plain", NULL }, { "  plain", "plain", NULL },
		{ "=?utf-8?q?=C3=BC?=", "ü", NULL },
		{ "=?iso-8859-1?q?=FC?= x", "ü x", NULL },
		{ "u\xcc\x88", "u\xcc\x88", NULL },	/* not in NFC */
		{ "=?x-none?q?=FC_y?= x", "=?x-none?q?=FC_y?= x",
		    "\xfc y x" },
		{ "=?utf-8?q?=FC?= =?utf-8?q?y?=", "\xef\xbf\xbdy", "\xfcy" },
		{ "\xfc", "ü", "\xfc" }
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct slice octets;

		same(mime_text_octets(*state, S(t[i].in), &octets), t[i].text);
		if ((octets.p == NULL) != (t[i].octets == NULL))
			fail_msg("octets of %s", t[i].in);
		if (octets.p != NULL)
			same(octets, t[i].octets);
	}
}

/* Found wherever the pieces that are decoded end. */
static void
test_needle_body(void **state)
{
	static const char head[] = "Content-Type: text/plain; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: quoted-printable\r\n\r\n";
	enum { PIECE = 16 * 1024 };
	struct mime_needle *n, *no, *coll;

	mime_needle_new(S("the needle ÜBER all"), *state, &n);
	mime_needle_collated(S("the needle ÜBER all"), COLLATION_UNICODE,
	    *state, &coll);
	mime_needle_new(S("the needle under"), *state, &no);
	for (size_t at = PIECE - 60; at < PIECE + 10; at++) {
		struct mime_msg *m;
		struct buf b;

		buf_init(&b, SIZE_MAX / 2);
		buf_add_str(&b, head);
		while (b.n < sizeof(head) - 1 + at)
			buf_addc(&b, b.n % 70 == 0 ? ' ' : 'x');
		buf_add_str(&b, " The=\r\n Needle =C3=BCber ALL\r\n");
		for (unsigned i = 0; i < 100; i++)
			buf_add_str(&b, "tail ");
		mime_parse(buf_slice(&b), NULL, *state, &m);
		assert_true(mime_needle_in_body(n, m->root, buf_slice(&b)));
		assert_true(mime_needle_in_body(coll, m->root, buf_slice(&b)));
		assert_true(mime_needle_in_msg(n, m, buf_slice(&b), false));
		assert_false(mime_needle_in_msg(no, m, buf_slice(&b), true));
		buf_release(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_decode, setup, teardown),
		cmocka_unit_test_setup_teardown(test_decode_blanks, setup,
		    teardown),
		cmocka_unit_test(test_encoding_names),
		cmocka_unit_test_setup_teardown(test_charset, setup, teardown),
		cmocka_unit_test_setup_teardown(test_html, setup, teardown),
		cmocka_unit_test_setup_teardown(test_html_hostile, setup,
		    teardown),
		cmocka_unit_test(test_crlf),
		cmocka_unit_test_setup_teardown(test_needle, setup, teardown),
		cmocka_unit_test_setup_teardown(test_needle_collated, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_text_octets, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_needle_body, setup,
		    teardown),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
