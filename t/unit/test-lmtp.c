/* t/unit/test-lmtp.c - LMTP's addresses, parameters and dots */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "libbase/buf.h"
#include "lmtpd/address.h"
#include "lmtpd/dots.h"
#include "lmtpd/dsn.h"

static void
test_path(void **state)
{
	static const struct {
		const char *in, *mailbox, *rest;	/* mailbox NULL: bad */
	} t[] = {
		{ "<>", "", "" },
		{ "<a@b>", "a@b", "" },
		{ " <a@b> SIZE=1", "a@b", " SIZE=1" },
		{ "<postmaster>", "postmaster", "" },
		{ "<a.b+c=d@x-y.example.org>x", "a.b+c=d@x-y.example.org",
		    "x" },
		{ "<a..b.@docomo.example>", "a..b.@docomo.example", "" },
		{ "<\"a b\"@c>", "\"a b\"@c", "" },
		{ "<\"a\\\"@\\\\>\"@c>", "\"a\\\"@\\\\>\"@c", "" },
		{ "<@r1.example,@r2:a@b>", "a@b", "" },
		{ "<@r1:\"x\"@b>", "\"x\"@b", "" },
		{ "<a@[192.0.2.1]>", "a@[192.0.2.1]", "" },
		{ "<a@[IPv6:2001:db8::1]>", "a@[IPv6:2001:db8::1]", "" },
		{ "<\xc3\xa4@\xc3\xb6.example>", "\xc3\xa4@\xc3\xb6.example",
		    "" },
		{ "<a_b!#$%&'*/?^`{|}~@c_d.e>", "a_b!#$%&'*/?^`{|}~@c_d.e",
		    "" },
		{ "", NULL, NULL }, { "a@b", NULL, NULL },
		{ "<a@b", NULL, NULL }, { "<", NULL, NULL },
		{ "<@b>", NULL, NULL }, { "<a@>", NULL, NULL },
		{ "<a@b.>", NULL, NULL }, { "<a@.b>", NULL, NULL },
		{ "<a@b..c>", NULL, NULL }, { "<a@b@c>", NULL, NULL },
		{ "<a b@c>", NULL, NULL }, { "<a@b c>", NULL, NULL },
		{ "<\"a@b>", NULL, NULL }, { "<\"\"@b>", NULL, NULL },
		{ "<\"a\\\"@b>", NULL, NULL }, { "<a\"b\"@c>", NULL, NULL },
		{ "<\"a\tb\"@c>", NULL, NULL }, { "<a\x7f@c>", NULL, NULL },
		{ "<@r1.example a@b>", NULL, NULL },
		{ "<@r1:>", NULL, NULL }, { "<@:a@b>", NULL, NULL },
		{ "<@r1,:a@b>", NULL, NULL }, { "<a@[]>", NULL, NULL },
		{ "<a@[1.2>", NULL, NULL }, { "<a@[1 2]>", NULL, NULL },
		{ "<a,b@c>", NULL, NULL }, { "<a:b@c>", NULL, NULL },
		{ "<\xff@c>", NULL, NULL }, { "<\xc3@c>", NULL, NULL },
		{ "<<a@b>>", NULL, NULL }, { "<(c)a@b>", NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct slice in = slice_str(t[i].in);
		struct path p;
		int rc = path_parse(&in, &p);

		if (rc != (t[i].mailbox != NULL ? 0 : -1))
			fail_msg("%s: %d", t[i].in, rc);
		if (rc < 0)
			continue;
		if (!slice_eq(p.mailbox, slice_str(t[i].mailbox)))
			fail_msg("%s: %.*s", t[i].in, (int)p.mailbox.n,
			    p.mailbox.p);
		assert_true(slice_eq(in, slice_str(t[i].rest)));
		assert_int_equal(p.ascii, strchr(t[i].in, '\xc3') == NULL);
	}
}

static void
test_path_long(void **state)
{
	char text[3000];
	struct slice in = { text, sizeof(text) };
	struct path p;

	(void)state;
	memset(text, 'a', sizeof(text));
	text[0] = '<';
	assert_int_equal(path_parse(&in, &p), -1);
	in = slice_make(text, sizeof(text));
	text[1001] = '>';
	assert_int_equal(path_parse(&in, &p), 0);
	assert_int_equal(p.mailbox.n, 1000);
	text[1001] = 'a';
	text[1002] = '>';
	in = slice_make(text, sizeof(text));
	assert_int_equal(path_parse(&in, &p), -1);
}

static void
test_param(void **state)
{
	static const struct {
		const char *in, *keyword, *value;
	} t[] = {
		{ " SIZE=10", "SIZE", "10" }, { "   a-b=c", "a-b", "c" },
		{ " SMTPUTF8 x", "SMTPUTF8", NULL },
		{ " x=<a@b>", "x", "<a@b>" },
		{ "SIZE=10", NULL, NULL }, { " =1", NULL, NULL },
		{ " a=", NULL, NULL }, { " a= b", NULL, NULL },
		{ " a==", NULL, NULL }, { " -a", NULL, NULL },
		{ " a;b", NULL, NULL }, { " a=\x01", NULL, NULL },
		{ " \xc3\xa4", NULL, NULL },
	};
	struct slice in = slice_str(""), three = slice_str(" a b=1  c ");
	struct param p;

	(void)state;
	assert_int_equal(param_parse(&in, &p), 0);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		int rc;

		in = slice_str(t[i].in);
		rc = param_parse(&in, &p);
		if (rc != (t[i].keyword != NULL ? 1 : -1))
			fail_msg("%s: %d", t[i].in, rc);
		if (rc < 0)
			continue;
		assert_true(slice_eq(p.keyword, slice_str(t[i].keyword)));
		assert_true(slice_eq(p.value, slice_str(t[i].value)));
	}
	assert_int_equal(param_parse(&three, &p), 1);
	assert_int_equal(param_parse(&three, &p), 1);
	assert_int_equal(param_parse(&three, &p), 1);
	assert_true(slice_eq(p.keyword, slice_str("c")));
	assert_int_equal(param_parse(&three, &p), 0);
}

/* Feeds in pieces of n octets; the message, and what is left over. */
static bool
feed(const char *in, size_t n, struct buf *out, const char **rest_r)
{
	struct dots d;

	dots_init(&d);
	buf_reset(out);
	*rest_r = in + strlen(in);
	for (const char *p = in; *p != '\0';) {
		size_t left = strnlen(p, n), used = 0;

		while (used < left && !d.done) {
			struct slice s;

			used += dots_next(&d,
			    slice_make(p + used, left - used), &s);
			buf_add_slice(out, s);
		}
		p += used;
		if (d.done) {
			*rest_r = p;
			return true;
		}
	}
	return false;
}

static void
test_dots(void **state)
{
	static const struct {
		const char *in, *out, *rest;	/* rest NULL: no end */
	} t[] = {
		{ ".\r\n", "", "" },
		{ ".\r\nNOOP\r\n", "", "NOOP\r\n" },
		{ "a\r\n.\r\n", "a\r\n", "" },
		{ "\r\n.\r\n.\r\n", "\r\n", ".\r\n" },
		{ "..\r\n.\r\n", ".\r\n", "" },
		{ "..a\r\n...\r\n.\r\n", ".a\r\n..\r\n", "" },
		{ ".a\r\n.\r\n", "a\r\n", "" },
		{ "a.\r\n.\r\n", "a.\r\n", "" },
		/* smuggling: none of these ends a message */
		{ "a\n.\n.\r\n.\r\n", "a\n.\n.\r\n", "" },
		{ "a\r.\rb\r\n.\r\n", "a\r.\rb\r\n", "" },
		{ "a\n.\r\nMAIL\r\n.\r\n", "a\n.\r\nMAIL\r\n", "" },
		{ "a\r\n.\nb\r\n.\r\n", "a\r\n\nb\r\n", "" },
		{ "a\r\n.\rb\r\n.\r\n", "a\r\n\rb\r\n", "" },
		{ "a\r\n.\r\r\nb\r\n.\r\n", "a\r\n\r\r\nb\r\n", "" },
		{ "a\r\r\n.\r\n", "a\r\r\n", "" },
		{ "\n.\r\n", "\n.\r\n", NULL },
		{ "\r.\r\n", "\r.\r\n", NULL },
		{ "a\r\n.", "a\r\n", NULL }, { "a", "a", NULL },
		{ "a\r\n.\r", "a\r\n", NULL },
	};
	struct buf out;
	const char *rest;

	(void)state;
	buf_init(&out, 1000);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		for (size_t n = 1; n < 40; n++) {
			bool done = feed(t[i].in, n, &out, &rest);

			if (done != (t[i].rest != NULL) ||
			    !slice_eq(buf_slice(&out),
				slice_str(t[i].out)))
				fail_msg("%zu in pieces of %zu: %.*s", i, n,
				    (int)out.n, out.p);
			if (done)
				assert_string_equal(rest, t[i].rest);
		}
	}
	buf_release(&out);
}

static void
test_dsn(void **state)
{
	static const struct {
		const char *in;
		int mail, rcpt;
	} t[] = {
		{ " SIZE=1", 0, 0 }, { " X", 0, 0 },
		{ " RET=FULL", DSN_RET, 0 }, { " ret=hdrs", DSN_RET, 0 },
		{ " RET", -1, 0 }, { " RET=FUL", -1, 0 },
		{ " ENVID=a+2B+3D", DSN_ENVID, 0 }, { " ENVID", -1, 0 },
		{ " ENVID=+", -1, 0 }, { " ENVID=+2", -1, 0 },
		{ " ENVID=+2b", -1, 0 }, { " ENVID=\xc3\xa4", -1, 0 },
		{ " NOTIFY=NEVER", 0, DSN_NOTIFY },
		{ " NOTIFY=Delay,Delay,SUCCESS", 0, DSN_NOTIFY },
		{ " NOTIFY", 0, -1 }, { " NOTIFY=,", 0, -1 },
		{ " NOTIFY=SUCCESS,NEVER", 0, -1 },
		{ " NOTIFY=SUCCESS,,DELAY", 0, -1 },
		{ " ORCPT=rfc822;a+40b", 0, DSN_ORCPT },
		{ " ORCPT=utf-8;\xc3\xa4@b", 0, DSN_ORCPT },
		{ " ORCPT=utf-8;\\x{E4}@b", 0, DSN_ORCPT },
		{ " ORCPT", 0, -1 }, { " ORCPT=a", 0, -1 },
		{ " ORCPT=;a", 0, -1 }, { " ORCPT=a;", 0, -1 },
		{ " ORCPT=rfc822;\xc3\xa4@b", 0, -1 },
		{ " ORCPT=utf-8;\xc3@b", 0, -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct slice in = slice_str(t[i].in);
		struct param p;

		assert_int_equal(param_parse(&in, &p), 1);
		assert_int_equal(dsn_mail_param(&p), t[i].mail);
		assert_int_equal(dsn_rcpt_param(&p), t[i].rcpt);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_path),
		cmocka_unit_test(test_dsn),
		cmocka_unit_test(test_path_long),
		cmocka_unit_test(test_param),
		cmocka_unit_test(test_dots),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
