/* t/unit/test-vacation.c - which messages are answered, and with what; what
 * reports of delivery say */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "libmime/mime.h"
#include "lmtpd/report.h"
#include "lmtpd/vacation.h"

#define S(s) slice_str(s)

static void
test_refusal(void **state)
{
	static const struct {
		const char *header, *sender;
		bool ok;
	} t[] = {
		{ "", "bob@x", true },
		{ "Subject: x\r\n\r\nList-Id: body\r\n", "bob@x", true },
		{ "Auto-Submitted: no\r\n", "bob@x", true },
		{ "Auto-Submitted: NO (really)\r\n", "bob@x", true },
		{ "Precedence: first-class\r\n", "bob@x", true },
		{ "X-Auto-Response-Suppress: None\r\n", "bob@x", true },
		{ "Content-Type: multipart/mixed; boundary=report\r\n",
			"bob@x", true },
		{ "X-Spam-Flag: NO\r\n", "request@x", true },
		{ "", "", false },
		{ "", "bob", false },
		{ "", "bob@x\r\n", false },
		{ "", "MAILER-DAEMON@x", false },
		{ "", "owner-list@x", false },
		{ "", "Owner-List@x", false },
		{ "", "list-owner@x", false },
		{ "", "list-Request@x", false },
		{ "", "list-bounces@x", false },
		{ "", "noreply@x", false },
		{ "", "LISTSERV@x", false },
		{ "", "majordomo@x", false },
		{ "List-Id: <x>\r\n", "bob@x", false },
		{ "list-unsubscribe: <x>\r\n", "bob@x", false },
		{ "Precedence: bulk\r\n", "bob@x", false },
		{ "Precedence:  Junk \r\n", "bob@x", false },
		{ "precedence:\r\n list\r\n", "bob@x", false },
		{ "Auto-Submitted: auto-replied\r\n", "bob@x", false },
		{ "Auto-Submitted: auto-generated; x=y\r\n", "bob@x", false },
		{ "Auto-Submitted:\r\n", "bob@x", false },
		{ "A: b\r\nX-Auto-Response-Suppress: OOF\r\n", "bob@x", false },
		{ "X-Spam-Flag: YES\r\n", "bob@x", false },
		{ "Content-Type: Multipart/Report; report-type=x\r\n", "bob@x",
			false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		if ((vacation_refusal(S(t[i].header), S(t[i].sender)) ==
		    NULL) != t[i].ok)
			fail_msg("%s from %s", t[i].header, t[i].sender);
}

static bool
is_alice(void *arg, struct slice address)
{
	(void)arg;
	return slice_ieq(address, S("alice@x"));
}

static void
test_addressed(void **state)
{
	static const struct {
		const char *header;
		bool yes;
	} t[] = {
		{ "To: alice@x\r\n", true },
		{ "To: b@x\r\nCC: c@x, \"A\" <Alice@X>\r\n", true },
		{ "Bcc: alice@x\r\n", true },
		{ "To: group: b@x, alice@x;\r\n", true },
		{ "Resent-To: alice@x\r\n", true },
		{ "", false },
		{ "To: b@x\r\n", false },
		{ "To: \"alice@x\" <b@x>\r\n", false },
		{ "From: alice@x\r\nReply-To: alice@x\r\n", false },
		{ "X-To: alice@x\r\n\r\nTo: alice@x\r\n", false },
	};
	struct arena *a = arena_new(0);
	struct slice address;

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		if (vacation_addressed(S(t[i].header), is_alice, NULL, a,
		    &address) != t[i].yes)
			fail_msg("%s", t[i].header);
	arena_free(&a);
}

struct composed {
	struct arena *a;
	struct slice octets;
	struct mime_msg *m;
};

static struct composed
compose(const struct store_vacation *v, const char *header)
{
	struct composed c = { .a = arena_new(0) };
	struct vacation_reply r = { .v = v, .octets = S(header),
		.from_name = S("Alice M\xc3\xbcller"), .from = S("alice@x"),
		.to = S("bob@x"), .hostname = "mail.test", .now = 1000000 };

	c.octets = vacation_compose(&r, c.a);
	if (c.octets.p != NULL)
		mime_parse(c.octets, NULL, c.a, &c.m);
	return c;
}

static const char *
field(const struct composed *c, const char *name)
{
	struct mime_field f;
	struct slice s;

	if (mime_field_find(c->octets, name, 0, &f) != 1)
		return "";
	s = slice_trim(mime_unfold(c->a, f.value));
	return arena_strndup(c->a, s.p, s.n);
}

static const char *
body(const struct composed *c, const struct mime_part *p)
{
	struct mime_value v;

	mime_part_text(p, c->octets, 0, c->a, &v);
	assert_false(v.encoding_problem);
	return arena_strndup(c->a, v.text.p, v.text.n);
}

static void
test_compose(void **state)
{
	struct store_vacation v = { .enabled = true };
	struct composed c;
	struct slice s;

	(void)state;
	c = compose(&v, "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n"
	    "Message-ID: <1@x>\r\nReferences: <a@x> <b@x>\r\n\r\nx");
	assert_string_equal(field(&c, "To"), "bob@x");
	assert_non_null(strstr(field(&c, "From"), "<alice@x>"));
	assert_string_equal(field(&c, "Auto-Submitted"),
	    "auto-replied (vacation)");
	assert_string_equal(field(&c, "In-Reply-To"), "<1@x>");
	assert_string_equal(field(&c, "References"), "<a@x> <b@x> <1@x>");
	assert_string_equal(field(&c, "Date"),
	    "Mon, 12 Jan 1970 13:46:40 +0000");
	assert_string_equal(field(&c, "MIME-Version"), "1.0");
	assert_int_equal(strlen(field(&c, "Message-ID")),
	    1 + 32 + 1 + 9 + 1);
	s = mime_text(c.a, c.m->root->env->subject);
	assert_true(slice_eq(s, S("Auto: Gr\xc3\xbc\xc3\x9f" "e")));
	assert_non_null(strstr(body(&c, c.m->root), "I am away"));
	assert_string_equal(field(&c, "Return-Path"), "");
	arena_free(&c.a);

	v.subject = S("Weg");
	v.text = S("Ich bin\nim \xc3\x9c" "bersee\n");
	c = compose(&v, "In-Reply-To: <z@x>\r\nMessage-ID: <2@x>\r\n\r\n");
	assert_string_equal(field(&c, "Subject"), "Weg");
	assert_string_equal(field(&c, "References"), "<z@x> <2@x>");
	assert_string_equal(body(&c, c.m->root),
	    "Ich bin\nim \xc3\x9c" "bersee\n");
	arena_free(&c.a);

	v.html = S("<p>Ich bin <b>weg</b>");
	c = compose(&v, "");
	assert_true(mime_part_is(c.m->root, "multipart", "alternative"));
	assert_int_equal(c.m->root->n_children, 2);
	assert_string_equal(body(&c, c.m->root->child->next),
	    "<p>Ich bin <b>weg</b>\n");
	assert_string_equal(field(&c, "In-Reply-To"), "");
	arena_free(&c.a);
	v.text = slice_make(NULL, 0);
	c = compose(&v, "");
	assert_non_null(strstr(body(&c, c.m->root->child), "Ich bin weg"));
	arena_free(&c.a);
}

/* Whatever a message has, the response is one. */
static void
test_hostile(void **state)
{
	static const char *const headers[] = {
		"Subject: a\r\n\tb\r\nMessage-ID: <a b@x>\r\n\r\n",
		"Subject: =?utf-8?q?a=0D=0ABcc:_evil@x?=\r\n\r\n",
		"Subject: \xff\xfe\x01\r\nMessage-ID: <\x7f@x>\r\n\r\n",
		"Message-ID: <a@x>\r\nReferences: <b@x\r\n>c<d>\r\n\r\n",
		"Subject:\r\nMessage-ID:\r\n\r\n",
	};
	struct store_vacation v = { .text = slice_make("a\0b\r\n.\r\n", 8) };
	struct mime_field f;
	struct composed c;
	char *big;

	(void)state;
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		c = compose(&v, headers[i]);
		if (c.octets.p == NULL)
			fail_msg("%s", headers[i]);
		assert_int_equal(mime_field_find(c.octets, "Bcc", 0, &f), 0);
		assert_non_null(memmem(c.octets.p, c.octets.n,
		    "\r\n\r\n", 4));
		for (size_t k = 0; k < c.octets.n; k++)
			assert_true(c.octets.p[k] != '\0' &&
			    (unsigned char)c.octets.p[k] < 128);
		arena_free(&c.a);
	}
	c.a = arena_new(0);
	big = arena_alloc(c.a, 100001);
	memset(big, 'x', 100000);
	memcpy(big, "Subject: ", 9);
	{
		struct arena *a = c.a;

		c = compose(&v, big);
		assert_true(strlen(field(&c, "Subject")) < 300);
		arena_free(&c.a);
		arena_free(&a);
	}
	/* a subject that is no field is not set, see vacation_compose() */
	v.subject = S("a\r\nBcc: x@y");
	c = compose(&v, "");
	assert_null(c.octets.p);
	arena_free(&c.a);
}

/* "a@x 1 250 ...|": numbers are enum store_delivered. */
static const char *
told(const char *type, const char *status)
{
	static char text[2000];
	struct arena *a = arena_new(0);
	struct report r;
	size_t len = 0;
	char *octets;

	octets = arena_printf(a, "Content-Type: %s; boundary=b\r\n\r\n--b\r\n"
	    "\r\nx\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
	    "%s\r\n--b--\r\n", type, status);
	text[0] = '\0';
	if (report_parse(S(octets), a, &r) == 1)
		len += (size_t)snprintf(text, sizeof(text), "%.*s|",
		    (int)r.envid.n, r.envid.p);
	for (size_t i = 0; len > 0 && i < r.n; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "%.*s %d %.*s|", (int)r.rcpt[i].to.email.n,
		    r.rcpt[i].to.email.p, (int)r.rcpt[i].delivered,
		    (int)r.rcpt[i].reply.n,
		    r.rcpt[i].reply.n > 0 ? r.rcpt[i].reply.p : "");
	arena_free(&a);
	return text;
}

static void
test_report(void **state)
{
	static const char type[] =
	    "multipart/report; report-type=delivery-status";

	(void)state;
	assert_string_equal(told(type, "Reporting-MTA: dns; x\r\n"
	    "Original-Envelope-Id: S1-ab\r\n\r\n"
	    "Final-Recipient: rfc822; a@x\r\nAction: failed\r\n"
	    "Status: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1\r\n no\r\n"
	    "\r\nOriginal-Recipient: RFC822;b@x\r\n"
	    "Final-Recipient: rfc822;bb@y\r\nAction: Delivered\r\n"
	    "Status: 2.1.5\r\n\r\n"
	    "Final-Recipient: utf-8; c@x\r\nAction: delayed\r\n"
	    "Status: 4.0.0\r\n"),
	    "S1-ab|a@x 2 550 5.1.1 no|b@x 1 250 2.1.5 Delivered|c@x 3 |");
	/* no reply of SMTP, a status that is none */
	assert_string_equal(told(type, "Original-Envelope-Id: e\r\n\r\n"
	    "Final-Recipient: rfc822; a@x\r\nAction: failed\r\n"
	    "Status: nonsense\r\nDiagnostic-Code: X-Unix; 67\r\n\r\n"
	    "Final-Recipient: rfc822; b@x\r\nAction: failed\r\n"
	    "Status: 5.4.7\r\nDiagnostic-Code: smtp; 250 fine\r\n"),
	    "e|a@x 2 550 5.0.0 Not delivered|b@x 2 550 5.4.7 Not delivered|");
	assert_string_equal(told(type, "Original-Envelope-Id: e\r\n\r\n"
	    "Final-Recipient: x400; a@x\r\nAction: failed\r\n\r\n"
	    "Action: failed\r\n"), "e|");
	assert_string_equal(told(type, "Final-Recipient: rfc822; a@x\r\n"
	    "Action: failed\r\n"), "");
	assert_string_equal(told("multipart/mixed",
	    "Original-Envelope-Id: e\r\n"), "");
	assert_string_equal(told(type, ""), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refusal),
		cmocka_unit_test(test_addressed),
		cmocka_unit_test(test_compose), cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_report),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
