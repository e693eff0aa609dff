/* t/unit/test-mime-addr.c - address lists */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "libmime/mime.h"

/* Entries as name|mailbox|domain, groups as {name ...}; NIL for absent. */
static void
shown(const struct mime_addrs *l, struct buf *out)
{
	for (uint32_t i = 0; i < l->n; i++) {
		const struct mime_addr *ad = &l->a[i];

		if (ad->kind == MIME_ADDR_GROUP_END) {
			buf_addc(out, '}');
			continue;
		}
		if (i > 0)
			buf_addc(out, ' ');
		if (ad->kind == MIME_ADDR_GROUP)
			buf_addc(out, '{');
		if (ad->name.p == NULL)
			buf_add_str(out, "NIL");
		else
			buf_add_slice(out, ad->name);
		if (ad->kind == MIME_ADDR_GROUP)
			continue;
		if (ad->route.p != NULL) {
			buf_addc(out, '|');
			buf_add_slice(out, ad->route);
		}
		buf_addc(out, '|');
		buf_add_slice(out, ad->mailbox);
		buf_addc(out, '|');
		buf_add_slice(out, ad->domain);
	}
	buf_addc(out, '.');
}

static const struct {
	const char *in, *out;
} lists[] = {
	/* RFC 5322 appendix A */
	{ "John Doe <jdoe@machine.example>", "John Doe|jdoe|machine.example." },
	{ "\"Joe Q. Public\" <john.q.public@example.com>",
	  "Joe Q. Public|john.q.public|example.com." },
	{ "Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>",
	  "Mary Smith|mary|x.test NIL|jdoe|example.org Who?|one|y.test." },
	{ "<boss@nil.test>, \"Giant; \\\"Big\\\" Box\" <sysservices@example.net>",
	  "NIL|boss|nil.test Giant; \"Big\" Box|sysservices|example.net." },
	{ "A Group:Ed Jones <joe@where.test>,joe@where.test,John "
	  "<jdoe@one.test>;",
	  "{A Group Ed Jones|joe|where.test NIL|joe|where.test "
	  "John|jdoe|one.test}." },
	{ "Undisclosed recipients:;", "{Undisclosed recipients}." },
	{ "Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>",
	  "Pete|pete|silly.test." },
	{ "A Group(Some people)\r\n     :Chris Jones <c@(Chris's host.)"
	  "public.example>,\r\n         joe@example.org,\r\n  John <jdoe@one"
	  ".test> (my dear friend); (the end of the group)",
	  "{A Group Chris Jones|c|public.example NIL|joe|example.org "
	  "John|jdoe|one.test}." },
	{ "(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;",
	  "{Hidden recipients}." },
	{ "Joe Q. Public <john.q.public@example.com>",
	  "Joe Q. Public|john.q.public|example.com." },
	{ "Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example",
	  "Mary Smith|@node.test|mary|example.net NIL|jdoe|test.example." },
	{ "Mary Smith\r\n\r\n <mary@example.net>",
	  "Mary Smith|mary|example.net." },
	/* RFC 8621 4.1.2.3 */
	{ "\"  James Smythe\" <james@example.com>, Friends:\r\n "
	  "jane@example.com, =?UTF-8?Q?John_Sm=C3=AEth?=\r\n "
	  "<john@example.com>;",
	  "James Smythe|james|example.com {Friends NIL|jane|example.com "
	  "=?UTF-8?Q?John_Sm=C3=AEth?=|john|example.com}." },
	{ "jane@example.com (Jane)", "Jane|jane|example.com." },
	{ "a@b (x), \"\" <c@d>, \" \" <e@f>", "x|a|b NIL|c|d NIL|e|f." },
	{ "\"a\" \"b\" c <d@e>", "a b c|d|e." },
	{ "\"a\"b <d@e>", "ab|d|e." },
	{ "a@b,c@d", "NIL|a|b NIL|c|d." },
	{ "g1: a@b;g2:c@d; e@f", "{g1 NIL|a|b} {g2 NIL|c|d} NIL|e|f." },
	{ "\"quoted (not a comment), at\"@x", "NIL|quoted (not a comment), "
	  "at|x." },
	{ "", "." }, { " ", "." }, { "(only a comment)", "." }
};

static void
test_lists(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		struct arena *a = arena_new(0);
		struct mime_addrs l;
		struct buf out;

		buf_init(&out, 10000);
		mime_addrs_parse(slice_str(lists[i].in), 100, a, &l);
		shown(&l, &out);
		if (!slice_eq(buf_slice(&out), slice_str(lists[i].out)))
			fail_msg("%s: got %.*s, not %s", lists[i].in,
			    (int)out.n, out.p, lists[i].out);
		buf_release(&out);
		arena_free(&a);
	}
}

static void
test_email(void **state)
{
	static const struct {
		const char *mailbox, *domain, *out;
	} t[] = {
		{ "a", "b", "a@b" }, { "a.b", "c", "a.b@c" },
		{ "a b", "c", "\"a b\"@c" }, { "a\"b\\", "c",
		  "\"a\\\"b\\\\\"@c" }, { ".a", "c", "\".a\"@c" },
		{ "a..b", "c", "\"a..b\"@c" }, { "", "c", "\"\"@c" },
		{ "a", "", "a" }, { "", "", "" }, { "ü", "ö", "ü@ö" }
	};
	struct arena *a = arena_new(0);

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct mime_addr ad = { .mailbox = slice_str(t[i].mailbox),
		    .domain = slice_str(t[i].domain) };

		assert_true(slice_eq(mime_addr_email(&ad, a),
		    slice_str(t[i].out)));
	}
	arena_free(&a);
}

/* Hostile lists take time in proportion to their length. */
static void
test_hostile(void **state)
{
	static const char *const units[] = { "(", "\"", "<", "a,", "@", "[",
	    "a:", ";", "=?", "\\", "()", "<@a,", "a@b (", ")", ">", "\"(" };
	enum { SIZE = 256 * 1024 };
	struct arena *a = arena_new(0);
	char *text = arena_alloc(a, SIZE);

	(void)state;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		size_t n = strlen(units[i]);
		struct arena *tmp = arena_new(0);
		struct mime_addrs l;

		for (size_t k = 0; k < SIZE; k++)
			text[k] = units[i][k % n];
		mime_addrs_parse(slice_make(text, SIZE), 10, tmp, &l);
		assert_true(l.n <= 10);
		mime_addrs_parse(slice_make(text, SIZE), 1000000, tmp, &l);
		arena_free(&tmp);
	}
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_email),
		cmocka_unit_test(test_hostile),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
